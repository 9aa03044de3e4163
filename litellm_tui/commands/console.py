"""`litellm-tui`: the console on the gateway that is found, or on a simulated one where there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import msgspec

from litellm_tui.commands.open_console import open_console
from litellm_tui.model.found import Missing
from litellm_tui.target.answer import ALIVE, ask_address
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings, load_settings

SIMULATION: str = "SIMULATION: no gateway was found here, --url http://HOST:4000 opens one elsewhere"


def run(options: Options, or_demo: bool = True, plain: bool = False) -> int:
    """Open the console; 0 when it was quit. Where no gateway is found, on the simulated one unless not `or_demo`.

    `plain` prints lines in place of painting a screen.
    """
    settings = load_settings()
    with ExitStack() as simulation:

        def find() -> Profile:
            found = resolve(options, settings)
            if (
                not or_demo
                or not _asks_for_any(options, found)
                or not found.found_nothing
                or ask_address(found.url.value).word == ALIVE
            ):
                return found
            return _simulated(found, settings, simulation)

        if plain:
            from litellm_tui.commands.plain import plain_console

            return plain_console(find, settings)
        # systemctl is asked while Textual is imported: both take about as long
        return open_console(_InBackground(find).result, settings)


def _asks_for_any(options: Options, found: Profile) -> bool:
    """Whether any gateway of this machine will do: none was named, here or in the settings."""
    named = (options.url, options.config, options.unit, options.container, options.scope, options.kind, options.profile)
    return found.name == "discovered" and not any(named)


def _simulated(found: Profile, settings: Settings, stack: ExitStack) -> Profile:
    """The simulated gateway in place of the one that was not found; it ends with `stack`."""
    from litellm_tui.demo import Simulation
    from litellm_tui.demo.past import Past

    simulation = stack.enter_context(Simulation())
    own = Settings(theme=settings.theme, ascii=settings.ascii, mouse=settings.mouse, utc=settings.utc)
    # nothing of the person's own environment may lead away from the simulation
    profile = resolve(Options(unit=simulation.unit, scope="user"), own, tools=simulation.tools, environ={})
    why = "; ".join(one.why for one in found.missing if one.what == "service") or "none was found"
    lack = Missing("gateway", f"none was found on this machine ({why})", "litellm-tui where says what would help")
    return msgspec.structs.replace(
        profile,
        simulated=SIMULATION,
        read_only=found.read_only,
        past=Past(time.time()),
        missing=(lack, *profile.missing),
    )


class _InBackground:
    """A call that runs in a thread from now on; `result` waits for it and raises what it raised."""

    def __init__(self, call: Callable[[], Profile]) -> None:
        self._call = call
        self._value: Profile | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except Exception as error:  # noqa: BLE001  # raised again where the result is wanted
            self._error = error

    def result(self) -> Profile:
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._value is not None
        return self._value
