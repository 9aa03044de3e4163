"""`litellm-tui host check HOST`: what another host has and lacks for being looked at by ssh. Changes nothing there.

`host install HOST` puts the version of this machine there, with the installer that is there, after showing how.

Exit status: 0 all is there, or installed; 1 something is missing, or was not installed; 2 nothing was changed; 69 it
was not reached, 64 a wrong command line.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from litellm_tui import __version__
from litellm_tui.analysis.fleet.differences import CLOCK_SECONDS, clock_words
from litellm_tui.commands.far import UNAVAILABLE, tell
from litellm_tui.host.far_child import ask
from litellm_tui.host.ssh import checking_line, refused
from litellm_tui.logs.log_line import clean
from litellm_tui.model.fleet import LinkFailure
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import SettingsError

# what litellm-tui needs (pyproject.toml)
_PYTHON: Final = (3, 11)
# one line NAME=VALUE each; what is not there is an empty value. `--follow` came with the format that the fleet reads
_SCRIPT: Final = """\
echo "time=$(date +%s)"
echo "system=$(uname -sm 2>/dev/null)"
echo "program=$(command -v litellm-tui 2>/dev/null)"
echo "version=$(litellm-tui --version 2>/dev/null)"
echo "follow=$(litellm-tui status --help 2>/dev/null | grep -c -e --follow)"
for name in "$1" python3.13 python3.12 python3.11 python3; do
  found=$(command -v "$name" 2>/dev/null) && told=$("$name" --version 2>&1) && echo "python=$found $told" && break
done
echo "target=$("$found" -c 'import sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform())' \
  2>/dev/null)"
echo "managed=$("$found" -c 'import os, sysconfig; print(os.path.exists(os.path.join(sysconfig.get_path("stdlib"),
  "EXTERNALLY-MANAGED")))' 2>/dev/null)"
echo "pip=$("$found" -m pip --version 2>/dev/null)"
for name in uv pipx pip3 pip; do
  found=$(command -v "$name" 2>/dev/null) && echo "installer=$found" && break
done
:
"""
_SECONDS: Final = 20.0
_LONGEST: Final = 200


class Checked(NamedTuple):
    """One line of the result: `well` is None for what is only told."""

    name: str
    well: bool | None
    text: str
    do: str = ""
    lack: str = "missing"


def run(options: Options, verb: str, host: str, yes: bool = False) -> int:
    """Look, print a line for each part, and what to do about what is missing; or install."""
    del options
    if why := refused(host):
        raise SettingsError(f"host {verb}: {clean(host)[:80]!r}: {why}")
    if verb == "install" and not yes and not sys.stdin.isatty():
        raise SettingsError(f"host install: {host} needs --yes where nobody can be asked")
    before = time.time()
    line = checking_line(_SCRIPT, [f"python{sys.version_info[0]}.{sys.version_info[1]}"])
    found = asyncio.run(ask(host, line=line, seconds=_SECONDS))
    if isinstance(found, LinkFailure):
        tell(found)
        return UNAVAILABLE
    if verb == "install":
        # only now: a look packs nothing
        from litellm_tui.commands.host_install import run_install

        return run_install(host, said_in(found.output), yes=yes)
    checked = list(judged(host, found.output, before, time.time()))
    for one in checked:
        sign = {True: "ok", False: one.lack, None: ""}[one.well]
        print(f"{one.name:<10} {sign:<8} {clean(one.text)}")
        if one.do:
            print(f"{'':<20}{one.do}")
    return 1 if any(one.well is False for one in checked) else 0


def said_in(output: str) -> dict[str, str]:
    """What the script has printed, by name."""
    return {name: value[:_LONGEST] for name, _, value in (line.partition("=") for line in output.splitlines())}


def judged(host: str, output: str, asked_at: float, came_at: float) -> Iterator[Checked]:
    """What the script has printed, part by part; times are of this machine."""
    said = said_in(output)
    yield Checked("ssh", True, f"{host} lets you in ({said.get('system') or 'it does not say what it is'})")
    version = said.get("version", "").rpartition(" ")[2]
    install = f"litellm-tui host install {host} puts version {__version__} there, with {_installer(said)}"
    if not said.get("program"):
        yield Checked(
            "program", False, "no litellm-tui on the PATH of a command by ssh, and none in ~/.local/bin", install
        )
    elif not said.get("follow", "0").isdigit() or said.get("follow") in (None, "0"):
        text = (
            f"{said['program']} is {version or 'of an unknown version'}, too old for the fleet; here is {__version__}"
        )
        yield Checked("program", False, text, install, "too old")
    else:
        other = "" if version == __version__ else f", another version than here ({__version__})"
        yield Checked("program", True, f"{said['program']} is {version}{other}")
    yield _python(said.get("python", ""))
    yield Checked("installer", None, said.get("installer") or "neither uv nor pipx nor pip")
    yield from _clock(said.get("time", ""), asked_at, came_at)


def _installer(said: dict[str, str]) -> str:
    name = said.get("installer", "").rpartition("/")[2]
    return {"uv": "uv tool install", "pipx": "pipx install"}.get(name, "pip install --user" if name else "pipx or uv")


def _python(found: str) -> Checked:
    version = re.search(r"Python (\d{1,3})\.(\d{1,3})", found)
    needed = ".".join(map(str, _PYTHON))
    if version and (int(version[1]), int(version[2])) >= _PYTHON:
        return Checked("python", True, found)
    text = f"{found}, which is too old" if found else "none was found"
    return Checked("python", None, text, f"litellm-tui needs Python {needed}; uv brings one along")


def _clock(said: str, asked_at: float, came_at: float) -> Iterator[Checked]:
    if not (said.isascii() and said.isdigit() and len(said) < 12):
        return
    ahead = int(said) - came_at if int(said) > came_at else min(0.0, int(said) + 1 - asked_at)
    if abs(ahead) < CLOCK_SECONDS:
        yield Checked("clock", True, "as here")
    else:
        yield Checked("clock", None, clock_words(ahead), "times of its log and its problems are by that clock")
