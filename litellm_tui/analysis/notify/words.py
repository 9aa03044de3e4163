"""A message in words: one line for its head, some for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from litellm_tui.analysis.phrases import age
from litellm_tui.model.notification import Digest, Message

_SIGNS = {"bad": "BAD", "warn": "WARNING"}


def head(message: Message) -> str:
    """`gw-01: BAD qwen: refused`, `gw-01: ended after 4 min: qwen: refused`, or that it is a test."""
    what = f"{message.title}: {message.cause}"
    if isinstance(message, Digest) and message.event == "ended":
        return f"{message.gateway}: {what}"
    if message.event == "test":
        return f"{message.gateway}: TEST, nothing is wrong: {what}"
    if message.event == "ended":
        return f"{message.gateway}: ended after {lasted(message)}: {what}"
    worse = " (worse)" if message.event == "worse" else ""
    return f"{message.gateway}: {_SIGNS.get(message.severity, message.severity.upper())}{worse} {what}"


def lines(message: Message) -> Iterator[str]:
    """Why, who is hit, what to do, since when, and where."""
    yield from message.parts if isinstance(message, Digest) else ()
    if message.event != "ended":
        for name, text in (("because", message.reason), ("hit", message.hit), ("next", message.do)):
            if text:
                yield f"{name}: {text}"
    yield f"since: {iso(message.since)}"
    if message.ended_at is not None:
        yield f"until: {iso(message.ended_at)}"
    yield f"gateway: {message.address} on {message.host}"


def lasted(message: Message) -> str:
    """How long the problem was there."""
    end = message.ended_at if message.ended_at is not None else message.written_at
    return age(max(0.0, end - message.since))


def iso(seconds: float) -> str:
    """A moment in UTC, such as 2026-11-30T02:14:31Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
