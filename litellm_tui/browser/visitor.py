"""The console of one visitor: a process of its own, which ends with the visit."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from litellm_tui.browser.driver import NAME

# how long a console may take to end when it is asked to, and after SIGTERM
QUIT_SECONDS: Final = 8.0
TERM_SECONDS: Final = 4.0


class Visitor(AppService):
    """`command` runs the console, without a shell. `send` takes what is painted, `close` ends the visit."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        send: Callable[[bytes], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
        variables: dict[str, str],
    ) -> None:
        super().__init__(
            " ".join(command), write_bytes=send, write_str=_nothing, close=close, download_manager=DownloadManager()
        )
        self._words, self._variables = tuple(command), variables

    @property
    def pid(self) -> int | None:
        """The process; None before it is started."""
        return self._process.pid if self._process is not None else None

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        environment = super()._build_environment(width, height)
        # what a browser shows is UTF-8, whatever the locale of the server is
        return environment | {"TEXTUAL_DRIVER": NAME, "LC_ALL": "C.UTF-8", **self._variables}

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width, height),
            cwd=os.getcwd(),
            # Ctrl+C at the server's terminal is for the server, which ends each console by itself
            start_new_session=True,
        )
        self._stdin = process.stdin
        return process

    async def run(self) -> None:
        """Pass on what the console paints, and end the visit when it has ended, however that was."""
        try:
            await super().run()
        finally:
            await self.remote_close()

    async def on_meta(self, data: bytes) -> None:
        """The end of the console. Nothing else is passed on: no file leaves this machine, and no address is opened."""
        if json.loads(data)["type"] == "exit":
            await self.remote_close()

    async def on_packed(self, payload: bytes) -> None:
        """A part of a file: none is asked for."""

    async def stop(self) -> None:
        """Until the process has ended: asked to, then by SIGTERM, then killed."""
        process, task = self._process, self._task
        self._task = None
        if process is None or task is None:
            return
        for seconds, order in ((QUIT_SECONDS, process.terminate), (TERM_SECONDS, process.kill)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    if order == process.terminate:
                        await self.send_meta({"type": "quit"})
                    await process.wait()
                break
            with contextlib.suppress(ProcessLookupError):
                order()
        await process.wait()
        with contextlib.suppress(TimeoutError):
            # a child of the console may hold its output open
            await asyncio.wait_for(task, 1)


async def _nothing(_: str) -> None:
    """No words are sent to the page."""
