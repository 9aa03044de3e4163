"""Records real answers of a LiteLLM into ``tests/recordings/VERSION``, free of the machine's own names."""

from __future__ import annotations

import json
import platform
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.lab.config import default_config
from tests.lab.core import Answer, Lab
from tests.lab.environments import Environment, LabError

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"
FIELDS = "MESSAGE,PRIORITY,_PID,SYSLOG_IDENTIFIER"
PROPERTIES = (
    "Id,Names,Description,LoadState,ActiveState,SubState,Result,UnitFileState,FragmentPath,NeedDaemonReload,MainPID,"
    "NRestarts,ExecMainCode,ExecMainStatus,ExecMainStartTimestampMonotonic,ActiveEnterTimestampMonotonic,"
    "MemoryCurrent,CPUUsageNSec,ControlGroup,ExecStart,Environment,EnvironmentFiles,WorkingDirectory"
)
PORTS = {"user": 4001, "system": 4000, "redis": 6379, "upstream": 9102, "refused": 9199, "second": 9103}
WHOLE_MODEL_INFO = 50_000
LEAKS = re.compile(r"/root/|/tmp/|/work/|litellm-lab-\w{8}\b")


class Neutral:
    """Puts common names where this machine's stood, the same everywhere."""

    def __init__(self, lab: Lab) -> None:
        installation = str(lab.litellm.python.resolve().parent.parent)
        self.texts = [
            (str(lab.home), "/home/litellm-lab"),
            (str(lab.dir / "units"), "/etc/systemd/system"),
            (str(lab.dir / "system"), "/srv/litellm"),
            (str(lab.dir), "/srv/litellm"),
            (str(lab.litellm.path), "/opt/litellm"),
            (installation, "/usr/local"),
            (platform.release(), "6.1.0"),
        ]
        self.ports = {getattr(lab.ports, name): port for name, port in PORTS.items()}
        self.numbers = re.compile(rf"(?<![\d.])({'|'.join(map(str, self.ports))})(?!\d)")

    def text(self, value: str) -> str:
        for here, common in self.texts:
            value = value.replace(here, common)
        value = self.numbers.sub(lambda match: str(self.ports[int(match[1])]), value)
        # A cursor names the journal's sequence and the boot.
        return re.sub(r"\bs=[0-9a-f]{32};(i=\w+);b=[0-9a-f]{32}", rf"s={'a' * 32};\1;b={'b' * 32}", value)

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(name): self(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self(item) for item in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return self.ports.get(value, value)
        return value

    def line(self, record: dict[str, Any]) -> dict[str, Any]:
        message = record.get("MESSAGE")
        if isinstance(message, list) and all(isinstance(byte, int) for byte in message):
            text = bytes(message).decode("utf-8", "surrogateescape")
            neutral: dict[str, Any] = self({**record, "MESSAGE": ""})
            neutral["MESSAGE"] = list(self.text(text).encode("utf-8", "surrogateescape"))
        else:
            neutral = self(record)
        if "_BOOT_ID" in neutral:
            neutral["_BOOT_ID"] = "b" * 32
        return neutral


class Recorder:
    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.neutral = Neutral(lab)

    def write(self, name: str, text: str) -> None:
        leak = LEAKS.search(text)
        if leak:
            around = text[max(0, leak.start() - 60) : leak.end() + 60]
            raise LabError(f"{name} still speaks of this machine: {around!r}")
        (self.folder / name).write_text(text)

    def ask(
        self,
        name: str,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        user: bool = True,
        key: str | None = "",
        thin: Callable[[Any], Any] | None = None,
    ) -> Answer:
        answer = self.lab.request(method, path, body, user=user, key=key, timeout=120)
        try:
            parsed = answer.json()
        except ValueError:
            parsed = answer.text
        kept = {n: v for n, v in answer.headers.items() if n == "content-type" or n.startswith("x-litellm-")}
        request = {"method": method, "path": path, "key": {"": "right", None: "none"}.get(key, "wrong")}
        if body is not None:
            request["body"] = self.neutral(body)
        case = {
            "litellm": self.lab.litellm.version,
            "request": request,
            "status": answer.status,
            "headers": self.neutral(kept),
            "body": self.neutral(thin(parsed) if thin else parsed),
        }
        self.write(f"{name}.json", json.dumps(case, indent=1, ensure_ascii=False) + "\n")
        return answer

    def lines(self, *, user: bool) -> list[dict[str, Any]]:
        options = ["-o", "json", "--all", f"--output-fields={FIELDS}"]
        text = self.lab.journal(*options, user=user, lines=5000)
        return [json.loads(line) for line in text.splitlines()]

    def journal(self, name: str, records: Sequence[dict[str, Any]]) -> None:
        text = "".join(json.dumps(self.neutral.line(record)) + "\n" for record in records)
        self.write(name, text)

    def show(self, name: str, *, user: bool) -> None:
        shown = self.lab.systemctl("show", "litellm.service", f"--property={PROPERTIES}", user=user)
        self.write(name, self.neutral.text(shown.stdout))


def thin_model_info(body: Any) -> Any:
    if len(json.dumps(body)) <= WHOLE_MODEL_INFO:
        return body
    entries = []
    for number, entry in enumerate(body["data"]):
        if number < 2:
            entries.append(entry)
            continue
        info = {name: entry["model_info"][name] for name in ("id", "mode", "db_model") if name in entry["model_info"]}
        params = entry["litellm_params"]
        entries.append({"model_name": entry["model_name"], "litellm_params": params, "model_info": info})
    return {**body, "data": entries}


def spoken(record: dict[str, Any]) -> str:
    message = record.get("MESSAGE")
    if isinstance(message, list):
        return bytes(message).decode("utf-8", "replace")
    return str(message)


def chosen(records: list[dict[str, Any]], begun: int) -> list[dict[str, Any]]:
    """The start-up whole, then some lines of each kind, in their order."""
    limits = {"access": 10, "trace": 4, "other": 16}
    seen: Counter[str] = Counter()
    kept = records[:begun]
    for record in records[begun:]:
        text = spoken(record)
        kind = "trace" if '"stacktrace"' in text else "access" if "HTTP/1.1" in text else "other"
        seen[kind] += 1
        if seen[kind] <= limits[kind]:
            kept.append(record)
    return kept


def plain_config() -> dict[str, Any]:
    config = default_config()
    config["litellm_settings"]["json_logs"] = False
    config["litellm_settings"]["cache_params"] = {"type": "local"}
    return config


def uncached_config() -> dict[str, Any]:
    config = default_config()
    del config["litellm_settings"]["cache"], config["litellm_settings"]["cache_params"]
    return config


def keyless_config() -> dict[str, Any]:
    config = uncached_config()
    del config["general_settings"]["master_key"]
    return config


def chat(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hello"}], **more}


PROBE: dict[str, Any] = {
    "disable_fallbacks": True,
    "num_retries": 0,
    "cache": {"no-cache": True, "no-store": True},
    "max_tokens": 5,
}


def record_default(recorder: Recorder) -> None:
    lab, ask = recorder.lab, recorder.ask
    begun = len(recorder.lines(user=True))
    ask("health-liveliness", "GET", "/health/liveliness", key=None)
    ask("health-readiness", "GET", "/health/readiness", key=None)
    ask("health-readiness-details", "GET", "/health/readiness/details")
    ask("v1-models", "GET", "/v1/models")
    ask("v1-models-wrong-key", "GET", "/v1/models", key="sk-lab-wrong")
    ask("v1-models-no-key", "GET", "/v1/models", key=None)
    models = ask("v1-model-info", "GET", "/v1/model/info", thin=thin_model_info).json()["data"]
    ids = {entry["litellm_params"]["model"]: entry["model_info"]["id"] for entry in models}
    ask("model-group-info", "GET", "/model_group/info")
    ask("get-config-callbacks", "GET", "/get/config/callbacks")
    ask("router-settings", "GET", "/router/settings")
    ask("cache-ping", "GET", "/cache/ping")
    ask("cache-redis-info", "GET", "/cache/redis/info")
    ask("chat-200", "POST", "/v1/chat/completions", chat("gpt-oss:120b-cloud"))
    ask("chat-200-cached", "POST", "/v1/chat/completions", chat("gpt-oss:120b-cloud"))
    ask("chat-200-by-fallback", "POST", "/v1/chat/completions", chat("qwen2.5-coder:7b"))
    ask("chat-500-after-fallback", "POST", "/v1/chat/completions", chat("kimi-k2:1t-cloud"))
    ask("chat-500-no-fallback", "POST", "/v1/chat/completions", chat("qwen-coder-vllm"))
    ask("probe-200", "POST", "/v1/chat/completions", chat(ids["openai/gpt-oss"], **PROBE))
    ask("probe-500", "POST", "/v1/chat/completions", chat(ids["openai/qwen-err500"], **PROBE))
    refused = "openai/Qwen/Qwen2.5-Coder-7B-Instruct-AWQ"
    ask("probe-refused", "POST", "/v1/chat/completions", chat(ids[refused], **PROBE))
    lab.wait_health_round()
    ask("health", "GET", "/health")
    recorder.journal("journal.jsonl", chosen(recorder.lines(user=True), begun))
    recorder.show("systemctl-show-user.txt", user=True)
    recorder.show("systemctl-show-system.txt", user=False)

    ask("cache-ping-local", "GET", "/cache/ping", user=False)
    ask("cache-redis-info-local", "GET", "/cache/redis/info", user=False)
    lab.chat("gpt-oss:120b-cloud", user=False)
    lab.chat("qwen-coder-vllm", user=False)
    recorder.journal("journal-plain.jsonl", recorder.lines(user=False)[:260])

    lab.systemctl("stop", "redis.service")
    ask("cache-ping-redis-stopped", "GET", "/cache/ping")
    ask("cache-redis-info-redis-stopped", "GET", "/cache/redis/info")
    lab.systemctl("start", "redis.service")
    recorder.show("systemctl-show-user.txt", user=True)


def record_uncached(recorder: Recorder, keyless: bool) -> None:
    ask = recorder.ask
    ask("cache-ping-off", "GET", "/cache/ping")
    ask("cache-redis-info-off", "GET", "/cache/redis/info")
    begun = len(recorder.lines(user=True))
    for model in ("gpt-oss:120b-cloud", "qwen2.5-coder:7b", "qwen-coder-vllm"):
        recorder.lab.chat(model)
    recorder.journal("journal-info.jsonl", recorder.lines(user=True)[begun : begun + 60])
    if keyless:
        ask("v1-models-keyless", "GET", "/v1/models", user=False, key=None)


def record(environments: Sequence[str], recordings: Path = RECORDINGS) -> int:
    for path in environments:
        environment = Environment.at(path)
        # From here on a proxy without a key refuses to start.
        keyless = environment.order < (1, 106)
        folder = recordings / environment.version
        # Other recordings lie beside these, of upstreams and callbacks that this program has not got.
        folder.mkdir(parents=True, exist_ok=True)
        with Lab.boot(litellm=environment, units=("user", "system"), system_config=plain_config()) as lab:
            record_default(Recorder(lab, folder))
        with Lab.boot(
            litellm=environment,
            units=("user", "system") if keyless else ("user",),
            config=uncached_config(),
            system_config=keyless_config(),
            env={"LITELLM_LOG": "INFO"},
            keyed=("user",),
        ) as lab:
            record_uncached(Recorder(lab, folder), keyless)
        # Recorded with this module's own Recorder.
        from tests.lab.faults_record import record_faults

        record_faults(environment, folder / "faults")
        print(f"{environment.version}: {len(list(folder.iterdir()))} files in {folder}")
    return 0
