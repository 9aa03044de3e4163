"""How a file can be written by this user, told without touching it: by replacing it, in place, or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final, Literal, NamedTuple

from litellm_tui.host.copies import cluster_origin, not_editable

LINKED: Final = "it has other hard links"
_REASONS: Final = {
    errno.EACCES: "may not be written by you",
    errno.EPERM: "is marked immutable or append-only (lsattr tells)",
    errno.EROFS: "is on a file system that is mounted read-only",
}


class Way(NamedTuple):
    """`why` says why the file is not replaced, or cannot be written; with `replaced` it is empty."""

    how: Literal["replaced", "in place", ""]
    why: str = ""


def way_to_write(path: str) -> Way:
    """The way that `rewrite` will go with the file that this path leads to, as far as can be told beforehand."""
    target = Path(os.path.realpath(path))
    if why := not_editable(target):
        return Way("", why)
    if cluster_origin(target) is not None:
        # the object gets a new version
        return Way("replaced")
    try:
        found = target.stat()
        because = LINKED if found.st_nlink > 1 else _folder(target.parent) or _owner(target, found)
        because = because or sticky(target, found)
    except OSError as error:
        return Way("", error.strerror or str(error))
    refused = _refused(target)
    if not because:
        why = marked(target)
        return Way("", f"it {why}") if why else Way("replaced")
    return Way("", f"{because}, and the file itself {refused}") if refused else Way("in place", because)


def reason(number: int) -> str:
    """Why something may not be written, in words that follow it; empty where the number says something else."""
    return _REASONS.get(number, "")


def marked(target: Path) -> str:
    """Whether the file is immutable: it can then not be replaced either. In words that follow it, else empty."""
    refused = _refused(target)
    return refused if refused in (_REASONS[errno.EPERM], _REASONS[errno.EROFS]) else ""


def sticky(target: Path, found: os.stat_result) -> str:
    """Why a file in a sticky folder may not be replaced or removed; empty when it may."""
    folder = target.parent.stat()
    mine = os.geteuid() in (0, found.st_uid, folder.st_uid)
    return "it belongs to another user, and its folder is sticky" if folder.st_mode & stat.S_ISVTX and not mine else ""


def _folder(folder: Path) -> str:
    if os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return ""
    read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
    return f"its folder {_REASONS[errno.EROFS if read_only else errno.EACCES]}"


def _owner(target: Path, found: os.stat_result) -> str:
    """Why what takes its place could not have its owner and group; empty when it could."""
    if os.geteuid() == 0:
        return ""
    folder = target.parent.stat()
    inherited = folder.st_mode & stat.S_ISGID and folder.st_gid == found.st_gid
    groups = {os.getegid(), *os.getgroups()}
    if found.st_uid == os.geteuid() and (inherited or found.st_gid in groups):
        return ""
    return f"its owner and group ({found.st_uid}:{found.st_gid}) could not be kept"


def _refused(target: Path) -> str:
    """Why the file itself may not be written, in words that follow it; empty when it may."""
    if os.access(target, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        return ""
    try:
        # only to hear the reason: what may be written is not opened, for whoever watches it would be told
        os.close(os.open(target, os.O_WRONLY | os.O_CLOEXEC))
    except OSError as error:
        return reason(error.errno or 0) or error.strerror or str(error)
    return ""
