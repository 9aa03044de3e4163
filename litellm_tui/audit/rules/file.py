"""Rules about the file as a whole: its sections, repeated keys, includes, and values that are not filled in."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterator
from typing import Any, Final

from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import REFERENCE, Subject
from litellm_tui.model.audit import Severity
from litellm_tui.model.configuration import ConfigFile, Duplicate
from litellm_tui.model.edits import Edit, Move, Path, Remove, Rename, SetValue

_MAPPINGS: Final = ("general_settings", "litellm_settings", "environment_variables")
_LISTS: Final = (
    "model_list",
    "guardrails",
    "credential_list",
    "vector_store_registry",
    "files_settings",
    "finetune_settings",
)
_STRICT: Final = ("files_settings", "finetune_settings")
# what the users' guides and other gateways call things that LiteLLM has elsewhere
_ADVISED: Final = {
    "server_settings": "host, port and workers are options of the command line: --host, --port, --num_workers",
    "rate_limit_settings": "set rpm and tpm in a deployment's litellm_params; the limits of a key need a database",
    "debug": "set LITELLM_LOG=DEBUG in the environment while you look for something",
    "test_mode": "take it out",
    "logging": "set LITELLM_LOG in the environment, and litellm_settings.json_logs for JSON",
    "cache_settings": "set litellm_settings.cache: true, with litellm_settings.cache_params beside it",
    "health_check_settings": "set background_health_checks and health_check_interval in general_settings",
    "monitoring": "name what watches in litellm_settings.callbacks",
}
# a block that only anchors values for others is no section; that is how such blocks are named
_ANCHORS: Final = re.compile(
    r"^[._&]|^x[-_]|anchor|default|common|template|shared|alias|definition|base", re.IGNORECASE
)
_SHELL: Final = re.compile(r"\$\{([A-Za-z_]\w*)(?::?[-?+][^}]*)?\}|^\$([A-Z_][A-Z0-9_]*)$")
# where values are used as they are; prompts, guardrails and headers of pass-through routes have dollars of their own
_PLAIN: Final = ("model_list", "litellm_settings", "router_settings", "general_settings", "credential_list")
_OWN_SYNTAX: Final = frozenset(
    {"pass_through_endpoints", "messages", "prompt", "model_info", "guardrails", "callbacks"}
)


@rule(
    "wrong-kind-of-section",
    "fatal",
    "A section is not of the kind that LiteLLM reads",
    why="LiteLLM goes through some sections as mappings and through others as lists, and ends when they are not.",
    source="litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.106.2, 1.77.7)",
    fix="write the section as LiteLLM reads it",
)
def wrong_kind_of_section(subject: Subject) -> Iterator[Hit]:
    for key in _MAPPINGS:
        if (value := subject.data.get(key)) and not isinstance(value, dict):
            yield Hit(f"{key} must be a mapping, and is {_kind(value)}", (key,), "write it as `key: value` lines")
    general = subject.data.get("general_settings")
    if not general and isinstance(general, list | bool | int) and subject.runs(since="1.106"):
        how = "write it as `key: value` lines, or take it out"
        yield Hit("general_settings must be a mapping, and is " + _kind(general), ("general_settings",), how)
    settings = subject.data.get("litellm_settings")
    # 1.109.3 passes over it
    if not settings and isinstance(settings, bool | int) and subject.runs(since="1.106", until="1.106"):
        how = "write it as `key: value` lines, or take it out"
        yield Hit("litellm_settings must be a mapping, and is " + _kind(settings), ("litellm_settings",), how)
    for key in _LISTS:
        value = subject.data.get(key)
        # of these two LiteLLM refuses also what is empty
        if (value or (key in _STRICT and value is not None)) and not isinstance(value, list):
            yield Hit(f"{key} must be a list, and is {_kind(value)}", (key,), "begin each of its entries with `- `")
    router = subject.data.get("router_settings")
    if router and not isinstance(router, dict):
        yield Hit(
            f"router_settings must be a mapping, and is {_kind(router)}: all of it is ignored",
            ("router_settings",),
            "write it as `key: value` lines",
            severity="warning",
        )


@rule(
    "unknown-section",
    "warning",
    "A section that LiteLLM does not read",
    why="LiteLLM reads the top-level keys that it knows. Others are ignored, without a line in the log.",
    source="litellm/proxy/proxy_server.py, ProxyConfig.load_config and init_non_llm_configs (1.106.2, 1.77.7)",
    fix="take it out, or write its keys where LiteLLM reads them",
)
def unknown_section(subject: Subject) -> Iterator[Hit]:
    used = _used(subject)
    for key, value in subject.data.items():
        if key in subject.catalogue.sections or _ANCHORS.search(key) or _is_anchor(value, used):
            continue
        yield _section_hit(subject, key)


@rule(
    "repeated-key",
    "warning",
    "A key that stands twice",
    why="PyYAML, with which LiteLLM reads the file, keeps the last of them. What stands above is not read at all.",
    source="litellm/proxy/proxy_server.py, ProxyConfig._load_yaml_file (1.106.2): yaml.safe_load",
    fix="put what both say under one key",
)
def repeated_key(subject: Subject) -> Iterator[Hit]:
    for duplicate in subject.file.duplicates:
        path = _merged(duplicate, subject.file)
        name, last = ".".join(map(str, duplicate.path)), duplicate.marks[-1]
        for mark in duplicate.marks[:-1]:
            yield Hit(
                f"{name} stands again on line {last.line}: what stands here is not read",
                path,
                edits=(Remove(path, 0),),
                decision="which of the two is meant; this takes out the one that is not read",
                severity="error" if len(path) == 1 else None,
                mark=mark,
            )


@rule(
    "include-replaces",
    "warning",
    "An included file replaces a section",
    why="An included file's lists are added to those before. Every other section it has replaces the whole one before.",
    source="litellm/proxy/common_utils/config_includes.py (1.106.2); ProxyConfig._process_includes (1.77.7)",
    fix="keep each section in one file",
)
def include_replaces(subject: Subject) -> Iterator[Hit | Right]:
    replaced = False
    for key, origins in subject.file.origins.items():
        for origin in origins:
            if origin.overrides:
                replaced = True
                names = " and ".join(_short(name) for name in dict.fromkeys(origin.overrides))
                yield Hit(
                    f"{key} of {names} is replaced by that of {_short(origin.file)}: not a key of it is left", (key,)
                )
    if len(subject.file.files) > 1 and not replaced:
        yield Right("no included file replaces a section of another")


@rule(
    "shell-variable",
    "error",
    "A shell variable, which LiteLLM does not fill in",
    why="LiteLLM knows no ${NAME} and no $NAME: the text itself is sent as the key, or asked as the address.",
    source="litellm/proxy/proxy_server.py, ProxyConfig._check_for_os_environ_vars (1.106.2, 1.77.7)",
    fix="put the whole value into one variable and write os.environ/NAME, unless something fills the file in before",
)
def shell_variable(subject: Subject) -> Iterator[Hit]:
    severity: Severity | None = "warning" if subject.environment is None else None
    for path, value in _texts(subject, _PLAIN):
        if "$" not in value or (found := _SHELL.search(value)) is None:
            continue
        name, where = found[1] or found[2], ".".join(map(str, path))
        edits: tuple[Edit, ...] = ()
        do = decision = ""
        if found[0] == value and isinstance(path[-1], str):
            do = f"write {REFERENCE}{name}"
            edits = (SetValue(path, f"{REFERENCE}{name}"),)
            if not (subject.environment or {}).get(name):
                decision = f"whether LiteLLM gets {name} in its environment, or something fills the file in before"
        yield Hit(f"{where}: the shell's {name} is not filled in", path, do, edits, decision, severity)


@rule(
    "embedded-reference",
    "error",
    "os.environ/ inside a longer value",
    why="LiteLLM resolves os.environ/NAME when the value begins with it, and takes all that follows as the name.",
    source="litellm/proxy/proxy_server.py, ProxyConfig._check_for_os_environ_vars (1.106.2, 1.77.7)",
    fix="put the whole value into one variable, and write os.environ/NAME alone",
)
def embedded_reference(subject: Subject) -> Iterator[Hit]:
    for path, value in _texts(subject, ("model_list", "router_settings", "credential_list")):
        if value.find(REFERENCE) > 0:
            yield Hit(f"{'.'.join(map(str, path))}: the reference inside the value is not resolved", path)


def _section_hit(subject: Subject, key: str) -> Hit:
    path: Path = (key,)
    begin = f"'{key}' is not read"
    if key in _ADVISED:
        return Hit(begin, path, _ADVISED[key])
    places = [place for place in subject.catalogue.elsewhere(key, "sections") if place != "the environment"]
    if places:
        there = subject.data.get(places[0])
        free = (
            len(places) == 1
            and "." not in places[0]
            and (there is None or (isinstance(there, dict) and key not in there))
        )
        return Hit(
            f"{begin} at the top level: it belongs to {' or '.join(places)}",
            path,
            f"move it to {places[0]}",
            (Move(path, (places[0], key)),) if free else (),
            f"whether it is wanted: {key} would take effect for the first time" if free else "",
        )
    if words := subject.spans.words("sections", key):
        return Hit(
            f"{begin} by LiteLLM {subject.catalogue.version}: it was read {words}",
            path,
            "run that version, or take it out",
        )
    near = [name for name in subject.catalogue.close("sections", key) if name not in subject.data]
    if near:
        return Hit(
            f"{begin}: did you mean {' or '.join(near)}?",
            path,
            f"write {near[0]}",
            (Rename(path, near[0]),) if len(near) == 1 else (),
            "whether it is wanted: what stands under it would take effect for the first time" if len(near) == 1 else "",
        )
    return Hit(begin, path)


def _used(subject: Subject) -> Container[int]:
    """The identities of all values in sections that are read: what is anchored is the same object where it is used."""
    seen: set[int] = set()
    pending = [value for key, value in subject.data.items() if key in subject.catalogue.sections]
    while pending:
        value = pending.pop()
        if id(value) not in seen:
            seen.add(id(value))
            pending += _inside(value)
    return seen


def _inside(value: Any) -> Collection[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _is_anchor(value: Any, used: Container[int]) -> bool:
    """Whether a block is used where it is read: by its alias, or by a merge key, which takes its values over."""
    inside = _inside(value)
    telling = any(isinstance(item, dict | list | float) or (isinstance(item, str) and len(item) > 1) for item in inside)
    return bool(inside) and (id(value) in used or (telling and all(id(item) in used for item in inside)))


def _texts(subject: Subject, sections: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Every text below these sections with its path, in the order of the file; a block that is used twice only once."""
    seen: set[int] = set()
    pending: list[tuple[Path, Any]] = [((key,), subject.data[key]) for key in reversed(sections) if key in subject.data]
    while pending:
        path, value = pending.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict | list) and id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, dict):
                inside = [((*path, str(key)), item) for key, item in value.items() if key not in _OWN_SYNTAX]
            else:
                inside = [((*path, number), item) for number, item in enumerate(value)]
            pending += reversed(inside)


def _merged(duplicate: Duplicate, file: ConfigFile) -> Path:
    """The path of a repeated key in the merged configuration."""
    path = duplicate.path
    for origin in file.origins.get(str(path[0]), ()):
        if origin.file == duplicate.file and len(path) > 1 and isinstance(path[1], int):
            return (path[0], path[1] + origin.start, *path[2:])
    return path


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    names: dict[type, str] = {list: "a list", dict: "a mapping", str: "a text"}
    return names.get(type(value), f"a {type(value).__name__}")


def _short(name: str) -> str:
    return name.rpartition("/")[2]
