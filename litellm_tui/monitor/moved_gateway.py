"""Where to look for a gateway that is not where it was found: only an address that nobody has given is left.

A process that runs may listen elsewhere than its command line says (LiteLLM takes a random port where 4000 is taken),
and a file or a unit may have got another port since.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from litellm_tui.analysis.health.listening import ports_elsewhere
from litellm_tui.logs.store import LogStore
from litellm_tui.model.failures import Crashed
from litellm_tui.model.found import Found
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.monitor.supervisor import guarded

if TYPE_CHECKING:
    from litellm_tui.target.profile import Profile

# how often an address is searched for anew where it was found, and how often other ports are tried
AGAIN_SECONDS: Final = 10.0
TRY_SECONDS: Final = 2.0
# the newest records, in which a server says where it listens
RECORDS: Final = 2000


def is_given(profile: Profile) -> bool:
    """Whether somebody has given this address: it is then meant as it is."""
    source = profile.url.source
    return source in ("--url", "LITELLM_PROXY_URL") or source.startswith("profile ")


def at_port(url: str, port: int) -> str:
    """The address with another port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    login, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}{at}{host}:{port}").geturl()


class MovedGateway:
    """The addresses that a gateway may have moved to, each time that one may be tried.

    `profile` and `service` give what is known at that moment, `store` holds its log.
    """

    def __init__(
        self, profile: Callable[[], Profile], service: Callable[[], Reading[Service]], store: LogStore
    ) -> None:
        self._profile, self._service, self._store = profile, service, store
        self._tried_at = self._sought_at = -AGAIN_SECONDS

    async def candidates(self, failed: bool) -> tuple[Found, ...]:
        """Other addresses of it, the likeliest first. `failed`: it does not answer where it is looked for."""
        now, profile = time.monotonic(), self._profile()
        if is_given(profile) or now - self._tried_at < TRY_SECONDS:
            return ()
        url = profile.url.value
        parts = urlsplit(url)
        asked = parts.port or (443 if parts.scheme == "https" else 80)
        reading = self._service()
        service = reading.value if reading.failure is None else None
        records = tuple(self._store.since(self._store.last - RECORDS)) if failed else ()
        if ports := ports_elsewhere(asked, service, records):
            self._tried_at = now
            unit = service.unit if service else ""
            return tuple(Found(at_port(url, port), f"the port that {unit} listens on") for port in ports)
        if not failed or profile.again is None or now - self._sought_at < AGAIN_SECONDS:
            return ()
        self._sought_at = now
        found = await asyncio.to_thread(guarded, profile.again)
        if isinstance(found, Crashed) or is_given(found) or found.url.value == url:
            return ()
        return (found.url,)


def moved(profile: Profile, url: Found) -> Profile:
    """The profile with the address at which its gateway answers now."""
    return msgspec.structs.replace(profile, url=url)
