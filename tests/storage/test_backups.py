"""Sets of files are kept as of one moment, once, for their owner alone, and no console forgets another one's."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.collectors.config import config_file
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups import Backup, Backups, FileCopy, FileSet, Role, copying, digest_of, index
from litellm_tui.storage.backups.rollback_preview import UNREADABLE, RollbackPreview, digests_on_disk, preview_rollback

URL, UNIT = "http://127.0.0.1:4000", "litellm.service"
SECRET = "sk-hunter22-of-the-environment"
MODELS = "model_list:\n- {model_name: a, litellm_params: {model: openai/a}}\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration that includes a file, and an environment file that others may not read."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "config.yaml").write_text(f"include: [more.yaml]\n{MODELS}")
    (folder / "more.yaml").write_text("router_settings: {num_retries: 1}\n")
    (folder / "litellm.env").write_text(f"OPENAI_API_KEY={SECRET}\n")
    (folder / "litellm.env").chmod(0o600)
    return folder


def _files(site: Path) -> list[tuple[str, Role]]:
    return [
        (str(site / "config.yaml"), "config"),
        (str(site / "more.yaml"), "config"),
        (str(site / "litellm.env"), "environment"),
    ]


def _store(tmp_path: Path) -> Backups:
    store = Backups(URL, UNIT, tmp_path / "state")
    store.load()
    return store


def _made(result: Backup | Failure) -> Backup:
    assert isinstance(result, Backup), result
    return result


def _why(result: Any) -> str:
    assert isinstance(result, Failure), result
    return result.why


def _copies(store: Backups) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir() if ".backup." in path.name)


def _one(content: bytes, path: str = "/etc/litellm/config.yaml") -> FileSet:
    return FileSet((FileCopy(path, "config", content),))


# --- what is kept ------------------------------------------------------------------------------------------------


def test_a_set_is_there_in_the_next_run(tmp_path: Path, site: Path) -> None:
    began = int(time.time())
    made = _made(_store(tmp_path).make(_files(site), "before a restart", litellm_version="1.106.2"))
    again = _store(tmp_path)
    assert again.records() == (made,)
    assert again.get(made.id) == made
    assert began <= made.id <= time.time()
    assert (made.why, made.litellm_version, made.result, made.good) == ("before a restart", "1.106.2", "", False)
    assert again.content(made.id) == {path: Path(path).read_bytes() for path, _ in _files(site)}
    assert list(again.content(made.id)) == [path for path, _ in _files(site)]  # type: ignore[arg-type]
    assert [(kept.role, kept.mode) for kept in made.files] == [
        ("config", stat.S_IMODE((site / "config.yaml").stat().st_mode)),
        ("config", stat.S_IMODE((site / "more.yaml").stat().st_mode)),
        ("environment", 0o600),
    ]
    assert Backups(URL, "other.service", tmp_path / "state").load() == ()


def test_an_operator_can_bring_it_back_with_cp(tmp_path: Path, site: Path) -> None:
    store = _store(tmp_path)
    made = _made(store.make(_files(site), "before a fix"))
    assert _copies(store) == [
        f"{name}.backup.{made.id}" for name in ("config.yaml", "litellm.env", "more.yaml")
    ]  # fmt: skip
    before = (site / "config.yaml").read_bytes()
    (site / "config.yaml").write_text("broken: [")
    subprocess.run(["cp", store.folder / f"config.yaml.backup.{made.id}", site / "config.yaml"], check=True)
    assert (site / "config.yaml").read_bytes() == before
    # the index says in plain text what belongs where
    told = json.loads((store.folder / index.INDEX).read_text())
    assert told["gateway"] == f"{URL} {UNIT}"
    assert told["backups"][0]["files"][0] == {
        "path": str(site / "config.yaml"), "role": "config", "name": f"config.yaml.backup.{made.id}",
        "sha256": hashlib.sha256(before).hexdigest(), "mode": made.files[0].mode, "owner": [os.getuid(), os.getgid()],
    }  # fmt: skip


def test_only_its_owner_reads_it(tmp_path: Path, site: Path) -> None:
    before = os.umask(0)
    try:
        store = _store(tmp_path)
        _made(store.make(_files(site), "before a fix"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.folder.stat().st_mode) == stat.S_IMODE(store.folder.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()} == {0o600}
    assert SECRET.encode() not in (store.folder / index.INDEX).read_bytes()


def test_equal_contents_are_stored_once(tmp_path: Path, site: Path) -> None:
    store = _store(tmp_path)
    first = _made(store.make(_files(site), "before a fix"))
    second = _made(store.make(_files(site), "before a restart"))
    assert second.id > first.id
    assert len(_copies(store)) == 3
    (site / "more.yaml").write_text("router_settings: {num_retries: 2}\n")
    third = _made(store.make(_files(site), "before a fix"))
    assert len(_copies(store)) == 4
    assert store.records() == (first, second, third)
    assert first.identity == second.identity != third.identity
    assert not second.differs_from(first)
    assert third.differs_from(first)


def test_two_files_of_one_name_are_two_files(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "config.yaml" for folder in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(f"in: {path.parent.name}\n")
    store = _store(tmp_path)
    made = _made(store.make([(str(path), "config") for path in paths], "before a fix"))
    assert _copies(store) == [f"config.yaml.backup.{made.id}", f"config.yaml.backup.{made.id}.2"]
    assert store.content(made.id) == {str(path): path.read_bytes() for path in paths}


def test_a_file_that_is_not_there_is_part_of_the_set(tmp_path: Path, site: Path) -> None:
    (site / "litellm.env").unlink()
    store = _store(tmp_path)
    made = _made(store.make(_files(site), "before a restart"))
    assert store.content(made.id) == {str(site / n): (site / n).read_bytes() for n in ("config.yaml", "more.yaml")}
    held = store.copies(made.id)
    assert not isinstance(held, Failure)
    assert held[2] == FileCopy(str(site / "litellm.env"), "environment", None)
    assert made.differing(digests_on_disk(kept.path for kept in made.files)) == ()
    (site / "litellm.env").write_text("A=1\n")
    assert made.differing(digests_on_disk(kept.path for kept in made.files)) == (str(site / "litellm.env"),)


def test_nothing_is_no_set(tmp_path: Path) -> None:
    assert "none of the files" in _why(_store(tmp_path).make([(str(tmp_path / "none"), "config")], "before a fix"))


def test_the_digest_is_the_one_of_the_collector(tmp_path: Path, site: Path) -> None:
    loaded = config_file.load(str(site / "config.yaml"), {})
    assert isinstance(loaded, ConfigFile)
    taken = copying.copy_current(str(site / "config.yaml"), [str(site / "litellm.env")])
    assert isinstance(taken, FileSet)
    assert [held.path for held in taken.copies] == [path for path, _ in _files(site)]
    made = _made(_store(tmp_path).make(taken, "before a restart"))
    assert made.digest == loaded.digest == digest_of(taken.copies)
    assert made.configuration == loaded.files
    assert made.root == loaded.path


def test_what_came_of_a_set_is_noted(tmp_path: Path, site: Path) -> None:
    store = _store(tmp_path)
    made = _made(store.make(_files(site), "before a restart"))
    assert _store(tmp_path).note(made.id, "applied", good=True, litellm_version="1.106.2") is None
    (noted,) = store.load()
    assert (noted.result, noted.good, noted.litellm_version, noted.files) == ("applied", True, "1.106.2", made.files)
    assert store.note(made.id, "rejected: port taken", good=False, why="rejected") is None
    assert (store.records()[0].why, store.records()[0].good) == ("rejected", False)
    assert "no backup 7" in _why(store.note(7, "applied"))


# --- the last one that was good ------------------------------------------------------------------------------------


def test_the_last_good_set_is_another_one_than_what_is_there(tmp_path: Path, site: Path) -> None:
    store = _store(tmp_path)
    assert store.known_good() is None
    good = _made(store.make(_files(site), "before a restart"))
    store.note(good.id, "applied", good=True)
    again = _made(store.make(_files(site), "before a restart"))
    assert store.known_good(other_than=again) is None
    # another environment is another set, though the configuration is the same
    (site / "litellm.env").write_text("OPENAI_API_KEY=other\n")
    changed = _made(store.make(_files(site), "before a restart"))
    assert changed.digest == good.digest
    found = store.known_good(other_than=changed)
    assert found
    assert found.id == good.id
    assert store.known_good(root=str(site / "config.yaml")) == found
    assert store.known_good(root=str(site / "another.yaml")) is None


def test_a_set_that_says_nothing_of_the_environment_changes_nothing_in_it(tmp_path: Path, site: Path) -> None:
    store = _store(tmp_path)
    seen = _made(store.make(_files(site)[:2], "seen running"))
    store.note(seen.id, "loaded 1 of 1 deployment", good=True)
    (site / "litellm.env").write_text("OPENAI_API_KEY=other\n")
    now = _made(store.make(_files(site), "before a restart"))
    # going back to it would write nothing, so it is no way back
    assert store.known_good(other_than=now) is None


# --- how much is kept ----------------------------------------------------------------------------------------------


def test_only_so_many_sets_are_kept_and_the_good_ones_stay(tmp_path: Path) -> None:
    store = _store(tmp_path)
    good = [_made(store.keep(_one(b"good: %d" % n), "seen running", at=float(n), good=True)) for n in range(7)]
    made = [_made(store.keep(_one(b"a: %d" % n), "before a fix", at=100.0 + n)) for n in range(index.MOST_SETS)]
    assert store.records() == (*good[-index.KEPT_GOOD :], *made)
    assert len(_copies(store)) == index.MOST_SETS + index.KEPT_GOOD
    assert _why(store.content(good[0].id)).startswith("there is no backup")


def test_records_of_one_content_are_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST_RECORDS", 5)
    store = _store(tmp_path)
    made = [_made(store.keep(_one(b"a: 1"), "before a fix")) for _ in range(8)]
    assert store.records() == tuple(made[-5:])
    assert len(_copies(store)) == 1


def test_old_ones_go_but_for_the_newest_and_the_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = _store(tmp_path), time.time()
    monkeypatch.setattr(time, "time", lambda: now - index.OLDEST_SECONDS - 60)
    good = _made(store.keep(_one(b"good: 1"), "seen running", good=True))
    for number in range(3):
        _made(store.keep(_one(b"a: %d" % number), "before a fix"))
    monkeypatch.setattr(time, "time", lambda: now)
    newest = _made(store.keep(_one(b"a: 9"), "before a fix"))
    assert store.records() == (good, newest)
    # what is gone from the index is gone from the disk
    assert len(_copies(store)) == 2


def test_a_good_set_stays_though_the_same_contents_were_kept_again(tmp_path: Path) -> None:
    store = _store(tmp_path)
    good = _made(store.keep(_one(b"good: 1"), "seen running", at=1.0, good=True))
    for number in range(index.MOST_SETS + 1):
        _made(store.keep(_one(b"a: %d" % number), "before a fix", at=10.0 + number))
    _made(store.keep(_one(b"good: 1"), "before a fix", at=1000.0))
    found = store.known_good()
    assert found == good


def test_a_set_that_is_spared_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST_SETS", 1)
    store = _store(tmp_path)
    old = _made(store.keep(_one(b"a: 1"), "before a fix"))
    new = _made(store.keep(_one(b"a: 2"), "before a rollback", sparing=(old.id,)))
    assert store.records() == (old, new)
    assert store.content(old.id) == {"/etc/litellm/config.yaml": b"a: 1"}


def test_what_nobody_named_goes_when_it_is_old(tmp_path: Path) -> None:
    store = _store(tmp_path)
    _made(store.keep(_one(b"a: 1"), "before a fix"))
    old, new = store.folder / "config.yaml.backup.5", store.folder / ".index.json.abc"
    old.write_text("from a crash")
    new.write_text("from a crash")
    os.utime(old, (1000.0, 1000.0))
    _made(store.keep(_one(b"a: 2"), "before a fix"))
    assert not old.exists()
    assert new.exists()


# --- one moment ----------------------------------------------------------------------------------------------------


def test_a_change_between_two_files_is_seen(tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment comes in the middle of reading: of equal length, and with the same time of modification. No set is a
    mixture of two.
    """
    really, calls = copying._read, []
    times = (site / "config.yaml").stat()

    def read(path: str, role: Role) -> FileCopy:
        found = really(path, role)
        calls.append(path)
        if len(calls) == 1:
            for name, old, new in (("config.yaml", "openai/a", "openai/b"), ("more.yaml", ": 1", ": 2")):
                (site / name).write_text((site / name).read_text().replace(old, new))
                os.utime(site / name, ns=(times.st_atime_ns, times.st_mtime_ns))
        return found

    monkeypatch.setattr(copying, "_read", read)
    taken = copying.copy_files(_files(site))
    assert isinstance(taken, FileSet)
    assert b"openai/b" in (taken.copies[0].content or b"")
    assert b"num_retries: 2" in (taken.copies[1].content or b"")


def test_what_does_not_hold_still_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = iter(range(10_000))
    monkeypatch.setattr(copying, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(copying, "_read", lambda path, role: FileCopy(path, role, b"%d" % next(counter)))
    assert "being changed" in _why(copying.copy_files([("/etc/c.yaml", "config")], patience=0.2))


def test_an_include_that_comes_while_it_is_read_is_in_the_set(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really, loads = config_file.load, []

    def load(path: str, *more: Any) -> Any:
        found = really(path, *more)
        loads.append(path)
        if len(loads) == 1:
            (site / "third.yaml").write_text("general_settings: {}\n")
            (site / "config.yaml").write_text(f"include: [more.yaml, third.yaml]\n{MODELS}")
        return found

    monkeypatch.setattr(config_file, "load", load)
    taken = copying.copy_current(str(site / "config.yaml"))
    assert isinstance(taken, FileSet)
    assert [os.path.basename(held.path) for held in taken.copies] == ["config.yaml", "more.yaml", "third.yaml"]


def test_a_configuration_that_cannot_be_used_is_kept_with_what_it_names(site: Path) -> None:
    (site / "config.yaml").write_text("include: [more.yaml, none.yaml]\nmodel_list: [\n")
    taken = copying.copy_current(str(site / "config.yaml"))
    assert isinstance(taken, FileSet)
    assert [os.path.basename(held.path) for held in taken.copies] == ["config.yaml", "more.yaml"]


def test_a_pipe_is_no_configuration(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "no regular file" in _why(copying.copy_files([(str(tmp_path / "pipe"), "config")], patience=0.0))
    assert "cannot be read" in _why(copying.copy_files([(str(tmp_path), "config")], patience=0.0))


def test_a_file_that_may_not_be_read_is_a_refusal_or_is_named(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.open

    def refuse(path: Any, *more: Any, **others: Any) -> int:
        if str(path) in forbidden:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return really(path, *more, **others)

    monkeypatch.setattr(os, "open", refuse)
    forbidden = {str(site / "litellm.env")}
    made = _made(_store(tmp_path).make(_files(site), "before a restart"))
    assert made.unread == (str(site / "litellm.env"),)
    assert len(made.files) == 2
    forbidden = {str(site / "more.yaml")}
    assert "sudo" in _why(copying.copy_files(_files(site), patience=0.0))
    assert digests_on_disk([str(site / "more.yaml")]) == {str(site / "more.yaml"): UNREADABLE}


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Fills the disk that the state folder lies on."""
    folder = tmp_path / "state"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"no mounts here: {done.stderr.strip()}")

    def fill() -> None:
        with open(folder / "filler", "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 512)
        assert shutil.disk_usage(folder).free < 512

    yield fill
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_a_refusal_that_leaves_nothing(tmp_path: Path, site: Path, full: Callable[[], None]) -> None:
    store = _store(tmp_path)
    first = _made(store.make(_files(site), "before a fix"))
    full()
    (site / "config.yaml").write_bytes(b"a: 1\n" + b"#" * 8192)
    before = sorted(os.listdir(store.folder))
    why = _why(store.make(_files(site), "before a restart"))
    assert "disk is full" in why
    assert str(store.folder) in why
    assert sorted(os.listdir(store.folder)) == before
    assert store.load() == (first,)
    assert isinstance(store.content(first.id), dict)
    (tmp_path / "state" / "filler").unlink()
    assert isinstance(store.make(_files(site), "before a restart"), Backup)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_an_index_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    store = _store(tmp_path)
    first = _made(store.make(_files(site), "before a fix"))
    (site / "config.yaml").write_text("a: 2\n")
    before = sorted(os.listdir(store.folder))

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    assert os.strerror(number) in _why(store.make(_files(site), "before a fix"))
    assert os.strerror(number) in _why(store.note(first.id, "applied"))
    monkeypatch.undo()
    assert sorted(os.listdir(store.folder)) == before
    assert store.load() == (first,)


def test_a_folder_that_is_mounted_read_only_is_a_refusal(tmp_path: Path, site: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    script = (
        f"mount --bind {state} {state} && mount -o remount,ro,bind {state} && exec {sys.executable} -c "
        f'"from pathlib import Path; from litellm_tui.storage.backups import Backups;'
        f"print(Backups('u', '', Path('{state}')).make([('{site}/config.yaml', 'config')], 'before a fix').why)\""
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mounts here: {done.stderr.strip()}")
    assert "mounted read-only" in done.stdout, done.stderr
    assert str(state) in done.stdout


def test_a_folder_in_whose_place_a_file_stands_is_a_refusal(tmp_path: Path, site: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    store = _store(tmp_path)
    assert store.failure == ""
    assert "no backup could be made" in _why(store.make(_files(site), "before a fix"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000])
def test_an_index_that_is_damaged_is_put_aside(tmp_path: Path, site: Path, content: bytes) -> None:
    store = _store(tmp_path)
    first = _made(store.make(_files(site), "before a fix"))
    (store.folder / index.INDEX).write_bytes(content)
    store = _store(tmp_path)
    assert store.records() == ()
    assert str(store.folder / index.INDEX) in store.failure
    second = _made(store.make(_files(site), "before a fix"))
    assert store.failure == ""
    assert _store(tmp_path).records() == (second,)
    (aside,) = store.folder.glob(f"{index.INDEX}.damaged.*")
    assert aside.read_bytes() == content
    # the copies that it named can still be had by hand
    assert f"config.yaml.backup.{first.id}" in _copies(store)


def test_an_index_of_a_later_form_is_left_alone(tmp_path: Path, site: Path) -> None:
    store = _store(tmp_path)
    _made(store.make(_files(site), "before a fix"))
    later = json.dumps({"form": index.FORM + 1, "backups": {"of": "another kind"}})
    (store.folder / index.INDEX).write_text(later)
    assert store.load() == ()
    assert "later litellm-tui" in store.failure
    assert "later litellm-tui" in _why(store.make(_files(site), "before a fix"))
    assert (store.folder / index.INDEX).read_text() == later


@pytest.mark.parametrize("content", [None, b"", b"sk-somebody-edited-this"])
def test_a_copy_that_is_damaged_is_never_given_out(tmp_path: Path, site: Path, content: bytes | None) -> None:
    store = _store(tmp_path)
    made = _made(store.make(_files(site), "before a fix"))
    copy = store.copy(made, str(site / "config.yaml"))
    assert copy
    copy.unlink()
    if content is not None:
        copy.write_bytes(content)
    why = _why(store.content(made.id))
    assert str(copy) in why
    assert "sk-somebody" not in why
    # the same content, kept again, mends it
    _made(store.make(_files(site), "before a restart"))
    assert store.content(made.id) == {path: Path(path).read_bytes() for path, _ in _files(site)}


def test_an_index_that_was_edited_leads_nowhere_else(tmp_path: Path, site: Path) -> None:
    store = _store(tmp_path)
    made = _made(store.make(_files(site), "before a fix"))
    path = store.folder / index.INDEX
    path.write_text(path.read_text().replace(f"config.yaml.backup.{made.id}", "../../../../../etc/passwd"))
    store.load()
    assert isinstance(store.content(made.id), Failure)
    # nor is anything outside deleted when the record goes
    outside = tmp_path / "outside"
    outside.write_text("mine")
    path.write_text(path.read_text().replace("../../../../../etc/passwd", "../../../outside"))
    for number in range(3):
        _made(store.keep(_one(b"a: %d" % number), "before a fix"))
    assert outside.read_text() == "mine"


def test_consoles_forget_nothing_of_one_another(tmp_path: Path) -> None:
    def work(name: str) -> None:
        store = _store(tmp_path)
        results.extend(store.keep(_one(f"{name}: {number}".encode()), "before a fix") for number in range(8))

    results: list[Backup | Failure] = []
    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = _store(tmp_path)
    assert len(results) == len(store.records()) == 24
    assert {_made(result).id for result in results} == {backup.id for backup in store.records()}
    assert all(isinstance(store.content(backup.id), dict) for backup in store.records())


def test_a_console_that_does_not_let_go_is_named(tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_LOCK_SECONDS", 0.1)
    store = _store(tmp_path)
    with index.changing(store.folder):
        assert "another litellm-tui" in _why(store.make(_files(site), "before a fix"))
    assert isinstance(store.make(_files(site), "before a fix"), Backup)


# --- against what is there now -------------------------------------------------------------------------------------


def _against(store: Backups, made: Backup, site: Path) -> RollbackPreview:
    held = store.copies(made.id)
    assert not isinstance(held, Failure)
    return preview_rollback(held, str(site / "config.yaml"), {"OPENAI_API_KEY": SECRET})


def test_what_going_back_would_change_is_told_in_words_without_values(tmp_path: Path, site: Path) -> None:
    store = _store(tmp_path)
    made = _made(store.make(_files(site), "before a fix"))
    assert _against(store, made, site) == RollbackPreview(())
    (site / "more.yaml").write_text("router_settings: {num_retries: 5}\n")
    (site / "litellm.env").write_text("OPENAI_API_KEY=sk-other\nNEW=1\n")
    found = _against(store, made, site)
    assert found.files == (str(site / "more.yaml"), str(site / "litellm.env"))
    assert [(change.kind, change.words) for change in found.changes] == [
        ("changed", "router_settings.num_retries: 5 → 1"),
        ("changed", "OPENAI_API_KEY: changed (not shown)"),
        ("removed", "NEW: (not shown)"),
    ]
    assert SECRET not in str(found)
    assert "sk-other" not in str(found)


def test_a_file_that_would_appear_and_one_that_would_vanish_are_named(tmp_path: Path, site: Path) -> None:
    (site / "litellm.env").unlink()
    store = _store(tmp_path)
    made = _made(store.make(_files(site), "before a fix"))
    (site / "litellm.env").write_text("A=1\n")
    (site / "more.yaml").unlink()
    found = _against(store, made, site)
    assert (found.appearing, found.vanishing) == ((str(site / "more.yaml"),), (str(site / "litellm.env"),))
    assert "what is there now cannot be used" in found.unusable
    assert [change.words for change in found.changes] == ["A: (not shown)"]


def test_a_set_that_cannot_be_used_says_so(tmp_path: Path, site: Path) -> None:
    good = (site / "config.yaml").read_text()
    (site / "config.yaml").write_text("model_list: [\n")
    store = _store(tmp_path)
    made = _made(store.make(_files(site), "rejected"))
    (site / "config.yaml").write_text(good)
    assert "what was kept cannot be used" in _against(store, made, site).unusable


def test_the_texts_of_a_held_file_do_not_show_its_content() -> None:
    assert SECRET not in repr(FileSet((FileCopy("/etc/litellm.env", "environment", SECRET.encode()),)))
