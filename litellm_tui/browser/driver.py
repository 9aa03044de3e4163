"""Textual's driver for a browser, for a console that ends with its visitor and that may open another gateway.

Textual's own one announces itself and its end with every app that a process runs, and goes on when nobody is at the
other end of its input any more.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final

from textual import messages
from textual.app import App
from textual.drivers.web_driver import WebDriver
from textual.geometry import Size

NAME: Final = "litellm_tui.browser.driver:BrowserDriver"
ANNOUNCEMENT: Final = b"__GANGLION__\n"


class BrowserDriver(WebDriver):
    """Relies on `WebDriver._write` writing everything, on its `run_input_thread` ending with the input, and on its
    `_size`, `write_meta` and `exit_event`, as read in Textual 8.2.8.
    """

    _announced: ClassVar[bool] = False
    # what the browser said last: an app that is opened later is not told again
    _latest: ClassVar[tuple[int, int] | None] = None

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size or BrowserDriver._latest)
        write = self._write

        def once(data: bytes) -> int:
            if data == ANNOUNCEMENT:
                if BrowserDriver._announced:
                    return len(data)
                BrowserDriver._announced = True
            return write(data)

        self._write = once  # type: ignore[assignment]  # a partial there

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Keep the size; raises what Textual's raises."""
        super().on_meta(packet_type, payload)
        if packet_type == "resize" and self._size is not None:
            BrowserDriver._latest = Size(*self._size)

    def run_input_thread(self) -> None:
        """Until the app ends, or the server that writes its input."""
        loop = self._loop
        super().run_input_thread()
        if not self.exit_event.is_set():
            asyncio.run_coroutine_threadsafe(self._app._post_message(messages.ExitApp()), loop=loop)

    def stop_application_mode(self) -> None:
        """Tell the page that the visit is over, unless another gateway is opened now."""
        if getattr(self._app, "reopen", None) is None:
            super().stop_application_mode()
            return
        self.exit_event.set()
        self._input_reader.close()
