"""A unit that is renamed while the console runs: the gateway is opened under its new name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from litellm_tui.demo import Simulation
from litellm_tui.model.found import Found
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service, Unit
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console
from litellm_tui.ui.renamed_unit import RenamedUnit
from tests.ui.scene import Scene, profile_of


@pytest.fixture
def simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulation]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Simulation() as found:
        yield found


def renamed(profile: Profile, *, unit: str = "gateway.service", url: str = "", active: bool = True) -> Profile:
    found = Unit(unit, "system", active, (), None, {}, None, url or profile.url.value)
    source = "found in place of it"
    address = Found(url, source) if url else profile.url
    return msgspec.structs.replace(profile, unit=Found(unit, source), found_unit=found, url=address, config=None)


def gone(service: Reading[Service], note: str = "gateway.service runs litellm now") -> Reading[Service]:
    assert service.value is not None
    value = msgspec.structs.replace(service.value, load_state="not-found", note=note)
    return msgspec.structs.replace(service, value=value, failure=None)


@pytest.mark.parametrize(
    ("how", "taken"),
    [
        ({}, True),
        ({"active": False}, False),
        ({"url": "http://127.0.0.1:1"}, False),
        ({"unit": ""}, False),
    ],
)
async def test_only_the_same_gateway_takes_its_place(
    how: dict[str, str | bool], taken: bool, simulation: Simulation
) -> None:
    plain = profile_of(simulation)
    assert plain.unit is not None
    if how.get("unit") == "":
        how = {"unit": plain.unit.value}
    other = renamed(plain, **how)  # type: ignore[arg-type]
    found = await RenamedUnit().find(msgspec.structs.replace(plain, again=lambda: other))
    assert (found is other) is taken


async def test_nothing_is_searched_for_without_a_unit_in_its_place(simulation: Simulation) -> None:
    app = Console(profile_of(simulation), Settings(), memory=False)
    async with app.run_test(size=(120, 40)) as pilot:
        scene = Scene(app, pilot, simulation)
        await scene.until(lambda: app.view is not None and app.view.snapshot.service.value is not None)
        assert app.view is not None
        service = app.view.snapshot.service
        seen = RenamedUnit()
        assert not seen.is_due(service)
        assert not seen.is_due(gone(service, note=""))
        assert seen.is_due(gone(service))
        assert not seen.is_due(gone(service)), "it was a moment ago"


async def test_the_console_goes_on_under_the_new_name(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = profile_of(simulation)
    other = renamed(plain)
    monkeypatch.setattr(RenamedUnit, "is_due", lambda self, service: True)
    app = Console(msgspec.structs.replace(plain, again=lambda: other), Settings(), memory=False)
    async with app.run_test(size=(120, 40)) as pilot:
        scene = Scene(app, pilot, simulation)
        await scene.until(lambda: not app.is_running)
    assert app.reopen is not None
    assert app.reopen() is other
