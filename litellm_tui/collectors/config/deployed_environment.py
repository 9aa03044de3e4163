"""The variables that manifests give a container: literal, from objects of the same file, or kept elsewhere."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import msgspec

from litellm_tui.collectors.config.manifest_values import mapping, text_of
from litellm_tui.model.embedded import Withheld


class Variables(msgspec.Struct, frozen=True):
    """Known values, the names of those that are not known, and the objects and files that they come from."""

    environment: dict[str, str] | None = None
    withheld: Withheld = Withheld()
    sources: tuple[str, ...] = ()


def of_container(container: dict[Any, Any], objects: list[dict[Any, Any]]) -> Variables:
    """`env` and `envFrom` of a container of Kubernetes; `objects` are those of the same file."""
    known: dict[str, str] = {}
    names: set[str] = set()
    sources: list[str] = []
    others = False
    for reference in _list(container.get("envFrom")):
        for key, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            if isinstance(name := mapping(reference.get(key)).get("name"), str):
                sources.append(f"{kind} {name}")
                data = _data(objects, kind, name)
                others = others or data is None
                prefix = str(reference.get("prefix") or "")
                known |= {f"{prefix}{variable}": value for variable, value in (data or {}).items()}
    for item in _list(container.get("env")):
        if not isinstance(name := item.get("name"), str):
            continue
        found, source = _value(item, objects)
        if source:
            sources.append(source)
        known.pop(name, None)
        names.discard(name)
        if found is None:
            names.add(name)
        else:
            known[name] = found
    return Variables(known, Withheld(frozenset(names), others), tuple(dict.fromkeys(sources)))


def _value(item: dict[Any, Any], objects: list[dict[Any, Any]]) -> tuple[str | None, str]:
    """A variable's value and what it comes from; None where it is not in this file."""
    given = mapping(item.get("valueFrom"))
    for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        reference = mapping(given.get(key))
        if isinstance(name := reference.get("name"), str):
            data = _data(objects, kind, name)
            return (data or {}).get(str(reference.get("key"))), f"{kind} {name}"
    if given:
        return None, ""
    value = text_of(item.get("value"))
    return (None if "$(" in value else value), ""


def _data(objects: list[dict[Any, Any]], kind: str, name: str) -> dict[str, str] | None:
    """The keys of a Secret or ConfigMap; None where it is not in this file."""
    for found in objects:
        if found.get("kind") != kind or mapping(found.get("metadata")).get("name") != name:
            continue
        data = {str(key): text_of(value) for key, value in mapping(found.get("data")).items()}
        if kind == "Secret":
            data = {key: decoded for key, value in data.items() if (decoded := _base64(value)) is not None}
            data |= {str(key): text_of(value) for key, value in mapping(found.get("stringData")).items()}
        return data
    return None


def of_compose(service: dict[Any, Any]) -> Variables:
    """`environment` of a service of Compose; what `env_file` names is read by whoever may read files."""
    given = service.get("environment")
    known: dict[str, str] = {}
    names: set[str] = set()
    pairs = given.items() if isinstance(given, dict) else (_pair(item) for item in given or () if isinstance(item, str))
    for name, value in pairs:
        text = text_of(value)
        if value is None or "$" in text.replace("$$", ""):
            names.add(str(name))
        else:
            known[str(name)] = text.replace("$$", "$")
    files = tuple(env_files(service))
    return Variables(known, Withheld(frozenset(names), bool(files)), files)


def env_files(service: dict[Any, Any]) -> Iterator[str]:
    """The files of `env_file`, as they are written."""
    listed = service.get("env_file")
    for item in listed if isinstance(listed, list) else [listed]:
        path = item.get("path") if isinstance(item, dict) else item
        if isinstance(path, str) and path:
            yield path


def _pair(item: str) -> tuple[str, str | None]:
    name, equals, value = item.partition("=")
    return name, value if equals else None


def _list(value: Any) -> list[dict[Any, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _base64(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
