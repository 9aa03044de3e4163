"""Which units are gateways, by what a stand-in for systemctl tells of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from litellm_tui.model.service_kinds import Tools
from litellm_tui.services.systemd.discovery import find_units

_SYSTEMCTL = """
import sys
blocks = {blocks!r}
if "list-unit-files" in sys.argv:
    print("\\n".join(name + " enabled" for name in blocks))
else:
    asked = [word for word in sys.argv if word in blocks] or list(blocks)
    print("\\n\\n".join(blocks[name] for name in asked))
"""


def _block(name: str, words: str, active: str = "active", pid: int = 0) -> str:
    program = words.split(maxsplit=1)[0]
    return (
        f"Id={name}\nLoadState=loaded\nActiveState={active}\nMainPID={pid}\n"
        f"ExecStart={{ path={program} ; argv[]={words} ; ignore_errors=no }}"
    )


def _found(folder: Path, *blocks: tuple[str, str]) -> list[str]:
    script = folder / "systemctl.py"
    script.write_text(_SYSTEMCTL.format(blocks={name: _block(name, words) for name, words in blocks}))
    tools = Tools(systemctl=(sys.executable, str(script)))
    return [unit.name for unit in find_units(tools, None, "user").units]


@pytest.mark.parametrize(
    "words",
    [
        "/opt/tui/bin/python -m litellm_tui.cli record --unit litellm.service --user",
        "/usr/bin/litellm-tui serve --listen 127.0.0.1:8019",
    ],
)
def test_a_unit_that_runs_this_program_is_no_gateway(tmp_path: Path, words: str) -> None:
    """Also while systemd starts it anew, when it has no process that could tell."""
    assert _found(tmp_path, ("litellm-tui-record-litellm.service", words)) == []


def test_a_unit_that_is_named_so_and_has_a_script_is_one(tmp_path: Path) -> None:
    assert _found(tmp_path, ("litellm-gateway.service", "/srv/start-it")) == ["litellm-gateway.service"]
