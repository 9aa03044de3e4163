"""A gateway on which nothing is wrong, and one that nobody uses, watched in the background of a whole session."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack
from typing import Any

from litellm_tui.collectors.gateway.client import LIVELINESS
from tests.lab.config import deployment
from tests.lab.core import Lab, request
from tests.lab.environments import Environment, environments
from tests.lab.faults_ways import accept_release, start_two, workers
from tests.lab.traffic import Failed, Flow, Traffic
from tests.lab.watch import Said, watching

VARIABLE = "LITELLM_TUI_CALM_SECONDS"
# with --long, where nothing else is asked for
LONG_SECONDS = 600.0
# How long the console must not make a billable call while it looks.
IDLE_SECONDS = 120.0
# Until the watch has seen everything once; what it says before that is about its own beginning.
SETTLING_SECONDS = 30.0
FLOWS = (
    Flow("paired", "chat", 0.6),
    Flow("paired", "stream", 0.3),
    Flow("nickname", "chat", 0.2),
    Flow("single", "chat", 0.2),
    Flow("embed", "embedding", 0.2),
)


def healthy_config() -> dict[str, Any]:
    """What a careful operator runs: two deployments of a busy group, a fallback that exists, a mode on embeddings."""
    return {
        "model_list": [
            deployment("paired", "openai/paired-a"),
            deployment("paired", "openai/paired-b"),
            deployment("single", "openai/single-m"),
            deployment("embed", "openai/embed-m", model_info={"mode": "embedding"}),
            deployment("unused", "openai/unused-m"),
        ],
        "litellm_settings": {
            "request_timeout": 20,
            "num_retries": 1,
            "cache": True,
            "cache_params": {"type": "redis", "host": "127.0.0.1", "port": "@redis@", "ttl": 600},
            "json_logs": True,
        },
        "router_settings": {
            "routing_strategy": "simple-shuffle",
            "model_group_alias": {"nickname": "paired"},
            "fallbacks": [{"single": ["paired"]}],
        },
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "background_health_checks": True,
            "health_check_interval": 10,
        },
    }


def idle_config() -> dict[str, Any]:
    """No background health checks: GET /health would call, and bill, every deployment of the second upstream."""
    config = healthy_config()
    config["model_list"] = [
        deployment("dear", "openai/dear-m", port="@second@"),
        deployment("embed", "openai/embed-m", port="@second@", model_info={"mode": "embedding"}),
    ]
    del config["router_settings"], config["general_settings"]["background_health_checks"]
    return config


def calm_seconds() -> float:
    """How long the healthy gateway is watched."""
    return float(os.environ.get(VARIABLE, LONG_SECONDS))


class Calm:
    """Watches both from now on; `join` waits for the end and raises what went wrong on the way.

    The healthy gateway of the newest LiteLLM has two workers. `lasted` is how long it was watched, in seconds, and
    `processes` how many workers its unit has at the end.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.workers = 2 if environment == environments()[0] else 1
        self.said: list[Said] = []
        self.lasted = 0.0
        self.processes = 0
        self.settled = False
        self.statuses: dict[int, int] = {}
        self.took: list[tuple[float, float]] = []
        self.failed: list[Failed] = []
        self.idle: Said = {}
        self.calls: dict[str, Any] | None = None
        self._error: BaseException | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it early; harmless when it has ended."""
        self._stopped.set()
        self._thread.join(60)

    def join(self) -> None:
        """Wait until it has run its time."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._watch()
        except BaseException as error:  # noqa: BLE001  # raised again by whoever joins
            self._error = error

    def _watch(self) -> None:
        with ExitStack() as stack:
            lab = stack.enter_context(
                Lab.boot(
                    litellm=self.environment,
                    config=healthy_config(),
                    system_config=idle_config(),
                    units=("system",) if self.workers > 1 else ("user", "system"),
                    groups=("systemd-journal",),
                    env={"LITELLM_LOG": "INFO"},
                )
            )
            if self.workers > 1:
                start_two(lab)
            accept_release(lab)
            request("DELETE", f"http://127.0.0.1:{lab.ports.second}/calls")
            idle = stack.enter_context(
                watching(lab, "--url", lab.url(user=False), env={"LITELLM_PROXY_API_KEY": lab.key(user=False)})
            )
            traffic = stack.enter_context(Traffic(lab, FLOWS))
            lab.wait_health_round()
            watch = stack.enter_context(watching(lab))
            self.settled = watch.wait_for(lambda line: line["headline"]["word"] == "OK", SETTLING_SECONDS) is not None
            begun = time.time()
            self._stopped.wait(IDLE_SECONDS)
            self.idle = idle.last
            self.calls = request("GET", f"http://127.0.0.1:{lab.ports.second}/calls").json()
            self._stopped.wait(max(0.0, begun + calm_seconds() - time.time()))
            self.lasted, self.said = time.time() - begun, watch.since(begun)
            self.processes = len(workers(lab))
            traffic.stop()
            self.statuses = dict(traffic.total())
            self.took, self.failed = traffic.took, traffic.failed

    def stood_still(self, moment: float) -> bool:
        """Whether the requests of its clients waited as well then: the machine has more to do than it can."""
        return any(
            took > 2 * LIVELINESS.timeout and moment - took < ended < moment + 2 * took for ended, took in self.took
        )
