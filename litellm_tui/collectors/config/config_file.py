"""Reads the configuration file as LiteLLM does: PyYAML, includes merged, and every value with its line and column."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from litellm_tui.analysis.redaction.secret_names import names_a_secret, secret_parts
from litellm_tui.collectors.config.file_times import changed_at
from litellm_tui.collectors.config.nesting import too_deep
from litellm_tui.collectors.config.wrapped_text import part_at
from litellm_tui.collectors.config.yaml_problem import is_wide, yaml_problem
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.configuration import (
    ConfigError,
    ConfigFile,
    Duplicate,
    FileDeployment,
    Ignore,
    Mark,
    Origin,
    Reference,
)
from litellm_tui.model.edits import Path

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

ENVIRONMENT_PREFIX = "os.environ/"
MASKED = "•••"
# libyaml's composer recurses in C, where deep nesting kills the process; LiteLLM's own loader fails soon after this
DEEPEST = 250
MOST_FILES = 2_000
_IGNORE = re.compile(rb"#\s*litellm-tui:\s*ignore\b[ \t]*([\w-]*)[ \t]*(.*)")
Marks = dict[tuple[str | int, ...], Mark]


# what was parsed last, by file, with the digest of its content: the same file is read for the key, for the screen, and
# after every touch, and thousands of deployments take a second each time
_parsed: dict[str, tuple[bytes, dict[str, Any], Marks, list[Duplicate]]] = {}


class _Unusable(Exception):
    def __init__(self, error: ConfigError) -> None:
        self.error = error


def load(
    path: str,
    environment: Mapping[str, str],
    instead: Mapping[str, bytes] | None = None,
    inside: Mapping[str, Path] | None = None,
) -> ConfigFile | ConfigError:
    """Read and parse the file and its includes; `environment` resolves `os.environ/` values.

    `instead` holds contents that replace those of files on disk. `inside` leads to the mapping that is the
    configuration, in a file where it is only a part. No content of a file raises: a file that cannot be used is a
    `ConfigError` with its place.
    """
    try:
        with _uncollected():
            return _load(path, environment, instead or {}, inside or {})
    except _Unusable as unusable:
        return unusable.error
    except RecursionError:
        return ConfigError(path, "nested too deeply to be read")
    except ValueError as error:
        return ConfigError(path, f"a key that cannot be written out: {error}")
    except OSError as error:
        # a file was removed after it was read
        return ConfigError(path, error.strerror or str(error), unread=True)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Turn garbage collection off: loading makes many objects and no garbage, and collecting would take longest."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class _Merged:
    """The files read so far, merged the way LiteLLM merges them."""

    def __init__(self, instead: Mapping[str, bytes], inside: Mapping[str, Path]) -> None:
        self.instead = instead
        self.inside = inside
        self.digest = hashlib.sha256()
        self.files: dict[str, None] = {}
        self.duplicates: list[Duplicate] = []
        self.ignores: list[Ignore] = []
        self.data: dict[str, Any] = {}
        self.marks: Marks = {}
        # the paths that have a mark, by their first part
        self.paths: dict[str | int, list[tuple[str | int, ...]]] = {}
        self.origins: dict[str, tuple[Origin, ...]] = {}

    def add_file(self, file: str, more: dict[str, Any], more_marks: Marks) -> None:
        """Merge a file by LiteLLM's rule: a list is extended, any other value replaces the former one."""
        by_key: dict[str | int, list[tuple[str | int, ...]]] = {}
        for path in more_marks:
            if path:
                by_key.setdefault(path[0], []).append(path)
        for key, value in more.items():
            before = self.origins.get(key, ())
            known = self.data.get(key)
            count = len(value) if isinstance(value, list) else None
            offset = 0
            if isinstance(value, list) and isinstance(known, list):
                offset = len(known)
                known.extend(value)
                self.origins[key] = (*before, Origin(file, offset, count))
            else:
                self.data[key] = list(value) if isinstance(value, list) else value
                if before:
                    for path in self.paths.pop(key, ()):
                        del self.marks[path]
                self.origins[key] = (Origin(file, 0, count, tuple(origin.file for origin in before)),)
            for path in by_key.get(key, ()):
                mark = more_marks[path]
                if offset and len(path) > 1 and isinstance(path[1], int):
                    path = (key, path[1] + offset, *path[2:])
                if path not in self.marks:
                    self.marks[path] = mark
                    self.paths.setdefault(key, []).append(path)
        self.marks.setdefault((), more_marks[()])


def _load(
    path: str, environment: Mapping[str, str], instead: Mapping[str, bytes], inside: Mapping[str, Path]
) -> ConfigFile:
    merged = _Merged(instead, inside)
    _read_merged(path, merged)
    for file in merged.files:
        if file not in instead:
            # raises where a file was removed after it was read: it has no time of change
            os.stat(file)
    for file in _parsed.keys() - merged.files.keys():
        _parsed.pop(file, None)
    data, marks = merged.data, merged.marks
    deployments = _deployments(data, marks, path, environment)
    return ConfigFile(
        path=path,
        digest=merged.digest.hexdigest(),
        modified_at=changed_at(tuple(merged.files)),
        files=tuple(merged.files),
        data=data,
        marks=marks,
        deployments=deployments,
        references=tuple(_references(data, marks, path, environment)),
        duplicates=tuple(merged.duplicates),
        ignores=tuple(merged.ignores),
        origins=merged.origins,
    )


def _read_merged(root: str, merged: _Merged) -> None:
    """Read the root and all its includes in LiteLLM's order (common_utils/config_includes.py, resolve_includes).

    A file's own includes come after all those that were named before them: the last one read decides.
    """
    pending = deque(_entries(root, merged))
    while pending:
        name, declared_in, place = pending.popleft()
        included = _included_path(name, declared_in, root, merged.instead)
        if included is None:
            raise _Unusable(ConfigError(declared_in, f"included file {name} does not exist", place.line, place.column))
        if included in merged.files:
            continue  # not merged a second time
        if len(merged.files) == MOST_FILES:
            raise _Unusable(
                ConfigError(declared_in, f"more than {MOST_FILES:,} files are included", place.line, place.column)
            )
        pending.extend(_entries(included, merged))


def _entries(path: str, merged: _Merged) -> Iterator[tuple[str, str, Mark]]:
    """Read and merge one file: `(name, the file that names it, where)` of each file that it includes."""
    data, marks = _read_one(path, merged)
    merged.files[path] = None
    entries = data.pop("include", [])
    merged.add_file(path, data, marks)
    place = marks.get(("include",), Mark(path, 1))
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise _Unusable(ConfigError(path, "'include' must be a list of file paths", place.line, place.column))
    return iter([(entry, path, marks.get(("include", number), place)) for number, entry in enumerate(entries)])


def _included_path(entry: str, declared_in: str, root: str, instead: Mapping[str, bytes]) -> str | None:
    """The included file: beside the file that names it, else beside the root (common_utils/config_includes.py)."""
    for folder in (os.path.dirname(declared_in), os.path.dirname(root)):
        candidate = os.path.abspath(os.path.join(folder, entry))
        if candidate in instead or os.path.exists(candidate):
            return candidate
    return None


def _read_one(path: str, merged: _Merged) -> tuple[dict[str, Any], Marks]:
    try:
        content = merged.instead[path] if path in merged.instead else read_bytes(path)
    except OSError as error:
        raise _Unusable(ConfigError(path, error.strerror or str(error), unread=True)) from error
    merged.digest.update(path.encode() + b"\0" + content + b"\0")
    merged.ignores += _ignores(content, path)
    digest, known = hashlib.sha256(content).digest(), _parsed.get(path)
    if known is None or known[0] != digest:
        known = (digest, *_parse(content, path, merged.inside.get(path, ()), bool(merged.files)))
        if path not in merged.instead and known[1]:  # an empty one is another thing where it is the first
            _parsed[path] = known
    merged.duplicates += known[3]
    return dict(known[1]), known[2]


def _parse(content: bytes, path: str, inside: Path, included: bool) -> tuple[dict[str, Any], Marks, list[Duplicate]]:
    if is_wide(content):
        raise _Unusable(ConfigError(path, "written in UTF-16: LiteLLM reads UTF-8, and ends", 1, 1))
    try:
        if beyond := too_deep(content, DEEPEST, _Loader):
            raise _Unusable(ConfigError(path, "nested too deeply to be read", *beyond))
        loader = _Loader(content)
        try:
            node = part_at(loader.get_single_node(), inside)
            data = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _Unusable(ConfigError(path, *yaml_problem(error, content))) from error
    except yaml.reader.ReaderError as error:
        line = content[: error.position].count(b"\n") + 1
        raise _Unusable(ConfigError(path, f"unreadable character: {error.reason}", line, 1)) from error
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, AttributeError, LookupError) as error:
        # PyYAML's constructors raise more than its own errors on values that do not fit their tags
        problem = str(error).splitlines()[0] if str(error) else "not YAML"
        raise _Unusable(ConfigError(path, f"a value that YAML cannot build: {problem}")) from error
    if data is None:
        if included:  # it may be empty (ProxyConfig._load_yaml_file)
            return {}, {(): Mark(path, 1, 1)}, []
        raise _Unusable(ConfigError(path, "the file is empty; LiteLLM refuses to start with it", 1, 1))
    if not isinstance(data, dict):
        raise _Unusable(ConfigError(path, f"expected a mapping at the top, found a {type(data).__name__}", 1, 1))
    duplicates: list[Duplicate] = []
    marks = _marks(node, path, duplicates)
    return {str(key): value for key, value in data.items()}, marks, duplicates


def _ignores(content: bytes, file: str) -> Iterator[Ignore]:
    """The comments that silence a finding, searched in the lines: the parser drops comments."""
    if b"litellm-tui" not in content:
        return
    for number, line in enumerate(content.splitlines(), 1):
        if found := _IGNORE.search(line):
            rule, reason = (text.decode(errors="replace").strip() for text in found.groups())
            alone = not line[: found.start()].strip(b" \t\xef\xbb\xbf")
            yield Ignore(Mark(file, number, found.start() + 1), number + alone, rule, reason)


def _marks(root: Any, file: str, duplicates: list[Duplicate]) -> Marks:
    """The place of every value; a node that is used again by its anchor keeps the place of its first use.

    Duplicate keys of mappings are added to `duplicates`.
    """
    marks: Marks = {}
    seen: set[int] = set()
    pending: list[tuple[tuple[str | int, ...], Any, Any]] = [((), root, root)]
    while pending:
        path, place, node = pending.pop()
        # the last of a repeated key is looked at first, and is the one that is loaded
        marks.setdefault(path, Mark(file, place.start_mark.line + 1, place.start_mark.column + 1))
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            pending.extend(((*path, str(key.value)), key, value) for key, value in node.value)
            duplicates += _duplicates(node, path, file)
        elif isinstance(node, yaml.SequenceNode):
            pending.extend(((*path, number), value, value) for number, value in enumerate(node.value))
    return marks


def _duplicates(node: Any, path: tuple[str | int, ...], file: str) -> Iterator[Duplicate]:
    keys = [(key.tag, key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    if len(set(keys)) == len(keys):
        return
    for tag, value in dict.fromkeys(keys):
        places = [key.start_mark for key, _ in node.value if (key.tag, key.value) == (tag, value)]
        if len(places) > 1 and tag != "tag:yaml.org,2002:merge":
            marks = tuple(Mark(file, place.line + 1, place.column + 1) for place in places)
            yield Duplicate(file, (*path, value), marks)


def _deployments(
    data: Mapping[str, Any], marks: Marks, file: str, environment: Mapping[str, str]
) -> tuple[FileDeployment, ...]:
    entries = data.get("model_list")
    found = []
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        mark = marks.get(("model_list", index), Mark(file, 1))
        params = entry.get("litellm_params") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and isinstance(params, dict):
            found.append(_deployment(index, entry, params, mark, environment))
    return tuple(found)


def _deployment(
    index: int, entry: Mapping[str, Any], params: Mapping[Any, Any], mark: Mark, environment: Mapping[str, str]
) -> FileDeployment:
    info = entry.get("model_info")
    shown: dict[str, Any] = {}
    missing: list[str] = []
    for key, value in params.items():
        name = _reference(value)
        if name is not None and name not in environment:
            missing.append(name)
        if names_a_secret(str(key)):
            shown[str(key)] = value if name is not None else MASKED
        else:
            shown[str(key)] = environment.get(name) if name is not None else value
    return FileDeployment(
        index=index,
        group=_text(entry.get("model_name")),
        model=_text(shown.get("model")),
        mark=mark,
        api_base=_text(shown["api_base"]) if shown.get("api_base") else None,
        mode=_text(info["mode"]) if isinstance(info, dict) and info.get("mode") else None,
        rpm=_whole(shown.get("rpm")),
        tpm=_whole(shown.get("tpm")),
        params=shown,
        missing=tuple(missing),
    )


def _references(
    data: Mapping[str, Any], marks: Marks, file: str, environment: Mapping[str, str]
) -> Iterator[Reference]:
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), data)]
    seen: set[int] = set()
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict | list):
            if id(value) in seen:
                continue
            seen.add(id(value))
            items = value.items() if isinstance(value, dict) else enumerate(value)
            pending.extend(((*path, key if isinstance(key, int) else str(key)), item) for key, item in items)
        elif (name := _reference(value)) is not None:
            source = "set" if name in environment else None
            yield Reference(name, marks.get(path, Mark(file, 1)), source)


def _reference(value: Any) -> str | None:
    if isinstance(value, str) and value.startswith(ENVIRONMENT_PREFIX):
        return value.removeprefix(ENVIRONMENT_PREFIX)
    return None


def secrets_in(file: ConfigFile, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """The secrets of the configuration: by the names of keys, credentials in addresses, and referenced variables."""
    pending: list[tuple[str, Any]] = [("", file.data)]
    seen: set[int] = set()
    while pending:
        name, value = pending.pop()
        if isinstance(value, dict | list):
            if id(value) not in seen:
                seen.add(id(value))
                items = value.items() if isinstance(value, dict) else ((name, item) for item in value)
                pending.extend((str(key), item) for key, item in items)
        elif isinstance(value, str) and value.startswith(ENVIRONMENT_PREFIX):
            if environment and (found := environment.get(value.removeprefix(ENVIRONMENT_PREFIX))):
                yield from secret_parts(name, found)
        elif isinstance(value, str):
            yield from secret_parts(name, value)


def _text(value: Any) -> str:
    # a few nested aliases can make a collection whose text has gigabytes
    if value is None or isinstance(value, dict | list | tuple | set):
        return ""
    try:
        return str(value)
    except ValueError:
        # Python refuses to format a number of more than 4,300 digits
        return ""


def _whole(value: Any) -> int | None:
    try:
        return int(value) if value is not None else None
    except (TypeError, ValueError, OverflowError):
        return None
