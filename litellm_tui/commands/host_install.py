"""The steps of `litellm-tui host install HOST`: what would be done, the question, what was done."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Final

from litellm_tui import __version__
from litellm_tui.actions.host_install import Installation, Way, install, installed_version, planned
from litellm_tui.analysis.phrases import count, size
from litellm_tui.commands.far import UNAVAILABLE, tell
from litellm_tui.host.wheels import python_target
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure
from litellm_tui.model.fleet import LinkFailure

_NOT_INSTALLED: Final = 1
_UNCHANGED: Final = 2
_PYTHON: Final = re.compile(r"(/\S{1,180}) Python 3\.(\d{1,3})")
_OLDEST: Final = 11
_MOST_LINES: Final = 15


def run_install(host: str, said: dict[str, str], *, yes: bool) -> int:
    """Plan by what `host check` has found there, show it, ask, and carry it out."""
    version = said.get("version", "").rpartition(" ")[2]
    if said.get("program") and version == __version__:
        print(clean(f"{said['program']} on {host} is version {version} already; it is put there anew"))
    found = _PYTHON.match(said.get("python", ""))
    if found is None or int(found[2]) < _OLDEST:
        return _not(f"{host} has no Python 3.{_OLDEST} or newer: {clean(said.get('python', '')) or 'none was found'}")
    way = way_of(said)
    if way is None:
        return _not(f"{host} has neither uv nor pipx, and its Python has no pip: install one of them there")
    plan = planned(way, found[1], fits=said.get("target", "").strip() == python_target())
    if isinstance(plan, Failure):
        return _not(plan.why)
    _show(host, plan, said)
    if not yes:
        print(f"Install litellm-tui {__version__} on {host}? [y/N] ", end="", flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print("nothing was changed")
            return _UNCHANGED
    done = asyncio.run(install(host, plan))
    if isinstance(done, LinkFailure):
        tell(done)
        return UNAVAILABLE
    for line in [line for line in (done.output + done.error).splitlines() if line.strip()][-_MOST_LINES:]:
        print(f"  {clean(line)}")
    if done.status:
        print(f"litellm-tui: not installed: it ended with {done.status}", file=sys.stderr)
        return _NOT_INSTALLED
    now = asyncio.run(installed_version(host))
    if isinstance(now, LinkFailure):
        tell(now)
        return _NOT_INSTALLED
    if now != __version__:
        text = f"another litellm-tui, {clean(now)}, comes first on the PATH of a command by ssh"
        print(f"litellm-tui: installed, but {text}", file=sys.stderr)
        return _NOT_INSTALLED
    print(f"installed: litellm-tui {now} answers on {host}")
    return 0


def way_of(said: dict[str, str]) -> Way | None:
    """What installs it there; None where nothing can."""
    name = said.get("installer", "").rpartition("/")[2]
    if name == "uv":
        return "uv"
    if name == "pipx":
        return "pipx"
    if not said.get("pip"):
        return None
    # a Python that the distribution manages takes nothing from pip, and an environment of its own does
    return "venv" if said.get("managed") == "True" else "pip"


def _show(host: str, plan: Installation, said: dict[str, str]) -> None:
    number = count(len(plan.wheels), "wheel")
    print(clean(f"{host}: {plan.python} ({said.get('target') or 'unknown'}), with {plan.way}"))
    print(f"sends {number} of what runs here, {size(plan.size)}, into a folder that is deleted after it ($DIR)")
    if not plan.carries:
        print("what it needs is not of the same Python and machine as here: it comes from the index of that host")
    print("runs there, as the user of the link, never with sudo:")
    print(f"  PYTHON={clean(plan.python)}")
    print(f"  {plan.command}")


def _not(text: str) -> int:
    print(f"litellm-tui: not installed: {text}", file=sys.stderr)
    return _NOT_INSTALLED
