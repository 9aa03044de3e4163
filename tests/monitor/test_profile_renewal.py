"""The profile after another start: its environment is the new run's, the gateway stays the same."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from msgspec.structs import replace

from litellm_tui.model.found import Found
from litellm_tui.model.service import Unit, Variable
from litellm_tui.model.service_kinds import Compose, Tools
from litellm_tui.monitor import profile_renewal
from litellm_tui.monitor.profile_renewal import ProfileRenewal, plain_environment, with_run_of
from litellm_tui.target.profile import Profile
from tests.waiting import eventually

UNIT = Unit(
    name="gw", scope="compose", active=True, arguments=(), folder=None, environment={}, config="/srv/conf/config.yaml",
    url="http://127.0.0.1:4000",
)  # fmt: skip
PROFILE = Profile(
    name="box", host="here", url=Found("http://127.0.0.1:4000", "--url"), tools=Tools(),
    config=Found("/srv/conf/config.yaml", "it"), unit=Found("gw", "it"), service=Compose(), found_unit=UNIT,
)  # fmt: skip
WITH_KEY = {"EMBED_KEY": Variable("sk-x", "the container")}
NEXT = replace(
    PROFILE, environment=WITH_KEY, found_unit=replace(UNIT, environment=WITH_KEY),
    config=Found("/srv/moved/config.yaml", "it"), url=Found("http://127.0.0.1:5000", "it"),
)  # fmt: skip


def test_what_is_of_the_run_is_taken_and_the_gateway_stays() -> None:
    found = with_run_of(PROFILE, NEXT)
    assert plain_environment(found) == {"EMBED_KEY": "sk-x"}
    assert found.config == NEXT.config
    assert found.url == PROFILE.url


@pytest.mark.parametrize("other", [
    replace(NEXT, unit=Found("another", "it")),
    replace(NEXT, unit=None),
    replace(NEXT, found_unit=None),
    replace(NEXT, service=None),
])  # fmt: skip
def test_another_service_is_not_taken_for_it(other: Profile) -> None:
    assert with_run_of(PROFILE, other) is PROFILE


async def test_each_start_is_looked_at_until_its_environment_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_renewal, "_LOOKS", (0.0, 0.01, 0.01))
    # a start script has not become LiteLLM yet at the first look
    answers = [PROFILE, NEXT]
    asked: list[int] = []

    def again() -> Profile:
        asked.append(1)
        return answers.pop(0) if len(answers) > 1 else answers[0]

    taken: list[Profile] = []
    using = [replace(PROFILE, again=again)]

    def take(found: Profile) -> None:
        taken.append(found)
        using[0] = found

    renewal = ProfileRenewal(lambda: using[0], take)
    running = asyncio.create_task(renewal.run())
    try:
        await asyncio.sleep(0)
        assert not asked
        renewal.another_run()
        await eventually(lambda: len(asked) == 3, "looked three times")
        assert [plain_environment(found) for found in taken] == [{"EMBED_KEY": "sk-x"}]
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
