"""How the problems stand, look after look: the same for every console and recorder that looks at one gateway.

Several may look at once, and some of them see a little later: what counts is what is there, not what one of them saw
change. A problem that returns within `FLAPPING_SECONDS` had not ended, as everywhere on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from litellm_tui.analysis.health.memory import FLAPPING_SECONDS, WITHOUT_GATEWAY
from litellm_tui.model.diagnosis import Diagnosis, Problem
from litellm_tui.model.notification import Standing

# what is wrong; a note is told to nobody
_WRONG: Final = ("warn", "bad")
# on the way from one state to the next: no trouble by itself, and nothing is over yet
_PASSING: Final = ("starting", "stopping", "connecting")
# nobody looked for longer than this: what began later than that is another one
_UNWATCHED_SECONDS: Final = 120.0
# more problems than anybody reads; the worst ones are kept
MOST: Final = 500
_LONGEST: Final = {"title": 200, "cause": 300, "reason": 1500, "do": 500, "hit": 500}

Standings = Mapping[str, Standing]
"""By `Problem.key`."""


def observed(
    before: Standings, diagnosis: Diagnosis, gateway_known: bool, now: float, mask: Callable[[str], str]
) -> dict[str, Standing]:
    """How all stand after this look. With `gateway_known` what a look does not show any more is gone.

    While the gateway starts or stops nothing ends, and that it does so is no problem: what comes of it is.
    `mask` takes the secrets out of every text.
    """
    passing = diagnosis.gateway.state in _PASSING
    there = {
        _key(problem, mask): problem
        for problem in _wrong(diagnosis)
        if not (passing and problem.place.kind == "gateway" and not problem.place.key)
    }
    ended = {_key(problem, mask): problem.solved_at for problem in diagnosis.problems if problem.solved_at is not None}
    notes = {_key(problem, mask) for problem in diagnosis.problems if problem.solved_at is None} - set(there)
    groups = {row.key: row.group for row in diagnosis.deployments}
    after: dict[str, Standing] = {}
    for key, problem in there.items():
        after[key] = _there(key, before.get(key), problem, groups, now, mask)
    for key, standing in before.items():
        if key in after:
            continue
        judged = not passing and (key in ended or key in notes or gateway_known or standing.subject in WITHOUT_GATEWAY)
        if standing.gone_at is None and judged:
            end = ended.get(key)
            end = end if end is not None and standing.since <= end <= now else now
            standing = replace(standing, gone_at=now, ended_at=end)
        after[key] = standing
    return after


def has_ended(standing: Standing, now: float) -> bool:
    """Whether it has been gone for so long that it does not come back as the same one.

    A clock that was set back makes it no younger than it is.
    """
    return standing.gone_at is not None and abs(now - standing.gone_at) >= FLAPPING_SECONDS


def _wrong(diagnosis: Diagnosis) -> list[Problem]:
    found = [one for one in diagnosis.problems if one.solved_at is None and one.severity in _WRONG]
    return found[:MOST]


def _key(problem: Problem, mask: Callable[[str], str]) -> str:
    """What the problem is kept under: its key holds names from outside."""
    return bounded(mask(problem.key), 300)


def _there(
    key: str,
    before: Standing | None,
    problem: Problem,
    groups: Mapping[str, str],
    now: float,
    mask: Callable[[str], str],
) -> Standing:
    since = min(problem.since, now) if problem.since is not None else None
    if before is not None and not has_ended(before, now) and not _began_unwatched(before, since, now):
        since = before.since if since is None else min(since, before.since)
    texts = {name: bounded(mask(getattr(problem, name)), most) for name, most in _LONGEST.items()}
    onset = now if since is None else since
    return Standing(
        key=key,
        severity=problem.severity,
        subject=problem.place.kind,
        groups=tuple(mask(name)[:200] for name in groups_of(problem, groups)),
        since=onset,
        seen_at=now,
        title=texts["title"],
        cause=texts["cause"],
        reason=texts["reason"],
        do=texts["do"],
        hit=texts["hit"],
    )


def _began_unwatched(before: Standing, since: float | None, now: float) -> bool:
    return since is not None and now - before.seen_at > _UNWATCHED_SECONDS and since > before.seen_at


def groups_of(problem: Problem, groups: Mapping[str, str]) -> Iterator[str]:
    """The model groups that a problem is of; `groups` are those of the deployments, by their keys."""
    kind, key = problem.place.kind, problem.place.key
    if kind == "deployment" and key in groups:
        yield groups[key]
    elif kind in ("group", "alias") and key:
        yield key
    elif kind == "chain":
        # `kind:source` (`Chain.key`)
        yield key.partition(":")[2]


def bounded(text: str, most: int) -> str:
    """The text in so many characters, in one line, without control characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: most * 2]).split())
    return line if len(line) <= most else line[: most - 1] + "…"
