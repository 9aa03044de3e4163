"""Two environments change places by rename: whoever is killed leaves a whole one in the place, and which it is can be
told by its inode. Every function blocks for some milliseconds."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path
from typing import Final

from litellm_tui.host.atomic import failure_of, sync_folder
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.upgrade import EnvironmentExchange

# renameat2(2): both names are exchanged in one step
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
# of kernels and file systems that cannot do that
_UNSUPPORTED: Final = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


def identity(path: str | Path) -> tuple[int, int] | None:
    """Device and inode of a folder; None where none is."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def exchange_of(live: str, aside: str, kept: str, before: str, after: str) -> EnvironmentExchange | Failure:
    """The exchange of the environment at `live` with the one at `aside`."""
    old, new = identity(live), identity(aside)
    if old is None or new is None:
        return NotAvailable(f"{live if old is None else aside} is not there")
    if old[0] != new[0]:
        return NotAvailable(f"{aside} lies on another file system than {live}: they cannot change places by rename")
    return EnvironmentExchange(live, aside, kept, old, new, before, after)


def is_in_place(exchange: EnvironmentExchange) -> bool:
    """Whether what was to be put in the place is there."""
    return identity(exchange.live) == exchange.new


def put_in_place(exchange: EnvironmentExchange) -> Failure | None:
    """Put the new environment in the place of the old one, or end what of that was begun; None when it stands there."""
    folder = Path(exchange.live).parent
    try:
        _name_aside(exchange)
        there = identity(exchange.live)
        if there == exchange.old:
            if identity(exchange.aside) != exchange.new:
                return NotAvailable(f"{exchange.aside} is not what was made there: nothing was exchanged")
            _exchange(exchange)
        elif there is None and identity(exchange.aside) == exchange.new:
            os.rename(exchange.aside, exchange.live)
        elif there != exchange.new:
            return NotAvailable(f"{exchange.live} is neither of the two environments: somebody has changed it")
        _name_aside(exchange)
        sync_folder(folder)
    except OSError as error:
        return failure_of(f"{exchange.live} and {exchange.aside} could not change places", error)
    return None


def take_back(exchange: EnvironmentExchange) -> Failure | None:
    """Put the old environment back; the new one stands aside again."""
    folder = Path(exchange.live).parent
    try:
        _name_aside(exchange)
        if identity(exchange.live) is None and identity(exchange.kept) == exchange.old:
            # in two steps it was there last
            os.rename(exchange.kept, exchange.live)
            sync_folder(folder)
    except OSError as error:
        return failure_of(f"{exchange.live} could not be put back", error)
    if identity(exchange.live) == exchange.old:
        return None
    return put_in_place(turned(exchange))


def turned(exchange: EnvironmentExchange) -> EnvironmentExchange:
    """The same exchange the other way round."""
    return EnvironmentExchange(
        exchange.live, exchange.kept, exchange.aside, exchange.new, exchange.old, exchange.after, exchange.before
    )


def _name_aside(exchange: EnvironmentExchange) -> None:
    """Give the one that is not in the place its own name, where it has left the place and has the other's."""
    there = identity(exchange.live)
    if there == exchange.new and identity(exchange.aside) == exchange.old and identity(exchange.kept) is None:
        os.rename(exchange.aside, exchange.kept)
    elif there == exchange.old and identity(exchange.kept) == exchange.new and identity(exchange.aside) is None:
        os.rename(exchange.kept, exchange.aside)


def _exchange(exchange: EnvironmentExchange) -> None:
    """One step where the file system has it, else two; between those the record tells what is missing."""
    libc = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(libc, "renameat2", None)
    if renameat2 is not None:
        names = os.fsencode(exchange.aside), os.fsencode(exchange.live)
        if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
            return
        number = ctypes.get_errno()
        if number not in _UNSUPPORTED:
            raise OSError(number, os.strerror(number), exchange.live)
    _in_two_steps(exchange)


def _in_two_steps(exchange: EnvironmentExchange) -> None:
    os.rename(exchange.live, exchange.kept)
    try:
        os.rename(exchange.aside, exchange.live)
    except OSError:
        os.rename(exchange.kept, exchange.live)
        raise
