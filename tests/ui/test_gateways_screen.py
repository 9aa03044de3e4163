"""Which gateway: the list where several run, the choice that is kept, another one later, and none at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from litellm_tui.demo import Simulation
from litellm_tui.model.discovered import DiscoveredGateway, Discovery, Searched
from litellm_tui.model.service import Unit
from litellm_tui.target.choice import remembered
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.gateways import GatewaysScreen
from tests.ui.scene import Scene, profile_of


def _gateway(name: str, port: int, *, active: bool = True) -> DiscoveredGateway:
    unit = Unit(name, "docker", active, (), None, {}, None, f"http://127.0.0.1:{port}")
    return DiscoveredGateway("docker", "docker", unit, f"container {name}: its image is LiteLLM's", f"docker {name}")


SOCKET = Searched("docker", "containers of Podman", "denied", "run the console with sudo", blocked=True)
FOUND = Discovery((_gateway("one", 4001), _gateway("two", 4002), _gateway("old", 4003, active=False)), (SOCKET,))


def _notes(app: Console) -> str:
    return "\n".join(note.message for note in app._notifications)


class Choices:
    """A profile that is one of several, and what was asked of it."""

    def __init__(self, simulation: Simulation) -> None:
        self.chosen: list[str] = []
        self._plain = profile_of(simulation)

    def profile(self, gateway: str | None = None, *, undecided: bool = False) -> Profile:
        return msgspec.structs.replace(
            self._plain, discovery=FOUND, gateway=gateway, undecided=undecided, choose=self.choose,
            again=lambda: self.profile(gateway),
        )  # fmt: skip

    def choose(self, identity: str) -> Profile:
        self.chosen.append(identity)
        return self.profile(identity)


@pytest.fixture
def choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Choices, Simulation]]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)
    with Simulation() as simulation:
        yield Choices(simulation), simulation


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_of_several_that_run_one_is_chosen_first_and_kept(
    choices: tuple[Choices, Simulation], size: tuple[int, int]
) -> None:
    made, simulation = choices
    app = Console(lambda: made.profile(undecided=True), Settings(), memory=False)
    async with app.run_test(size=size) as pilot:
        scene = Scene(app, pilot, simulation)
        await scene.shows("Which gateway")
        for words in ("one (docker)", "http://127.0.0.1:4002", "stopped", "run the console with sudo", "Esc quit"):
            await scene.shows(words)
        assert app.session.monitor is None, "nothing is asked before it is known what"
        await scene.press("down", "enter")
        await scene.until(lambda: app.session.monitor is not None)
        assert made.chosen == ["docker two"]
        assert remembered() == "docker two"
        await scene.until(lambda: app.view is not None)


async def test_a_click_chooses_too(choices: tuple[Choices, Simulation]) -> None:
    made, simulation = choices
    app = Console(lambda: made.profile(undecided=True), Settings(), memory=False)
    async with app.run_test(size=(120, 40)) as pilot:
        scene = Scene(app, pilot, simulation)
        await scene.shows("two (docker)")
        await pilot.click("#gateways-lines", offset=(5, 2))
        await scene.settled()
        await pilot.click("#gateways-lines", offset=(5, 2), times=2)
        await scene.until(lambda: app.session.monitor is not None)
        assert made.chosen == ["docker two"]


async def test_leaving_the_list_leaves_the_console(choices: tuple[Choices, Simulation]) -> None:
    made, simulation = choices
    app = Console(lambda: made.profile(undecided=True), Settings(), memory=False)
    async with app.run_test(size=(120, 40)) as pilot:
        scene = Scene(app, pilot, simulation)
        await scene.shows("Which gateway")
        await pilot.press("escape")
        await scene.until(lambda: not app.is_running)
    assert app.return_value == 0
    assert made.chosen == []
    assert remembered() is None


async def test_another_one_is_opened_in_place_of_this_one(choices: tuple[Choices, Simulation]) -> None:
    made, simulation = choices
    app = Console(made.profile("docker one"), Settings(), memory=False)
    async with app.run_test(size=(120, 40)) as pilot:
        scene = Scene(app, pilot, simulation)
        await scene.until(lambda: app.view is not None)
        await scene.press("W")
        await scene.shows("open now")
        await scene.press("escape")
        await scene.until(lambda: not isinstance(app.screen, GatewaysScreen))
        assert app.is_running
        await scene.press("W")
        await scene.shows("open now")
        await scene.press("enter")
        await scene.until(lambda: not isinstance(app.screen, GatewaysScreen))
        assert app.reopen is None, "it is open already"
        await scene.press("W")
        await scene.shows("open now")
        await scene.press("down", "enter")
        await scene.until(lambda: not app.is_running)
    assert remembered() == "docker two"
    assert app.reopen is not None
    assert app.reopen().gateway == "docker two"


async def test_a_gateway_that_was_named_has_no_others(choices: tuple[Choices, Simulation]) -> None:
    _, simulation = choices
    app = Console(profile_of(simulation), Settings(), memory=False)
    async with app.run_test(size=(120, 40)) as pilot:
        scene = Scene(app, pilot, simulation)
        await scene.until(lambda: app.view is not None)
        await scene.press("W")
        await scene.until(lambda: "this gateway was named" in _notes(app))


async def test_what_was_found_stands_in_the_header_with_why(choices: tuple[Choices, Simulation]) -> None:
    made, simulation = choices
    profile = made.profile("docker one")
    assert profile.unit is not None
    unit = msgspec.structs.replace(profile.unit, source="found (the only one here): container one")
    app = Console(msgspec.structs.replace(profile, unit=unit), Settings(), memory=False)
    async with app.run_test(size=(160, 40)) as pilot:
        await Scene(app, pilot, simulation).shows("found (the only one here): container one")


async def test_the_simulation_says_that_it_is_one_and_what_to_do(choices: tuple[Choices, Simulation]) -> None:
    _, simulation = choices
    words = "SIMULATION: no gateway was found here"
    profile = msgspec.structs.replace(profile_of(simulation), simulated=words)
    app = Console(lambda: profile, Settings())
    async with app.run_test(size=(120, 40)) as pilot:
        scene = Scene(app, pilot, simulation)
        await scene.shows(words)
        await scene.until(lambda: "litellm-tui --url http://HOST:4000" in _notes(app))
        assert not app.session.remembers, "nothing of it is kept"
