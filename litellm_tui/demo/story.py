"""What happens in the simulated gateway: calm traffic, and incidents that come and go."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from litellm_tui.demo.faults import Fault
from litellm_tui.demo.routing import Call

PERIOD: Final = 300.0
PULSE: Final = 2.0
# mean time between two requests, in seconds
_PAUSE: Final = 1.2
_CODER, _AZURE = "qwen2.5-coder:32b", "azure/gpt-41-prod"
# how often each name is asked for; `assistant` is the alias
_DEMAND: Final = {
    "llama3.1:8b": 30, "assistant": 18, "gpt-4.1": 10, "gpt-4.1-mini": 18, "gemini-2.5-flash": 9,
    _CODER: 22, "nomic-embed-text": 8,
}  # fmt: skip
_CLIENTS: Final = ("10.20.0.11", "10.20.0.12", "10.20.0.14", "10.20.0.31", "10.20.3.7")


class Stage(Protocol):
    """What the story plays on. Names that the running configuration does not have are passed over."""

    def try_break(self, name: str, fault: Fault) -> None: ...
    def try_heal(self, name: str) -> None: ...
    def cache_down(self) -> None: ...
    def cache_up(self) -> None: ...
    def save_edited(self) -> None: ...
    def save_original(self) -> None: ...
    def traffic(self, call: Call, client: str) -> None: ...
    def pulse(self, load: float) -> None: ...


class Story:
    """Events on a time line of its own, in seconds since its beginning. The same seed gives the same story."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._random = random.Random(seed)
        self._script: tuple[tuple[float, Callable[[], None]], ...] = (
            (20, lambda: stage.try_break(_CODER, "refused")),
            # whoever looks sees at once what it means
            (21, lambda: stage.traffic(Call(_CODER), f"{_CLIENTS[0]}:41872")),
            (23, lambda: stage.traffic(Call(_CODER, fallbacks=False), f"{_CLIENTS[3]}:50316")),
            (75, lambda: stage.try_heal(_CODER)),
            (95, stage.cache_down),
            (130, stage.cache_up),
            (150, stage.save_edited),
            (200, lambda: stage.try_break(_AZURE, "rate_limit")),
            (240, lambda: stage.try_heal(_AZURE)),
            (270, stage.save_original),
        )
        self._stage = stage
        self._next_event = 0
        self._next_request = self._random.expovariate(1 / _PAUSE)
        self._next_pulse = PULSE
        self._coding = 0

    def due(self) -> float:
        """When the next thing happens."""
        return min(self._event_at(), self._next_request, self._next_pulse)

    def play(self) -> None:
        """Let the next thing happen."""
        now = self.due()
        if now == self._event_at():
            self._script[self._next_event % len(self._script)][1]()
            self._next_event += 1
        elif now == self._next_request:
            self._stage.traffic(*self.request())
            self._next_request = now + self._random.expovariate(1 / _PAUSE)
        else:
            self._stage.pulse(self._random.uniform(0.01, 0.05))
            self._next_pulse = now + PULSE

    def request(self, demand: Mapping[str, int] = _DEMAND) -> tuple[Call, str]:
        """Somebody's request and the address it comes from."""
        group = self._random.choices(list(demand), list(demand.values()))[0]
        client = f"{self._random.choice(_CLIENTS)}:{self._random.randrange(32768, 60999)}"
        self._coding += group == _CODER
        # some clients want this very model or none: their failures reach the log as errors, the others are masked
        picky = group == _CODER and self._coding % 3 == 0
        return Call(group, embedding=group.endswith("embed-text"), fallbacks=not picky), client

    def pauses(self, length: float) -> list[float]:
        """Times of requests within `length` seconds, for the history before the story."""
        times, at = [], self._random.expovariate(1 / _PAUSE)
        while at < length:
            times.append(at)
            at += self._random.expovariate(1 / _PAUSE)
        return times

    def _event_at(self) -> float:
        round_, index = divmod(self._next_event, len(self._script))
        return round_ * PERIOD + self._script[index][0]
