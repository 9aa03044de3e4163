"""Every setting, as its record describes it: for the page and the manual, an example file, the schema of editors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import inspect

from litellm_tui.target.settings import Settings
from litellm_tui.target.settings_check import expected

SCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"
# what stands for a name of the user's own, by the section that has them
_NAMES: Final = {"profiles": "home", "receivers": "chat"}


class Setting(NamedTuple):
    """One setting: its key, what may stand there, its default as YAML (empty where it has none), words, an example."""

    key: str
    expects: str
    default: str
    words: str
    example: Any


class Section(NamedTuple):
    """The settings of one record. `path` leads to it: a step is a key, a user's own name, or `-` for an item."""

    path: tuple[str, ...]
    words: str
    settings: tuple[Setting, ...]

    @property
    def title(self) -> str:
        """The path as it is told: `notify.rules[]`; a user's own name in capitals."""
        steps = (step.upper() if step in _NAMES.values() else step for step in self.path)
        return ".".join(steps).replace(".-", "[]")


def sections() -> list[Section]:
    """All settings, the top first, each section before those inside it."""
    return list(_sections(_all(), ()))


def schema() -> dict[str, Any]:
    """The settings file as JSON schema, for editors and other checkers."""
    found = msgspec.json.schema(Settings)
    for definition in found["$defs"].values():
        if "description" in definition:
            definition["description"] = _paragraph(definition["description"])
    return {"$schema": SCHEMA, "title": "Settings of litellm-tui", **found}


def example() -> str:
    """A settings file with every setting, all of it commented out."""
    head = [
        "# Settings of litellm-tui. Everything is optional: take the # away from what you need, and its keys above.",
        "# litellm-tui config --check says what is wrong in it.",
    ]
    return "\n".join([*head, *_example(_all(), "")]) + "\n"


def page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "This page is made from the records of the settings (`LITELLM_TUI_WRITE_DOCS=1` writes it anew). The file is "
        "`litellm-tui/config.yaml` in your configuration folder, usually `~/.config`; everything in it is optional. "
        "`litellm-tui config` says where it is and what is wrong in it, by line; `--edit` opens it in your editor, "
        "`--example` prints a file with every setting, `--schema` its [JSON schema](schema/settings.json).",
        "",
        "An editor that knows the YAML language server completes and checks the file with this first line, and the "
        "schema beside it (`litellm-tui config --schema > ~/.config/litellm-tui/schema.json`):",
        "",
        "```yaml",
        "# yaml-language-server: $schema=schema.json",
        "```",
    ]
    for section in sections():
        lines += ["", f"## {f'`{section.title}`' if section.path else 'The file'}", "", section.words, ""]
        lines += ["| setting | expects | default | means | example |", "|---|---|---|---|---|"]
        for one in section.settings:
            default = f"`{one.default}`" if one.default else ""
            shown = f"`{flow(one.example)}`" if one.example is not None else ""
            lines.append(f"| `{one.key}` | {one.expects} | {default} | {one.words} | {shown} |")
    return "\n".join(lines) + "\n"


def flow(value: object) -> str:
    """A value as YAML in one line."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, width=1000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _all() -> inspect.StructType:
    found = inspect.type_info(Settings)
    assert isinstance(found, inspect.StructType)
    return found


def _paragraph(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("`", "")).strip()


def _sections(kind: inspect.StructType, path: tuple[str, ...]) -> Iterator[Section]:
    settings, inner = [], []
    for field in kind.fields:
        meta = _meta(field.type)
        settings.append(
            Setting(
                field.encode_name, expected(field.type), _default(field), meta.get("description", ""),
                next(iter(meta.get("examples", ())), None),
            )
        )  # fmt: skip
        if (found := _record(field.type)) is not None:
            inner.append((found[0], (*path, field.encode_name, *_own_step(field.encode_name, found[1]))))
    yield Section(path, _paragraph(kind.cls.__doc__ or ""), tuple(settings))
    for record, place in inner:
        yield from _sections(record, place)


def _own_step(key: str, way: str) -> tuple[str, ...]:
    return {"mapping": (_NAMES.get(key, "name"),), "list": ("-",)}.get(way, ())


def _example(kind: inspect.StructType, indent: str, first: str = "") -> Iterator[str]:
    for field in kind.fields:
        meta = _meta(field.type)
        begin, first = first or indent, ""
        found = _record(field.type)
        yield f"## {indent}{meta.get('description', '')}"
        if found is None:
            given = meta.get("examples", [None])[0]
            yield f"# {begin}{field.encode_name}: {flow(given)}"
            continue
        yield f"# {begin}{field.encode_name}:"
        record, way = found
        if way == "mapping":
            yield f"# {indent}  {_NAMES.get(field.encode_name, 'name')}:"
            yield from _example(record, indent + "    ")
        elif way == "list":
            yield from _example(record, indent + "    ", f"{indent}  - ")
        else:
            yield from _example(record, indent + "  ")


def _meta(kind: inspect.Type) -> dict[str, Any]:
    return dict(kind.extra_json_schema or {}) if isinstance(kind, inspect.Metadata) else {}


def _default(field: inspect.Field) -> str:
    if field.required or field.default in (msgspec.NODEFAULT, None, ()) or _record(field.type) is not None:
        return ""
    return flow(field.default)


def _record(kind: inspect.Type) -> tuple[inspect.StructType, str] | None:
    """The record inside of a type, and the way to it: `itself`, `mapping` or `list`; None where there is none."""
    match kind:
        case inspect.Metadata():
            return _record(kind.type)
        case inspect.UnionType():
            return next((found for one in kind.types if (found := _record(one)) is not None), None)
        case inspect.StructType():
            return kind, "itself"
        case inspect.DictType():
            found = _record(kind.value_type)
            return (found[0], "mapping") if found else None
        case inspect.VarTupleType():
            found = _record(kind.item_type)
            return (found[0], "list") if found else None
    return None
