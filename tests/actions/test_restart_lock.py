"""The lock of a restart: one for all users of the machine, named after what is operated and not after who asks."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from litellm_tui.actions.startstop import carry_out
from litellm_tui.actions.transaction.record import Holder, Record, RestartLock, here, operated
from litellm_tui.host import host_lock
from litellm_tui.model.failures import Failure
from litellm_tui.model.found import Found
from litellm_tui.model.service import Unit
from litellm_tui.model.service_kinds import Compose, Custom, Process, Tools
from litellm_tui.storage.backups import Backups
from litellm_tui.storage.state import state_folder
from litellm_tui.target.profile import Profile
from tests.actions.test_transaction import OLD, Site, hurry
from tests.users import ANN, BOB, as_user, two_users

PROFILE = Profile(
    name="lab", host="lab", url=Found("http://127.0.0.1:4000", "the test"), tools=Tools(),
    unit=Found("litellm.service", "the test"), scope="system",
)  # fmt: skip


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that every user may go to, with the place of the lock in it."""
    found = Path("/var/tmp") / f"litellm-tui-test-{os.getpid()}-{time.monotonic_ns()}"
    found.mkdir()
    found.chmod(0o1777)
    (found / "lock").mkdir()
    (found / "lock").chmod(0o1777)
    monkeypatch.setattr(host_lock, "PLACES", (found / "lock",))
    monkeypatch.setenv("XDG_STATE_HOME", str(found / "state"))
    yield found
    subprocess.run(["rm", "-rf", str(found)], check=True)


def _as(uid: int, shared: Path, profile: Profile = PROFILE) -> str:
    """What this user, with a state folder of their own, is told when they take the lock."""

    def take() -> str:
        os.environ["XDG_STATE_HOME"] = str(shared / f"home-{uid}")
        lock = RestartLock.of(profile)
        found = lock.take()
        lock.release()
        return "taken" if found is None else str(found)

    return as_user(uid, take)


@two_users
def test_two_users_do_not_restart_one_unit_at_once(shared: Path) -> None:
    lock = RestartLock.of(PROFILE)
    assert lock.take() is None
    try:
        said = _as(ANN, shared)
        assert said.startswith("root@")
        assert f"(process {os.getpid()}), since 20" in said
        # the same unit by another of its addresses, and another unit
        assert _as(BOB, shared, msgspec.structs.replace(PROFILE, url=Found("http://gw:4000", ""))).startswith("root@")
        assert _as(BOB, shared, msgspec.structs.replace(PROFILE, unit=Found("other.service", ""))) == "taken"
    finally:
        lock.release()
    assert _as(ANN, shared) == _as(BOB, shared) == "taken"
    assert list((shared / "lock").iterdir()) == []


def test_who_cannot_have_the_machines_lock_keeps_none(shared: Path) -> None:
    other = RestartLock.of(msgspec.structs.replace(PROFILE, url=Found("http://gw:4000", "")))
    lock = RestartLock.of(PROFILE)
    assert other.take() is None
    assert isinstance(lock.take(), Holder)
    assert isinstance(lock.held(), Holder)
    other.release()
    assert lock.held() is None
    assert lock.take() is None
    lock.release()


async def test_a_transaction_a_stop_and_a_rollback_name_the_other(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    site = Site(tmp_path)
    site.begin()
    site.world.save({"litellm.env": "A=2\n"})
    lock = RestartLock.of(site.profile)
    other = RestartLock.of(msgspec.structs.replace(site.profile, url=Found("http://gw:4000", "")))
    assert other.take() is None

    async def order() -> None:
        raise AssertionError("it was ordered")

    told = f"{here().user}@"
    for way in ("apply", "finish", "undo"):
        _, outcome = await site.follow(way, lock=lock)
        assert outcome.result == "refused"
        assert outcome.text.startswith(told), outcome.text
        assert outcome.text.endswith("is restarting it: wait for that to end")
    assert (await carry_out(lock, order)).startswith(told)
    from litellm_tui.actions.rollback import go_back

    backups = Backups(site.profile.url.value, "litellm.service", state_folder())
    refused = go_back(site.profile, backups, 1)
    assert isinstance(refused, Failure)
    assert told in refused.why
    assert (site.world.orders, site.world.disk()) == (0, {**OLD, "litellm.env": "A=2\n"})
    # a look for what was interrupted wants the record alone
    assert lock.take() is not None
    assert lock.interrupted() is None
    other.release()
    assert (await site.follow(lock=lock))[1].result == "applied"


async def test_a_lock_that_lies_elsewhere_is_noted_in_the_preflight(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    site = Site(tmp_path)
    site.begin()
    blocked = shared / "full"
    blocked.mkdir()
    blocked.chmod(0o1777)
    monkeypatch.setattr(host_lock, "PLACES", (blocked, shared / "lock"))
    really = host_lock._opened

    def refuse(path: Path) -> int | Failure | None:
        if path.parent == blocked:
            raise OSError(30, os.strerror(30))
        return really(path)

    monkeypatch.setattr(host_lock, "_opened", refuse)
    steps, outcome = await site.follow(lock=RestartLock.of(site.profile))
    assert outcome.result == "applied"
    notes = next(step.notes for step in steps if step.name == "preflight" and step.took is not None)
    assert f"the lock for all users is not in {blocked}: Read-only file system" in notes
    monkeypatch.setattr(host_lock, "PLACES", (blocked,))
    _, outcome = await site.follow(lock=RestartLock.of(site.profile))
    assert (outcome.result, "Read-only file system" in outcome.text) == ("refused", True)


def test_a_record_is_not_shared(shared: Path) -> None:
    """The record tells of one user's backups: the lock of the machine does not guard it, and shows none of it."""
    lock = RestartLock.of(PROFILE)
    assert lock.take() is None
    assert lock.write(Record("litellm.service", here(), "proof")) is None
    assert {path.parent for path in shared.rglob("*.json")} == {state_folder() / "transactions"}
    lock.release()
    assert lock.interrupted() is not None


# --- what is operated -----------------------------------------------------------------------------------------------


def _compose(fragment: str = "", **more: str) -> Profile:
    unit = Unit("litellm", "compose", True, (), None, {}, None, "", fragment=fragment)
    return msgspec.structs.replace(PROFILE, service=Compose(**more), found_unit=unit, unit=Found("litellm", ""))


def test_what_is_operated_is_the_same_whatever_leads_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    link = tmp_path / "link.pid"
    link.symlink_to(tmp_path / "litellm.pid")
    process = Process(start=("litellm",), pid_file=str(tmp_path / "litellm.pid"))
    custom = Custom(status=("rc-service", "litellm", "status"), log_file="/a")
    same = [
        (PROFILE, msgspec.structs.replace(PROFILE, url=Found("http://b", ""), name="b", host="b")),
        (
            msgspec.structs.replace(PROFILE, service=process),
            msgspec.structs.replace(PROFILE, service=msgspec.structs.replace(process, pid_file=str(link))),
        ),
        (_compose("/srv/compose.yaml", project="a", service="litellm"), _compose("/srv/compose.yaml", folder="/srv")),
        (_compose(folder=str(tmp_path)), _compose(folder=f"{tmp_path}/.")),
        (
            msgspec.structs.replace(PROFILE, service=custom),
            msgspec.structs.replace(PROFILE, service=msgspec.structs.replace(custom, log_file=None)),
        ),
        (msgspec.structs.replace(PROFILE, unit=None), msgspec.structs.replace(PROFILE, unit=None, scope="user")),
    ]
    names = [(operated(one), operated(other)) for one, other in same]
    assert [one for one, _ in names] == [other for _, other in names]
    assert len({one for one, _ in names}) == len(same)


def test_a_user_manager_and_an_engine_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = msgspec.structs.replace(PROFILE, scope="user")
    names = {operated(PROFILE)}
    for runtime in ("/run/user/1", "/run/user/2"):
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        names.add(operated(mine))
    assert len(names) == 3
    names = set()
    for engine in ("unix:///run/docker.sock", "ssh://gw-02"):
        monkeypatch.setenv("DOCKER_HOST", engine)
        names.add(operated(_compose("/srv/compose.yaml")))
    assert len(names) == 2


def test_the_simulation_locks_nothing_of_the_machine(shared: Path, tmp_path: Path) -> None:
    lock = RestartLock.of(PROFILE, tmp_path)
    assert lock.take() is None
    assert list((shared / "lock").iterdir()) == []
    assert RestartLock.of(PROFILE).take() is None
    lock.release()


def test_startstop_runs_under_the_lock(shared: Path) -> None:
    lock, seen = RestartLock.of(PROFILE), []

    async def order() -> None:
        seen.append(RestartLock.of(msgspec.structs.replace(PROFILE, url=Found("http://b", ""))).held())

    assert asyncio.run(carry_out(lock, order)) == ""
    assert [holder.pid for holder in seen if holder] == [os.getpid()]
    assert list((shared / "lock").iterdir()) == []
