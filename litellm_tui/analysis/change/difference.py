"""The changes between two versions of a configuration, and between the file and the running router.

A `Change` holds no value that may be a secret; it only says that the value has changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from litellm_tui.analysis.change.drift import (
    DEFAULT_FALLBACKS,
    ROUTER_KEYS,
    Path,
    entries_of,
    match_deployments,
    parameter_differences,
    router_changes,
    scalar_text,
    shown_by_the_proxy,
)
from litellm_tui.analysis.change.renames import renamed, still_named
from litellm_tui.analysis.change.values import ABSENT, NOT_SHOWN, differing_leaves, secret_text, value_text
from litellm_tui.analysis.nested import are_equal
from litellm_tui.analysis.redaction.secret_names import may_carry_a_secret
from litellm_tui.model.configuration import ConfigFile, FileDeployment, Mark
from litellm_tui.model.diagnosis import Deployment
from litellm_tui.model.gateway import LoadedDeployment

ChangeKind = Literal["added", "removed", "changed"]
ChangeSubject = Literal["deployment", "setting", "alias", "fallback", "environment", "service"]

_FALLBACKS: Final = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
# settings that the router shows, by their places in the file
_SHOWN: Final = {place for places in ROUTER_KEYS.values() for place in places} | set(DEFAULT_FALLBACKS)
_ALIASES: Final = ("router_settings", "model_group_alias")
# the running proxy shows nothing of these sections
_UNSEEN_SECTIONS: Final = ("general_settings", "environment_variables")
NAME_OF_GROUP: Final = "model_name"
_PARAMETERS: Final = "litellm_params"


class Change(msgspec.Struct, frozen=True):
    """One difference. `before` and `after` are texts without secrets, empty on the side without a value.

    `name` is a deployment's group and model, a dotted setting, an alias or `fallbacks of GROUP`; `key` is the changed
    parameter of a deployment. `visible` means that the console can see which of the two runs. `needs_restart` is false
    for what a restart would not fix. `path` is a path into the newer file's data, or into the older one's for a removed
    value; `mark` is its place in the newer file. `order` is what brings it in where a restart does not. `breaks` says
    what in the newer file a renamed group leaves without a target.
    """

    kind: ChangeKind
    what: ChangeSubject
    name: str
    before: str = ""
    after: str = ""
    path: Path = ()
    mark: Mark | None = None
    needs_restart: bool = True
    visible: bool = True
    note: str = ""
    key: str = ""
    order: str = ""
    breaks: str = ""

    @property
    def words(self) -> str:
        """The change in one line."""
        name = f"{self.name}: {self.key}" if self.key else self.name
        if self.before and self.after:
            return f"{name}: {self.before} → {self.after}"
        return f"{name}: {self.before or self.after}" if self.before or self.after else name


def compare_files(before: ConfigFile, after: ConfigFile) -> tuple[Change, ...]:
    """The changes from `before` to `after`: deployments in the order of `after`, removed ones, then settings."""
    if before.digest == after.digest and before.data is after.data:
        return ()
    return (*_deployments(before, after), *_settings(before.data, after))


def changes_to_running(
    file: ConfigFile, rows: Iterable[Deployment], router: Mapping[str, Any] | None, applied: ConfigFile | None = None
) -> tuple[Change, ...]:
    """The changes that a restart with this file would bring, as far as they are known.

    `rows` are the deployments of the diagnosis, `router` the settings that the router shows. Settings that the proxy
    does not show are compared with `applied`, the version of the file that the running process started with.
    """
    found = [*_loaded(file, rows), *_routed(file, router or {})]
    for change in compare_files(applied, file) if applied else ():
        if not change.visible:
            note = f"{change.note}; compared with the file as it was when the process started"
            found.append(msgspec.structs.replace(change, note=note))
    return tuple(found)


# --- deployments -----------------------------------------------------------------------------------------------


def _deployments(before: ConfigFile, after: ConfigFile) -> Iterator[Change]:
    old_entries, new_entries = _raw(before), _raw(after)
    unchanged_old, unchanged_new = set(), set()
    waiting: defaultdict[object, list[FileDeployment]] = defaultdict(list)
    for old in before.deployments:
        waiting[_matching_key(old, old_entries[old.index])].append(old)
    for new in after.deployments:
        entry = new_entries[new.index]
        candidates = waiting[_matching_key(new, entry)]
        # the first candidate is nearly always equal
        for position, old in enumerate(candidates[:8]):
            if are_equal(old_entries[old.index], entry):
                unchanged_old.add(old.index)
                unchanged_new.add(new.index)
                del candidates[position]
                break
    edited = [d for d in after.deployments if d.index not in unchanged_new]
    pairs = match_deployments(edited, (d for d in before.deployments if d.index not in unchanged_old))
    others = renamed((new for new, old in pairs if old is None and new), (old for new, old in pairs if not new and old))
    taken = {old.index for old in others.values()}
    for wanted, was in pairs:
        if wanted is None:
            assert was is not None
            if was.index not in taken:
                yield _removed(was, ("model_list", was.index))
        elif was is not None:
            yield from _edited(wanted, old_entries[was.index], new_entries[wanted.index], after)
        elif (other := others.get(wanted.index)) is not None:
            yield _renamed(wanted, other, after)
            under_its_new_name = {**old_entries[other.index], NAME_OF_GROUP: wanted.group}
            yield from _edited(wanted, under_its_new_name, new_entries[wanted.index], after)
        else:
            yield _added(wanted)


def _matching_key(deployment: FileDeployment, entry: Mapping[str, Any]) -> object:
    """A cheap key that is equal for equal entries."""
    parameters = entry[_PARAMETERS]
    scalars = [value for value in parameters.values() if isinstance(value, str)]
    return deployment.group, deployment.model, len(parameters), *scalars


def _raw(file: ConfigFile) -> list[Any]:
    entries: list[Any] = file.data["model_list"] if file.deployments else []
    return entries


def _edited(
    wanted: FileDeployment, old: Mapping[str, Any], new: Mapping[str, Any], file: ConfigFile
) -> Iterator[Change]:
    for path, before, after in differing_leaves(old, new, ("model_list", wanted.index)):
        key = ".".join(map(str, path[2:])).removeprefix(f"{_PARAMETERS}.")
        secret = any(may_carry_a_secret(str(part)) for part in path[2:])
        visible = (
            len(path) == 4
            and path[2] == _PARAMETERS
            and shown_by_the_proxy(str(path[3]))
            and not isinstance(before, dict | list)
            and not isinstance(after, dict | list)
        )
        unseen = "the proxy does not show it" if secret else "not compared with what the proxy shows"
        yield _change(
            "deployment", _name(wanted), path, before, after, file, secret, visible, "" if visible else unseen, key
        )


def _added(entry: FileDeployment, note: str = "", *, needs_restart: bool = True) -> Change:
    where = entry.api_base or ""
    return Change(
        "added", "deployment", _name(entry), after=value_text(where) if where else "", path=("model_list", entry.index),
        mark=entry.mark, needs_restart=needs_restart, note=note,
    )  # fmt: skip


def _renamed(entry: FileDeployment, was: FileDeployment | LoadedDeployment, file: ConfigFile) -> Change:
    path: Path = ("model_list", entry.index, NAME_OF_GROUP)
    return Change(
        "changed", "deployment", _name(entry), value_text(was.group), value_text(entry.group), path, file.mark(path),
        key=NAME_OF_GROUP, breaks=still_named(was.group, file),
    )  # fmt: skip


def _removed(entry: FileDeployment | LoadedDeployment, path: Path = ()) -> Change:
    where = entry.api_base or ""
    return Change("removed", "deployment", _name(entry), before=value_text(where) if where else "", path=path)


def _name(entry: FileDeployment | LoadedDeployment) -> str:
    return f"{entry.group} ({entry.model})"


def _loaded(file: ConfigFile, rows: Iterable[Deployment]) -> Iterator[Change]:
    rows = tuple(rows)
    others = renamed(
        (row.file for row in rows if row.file and not row.loaded and row.verdict.pending),
        (row.loaded for row in rows if row.loaded and not row.file and not row.loaded.from_db),
    )
    taken = {id(other) for other in others.values()}
    for row in rows:
        if row.file and (other := others.get(row.file.index)) is not None:
            yield _renamed(row.file, other, file)
            differing = parameter_differences(row.file, other)
        elif row.file and row.loaded:
            differing = parameter_differences(row.file, row.loaded)
        else:
            differing = iter(())
        if row.file:
            for found in differing:
                yield Change(
                    _kind(found.runs, found.wanted), "deployment", _name(row.file), _side(found.runs),
                    _side(found.wanted), found.path, file.mark(found.path), key=found.name,
                )  # fmt: skip
        if row.file and not row.loaded and row.file.index not in others:
            pending = row.verdict.pending
            yield _added(row.file, "" if pending else row.verdict.reason, needs_restart=pending)
        elif row.loaded and not row.file and not row.loaded.from_db and id(row.loaded) not in taken:
            yield _removed(row.loaded)


def _routed(file: ConfigFile, router: Mapping[str, Any]) -> Iterator[Change]:
    entries: dict[Path, dict[str, Path]] = {}
    for found in router_changes(file, router):
        what: ChangeSubject = "setting"
        name, path = found.name, found.path
        if found.name in _FALLBACKS:
            what, name = "fallback", f"{found.name} of {found.entry}" if found.entry is not None else found.name
        elif found.name == "model_group_alias" and found.entry is not None:
            what, name = "alias", found.entry
        elif found.entry is not None:
            name = f"{found.name}.{found.entry}"
        if what == "fallback":
            if path not in entries:
                entries[path] = _entry_paths(file, path)
            path = entries[path].get(str(found.entry), path)
        elif found.entry is not None:
            path = (*path, found.entry)
        yield Change(
            _kind(found.runs, found.wanted), what, name, _side(found.runs), _side(found.wanted), path, file.mark(path)
        )


# --- settings --------------------------------------------------------------------------------------------------


def _settings(before: Mapping[str, Any], file: ConfigFile) -> Iterator[Change]:
    for section in {**before, **file.data}:
        old, new = before.get(section, ABSENT), file.data.get(section, ABSENT)
        if section == "model_list" and all(side is ABSENT or isinstance(side, list) for side in (old, new)):
            continue
        for path, was, wanted in differing_leaves(old, new, (section,)):
            yield from _setting(path, was, wanted, file)


def _setting(path: Path, before: Any, after: Any, file: ConfigFile) -> Iterator[Change]:
    name = ".".join(map(str, path))
    visible = path[:2] in _SHOWN
    hides = path[:1] if path[0] in _UNSEEN_SECTIONS else path[:2]
    note = "" if visible else f"the running proxy does not show {'.'.join(map(str, hides))}"
    if len(path) == 2 and path[1] in _FALLBACKS and _are_entries(before) and _are_entries(after):
        old, new = (entries_of(side) for side in (before, after))
        places = _entry_paths(file, path)
        for group in {**old, **new}:
            was, wanted = old.get(group, ABSENT), new.get(group, ABSENT)
            if not are_equal(was, wanted):
                name, place = f"{path[1]} of {scalar_text(group)}", places.get(str(group), path)
                because = "; ".join(filter(None, (_order_note(was, wanted), note)))
                yield _change("fallback", name, place, was, wanted, file, False, visible, because)
        return
    what: ChangeSubject = "setting"
    if path[:2] == _ALIASES and len(path) > 2:
        what, name = "alias", ".".join(map(str, path[2:]))
    elif path[0] == "environment_variables" and len(path) > 1:
        what, name = "environment", ".".join(map(str, path[1:]))
    elif len(path) == 2 and path[1] in (*_FALLBACKS, "default_fallbacks"):
        what = "fallback"
    # the names of aliases are names of models
    secret = what in ("setting", "environment") and any(may_carry_a_secret(str(part)) for part in path)
    yield _change(what, name, path, before, after, file, secret, visible and not secret, note)


def _entry_paths(file: ConfigFile, path: Path) -> dict[str, Path]:
    """The entry of each model group in a list of fallbacks."""
    value = file.section(str(path[0])).get(str(path[1]))
    items = enumerate(value) if isinstance(value, list) else ()
    return {str(key): (*path, index, str(key)) for index, item in items if isinstance(item, dict) for key in item}


def _are_entries(value: Any) -> bool:
    return value is ABSENT or value is None or (isinstance(value, list) and all(isinstance(i, dict) for i in value))


def _order_note(before: Any, after: Any) -> str:
    if not isinstance(before, list) or not isinstance(after, list) or len(before) != len(after):
        return ""
    return (
        "the same targets in another order" if sorted(map(value_text, before)) == sorted(map(value_text, after)) else ""
    )


# --- changes ---------------------------------------------------------------------------------------------------


def _change(
    what: ChangeSubject,
    name: str,
    path: Path,
    before: Any,
    after: Any,
    file: ConfigFile,
    secret: bool,
    visible: bool,
    note: str = "",
    key: str = "",
) -> Change:
    kind: ChangeKind = "added" if before is ABSENT else "removed" if after is ABSENT else "changed"
    if secret:
        old, new = secret_text(before), secret_text(after)
        if old == new == NOT_SHOWN:
            old, new = "", f"changed {NOT_SHOWN}"
    else:
        old, new = ("" if side is ABSENT else value_text(side) for side in (before, after))
    mark = file.mark(path) if kind != "removed" else None
    return Change(kind, what, name, old, new, path, mark, visible=visible, note=note, key=key)


def _kind(before: Any, after: Any) -> ChangeKind:
    return "added" if before is None else "removed" if after is None else "changed"


def _side(value: Any) -> str:
    return "" if value is None else value_text(value)
