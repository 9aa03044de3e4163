"""What differs in a fleet: versions, configurations of a group, models dead on one and alive on another, clocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from litellm_tui.analysis.phrases import age, first_of
from litellm_tui.model.fleet import Seen, StatusDocument

# by which clocks may differ, beside what the link can have taken, until that is said
CLOCK_SECONDS: Final = 5.0
_DEAD: Final = ("failing", "masked", "not loaded")
_ALIVE: Final = ("serving",)
# ends the short word for a model that is dead on one and serves on another
DEAD_HERE: Final = " dead"
# of a fleet in which nothing fits
_MOST_MODELS: Final = 20
_SHORT_DIGEST: Final = 8


class Difference(NamedTuple):
    """A sentence about the fleet, and the members that stand out by it with a short word each."""

    text: str
    members: dict[str, str]


def differences(fleet: Sequence[Seen]) -> tuple[Difference, ...]:
    """All of them. What nothing has been told of differs in nothing, nor does what cannot be reached now."""
    told = [(seen, seen.document) for seen in fleet if seen.document is not None and seen.failure is None]
    return (
        *_versions(told),
        *_configurations(told),
        *_models(told),
        *_clocks(told),
    )


Told = list[tuple[Seen, StatusDocument]]


def _versions(told: Told) -> Iterator[Difference]:
    by_version: dict[str, list[str]] = {}
    for seen, document in told:
        if document.litellm_version:
            by_version.setdefault(document.litellm_version, []).append(seen.member.name)
    if len(by_version) > 1:
        ordered = sorted(by_version.items(), key=lambda entry: (-len(entry[1]), entry[0]))
        text = "; ".join(f"{version} on {first_of(names)}" for version, names in ordered)
        # the most frequent one is what the others differ from
        members = {name: f"LiteLLM {version}" for version, names in ordered[1:] for name in names}
        yield Difference(f"versions of LiteLLM differ: {text}", members)


def differing_groups(fleet: Sequence[Seen]) -> list[str]:
    """The groups that are to have equal configurations, and have not."""
    told = [(seen, seen.document) for seen in fleet if seen.document is not None and seen.failure is None]
    return [
        group
        for group, pairs in _by_group(told).items()
        if len({document.configuration.digest for _, document in pairs if document.configuration}) > 1
    ]


def _by_group(told: Told) -> dict[str, Told]:
    groups: dict[str, Told] = {}
    for seen, document in told:
        if seen.member.group and document.configuration is not None:
            groups.setdefault(seen.member.group, []).append((seen, document))
    return groups


def _configurations(told: Told) -> Iterator[Difference]:
    for group, pairs in _by_group(told).items():
        by_digest: dict[str, list[str]] = {}
        for seen, document in pairs:
            by_digest.setdefault(document.configuration.digest if document.configuration else "", []).append(
                seen.member.name
            )
        if len(by_digest) < 2:
            continue
        ordered = sorted(by_digest.items(), key=lambda entry: (-len(entry[1]), entry[0]))
        text = "; ".join(f"{digest[:_SHORT_DIGEST]} on {first_of(names)}" for digest, names in ordered)
        sections = _sections([document for _, document in pairs])
        where = f", in {first_of(sections)}" if sections else ", in values that are secret"
        members = {name: "configuration" for _, names in ordered[1:] for name in names}
        yield Difference(f"configurations of {group} should be equal and differ{where}: {text}", members)


def _sections(documents: Iterable[StatusDocument]) -> list[str]:
    """The top-level keys whose values differ."""
    known = [document.configuration.sections for document in documents if document.configuration is not None]
    names = dict.fromkeys(name for sections in known for name in sections)
    return [name for name in names if len({sections.get(name) for sections in known}) > 1]


def _models(told: Told) -> Iterator[Difference]:
    dead: dict[tuple[str, str], list[str]] = {}
    alive: dict[tuple[str, str], list[str]] = {}
    for seen, document in told:
        for one in document.deployments:
            kept = dead if one.verdict.state in _DEAD else alive if one.verdict.state in _ALIVE else None
            names = kept.setdefault((one.group, one.model), []) if kept is not None else []
            if seen.member.name not in names:
                names.append(seen.member.name)
    found = [key for key in dead if set(alive.get(key, ())) - set(dead[key])]
    for key in found[:_MOST_MODELS]:
        serving = [name for name in alive[key] if name not in dead[key]]
        label = key[0] if key[0] == key[1] else f"{key[0]} ({key[1]})"
        members = dict.fromkeys(dead[key], f"{key[0]}{DEAD_HERE}")
        yield Difference(f"{label} is dead on {first_of(dead[key])} and serving on {first_of(serving)}", members)
    if rest := found[_MOST_MODELS:]:
        yield Difference(f"{len(rest)} more models are dead on one and serving on another", {})


def _clocks(told: Told) -> Iterator[Difference]:
    for seen, document in told:
        if seen.came_at is None or not document.written_at:
            continue
        # it was under way for half of the round trip, by as much more or less
        ahead = document.written_at - seen.came_at + seen.round_trip / 2
        if abs(ahead) - seen.round_trip / 2 >= CLOCK_SECONDS:
            words = clock_words(ahead)
            yield Difference(f"the clock of {seen.member.name} is {words}", {seen.member.name: f"clock {words}"})


def clock_words(ahead: float) -> str:
    """`2 min ahead of this machine's`, `40 s behind this machine's`: to the nearest unit, as it is an estimate."""
    off = abs(ahead)
    return f"{age(off + (30 if off >= 60 else 0.5))} {'ahead of' if ahead > 0 else 'behind'} this machine's"
