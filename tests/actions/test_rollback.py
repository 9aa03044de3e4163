"""Going back to a set: all of its files or none, and what was there before is kept."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_tui.actions import rollback as module
from litellm_tui.actions.rewrite import Staged, Written, stage
from litellm_tui.actions.rollback import Restored, Torn, missing, rehearse, restore
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups import Backup, Backups, FileCopy, FileSet, Role, copy_current, copy_files, index

NAMES = ("config.yaml", "more.yaml", "litellm.env")
OLD = {
    "config.yaml": b"include: [more.yaml]\nmodel_list: []\n",
    "more.yaml": b"router_settings: {num_retries: 1}\n",
    "litellm.env": b"KEY=sk-old\n",
}
NEW = {
    "config.yaml": b"include: [more.yaml]\nmodel_list: []\n# new\n",
    "more.yaml": b"router_settings: {num_retries: 2}\n",
    "litellm.env": b"KEY=sk-new\n",
}


class Site:
    """A configuration, what it includes and an environment file, with a store."""

    def __init__(self, folder: Path) -> None:
        self.etc = folder / "etc"
        self.etc.mkdir()
        self.backups = Backups("http://127.0.0.1:4000", "litellm.service", folder / "state")

    def __truediv__(self, name: str) -> Path:
        return self.etc / name

    @property
    def files(self) -> list[tuple[str, Role]]:
        roles: dict[str, Role] = {"litellm.env": "environment"}
        return [(str(self / name), roles.get(name, "config")) for name in NAMES]

    def save(self, contents: dict[str, bytes]) -> None:
        for name in NAMES:
            if name in contents:
                (self / name).write_bytes(contents[name])
            else:
                (self / name).unlink(missing_ok=True)

    def disk(self) -> dict[str, bytes]:
        """All that lies in the folder, so that nothing is left beside the files."""
        return {path.name: path.read_bytes() for path in self.etc.iterdir()}

    def files_on_disk(self) -> dict[str, bytes]:
        """Without what is left over where nothing could be tidied up."""
        return {name: content for name, content in self.disk().items() if name in NAMES}

    def keep(self) -> Backup:
        made = self.backups.make(self.files, "before a restart")
        assert isinstance(made, Backup), made
        return made

    def restore(self, id: int, **more: Any) -> Restored | Failure:
        return restore(
            self.backups, id, config=str(self / "config.yaml"), environment_files=[str(self / "litellm.env")], **more
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def _restored(result: Restored | Failure) -> Restored:
    assert isinstance(result, Restored), result
    return result


def _refused(result: Restored | Failure, site: Site, contents: dict[str, bytes]) -> str:
    assert isinstance(result, Failure), result
    assert not isinstance(result, Torn)
    assert site.disk() == contents
    assert result.why.startswith("nothing was changed")
    return result.why


# --- there and back ----------------------------------------------------------------------------------------------


def test_going_back_brings_every_file_and_is_itself_backed_up(site: Site) -> None:
    site.save(OLD)
    old = site.keep()
    site.save(NEW)
    done = _restored(site.restore(old.id, litellm_version="1.106.2"))
    assert site.disk() == OLD
    assert done.backup == old
    # the file that names the others is the last
    assert [os.path.basename(path) for path in done.written] == ["litellm.env", "more.yaml", "config.yaml"]
    assert all("replaced by rename" in how for how in done.how)
    assert done.before
    assert (done.before.why, done.before.litellm_version) == ("before a rollback", "1.106.2")
    # and there again
    again = _restored(site.restore(done.before.id))
    assert site.disk() == NEW
    assert again.before
    assert not again.before.differs_from(old)


def test_what_is_there_already_is_not_written(site: Site) -> None:
    site.save(OLD)
    old = site.keep()
    made = {name: (site / name).stat().st_ino for name in NAMES}
    assert _restored(site.restore(old.id)) == Restored(old)
    assert {name: (site / name).stat().st_ino for name in NAMES} == made
    assert site.backups.load() == (old,)
    site.save({**OLD, "more.yaml": NEW["more.yaml"]})
    done = _restored(site.restore(old.id))
    assert done.written == (str(site / "more.yaml"),)
    assert (site / "config.yaml").stat().st_ino == made["config.yaml"]


def test_what_is_kept_before_has_the_digest_of_the_configuration(site: Site) -> None:
    site.save(OLD)
    old = site.keep()
    # by then it includes nothing
    site.save({**OLD, "config.yaml": b"model_list: []\n"})
    now = copy_current(str(site / "config.yaml"))
    assert isinstance(now, FileSet)
    done = _restored(site.restore(old.id))
    assert done.before
    kept = site.backups.make(now, "before a fix")
    assert isinstance(kept, Backup)
    assert done.before.digest == kept.digest
    # and yet all that the way back needs
    assert {os.path.basename(file.path) for file in done.before.files} == set(NAMES)


def test_a_file_that_is_gone_is_made_again_as_it_was(site: Site) -> None:
    site.save(OLD)
    (site / "more.yaml").chmod(0o640)
    (site / "litellm.env").chmod(0o600)
    old = site.keep()
    (site / "more.yaml").unlink()
    (site / "litellm.env").unlink()
    done = _restored(site.restore(old.id))
    assert site.disk() == OLD
    assert stat.S_IMODE((site / "more.yaml").stat().st_mode) == 0o640
    assert stat.S_IMODE((site / "litellm.env").stat().st_mode) == 0o600
    assert done.before
    # the way back takes them away again
    _restored(site.restore(done.before.id))
    assert site.disk() == {"config.yaml": OLD["config.yaml"]}


def test_a_file_of_which_no_mode_is_known_is_for_its_owner_alone(site: Site) -> None:
    made = site.backups.keep(FileSet((FileCopy(str(site / "config.yaml"), "config", b"a: 1\n"),)), "seen running")
    assert isinstance(made, Backup)
    _restored(site.restore(made.id))
    assert stat.S_IMODE((site / "config.yaml").stat().st_mode) == 0o600


def test_everything_may_be_gone(site: Site) -> None:
    site.save(OLD)
    old = site.keep()
    site.save({})
    done = _restored(site.restore(old.id))
    assert site.disk() == OLD
    # there was nothing to keep
    assert done.before is None


def test_links_owner_and_mode_stay(site: Site, tmp_path: Path) -> None:
    site.save(OLD)
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "config.yaml"
    (site / "config.yaml").rename(real)
    (site / "config.yaml").symlink_to(real)
    real.chmod(0o664)
    old = site.keep()
    real.write_bytes(NEW["config.yaml"])
    _restored(site.restore(old.id))
    assert (site / "config.yaml").is_symlink()
    assert real.read_bytes() == OLD["config.yaml"]
    assert stat.S_IMODE(real.stat().st_mode) == 0o664


def test_a_broken_file_is_gone_back_from(site: Site) -> None:
    site.save(OLD)
    old = site.keep()
    broken = {**OLD, "config.yaml": b"include: [more.yaml]\nmodel_list: [\n"}
    site.save(broken)
    done = _restored(site.restore(old.id, why="rejected"))
    assert site.disk() == OLD
    assert done.before
    assert done.before.why == "rejected"
    assert site.backups.content(done.before.id) == {str(site / name): broken[name] for name in NAMES}


def test_what_is_missing_of_a_set_is_told(site: Site) -> None:
    site.save(OLD)
    old = site.keep()
    assert missing(site.backups, old.id) == ()
    site.save({"config.yaml": OLD["config.yaml"], "more.yaml": NEW["more.yaml"]})
    assert missing(site.backups, old.id) == (str(site / "more.yaml"), str(site / "litellm.env"))
    assert isinstance(missing(site.backups, 5), Failure)


def test_a_way_back_is_rehearsed_without_a_trace(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.save(OLD)
    old = site.keep()
    site.save(NEW)
    new = site.keep()
    made = {name: (site / name).stat().st_ino for name in NAMES}
    assert rehearse(site.backups, new.id, old.id) is None
    assert site.disk() == NEW
    assert sorted(os.listdir(site.etc)) == sorted(NAMES)
    assert {name: (site / name).stat().st_ino for name in NAMES} == made

    def refuse(made: Path, target: Path, found: os.stat_result) -> str:
        return "its owner and group (0:0) could not be kept" if target.name == "more.yaml" else ""

    def closed(*_: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("litellm_tui.actions.rewrite.like", refuse)
    # in place it could still be written
    assert rehearse(site.backups, new.id, old.id) is None
    assert site.disk() == NEW
    monkeypatch.setattr("litellm_tui.actions.rewrite.open", closed, raising=False)
    refused = rehearse(site.backups, new.id, old.id)
    assert isinstance(refused, Failure)
    assert str(site / "more.yaml") in refused.why
    assert site.disk() == NEW
    # nothing to bring back wants no right
    assert rehearse(site.backups, new.id, new.id) is None
    assert isinstance(rehearse(site.backups, new.id, 7), Failure)
    assert isinstance(rehearse(site.backups, 7, old.id), Failure)


# --- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_one_file_that_cannot_be_written_leaves_all_as_they_are(
    site: Site, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    site.save(OLD)
    old = site.keep()
    site.save(NEW)
    really = os.open

    def full(path: Any, flags: int, *more: Any, **others: Any) -> int:
        if os.path.basename(path).startswith(f".{name}."):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(path, flags, *more, **others)

    monkeypatch.setattr(os, "open", full)
    why = _refused(site.restore(old.id), site, NEW)
    assert "disk is full" in why
    assert str(site / name) in why


@pytest.mark.parametrize("failing", [0, 1, 2])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EACCES])
def test_a_rename_that_fails_after_all_puts_the_others_back(
    site: Site, monkeypatch: pytest.MonkeyPatch, failing: int, number: int
) -> None:
    site.save(OLD)
    old = site.keep()
    site.save(NEW)
    really, done = Staged.commit, []

    def commit(step: Staged) -> Written | Failure:
        done.append(step)
        if len(done) == failing + 1:
            monkeypatch.setattr(os, "replace", fail)
            outcome = really(step)
            monkeypatch.undo()
            return outcome
        return really(step)

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Staged, "commit", commit)
    assert os.strerror(number) in _refused(site.restore(old.id), site, NEW)


def test_what_cannot_be_put_back_is_said_with_the_copy(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.save(OLD)
    old = site.keep()
    site.save(NEW)
    really, done = os.replace, []

    def fail(source: Any, target: Any) -> None:
        if Path(target).parent == site.etc:
            done.append(target)
            if len(done) > 1:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        really(source, target)

    monkeypatch.setattr(os, "replace", fail)
    torn = site.restore(old.id)
    assert isinstance(torn, Torn)
    assert missing(site.backups, old.id) == (str(site / "config.yaml"), str(site / "more.yaml"))
    before = site.backups.records()[-1]
    copy = site.backups.copy(before, str(site / "litellm.env"))
    assert f"copy {copy} to {site / 'litellm.env'}" in torn.why
    assert copy
    assert copy.read_bytes() == NEW["litellm.env"]
    assert set(os.listdir(site.etc)) == set(NAMES)


def test_somebody_who_saves_meanwhile_is_not_overwritten(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.save(OLD)
    old = site.keep()
    site.save(NEW)

    def stage_and_save(*arguments: Any, **more: Any) -> Staged | Failure:
        found = stage(*arguments, **more)
        (site / "config.yaml").write_bytes(b"theirs: 1\n")
        return found

    monkeypatch.setattr(module, "stage", stage_and_save)
    why = _refused(site.restore(old.id), site, {**NEW, "config.yaml": b"theirs: 1\n"})
    assert "somebody else" in why


def test_without_a_backup_of_what_is_there_nothing_is_changed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.save(OLD)
    old = site.keep()
    site.save(NEW)
    monkeypatch.setattr(Backups, "keep", lambda *_, **__: Failure("the disk is full"))
    assert "the disk is full" in _refused(site.restore(old.id), site, NEW)


def test_a_copy_that_is_damaged_is_not_restored(site: Site) -> None:
    site.save(OLD)
    old = site.keep()
    site.save(NEW)
    copy = site.backups.copy(old, str(site / "more.yaml"))
    assert copy
    copy.write_bytes(b"")
    result = site.restore(old.id)
    assert isinstance(result, Failure)
    assert str(copy) in result.why
    assert site.disk() == NEW
    assert isinstance(site.restore(7), Failure)


def test_the_set_that_is_restored_is_not_forgotten_for_what_was_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.save(OLD)
    old = site.keep()
    site.save(NEW)
    monkeypatch.setattr(index, "MOST_SETS", 1)
    _restored(site.restore(old.id))
    assert site.disk() == OLD
    assert [backup.id for backup in site.backups.load()][:1] == [old.id]


KILLED = """
import os, signal
from pathlib import Path
from litellm_tui.actions.rollback import restore
from litellm_tui.storage.backups import Backups
store = Backups("http://127.0.0.1:4000", "litellm.service", Path({state!r}))
store.load()
really, done = os.replace, []
def replace(source, target):
    really(source, target)
    if str(target).startswith({etc!r}):
        done.append(target)
        if len(done) == {after}:
            os.kill(os.getpid(), signal.SIGKILL)
os.replace = replace
restore(store, {id}, config={config!r}, environment_files=[{environment!r}])
"""


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_restore_that_was_killed_is_told_and_can_be_finished_or_undone(site: Site, after: int) -> None:
    site.save(OLD)
    old = site.keep()
    site.save(NEW)
    script = KILLED.format(
        state=str(site.backups.folder.parents[1]), etc=str(site.etc), after=after, id=old.id,
        config=str(site / "config.yaml"), environment=str(site / "litellm.env"),
    )  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    before = site.backups.load()[-1]
    assert before.why == "before a rollback"
    written = ["litellm.env", "more.yaml", "config.yaml"][:after]
    assert missing(site.backups, old.id) == tuple(str(site / name) for name in NAMES if name not in written)
    assert missing(site.backups, before.id) == tuple(str(site / name) for name in NAMES if name in written)
    _restored(site.restore(before.id))
    assert site.files_on_disk() == NEW
    _restored(site.restore(old.id))
    assert site.files_on_disk() == OLD


def _lock_up(site: Site) -> None:
    for path in site.etc.iterdir():
        path.chmod(0o444)
    site.etc.chmod(0o555)


def _give_away(folder: Path) -> None:
    os.chown(folder, 0, 0)
    folder.chmod(0o755)


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from litellm_tui.actions.rollback import restore
from litellm_tui.storage.backups import Backups
os.setgroups([])
os.setgid({uid})
os.setuid({uid})
store = Backups("http://127.0.0.1:4000", "litellm.service", Path({state!r}))
store.load()
print(restore(store, {id}, config={config!r}).why)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda site: os.chown(site / "config.yaml", 0, 0), "owner and group (0:0) could not be kept"),
        (_lock_up, "its folder may not be written by you, and the file itself may not be written"),
        (lambda site: os.chmod(site / "config.yaml", 0o000), "cannot be read"),
        (lambda site: os.chmod(site.backups.folder.parent, 0o000), "index.json cannot be read: Permission denied"),
        (lambda site: _give_away(site.backups.folder), "no backup could be made"),
    ],
    ids=["another owner", "folder not writable", "not readable", "store not readable", "store of another"],
)
def test_rights_that_are_missing_are_named_before_anything_changes(spoil: Callable[[Site], None], words: str) -> None:
    """As an ordinary user: root may do everything."""
    uid = 54321
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        site = Site(Path(folder))
        site.save(OLD)
        old = site.keep()
        site.save(NEW)
        for path in (site.etc, *site.etc.rglob("*"), Path(folder) / "state", *(Path(folder) / "state").rglob("*")):
            os.chown(path, uid, uid)
        # readable, so that only writing is forbidden
        for path in site.backups.folder.iterdir():
            path.chmod(0o644)
        spoil(site)
        script = UNPRIVILEGED.format(
            uid=uid, state=str(Path(folder) / "state"), id=old.id, config=str(site / "config.yaml")
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
        assert site.disk() == NEW


# --- whatever happens ----------------------------------------------------------------------------------------------

CONTENTS = [OLD, NEW, {**NEW, "litellm.env": b"KEY=sk-third\n"}, {"config.yaml": b"model_list: []\n"}, {}]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["keep", "restore", "edit"]),
        st.integers(0, 30),
        # the how manieth change of a file fails, if any, and how many do from then on
        st.one_of(st.none(), st.tuples(st.integers(1, 9), st.integers(1, 2))),
    ),
    max_size=12,
)


@settings(max_examples=150)
@given(steps=STEPS)
def test_the_disk_always_holds_exactly_one_of_the_known_sets(steps: list[tuple[str, int, Any]]) -> None:
    """Sets are kept, restored and edited while calls of the system fail. Half a restore is said to be one."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        site = Site(Path(folder))
        site.save(OLD)
        known: dict[int, dict[str, bytes]] = {site.keep().id: OLD}
        for name, number, fault in steps:
            before = site.files_on_disk()
            if name == "edit":
                site.save(CONTENTS[number % len(CONTENTS)])
                continue
            breaking = _Breaking(fault)
            with patch.context() as broken:
                breaking.install(broken)
                if name == "keep":
                    made = site.backups.make(site.files, "before a fix")
                    assert site.files_on_disk() == before
                    if isinstance(made, Backup):
                        known[made.id] = before
                    continue
                id = sorted(known)[number % len(known)]
                result = site.restore(id)
            site.backups.load()
            if isinstance(result, Restored):
                assert site.files_on_disk() == known[id]
                if result.before:
                    known[result.before.id] = before
            elif isinstance(result, Torn):
                # only when the way back was barred as well
                assert breaking.failed > 1
                site.backups.load()
                rescue = site.backups.records()[-1]
                assert missing(site.backups, rescue.id)
                assert isinstance(site.restore(rescue.id), Restored)
                assert site.files_on_disk() == before
            else:
                assert site.files_on_disk() == before
        for backup in site.backups.load():
            held = site.backups.content(backup.id)
            assert not isinstance(held, Failure)
            if backup.id in known:
                assert {os.path.basename(path): content for path, content in held.items()} == known[backup.id]


class _Breaking:
    """Lets calls that change a file fail, from the how manieth on and how many."""

    def __init__(self, fault: tuple[int, int] | None) -> None:
        self.first, self.many = fault or (0, 0)
        self.calls = self.failed = 0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for name in ("replace", "fsync", "unlink"):
            patch.setattr(os, name, self._around(getattr(os, name)))

    def _around(self, really: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            self.calls += 1
            if self.first <= self.calls < self.first + self.many:
                self.failed += 1
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return really(*arguments, **more)

        return call


def test_taking_a_set_and_the_disk_agree(site: Site) -> None:
    site.save(OLD)
    taken = copy_files(site.files)
    assert isinstance(taken, FileSet)
    assert {os.path.basename(held.path): held.content for held in taken.copies} == OLD
