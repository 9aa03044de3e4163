"""What is named of each recorded fault, from the lines that a real LiteLLM wrote of it; and what is a problem at all."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.diagnosis import diagnose
from litellm_tui.analysis.records import Diagnosis, Problem
from litellm_tui.analysis.redact import Redactor
from litellm_tui.collectors import gateway
from litellm_tui.collectors.journal import Entry
from litellm_tui.logintake import LogIntake
from litellm_tui.logstore import LogStore
from litellm_tui.snapshot import (
    CachePing,
    ConfigFile,
    Configuration,
    Gateway,
    HealthReport,
    Reading,
    Service,
    Snapshot,
    Unreachable,
)
from litellm_tui.traffic import TrafficCounter
from tests.recorded import FOLDER, VERSIONS, file_deployment, loaded_deployment, made_file

NOW = 1_800_000_000.0
UPSTREAM = "http://127.0.0.1:9102/v1"
BASES = {
    "refuses": "http://127.0.0.1:9103/v1",
    "ciphered": "https://127.0.0.1:9102/v1",
    "nowhere": "http://no-such-host.invalid:9102/v1",
}
GROUPS = ("calm", "fails", "badkey", "absent", "torn", "garbled", "front", "spare", "only-checks", "only-requests",
          "keyed", "untyped", "ciphered", "nowhere", "refuses", "sleepy", "limited")  # fmt: skip
MODELS = (*((group, f"openai/{group}-m") for group in GROUPS), ("pool", "openai/pool-a"), ("pool", "openai/pool-b"))
BROKEN = ("key-unset", "no-provider", "tls", "dns", "alias-list", "ghost", "cache-local")


@cache
def fault(version: str, key: str) -> dict[str, Any]:
    """One recorded fault."""
    found: dict[str, Any] = json.loads((FOLDER / version / "faults" / f"{key}.json").read_text(encoding="utf-8"))
    return found


def _configured(key: str) -> ConfigFile:
    router: dict[str, Any] = {"fallbacks": [{"front": ["spare"]}], "model_group_alias": {"nickname": "calm"}}
    if key in BROKEN:
        router["fallbacks"].append({"calm": ["phantom"]})
        router["model_group_alias"] = {"nickname": ["calm", "spare"]}
    file = made_file(router_settings=router, litellm_settings={"cache": True})
    entries = tuple(
        msgspec.structs.replace(
            file_deployment(group, "untyped-m" if key in BROKEN and group == "untyped" else model,
                            BASES.get(group, UPSTREAM)),
            missing=("LAB_UNSET_KEY",) if key in BROKEN and group == "keyed" else (),
        )
        for group, model in MODELS
    )  # fmt: skip
    return msgspec.structs.replace(file, deployments=entries)


def look(version: str, key: str, form: str, default_level: bool = False, health: bool = True) -> Diagnosis:
    """What is thought a second after the recorded request; at the default level LiteLLM writes no INFO lines."""
    recorded = fault(version, key)
    store, counter = LogStore(), TrafficCounter()
    intake = LogIntake(store, Redactor(), counter)
    lines = [*recorded.get("start", {}).get(form, ()), *recorded["journal"].get(form, ())]
    kept = [line["MESSAGE"] for line in lines if not (default_level and _is_info(line["MESSAGE"]))]
    entries = [Entry(NOW - 3 + n / 1000, text, 6, 7, "litellm") for n, text in enumerate(kept)]
    if entries:
        intake.take(entries)
    file = _configured(key)
    loaded = tuple(
        loaded_deployment(entry.group, entry.model, entry.api_base)
        for entry in file.deployments
        if "/" in entry.model
    )
    body = json.dumps(recorded.get("health") or {}).encode()
    report = gateway.HEALTH.decode(200, body) if health and recorded.get("health") else None
    assert report is None or isinstance(report, HealthReport)
    readings: dict[str, Any] = {
        "liveliness": _read("I'm alive!"),
        "deployments": _read(loaded),
        "groups": _read(tuple(dict.fromkeys(d.group for d in loaded))),
        "health": _read(report) if report else Reading(),
        "cache_ping": _read(CachePing("healthy", "redis", True)),
        "router": _read({name: file.section("router_settings")[name] for name in file.section("router_settings")}),
    }
    service = Service("litellm.service", "user", "loaded", "active", "running", main_pid=7, started_at=NOW - 900)
    snapshot = Snapshot(
        taken_at=NOW,
        gateway=Gateway(**readings),
        configuration=Configuration(current=msgspec.structs.replace(file, modified_at=NOW - 1000)),
        service=_read(service),
        log=intake.log(NOW),
        traffic=counter.traffic(NOW, store.get),
    )
    return diagnose(msgspec.structs.replace(snapshot, log=msgspec.structs.replace(snapshot.log, state="following")),
                    NOW)  # fmt: skip


def _is_info(message: str) -> bool:
    if message.startswith("{"):
        return '"level": "INFO"' in message and "HTTP/1.1" not in message
    return "INFO: " in message and "HTTP/1.1" not in message


def _read(value: Any) -> Reading[Any]:
    return Reading(value=value, seen_at=NOW - 1, tried_at=NOW - 1, took=0.01, interval=5.0)


def _about(diagnosis: Diagnosis, group: str) -> list[Problem]:
    """The loud problems of one group, its deployments included."""
    keys = {row.key for row in diagnosis.deployments if row.group == group} | {group}
    return [p for p in diagnosis.problems if p.place.key in keys and p.severity in ("bad", "warn")]
