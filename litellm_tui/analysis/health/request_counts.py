"""How many requests callers made lately and how many of them failed: the one count that every face shows.

A failed request is one that its caller got no answer to, by the attribution of `Traffic.failed`. An attempt that a
fallback made good is none; what a caller asks wrongly is refused, and counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from litellm_tui.analysis.phrases import count
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import STEP, FailedRequests, Step

MINUTES: Final = 5
# fewer failures are no trend
RISING_LEAST: Final = 10
# three minutes are compared, and all of them must have been watched
RISING_SECONDS: Final = 180.0
# a rate over less than this is a guess
_LEAST_SECONDS: Final = 60.0
_REFUSED: Final = ("caller", "refused")


class RequestCounts(NamedTuple):
    """Requests of the last `minutes`; `asked` is None where answers cannot be seen.

    `asked_by_minute` and `failed_by_minute` are those of each minute that ends now, the newest last. `seconds` is the
    part of the time that was watched.
    """

    asked: int | None
    failed: int
    refused: int
    seconds: float
    asked_by_minute: tuple[int, ...]
    failed_by_minute: tuple[int, ...]
    rising: bool = False

    @property
    def per_minute(self) -> float | None:
        """Requests a minute; None where answers cannot be seen."""
        return self.asked / (self.seconds / 60) if self.asked is not None else None

    @property
    def failed_share(self) -> float | None:
        """The share of the requests that failed; None without requests, and where answers cannot be seen."""
        return min(1.0, self.failed / self.asked) if self.asked else None

    @property
    def refused_share(self) -> float | None:
        """The share of the requests that were refused for their callers' doing."""
        return min(1.0, self.refused / self.asked) if self.asked else None


def is_refused(one: FailedRequests) -> bool:
    """Whether the caller asked wrongly: counted apart."""
    return one.by in _REFUSED


def count_requests(snapshot: Snapshot, now: float) -> RequestCounts:
    """The requests of the window that ends at `now`, from access lines or, where there are none, from the models'."""
    traffic = snapshot.traffic
    failures = [one for one in traffic.failed if one.by not in (*_REFUSED, "other")]
    refused = sum(one.times for one in traffic.failed if is_refused(one))
    failed = sum(one.times for one in failures) if traffic.failed else traffic.refused
    failing = by_minute([step for one in failures for step in one.steps], now, 2)
    asked: int | None
    if traffic.access_lines:
        asked = max(traffic.requests, failed)
        steps: list[Step] = list(traffic.steps)
        by_minutes = tuple(map(sum, zip(by_minute(steps, now, 1), by_minute(steps, now, 2), strict=True)))
        if not traffic.failed:
            failing = by_minute(steps, now, 2)
    elif traffic.per_model or traffic.counted:
        kind = "model" if traffic.per_model else "deployment"
        tallies = [tally for tally in traffic.tallies if tally.kind == kind]
        asked = sum(tally.ok for tally in tallies) + failed
        answered = by_minute([step for tally in tallies for step in tally.steps], now, 1)
        by_minutes = tuple(map(sum, zip(answered, failing, strict=True)))
    else:
        asked, by_minutes = None, failing
    since = traffic.since if traffic.since is not None else traffic.counted_since
    watched = now - since if since is not None else 0.0
    rising = watched >= RISING_SECONDS and rises(failing)
    seconds = min(traffic.window, max(_LEAST_SECONDS, watched)) if since is not None else traffic.window
    return RequestCounts(asked, failed, refused, seconds, by_minutes, failing, rising)


def by_minute(steps: Iterable[Step], now: float, place: int) -> tuple[int, ...]:
    """The numbers at this place of each step, summed by minutes that end with the present step; the newest last.

    Minutes of the clock would begin at nothing each time, and what lasts would seem to fall.
    """
    found = [0] * MINUTES
    newest = now - now % STEP
    for step in steps:
        back = min(MINUTES - 1, max(0, int((newest - step[0]) // 60)))
        found[MINUTES - 1 - back] += step[place]
    return tuple(found)


def rises(minutes: Sequence[int]) -> bool:
    """Whether the last two of these minutes had more than the one before each, and all of them more than a few."""
    if len(minutes) < 3 or sum(minutes[-MINUTES:]) < RISING_LEAST:
        return False
    return minutes[-3] < minutes[-2] < minutes[-1]


def rate(per_minute: float) -> str:
    """Requests a minute as a whole number, which does not change with each of them."""
    return "< 1" if 0 < per_minute < 1 else f"{per_minute:,.0f}"


def rate_of(noun: str, per_minute: float) -> str:
    """`< 1 request`, `1 request`, `48 requests`, for what follows "a minute"."""
    number = rate(per_minute)
    return f"{number} {noun}" + ("" if number in ("1", "< 1") else "s")


def share(part: float) -> str:
    """A share in percent, never 0 % or 100 % where it is not quite so."""
    if 0 < part < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < part < 1 else f"{part * 100:.0f} %"


def failed_words(counts: RequestCounts) -> str:
    """`31 failed requests in 5 min (13 %)`."""
    portion = f" ({share(counts.failed_share)})" if counts.failed_share is not None else ""
    return f"{count(counts.failed, 'failed request')} in {MINUTES} min{portion}"


def rates_words(counts: RequestCounts) -> str:
    """`48 requests a minute, 2 % refused (4xx), 13 % failed, in 5 min`; empty where that cannot be seen."""
    if counts.per_minute is None or counts.failed_share is None or counts.refused_share is None:
        return ""
    shares = f"{share(counts.refused_share)} refused (4xx), {share(counts.failed_share)} failed"
    return f"{rate_of('request', counts.per_minute)} a minute, {shares}, in {MINUTES} min"
