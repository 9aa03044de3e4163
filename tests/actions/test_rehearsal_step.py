"""The rehearsal in a restart: what it refuses is never applied, and where it cannot be done the restart goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.actions.transaction import rehearsal
from litellm_tui.actions.transaction.events import Outcome, Seen, Step
from litellm_tui.actions.transaction.rehearsal import Rehearse
from litellm_tui.collectors.config import config_file
from litellm_tui.model.configuration import ConfigFile, Mark
from litellm_tui.model.reading import Reading
from litellm_tui.model.rehearsal import Rehearsal
from tests.actions.test_transaction import BAD, NEW, Site, hurry, names
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    found.begin()
    return found


def giving(result: Rehearsal, then: Callable[[], None] = lambda: None) -> Rehearse:
    async def rehearse(running: Callable[[], Seen], tell: Callable[[str], None]) -> Rehearsal:
        tell("it does not answer yet")
        await asyncio.sleep(0)
        then()
        return result

    return rehearse


async def test_what_the_rehearsal_refuses_is_not_restarted_into(site: Site) -> None:
    site.world.save(BAD)
    refused = Rehearsal("refused", "ValueError: no such strategy", Mark("more.yaml", 1, 19))
    steps, outcome = await site.follow(rehearse=giving(refused))
    assert (outcome.result, site.world.orders) == ("refused", 0)
    assert outcome.text == "nothing was changed: ValueError: no such strategy (more.yaml:1:19)"
    assert outcome.rehearsal == refused
    assert [step.name for step in steps if step.took is not None] == ["preflight", "rehearsal"]
    assert "it does not answer yet" in [step.detail for step in steps]
    assert site.world.disk() == BAD
    assert site.unfinished() is None


async def test_what_passes_is_applied(site: Site) -> None:
    site.world.save(NEW)
    passed = Rehearsal("passed", ready=4.2, memory=350_000_000, differs=("added: one (openai/one)",))
    steps, outcome = await site.follow(rehearse=giving(passed))
    assert (outcome.result, site.world.orders) == ("applied", 1)
    told = next(step for step in steps if step.name == "rehearsal" and step.took is not None)
    assert (told.ok, told.detail) == (True, "it answers after 4.2 s and holds 350 MB")
    assert told.notes == ("added: one (openai/one)",)


async def test_where_it_cannot_be_rehearsed_that_is_said_and_the_restart_goes_on(site: Site) -> None:
    site.world.save(NEW)
    steps, outcome = await site.follow(rehearse=giving(Rehearsal("not possible", "90 MB of memory are free")))
    assert outcome.result == "applied"
    assert any("90 MB of memory are free" in step.detail for step in steps if step.name == "rehearsal")


async def test_who_insists_restarts_into_what_was_refused(site: Site) -> None:
    site.world.save(BAD)
    _, outcome = await site.follow(rehearse=giving(Rehearsal("refused", "no such strategy")), force=True)
    assert (outcome.result, site.world.orders) == ("rolled back", 2)


async def test_what_could_not_be_judged_in_time_is_asked_about(site: Site) -> None:
    site.world.save(NEW)
    slow = Rehearsal("not judged", "it could not be judged within 180 s: it does not answer yet")
    steps, outcome = await site.follow(rehearse=giving(slow))
    assert (outcome.result, site.world.orders) == ("refused", 0)
    assert outcome.text == "nothing was changed: it could not be judged within 180 s: it does not answer yet"
    assert [step.ok for step in steps if step.name == "rehearsal" and step.took is not None] == [False]
    _, outcome = await site.follow(rehearse=giving(slow), force=True)
    assert (outcome.result, site.world.orders) == ("applied", 1)


async def test_another_file_than_was_rehearsed_is_not_applied(site: Site) -> None:
    site.world.save(NEW)
    file = config_file.load(str(site.world.etc / "config.yaml"), {})
    assert isinstance(file, ConfigFile)
    passed = Rehearsal("passed", digest=file.digest)
    _, outcome = await site.follow(rehearse=giving(passed))
    assert outcome.result == "applied"
    site.world.save({"more.yaml": "router_settings: {num_retries: 4}\n"})
    file = config_file.load(str(site.world.etc / "config.yaml"), {})
    assert isinstance(file, ConfigFile)
    passed = Rehearsal("passed", digest=file.digest)
    _, outcome = await site.follow(rehearse=giving(passed, lambda: site.world.save(BAD)))
    assert (outcome.result, site.world.orders) == ("refused", 1)
    assert "changed after it was rehearsed" in outcome.text
    assert site.world.disk() == BAD


async def test_while_nothing_serves_nothing_is_rehearsed(site: Site) -> None:
    site.world.save(BAD)
    site.world.start()
    site.world.save(NEW)
    steps, outcome = await site.follow(rehearse=giving(Rehearsal("refused", "never asked")))
    assert (outcome.result, "rehearsal" in names(steps)) == ("applied", False)


async def test_one_that_was_not_asked_yet_is_waited_for_and_one_that_never_answers_is_not_rehearsed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "ANSWER_SECONDS", 60.0)
    answers = site.world.seen()
    silent = answers._replace(
        snapshot=replace(answers.snapshot, gateway=replace(answers.snapshot.gateway, liveliness=Reading()))
    )
    passed = Rehearsal("passed", ready=1.0)

    async def told(looks: list[Seen]) -> list[Step]:
        step = rehearsal.RehearsalStep(giving(passed))
        return [found async for found in step.events(looks[0], lambda: looks.pop(0) if len(looks) > 1 else looks[0])]

    assert [step.name for step in await told([silent, silent, answers])][-1:] == ["rehearsal"]
    monkeypatch.setattr(rehearsal, "ANSWER_SECONDS", 0.05)
    assert await told([silent]) == []


async def test_a_restart_that_is_left_ends_its_rehearsal_first(site: Site) -> None:
    ended: list[str] = []

    async def rehearse(running: Callable[[], Seen], tell: Callable[[str], None]) -> Rehearsal:
        tell("starting it")
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")
        raise AssertionError

    async with aclosing(site.transaction(rehearse=rehearse).apply()) as events:
        async for event in events:
            assert not isinstance(event, Outcome)
            if isinstance(event, Step) and event.detail == "starting it":
                break
    await eventually(lambda: ended == ["cleaned up"])
    assert (site.world.orders, site.unfinished()) == (0, None)
