"""One lock for all users of the machine: it keeps them apart, says who has it, and believes no file."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from litellm_tui.host import host_lock
from litellm_tui.host.host_lock import Holder, HostLock, here, parse_holder
from litellm_tui.model.failures import Failure
from tests.users import ANN, BOB, as_user, two_users

NAME: Final = "0123456789abcdef"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder that is open to all, as /run/lock is, on a path that every user may go."""
    found = Path("/var/tmp") / f"litellm-tui-test-{os.getpid()}-{time.monotonic_ns()}"
    found.mkdir()
    found.chmod(0o1777)
    yield found
    subprocess.run(["rm", "-rf", str(found)], check=True)


def _lock(*places: Path) -> HostLock:
    return HostLock(NAME, places)


def test_it_is_had_by_one_at_a_time_and_leaves_nothing(place: Path) -> None:
    first, second = _lock(place), _lock(place)
    assert first.acquire() is None
    before = time.time()
    holder = second.acquire()
    assert isinstance(holder, Holder)
    assert (holder.pid, holder.user) == (os.getpid(), pwd.getpwuid(os.geteuid()).pw_name)
    assert 0 <= before - holder.since < 60
    assert second.holder() == holder
    assert first.holder() is None, "what is ours is nobody else's"
    # what does not hold it gives nothing back
    second.release()
    assert isinstance(second.acquire(), Holder)
    first.release()
    assert list(place.iterdir()) == []
    assert second.holder() is None
    assert second.acquire() is None
    second.release()


def test_another_name_is_another_lock(place: Path) -> None:
    first, other = _lock(place), HostLock("f" * 16, (place,))
    assert first.acquire() is None
    assert other.acquire() is None
    first.release()
    other.release()


KILLED: Final = """
import os, signal, sys
from pathlib import Path
from litellm_tui.host.host_lock import HostLock
assert HostLock(sys.argv[2], (Path(sys.argv[1]),)).acquire() is None
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_holder_has_left_is_no_lock(place: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(place), NAME], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(place.iterdir())) == 2
    lock = _lock(place)
    assert lock.holder() is None
    assert lock.acquire() is None
    other = _lock(place).acquire()
    assert isinstance(other, Holder)
    assert other.pid == os.getpid(), "its words are those of the one who has it now"
    lock.release()
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_every_user_may_read_it_whatever_the_umask(place: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        lock = _lock(place)
        assert lock.acquire() is None
        assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o644}
        lock.release()
    finally:
        os.umask(before)


@contextlib.contextmanager
def _held_by(uid: int, place: Path, end: str = "release") -> Iterator[None]:
    """A child of this user has the lock until the end; with `kill` it is killed at once, and leaves what it leaves."""
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:

        def hold() -> str:
            lock = _lock(place)
            found = lock.acquire()
            os.write(ready[1], b"." if found is None else b"!")
            if end == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            os.read(done[0], 1)
            lock.release()
            return ""

        try:
            as_user(uid, hold)
        finally:
            os._exit(0)
    assert os.read(ready[0], 1) == b"."
    try:
        if end == "kill":
            os.waitpid(child, 0)
        yield
    finally:
        os.write(done[1], b".")
        if end != "kill":
            os.waitpid(child, 0)
        for handle in (*ready, *done):
            os.close(handle)


@two_users
@pytest.mark.parametrize(("first", "second"), [(ANN, BOB), (BOB, ANN), (0, BOB), (BOB, 0)])
def test_two_users_are_kept_apart_and_named(place: Path, first: int, second: int) -> None:
    with _held_by(first, place):
        assert as_user(second, lambda: _taken(place)).startswith(f"{_name(first)}@")
        assert as_user(second, lambda: str(_lock(place).holder())).startswith(f"{_name(first)}@")
    assert list(place.iterdir()) == []
    assert as_user(second, lambda: _taken(place)) == "taken"


@two_users
def test_a_lock_that_another_user_has_left_is_taken_all_the_same(place: Path) -> None:
    """In a folder that is open to all the kernel may refuse to create over, or to write to, the file of another."""
    with _held_by(ANN, place, "kill"):
        assert len(list(place.iterdir())) == 2
        assert as_user(BOB, lambda: str(_lock(place).holder())) == "None"
        assert as_user(BOB, lambda: _taken(place)) == "taken"

    def held_by_bob() -> str:
        lock = _lock(place)
        assert lock.acquire() is None
        said = str(_lock(place).acquire())
        lock.release()
        return said

    assert as_user(BOB, held_by_bob).startswith(f"{_name(BOB)}@")
    # the file stays Ann's, and Bob's words are gone
    assert all(path.stat().st_uid == ANN for path in place.iterdir())


def _taken(place: Path) -> str:
    lock = _lock(place)
    found = lock.acquire()
    lock.release()
    return "taken" if found is None else str(found.why if isinstance(found, Failure) else found)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


# --- places ---------------------------------------------------------------------------------------------------------


def test_a_place_that_is_read_only_is_said_and_leads_to_the_next(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "read-only"
    first.mkdir()
    first.chmod(0o1777)
    really = os.open

    def refuse(path: Any, flags: int, *more: Any, **others: Any) -> int:
        if str(path).startswith(str(first)) and flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return really(path, flags, *more, **others)

    monkeypatch.setattr(os, "open", refuse)
    lock, other = _lock(first, place), _lock(first, place)
    assert lock.acquire() is None
    assert lock.skipped == (f"{first}: Read-only file system",)
    assert isinstance(other.acquire(), Holder)
    assert isinstance(other.holder(), Holder)
    lock.release()
    refused = _lock(first).acquire()
    assert isinstance(refused, Failure)
    assert f"{first}: Read-only file system" in refused.why
    assert "nothing was changed" in refused.why


def test_a_place_that_is_not_everybodys_is_none(place: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o755)
    lock = _lock(tmp_path / "none", mine, place)
    assert lock.acquire() is None
    assert list(mine.iterdir()) == []
    # that a distribution is made so is nothing to be told
    assert lock.skipped == ()
    lock.release()
    refused = _lock(tmp_path / "none", mine).acquire()
    assert isinstance(refused, Failure)
    assert f"{mine}: not every user may write there" in refused.why


def test_this_machine_has_a_place_for_it() -> None:
    lock = HostLock(f"test{os.getpid()}")
    assert lock.acquire() is None
    lock.release()


# --- what others may put there --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "pipe"])
def test_what_is_no_file_is_named_and_not_followed(place: Path, tmp_path: Path, kind: str) -> None:
    path, target = place / f"litellm-tui.{NAME}.lock", tmp_path / "precious"
    target.write_text("precious")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target if kind == "link" else tmp_path / "none")
    refused = _lock(place).acquire()
    assert isinstance(refused, Failure)
    assert str(path) in refused.why
    assert f"it belongs to {_name(os.geteuid())}" in refused.why
    assert target.read_text() == "precious"
    assert not (tmp_path / "none").exists()


def test_a_link_in_the_place_of_the_words_is_not_followed(place: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (place / f"litellm-tui.{NAME}.{os.geteuid()}").symlink_to(target)
    lock = _lock(place)
    assert lock.acquire() is None
    assert target.read_text() == "precious"
    lock.release()


@two_users
def test_words_are_believed_of_their_owner_alone(place: Path) -> None:
    """A user who writes about another is not heard, and one who only claims to hold it keeps nobody away."""

    def claim() -> str:
        import fcntl

        for uid in (ANN, BOB):
            path = place / f"litellm-tui.{NAME}.{uid}"
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            os.write(handle, msgspec.json.encode(Holder("root", "elsewhere", 1, 1.0)))
            fcntl.flock(handle, fcntl.LOCK_EX)
        return f"{_lock(place).holder()}; {_taken(place)}"

    said = as_user(BOB, claim)
    assert f"{_name(ANN)}@" not in said
    assert "root@" not in said
    assert said.endswith("; taken")


HOSTILE: Final = [
    b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"user": 3}',
    b'{"user":"a\\u001b[31m\\nb","host":"h\\u0007","pid":-5,"since":1e300}',
    msgspec.json.encode({"user": "x" * 3000, "host": "", "pid": 10**12, "since": -1.0}),
    msgspec.json.encode({"user": "x" * 99999, "host": "h", "pid": 1, "since": 0.5}),
]  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE)
def test_words_are_bounded_and_fit_to_be_shown(content: bytes) -> None:
    told = str(parse_holder(content))
    assert told.isprintable()
    assert len(told) < 250
    assert str(parse_holder(content, "ann")).startswith("ann@")


@pytest.mark.parametrize("since", [1e300, -1e300, 1e18, float("nan"), float("inf")])
def test_a_moment_that_is_none_is_told_all_the_same(since: float) -> None:
    assert str(Holder("ann", "gw", 1, since)) == "ann@gw (process 1), since an unknown time"


def test_what_was_said_is_told() -> None:
    assert parse_holder(msgspec.json.encode(here())).pid == os.getpid()


def test_a_file_that_is_given_up_while_it_is_taken_is_not_the_lock(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the opening and the lock the holder may have removed the file, and a third have made another one."""
    holder, third = _lock(place), _lock(place)
    assert holder.acquire() is None
    really = host_lock._lock
    calls: list[int] = []

    def late(handle: int, kind: int) -> bool:
        if not calls:
            calls.append(handle)
            holder.release()
            assert third.acquire() is None
        return really(handle, kind)

    monkeypatch.setattr(host_lock, "_lock", late)
    found = _lock(place).acquire()
    assert isinstance(found, Holder)
    third.release()
