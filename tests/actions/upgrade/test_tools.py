"""What uv and pip say is read as it is, and what they refuse is told in their words."""

from __future__ import annotations

from pathlib import Path

from litellm_tui.actions.upgrade.tools import Index, Tools, releases, resolve
from litellm_tui.model.failures import Failure

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
