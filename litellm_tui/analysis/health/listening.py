"""Where the gateway's own process listens: by its open ports, and by what its server says when it begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from litellm_tui.model.log import LogRecord
from litellm_tui.model.service import Service

# uvicorn, gunicorn, hypercorn and granian; with port 4000 taken LiteLLM takes a random one, and says so only here
# (litellm/proxy/proxy_cli.py)
_ANNOUNCED: Final = re.compile(
    r"(?:Uvicorn running on|Listening at:?|Running on) https?://[^\s/]{1,200}?:([0-9]{1,5})\b"
)
_SERVERS: Final = ("uvicorn", "gunicorn", "hypercorn", "granian")
_READ: Final = 500


def announced_port(records: Sequence[LogRecord], since: float) -> int | None:
    """The port that a server of this process, begun at `since`, last said it listens on."""
    for record in reversed(records):
        if record.time < since:
            return None
        if record.source in _SERVERS and (match := _ANNOUNCED.match(record.text[:_READ])):
            return int(match[1])
    return None


def ports_elsewhere(asked: int | None, service: Service | None, records: Sequence[LogRecord]) -> tuple[int, ...]:
    """The ports on which a process that runs listens in place of the one that is asked, the likeliest first.

    Empty where it listens there, or where that is not known.
    """
    if service is None or service.active_state != "active" or asked is None or asked in service.ports:
        return ()
    said = announced_port(records, (service.started_at or 0.0) - 1.0)
    if not service.ports:
        return (said,) if said is not None and said != asked else ()
    return tuple(sorted(service.ports, key=lambda port: port != said))
