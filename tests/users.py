"""Doing something as another user, in a child: only root can."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from typing import Final

import pytest

ANN: Final = 54321
BOB: Final = 54322

two_users = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become two other users")


def as_user(uid: int, act: Callable[[], str], groups: tuple[int, ...] = ()) -> str:
    """What `act` returns when this user does it; the group has the same number. AssertionError when it fails."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            os.setgroups(groups)
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.write(writing, act().encode())
            status = 0
        except BaseException:  # noqa: BLE001 - a child, which must end here and tell why
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(status)
    os.close(writing)
    said = b""
    while chunk := os.read(reading, 1 << 16):
        said += chunk
    os.close(reading)
    assert os.waitpid(child, 0)[1] == 0, said.decode()
    return said.decode()
