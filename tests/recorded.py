"""What real LiteLLM proxies answered and wrote, and a snapshot put together from it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.gateway import client
from litellm_tui.host.systemd_tools import parse_show
from litellm_tui.logs import journal_line, log_line
from litellm_tui.logs.entry import Entry
from litellm_tui.model.configuration import ConfigFile, Configuration, FileDeployment, Mark
from litellm_tui.model.failures import Failure
from litellm_tui.model.gateway import Gateway, LoadedDeployment
from litellm_tui.model.log import LogRecord
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.services.systemd.unit_state import service_from

FOLDER = Path(__file__).parent / "recordings"
VERSIONS = ("1.77.7", "1.106.2")
NOW = 1_795_224_000.0
"""A moment shortly after the recordings were made."""

# the configuration that the recorded proxies ran with, as far as its answers tell
CONFIG = """\
model_list:
  - model_name: llama3.1:latest
    litellm_params:
      model: openai/llama3.1
      api_base: "http://127.0.0.1:9102/v1"
      api_key: sk-none
      rpm: 100
  - model_name: llama3.1:latest
    litellm_params:
      model: openai/llama3.1-b
      api_base: "http://127.0.0.1:9102/v1"
      api_key: sk-none
      rpm: 50
      tpm: 100000
  - model_name: qwen2.5-coder:7b
    litellm_params:
      model: openai/qwen-err500
      api_base: "http://127.0.0.1:9102/v1"
      api_key: sk-none
  - model_name: qwen-coder-vllm
    litellm_params:
      model: openai/Qwen/Qwen2.5-Coder-7B-Instruct-AWQ
      api_base: "http://127.0.0.1:9199/v1"
      api_key: sk-none
  - model_name: kimi-k2:1t-cloud
    litellm_params:
      model: openai/kimi-err401
      api_base: "http://127.0.0.1:9102/v1"
      api_key: os.environ/KIMI_KEY
  - model_name: gpt-oss:120b-cloud
    litellm_params:
      model: openai/gpt-oss
      api_base: "http://127.0.0.1:9102/v1"
      api_key: sk-none
  - model_name: nomic-embed-text
    litellm_params:
      model: openai/nomic-embed-text
      api_base: "http://127.0.0.1:9102/v1"
      api_key: sk-none
    model_info: {mode: embedding}
litellm_settings:
  request_timeout: 60
  num_retries: 1
  cache: true
  cache_params: {type: redis, host: 127.0.0.1, port: 6379, ttl: 3600}
router_settings:
  routing_strategy: simple-shuffle
  allowed_fails: 3
  cooldown_time: 60
  model_group_alias: {gpt-4: "llama3.1:latest"}
  fallbacks:
    - "qwen2.5-coder:7b": [qwen-coder-vllm, "gpt-oss:120b-cloud"]
    - "llama3.1:latest": ["qwen2.5-coder:7b"]
    - "kimi-k2:1t-cloud": [nonexistent-model]
  context_window_fallbacks:
    - "llama3.1:latest": ["gpt-oss:120b-cloud"]
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  background_health_checks: true
"""

ENDPOINTS: dict[str, tuple[str, client.Endpoint]] = {
    "health-liveliness": ("liveliness", client.LIVELINESS),
    "health-readiness": ("readiness", client.READINESS),
    "v1-models": ("groups", client.GROUPS),
    "v1-model-info": ("deployments", client.DEPLOYMENTS),
    "get-config-callbacks": ("router", client.ROUTER),
    "health": ("health", client.HEALTH),
    "cache-ping": ("cache_ping", client.CACHE_PING),
    "cache-redis-info": ("redis", client.REDIS_INFO),
}


@cache
def case(version: str, name: str) -> dict[str, Any]:
    """One recorded request with its status, headers and body."""
    found: dict[str, Any] = json.loads((FOLDER / version / f"{name}.json").read_text(encoding="utf-8"))
    return found


def content(recorded: dict[str, Any]) -> bytes:
    """The body as it came over the wire."""
    body = recorded["body"]
    plain = isinstance(body, str) and "json" not in recorded["headers"].get("content-type", "")
    return body.encode() if plain else json.dumps(body).encode()


def decoded(version: str, name: str, endpoint: client.Endpoint) -> Any:
    """What the collector makes of a recorded answer."""
    recorded = case(version, name)
    return endpoint.decode(recorded["status"], content(recorded))


def entries(version: str, name: str) -> list[Entry]:
    """The recorded lines of a journal."""
    found = []
    for line in (FOLDER / version / f"{name}.jsonl").read_bytes().splitlines():
        taken = journal_line.decode(line)
        assert taken is not None
        found.append(taken[0])
    return found


def records(version: str, name: str) -> list[tuple[LogRecord, bool]]:
    """The recorded lines as the monitor hands them to the store, each with whether it continues another."""
    found = []
    for entry in entries(version, name):
        line = log_line.parse(entry.message, entry.priority, entry.identifier)
        record = LogRecord(
            0, entry.time, line.level, line.source, line.text, line.stack, entry.pid, line.call_id, line.status
        )
        found.append((record, line.continues))
    return found


def loaded_file(path: Path, text: str = CONFIG, **environment: str) -> ConfigFile:
    """A configuration written to `path` and read by the collector."""
    path.write_text(text, encoding="utf-8")
    found = config_file.load(str(path), environment)
    assert isinstance(found, ConfigFile), found
    return found


def made_file(**sections: Any) -> ConfigFile:
    """A configuration with these sections and nothing else."""
    return ConfigFile("config.yaml", "0", 0.0, ("config.yaml",), dict(sections), {})


def file_deployment(group: str, model: str, api_base: str | None = None, **params: Any) -> FileDeployment:
    """An entry of model_list, of which only this matters."""
    shown = {"model": model, **({"api_base": api_base} if api_base else {}), **params}
    return FileDeployment(0, group, model, Mark("config.yaml", 1), api_base, params=shown)


def loaded_deployment(
    group: str, model: str, api_base: str | None = None, id: str = "", **params: Any
) -> LoadedDeployment:
    """An entry of /v1/model/info, of which only this matters."""
    shown = {"model": model, **({"api_base": api_base} if api_base else {}), **params}
    return LoadedDeployment(id or f"{group}/{model}/{api_base}", group, model, api_base, params=shown, names=(group,))


def gateway_of(version: str, seen_at: float = NOW - 1) -> Gateway:
    """All the answers of one version, each read a second ago."""
    readings: dict[str, Reading[Any]] = {}
    for name, (field, endpoint) in ENDPOINTS.items():
        value = decoded(version, name, endpoint)
        assert not isinstance(value, Failure), value
        readings[field] = Reading(value=value, seen_at=seen_at, tried_at=seen_at, took=0.003, interval=10.0)
    return Gateway(**readings)


def service_of(version: str, scope: str = "user") -> Service:
    """The recorded unit, started an hour ago."""
    text = (FOLDER / version / f"systemctl-show-{scope}.txt").read_text(encoding="utf-8")
    # no process of this machine: whatever has the recorded number here is somebody else's
    values = parse_show(text)[0] | {"MainPID": "4194305"}
    found = service_from(values, "litellm.service", "user" if scope == "user" else "system", NOW)
    return msgspec.structs.replace(found, started_at=NOW - 3600, main_pid=24)


def snapshot_of(version: str, file: ConfigFile | None = None) -> Snapshot:
    """The console's picture of a recorded proxy; `file` is taken as older than its process."""
    old = msgspec.structs.replace(file, modified_at=NOW - 7200) if file else None
    return Snapshot(
        taken_at=NOW,
        gateway=gateway_of(version),
        configuration=Configuration(path=old.path if old else None, current=old, checked_at=NOW),
        service=Reading(value=service_of(version), seen_at=NOW - 1, tried_at=NOW - 1, interval=2.0),
    )
