"""What uv and pip say is read as it is, and what they refuse is told in their words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from litellm_tui.actions.upgrade.tools import Index, Tools, install, releases, resolve
from litellm_tui.host import proc
from litellm_tui.model.failures import Failure
from tests.waiting import eventually

PIP = """#!/bin/sh
echo 'litellm (1.110.2)'
echo 'Available versions: 1.9.0, 1.110.2, 1.106.2'
"""
# like uv, it writes its output file anew; of what that held it keeps what may stay
UV = """#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" = --output-file ] && out=$2; shift; done
if grep -q '==9' "$1"; then
  echo 'warning: a remark' >&2
  echo 'error: No solution found: there is no version of litellm==9' >&2
  exit 1
fi
grep '^httpx==' "$out" > "$out.new"
echo 'litellm[proxy]==2.0' >> "$out.new"
echo 'New_One==3 ; python_version > "3"' >> "$out.new"
mv "$out.new" "$out"
"""


def _tool(path: Path, text: str) -> tuple[str, ...]:
    path.write_text(text)
    path.chmod(0o755)
    return (str(path),)


async def test_the_releases_of_the_index_by_pip(tmp_path: Path) -> None:
    found = await releases(Tools(pip=_tool(tmp_path / "pip", PIP)), "3.11")
    assert found == Index(("1.110.2", "1.106.2", "1.9.0"), "pip index versions litellm")
    assert isinstance(await releases(Tools(), "3.11"), Failure)


async def test_what_would_be_installed_and_what_stays_by_uv(tmp_path: Path) -> None:
    tools = Tools(uv=_tool(tmp_path / "uv", UV))
    solved = await resolve(tools, "3.11", ["litellm[proxy]==2.0"], {"httpx": "0.27", "gone": "1"})
    assert solved == {"httpx": "0.27", "litellm": "2.0", "new-one": "3"}
    refused = await resolve(tools, "3.11", ["litellm==9"], {})
    assert isinstance(refused, Failure)
    assert refused.why == "error: No solution found: there is no version of litellm==9"


# what installs, and what resolves, say that they have begun and do not end
SLOW = """#!/bin/sh
echo $$ > {begun}
exec sleep 600
"""
CONSOLE = """\
import asyncio, sys
from pathlib import Path
from litellm_tui.actions.upgrade.tools import Tools, install, resolve

tools = Tools(uv=(sys.argv[1] + "/uv",))
way = {"install": install(tools, Path(sys.argv[1]), ["litellm"]), "resolve": resolve(tools, "3.11", ["litellm"], {})}
other = "install" if sys.argv[2] == "resolve" else "resolve"
way[other].close()
asyncio.run(way[sys.argv[2]])
"""


def _is_gone(pid: int) -> bool:
    stat = proc.stat(pid)
    return stat is None or stat.gone


@pytest.mark.parametrize("way", ["install", "resolve"])
async def test_a_console_that_is_killed_leaves_nobody_who_installs_and_no_files(tmp_path: Path, way: str) -> None:
    begun, temporary = tmp_path / "begun", tmp_path / "tmp"
    temporary.mkdir()
    _tool(tmp_path / "uv", SLOW.format(begun=begun))
    console = subprocess.Popen([sys.executable, "-c", CONSOLE, str(tmp_path), way], env={"TMPDIR": str(temporary)})

    def pid() -> int:
        return int(begun.read_text() or 0) if begun.exists() else 0

    try:
        tool = await eventually(pid, "the tool runs")
        assert list(temporary.iterdir()) or way == "install"
    finally:
        console.kill()
        console.wait()
    if way == "install":
        await eventually(lambda: _is_gone(tool), "it has ended")
    else:
        # it writes nowhere but there, and ends by itself
        subprocess.run(["kill", str(tool)], check=False)
    await eventually(lambda: list(temporary.iterdir()) == [], "its files are deleted")


async def test_a_program_that_installs_and_is_not_there_is_named(tmp_path: Path) -> None:
    refused = await install(Tools(uv=("/nobody/has/uv",)), tmp_path, ["litellm"])
    assert isinstance(refused, Failure)
    assert refused.why == "/nobody/has/uv: No such file or directory"
