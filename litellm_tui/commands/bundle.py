"""`litellm-tui bundle`: one archive with all that somebody needs who is asked for help, every secret masked.

Exit status: 0 written, 1 not agreed to, 64 a wrong command line, 73 the archive cannot be written.
"""

from __future__ import annotations

import io
import os
import platform
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from litellm_tui import __version__
from litellm_tui.analysis.phrases import count, size
from litellm_tui.commands.bundle_part import Part
from litellm_tui.commands.bundle_parts import never, parts
from litellm_tui.commands.look import Look, look
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.host import atomic
from litellm_tui.host.command import run_now
from litellm_tui.logs.log_line import clean
from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings

MINUTES: Final = 30
LINES: Final = 20_000
NOT_AGREED: Final = 1
EX_CANTCREAT: Final = 73
_TIMEOUT: Final = 10.0


def run(options: Options, output: str = "", minutes: int = MINUTES, yes: bool = False) -> int:
    """Look once, show what would be in the archive, ask, and write it to `output`."""
    if not yes and not sys.stdin.isatty():
        raise SettingsError("bundle: there is no terminal to ask on: give --yes")
    path = Path(output) if output else None
    if path is not None and os.path.lexists(path):
        return _cannot(f"{path} is there already, and is not overwritten")
    seen = look(say_which(resolve(options, load_settings())), remembers=False, lines=LINES)
    found = [*parts(seen, minutes, _ask), *never(seen)]
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(seen.now))
    name = f"litellm-tui-{re.sub(r'[^A-Za-z0-9.-]', '-', seen.profile.host)[:60]}-{stamp}"
    path = path or Path(f"{name}.tar.gz")
    kept = [Part("MANIFEST.txt", manifest(found, seen, minutes)), *(part for part in found if not part.missing)]
    content = archive(kept, name, seen.now)
    for line in _listed(kept, found, len(content), path):
        print(_plain(line))
    if not yes and not _agreed():
        print("nothing was written", file=sys.stderr)
        return NOT_AGREED
    try:
        atomic.publish(path, content)
    except FileExistsError:
        return _cannot(f"{path} is there already, and is not overwritten")
    except OSError as error:
        return _cannot(f"{path}: {error.strerror or error}; nothing was written")
    print(_plain(f"written: {path}, readable by you alone"))
    return 0


def manifest(found: Sequence[Part], seen: Look, minutes: int) -> str:
    """What is in the archive, what is not and why, and of what."""
    readiness = seen.snapshot.gateway.readiness.value
    version = readiness.version if readiness else None
    lines = [
        f"a bundle of litellm-tui {__version__}, made {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seen.now))}",
        f"gateway: {seen.profile.address} on {seen.profile.host}",
        f"LiteLLM: {version or 'its version is not known'}",
        f"Python {platform.python_version()}, {platform.platform()}",
        f"log: the last {minutes} minutes; times are UTC",
        "",
        "in it:",
        *(f"  {part.name:<36} {len(part.text.encode()):>10,} bytes  {part.masks:>5} masks"
          for part in found if not part.missing),
        "",
        "left out:",
        *(f"  {part.name:<36} {clean(part.missing)}" for part in found if part.missing),
    ]  # fmt: skip
    return seen.redact("\n".join(lines)) + "\n"


def archive(kept: Sequence[Part], folder: str, at: float) -> bytes:
    """The parts as a tar.gz; made whole in memory, so that half of one is never on the disk."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for part in kept:
            data = part.text.encode(errors="replace")
            entry = tarfile.TarInfo(f"{folder}/{part.name}")
            entry.size, entry.mtime, entry.mode = len(data), int(at), 0o600
            tar.addfile(entry, io.BytesIO(data))
    return content.getvalue()


def _ask(command: list[str]) -> str:
    try:
        done = run_now(command, _TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{command[0]} did not answer in {_TIMEOUT:g} s") from error
    if done.status and not done.output.strip():
        raise OSError(done.error.strip() or f"{command[0]} ended with {done.status}")
    return done.output


def _listed(kept: Sequence[Part], found: Sequence[Part], length: int, path: Path) -> list[str]:
    masks = sum(part.masks for part in kept)
    return [
        f"{path}: {count(len(kept), 'file')}, {size(length)}, {count(masks, 'secret')} masked",
        *(f"  {part.name:<36} {size(len(part.text.encode())):>8}  {part.masks or '':>5}" for part in kept),
        "left out:",
        *(f"  {part.name}: {part.missing}" for part in found if part.missing),
    ]


def _plain(line: str) -> str:
    text = clean(line)
    narrow = "utf" not in (sys.stdout.encoding or "").lower()
    return text.encode("ascii", "replace").decode() if narrow else text


def _agreed() -> bool:
    print("Write it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _cannot(why: str) -> int:
    print(f"litellm-tui: {clean(why)}", file=sys.stderr)
    return EX_CANTCREAT
