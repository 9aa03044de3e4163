"""A look that fails is a look that has seen nothing: it ends no restart, and one that was interrupted can be ended."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.actions.transaction import run, watch
from litellm_tui.actions.transaction.events import Outcome, Seen, Step
from litellm_tui.analysis.change.proof import prove
from tests.actions.test_transaction import BAD, NEW, OLD, Site, World, hurry

SECRET = "sk-this-must-never-be-seen-1234567890"


def _fail(*_: Any, **__: Any) -> Any:
    raise KeyError(SECRET)


async def _fail_later(*_: Any, **__: Any) -> Any:
    raise KeyError(SECRET)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def _interrupt(site: Site) -> None:
    """A restart into what is on the disk, cut off when its proof begins."""
    async with aclosing(site.transaction().apply()) as events:
        async for event in events:
            if isinstance(event, Step) and event.name == "proof":
                break
    record = site.unfinished()
    assert record is not None
    assert record.stage == "proof"


async def test_looks_that_fail_now_and_then_are_made_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real, looks = World.seen, [0]

    def seen(world: World) -> Seen:
        looks[0] += 1
        return _fail() if looks[0] % 2 else real(world)

    monkeypatch.setattr(World, "seen", seen)
    site.begin()
    site.world.save(NEW)
    _, outcome = await site.follow()
    assert outcome.result == "applied", outcome
    assert site.unfinished() is None


async def test_a_service_that_is_never_seen_again_is_not_proved(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = World.seen
    monkeypatch.setattr(World, "seen", lambda world: _fail() if world.orders else real(world))
    # the look before the second order waits for nothing
    monkeypatch.setattr(watch.Watch, "look", _look_once)
    site.begin()
    site.world.save(NEW)
    _, outcome = await site.follow()
    assert outcome.result == "failed", outcome
    assert "nothing was seen of the service: the console's own fault: KeyError at " in outcome.text
    assert SECRET not in outcome.text
    # what ran before is on the disk again, and somebody may prove it later
    assert site.world.disk() == OLD
    assert site.world.orders == 2
    assert site.unfinished() is not None
    monkeypatch.setattr(World, "seen", real)
    _, outcome = await site.follow("finish")
    assert outcome.result == "rolled back", outcome
    assert site.unfinished() is None


async def _look_once(found: watch.Watch) -> Seen | None:
    return found.seen()


async def test_a_diagnosis_or_a_proof_that_fails_once_is_made_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, times = prove, [0]

    def proved(*given: Any) -> Any:
        times[0] += 1
        return _fail() if times[0] < 3 else real(*given)

    monkeypatch.setattr(watch, "prove", proved)
    site.begin()
    site.world.save(NEW)
    _, outcome = await site.follow()
    assert outcome.result == "applied", outcome


async def test_what_cannot_be_read_of_the_log_keeps_nothing_from_being_rolled_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(World, "log_since", _fail_later)
    site.begin()
    site.world.save(BAD)
    _, outcome = await site.follow()
    assert outcome.result == "rolled back", outcome
    assert (site.world.disk(), site.unfinished()) == (OLD, None)


@pytest.mark.parametrize("way", ["finish", "undo"])
async def test_an_interrupted_one_can_be_ended_although_the_log_cannot_be_read(
    site: Site, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    site.begin()
    site.world.save(BAD)
    await _interrupt(site)
    monkeypatch.setattr(World, "log_since", _fail_later)
    _, outcome = await site.follow(way)
    assert outcome.result == "rolled back", outcome
    assert (site.world.disk(), site.unfinished()) == (OLD, None)


async def test_an_interrupted_one_can_be_undone_although_nothing_can_be_seen(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.begin()
    site.world.save(BAD)
    await _interrupt(site)
    monkeypatch.setattr(watch.Watch, "look", _look_once)
    with monkeypatch.context() as patch:
        patch.setattr(World, "seen", _fail)
        _, outcome = await site.follow("undo")
        assert outcome.result == "failed", outcome
        assert site.world.disk() == OLD
    _, outcome = await site.follow("finish")
    assert outcome.result == "rolled back", outcome
    assert site.unfinished() is None


async def test_probes_that_fail_by_the_console_itself_are_sent_again_and_not_for_ever(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Sequence[str]] = []

    async def probe(world: World, groups: Sequence[str]) -> None:
        sent.append(groups)
        raise KeyError(SECRET)

    monkeypatch.setattr(World, "probe", probe)
    monkeypatch.setattr(watch, "AGAIN_SECONDS", 0.01)
    site.profile = msgspec.structs.replace(site.profile, probes=("one",))
    site.begin()
    site.world.save(NEW)
    _, outcome = await site.follow(rollback=False)
    assert outcome.result == "failed", outcome
    assert len(sent) == watch.PROBES


async def test_a_preflight_that_fails_refuses_and_changes_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "inspect", _fail_later)
    site.begin()
    site.world.save(NEW)
    _, outcome = await site.follow()
    assert outcome.result == "refused", outcome
    assert "nothing was changed: the console's own fault: KeyError at " in outcome.text
    assert (site.world.orders, site.unfinished(), site.world.disk()) == (0, None, NEW)


async def test_an_order_that_fails_by_the_console_itself_ends_in_an_outcome_and_can_be_ended(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.begin()
    site.world.save(NEW)
    with monkeypatch.context() as patch:
        patch.setattr(site.world, "order", _fail_later)
        _, outcome = await site.follow()
    assert outcome.result == "failed", outcome
    assert "--finish" in outcome.text
    assert SECRET not in outcome.text
    assert site.unfinished() is not None
    _, outcome = await site.follow("finish")
    assert isinstance(outcome, Outcome)
    assert outcome.result == "applied", outcome
    assert site.unfinished() is None
