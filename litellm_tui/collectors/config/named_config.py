"""The configuration file that a Compose file names, by its command and by what is mounted, or a Kustomization."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from typing import Any, Final

_CONFIG: Final = ("--config", "-c")
_LITELLM: Final = re.compile(r"litellm", re.IGNORECASE)
_MOST: Final = 50
_YAML: Final = (".yaml", ".yml")


def named_by_compose(values: list[Any], path: str) -> list[tuple[str, str]]:
    """`(file on this machine, service)` of each service that runs LiteLLM with a configuration that is mounted.

    The files of a Kustomization's ConfigMaps are named too, with no service.
    """
    folder = os.path.dirname(path)
    mappings = [value for value in values if isinstance(value, dict)]
    return [found for value in mappings for found in (*_named(value, folder), *_generated(value, folder))][:_MOST]


def _generated(value: dict[Any, Any], folder: str) -> Iterator[tuple[str, str]]:
    for key in ("configMapGenerator", "secretGenerator"):
        listed = value.get(key)
        for item in listed if isinstance(listed, list) else ():
            files = item.get("files") if isinstance(item, dict) else None
            for file in files if isinstance(files, list) else ():
                if isinstance(file, str) and file.endswith(_YAML):
                    yield _at(folder, file.partition("=")[2] or file), ""


def _named(value: dict[Any, Any], folder: str) -> Iterator[tuple[str, str]]:
    services = value.get("services")
    for name, service in services.items() if isinstance(services, dict) else ():
        if not isinstance(service, dict) or not runs_litellm(service):
            continue
        inside = config_of(words(service.get("command"))) or config_of(words(service.get("entrypoint")))
        mounts = [*_volumes(service), *_configs(service, value.get("configs"))]
        if inside:
            for source, target in mounts:
                if os.path.normpath(target) == os.path.normpath(os.path.join("/app", inside)):
                    yield _at(folder, source), str(name)
                elif inside.startswith(target.rstrip("/") + "/") and not source.endswith(_YAML):
                    yield _at(folder, os.path.join(source, os.path.relpath(inside, target))), str(name)
        else:
            yield from ((_at(folder, source), str(name)) for source, target in mounts if target.endswith(_YAML))


def runs_litellm(service: dict[Any, Any]) -> bool:
    """Whether a service of Compose runs LiteLLM, by its image and its command."""
    return any(
        _LITELLM.search(str(word))
        for word in (service.get("image") or "", *words(service.get("command")), *words(service.get("entrypoint")))
    )


def words(command: Any) -> list[str]:
    """The words of a command that is a list or a text."""
    if isinstance(command, list):
        return [str(word) for word in command]
    if not isinstance(command, str):
        return []
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def config_of(arguments: list[str]) -> str:
    """The configuration that a command line names; "" without one."""
    for place, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in _CONFIG:
            return value if equals else "".join(arguments[place + 1 : place + 2])
    return ""


def _volumes(service: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    listed = service.get("volumes")
    for volume in listed if isinstance(listed, list) else ():
        if isinstance(volume, str):
            parts = volume.split(":")
            if len(parts) > 1 and parts[0].startswith((".", "/", "~")):
                yield parts[0], parts[1]
        elif isinstance(volume, dict) and isinstance(volume.get("source"), str):
            yield volume["source"], str(volume.get("target") or "")


def _configs(service: dict[Any, Any], known: Any) -> Iterator[tuple[str, str]]:
    listed = service.get("configs")
    for item in listed if isinstance(listed, list) else ():
        name = item.get("source") if isinstance(item, dict) else item
        entry = known.get(name) if isinstance(known, dict) else None
        file = entry.get("file") if isinstance(entry, dict) else None
        if isinstance(file, str):
            yield file, str(item.get("target") or f"/{name}") if isinstance(item, dict) else f"/{name}"


def _at(folder: str, source: str) -> str:
    return os.path.normpath(os.path.join(folder, os.path.expanduser(source)))
