"""Configurations of many deployments, and what a gateway that runs them answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from litellm_tui.collectors.config import config_file
from litellm_tui.model.configuration import ConfigFile, Configuration
from litellm_tui.model.gateway import Gateway, HealthEntry, HealthReport, LoadedDeployment, Readiness
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot

NOW = 1_800_000_000.0
KEYS = 20
ENVIRONMENT = {f"KEY_{number}": f"sk-of-provider-{number:04d}" for number in range(KEYS)}


def group_of(number: int, count: int, *, chained: bool = False) -> str:
    """The group of a deployment: every group has two, but in a chain, where each has one."""
    return f"group-{number % count if chained else number % max(1, count // 2):05d}"


def fallbacks(count: int, *, chained: bool = False) -> list[dict[str, list[str]]]:
    """A chain through all groups, or every fifth group with two to fall back on."""
    groups = count if chained else max(1, count // 2)
    if chained:
        return [{f"group-{number:05d}": [f"group-{number + 1:05d}"]} for number in range(groups - 1)]
    return [
        {f"group-{number:05d}": [f"group-{(number + step) % groups:05d}" for step in (1, 2)]}
        for number in range(0, groups, 5)
    ]


def configuration(count: int, *, chained: bool = False, router: str = "") -> str:
    """The file of so many deployments; `router` are more lines of its router_settings."""
    return "\n".join(_lines(count, chained, router)) + "\n"


def _lines(count: int, chained: bool, router: str) -> Iterator[str]:
    yield "model_list:"
    for number in range(count):
        yield f"  - model_name: {group_of(number, count, chained=chained)}"
        yield "    litellm_params:"
        yield f"      model: openai/model-{number:05d}"
        yield f"      api_base: http://10.0.{number // 250}.{number % 250}:8000/v1"
        yield f"      api_key: os.environ/KEY_{number % KEYS}"
        yield f"      rpm: {100 + number}"
    yield "router_settings:"
    yield "  num_retries: 1"
    if router:
        yield f"  {router}"
    yield "  fallbacks:"
    for entry in fallbacks(count, chained=chained):
        for source, targets in entry.items():
            yield f"    - {source}: [{', '.join(targets)}]"


def loaded(count: int, *, chained: bool = False) -> tuple[LoadedDeployment, ...]:
    """What the router runs of it."""
    found = []
    for number in range(count):
        group = group_of(number, count, chained=chained)
        model, base = f"openai/model-{number:05d}", f"http://10.0.{number // 250}.{number % 250}:8000/v1"
        params = {"model": model, "api_base": base, "rpm": 100 + number}
        found.append(
            LoadedDeployment(
                f"id-{number:05d}", group, model, base, None, 100 + number, None, params=params, names=(group,)
            )
        )
    return tuple(found)


def read(value: Any, at: float = NOW) -> Reading[Any]:
    """A reading of this moment."""
    return Reading(value=value, seen_at=at - 1, tried_at=at - 1, took=0.01, interval=10.0)


def file_of(folder: Path, text: str) -> ConfigFile:
    """The text as LiteLLM would read it."""
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    file = config_file.load(str(path), ENVIRONMENT)
    assert isinstance(file, ConfigFile), file
    return file


def snapshot(folder: Path, count: int, *, chained: bool = False, red: float = 0.1, router: str = "") -> Snapshot:
    """A gateway that runs the file; of its deployments this share fails its health check."""
    file = file_of(folder, configuration(count, chained=chained, router=router))
    running = loaded(count, chained=chained)
    sick = round(count * red)
    report = HealthReport(
        tuple(HealthEntry(d.model, d.api_base, d.id) for d in running[sick:]),
        tuple(HealthEntry(d.model, d.api_base, d.id, "litellm.InternalServerError: it broke") for d in running[:sick]),
    )
    gateway = Gateway(
        liveliness=read("I'm alive!"),
        readiness=read(Readiness("healthy", "Not connected", "1.106.2", None, "WARNING")),
        groups=read(tuple(dict.fromkeys(d.group for d in running))),
        deployments=read(running),
        router=read({"fallbacks": fallbacks(count, chained=chained), "num_retries": 1}),
        health=read(report),
    )
    service = Service(
        "litellm.service", "user", "loaded", "active", "running", "success", 4242, 0, NOW - 9_000, NOW - 9_000,
        221_249_536, 80.0, 2.0,
    )  # fmt: skip
    return Snapshot(
        taken_at=NOW,
        gateway=gateway,
        configuration=Configuration(path=file.path, current=file, checked_at=NOW),
        service=Reading(value=service, seen_at=NOW - 1, tried_at=NOW - 1, interval=2.0),
    )
