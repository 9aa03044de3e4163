"""A console on which time stands still: drawn from records made by hand, without a monitor."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import yaml

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.timeline import noted
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.store import LogStore
from litellm_tui.model.configuration import ConfigFile, Configuration, Mark
from litellm_tui.model.diagnosis import Problem
from litellm_tui.model.failures import NotAvailable, Unreachable
from litellm_tui.model.found import Found
from litellm_tui.model.gateway import (
    CachePing,
    Gateway,
    HealthEntry,
    HealthReport,
    LoadedDeployment,
    Readiness,
    RedisInfo,
)
from litellm_tui.model.log import Log, LogRecord
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service, Variable
from litellm_tui.model.service_kinds import Tools
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import FailedOnce, Failures, FailureTally, Minute, Step, Tally, Traffic
from litellm_tui.monitor.auditor import Auditor
from litellm_tui.storage.backups import Backups
from litellm_tui.target.profile import Profile, Secret
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console
from litellm_tui.ui.signs import ASCII, UNICODE
from litellm_tui.ui.view import View, utc_clock
from litellm_tui.ui.widgets.header import Header
from tests import recorded

NOW = 1_800_000_000.0
PLACE = "/srv/litellm/config.yaml"
ERROR = (
    "litellm.InternalServerError: InternalServerError: Hosted_vllmException - Cannot connect to host 127.0.0.1:9199 "
    "ssl:default [Connect call failed ('127.0.0.1', 9199)]\nstack trace: Traceback (most recent call last):\n"
    '  File "/opt/litellm/lib/python3.11/site-packages/litellm/main.py", line 740, in acompletion\n'
    "    raise exception_type(\nlitellm.exceptions.InternalServerError: Connection error."
)


def _placed(file: ConfigFile) -> ConfigFile:
    """The file as if it lay where the pictures show it."""
    marks = {path: Mark(PLACE, mark.line, mark.column) for path, mark in file.marks.items()}
    deployments = tuple(
        msgspec.structs.replace(d, mark=Mark(PLACE, d.mark.line, d.mark.column)) for d in file.deployments
    )
    return msgspec.structs.replace(
        file, path=PLACE, files=(PLACE,), marks=marks, deployments=deployments, modified_at=NOW - 9 * 86400
    )


def _read(value: Any, took: float = 0.003) -> Reading[Any]:
    return Reading(value=value, seen_at=NOW - 4, tried_at=NOW - 4, took=took, interval=10.0)


def healthy(folder: Path) -> Snapshot:
    """Every deployment serves."""
    file = _placed(recorded.loaded_file(folder / "made.yaml", recorded.CONFIG, KIMI_KEY="x", LITELLM_MASTER_KEY="x"))
    loaded = tuple(
        LoadedDeployment(
            f"{d.index:064x}", d.group, d.model, d.api_base, d.mode, d.rpm, d.tpm, params={}, names=(d.group,)
        )
        for d in file.deployments
    )
    router = file.section("router_settings")
    gateway = Gateway(
        liveliness=_read("I'm alive!"),
        readiness=_read(Readiness("healthy", "Not connected", "1.106.2", "redis", "INFO")),
        groups=_read(("gpt-4", *(d.group for d in file.deployments))),
        deployments=_read(loaded),
        router=_read({**router, "num_retries": 1, "timeout": 60.0}),
        health=_read(HealthReport(tuple(HealthEntry(d.model, d.api_base, d.id) for d in loaded), ())),
        cache_ping=_read(CachePing("healthy", "redis", True, 3600.0, None, "127.0.0.1:6379", "7.0.15")),
        redis=_read(RedisInfo("7.0.15", 6, 1_258_291, 0, "noeviction", 42, 34, 99, 0, 3, 400_000)),
    )
    service = Service(
        "litellm.service", "user", "loaded", "active", "running", "success", 4242, 0, NOW - 273_600, NOW - 273_600,
        221_249_536, 80.0, 2.0, fragment="/home/llm/.config/systemd/user/litellm.service",
    )  # fmt: skip
    return Snapshot(
        taken_at=NOW,
        gateway=gateway,
        configuration=Configuration(path=PLACE, current=file, checked_at=NOW - 4),
        service=Reading(value=service, seen_at=NOW - 1, tried_at=NOW - 1, interval=2.0),
        log=Log(source="journalctl --user -u litellm.service", state="following", first=0, last=11, last_at=NOW - 3),
        traffic=_traffic(file, {}),
    )


def _traffic(file: ConfigFile, dead: dict[str, str]) -> Traffic:
    """A request every few seconds, none for embeddings. `dead` maps groups to the error that their requests end in."""
    tallies = []
    for number, deployment in enumerate(file.deployments):
        name = deployment.model
        if error := dead.get(deployment.group):
            lost = 16 + number
            tally = Tally("model", name, 0, lost, NOW - 400, NOW - 8 - number, NOW - 240, in_a_row=lost, error=error)
            tallies.append(tally)
        elif "embed" not in name:
            tallies.append(Tally("model", name, 30 + number, last_ok=NOW - 3 - number))
    tallies = [
        msgspec.structs.replace(
            tally, steps=steps(tally.ok, tally.failed), hour=hour(tally.ok, tally.failed), errors=errors(tally)
        )
        for tally in tallies
    ]
    asked = sum(tally.ok + tally.failed for tally in tallies)
    refused = sum(tally.failed for tally in tallies)
    return Traffic(
        tallies=tuple(tallies), requests=asked, refused=refused, access_lines=True, per_model=True, since=NOW - 600,
        steps=steps(asked - refused, refused), hour=hour(asked - refused, refused),
        failed_hour=tuple((minute, 0, lost) for minute, _, lost in hour(0, refused) if lost),
    )  # fmt: skip


def hour(ok: int, failed: int) -> tuple[Minute, ...]:
    """So many requests in five minutes, over an hour: the answers in waves, failures in the last minutes."""
    newest = int(NOW // 60)
    before = ((newest - back, ok * (4 + (back // 5) % 4) // 20, 0) for back in reversed(range(6, 60)))
    lately: dict[int, tuple[int, int]] = {}
    for begin, answered, lost in steps(ok, failed):
        held = lately.get(begin // 60, (0, 0))
        lately[begin // 60] = held[0] + answered, held[1] + lost
    return (*before, *((minute, *lately[minute]) for minute in sorted(lately)))


def errors(tally: Tally) -> tuple[FailedOnce, ...]:
    """The last three failures, where there are any."""
    at = tally.last_failed or 0.0
    words = tally.error.partition("\n")[0]
    return tuple(FailedOnce(at - 40 * back, words, -1) for back in (2, 1, 0)) if words else ()


def steps(ok: int, failed: int) -> tuple[Step, ...]:
    """So many requests over five minutes: the answers evenly, failures more and more."""
    found = []
    for place in range(30):
        answered = ok * (place + 1) // 30 - ok * place // 30
        lost = failed * (place + 1) ** 2 // 900 - failed * place**2 // 900
        found.append((int(NOW) - 290 + 10 * place, answered, lost))
    return tuple(found)


def failing(folder: Path) -> Snapshot:
    """The same, with what the log says of it: one that goes on, one that is over, and a caller's mistake."""
    minute = int(NOW // 60)
    tallies = (
        FailureTally(
            cause="refused", kind="group", name="qwen-coder-vllm", pattern="", voice="router", words=ERROR,
            first=NOW - 3000, last=NOW - 5, sequence=3, callers=(("10.0.0.7", 41), ("10.0.0.9", 2)),
            counts=tuple((minute - back, 1 + back % 5) for back in range(50)),
        ),
        FailureTally(
            cause="rate limit", kind="group", name="gpt-oss:120b-cloud", pattern="", voice="router",
            words="litellm.RateLimitError: RateLimitError: OpenAIException - 429", first=NOW - 2400, last=NOW - 1800,
            sequence=4, counts=((minute - 40, 7), (minute - 30, 2)), calls=("5f0c2d6e",),
        ),
        FailureTally(
            cause="", kind="", name="gpt-4o-mini", pattern="Invalid model name passed in", voice="request",
            words="400: Invalid model name passed in model=gpt-4o-mini. Call `/v1/models` to view available models",
            first=NOW - 900, last=NOW - 300, sequence=5, counts=((minute - 15, 1), (minute - 5, 1)),
            subject="caller",
        ),
    )  # fmt: skip
    answers = tuple((minute - back, 40, 1, 3) for back in range(10))
    return msgspec.structs.replace(degraded(folder), failures=Failures(tallies, answers=answers))


def degraded(folder: Path) -> Snapshot:
    """One dead deployment behind a fallback, one without any, the cache down, the file changed and not applied."""
    well = healthy(folder)
    deployments = well.gateway.deployments.value
    assert deployments
    dead = {
        "qwen2.5-coder:7b": "litellm.InternalServerError: OpenAIException - upstream exploded",
        "qwen-coder-vllm": ERROR,
    }
    report = HealthReport(
        healthy=tuple(HealthEntry(d.model, d.api_base, d.id) for d in deployments if d.group not in dead),
        unhealthy=tuple(
            HealthEntry(d.model, d.api_base, d.id, dead[d.group], 500) for d in deployments if d.group in dead
        ),
    )
    text = recorded.CONFIG.replace("rpm: 50", "rpm: 80").replace(
        '["qwen2.5-coder:7b"]', '["qwen2.5-coder:7b", "gpt-oss:120b-cloud"]'
    )
    edited = _placed(recorded.loaded_file(folder / "edited.yaml", text, LITELLM_MASTER_KEY="x"))
    edited = msgspec.structs.replace(edited, modified_at=NOW - 60)
    ping = CachePing("unhealthy", "redis", server="127.0.0.1:6379", error="Connection closed by server.")
    gateway = msgspec.structs.replace(well.gateway, health=_read(report), cache_ping=_read(ping))
    return msgspec.structs.replace(
        well,
        gateway=gateway,
        configuration=Configuration(path=PLACE, current=edited, checked_at=NOW - 4),
        log=msgspec.structs.replace(well.log, errors_per_minute=(0, 0, 0, 0, 0, 2, 5, 3, 8, 14)),
        traffic=_traffic(edited, dead),
    )


def edited(folder: Path) -> Snapshot:
    """All is well, and somebody has saved a file that differs in all kinds of things from what runs."""
    well = healthy(folder)
    file, loaded = well.configuration.current, well.gateway.deployments.value
    assert file
    assert loaded
    runs = tuple(
        msgspec.structs.replace(held, params={k: v for k, v in entry.params.items() if k != "api_key"})
        for held, entry in zip(loaded, file.deployments, strict=True)
    )
    text = recorded.CONFIG
    for old, new in (
        ("rpm: 50", "rpm: 80"),
        ("openai/nomic-embed-text", "openai/bge-m3"),
        ('["qwen2.5-coder:7b"]', '["qwen2.5-coder:7b", "gpt-oss:120b-cloud"]'),
        ("cooldown_time: 60", "cooldown_time: 30"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    saved = _placed(recorded.loaded_file(folder / "saved.yaml", text, KIMI_KEY="x", LITELLM_MASTER_KEY="x"))
    return msgspec.structs.replace(
        well,
        gateway=msgspec.structs.replace(well.gateway, deployments=_read(runs)),
        configuration=Configuration(
            path=PLACE, current=msgspec.structs.replace(saved, modified_at=NOW - 60), checked_at=NOW - 4
        ),
    )


def renamed(folder: Path) -> Snapshot:
    """All is well, and somebody has saved a file in which a group has another name, that others still fall back on."""
    well = healthy(folder)
    file, loaded = well.configuration.current, well.gateway.deployments.value
    assert file
    assert loaded
    fallbacks, default = [{"llama3.1:latest": ["gpt-oss:120b-cloud"]}], ["gpt-oss:120b-cloud"]
    document = yaml.safe_load(recorded.CONFIG)
    document["router_settings"] = {"fallbacks": fallbacks, "default_fallbacks": default}
    before = _placed(recorded.loaded_file(folder / "routed.yaml", yaml.safe_dump(document)))
    for entry in document["model_list"]:
        if entry["model_name"] == "gpt-oss:120b-cloud":
            entry["model_name"] = "gpt-oss:120b"
    saved = _placed(recorded.loaded_file(folder / "renamed.yaml", yaml.safe_dump(document)))
    runs = tuple(
        msgspec.structs.replace(held, params={k: v for k, v in entry.params.items() if k != "api_key"})
        for held, entry in zip(loaded, before.deployments, strict=True)
    )
    running = {"fallbacks": [*fallbacks, {"*": default}]}
    gateway = msgspec.structs.replace(well.gateway, deployments=_read(runs), router=_read(running))
    return msgspec.structs.replace(
        well,
        gateway=gateway,
        configuration=Configuration(
            path=PLACE, current=msgspec.structs.replace(saved, modified_at=NOW - 60), checked_at=NOW - 4
        ),
    )


def down(folder: Path) -> Snapshot:
    """The process was killed half a minute ago and stays away."""
    well = healthy(folder)
    gone = Reading(
        value="I'm alive!", seen_at=NOW - 31, failure=Unreachable("connection refused", kind="refused"),
        failing_since=NOW - 30, tried_at=NOW, interval=1.5,
    )  # fmt: skip
    old = {
        name: msgspec.structs.replace(getattr(well.gateway, name), seen_at=NOW - 45)
        for name in Gateway.__struct_fields__
        if name != "liveliness"
    }
    service = well.service.value
    assert service
    failed = msgspec.structs.replace(
        service, active_state="failed", sub_state="failed", result="signal", main_pid=0, exit_code="killed",
        exit_status=9,
        started_at=None, changed_at=NOW - 31, memory=None, cpu_percent=None,
    )  # fmt: skip
    return msgspec.structs.replace(
        well, gateway=Gateway(liveliness=gone, **old), service=msgspec.structs.replace(well.service, value=failed)
    )


def bare(folder: Path) -> Snapshot:
    """An address and nothing else: no unit, no file, no key."""
    well = healthy(folder)
    return msgspec.structs.replace(
        well,
        gateway=Gateway(liveliness=well.gateway.liveliness, readiness=well.gateway.readiness),
        configuration=Configuration(why_unwatched="no configuration file was found"),
        service=Reading(failure=NotAvailable("none of the user and system units runs litellm"), tried_at=NOW),
        log=Log(state="off", failure=NotAvailable("none of the user and system units runs litellm")),
        traffic=Traffic(),
    )


def _store() -> LogStore:
    store = LogStore()
    lines: list[tuple[str, str, str, int, str]] = [
        ("INFO", "systemd", "Started litellm.service - LiteLLM proxy.", 0, ""),
        ("INFO", "uvicorn", "Uvicorn running on http://127.0.0.1:4000 (Press CTRL+C to quit)", 0, ""),
        (
            "WARNING",
            "proxy",
            "Key 'context_window_fallback_dict' is not a valid argument for Router.__init__().",
            0,
            "",
        ),
        ("INFO", "access", "POST /v1/chat/completions 200  10.20.0.11", 200, ""),
        ("INFO", "router", "litellm.acompletion(model=openai/gpt-oss) 200 OK", 0, ""),
        ("ERROR", "router", ERROR.partition("\n")[0], 0, ERROR.partition("\n")[2]),
        ("INFO", "access", "POST /v1/chat/completions 500  10.20.0.12", 500, ""),
        ("INFO", "access", "GET /v1/models 401  10.20.0.99", 401, ""),
        ("DEBUG", "litellm", "not shown at this level", 0, ""),
        ("INFO", "stdout", "[bold]markup[/bold] is text, and so is 漢字", 0, ""),
        ("CRITICAL", "proxy", "the last words", 0, ""),
        ("INFO", "access", "GET /health/liveliness 200  127.0.0.1", 200, ""),
    ]
    for number, (level, source, text, status, stack) in enumerate(lines):
        own = text.startswith("GET /health")
        at = NOW - 30 + number * 2
        store.append(LogRecord(0, at, level, source, text, stack, 4242, "", status, own))  # type: ignore[arg-type]
    return store


PROFILE = Profile(
    name="discovered", host="gw-01", url=Found("http://127.0.0.1:4000", "ExecStart of litellm.service (user)"),
    tools=Tools(), config=Found(PLACE, "ExecStart of litellm.service (user)"),
    unit=Found("litellm.service", "discovered"), scope="user",
    key=Secret("sk-never-seen"), key_source="LITELLM_MASTER_KEY from /srv/litellm/litellm.env",
    environment={"LITELLM_MASTER_KEY": Variable("sk-never-seen", "/srv/litellm/litellm.env")},
    environment_files=("/srv/litellm/litellm.env",), interpreter="/opt/litellm/bin/python",
)  # fmt: skip


NOTHING: dict[str, Any] = {
    "config": None, "unit": None, "key": None, "key_source": None, "environment": {}, "environment_files": (),
    "interpreter": None,
}  # fmt: skip


class Frozen(Console):
    """The console drawn from one snapshot."""

    def __init__(self, snapshot: Snapshot, settings: Settings | None = None, *, audited: bool = False) -> None:
        settings = settings or Settings(utc=True)
        profile = PROFILE if snapshot.service.value else msgspec.structs.replace(PROFILE, **NOTHING)
        super().__init__(profile, settings)
        self.session.backups = Backups(profile.url.value, "litellm.service", folder=Path("/nonexistent"))
        file = snapshot.configuration.current if audited else None
        audit = Auditor(None, {}).audit(file, {"LITELLM_MASTER_KEY": "x"}, "1.106.2") if file else None
        diagnosis = diagnose(snapshot, NOW, audit=audit)
        self._frozen = View(
            snapshot=snapshot,
            diagnosis=diagnosis,
            store=_store() if snapshot.service.value else LogStore(),
            profile=profile,
            signs=ASCII if settings.draws_ascii else UNICODE,
            now=NOW,
            clock=utc_clock,
            redact=Redactor(profile.secrets),
            events=noted((), snapshot, diagnosis.problems, NOW),
        )

    @property
    def view(self) -> View:
        return self._frozen

    def remember(self, problems: tuple[Problem, ...]) -> None:
        """Show these problems, as they are after some looks."""
        diagnosis = msgspec.structs.replace(self._frozen.diagnosis, problems=problems)
        self._frozen = self._frozen._replace(diagnosis=diagnosis)

    def _begin(self) -> None:
        self.redraw()

    def _tick(self) -> None:
        # the interval may fire before the screen is composed
        for header in self.screen_stack[0].query(Header):
            header.tick(time.strftime("%H:%M:%S", time.gmtime(NOW)))
