"""What is told of problems to people who do not look: how each stands, what was told of it, and the messages.

Times are seconds since the epoch. Texts are masked and bounded before they get here.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from litellm_tui.model.diagnosis import PlaceKind, Severity

Told = Literal["began", "worse", "ended", "test"]

FORMAT = 1


class Standing(msgspec.Struct, frozen=True):
    """How one problem stands, as every console and recorder of this gateway has seen it together.

    `since` is its onset, `seen_at` when it was seen last. `gone_at` is when it was first seen to be gone, None while it
    is there, and `ended_at` the end by its evidence. `groups` are the model groups that it is of.
    """

    key: str
    severity: Severity
    title: str
    cause: str
    reason: str
    do: str
    hit: str
    subject: PlaceKind
    groups: tuple[str, ...]
    since: float
    seen_at: float
    gone_at: float | None = None
    ended_at: float | None = None


class Belief(msgspec.Struct, frozen=True):
    """What one receiver was told of a problem last: at `at`, that it is there (`there`), or that it has ended."""

    key: str
    severity: Severity
    there: bool
    at: float
    standing: Standing


class Message(msgspec.Struct, frozen=True):
    """One message to one receiver. docs/notify.md describes its JSON, which keeps its meaning within a `format`.

    `id` is of this message alone, `key` of its problem. `before` is the severity that was told before, empty for what
    begins. `ended_at` is None while the problem lasts.
    """

    id: str
    event: Told
    gateway: str
    address: str
    host: str
    key: str
    severity: Severity
    before: Severity | Literal[""]
    title: str
    cause: str
    reason: str
    do: str
    hit: str
    subject: PlaceKind | Literal[""]
    groups: tuple[str, ...]
    since: float
    ended_at: float | None
    written_at: float
    format: int = FORMAT


class Digest(Message, frozen=True):
    """A message that tells people of many problems at once, each named in `parts`; it is sent, and never kept."""

    parts: tuple[str, ...] = ()


class Waiting(msgspec.Struct, frozen=True):
    """A message in the outbox: to whom, how often it was tried, and what came of it.

    `state` is `waiting`, `sent`, `refused` (the receiver does not take it) or `dropped` (too old, or too many wait).
    """

    receiver: str
    message: Message
    state: Literal["waiting", "sent", "refused", "dropped"]
    attempts: int = 0
    next_try: float = 0.0
    failure: str = ""
    done_at: float | None = None
