"""What another release of LiteLLM makes of a configuration, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any, Final, get_args

from litellm_tui.audit.advisories.matching import affecting
from litellm_tui.audit.catalogue.records import PLACES, Catalogue, CatalogueKind, Value
from litellm_tui.audit.rule import all_rules
from litellm_tui.audit.run import run_audit
from litellm_tui.audit.subject import Subject
from litellm_tui.audit.surroundings import exported_variables, named_callbacks
from litellm_tui.model.audit import RANK, Audit, Finding
from litellm_tui.model.edits import Path
from litellm_tui.model.release import Advisory, ChangeKind, ReleaseChange, ReleaseComparison

_ORDER: Final[tuple[ChangeKind, ...]] = get_args(ChangeKind)
# the sections whose keys a catalogue knows, with the path of each
_SECTIONS: Final[tuple[tuple[CatalogueKind, Path], ...]] = (
    ("sections", ()),
    ("router", ("router_settings",)),
    ("general", ("general_settings",)),
    ("litellm", ("litellm_settings",)),
    ("cache_params", ("litellm_settings", "cache_params")),
)


def compare_releases(
    before: Subject,
    after: Subject,
    silenced: Mapping[str, str] = {},
    prices: tuple[frozenset[str], frozenset[str]] | None = None,
) -> ReleaseComparison:
    """The changes of the same configuration from the release of one subject to that of the other.

    `prices` are the models of both price maps; without them only those are compared that catalogues have.
    """
    first, second = run_audit(before, silenced), run_audit(after, silenced)
    keys = [*_keys(before, after), *_callbacks(before, after)]
    told = {path for path, _ in keys}
    changes = [
        *_findings(first, second, told, _version(before), _version(after)),
        *(change for _, change in keys),
        *_variables(before, after),
        *_defaults(before, after),
        *_models(before, after, prices),
        *_advisories(before, after),
    ]
    changes.sort(key=lambda change: (_ORDER.index(change.kind), change.mark.line if change.mark else 0))
    return ReleaseComparison(
        before.file.path,
        _version(before),
        _version(after),
        tuple(dict.fromkeys(changes)),
        tuple(_unknown(before, after, second, prices)),
    )


def _version(subject: Subject) -> str:
    return subject.catalogue.asked or subject.catalogue.version


def _findings(first: Audit, second: Audit, told: set[Path], old: str, new: str) -> Iterator[ReleaseChange]:
    """What only one of the releases has against the file; advice is left out."""
    rules = all_rules()
    before = {_identity(finding): finding for finding in first.findings}
    after = {_identity(finding): finding for finding in second.findings}
    for identity, finding in after.items():
        if finding.rule in rules and rules[finding.rule].subject == "release":
            continue
        was = before.get(identity)
        if finding.severity == "fatal" and (was is None or was.severity != "fatal"):
            text = f"LiteLLM {new} does not start with it: {finding.text}"
            yield ReleaseChange("fatal", text, finding.mark, finding.do, finding.source)
        elif finding.path in told or finding.severity == "advice":
            continue
        elif was is None or RANK[finding.severity] < RANK[was.severity]:
            yield ReleaseChange("worse", finding.text, finding.mark, finding.do, finding.source)
    for identity, finding in before.items():
        now = after.get(identity)
        if finding.rule in rules and rules[finding.rule].subject == "release":
            continue
        if finding.severity == "fatal" and (now is None or now.severity != "fatal"):
            text = f"LiteLLM {old} does not start with it, {new} does: {finding.text}"
            yield ReleaseChange("harmless", text, finding.mark, "", finding.source)
        elif now is None and finding.path not in told and finding.severity != "advice" and not _worse(finding, second):
            yield ReleaseChange("better", f"{finding.text}: not so in LiteLLM {new}", finding.mark, "", finding.source)


def _worse(finding: Finding, audit: Audit) -> bool:
    """Whether an audit has something as bad at the same place: another rule may cover the other release."""
    return any(
        other.path == finding.path and other.path and RANK[other.severity] <= RANK[finding.severity]
        for other in audit.findings
    )


def _identity(finding: Finding) -> tuple[str, Path, str, int]:
    return finding.rule, finding.path, finding.mark.file, 0 if finding.path else finding.mark.line


def _keys(before: Subject, after: Subject) -> Iterator[tuple[Path, ReleaseChange]]:
    """The keys of the file that one release reads and the other does not."""
    for kind, path in _SECTIONS:
        data: Any = before.data
        for part in path:
            data = data.get(part) if isinstance(data, dict) else None
        for key in data if isinstance(data, dict) else ():
            if isinstance(key, str):
                yield from _key(before, after, kind, (*path, key), key)
    for entry in before.entries:
        for key in entry.params:
            # what no release has by this name is sent to the provider by both
            if isinstance(key, str):
                yield from _key(before, after, "params", entry.at(key), key)


def _key(
    before: Subject, after: Subject, kind: CatalogueKind, path: Path, key: str
) -> Iterator[tuple[Path, ReleaseChange]]:
    was, now = _reads(before.catalogue, kind, key), _reads(after.catalogue, kind, key)
    if was == now:
        return
    where = PLACES.get(kind, "litellm_params")
    span = after.spans.words(kind, key)
    source = f"the source of LiteLLM {_version(before)} and {_version(after)}" + (f" (read {span})" if span else "")
    old, new = _version(before), _version(after)
    if now:
        text = f"{key} in {where} is read by LiteLLM {new}, and not by {old}: it takes effect"
    else:
        elsewhere = after.catalogue.elsewhere(key, kind)
        more = f"; it reads it in {' and '.join(elsewhere)}" if elsewhere else ""
        text = f"{key} in {where} is read by LiteLLM {old}, and not by {new}: it loses its effect{more}"
    yield path, ReleaseChange("read" if now else "unread", text, before.file.mark(path), "", source)


def _reads(catalogue: Catalogue, kind: CatalogueKind, key: str) -> bool:
    if key in catalogue.keys(kind):
        return True
    return kind == "cache_params" and key in catalogue.redis_params


def _callbacks(before: Subject, after: Subject) -> Iterator[tuple[Path, ReleaseChange]]:
    for path, name in named_callbacks(before):
        was, now = name in before.catalogue.callbacks, name in after.catalogue.callbacks
        if was != now and "." not in name:
            does, did = ("knows", "did not") if now else ("does not know", "did")
            text = f"LiteLLM {_version(after)} {does} the callback {name}, {_version(before)} {did}"
            source = f"the source of LiteLLM {_version(before)} and {_version(after)}"
            yield path, ReleaseChange("read" if now else "unread", text, before.file.mark(path), "", source)


def _variables(before: Subject, after: Subject) -> Iterator[ReleaseChange]:
    """The variables that are set and that only one of the releases reads; none where the environment is not known."""
    names = {*(before.environment or ()), *exported_variables(before)}
    for name in sorted(names):
        was, now = name in before.catalogue.environment, name in after.catalogue.environment
        if was == now:
            continue
        path = ("environment_variables", name)
        mark = before.file.mark(path) if path in before.file.marks else None
        does = "reads" if now else "does not read"
        text = f"LiteLLM {_version(after)} {does} the variable {name}, {_version(before)} {'did not' if now else 'did'}"
        source = f"the source of LiteLLM {_version(before)} and {_version(after)}"
        yield ReleaseChange("read" if now else "unread", text, mark, "", source)


def _defaults(before: Subject, after: Subject) -> Iterator[ReleaseChange]:
    """The values that differ where the file sets none."""
    old, new = before.catalogue.defaults, after.catalogue.defaults
    for name in sorted(old.keys() & new.keys()):
        # off, and not set, are the same to whoever asks whether it is on
        off = not old[name] and not new[name] and {type(old[name]), type(new[name])} <= {bool, NoneType}
        if old[name] == new[name] or off or _is_set(before, name):
            continue
        section, dot, key = name.rpartition(".")
        kind = {"router_settings": "router", "litellm_settings": "litellm"}.get(section)
        if kind == "router" and key not in after.catalogue.router:
            continue
        if kind == "litellm" and key not in after.catalogue.litellm:
            continue
        if section == "litellm_settings.cache_params" and before.section("litellm_settings").get("cache") is not True:
            continue
        words = f"{name} is {_shown(new[name])} in LiteLLM {_version(after)} where the file does not set it"
        constant = f"the constant {name} is {_shown(new[name])} in LiteLLM {_version(after)}"
        text = f"{words if dot else constant}, and {_shown(old[name])} in {_version(before)}"
        source = f"the source of LiteLLM {_version(before)} and {_version(after)}"
        do = f"set {name}: {_shown(old[name])} to keep it" if dot and old[name] is not None else ""
        yield ReleaseChange("default", text, None, do, source)


def _is_set(subject: Subject, name: str) -> bool:
    *path, key = name.split(".")
    data: Any = subject.data
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    if path:
        return isinstance(data, dict) and key in data
    # a constant is set by the variable of its name
    return name in (subject.environment or {}) or name in exported_variables(subject)


def _shown(value: Value) -> str:
    if value is None:
        return "unset"
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, str) else f"{value:g}"


def _models(
    before: Subject, after: Subject, prices: tuple[frozenset[str], frozenset[str]] | None
) -> Iterator[ReleaseChange]:
    old, new = prices or (frozenset(before.catalogue.models), frozenset(after.catalogue.models))
    for entry in before.entries:
        info = entry.info.get("base_model")
        model = info if isinstance(info, str) else entry.model
        names = (model, model.partition("/")[2])
        was, now = any(name in old for name in names), any(name in new for name in names)
        if was == now or not model:
            continue
        source = f"model_prices_and_context_window_backup.json of LiteLLM {_version(before)} and {_version(after)}"
        mark = before.file.mark(entry.at("model"))
        if now:
            text = (
                f"{model} of {entry.name} has a price in LiteLLM {_version(after)}: its requests are counted as spend"
            )
            yield ReleaseChange("priced", text, mark, "", source)
        else:
            text = (
                f"{model} of {entry.name} is not in the price map of LiteLLM {_version(after)}: its requests cost "
                "nothing there, budgets do not see them, and its limits and features are not known"
            )
            do = "set input_cost_per_token and output_cost_per_token, or model_info.base_model"
            yield ReleaseChange("unpriced", text, mark, do, source)


def _advisories(before: Subject, after: Subject) -> Iterator[ReleaseChange]:
    old = {one.id: one for one in affecting(before.advisories, _version(before))}
    new = {one.id: one for one in affecting(after.advisories, _version(after))}
    for one in [new[name] for name in new if name not in old]:
        yield ReleaseChange("opened", f"{_named(one)} is in LiteLLM {_version(after)}", None, one.note, one.source)
    for one in [old[name] for name in old if name not in new]:
        yield ReleaseChange(
            "mended", f"{_named(one)} is not in LiteLLM {_version(after)} any more", None, "", one.source
        )


def _named(one: Advisory) -> str:
    dated = f", {one.published}" if one.published else ""
    return f"{one.known_as} ({one.kind}{dated}: {one.summary})"


def _unknown(
    before: Subject, after: Subject, audit: Audit, prices: tuple[frozenset[str], frozenset[str]] | None
) -> Iterator[str]:
    if before.environment is None:
        yield "the environment of LiteLLM: variables were taken as set"
    for subject in (before, after):
        if subject.catalogue.source == "newest":
            yield "which release runs now is not known: the newest that was read for this program was taken"
        elif subject.catalogue.asked:
            nearest, asked = subject.catalogue.version, subject.catalogue.asked
            yield f"what LiteLLM {asked} reads: {nearest}, the nearest that was read for this program, stands in for it"
    yield from (line for line in audit.unknown if line.startswith(("LiteLLM ", "compiled parts")))
    if prices is None and any("/" in entry.model for entry in before.entries):
        yield "prices of models with a provider's name in front: they are in the price maps of environments alone"
