"""Records what a real LiteLLM says of each fault into ``tests/recordings/VERSION/faults/KEY.json``.

A file holds one request while the fault lasts, with the answer's status, headers and body; what /health and /v1/models
said of the group; and the journal's lines of that request, both with json_logs and without. LITELLM_LOG is INFO: a
line's own level tells whether the default level would have shown it. Stack traces are cut in their middle.
"""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any

from tests.lab import faults_ways as ways
from tests.lab.core import Lab
from tests.lab.environments import Environment
from tests.lab.faults import Fault
from tests.lab.faults_config import ENVIRONMENT, GUARD, HEALTH_SECONDS, site_config
from tests.lab.faults_matrix import of_step
from tests.lab.record import FIELDS, Recorder, spoken
from tests.lab.units import LITELLM

# A line longer than this is cut to its beginning and its end.
LONGEST, HEAD, TAIL = 2400, 1500, 600
MOST_LINES = 60
# The lines of a request are in the journal this long after its answer, in seconds.
QUIET = 1.0
FORMS = {"json": True, "plain": False}
UNIT_FIELDS = ("ActiveState", "SubState", "Result", "NRestarts", "ExecMainCode", "ExecMainStatus")


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    config["litellm_settings"]["json_logs"] = False
    if config["litellm_settings"]["cache_params"]["type"] == "redis":
        # Two proxies of one Redis share their cooldowns, too.
        config["litellm_settings"]["cache_params"]["namespace"] = "plain"
    return config


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:HEAD]}\n... cut ...\n{text[-TAIL:]}"


def _shortened(message: str) -> str:
    """The message with its long parts cut, still JSON where it was."""
    try:
        value = json.loads(message)
    except ValueError:
        return _cut(message)
    if not isinstance(value, dict):
        return _cut(message)
    return json.dumps({name: _cut(item) if isinstance(item, str) else item for name, item in value.items()})


class FaultRecorder:
    """One lab with LiteLLM twice: the user's unit writes JSON lines, the system's plain ones."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.lab = recorder.lab
        self.cases: dict[str, dict[str, Any]] = {}

    def begin(self, fault: Fault) -> dict[str, Any]:
        case = {"litellm": self.lab.litellm.version, "fault": fault.title, "journal": {}}
        return self.cases.setdefault(fault.key, case)

    def cursor(self, user: bool) -> str:
        last = self.lab.journal("-o", "json", user=user, lines=1).splitlines()[-1]
        return str(json.loads(last)["__CURSOR"])

    def lines(self, cursor: str, user: bool) -> list[dict[str, Any]]:
        options = ["-o", "json", "--all", f"--output-fields={FIELDS}", f"--after-cursor={cursor}"]
        found = []
        for text in self.lab.journal(*options, user=user, lines=5000).splitlines():
            record = json.loads(text)
            kept = {name: record[name] for name in ("PRIORITY", "SYSLOG_IDENTIFIER") if name in record}
            found.append({"MESSAGE": _shortened(spoken(record)), **kept})
        return found if len(found) <= MOST_LINES else [*found[: MOST_LINES - 20], *found[-20:]]

    def ask(self, fault: Fault, group: str) -> None:
        case = self.begin(fault)
        kind = fault.flows[0].kind if fault.flows else "chat"
        for form, user in FORMS.items():
            cursor = self.cursor(user)
            content = f"{fault.key} {time.time()}"
            more = fault.flows[0].more if fault.flows else {}
            try:
                answer = self.lab.chat(group, content=content, user=user, stream=kind == "stream", **more)
            except (OSError, http.client.HTTPException) as error:
                said: dict[str, Any] = {"error": repr(error)}
            else:
                kept = {n: v for n, v in answer.headers.items() if n.startswith("x-litellm-") or n == "retry-after"}
                said = {"status": answer.status, "headers": kept, "body": _cut(answer.text)}
            if form == "json":
                case["answer"] = said
            time.sleep(QUIET)
            case["journal"][form] = self.lines(cursor, user)

    def reports(self, faults: tuple[Fault, ...]) -> None:
        """What /health and /v1/models say of each; after a whole round of health checks."""
        time.sleep(3 * HEALTH_SECONDS)
        health = self.lab.wait_health_round().json()
        listed = {entry["id"] for entry in self.lab.request("GET", "/v1/models").json()["data"]}
        for fault in faults:
            case = self.begin(fault)
            case["listed"] = fault.listed in listed
            case["health"] = {
                kind: [
                    {name: _cut(value) if isinstance(value, str) else value for name, value in entry.items()}
                    for entry in health[kind]
                    if entry["model"].removeprefix("openai/").rpartition("-")[0] == fault.listed
                ]
                for kind in ("healthy_endpoints", "unhealthy_endpoints")
            }

    def save(self) -> None:
        for key, case in self.cases.items():
            self.recorder.write(
                f"{key}.json", json.dumps(self.recorder.neutral(case), indent=1, ensure_ascii=False) + "\n"
            )

    # -- the steps

    def upstream(self) -> None:
        faults = (*of_step("upstream"), *of_step("health"))
        for fault in faults:
            fault.inject(self.lab)
        for fault in faults:
            # A pool cools down only after each of its deployments has failed.
            for _ in range(3 if fault.key == "cooling" else 1):
                self.ask(fault, fault.listed)
        self.reports(faults)
        for fault in faults:
            fault.heal(self.lab)

    def redis(self) -> None:
        for fault in (*of_step("redis stopped"), *of_step("redis hung")):
            fault.inject(self.lab)
            self.ask(fault, "calm")
            answer = self.lab.request("GET", "/cache/ping", timeout=60)
            body = {"status": answer.status, "body": answer.text, "seconds": round(answer.seconds)}
            self.begin(fault)["cache_ping"] = body
            fault.heal(self.lab)
            time.sleep(QUIET)

    def broken(self) -> None:
        faults = of_step("broken")
        cursors = {form: self.cursor(user) for form, user in FORMS.items()}
        self.lab.write_config(ways.broken_file(self.lab))
        self.lab.write_config(_plain(ways.broken_file(self.lab)), user=False)
        self.lab.config_path(user=False).with_name("guard.py").write_text(GUARD)
        for user in FORMS.values():
            self.lab.systemctl("restart", LITELLM, user=user)
        self.lab.wait_ready()
        started = {form: self.lines(cursors[form], user) for form, user in FORMS.items()}
        # The ghost shows when the group fails that falls back on it.
        self.lab.fault("calm-m", "err500")
        for fault in faults:
            self.begin(fault)["start"] = started if fault.key == "no-provider" else {}
            if fault.key == "cache-local":
                self.begin(fault)["cache_ping"] = self.lab.request("GET", "/cache/ping").json()
            elif fault.flows or fault.key == "ghost":
                self.ask(fault, "calm" if fault.key == "ghost" else fault.listed or fault.flows[0].group)
        self.lab.reset_upstream()
        self.reports(faults)

    def units(self) -> None:
        for fault in (*of_step("killed"), *of_step("port"), *of_step("crash")):
            cursor = self.cursor(True)
            fault.inject(self.lab)
            time.sleep(QUIET)
            case = self.begin(fault)
            case["journal"]["json"] = self.lines(cursor, True)
            case["unit"] = self.lab.show(LITELLM, *UNIT_FIELDS)
            ways.start_again(self.lab)


def record_faults(environment: Environment, folder: Path) -> None:
    """Take one LiteLLM through the matrix and write a file per fault; about three minutes."""
    folder.mkdir(parents=True, exist_ok=True)
    with Lab.boot(
        litellm=environment,
        config=site_config(),
        system_config=_plain(site_config()),
        units=("user", "system"),
        env=ENVIRONMENT,
    ) as lab:
        recorder = FaultRecorder(Recorder(lab, folder))
        recorder.upstream()
        recorder.redis()
        recorder.units()
        recorder.broken()
        recorder.save()
