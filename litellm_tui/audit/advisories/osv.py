"""Advisories in the form of OSV (ossf.github.io/osv-schema): the shipped table, and newer records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from litellm_tui.audit.advisories.cvss import base_score
from litellm_tui.audit.advisories.versions import VersionKey, version_key
from litellm_tui.model.release import KIND_RANK, Advisory, AdvisoryKind, AffectedRange, PlantedName

PACKAGE: Final = b"litellm"
_LONGEST: Final = 400
_MOST: Final = 20_000
_SEVERITIES: Final[dict[str, AdvisoryKind]] = {
    "CRITICAL": "critical",
    "HIGH": "high",
    "MODERATE": "moderate",
    "MEDIUM": "moderate",
    "LOW": "low",
}
# the least score of each severity (CVSS 3.1, section 5)
_SCORES: Final[tuple[tuple[float, AdvisoryKind], ...]] = ((9.0, "critical"), (7.0, "high"), (4.0, "moderate"))
# of several records about one hole that of the maintainers' own advisory counts
_ORDER: Final = ("GHSA-", "PYSEC-", "MAL-", "CVE-")


class _Event(msgspec.Struct):
    introduced: str = ""
    fixed: str = ""
    last_affected: str = ""


class _Range(msgspec.Struct):
    type: str = ""
    events: list[_Event] = []


class _Package(msgspec.Struct):
    name: str = ""
    ecosystem: str = ""


class _Affected(msgspec.Struct):
    package: _Package = msgspec.field(default_factory=_Package)
    ranges: list[_Range] = []
    versions: list[str] = []


class _Severity(msgspec.Struct):
    type: str = ""
    score: str = ""


class _Own(msgspec.Struct):
    """What this program's own table says beside OSV's fields."""

    kind: AdvisoryKind | None = None
    source: str = ""
    exploited: str = ""
    files: list[PlantedName] = []
    needs: dict[str, bool] = {}
    note: str = ""


class _Specific(msgspec.Struct):
    severity: Any = None
    litellm_tui: _Own = msgspec.field(default_factory=_Own)


class _Record(msgspec.Struct):
    id: str
    summary: str = ""
    details: str = ""
    aliases: list[str] | None = None
    published: str = ""
    modified: str = ""
    withdrawn: str | None = None
    severity: list[_Severity] | None = None
    affected: list[_Affected] | None = None
    database_specific: _Specific | None = None


class _Wrapped(msgspec.Struct):
    vulns: list[msgspec.Raw]


def decode(content: bytes) -> list[Advisory]:
    """The advisories about LiteLLM in a document: one record, a list of records, or `{"vulns": […]}`.

    Raises ValueError for what is no OSV.
    """
    try:
        start = content.lstrip()[:1]
        if start == b"[":
            raws = msgspec.json.decode(content, type=list[msgspec.Raw])
        else:
            try:
                raws = msgspec.json.decode(content, type=_Wrapped).vulns
            except msgspec.ValidationError:
                raws = [msgspec.Raw(content)]
        records = [msgspec.json.decode(raw, type=_Record) for raw in raws[:_MOST]]
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"no OSV record: {error}") from None
    return [found for record in records if (found := _advisory(record)) is not None]


def _advisory(record: _Record) -> Advisory | None:
    mine = [one for one in record.affected or () if _is_litellm(one.package)]
    if not mine:
        return None
    specific = record.database_specific or _Specific()
    own = specific.litellm_tui
    return Advisory(
        id=record.id[:_LONGEST],
        kind=own.kind or _kind(record, specific),
        summary=_short(record.summary or record.details),
        aliases=tuple(alias[:_LONGEST] for alias in record.aliases or ()),
        ranges=tuple(found for one in mine for spans in one.ranges for found in _ranges(spans)),
        versions=tuple(version for one in mine for version in one.versions[:_MOST]),
        source=own.source or f"osv.dev/vulnerability/{record.id}",
        published=record.published[:10],
        exploited=own.exploited,
        files=tuple(own.files),
        needs=own.needs,
        note=own.note,
        withdrawn=record.withdrawn or "",
    )


def _is_litellm(package: _Package) -> bool:
    return package.name.lower() == "litellm" and package.ecosystem.lower() in ("pypi", "")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _kind(record: _Record, specific: _Specific) -> AdvisoryKind:
    if any(name.startswith("MAL-") for name in (record.id, *(record.aliases or ()))):
        return "compromised"
    if isinstance(specific.severity, str) and (told := _SEVERITIES.get(specific.severity.upper())):
        return told
    scores = [score for one in record.severity or () if (score := base_score(one.score)) is not None]
    if not scores:
        return "unrated"
    return next((kind for least, kind in _SCORES if max(scores) >= least), "low")


def _ranges(spans: _Range) -> Iterator[AffectedRange]:
    """The ranges of a list of events; those of commits are left out."""
    if spans.type not in ("ECOSYSTEM", "SEMVER"):
        return
    events = sorted(spans.events[:_MOST], key=_place)
    begun = ""
    for event in events:
        if event.introduced:
            begun = begun or event.introduced
        elif begun and (event.fixed or event.last_affected):
            yield AffectedRange(begun, event.fixed, event.last_affected)
            begun = ""
    if begun:
        yield AffectedRange(begun)


def _place(event: _Event) -> tuple[bool, VersionKey, bool]:
    text = event.introduced or event.fixed or event.last_affected
    key = version_key("0.dev0" if text == "0" else text)
    least = version_key("0.dev0")
    assert least is not None
    # a fix in the release that brings it in again ends the range before
    return key is not None, key or least, bool(event.introduced)


def merge(shipped: Iterable[Advisory], given: Iterable[Advisory]) -> tuple[Advisory, ...]:
    """The shipped table with a newer one: the newer ranges count, and what is known here beside them stays.

    Several records about one hole become one. What a newer record withdraws is left out.
    """
    groups: list[tuple[set[str], list[Advisory]]] = []
    kept = list(shipped)
    for one in sorted([*kept, *given], key=_trust):
        names = set(one.names)
        near = [group for group in groups if group[0] & names]
        members = [other for group in near for other in group[1]]
        groups = [group for group in groups if not group[0] & names]
        groups.append((names.union(*(group[0] for group in near)), [*members, one]))
    own = {id(one) for one in kept}
    found = [_joined(members, own) for _, members in groups]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (KIND_RANK[one.kind], one.id)))


def _trust(one: Advisory) -> int:
    return next((place for place, start in enumerate(_ORDER) if one.id.startswith(start)), len(_ORDER))


def _joined(members: list[Advisory], own: set[int]) -> Advisory | None:
    """One advisory of several about one hole; None when the newest word is that it is withdrawn."""
    new = [one for one in members if id(one) not in own]
    known = next((one for one in members if id(one) in own), None)
    if new and all(one.withdrawn for one in new):
        return None
    standing = [one for one in new if not one.withdrawn]
    if not standing:
        return known
    first = standing[0]
    names = frozenset().union(*(one.names for one in members)) - {first.id}
    if known is None:
        worst = min((one.kind for one in standing), key=KIND_RANK.__getitem__)
        return msgspec.structs.replace(first, kind=worst, aliases=tuple(sorted(names)))
    return msgspec.structs.replace(
        known,
        aliases=tuple(sorted((names | {first.id}) - {known.id})),
        kind=min((known.kind, *(one.kind for one in standing)), key=KIND_RANK.__getitem__),
        ranges=first.ranges,
        versions=first.versions,
        published=known.published or first.published,
        summary=first.summary or known.summary,
    )
