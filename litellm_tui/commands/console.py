"""`litellm-tui`: the console on the gateway that is found."""

from __future__ import annotations

import threading
from collections.abc import Callable

from litellm_tui.commands.open_console import open_console
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import DEFAULT_SOURCE, resolve
from litellm_tui.target.settings import load_settings


def run(options: Options, or_demo: bool = False) -> int:
    """Open the console; 0 when it was quit. With `or_demo` on the simulated gateway where no gateway is found."""
    settings = load_settings()
    # systemctl is asked while Textual is imported: both take about as long
    search = _InBackground(lambda: resolve(options, settings))
    if or_demo and _nothing_found(search.result()):
        from litellm_tui.commands import demo

        print("No gateway was found here: opening the simulated one (litellm-tui where says what was looked for).")
        return demo.run(Options())
    return open_console(search.result, settings)


def _nothing_found(profile: Profile) -> bool:
    return profile.unit is None and profile.config is None and profile.url.source == DEFAULT_SOURCE


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
