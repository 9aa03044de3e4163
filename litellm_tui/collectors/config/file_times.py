"""When files and the links that lead to them were last changed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Final

from litellm_tui.host.copies import cluster_origin, origin

_MOST_LINKS: Final = 40


def saved_at(paths: Iterable[str]) -> float:
    """The newest modification time, which a deployment or a restored backup may have set back; 0 without files."""
    newest = 0.0
    for path in paths:
        with contextlib.suppress(OSError):
            newest = max(newest, os.stat(path).st_mtime)
    return newest


def changed_at(paths: Iterable[str]) -> float:
    """The newest change of these files, in seconds since the epoch; a deployment cannot set it back.

    It is the newest of each file's modification, its inode's change, and the change of every link that leads to it.
    """
    newest = 0.0
    for path in paths:
        # when a copy was made says nothing of the file
        counts = origin(path) is None and cluster_origin(path) is None
        for folder, name in links_to(path):
            try:
                seen = os.lstat(os.path.join(folder, name))
            except OSError:
                continue
            if not stat.S_ISDIR(seen.st_mode):
                newest = max(newest, seen.st_mtime, seen.st_ctime if counts else 0.0)
    return newest


def links_to(path: str) -> Iterator[tuple[str, str]]:
    """`(folder, name)` of every link that leads to a file and of the file itself, with real folders.

    The result ends at the first part that does not exist: there it would appear.
    """
    place = os.path.abspath(path)
    for _ in range(_MOST_LINKS):
        folder, rest = "/", [part for part in place.split("/") if part]
        while rest:
            name = rest.pop(0)
            here = os.path.join(folder, name)
            try:
                target = os.readlink(here)
            except OSError:
                if rest and os.path.isdir(here):
                    folder = os.path.realpath(here)
                    continue
                yield folder, name
                return
            yield folder, name
            place = os.path.join(folder, target, *rest)
            break
        else:
            return
