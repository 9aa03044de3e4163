"""For how long the gateway did not answer, measured from outside while it is restarted."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from litellm_tui.model.failures import Failure
from litellm_tui.target.profile import Profile

_ASK_SECONDS: Final = 0.1


class Downtime:
    """Asks /health/liveliness ten times a second as long as it is entered.

    `address` gives host and port of the gateway as they are known now: it may come back at another port.
    """

    def __init__(self, profile: Profile, address: Callable[[], str] = str) -> None:
        self._profile = profile
        self._address = address
        # a port-forward leads to one pod and ends with it, whatever the others serve
        unit = profile.found_unit
        self._forwarded = profile.kind == "kubernetes" and unit is not None and unit.url == profile.url.value
        self._task: asyncio.Task[None] | None = None
        self._down_since: float | None = None
        self._total = 0.0
        self._answered = False

    @property
    def seconds(self) -> float | None:
        """The time in which it did not answer, so far; None when it was never seen to answer, or only by one pod."""
        if not self._answered or self._forwarded:
            return None
        return self._total + (time.monotonic() - self._down_since if self._down_since is not None else 0.0)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _url(self) -> str:
        url = self._profile.url.value
        address = self._address()
        if not address or address == self._profile.address:
            return url
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{login}{at}{address}").geturl()

    async def _run(self) -> None:
        from litellm_tui.collectors.gateway.client import LIVELINESS, GatewayClient

        key = self._profile.key.reveal() if self._profile.key else None
        url = self._profile.url.value
        client = GatewayClient(url, key)
        try:
            while True:
                began = time.monotonic()
                if (now := self._url()) != url:
                    url = now
                    client.use_url(url)
                answer = await client.get(LIVELINESS)
                if not isinstance(answer.result, Failure):
                    self._answered = True
                    if self._down_since is not None:
                        self._total += time.monotonic() - self._down_since
                        self._down_since = None
                elif self._down_since is None:
                    self._down_since = began
                await asyncio.sleep(_ASK_SECONDS)
        finally:
            await client.close()
