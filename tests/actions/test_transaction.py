"""The transaction on real files, with a service that does as it is told: how it ends, and what is left if it is cut."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from litellm_tui.actions.rewrite import Staged, Written
from litellm_tui.actions.transaction import preflight, watch, way_back
from litellm_tui.actions.transaction.events import STATUS, Outcome, Seen, Step
from litellm_tui.actions.transaction.messages import told
from litellm_tui.actions.transaction.record import Holder, Record, RestartLock, Stage, here
from litellm_tui.actions.transaction.run import Transaction
from litellm_tui.analysis.change import proof
from litellm_tui.analysis.change.preflight import PreflightCheck
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.collectors.config import config_file
from litellm_tui.model.configuration import ConfigFile, Configuration
from litellm_tui.model.failures import Denied, Failure, NotAvailable, Unreachable
from litellm_tui.model.found import Found
from litellm_tui.model.gateway import Gateway, Readiness
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Obstacle, Service, Unit
from litellm_tui.model.service_kinds import Tools
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.services.registry import driver
from litellm_tui.storage.backups import Backup, Backups, copy_current
from litellm_tui.target.profile import Profile
from tests.recorded import loaded_deployment

UNIT: Final = "litellm.service"
NAMES: Final = ("config.yaml", "more.yaml", "litellm.env")
MODELS: Final = "include: [more.yaml]\nmodel_list: [{model_name: one, litellm_params: {model: openai/one}}]\n"
OLD: Final = {"config.yaml": MODELS, "more.yaml": "router_settings: {num_retries: 1}\n", "litellm.env": "A=1\n"}
NEW: Final = {"config.yaml": MODELS + "# new\n", "more.yaml": "router_settings: {num_retries: 2}\n",
              "litellm.env": "A=2\n"}  # fmt: skip
BAD: Final = {**NEW, "more.yaml": "router_settings: {num_retries: 3} # it ends at its start\n"}
STAGES: Final[tuple[Stage, ...]] = ("backup", "restart", "proof", "restore", "restart again", "proof again")
FIRST: Final = STAGES[:3]


class World:
    """A service, what it reads at its start, and somebody who sees it: GatewayObserver and Order in one.

    Its state lies in a file, so that it outlives the process that gave the order. A configuration that says so ends it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc = folder / "etc"
        self.refusals: list[Failure | None] = []
        self.probed: list[tuple[str, ...]] = []
        self.probe_fails = False
        self.empty = False
        self.before_start: dict[str, str] = {}

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "service.json").read_text())
        return found

    @property
    def orders(self) -> int:
        return int(self.state["orders"])

    def start(self, orders: int = 0) -> None:
        """It reads the files as they are at this moment."""
        pid = 100 + orders
        state = {"pid": pid, "orders": orders, "read": self.disk(), "started_at": time.time()}
        (self.folder / "service.json").write_text(json.dumps(state))

    def save(self, contents: dict[str, str]) -> None:
        for name, content in contents.items():
            (self.etc / name).write_text(content)

    def disk(self) -> dict[str, str]:
        """All that lies there: nothing may be left beside the files."""
        return {path.name: path.read_text() for path in sorted(self.etc.iterdir())}

    async def order(self) -> Failure | None:
        refused = self.refusals.pop(0) if self.refusals else None
        if refused is None:
            self.save(self.before_start)
            self.before_start = {}
            self.start(self.orders + 1)
        return refused

    def seen(self) -> Seen:
        now, state = time.time(), self.state
        ended = any("ends at its start" in content for content in state["read"].values())
        service = Service(
            UNIT, "user", "loaded", "failed" if ended else "active", "failed" if ended else "running",
            result="exit-code" if ended else "success", main_pid=0 if ended else state["pid"], restarts=0,
            started_at=None if ended else state["started_at"], invocation=str(state["orders"]),
            exit_code="exited" if ended else "", exit_status=3 if ended else 0,
        )  # fmt: skip
        current = config_file.load(str(self.etc / "config.yaml"), {})
        file = current if isinstance(current, ConfigFile) else None
        refused = Unreachable("connection refused", kind="refused")

        def read(value: Any) -> Reading[Any]:
            at = state["started_at"] - 1 if ended else now
            return Reading(value=value, seen_at=at, tried_at=now, failure=refused if ended else None)

        loaded = [] if self.empty else [loaded_deployment("one", "openai/one")]
        snapshot = Snapshot(
            taken_at=now,
            gateway=Gateway(
                liveliness=read("alive"), readiness=read(Readiness("healthy", version="1.106.2")),
                groups=read(("one",)), deployments=read(tuple(loaded)),
            ),
            configuration=Configuration(
                str(self.etc / "config.yaml"), file, None if isinstance(current, ConfigFile) else current, now
            ),
            service=Reading(value=service, seen_at=now, tried_at=now),
            probes=tuple(
                ProbeResult(f"id{n}", group, "openai/one", not self.probe_fails, now, error="no such key")
                for n, group in enumerate(group for groups in self.probed for group in groups)
            ),
        )  # fmt: skip
        return Seen(snapshot, diagnose(snapshot, now), now)

    def look_now(self) -> None: ...

    async def probe(self, groups: Sequence[str]) -> None:
        self.probed.append(tuple(groups))

    async def log_since(self, moment: float) -> tuple[str, ...]:
        return ("Traceback (most recent call last):\nValueError: no such strategy",)


class Site:
    """A world with a transaction's lock and store; what runs has run before."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.profile = Profile(
            name="lab", host="lab", url=Found("http://127.0.0.1:9", "the test"), tools=Tools(),
            config=Found(str(folder / "etc" / "config.yaml"), "the test"), unit=Found(UNIT, "the test"),
            environment_files=(str(folder / "etc" / "litellm.env"),),
        )  # fmt: skip
        self.backups = Backups(self.profile.url.value, UNIT, folder / "state")
        self.backups.load()

    @property
    def folder(self) -> Path:
        return self.world.folder

    def begin(self, contents: dict[str, str] = OLD, good: bool = True) -> Backup:
        self.world.etc.mkdir()
        self.world.save(contents)
        self.world.start()
        taken = copy_current(str(self.world.etc / "config.yaml"), self.profile.environment_files)
        assert not isinstance(taken, Failure)
        made = self.backups.keep(taken, "seen running", good=good)
        assert isinstance(made, Backup)
        return made

    def lock(self) -> RestartLock:
        return RestartLock(self.profile.url.value, UNIT, self.folder / "state")

    def transaction(self, lock: RestartLock | None = None, **more: Any) -> Transaction:
        # as another process would: nothing is known but what is on the disk
        backups = Backups(self.profile.url.value, UNIT, self.folder / "state")
        return Transaction(self.profile, self.world, self.world.order, lock or self.lock(), backups, **more)

    async def follow(self, way: str = "apply", **more: Any) -> tuple[list[Step], Outcome]:
        events = [event async for event in getattr(self.transaction(**more), way)()]
        assert isinstance(events[-1], Outcome)
        return [event for event in events if isinstance(event, Step)], events[-1]

    def unfinished(self) -> Record | None:
        found = self.lock().unfinished()
        assert not isinstance(found, Failure)
        return found

    def kept(self, id: int | None) -> dict[str, str]:
        assert id is not None
        self.backups.load()
        content = self.backups.content(id)
        assert isinstance(content, dict)
        return {os.path.basename(path): text.decode() for path, text in content.items()}


def hurry(monkeypatch: pytest.MonkeyPatch | None = None) -> None:
    """The world is steady as soon as it answers."""
    setting = monkeypatch.setattr if monkeypatch else setattr
    setting(proof, "STEADY_SECONDS", 0.03)
    setting(watch, "LOOK_SECONDS", 0.01)
    setting(watch, "PROOF_SECONDS", 0.5)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def names(steps: list[Step]) -> list[str]:
    """The steps that have ended, in order."""
    return [step.name for step in steps if step.took is not None]


# --- forth ----------------------------------------------------------------------------------------------------------


async def test_a_good_change_is_applied_and_known_as_good(site: Site) -> None:
    site.begin()
    site.world.save(NEW)
    steps, outcome = await site.follow()
    assert (outcome.result, STATUS[outcome.result], outcome.rejected) == ("applied", 0, None), outcome
    assert "1 of 1 deployment loaded" in outcome.text
    assert names(steps) == ["preflight", "backup", "restart", "proof"]
    assert all(step.ok for step in steps)
    assert sum(step.took or 0.0 for step in steps) <= outcome.took
    site.backups.load()
    newest = site.backups.records()[-1]
    assert (newest.good, newest.result, newest.litellm_version) == (True, "applied", "1.106.2")
    assert site.kept(newest.id) == NEW
    assert site.unfinished() is None
    assert site.world.orders == 1


async def test_a_bad_change_is_rolled_back_by_itself_and_kept(site: Site) -> None:
    old = site.begin()
    site.world.save(BAD)
    steps, outcome = await site.follow()
    assert (outcome.result, STATUS[outcome.result]) == ("rolled back", 1), outcome
    assert names(steps) == ["preflight", "backup", "restart", "proof", "restore", "restart again", "proof again"]
    assert [step.name for step in steps if not step.ok] == ["proof"]
    assert "exit-code, status 3" in outcome.cause
    assert "ValueError: no such strategy" in outcome.text
    assert site.world.disk() == OLD
    assert site.world.state["read"] == OLD
    assert site.kept(outcome.rejected) == BAD
    rejected = site.backups.get(outcome.rejected or 0)
    assert rejected
    assert (rejected.good, rejected.result.startswith("rejected: ")) == (False, True)
    assert site.backups.known_good() == site.backups.get(old.id)
    assert site.unfinished() is None


async def test_what_is_broken_under_the_restart_is_what_is_kept_as_rejected(site: Site) -> None:
    site.begin()
    site.world.save(NEW)
    site.world.before_start = BAD
    _, outcome = await site.follow()
    assert outcome.result == "rolled back", outcome
    assert site.world.disk() == OLD
    assert site.kept(outcome.rejected) == BAD
    assert all(site.kept(backup.id) == BAD for backup in site.backups.load() if backup.why == "rejected")


async def test_what_ran_before_and_is_broken_under_the_restart_is_gone_back_to(site: Site) -> None:
    site.begin()
    site.world.before_start = BAD
    _, outcome = await site.follow()
    assert outcome.result == "rolled back", outcome
    assert (site.world.disk(), site.world.state["read"]) == (OLD, OLD)
    assert site.kept(outcome.rejected) == BAD


async def test_what_a_preflight_refuses_is_left_alone_unless_it_is_forced(site: Site) -> None:
    site.begin()
    broken = {**OLD, "config.yaml": "model_list: [\n"}
    site.world.save(broken)
    steps, outcome = await site.follow()
    assert (outcome.result, STATUS[outcome.result]) == ("refused", 2)
    assert "config.yaml" in outcome.text
    assert outcome.text.startswith("nothing was changed")
    assert names(steps) == ["preflight"]
    assert (site.world.orders, site.unfinished(), site.world.disk()) == (0, None, broken)
    site.world.before_start = BAD
    _, outcome = await site.follow(force=True)
    assert outcome.result == "rolled back", outcome
    assert site.world.disk() == OLD


async def test_what_could_not_be_taken_back_is_not_applied_unless_it_is_forced(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(made: Path, target: Path, found: os.stat_result) -> str:
        return "its owner and group (0:0) could not be kept" if target.name == "config.yaml" else ""

    def closed(*_: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    site.begin()
    site.world.save(NEW)
    with monkeypatch.context() as patched:
        patched.setattr("litellm_tui.actions.rewrite.like", refuse)
        patched.setattr("litellm_tui.actions.rewrite.open", closed, raising=False)
        steps, outcome = await site.follow()
    assert (outcome.result, site.world.orders, site.unfinished(), site.world.disk()) == ("refused", 0, None, NEW)
    assert "it could not be rolled back" in outcome.text
    assert "could not be kept" in outcome.text
    assert not steps[-1].ok
    with monkeypatch.context() as patched:
        patched.setattr("litellm_tui.actions.rewrite.like", refuse)
        patched.setattr("litellm_tui.actions.rewrite.open", closed, raising=False)
        _, outcome = await site.follow(force=True)
    assert (outcome.result, site.world.disk()) == ("applied", NEW)


async def test_told_not_to_it_does_not_roll_back(site: Site) -> None:
    site.begin()
    site.world.save(BAD)
    _, outcome = await site.follow(rollback=False)
    assert (outcome.result, STATUS[outcome.result]) == ("failed", 3)
    assert "as told, nothing was rolled back" in outcome.text
    assert outcome.log
    assert (site.world.disk(), site.world.orders, site.unfinished()) == (BAD, 1, None)


async def test_without_a_known_good_configuration_it_fails_and_says_so(site: Site) -> None:
    site.begin(good=False)
    site.world.save(BAD)
    steps, outcome = await site.follow()
    assert (outcome.result, site.world.disk(), site.unfinished()) == ("failed", BAD, None)
    assert "no configuration is known that ran before" in outcome.text
    backup = next(step for step in steps if step.name == "backup" and step.took is not None)
    assert "none to go back to" in backup.detail


async def test_a_configuration_that_ran_before_is_not_rolled_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.begin(OLD)
    # it runs with what has been proved, and a deployment is gone all the same
    monkeypatch.setattr(site.world, "empty", True)
    _, outcome = await site.follow()
    assert (outcome.result, site.world.disk(), site.unfinished()) == ("failed", OLD, None)
    assert "has run before, so it is not the cause" in outcome.text


async def test_an_environment_file_of_which_nothing_is_known_cannot_be_rolled_back(site: Site) -> None:
    site.begin(good=False)
    taken = copy_current(str(site.world.etc / "config.yaml"))
    assert not isinstance(taken, Failure)
    site.backups.keep(taken, "seen running", good=True)
    site.world.save({"litellm.env": "A=1 # it ends at its start\n"})
    _, outcome = await site.follow()
    assert outcome.result == "failed"
    assert "litellm.env no version is known that ran before" in outcome.text


async def test_an_environment_file_is_brought_back_though_a_later_start_was_kept_without_it(site: Site) -> None:
    whole = site.begin()
    taken = copy_current(str(site.world.etc / "config.yaml"))
    assert not isinstance(taken, Failure)
    site.backups.keep(taken, "seen running", good=True)
    assert site.backups.known_good() != whole
    site.world.save({"litellm.env": "A=1 # it ends at its start\n"})
    _, outcome = await site.follow()
    assert (outcome.result, site.world.disk(), site.unfinished()) == ("rolled back", OLD, None), outcome


async def test_a_configuration_that_is_not_known_is_restarted_all_the_same(site: Site) -> None:
    site.begin()
    site.profile = msgspec.structs.replace(site.profile, config=None)
    _, outcome = await site.follow()
    assert outcome.result == "applied", outcome
    site.world.save(BAD)
    _, outcome = await site.follow()
    assert outcome.result == "failed"
    assert "the configuration is not known here" in outcome.text


async def test_groups_are_probed_once_it_has_loaded_them(site: Site) -> None:
    site.begin()
    site.profile = msgspec.structs.replace(site.profile, probes=("one",))
    site.world.save(NEW)
    _, outcome = await site.follow()
    assert (outcome.result, site.world.probed) == ("applied", [("one",)])
    site.world.save({**NEW, "litellm.env": "A=3\n"})
    site.world.probed.clear()
    site.world.probe_fails = True
    _, outcome = await site.follow()
    # the good one is probed too, and that fails as well
    assert outcome.result == "failed"
    assert "a probe of one failed: no such key" in outcome.cause
    assert site.world.disk() == NEW
    assert site.unfinished() is not None


# --- refused --------------------------------------------------------------------------------------------------------


async def test_an_order_that_is_denied_changes_nothing(site: Site) -> None:
    site.begin()
    site.world.save(NEW)
    site.world.refusals = [Denied("Interactive authentication required.")]
    _, outcome = await site.follow()
    assert (outcome.result, outcome.needs_rights) == ("refused", True)
    assert (site.world.disk(), site.world.orders, site.unfinished()) == (NEW, 0, None)


async def test_an_order_that_fails_while_the_process_goes_on_is_refused(site: Site) -> None:
    site.begin()
    site.world.save(BAD)
    site.world.refusals = [NotAvailable("Failed to connect to bus")]
    _, outcome = await site.follow()
    assert (outcome.result, outcome.needs_rights) == ("refused", False)
    assert "Failed to connect to bus" in outcome.text
    assert (site.world.disk(), site.world.orders, site.unfinished()) == (BAD, 0, None)


async def test_a_folder_of_backups_that_cannot_be_written_is_refused(site: Site) -> None:
    site.begin()
    site.world.save(NEW)
    folder = site.backups.folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("no folder")
    _, outcome = await site.follow()
    assert outcome.result == "refused", outcome
    assert str(folder) in outcome.text
    assert (site.world.disk(), site.world.orders, site.unfinished()) == (NEW, 0, None)


async def test_a_full_disk_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.begin()
    monkeypatch.setattr(preflight, "LEAST_BYTES", 10**18)
    _, outcome = await site.follow()
    assert outcome.result == "refused"
    assert "make room" in outcome.text
    assert site.world.orders == 0


async def test_a_record_that_cannot_be_written_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.begin()
    monkeypatch.setattr(RestartLock, "write", lambda *_: Failure("No space left on device"))
    _, outcome = await site.follow()
    assert outcome.result == "refused"
    assert "No space left" in outcome.text
    assert site.world.orders == 0


async def test_what_cannot_be_restored_is_kept_to_be_undone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.begin()
    site.world.save(BAD)
    monkeypatch.setattr(way_back, "restore", lambda *_, **__: Failure("nothing was changed: the disk is full"))
    _, outcome = await site.follow()
    assert (outcome.result, site.world.disk()) == ("failed", BAD)
    assert "not rolled back: nothing was changed: the disk is full" in outcome.text
    record = site.unfinished()
    assert record is not None
    assert record.stage == "restore"
    monkeypatch.undo()
    hurry(monkeypatch)
    _, outcome = await site.follow("undo")
    assert (outcome.result, site.world.disk(), site.unfinished()) == ("rolled back", OLD, None)


async def test_a_right_that_is_lost_on_the_way_back_is_told(site: Site) -> None:
    site.begin()
    site.world.save(BAD)
    site.world.refusals = [None, Denied("Access denied")]
    _, outcome = await site.follow()
    assert outcome.result == "failed"
    assert "is on the disk again, and not proved: Access denied" in outcome.text
    assert site.world.disk() == OLD
    record = site.unfinished()
    assert record is not None
    assert "did not end well" in told(record)
    assert "Access denied" in told(record)
    assert "was interrupted" not in told(record)
    _, outcome = await site.follow("finish")
    assert (outcome.result, site.unfinished()) == ("rolled back", None)


async def test_a_record_that_can_no_longer_be_written_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    really = RestartLock.write

    def full(lock: RestartLock, record: Record) -> Failure | None:
        return Failure("record.json: No space left on device") if record.stage == "proof" else really(lock, record)

    monkeypatch.setattr(RestartLock, "write", full)
    monkeypatch.setattr(RestartLock, "end", lambda _: Failure("record.json: Read-only file system"))
    site.begin()
    site.world.save(NEW)
    _, outcome = await site.follow()
    assert outcome.result == "applied"
    assert "the note of it could not be removed: record.json: Read-only file system" in outcome.text


# --- two at once, and the record --------------------------------------------------------------------------------------


def test_two_restarts_do_not_work_at_once(tmp_path: Path) -> None:
    first, second = RestartLock("http://a", UNIT, tmp_path), RestartLock("http://a", UNIT, tmp_path)
    other = RestartLock("http://b", UNIT, tmp_path)
    assert first.take() is None
    holder = second.take()
    assert isinstance(holder, Holder)
    assert holder.pid == os.getpid()
    assert f"(process {os.getpid()}), since " in str(holder)
    # another gateway is another matter
    assert other.take() is None
    first.release()
    assert second.take() is None
    first.release()
    assert isinstance(first.take(), Holder)


HOLDING = """
import sys, time
from pathlib import Path
from litellm_tui.actions.transaction.record import RestartLock
assert RestartLock("http://127.0.0.1:9", "litellm.service", Path(sys.argv[1])).take() is None
print("held", flush=True)
time.sleep(60)
"""


async def test_another_console_is_named_and_its_death_gives_the_lock_back(site: Site) -> None:
    site.begin()
    child = subprocess.Popen([sys.executable, "-c", HOLDING, str(site.folder / "state")], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        for way in ("apply", "finish", "undo"):
            _, outcome = await site.follow(way)
            assert outcome.result == "refused"
            assert f"(process {child.pid}), since 20" in outcome.text
            assert "wait for that to end" in outcome.text
        assert site.world.orders == 0
    finally:
        child.kill()
        child.communicate()
    _, outcome = await site.follow()
    assert outcome.result == "applied"


@pytest.mark.parametrize("content", [b"", b"{", b'{"unit": 3}', b'{"form": 2}'])
async def test_a_record_that_cannot_be_read_is_named(site: Site, content: bytes) -> None:
    site.begin()
    lock = site.lock()
    assert lock.take() is None
    assert lock.write(Record(UNIT, here(), "proof")) is None
    lock.release()
    (path,) = lock.folder.glob("*.json")
    path.write_bytes(content)
    assert isinstance(lock.unfinished(), Failure)
    _, outcome = await site.follow()
    assert outcome.result == "refused"
    assert str(path) in outcome.text
    assert "remove this file" in outcome.text
    # the lock was given back
    assert lock.take() is None


def test_a_record_of_a_later_form_is_not_taken_for_one_of_ours(tmp_path: Path) -> None:
    lock = RestartLock("http://a", UNIT, tmp_path)
    assert lock.take() is None
    assert lock.write(Record(UNIT, here(), "proof", form=99)) is None
    found = lock.unfinished()
    assert isinstance(found, Failure)
    assert "later" in found.why


def test_what_somebody_is_working_on_was_not_interrupted(tmp_path: Path) -> None:
    first, second = RestartLock("http://a", UNIT, tmp_path), RestartLock("http://a", UNIT, tmp_path)
    assert second.interrupted() is None
    assert not second.folder.exists(), "a look leaves nothing behind"
    record = Record(UNIT, here(), "proof")
    assert first.take() is None
    assert first.write(record) is None
    assert second.interrupted() is None
    first.release()
    assert second.interrupted() == record
    # and the look has given the lock back
    assert first.take() is None
    assert first.end() is None
    first.release()
    assert second.interrupted() is None


def test_a_folder_that_cannot_be_made_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "transactions").write_text("")
    taken = RestartLock("http://a", UNIT, tmp_path).take()
    assert isinstance(taken, Failure)
    assert str(tmp_path) in taken.why


def test_a_lock_whose_holder_has_not_said_its_name_is_still_a_lock(tmp_path: Path) -> None:
    first = RestartLock("http://a", UNIT, tmp_path)
    assert first.take() is None
    (path,) = first.folder.glob("*.lock")
    path.write_bytes(b"")
    assert isinstance(RestartLock("http://a", UNIT, tmp_path).take(), Holder)


def test_what_lies_in_the_state_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    lock = RestartLock("http://a", UNIT, tmp_path)
    assert lock.take() is None
    assert lock.write(Record(UNIT, here(), "proof")) is None
    assert {path.stat().st_mode & 0o777 for path in lock.folder.iterdir()} == {0o600}
    assert len(list(lock.folder.iterdir())) == 2


# --- cut short ------------------------------------------------------------------------------------------------------


class Cut(RestartLock):
    """The process ends when this stage has been noted, or just before."""

    def __init__(self, site: Site, stage: Stage, end: Any, noted: bool = True) -> None:
        super().__init__(site.profile.url.value, UNIT, site.folder / "state")
        self._stage, self._end, self._noted = stage, end, noted

    def write(self, record: Record) -> Failure | None:
        written = super().write(record) if self._noted or record.stage != self._stage else None
        if record.stage == self._stage:
            self._end()
        return written


def _contents(stage: Stage) -> dict[str, str]:
    """What is to be applied: only what fails comes to the later stages."""
    return NEW if stage in FIRST else BAD


WORDS: Final = {
    "backup": "nothing had been changed yet",
    "restart": "being, told to restart",
    "proof": "restarted with the new configuration, and that was not proved yet",
    "restore": "was being brought back",
    "restart again": "is on the disk again; the service was just being told to restart",
    "proof again": "restarted with the good configuration, and that was not proved yet",
}


async def _ended(site: Site, stage: Stage, way: str) -> None:
    """End what was cut at this stage, and look at what there is then."""
    record = site.unfinished()
    assert record is not None
    assert (record.stage, record.unit) == (stage, UNIT)
    assert WORDS[stage] in told(record)
    assert f"process {record.holder.pid}" in told(record)
    # nobody begins on top of it
    before = site.world.disk()
    _, outcome = await site.follow()
    assert outcome.result == "refused"
    assert WORDS[stage] in outcome.text
    assert (site.world.disk(), site.unfinished()) == (before, record)
    _, outcome = await site.follow(way)
    if stage == "backup":
        wanted, result = NEW, "refused"
    elif way == "finish" and stage in FIRST:
        wanted, result = NEW, "applied"
    else:
        wanted, result = OLD, "rolled back"
    assert (outcome.result, site.world.disk()) == (result, wanted), outcome
    assert site.unfinished() is None
    if stage != "backup":
        assert site.world.state["read"] == wanted
        # nothing is lost
        site.backups.load()
        everything = [site.kept(backup.id) for backup in site.backups.records()]
        assert OLD in everything
        assert _contents(stage) in everything
    _, outcome = await site.follow(way)
    assert (outcome.result, "no restart was interrupted" in outcome.text) == ("refused", True)


@pytest.mark.parametrize("way", ["finish", "undo"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
@pytest.mark.parametrize("stage", STAGES)
def test_what_is_interrupted_is_ended_by_the_next(
    tmp_path: Path, stage: Stage, error: type[BaseException], way: str
) -> None:
    site = Site(tmp_path)
    site.begin()
    site.world.save(_contents(stage))

    def end() -> None:
        raise error

    with pytest.raises(error):
        asyncio.run(site.follow(lock=Cut(site, stage, end)))
    assert site.world.disk() in (OLD, _contents(stage))
    asyncio.run(_ended(site, stage, way))


KILLED: Final = """
import asyncio, sys
from tests.actions.test_transaction import killed
killed(*sys.argv[1:])
"""


def killed(folder: str, stage: Stage, noted: str) -> None:
    """Run a transaction that is killed at a stage, as a process of its own."""
    hurry()
    site = Site(Path(folder))

    def end() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if stage == "restore" and noted == "between":
        commits: list[Staged] = []
        really = Staged.commit

        def commit(self: Staged) -> Written | Failure:
            if commits:
                end()
            commits.append(self)
            return really(self)

        Staged.commit = commit  # type: ignore[method-assign]  # a child process, which ends here
        asyncio.run(site.follow())
    asyncio.run(site.follow(lock=Cut(site, stage, end, noted == "after")))


def _kill(site: Site, stage: Stage, noted: str) -> None:
    site.begin()
    site.world.save(_contents(stage))
    argv = [sys.executable, "-c", KILLED, str(site.folder), stage, noted]
    done = subprocess.run(argv, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("way", ["finish", "undo"])
@pytest.mark.parametrize("stage", STAGES)
async def test_what_is_killed_is_ended_by_the_next(site: Site, stage: Stage, way: str) -> None:
    _kill(site, stage, "after")
    assert site.world.disk() in (OLD, _contents(stage))
    await _ended(site, stage, way)


@pytest.mark.parametrize("stage", STAGES[1:])
async def test_what_is_killed_before_a_stage_is_noted_stands_at_the_one_before(site: Site, stage: Stage) -> None:
    _kill(site, stage, "before")
    record = site.unfinished()
    assert record is not None
    assert record.stage == STAGES[STAGES.index(stage) - 1]
    assert site.world.disk() in (OLD, _contents(stage))
    _, outcome = await site.follow("finish")
    # what was noted as backed up is not restarted by itself
    assert outcome.result == ("refused" if stage == "restart" else "applied" if stage == "proof" else "rolled back")
    assert site.unfinished() is None
    assert site.world.disk() in (OLD, _contents(stage))


@pytest.mark.parametrize("way", ["finish", "undo"])
async def test_what_is_killed_between_two_files_of_a_restore_is_told_and_ended(site: Site, way: str) -> None:
    """Two files cannot be replaced in one step: the record says that they were being, until they are."""
    _kill(site, "restore", "between")
    # each file is one of the two, whole
    assert all(text in (OLD[name], BAD[name]) for name, text in site.world.disk().items() if name in NAMES)
    record = site.unfinished()
    assert record is not None
    assert WORDS["restore"] in told(record)
    _, outcome = await site.follow(way)
    assert outcome.result == "rolled back"
    assert {name: text for name, text in site.world.disk().items() if name in NAMES} == OLD
    assert site.kept(outcome.rejected) == BAD
    assert site.unfinished() is None


async def test_there_is_nothing_to_undo_where_nothing_ran_before(site: Site) -> None:
    site.begin(good=False)
    site.world.save(NEW)
    lock = site.lock()
    assert lock.take() is None
    lock.write(Record(UNIT, here(), "proof"))
    lock.release()
    _, outcome = await site.follow("undo")
    assert outcome.result == "refused"
    assert "--finish" in outcome.text
    assert site.unfinished() is not None
    _, outcome = await site.follow("finish")
    assert (outcome.result, site.unfinished()) == ("applied", None)


@pytest.mark.parametrize(("contents", "result"), [(NEW, "applied"), (BAD, "rolled back")])
async def test_a_machine_that_was_rebooted_meanwhile_has_restarted_it(
    site: Site, contents: dict[str, str], result: str
) -> None:
    site.begin()
    site.world.save(contents)

    def end() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await site.follow(lock=Cut(site, "restart", end))
    site.world.start(site.world.orders + 1)
    orders = site.world.orders
    steps, outcome = await site.follow("finish")
    assert (outcome.result, site.unfinished()) == (result, None)
    if contents is NEW:
        # one restart is enough
        assert names(steps) == ["proof"]
        assert site.world.orders == orders


async def test_what_ran_before_is_taken_back_to_what_ran_last(site: Site) -> None:
    """Going from one good configuration to another, and not to its end."""
    site.world.etc.mkdir()
    for contents in (NEW, OLD):
        site.world.save(contents)
        site.world.start()
        assert (await site.follow())[1].result == "applied"
    site.world.save(NEW)

    def end() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await site.follow(lock=Cut(site, "proof", end))
    _, outcome = await site.follow("undo")
    assert (outcome.result, site.world.disk(), site.unfinished()) == ("rolled back", OLD, None)


async def test_whoever_stops_watching_leaves_the_record(site: Site) -> None:
    site.begin()
    site.world.save(NEW)
    events = site.transaction().apply()
    async for event in events:
        if isinstance(event, Step) and event.name == "proof":
            break
    await events.aclose()
    record = site.unfinished()
    assert record is not None
    assert record.stage == "proof"
    # and the lock is free
    _, outcome = await site.follow("finish")
    assert outcome.result == "applied"


# --- what is tried before anything is changed -----------------------------------------------------------------------


async def _checks(site: Site, **service: Any) -> dict[str, PreflightCheck]:
    seen = site.world.seen()
    reading = seen.snapshot.service
    assert reading.value is not None
    changed = msgspec.structs.replace(reading, value=msgspec.structs.replace(reading.value, **service))
    snapshot = msgspec.structs.replace(seen.snapshot, service=changed)
    found = await preflight.inspect(site.profile, snapshot, seen.diagnosis, site.backups.folder)
    return {check.name: check for check in found}


async def test_a_port_that_somebody_else_has_is_refused_while_the_service_is_stopped(site: Site) -> None:
    site.begin()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        site.profile = msgspec.structs.replace(site.profile, url=Found(f"http://127.0.0.1:{port}", "the test"))
        found = await _checks(site, active_state="failed", sub_state="failed", main_pid=0)
        assert found["port"].state == "refused"
        assert str(port) in found["port"].text
        # while it runs, it has the port itself
        assert "port" not in await _checks(site)
    assert (await _checks(site, active_state="inactive", main_pid=0))["port"].state == "ok"


async def test_an_interpreter_that_is_gone_is_refused(site: Site) -> None:
    site.begin()
    unit = Unit(UNIT, "user", True, (), None, {}, None, "", interpreter=str(site.folder / "python"))
    site.profile = msgspec.structs.replace(site.profile, found_unit=unit)
    found = (await _checks(site))["interpreter"]
    assert found.state == "refused"
    assert str(site.folder / "python") in found.text
    (site.folder / "python").symlink_to(sys.executable)
    assert (await _checks(site))["interpreter"].state == "ok"


async def test_what_the_next_start_would_fail_on_is_refused_before_anything_is_stopped(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.begin()
    assert "start" not in await _checks(site)
    gone = Obstacle("EnvironmentFile missing", "/etc/a.env is not there", "put it back", "/etc/a.env")
    kind = type(driver(site.profile.service_target))
    monkeypatch.setattr(kind, "obstacles", lambda self: (gone,))
    found = (await _checks(site))["start"]
    assert (found.state, found.text) == ("refused", "/etc/a.env is not there: put it back")


async def test_a_disk_that_is_full_is_refused_with_its_place(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.begin()
    assert (await _checks(site))["disk"].state == "ok"
    monkeypatch.setattr(preflight, "LEAST_BYTES", 10**18)
    found = (await _checks(site))["disk"]
    assert found.state == "refused"
    assert str(site.folder) in found.text


@pytest.mark.parametrize(("source", "state"), [("--url", "refused"), ("ExecStart of litellm.service", "note")])
async def test_a_unit_that_will_listen_elsewhere_is_followed_unless_its_address_was_given(
    site: Site, source: str, state: str
) -> None:
    site.begin()
    environment = site.folder / "port.env"
    systemctl = site.folder / "systemctl"
    systemctl.write_text(
        f"#!/bin/sh\necho Id={UNIT}\necho LoadState=loaded\necho MainPID={os.getpid()}\n"
        f"echo 'EnvironmentFiles={environment} (ignore_errors=no)'\n"
        "echo 'ExecStart={ path=/bin/litellm ; argv[]=/bin/litellm --port ${PORT} ; ignore_errors=no ; }'\n"
    )
    url = "http://127.0.0.1:4000"
    unit = Unit(UNIT, "user", True, (), None, {}, None, url)
    site.profile = msgspec.structs.replace(
        site.profile, found_unit=unit, url=Found(url, source), tools=Tools(systemctl=("/bin/sh", str(systemctl)))
    )
    environment.write_text("PORT=4000\nHOST=127.0.0.1\n")
    assert "address" not in await _checks(site)
    environment.write_text("PORT=4001\nHOST=127.0.0.1\n")
    found = (await _checks(site))["address"]
    assert found.state == state
    assert "http://127.0.0.1:4001" in found.text
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        environment.write_text(f"PORT={port}\nHOST=127.0.0.1\n")
        checks = await _checks(site)
        # a note alone does not stop it: another program at the new port does
        assert ("port" in checks) is (state == "note")
        assert "port" not in checks or (checks["port"].state, str(port) in checks["port"].text) == ("refused", True)
    environment.write_text("PORT=4001\nHOST=127.0.0.1\n")
    # an address that was given does not follow the unit
    site.profile = msgspec.structs.replace(site.profile, url=Found("http://127.0.0.1:4010", "--url"))
    assert "address" not in await _checks(site)
