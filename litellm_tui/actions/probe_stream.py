"""Whether a streamed answer is whole. HTTP says 200 before the first word is there, so the events have to tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from litellm_tui.analysis.phrases import count

# what a provider says in full, with its trace
_LONGEST: Final = 20_000
_TOKENS: Final = ("content", "reasoning_content", "reasoning", "tool_calls", "text", "refusal")


class Stream:
    """Takes server-sent events line by line; `first_token` is seconds after `began`, by the caller's clock.

    LiteLLM 1.77.7 ends a stream whose upstream was cut off as if it were whole (finish_reason `stop`, `[DONE]`): that
    cannot be seen from outside. 1.106.2 reports it as an error event.
    """

    def __init__(self, began: float) -> None:
        self.first_token: float | None = None
        self._began = began
        self._events = 0
        self._done = False
        self._finish = ""
        self._error = ""
        self._ids: set[str] = set()
        self._models: set[str] = set()

    def take(self, line: str, now: float) -> None:
        """One line as it came; what is no event of LiteLLM's is counted against the stream."""
        if not line.startswith("data:"):
            return
        text = line[5:].strip()
        if text == "[DONE]":
            self._done = True
            return
        try:
            event = msgspec.json.decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            self._error = self._error or f"an event that is not JSON: {text[:200]}"
            return
        if error := event.get("error"):
            said = error.get("message") if isinstance(error, dict) else error
            self._error = self._error or str(said or error)[:_LONGEST]
            return
        self._events += 1
        # an event may leave them empty (Azure's first one does)
        # that there are two of them is all that counts
        if len(self._ids) < 2:
            self._ids |= {str(event.get("id") or "")} - {""}
        if len(self._models) < 2:
            self._models |= {str(event.get("model") or "")} - {""}
        choices = event.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self._take_choice(choice, now)

    def _take_choice(self, choice: Mapping[str, Any], now: float) -> None:
        delta = choice.get("delta")
        words = delta if isinstance(delta, dict) else choice
        if self.first_token is None and any(words.get(name) for name in _TOKENS):
            self.first_token = now - self._began
        self._finish = str(choice.get("finish_reason") or self._finish)[:_LONGEST]

    def progress(self) -> str:
        """How far it came, in words."""
        return f"after {count(self._events, 'event')}" if self._events else "before the first event"

    def complaint(self) -> str:
        """Why the stream that has ended is no answer; empty when it is whole."""
        if self._error:
            return f"{self._error} (the stream broke {self.progress()})"
        if len(self._ids) > 1 or len(self._models) > 1:
            # LiteLLM 1.77.7 lets a default fallback go on with a broken stream, though fallbacks are disabled
            return f"the stream broke, and another model went on with it ({self.progress()})"
        if not self._events:
            return "an empty stream: it ended without a word"
        if not self._finish:
            return f"the stream ended {self.progress()} without a finish_reason: it was cut off"
        if not self._done:
            return f"the stream ended {self.progress()} without [DONE]: it was cut off"
        return ""
