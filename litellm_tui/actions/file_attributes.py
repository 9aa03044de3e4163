"""Owner, mode and extended attributes of a file, given to the one that is to take its place."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def like(made: Path, target: Path, found: os.stat_result) -> str:
    """Give the new file what the old one had; the reason, where that is not allowed."""
    handle = os.open(made, os.O_RDWR | os.O_NOFOLLOW)
    try:
        there = os.fstat(handle)
        if (there.st_uid, there.st_gid) != (found.st_uid, found.st_gid):
            try:
                os.fchown(handle, found.st_uid, found.st_gid)
            except OSError:
                return f"its owner and group ({found.st_uid}:{found.st_gid}) could not be kept"
        # chown takes set-id bits away, so the mode comes after it, and access lists set the mode as well
        os.fchmod(handle, stat.S_IMODE(found.st_mode))
        for name in _attributes(target):
            try:
                value = os.getxattr(target, name)
                if _attribute(handle, name) != value:
                    os.setxattr(handle, name, value)
            except OSError as error:
                if not name.startswith(("security.", "trusted.")):
                    return f"its attribute {name} could not be kept ({error.strerror})"
        os.fsync(handle)
    finally:
        os.close(handle)
    return ""


def _attributes(target: Path) -> list[str]:
    try:
        return os.listxattr(target)
    except (OSError, AttributeError):
        # no such thing on this file system, or on this system
        return []


def _attribute(handle: int, name: str) -> bytes | None:
    try:
        return os.getxattr(handle, name)
    except OSError:
        return None
