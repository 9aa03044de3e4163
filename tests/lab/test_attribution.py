"""No request that failed is nobody's: `status` on real gateways that write at the default log level.

Requests fail inside LiteLLM, in streams that never bring a word, and behind an alias without the fallback of its group.
At INFO the fault matrix (`test_faults.py`) has the same.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.lab.config import deployment
from tests.lab.core import Lab
from tests.lab.environments import Environment

COMMAND = (sys.executable, "-m", "litellm_tui.cli")
REQUESTS = 4


def site() -> dict[str, Any]:
    """What fails in it looks well in the file, in /v1/models and to LiteLLM's own health checks."""
    return {
        "model_list": [
            deployment("weighted", "openai/weighted-m", weight="2"),
            deployment("silent", "openai/silent-mute", timeout=2, stream_timeout=2),
            deployment("front", "openai/front-err500", max_retries=0),
            deployment("spare", "openai/spare-m"),
            deployment("fine", "openai/fine-m"),
            deployment("gone", "openai/gone-m", port="@refused@"),
            deployment("refusing", "openai/refusing-m", port="@refused@"),
        ],
        "litellm_settings": {"num_retries": 0, "json_logs": True, "request_timeout": 10},
        "router_settings": {
            "num_retries": 0,
            "model_group_alias": {"nick": "front"},
            "fallbacks": [{"front": ["spare"]}],
        },
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }


class Site:
    """A lab, and what `status` says after all requests."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        asked = [("weighted", False), ("nick", False), ("fine", False), *[("silent", True)] * REQUESTS]
        with ThreadPoolExecutor(len(asked)) as pool:
            self.statuses = dict(zip(asked, pool.map(lambda job: self._ask(*job), asked), strict=True))
        # one look of a busy machine may end before LiteLLM has told of its groups
        for _ in range(5):
            self.said = json.loads(self.command("status", "--json"))
            if self.said["groups"] and self.state("gone") != "unknown":
                break

    def _ask(self, name: str, stream: bool) -> set[int]:
        times = 1 if stream else REQUESTS
        return {self.lab.chat(name, content=f"{name} {n} {id(self)}", stream=stream).status for n in range(times)}

    def command(self, *arguments: str) -> str:
        env = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}
        done = self.lab.run([*COMMAND, *arguments], user=True, check=False, env=env)
        assert done.returncode in (0, 1, 2, 3), done.stderr
        return str(done.stdout)

    def state(self, group: str) -> str:
        states = {found["name"]: str(found["verdict"]["state"]) for found in self.said["groups"]}
        return states[group]

    def problems(self) -> dict[str, dict[str, Any]]:
        return {problem["title"]: problem for problem in self.said["problems"]}


@pytest.fixture(scope="module")
def site_of(lab_environment: Environment) -> Iterator[Site]:
    with Lab.boot(litellm=lab_environment, config=site()) as lab:
        yield Site(lab)


def test_no_request_that_failed_is_nobodys(site_of: Site) -> None:
    # what the callers got: only one of the names answers them
    assert {name for (name, _), found in site_of.statuses.items() if found == {200}} == {"fine"}
    assert site_of.said["headline"]["word"] == "DEGRADED"
    assert site_of.said["exit_status"] == 2
    assert site_of.state("silent") == "failing"
    assert site_of.state("front") == "failing"
    problems = site_of.problems()
    assert problems["front"]["severity"] == "bad"
    assert "takes over" not in problems["front"]["hit"]
    assert "nobody for nick" in problems["front"]["hit"]
    assert problems["silent"]["severity"] == "bad"
    # no line names it, and only one weight in the file is a text
    assert problems["weighted"]["cause"] == "weight is no number"
    assert problems["weighted"]["reason"].startswith(f"{REQUESTS} requests fail")
    assert "openai/weighted-m of weighted has weight as a text" in problems["weighted"]["reason"]


def test_incidents_count_each_request_that_its_callers_saw_fail(site_of: Site) -> None:
    with ThreadPoolExecutor(2) as pool:
        # what the console asks meanwhile, and is refused, is no request of theirs
        looks = pool.submit(site_of.command, "status")
        asked = [site_of.lab.chat("refusing", content=f"{n} {id(site_of)}").status for n in range(2 * REQUESTS)]
        looks.result()
    assert 200 not in asked
    told = json.loads(site_of.command("incidents", "--json"))["incidents"]
    (one,) = [one for one in told if one["subject"] == "refusing"]
    assert (one["cause"], one["count"]) == ("refused", len(asked)), one


def test_a_probe_is_evidence_for_the_next_command(site_of: Site) -> None:
    assert site_of.state("gone") == "idle"
    site_of.command("status")
    assert json.loads(site_of.command("probe", "gone", "--json"))["failed"] == 1
    found = json.loads(site_of.command("status", "--json"))
    (problem,) = [problem for problem in found["problems"] if problem["title"] == "gone"]
    assert problem["severity"] == "bad"
    assert any(change.startswith("new: gone: ") for change in found["changes"])


def test_a_gateway_that_died_since_is_told_with_its_address(site_of: Site) -> None:
    site_of.command("status")
    site_of.lab.systemctl("stop", "litellm.service", user=True)
    said = site_of.command("status")
    assert said.startswith("DOWN")
    assert f"no connection to 127.0.0.1:{site_of.lab.ports.user}" in said
    assert "the gateway: answering → down" in said.partition("since the last look")[2]
