"""A file that cannot be replaced is written in place, and is whole again after its writer was killed in the middle."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.actions import in_place
from litellm_tui.actions.apply_fixes import Mended, write
from litellm_tui.actions.in_place import half_written, recover
from litellm_tui.actions.rewrite import Written, rewrite
from litellm_tui.actions.rollback import Restored, go_back
from litellm_tui.actions.transaction import preflight
from litellm_tui.actions.transaction.record import Record
from litellm_tui.actions.writable import way_to_write
from litellm_tui.analysis.change.preflight import PreflightCheck
from litellm_tui.collectors.config.watcher import being_written
from litellm_tui.model.audit import Audit
from litellm_tui.model.failures import Failure
from tests.actions.test_transaction import BAD, NEW, OLD, Site, hurry
from tests.users import ANN, as_user, two_users

BEFORE: Final = b"model_list: []\n"
AFTER: Final = b"model_list: [{model_name: one}] # a longer file than it was\n" * 300


class Place:
    """A configuration of root's with the group of an operator, and the operator's copy of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc = folder / "etc"
        self.file = self.etc / "config.yaml"
        self.state = folder / "state"
        self.copy = self.state / "config.yaml.backup.1"
        for made in (self.etc, self.state):
            made.mkdir()
        self.file.write_bytes(BEFORE)
        self.copy.write_bytes(BEFORE)

    def notes(self) -> list[str]:
        return [path.name for path in self.state.iterdir() if path != self.copy]


@pytest.fixture
def place() -> Iterator[Place]:
    # not in pytest's own folder, which is for one user
    folder = Path("/var/tmp") / f"litellm-tui-test-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    yield Place(folder)
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def _owned(place: Place, group: int, mode: int, folder_mode: int, folder_owner: int = 0) -> None:
    for path in (place.state, place.copy):
        os.chown(path, ANN, ANN)
    os.chown(place.file, 0, group)
    place.file.chmod(mode)
    os.chown(place.etc, folder_owner, group)
    place.etc.chmod(folder_mode)


def _rewritten(place: Place) -> str:
    done = rewrite(place.file, BEFORE, AFTER, place.copy)
    return done.how if isinstance(done, Written) else done.why


OTHER: Final = 4711


@two_users
@pytest.mark.parametrize(
    ("group", "mode", "folder_mode", "why"),
    [
        # the folder may not be written, the file may
        (ANN, 0o664, 0o755, "its folder may not be written by you"),
        (ANN, 0o660, 0o555, "its folder may not be written by you"),
        # the folder may be written, and what takes the file's place would be the operator's
        (ANN, 0o664, 0o775, f"its owner and group (0:{ANN}) could not be kept"),
        (ANN, 0o664, 0o2775, f"its owner and group (0:{ANN}) could not be kept"),
        (OTHER, 0o666, 0o777, f"its owner and group (0:{OTHER}) could not be kept"),
        (OTHER, 0o666, 0o1777, f"its owner and group (0:{OTHER}) could not be kept"),
    ],
)
def test_what_may_be_written_where_it_may_not_be_replaced(
    place: Place, group: int, mode: int, folder_mode: int, why: str
) -> None:
    _owned(place, group, mode, folder_mode)
    told = as_user(ANN, lambda: str(tuple(way_to_write(str(place.file)))))
    assert told == str(("in place", why))
    assert place.file.read_bytes() == BEFORE
    assert as_user(ANN, lambda: _rewritten(place)) == f"written in place, because {why}"
    assert place.file.read_bytes() == AFTER
    found = place.file.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, group, mode)
    assert os.listdir(place.etc) == ["config.yaml"]
    assert place.notes() == []


@two_users
@pytest.mark.parametrize("readable", [0o644, 0o444])
@pytest.mark.parametrize("folder_mode", [0o755, 0o777])
def test_what_may_not_be_written_either_way_says_both(place: Place, readable: int, folder_mode: int) -> None:
    _owned(place, ANN, readable, folder_mode)
    way = as_user(ANN, lambda: str(tuple(way_to_write(str(place.file)))))
    said = as_user(ANN, lambda: _rewritten(place))
    why = "its folder may not be written by you" if folder_mode == 0o755 else "its owner and group (0:"
    for text in (way, said):
        assert why in text
        assert "and the file itself may not be written by you" in text
    assert "with sudo" in said
    assert place.file.read_bytes() == BEFORE
    assert os.listdir(place.etc) == ["config.yaml"]


@two_users
def test_what_is_the_operators_own_is_replaced(place: Place) -> None:
    _owned(place, ANN, 0o444, 0o755, folder_owner=ANN)
    os.chown(place.file, ANN, ANN)
    assert as_user(ANN, lambda: str(tuple(way_to_write(str(place.file))))) == "('replaced', '')"
    assert as_user(ANN, lambda: _rewritten(place)) == "replaced by rename"


@two_users
def test_a_link_is_judged_by_what_it_leads_to(place: Place) -> None:
    _owned(place, ANN, 0o664, 0o755)
    link = place.state / "link.yaml"
    link.symlink_to(place.file)
    assert "in place" in as_user(ANN, lambda: str(tuple(way_to_write(str(link)))))


@two_users
@pytest.mark.parametrize("flag", ["+i", "+a"])
def test_an_immutable_file_is_called_so(place: Place, flag: str) -> None:
    done = subprocess.run(["chattr", flag, str(place.file)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no such mark here: {done.stderr.strip()}")
    try:
        said = _rewritten(place)
        assert "lsattr" in said
        if flag == "+i":
            assert "immutable" in way_to_write(str(place.file)).why
        assert place.file.read_bytes() == BEFORE
        assert os.listdir(place.etc) == ["config.yaml"]
    finally:
        subprocess.run(["chattr", "-ia", str(place.file)], check=True)


@two_users
def test_a_read_only_file_system_is_called_so(place: Place) -> None:
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(place.etc)]
    script = (
        f"{' '.join(mount)} && echo 'model_list: []' > {place.file} && mount -o remount,ro {place.etc} && exec "
        '"$0" -c \'import sys; from pathlib import Path; from litellm_tui.actions.rewrite import rewrite\n'
        "from litellm_tui.actions.writable import way_to_write\n"
        'print(way_to_write(sys.argv[1]).why); print(rewrite(sys.argv[1], Path(sys.argv[1]).read_bytes(), b"x",'
        f' Path("{place.copy}")).why)\' {place.file}'
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, sys.executable], capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mounts here: {done.stderr.strip()}")
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    assert all("mounted read-only" in line for line in lines)


# --- killed in the middle -------------------------------------------------------------------------------------------


def _cut(after: int) -> Callable[[int, Any, int], int]:
    """A write into a configuration that ends with the process, when so many bytes are there."""
    really = os.pwrite

    def pwrite(handle: int, data: Any, at: int) -> int:
        if "/etc/" not in os.readlink(f"/proc/self/fd/{handle}"):
            return really(handle, data, at)
        really(handle, data[: max(after - at, 0)], at)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    return pwrite


def _killed(act: Callable[[], object], after: int = 40) -> None:
    """Do this in a child that is killed in the middle of writing in place."""
    child = os.fork()
    if child == 0:
        try:
            os.pwrite = _cut(after)
            act()
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), "it was not killed"


def _linked(place: Place) -> None:
    os.link(place.file, place.folder / "other.yaml")


@pytest.mark.parametrize("new", [AFTER, b"model_list: [{model_name: x}]\n", b"a"])
@pytest.mark.parametrize("after", [0, 1, 12])
def test_a_file_whose_writer_was_killed_is_completed(place: Place, new: bytes, after: int) -> None:
    _linked(place)
    _killed(lambda: rewrite(place.file, BEFORE, new, place.copy), after)
    data = place.file.read_bytes()
    assert len(place.notes()) == 1
    assert stat.S_IMODE((place.state / place.notes()[0]).stat().st_mode) == 0o600
    if data in (BEFORE, new):
        # nothing had been begun
        assert recover(place.state) == ()
        assert place.file.read_bytes() == data
    else:
        (told,) = recover(place.state, change=False)
        assert (told.whole, place.file.read_bytes()) == (False, data)
        assert str(place.copy) in told.text
        (found,) = recover(place.state)
        assert (found.path, found.whole) == (str(place.file), True)
        assert place.file.read_bytes() == new
    assert place.notes() == []
    assert recover(place.state) == ()


def test_a_disk_that_is_full_afterwards_leads_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _linked(place)
    _killed(lambda: rewrite(place.file, BEFORE, AFTER, place.copy))
    really = in_place._overwrite

    def full(handle: int, content: bytes) -> None:
        if content == AFTER:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        really(handle, content)

    monkeypatch.setattr(in_place, "_overwrite", full)
    (found,) = recover(place.state)
    assert found.whole
    assert "what it was before" in found.text
    assert place.file.read_bytes() == BEFORE
    assert place.notes() == []


def test_a_file_that_nobody_can_make_whole_names_its_copy_until_somebody_can(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _linked(place)
    _killed(lambda: rewrite(place.file, BEFORE, AFTER, place.copy))

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(in_place, "_overwrite", fail)
        (found,) = recover(place.state)
        assert (found.whole, str(place.copy) in found.text) == (False, True)
        assert len(place.notes()) == 1
    assert recover(place.state)[0].whole
    assert place.file.read_bytes() == AFTER


@pytest.mark.parametrize("theirs", [b"theirs: 1\n", b"", AFTER + b"# more\n", None])
def test_what_somebody_has_made_of_it_since_is_left_alone(place: Place, theirs: bytes | None) -> None:
    _linked(place)
    _killed(lambda: rewrite(place.file, BEFORE, AFTER, place.copy))
    if theirs is None:
        place.file.unlink()
    else:
        place.file.write_bytes(theirs)
    assert recover(place.state) == ()
    assert (place.file.read_bytes() if place.file.exists() else None) == theirs
    assert place.notes() == []


def test_what_a_living_process_writes_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _linked(place)
    really, seen = os.pwrite, []

    def pwrite(handle: int, data: bytes, at: int) -> int:
        really(handle, data[:40], at)
        seen.append((recover(place.state), len(place.notes())))
        return really(handle, data, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    assert isinstance(rewrite(place.file, BEFORE, AFTER, place.copy), Written)
    assert seen == [((), 1)]
    assert place.file.read_bytes() == AFTER
    assert place.notes() == []


def test_the_watcher_waits_while_it_is_half_written(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _linked(place)
    really = os.pwrite
    seen: list[bool] = []

    def pwrite(handle: int, data: bytes, at: int) -> int:
        really(handle, data[:40], at)
        seen.append(being_written(str(place.file)))
        return really(handle, data, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    assert isinstance(rewrite(place.file, BEFORE, AFTER, place.copy), Written)
    assert seen == [True]
    assert not being_written(str(place.file))


def test_what_it_is_to_become_is_on_the_disk_first(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _linked(place)
    calls: list[str] = []
    fsync, pwrite = os.fsync, os.pwrite

    def synced(handle: int) -> None:
        name = os.readlink(f"/proc/self/fd/{handle}")
        calls.append("note" if "/.in-place." in name else "folder" if name == str(place.state) else "file")
        fsync(handle)

    def written(handle: int, data: bytes, at: int) -> int:
        calls.append("write")
        return pwrite(handle, data, at)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "pwrite", written)
    assert isinstance(rewrite(place.file, BEFORE, AFTER, place.copy), Written)
    assert calls == ["note", "folder", "write", "file", "folder"]


def test_a_store_that_is_full_changes_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _linked(place)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(in_place, "write_beside", full)
    done = rewrite(place.file, BEFORE, AFTER, place.copy)
    assert isinstance(done, Failure)
    assert "was not changed" in done.why
    assert str(place.state) in done.why
    assert (place.file.read_bytes(), place.notes()) == (BEFORE, [])


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"form": 2}', b'{"target": 3}'])
def test_a_note_that_cannot_be_read_is_named(place: Place, content: bytes) -> None:
    (place.state / "in-place.0.json").write_bytes(content)
    (found,) = recover(place.state)
    assert not found.whole
    assert str(place.state / "in-place.0.json") in found.text
    assert place.file.read_bytes() == BEFORE


def test_a_note_of_a_later_form_is_left(place: Place) -> None:
    intent = in_place._Intent(str(place.file), "", b"x", "config.yaml.backup.1", form=99)
    (place.state / "in-place.0.json").write_bytes(msgspec.json.encode(intent))
    (found,) = recover(place.state)
    assert "later" in found.text
    assert len(place.notes()) == 1


def test_where_nothing_is_kept_there_is_nothing_to_recover(tmp_path: Path) -> None:
    assert recover(tmp_path / "none") == ()


@given(st.binary(max_size=60), st.binary(max_size=60), st.data())
def test_what_a_cut_writer_leaves_is_known_and_nothing_else(old: bytes, new: bytes, data: st.DataObject) -> None:
    reserved = old.ljust(len(new), b"\0")
    cut = data.draw(st.integers(0, len(new)))
    for left in (new[:cut] + reserved[cut:], new[:cut] + old[cut:]):
        assert half_written(left, old, new) is (left not in (old, new))
    other = data.draw(st.binary(max_size=70))
    if half_written(other, old, new):
        assert all(byte in {*reserved[at : at + 1], *new[at : at + 1]} for at, byte in enumerate(other))
        assert min(len(old), len(new)) <= len(other) <= max(len(old), len(new))


def test_blocks_that_reached_the_disk_in_another_order_are_known() -> None:
    old, new = b"o" * 4096 * 3, b"n" * 4096 * 4
    for order in itertools.product((False, True), repeat=4):
        blocks = [new[:4096] if chosen else (old[:4096] if at < 3 else bytes(4096)) for at, chosen in enumerate(order)]
        left = b"".join(blocks)
        assert half_written(left, old, new) is (left != new)
    assert not half_written(b"o" * 4096 + b"x" + b"o" * 4095 + b"o" * 4096, old, new)


# --- what the rest makes of it --------------------------------------------------------------------------------------


# what goes back over this is a mixture when it is cut
LONGER: Final = {"litellm.env": "A=2 # a longer line\n"}
LONGER_NEW: Final = {**NEW, **LONGER}
LONGER_BAD: Final = {**BAD, **LONGER}


def _hard_links(site: Site) -> None:
    for path in sorted(site.world.etc.iterdir()):
        os.link(path, site.folder / f"other-{path.name}")


@pytest.mark.parametrize("way", ["finish", "undo"])
def test_a_restore_that_is_killed_in_the_middle_of_a_file_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    hurry(monkeypatch)
    site = Site(tmp_path)
    site.begin()
    site.world.save(LONGER_BAD)
    _hard_links(site)
    _killed(lambda: asyncio.run(site.follow()), 3)
    record = site.unfinished()
    assert isinstance(record, Record)
    assert record.stage == "restore"
    torn = [name for name, text in site.world.disk().items() if text not in (OLD[name], LONGER_BAD[name])]
    assert len(torn) == 1
    _, outcome = asyncio.run(site.follow(way))
    assert outcome.result == "rolled back", outcome
    assert f"{torn[0]} is half-written" in outcome.text
    assert "completed" in outcome.text
    assert (site.world.disk(), site.world.state["read"], site.unfinished()) == (OLD, OLD, None)
    # no mixture was kept as what was rejected
    kept = [site.kept(backup.id) for backup in site.backups.load()]
    assert all(text in (OLD[name], LONGER_BAD[name]) for contents in kept for name, text in contents.items())
    assert not list(site.backups.folder.glob("*in-place*"))


def test_going_back_that_is_killed_is_completed_by_the_next(tmp_path: Path) -> None:
    site = Site(tmp_path)
    old = site.begin()
    site.world.save(LONGER_NEW)
    _hard_links(site)
    _killed(lambda: go_back(site.profile, site.backups, old.id), 3)
    assert any(text not in (OLD[name], LONGER_NEW[name]) for name, text in site.world.disk().items())
    done = go_back(site.profile, site.backups, old.id)
    assert isinstance(done, Restored), done
    assert "half-written" in done.how[0]
    assert site.world.disk() == OLD


def test_a_fix_that_was_killed_is_completed_before_the_next_is_written(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.begin()
    _hard_links(site)
    path = site.world.etc / "more.yaml"
    before, after = path.read_bytes(), b"router_settings: {num_retries: 7, timeout: 9}\n"
    audit = Audit(str(path), "", "")
    _killed(lambda: write(Mended({str(path): before}, {str(path): after}, (), (), audit), site.backups), 36)
    torn = path.read_bytes()
    assert torn not in (before, after)
    (refused,) = write(Mended({str(path): torn}, {str(path): b"x: 1\n"}, (), (), audit), site.backups)
    assert isinstance(refused, Failure)
    assert "half-written" in refused.why
    assert "repeat the edit" in refused.why
    assert path.read_bytes() == after


# --- the preflight --------------------------------------------------------------------------------------------------


@two_users
def test_the_preflight_tells_in_place_from_not_at_all(place: Place) -> None:
    site = Site(place.folder / "site")
    site.folder.mkdir()
    site.begin()
    for path in site.folder.rglob("*"):
        os.chown(path, ANN, ANN)
    config = site.world.etc / "config.yaml"
    os.chown(config, 0, ANN)
    site.world.etc.chmod(0o555)

    def check(since: float) -> str:
        snapshot = site.world.seen().snapshot
        service = snapshot.service.value
        assert service is not None
        reading = msgspec.structs.replace(snapshot.service, value=msgspec.structs.replace(service, started_at=since))
        found = preflight._way_back(site.profile, msgspec.structs.replace(snapshot, service=reading))
        return msgspec.json.encode({os.path.basename(check.text.split()[0]): check for check in found}).decode()

    def told(since: float = 1.0) -> dict[str, PreflightCheck]:
        return msgspec.json.decode(as_user(ANN, lambda: check(since)), type=dict[str, PreflightCheck])

    for path in site.world.etc.iterdir():
        path.chmod(0o664)
    found = told()
    assert found["config.yaml"].state == "note"
    assert "by writing in place: its folder may not be written by you" in found["config.yaml"].text
    config.chmod(0o644)
    found = told()
    assert found["config.yaml"].state == "refused"
    assert found["more.yaml"].state == "note"
    text = found["config.yaml"].text
    assert "its folder may not be written by you, and the file itself may not be written by you" in text
    assert "would not be rolled back" in text
    # while what lies there is what runs, nothing would have to be brought back
    assert told(time.time() + 60)["config.yaml"].state == "note"
