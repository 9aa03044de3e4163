"""The history of the simulated gateway: a month of it, with a night in which things happened. Nothing of it is stored.

Every figure is computed from its time, so that the same moment always shows the same.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from litellm_tui.model.history import COUNTED, UNITS, Event, EventKind, Measure, Series, Source

_DAY: Final = 86400.0
DAYS: Final = 30
# as the header of the simulation says it
UPTIME: Final = 3 * _DAY + 4 * 3600 + 11 * 60
_STEPS: Final = (10, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_CODER, _AZURE, _LLAMA, _MINI = "qwen2.5-coder:32b", "gpt-4.1", "llama3.1:8b", "gpt-4.1-mini"
_BATCH: Final = "nomic-embed-text"


class _Group(NamedTuple):
    """Requests a minute at noon, the usual p95 in seconds, and of how many requests one fails by chance."""

    rate: float
    p95: float
    failing: float


_GROUPS: Final = {
    _LLAMA: _Group(14.0, 1.6, 900), _CODER: _Group(9.0, 4.2, 700), _AZURE: _Group(11.0, 2.4, 1200),
    _MINI: _Group(8.0, 0.9, 2000), "gemini-2.5-flash": _Group(4.0, 1.2, 1500), _BATCH: _Group(3.0, 0.2, 5000),
}  # fmt: skip
_REFUSED, _LIMITED = "upstream refused", "429 too many requests"
_USUAL: Final = "timeout"


class Trouble(NamedTuple):
    """From `begin` to `end` this share of a group's requests fails, and its answers take so many times as long."""

    begin: float
    end: float
    group: str
    share: float
    slower: float
    cause: str


class Past:
    """The month before `now`, in seconds since the epoch; the night is that of `zone` (None: the machine's own)."""

    failure = ""

    def __init__(self, now: float, zone: tzinfo | None = None) -> None:
        self.now = now
        self.started = now - UPTIME
        midnight = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
        # whoever looks before the morning is shown a night that is just over: that of yesterday is no part of his day
        self.midnight = min(midnight.timestamp(), now - 8 * 3600.0)
        self._down = (
            (self.started - 21.0, self.started),
            (self._at(3, 7, 12), self._at(3, 7, 53)),
            (now - 16.3 * _DAY, now - 16.3 * _DAY + 340),
        )
        self._unwatched = ((self._at(4, 2), self._at(4, 49)), (now - 12 * _DAY, now - 11.2 * _DAY))
        self._troubles = (
            Trouble(self._at(1, 12, 8), self._at(2, 5, 31), _CODER, 1.0, 1.0, _REFUSED),
            Trouble(self._at(2, 31), self._at(2, 49, 20), _AZURE, 0.45, 1.7, _LIMITED),
            Trouble(now - 9.4 * _DAY, now - 9.3 * _DAY, _MINI, 0.2, 3.0, _USUAL),
            Trouble(now - 20.1 * _DAY, now - 19.9 * _DAY, _CODER, 0.6, 1.4, _REFUSED),
        )
        self._cache_down = (self._at(5, 20), self._at(5, 26, 40))
        self._told = sorted(
            (event for event in self._events() if now - DAYS * _DAY <= event.at <= now),
            key=lambda event: event.at,
        )

    def _at(self, hour: int, minute: int = 0, second: int = 0) -> float:
        """A time of last night."""
        return self.midnight + hour * 3600.0 + minute * 60.0 + second

    # --- what happened -----------------------------------------------------------------------------------------

    def events(
        self, since: float, until: float | None = None, kinds: Iterable[EventKind] = (), limit: int = 1000
    ) -> list[Event]:
        """As a reader of the record gives them, the newest first."""
        wanted, before = frozenset(kinds), until if until is not None else math.inf
        found = [
            event
            for event in reversed(self._told)
            if event.at < before and (event.until or event.at) >= since and (not wanted or event.kind in wanted)
        ]
        return found[:limit]

    def _events(self) -> Iterator[Event]:
        yield from self._night()
        yield from self._days_before()

    def _night(self) -> Iterator[Event]:
        coder, azure = self._troubles[0], self._troubles[1]
        yield Event(
            1, coder.begin, "problem", f"group:{_CODER}", f"group:{_CODER}", "warn", _CODER, "upstream refuses",
            "start the server at http://gpu-b.example:8000, or have it listen there",
            f"nobody: {_LLAMA} answers in its place", coder.end, "connect: Connection refused (gpu-b.example:8000)",
        )  # fmt: skip
        yield Event(
            2, azure.begin, "problem", f"group:{_AZURE}", f"group:{_AZURE}", "warn", _AZURE, "rate limited (429)",
            "raise the quota of azure/gpt-41-prod, or lower its rpm in the file", f"some of the callers of {_AZURE}",
            azure.end, "429: Requests to the ChatCompletions_Create Operation have exceeded the token rate limit",
        )  # fmt: skip
        begin, end = self._down[1]
        yield Event(
            3, begin, "downtime", "gateway", "", "bad", "gateway did not answer", "its event loop was blocked",
            "see what ran then: the log at that time", "every request fails", end,
        )  # fmt: skip
        begin, end = self._cache_down
        yield Event(
            4, begin, "problem", "cache:", "cache", "warn", "cache", "Redis refuses connections",
            "start Redis", "nobody fails: requests go on, uncached", end,
        )  # fmt: skip
        yield Event(5, self._at(6, 45), "backup", "6", "", "quiet", "configuration kept: 2 files", until=None)

    def _days_before(self) -> Iterator[Event]:
        path, start = "litellm.yaml", self.started
        yield Event(6, start - 320, "saved", path, "configuration", "quiet", f"{path} saved", "2 fallbacks changed")
        yield Event(7, start - 140, "rehearsal", path, "", "ok", "rehearsed: it starts", "answers after 9 s")
        begin, end = self._down[0]
        yield Event(8, begin, "end", "run-2", "", "quiet", "stopped", "by order", text="restart by an operator")
        yield Event(9, begin, "downtime", "gateway", "", "warn", "gateway down", "restarted by order",
                    hit="every request fails", until=end)  # fmt: skip
        yield Event(10, end, "start", "run-3", "", "ok", "started", "LiteLLM 1.106.2")
        yield Event(11, end + 8, "applied", path, "configuration", "ok", "configuration applied",
                    "2 fallbacks changed, retries 2 to 1")  # fmt: skip
        trouble = self._troubles[2]
        yield Event(12, trouble.begin, "problem", f"group:{_MINI}", f"group:{_MINI}", "warn", _MINI, "timeouts",
                    "see the provider's status", f"one in five callers of {_MINI}", trouble.end)  # fmt: skip
        begin, end = self._down[2]
        yield Event(13, begin, "end", "run-1", "", "bad", "killed: out of memory", "the kernel, at 1.9 GB",
                    "give it more memory, or fewer workers")  # fmt: skip
        yield Event(14, begin, "downtime", "gateway", "", "bad", "gateway down", "killed: out of memory",
                    hit="every request fails", until=end)  # fmt: skip
        yield Event(15, end, "start", "run-2", "", "ok", "started", "by systemd, after 5 failed starts")
        trouble = self._troubles[3]
        yield Event(16, trouble.begin, "problem", f"group:{_CODER}", f"group:{_CODER}", "warn", _CODER,
                    "upstream refuses", "start the server", "some of its callers", trouble.end)  # fmt: skip
        upgraded = self.now - 24.2 * _DAY
        yield Event(17, upgraded, "upgrade", "1.106.2", "", "ok", "upgraded", "1.105.0 → 1.106.2", until=None)
        yield Event(18, upgraded + 12, "start", "run-1", "", "ok", "started", "LiteLLM 1.106.2")

    def looked(self, since: float, until: float) -> list[tuple[float, float]]:
        """When somebody looked: all the time but for the gaps."""
        edges = [self.now - DAYS * _DAY]
        for begin, end in sorted(self._unwatched):
            edges += [begin, end]
        edges.append(self.now)
        found = [(max(since, begin), min(until, end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
        return [one for one in found if one[0] < one[1]]

    # --- figures -----------------------------------------------------------------------------------------------

    def subjects(self) -> list[str]:
        """The gateway, its groups, and why requests of theirs failed."""
        causes = {(trouble.group, trouble.cause) for trouble in self._troubles} | {(name, _USUAL) for name in _GROUPS}
        return [
            "",
            *(f"group:{name}" for name in _GROUPS),
            *(f"cause:{name}:{cause}" for name, cause in sorted(causes)),
        ]

    def series(self, subject: str, measure: Measure, since: float, until: float, most: int = 400) -> Series:
        """The measure in the finest steps that make at most `most` points; what is not measured here is None."""
        step = next((one for one in _STEPS if (until - since) / one + 1 <= most), _STEPS[-1])
        first, last = math.floor(since / step), math.ceil(until / step)
        points = tuple((float(n * step), self._value(subject, measure, n * step, step)) for n in range(first, last))
        source: Source = "metrics" if measure not in ("memory", "cpu", "processes", "answer_time") else "service"
        return Series(subject, measure, UNITS[measure], step, points, source)

    def _value(self, subject: str, measure: Measure, at: float, step: int) -> float | None:
        middle = min(at + step / 2, self.now - 1)
        if at >= self.now or not any(begin <= middle < end for begin, end in self.looked(at - step, at + 2 * step)):
            return None
        if subject.startswith("cause:"):
            group, _, cause = subject.removeprefix("cause:").rpartition(":")
            return self._failed(group, at, step, cause) if measure == "failed" else None
        if subject == "":
            return self._of_all(measure, at, step)
        return self._of_group(subject.removeprefix("group:"), measure, at, step)

    def _of_all(self, measure: Measure, at: float, step: int) -> float | None:
        seconds = at - self.started
        if measure in COUNTED and measure not in ("cache_hits", "cache_misses"):
            known = [self._of_group(name, measure, at, step) for name in _GROUPS]
            return sum(value for value in known if value is not None) if any(v is not None for v in known) else None
        if measure.startswith("latency") or measure == "ttft":
            known = [self._of_group(name, measure, at, step) for name in (_LLAMA, _CODER, _AZURE)]
            return max(value for value in known if value is not None)
        if measure in ("cache_hits", "cache_misses"):
            if self._part(at, step, *self._cache_down) > 0.5:
                return None
            asked = self._requests(_LLAMA, at, step) + self._requests(_AZURE, at, step)
            share = 0.31 + 0.08 * _noise("cache", at, step)
            return asked * (share if measure == "cache_hits" else 1 - share)
        if measure == "memory":
            # what a process takes grows while it runs, and begins anew with it
            run = seconds if seconds >= 0 else (at - (self.now - 16.3 * _DAY)) % (13 * _DAY)
            return (412 + 55 * math.log1p(run / 7200) + 18 * _noise("memory", at, step)) * 2**20
        if measure == "cpu":
            return 6 + 20 * self._rhythm(at) + 3 * _noise("cpu", at, step)
        if measure == "answer_time":
            return 0.004 + 0.003 * abs(_noise("answer", at, step)) + 2.0 * self._part(at, step, *self._down[1])
        return 5.0 if measure == "processes" else None

    def _of_group(self, name: str, measure: Measure, at: float, step: int) -> float | None:
        group = _GROUPS.get(name)
        if group is None:
            return None
        if measure == "requests":
            return self._requests(name, at, step)
        if measure == "failed":
            causes = {trouble.cause for trouble in self._troubles if trouble.group == name} | {_USUAL}
            return sum(self._failed(name, at, step, cause) for cause in sorted(causes))
        if measure == "tokens_in":
            return self._requests(name, at, step) * 640
        if measure == "tokens_out":
            return self._requests(name, at, step) * 210
        if measure == "cost" and name in (_AZURE, _MINI, "gemini-2.5-flash"):
            return self._requests(name, at, step) * (0.0031 if name == _AZURE else 0.0004)
        parts = {"latency_p50": 0.45, "latency_p95": 1.0, "latency_p99": 1.6, "ttft": 0.3}
        if measure not in parts:
            return None
        slower = 1 + sum((t.slower - 1) * self._part(at, step, t.begin, t.end) for t in self._of(name))
        # the deploy made the coder's requests go elsewhere: what follows it stands under it
        before = 1.5 if name == _CODER and at < self.started else 1.0
        usual = group.p95 * (1 + 0.35 * self._rhythm(at) + 0.16 * _noise(name, at, step))
        return usual * slower * before * parts[measure]

    def _of(self, name: str) -> Iterator[Trouble]:
        return (trouble for trouble in self._troubles if trouble.group == name)

    def _requests(self, name: str, at: float, step: int) -> float:
        group = _GROUPS[name]
        # embeddings are made at night
        rhythm = 1.2 - self._rhythm(at) if name == _BATCH else self._rhythm(at)
        up = 1 - sum(self._part(at, step, begin, end) for begin, end in self._down)
        return round(group.rate * step / 60 * rhythm * (1 + 0.3 * _noise(name + "r", at, step)) * up)

    def _failed(self, name: str, at: float, step: int, cause: str) -> float:
        asked = self._requests(name, at, step)
        share = sum(t.share * self._part(at, step, t.begin, t.end) for t in self._of(name) if t.cause == cause)
        chance = asked / _GROUPS[name].failing if cause == _USUAL else 0.0
        unlucky = 1 if (zlib.crc32(f"{name}{at}".encode()) % 1000) / 1000 < chance % 1 else 0
        return min(asked, round(asked * share) + int(chance) + unlucky)

    def _rhythm(self, at: float) -> float:
        """From 0.25 at four in the night to 1.0 at four in the afternoon; less on two days of seven."""
        hour = (at - self.midnight) / 3600 % 24
        day = int((at - self.midnight) // _DAY) % 7
        return (0.625 - 0.375 * math.cos((hour - 4) / 24 * 2 * math.pi)) * (0.6 if day in (2, 3) else 1.0)

    @staticmethod
    def _part(at: float, step: int, begin: float, end: float) -> float:
        """Which part of a step is within a time."""
        return max(0.0, min(at + step, end) - max(at, begin)) / step


def _noise(name: str, at: float, step: int) -> float:
    """From -1 to 1, the same for the same name and step."""
    spread = zlib.crc32(f"{name}:{int(at)}".encode()) / 2**32 * 2 - 1
    # over a long step it evens out
    return spread / math.sqrt(max(1.0, step / 600))
