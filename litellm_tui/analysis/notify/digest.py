"""Many messages of one moment as one, for receivers that people read: thirty at once are read by nobody. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

import msgspec

from litellm_tui.analysis.phrases import count, first_of
from litellm_tui.model.diagnosis import Severity
from litellm_tui.model.notification import Digest, Message
from litellm_tui.model.notify_settings import Receiver, Webhook

# so many at once are still read one by one
FEW: Final = 3
# written within this time of the first one
SECONDS: Final = 60.0
_NAMED: Final = 3
_LISTED: Final = 20
_VERBS: Final = {"began": "began", "worse": "got worse", "ended": "ended"}


def is_read_by_people(receiver: Receiver) -> bool:
    """Whether its messages are read, and not counted or matched: a program gets each event as it is."""
    if isinstance(receiver.webhook, Webhook):
        return receiver.webhook.form in ("slack", "ntfy")
    return not isinstance(receiver.apprise, msgspec.UnsetType)


def together(waiting: Sequence[Message]) -> int:
    """How many of those that wait, the oldest first, are told with the first: it alone, or more than `FEW`."""
    first = waiting[0]
    alike = takewhile(
        lambda one: one.event == first.event and abs(one.written_at - first.written_at) <= SECONDS, waiting
    )
    number = sum(1 for _ in alike)
    return number if number > FEW and first.event in _VERBS else 1


def digest(messages: Sequence[Message]) -> Message:
    """One message of several of one event, with the id of the first; it is as bad as the worst of them."""
    first = messages[0]
    if len(messages) == 1:
        return first
    more = max(0, len(messages) - _LISTED)
    worst: Severity = "bad" if any(one.severity == "bad" for one in messages) else "warn"
    whole = msgspec.structs.replace(
        first,
        severity=worst,
        before="",
        title=f"{count(len(messages), 'problem')} {_VERBS[first.event]}",
        cause=first_of([one.title for one in messages], _NAMED),
        reason="",
        do="litellm-tui status",
        hit="",
        subject="",
        groups=tuple(dict.fromkeys(group for one in messages for group in one.groups)),
        since=min(one.since for one in messages),
        ended_at=max((one.ended_at for one in messages if one.ended_at is not None), default=None),
    )
    named = [f"{one.title}: {one.cause}" for one in messages[:_LISTED]]
    return Digest(**msgspec.structs.asdict(whole), parts=(*named, *([f"and {more} more"] if more else [])))
