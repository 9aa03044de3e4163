"""Rules about the unit that runs LiteLLM: its command line, its environment, and how it is stopped and reloaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import UNKNOWN, Runtime, Subject
from litellm_tui.audit.surroundings import is_set, named_callbacks, worker_count
from litellm_tui.model.configuration import Mark

# looked for one after the other: `kill` again and again costs linear time
_KILLS: Final = re.compile(r"\bkill(?:all)?\b", re.IGNORECASE)
_HANGUP: Final = re.compile(r"(?:-s\s*|--signal[ =]|-)(?:SIG)?(?:HUP|1)\b", re.IGNORECASE)
_DRAINS_SINCE: Final = "1.89"
_DRAINS: Final = 30.0
# the first and last release of each series that can end at its start (issue 46711 of LiteLLM)
_FRAGILE: Final = (("1.104.0", "1.104.6"), ("1.105.0", "1.105.4"), ("1.106.0", "1.106.3"))


@rule(
    "reload-kills",
    "error",
    "A reload that ends the proxy",
    why="With one worker LiteLLM's proxy has no handler for SIGHUP: the signal ends it, and every request in flight.",
    source="litellm/proxy/proxy_cli.py, run_server: uvicorn.run (1.106.2, 1.77.7)",
    fix="take ExecReload out of the unit: a new configuration needs a restart",
)
def reload_kills(subject: Subject) -> Iterator[Hit]:
    runtime = subject.runtime
    # uvicorn's supervisor of several workers and gunicorn's master take the signal as a wish for new workers
    if runtime is None or _in_container(runtime) or not _hangs_up(runtime.exec_reload):
        return
    if runtime.option("--run_gunicorn") is None and worker_count(subject) == 1:
        yield Hit(f"ExecReload of {runtime.unit} sends SIGHUP", mark=_mark(runtime, "ExecReload"))


@rule(
    "stop-too-short",
    "warning",
    "systemd kills the proxy before it has finished its requests",
    why="When it is stopped LiteLLM waits for the requests in flight, 30 seconds or as GRACEFUL_SHUTDOWN_TIMEOUT says. "
    "systemd kills it after TimeoutStopSec.",
    source="litellm/proxy/shutdown/graceful_shutdown_manager.py (1.106.2); first in 1.89",
    fix="set TimeoutStopSec in the unit some seconds above GRACEFUL_SHUTDOWN_TIMEOUT",
    since=_DRAINS_SINCE,
)
def stop_too_short(subject: Subject) -> Iterator[Hit | Right]:
    runtime, told = subject.runtime, subject.variable("GRACEFUL_SHUTDOWN_TIMEOUT")
    if runtime is None or runtime.stop_seconds is None or subject.environment is None:
        return
    drains = _seconds(told) if isinstance(told, str) else None
    waits = _DRAINS if drains is None else drains
    if runtime.stop_seconds <= waits:
        text = f"{runtime.unit} is killed after {runtime.stop_seconds:g} s, and may wait for requests {waits:g} s"
        yield Hit(text, mark=_mark(runtime, "TimeoutStopSec"))
    elif drains is not None:
        yield Right(f"systemd waits {runtime.stop_seconds:g} s for a stop, LiteLLM {waits:g} s for its requests")


@rule(
    "cost-map-at-start",
    "advice",
    "A version that may not start without the internet",
    why="These releases fetch the cost map while they start, and can end with an ImportError when that fails. Mended "
    "in 1.104.7, 1.105.5 and 1.106.4.",
    source="github.com/BerriAI/litellm, issue 46711",
    fix="set LITELLM_LOCAL_MODEL_COST_MAP=True in the environment, or upgrade",
)
def cost_map_at_start(subject: Subject) -> Iterator[Hit]:
    if subject.environment is None or subject.catalogue.source == "newest":
        return
    told = subject.variable("LITELLM_LOCAL_MODEL_COST_MAP")
    local = told is UNKNOWN or str(told).lower() == "true"
    if not local and any(subject.runs(first, last) for first, last in _FRAGILE):
        yield Hit(f"LiteLLM {subject.catalogue.version} fetches its cost map at its start", mark=_place(subject))


@rule(
    "recycled-together",
    "advice",
    "Workers that restart all at once",
    why="Each worker restarts after so many requests. They get about the same number, and so restart together.",
    source="docs.litellm.ai/docs/proxy/prod; litellm/proxy/proxy_cli.py, run_server (1.106.2)",
    fix="add --max_requests_before_restart_jitter, a tenth of the number",
    since="1.90",
)
def recycled_together(subject: Subject) -> Iterator[Hit]:
    if (runtime := subject.runtime) is None or (worker_count(subject) or 1) < 2:
        return
    after = _option(subject, runtime, "--max_requests_before_restart")
    if after and not _option(subject, runtime, "--max_requests_before_restart_jitter"):
        text = f"the workers of {runtime.unit} restart after {after} requests, without a jitter"
        yield Hit(text, mark=_mark(runtime, "ExecStart"))


@rule(
    "debug-in-service",
    "advice",
    "Debug output in the service",
    why="LiteLLM then writes whole requests and answers to the log, which costs time and keeps what users wrote.",
    source="docs.litellm.ai/docs/proxy/prod",
    fix="take it out when nothing is being looked for",
)
def debug_in_service(subject: Subject) -> Iterator[Hit | Right]:
    if (runtime := subject.runtime) is None:
        return
    flags = [flag for flag in ("--detailed_debug", "--debug") if runtime.option(flag) is not None]
    told = subject.variable("LITELLM_LOG")
    if flags:
        yield Hit(f"{runtime.unit} runs with {flags[0]}", mark=_mark(runtime, "ExecStart"))
    elif isinstance(told, str) and told.upper() == "INFO":
        yield Right("LITELLM_LOG=INFO names the model of every request in the log")


@rule(
    "warnings-hidden",
    "advice",
    "LiteLLM's own warnings are hidden",
    why="With LITELLM_LOG=ERROR LiteLLM does not write that it ignores a key of router_settings, nor other warnings.",
    source="docs.litellm.ai/docs/proxy/prod; litellm/_logging.py (1.106.2, 1.77.7)",
    fix="set LITELLM_LOG=WARNING, or INFO to have the model of each request in the log",
)
def warnings_hidden(subject: Subject) -> Iterator[Hit]:
    runtime, told = subject.runtime, subject.variable("LITELLM_LOG")
    if runtime is not None and isinstance(told, str) and told.upper() in ("ERROR", "CRITICAL"):
        text = f"LITELLM_LOG is {told.upper()} ({_source(runtime, 'LITELLM_LOG')})"
        yield Hit(text, mark=_mark(runtime, "Environment"))


@rule(
    "stray-env-file",
    "advice",
    "A .env file may come in",
    why="Unless LITELLM_MODE is PRODUCTION, LiteLLM reads a .env file from its folder or one above, and takes from it "
    "what the unit does not set.",
    source="docs.litellm.ai/docs/proxy/prod; litellm/__init__.py (1.106.2, 1.77.7)",
    fix="set LITELLM_MODE=PRODUCTION in the environment",
)
def stray_env_file(subject: Subject) -> Iterator[Hit | Right]:
    if subject.runtime is None or subject.environment is None or _in_container(subject.runtime):
        return
    if subject.environment.get("LITELLM_MODE", "DEV") == "DEV":
        yield Hit("LITELLM_MODE is not PRODUCTION", mark=_mark(subject.runtime, "Environment"))
    else:
        yield Right("no stray .env file comes in: LITELLM_MODE is set")


@rule(
    "workers-count-apart",
    "advice",
    "Metrics of one worker at a time",
    why="Each worker counts for itself, and /metrics answers with the counts of the one that is asked. From 1.82 on "
    "LiteLLM makes the folder in which they meet by itself.",
    source="docs.litellm.ai/docs/proxy/prometheus; litellm/proxy/proxy_cli.py (1.77.7)",
    fix="set PROMETHEUS_MULTIPROC_DIR to an empty folder of the unit's own",
    until="1.81",
)
def workers_count_apart(subject: Subject) -> Iterator[Hit]:
    runtime = subject.runtime
    if runtime is None or subject.environment is None or (worker_count(subject) or 1) < 2:
        return
    names = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")
    path = next((path for path, name in named_callbacks(subject) if name == "prometheus"), None)
    if path and is_set(subject, *names) is False:
        yield Hit(f"{worker_count(subject)} workers, and PROMETHEUS_MULTIPROC_DIR is not set", path)


def _option(subject: Subject, runtime: Runtime, name: str) -> str:
    """An option of the command line, or the variable with the same effect."""
    told = runtime.option(name) or subject.variable(name.removeprefix("--").upper())
    return told if isinstance(told, str) else ""


def _hangs_up(orders: str) -> bool:
    """Whether one of the orders, one a line, sends SIGHUP with a `kill`."""
    for order in orders.split("\n"):
        kill = _KILLS.search(order)
        if kill and _HANGUP.search(order, kill.end()):
            return True
    return False


def _in_container(runtime: Runtime) -> bool:
    if runtime.contained:
        return True
    command = runtime.arguments[0].rpartition("/")[2] if runtime.arguments else ""
    return command in ("docker", "docker-compose", "podman", "podman-compose")


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _source(runtime: Runtime, name: str) -> str:
    return runtime.sources.get(name, runtime.unit)


def _mark(runtime: Runtime, directive: str) -> Mark:
    return runtime.marks.get(directive) or Mark(runtime.fragment or runtime.unit, 1)


def _place(subject: Subject) -> Mark | None:
    return _mark(subject.runtime, "ExecStart") if subject.runtime else None
