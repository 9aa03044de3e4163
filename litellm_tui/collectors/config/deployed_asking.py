"""What asks the proxy's health from outside: probes of Kubernetes, health checks of Docker."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from litellm_tui.collectors.config.manifest_values import mapping, seconds
from litellm_tui.collectors.config.named_config import words
from litellm_tui.model.embedded import Asked

_PROBES: Final = {"livenessProbe": "liveness", "readinessProbe": "readiness", "startupProbe": "startup"}
# Kubernetes' and Docker's own defaults (periodSeconds; interval)
_PERIOD: Final = 10.0
_INTERVAL: Final = 30.0
_KEY: Final = re.compile(r"authorization|bearer|x-litellm-api-key|api-key", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"/health(?:/[\w/-]{0,80})?(?:\?[\w=&%.-]{0,200})?(?![\w/-])")


def asked_by_probes(container: dict[Any, Any], what: str) -> Iterator[Asked]:
    """The probes of a container, or of a chart's values, in the order of the file. A startup probe ends."""
    for key, probe in container.items():
        if key not in _PROBES or not isinstance(probe, dict):
            continue
        get = mapping(probe.get("httpGet"))
        path = get.get("path") or probe.get("path")
        command = " ".join(words(mapping(probe.get("exec")).get("command")))[:4000]
        if not isinstance(path, str):
            found = _ADDRESS.search(command)
            path = found[0] if found else ""
        if path.startswith("/health"):
            keyed = _KEY.search(f"{command} {get.get('httpHeaders') or ''}"[:8000]) is not None
            every = seconds(probe.get("periodSeconds"), _PERIOD)
            yield Asked(f"the {_PROBES[key]} probe of {what}", path, every, keyed)


def asked_by_compose(service: dict[Any, Any], name: str) -> Iterator[Asked]:
    """The health check of a service of Compose."""
    check = mapping(service.get("healthcheck"))
    if check.get("disable") is not True:
        every = seconds(check.get("interval"), _INTERVAL)
        yield from asked_by_check(words(check.get("test")), f"service {name}", every)


def asked_by_check(test: Iterable[str], what: str, every: float | None) -> Iterator[Asked]:
    """The health check of a service or of a container that runs, by its command; Docker's interval without one."""
    command = " ".join(test)[:4000]
    if found := _ADDRESS.search(command):
        keyed = _KEY.search(command) is not None
        yield Asked(f"the health check of {what}", found[0], every or _INTERVAL, keyed)


def lines_of(asked: Iterable[Asked], text: str) -> tuple[Asked, ...]:
    """With the line and column of each in the file: several of one path stand there in the same order."""
    found: list[Asked] = []
    at: dict[str, int] = {}
    for one in asked:
        place = _find(text, one.path, at.get(one.path, 0))
        at[one.path] = place + 1
        line = text.count("\n", 0, place) + 1
        found.append(msgspec.structs.replace(one, line=line, column=place - text.rfind("\n", 0, place)))
    return tuple(found)


def _find(text: str, path: str, at: int) -> int:
    while (at := text.find(path, at)) >= 0:
        following = text[at + len(path) : at + len(path) + 1]
        comment = text[text.rfind("\n", 0, at) + 1 : at].lstrip().startswith("#")
        if not comment and not (following.isalnum() or following in tuple("/-_")):
            return at
        at += 1
    return 0
