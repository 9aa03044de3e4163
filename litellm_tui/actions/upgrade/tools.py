"""uv and pip as they are set up on this machine: what is to be had from the index, and what would be installed.

The tools read their own settings (`uv.toml`, `pip.conf`, `UV_*` and `PIP_*`). The gateway's interpreter is not used.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from litellm_tui.collectors.litellm_source.catalogues import script_interpreter
from litellm_tui.collectors.litellm_source.distributions import normalised
from litellm_tui.host.bounded import read_text
from litellm_tui.host.command import Done, run
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.monitor.release_choice import newest_first
from litellm_tui.services.rehearsal import kept

_ASK_SECONDS: Final = 60.0
_RESOLVE_SECONDS: Final = 180.0
INSTALL_SECONDS: Final = 1800.0
_UV_PLACES: Final = ("~/.local/bin/uv", "~/.cargo/bin/uv", "/usr/local/bin/uv", "/opt/uv/uv")
# prctl(2): PR_SET_PDEATHSIG; the console may have been killed before it is set
_BOUND: Final = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the console was ended")
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
"""
_PINNED: Final = re.compile(r"([A-Za-z0-9][\w.-]{0,200})(?:\[[^\]]{0,200}\])?==([^\s;]{1,100})")
_LISTED: Final = re.compile(r"^Available versions: ([^\n]{1,200000})", re.MULTILINE)


class Tools(NamedTuple):
    """The commands: `uv` is empty where there is none that runs, `pip` where there is none outside the gateway's."""

    uv: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()


class Index(NamedTuple):
    """The releases that the index has for a Python, newest first; `tool` has asked it. Where only the newest could be
    asked for, it is alone."""

    releases: tuple[str, ...]
    tool: str


async def find_tools(environment: str) -> Tools:
    """The tools of this machine, none of them from the gateway's own environment."""
    named = filter(None, (shutil.which("uv"), *map(os.path.expanduser, _UV_PLACES), _beside("uv")))
    uv = await _first([(path,) for path in dict.fromkeys(named) if os.access(path, os.X_OK)])
    outside = [path for name in ("pip3", "pip") if (path := shutil.which(name)) and not _inside(path, environment)]
    return Tools(uv, await _first([(sys.executable, "-m", "pip"), *((path,) for path in outside)]))


def _beside(name: str) -> str:
    # of a checkout that has fetched it, and of an installation that brought it
    return os.path.join(os.path.dirname(sys.executable), name)


def _inside(path: str, environment: str) -> bool:
    places = (path, os.path.realpath(path), str(script_interpreter(Path(path))))
    return any(place.startswith(environment.rstrip(os.sep) + os.sep) for place in places)


async def _first(commands: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    for command in commands:
        # a version manager's shim may lead nowhere
        done = await run([*command, "--version"], _ASK_SECONDS)
        if isinstance(done, Done) and done.status == 0:
            return command
    return ()


async def releases(tools: Tools, python: str) -> Index | Failure:
    """The releases of LiteLLM that are to be had for this Python."""
    refused: Failure | None = None
    if tools.pip:
        done = await run([*tools.pip, "index", "versions", "litellm", "--python-version", python], _ASK_SECONDS)
        found = _LISTED.search(done.output) if isinstance(done, Done) else None
        if found is not None:
            listed = [part.strip() for part in found[1].split(",") if part.strip()]
            return Index(newest_first(listed), "pip index versions litellm")
        refused = done if isinstance(done, Failure) else NotAvailable(_last_words(done))
    if tools.uv:
        solved = await resolve(tools, python, ("litellm",), {}, alone=True)
        if isinstance(solved, Failure):
            return solved
        return Index((solved["litellm"],), "uv pip compile")
    return refused or NotAvailable("neither uv nor a pip outside the gateway's environment is here to ask the index")


async def resolve(
    tools: Tools, python: str, wanted: Sequence[str], present: Mapping[str, str], *, alone: bool = False
) -> dict[str, str] | Failure:
    """The versions that would be installed, by normalised names; those that are present stay where they may.

    With `alone` nothing is asked that the wanted packages need.
    """
    if not tools.uv:
        return NotAvailable("without uv it is known only after the new release was installed beside")
    folder = Path(tempfile.gettempdir(), f"litellm-tui-{secrets.token_hex(6)}")
    listed, output = folder / "wanted.in", folder / "solved.txt"
    async with kept(rests=(str(folder),), seconds=_RESOLVE_SECONDS * 2) as keeper:
        if isinstance(keeper, Failure):
            return keeper
        try:
            await asyncio.to_thread(folder.mkdir, 0o700)
            await asyncio.to_thread(_write_lines, listed, wanted)
            # uv keeps to what its output file names already, where it may
            await asyncio.to_thread(_write_lines, output, [f"{name}=={version}" for name, version in present.items()])
        except OSError as error:
            return NotAvailable(f"{error.filename or folder}: {error.strerror}")
        words = ["--quiet", "--no-header", "--no-annotate", *(["--no-deps"] if alone else [])]
        words += ["--python", sys.executable, "--python-version", python, "--output-file", str(output)]
        done = await run([*tools.uv, "pip", "compile", *words, str(listed)], _RESOLVE_SECONDS)
        if isinstance(done, Failure):
            return done
        if done.status:
            return NotAvailable(_last_words(done))
        found = map(_PINNED.match, (await asyncio.to_thread(read_text, output)).splitlines())
        return {normalised(one[1]): one[2] for one in found if one}


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def bound(command: Sequence[str]) -> list[str]:
    """The command, to be killed by the kernel when the console is: it writes into an environment for minutes.

    Whoever comes next makes that environment anew, and nobody else may still write into it then.
    """
    return [sys.executable, "-I", "-S", "-c", _BOUND, str(os.getpid()), *command]


async def install(tools: Tools, root: Path, wanted: Sequence[str]) -> Failure | None:
    """Install into the environment at `root`, which nothing runs from; what is there stays where it may."""
    python = str(root / "bin" / "python")
    if tools.uv:
        command = [*tools.uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *wanted]
    else:
        quiet = ("--quiet", "--no-input", "--disable-pip-version-check")
        command = [python, "-I", "-m", "pip", "install", *quiet, *wanted]
    done = await run(bound(command), INSTALL_SECONDS)
    if isinstance(done, Failure):
        return done
    return NotAvailable(_last_words(done)) if done.status else None


async def conflicts(tools: Tools, root: Path) -> tuple[str, ...]:
    """What does not go together in the environment at `root`, as the tool says it."""
    python = str(root / "bin" / "python")
    check = [*tools.uv, "pip", "check", "--python", python] if tools.uv else [python, "-I", "-m", "pip", "check"]
    done = await run(check, _ASK_SECONDS)
    if isinstance(done, Failure) or done.status == 0:
        return ()
    lines = [line.strip() for line in (done.error if tools.uv else done.output).splitlines()]
    return tuple(line[:300] for line in lines if line.startswith("The package") or " has requirement " in line)


def _last_words(done: Done) -> str:
    """What the tool said in the end, at most some lines of it."""
    lines = [line.strip() for line in (done.error or done.output).splitlines() if line.strip()]
    told = [line for line in lines if not line.lower().startswith(("warning", "notice", "[notice]", "hint"))]
    return " ".join(told[-6:])[:1500] or f"it ended with {done.status}"
