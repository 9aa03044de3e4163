"""The names of an environment in its own files: its scripts begin with the path of its interpreter.

A copy of an environment at another path would start the interpreter of the first one. Every function blocks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from litellm_tui.host import atomic
from litellm_tui.host.bounded import MEDIUM, read_bytes

# pip and uv write scripts of a kilobyte; bin/ may hold programs of any size beside them
_LARGEST_SCRIPT: Final = 1 << 20


def rename_within(root: Path, names: Sequence[str], name: str) -> int:
    """Let the files of the environment at `root` say `name` where they say one of `names`; how many were changed.

    Raises OSError.
    """
    longest = sorted({given for given in names if given != name}, key=len, reverse=True)
    if not longest:
        return 0
    # the path itself and what lies below it, and no longer name that begins with it
    pattern = re.compile(b"(?:" + b"|".join(re.escape(os.fsencode(one)) for one in longest) + rb")(?![\w.\-])")
    changed = 0
    for path in _files(root):
        if path.is_symlink():
            changed += _relinked(path, pattern, name)
            continue
        content = read_bytes(path, MEDIUM)
        new = pattern.sub(lambda _: os.fsencode(name), content)
        if new != content and b"\0" not in content[:8192]:
            found = path.stat()
            atomic.replace(path, new, mode=found.st_mode & 0o7777, durable=False)
            if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(path, found.st_uid, found.st_gid)
            changed += 1
    return changed


def _files(root: Path) -> Iterator[Path]:
    """The files that name their environment: programs, the settings of the environment, and path files."""
    places = [root / "pyvenv.cfg", *sorted((root / "bin").iterdir())]
    places += sorted(root.glob("lib/python3*/site-packages/*.pth"))
    for path in places:
        if path.is_symlink() or (path.is_file() and path.stat().st_size <= _LARGEST_SCRIPT):
            yield path


def _relinked(path: Path, pattern: re.Pattern[bytes], name: str) -> int:
    target = os.fsencode(os.readlink(path))
    new = pattern.sub(lambda _: os.fsencode(name), target)
    if new == target:
        return 0
    temporary = path.with_name(f".{path.name}.link")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(os.fsdecode(new))
    os.replace(temporary, path)
    return 1
