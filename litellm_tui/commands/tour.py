"""`litellm-tui tour`: one incident of a simulated gateway, from the first sight of it to its end, with a guide."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec

from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_tui.demo import Simulation
    from litellm_tui.ui.app import Console
    from litellm_tui.ui.tour import Step

# the group that fails, and clients that ask for it
BROKEN: Final = "qwen2.5-coder:32b"
_CLIENTS: Final = ("10.20.0.11:41872", "10.20.0.31:50316", "10.20.0.12:43001")


def run(options: Options) -> int:
    """Start the simulation, open the console on it with the guide, and leave nothing behind."""
    if options != Options():
        raise SettingsError("tour: takes no options that choose a gateway, it brings its own")
    from litellm_tui.commands.open_console import open_console
    from litellm_tui.demo import Simulation
    from litellm_tui.demo.past import Past

    chosen = load_settings()
    settings = Settings(theme=chosen.theme, ascii=chosen.ascii, mouse=chosen.mouse, utc=chosen.utc)
    with Simulation(scripted=False) as simulation:
        profile = resolve(Options(unit=simulation.unit, scope="user"), settings, tools=simulation.tools, environ={})
        profile = msgspec.structs.replace(profile, past=Past(time.time()))
        return open_console(profile, settings, title="SIMULATION", memory=False, tour=steps(simulation))


def steps(simulation: Simulation) -> list[Step]:
    """The incident: one model's upstream goes away, and comes back."""
    from litellm_tui.demo.routing import Call
    from litellm_tui.ui.tour import Step

    def breaks() -> None:
        simulation.break_model(BROKEN)
        for number in range(6):
            # a third of the clients want this very model: only their failures reach the log as errors
            simulation.traffic(Call(BROKEN, fallbacks=bool(number % 3)), _CLIENTS[number % 3])

    def heals() -> None:
        simulation.heal_model(BROKEN)
        for number in range(6):
            simulation.traffic(Call(BROKEN), _CLIENTS[number % 3])

    return [
        Step(
            "This is a simulated gateway, and all is well: the header says OK, and what is well is quiet. "
            "Press 1: the models are where you will look first.",
            lambda console: _is_main(console) and console.main.shown == "models",
        ),
        Step(
            f"The upstream of {BROKEN} has just gone away. The header says what is wrong and what to do first. "
            "Press ! for everything that is wrong, worst first.",
            _on("Problems"),
            breaks,
        ),
        Step(
            "Each problem has its cause, who is hit, since when, and what to do next. "
            "Press Enter: it leads to the row concerned.",
            _is_main,
        ),
        Step(
            "Its fallback answers for it, so most clients notice nothing: masked is not healthy. "
            "Press 2 for the log, where the failures are.",
            lambda console: _is_main(console) and console.main.shown == "logs",
        ),
        Step("A log repeats itself. Press i: the same failures, one line per cause and group.", _on("IncidentsScreen")),
        Step("Press Esc, then 1: back to the models.", lambda c: _is_main(c) and c.main.shown == "models"),
        Step(
            "Somebody has started the upstream again. Wait a moment: as soon as clients are answered by it, its row is "
            "no longer masked. It is well when five minutes had no failure.",
            _is_answered,
            heals,
        ),
        Step(
            "That was an incident. ? names every key, and p asks a deployment itself, past its fallbacks. On a machine "
            "with a gateway litellm-tui finds it by itself; litellm-tui where says what it found. q quits.",
            lambda _: True,
        ),
    ]


def _is_main(console: Console) -> bool:
    return len(console.screen_stack) == 1


def _on(name: str) -> Callable[[Console], bool]:
    """That this screen is the uppermost one; by its name, for its module is loaded when it is opened."""
    return lambda console: type(console.screen).__name__ == name


def _is_answered(console: Console) -> bool:
    """That what was broken answers for itself again."""
    view = console.view
    return view is not None and all(
        one.verdict.state in ("serving", "degraded") for one in view.diagnosis.deployments if one.group == BROKEN
    )
