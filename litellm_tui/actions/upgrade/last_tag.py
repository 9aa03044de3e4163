"""The last image that a Compose service was changed from here: what `upgrade --back` goes back to. Blocks."""

from __future__ import annotations

from pathlib import Path

import msgspec

from litellm_tui.host import atomic
from litellm_tui.host.bounded import SMALL, read_bytes
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.upgrade import TagExchange
from litellm_tui.services.compose.project import written_image
from litellm_tui.storage.identity import gateway_name
from litellm_tui.target.profile import Profile


def _place(folder: Path, profile: Profile) -> Path:
    return folder / f"{gateway_name(profile.url.value, profile.unit.value if profile.unit else '')}.image"


def keep(folder: Path, profile: Profile, exchange: TagExchange) -> Failure | None:
    """Note the exchange before it is carried out; None when it is on the disk."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic.replace(_place(folder, profile), msgspec.json.encode(exchange))
    except OSError as error:
        return atomic.failure_of("the image that runs could not be noted", error)
    return None


def way_back(folder: Path, profile: Profile) -> TagExchange | Failure:
    """The exchange that takes the last one back."""
    try:
        last = msgspec.json.decode(read_bytes(_place(folder, profile), SMALL), type=TagExchange)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return NotAvailable("no image is known that it was upgraded from")
    there = written_image(last.file, last.service)
    if there != last.after:
        return NotAvailable(f"{last.file} names {there or 'no image'} by now, and not {last.after}")
    return TagExchange(last.file, last.service, last.after, last.before)
