"""Proofs of the rules about the unit that runs LiteLLM."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import httpx

from litellm_tui.audit.subject import Runtime
from tests.proving.case import Case, logs, runs, serves
from tests.proving.run import Run

_MODELS = """
  - {model_name: good, litellm_params: {model: openai/good, api_base: '{upstream}', api_key: k}}
  - {model_name: slow, litellm_params: {model: openai/hang, api_base: '{upstream}', api_key: k}}
"""
_PROXY = ("/opt/litellm/bin/litellm", "--config", "config.yaml")
_STOP = 2.0


def _process(run: Run) -> int:
    """The process of a start: it alone has the start's folder as its working directory."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and os.readlink(entry / "cwd") == str(run.folder):
                return int(entry.name)
    raise AssertionError("no process has the folder of the run")


def _hung_up(run: Run) -> None:
    serves("good")(run)
    os.kill(_process(run), signal.SIGHUP)
    assert run.ends(20)
    assert run.status == -signal.SIGHUP


def _drains(run: Run) -> None:
    """With a request in flight it outlives the seconds that the unit gives it."""
    runs(run)

    def ask() -> None:
        with suppress(httpx.TransportError):
            run.chat("slow")

    asking = threading.Thread(target=ask, daemon=True)
    before = len(run.upstream_calls())
    asking.start()
    while len(run.upstream_calls()) == before:
        assert asking.is_alive()
    os.kill(_process(run), signal.SIGTERM)
    assert not run.ends(_STOP)


CASES: tuple[Case, ...] = (
    Case(
        "a reload by SIGHUP",
        f"model_list:{_MODELS}",
        finds={"reload-kills": 1},
        runtime=Runtime("litellm.service", _PROXY, "/bin/kill -HUP $MAINPID"),
        proof=_hung_up,
    ),
    Case(
        "a stop that is too short",
        f"model_list:{_MODELS}",
        finds={"stop-too-short": 1},
        env={"GRACEFUL_SHUTDOWN_TIMEOUT": "20"},
        runtime=Runtime("litellm.service", _PROXY, stop_seconds=_STOP),
        proof=_drains,
        since="1.89",
    ),
    Case(
        "a start without the internet",
        f"model_list:{_MODELS}",
        finds={"cost-map-at-start": 1},
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "", "LITELLM_MODEL_COST_MAP_URL": "http://127.0.0.1:9/map.json"},
        cold=True,
        # that it then ends is a race that is not won every time: seen is that it asks
        proof=logs("Failed to fetch remote model cost map"),
        since="1.104.0",
        until="1.106.3",
    ),
)
