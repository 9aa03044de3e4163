"""`litellm-tui status` and `check` on the real gateway, as the ordinary user of the lab runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from litellm_tui.audit.advisories.matching import affecting
from litellm_tui.collectors.litellm_source.advisories import shipped_advisories
from tests.lab import Lab

COMMAND = (sys.executable, "-m", "litellm_tui.cli")
ENV = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}


def _run(lab: Lab, *arguments: str, name: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command with a state folder of its own: the tests share the lab and its user."""
    state = {"XDG_STATE_HOME": str(lab.home / f"state-{name}")}
    return lab.run([*COMMAND, *arguments], user=True, check=False, env={**ENV, **state, **(env or {})})


def _status(lab: Lab, name: str) -> dict[str, Any]:
    done = _run(lab, "status", "--json", name=name)
    assert done.returncode in (0, 1, 2, 3), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["exit_status"] == done.returncode
    return found


def _causes(found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(problem["title"], problem["cause"]) for problem in found["problems"] if problem["severity"] != "quiet"}


def test_the_glance_names_what_is_wrong_with_the_real_gateway(lab_version: Lab) -> None:
    lab_version.wait_health_round()
    found = _status(lab_version, "glance")
    # beside everything else that starts with the lab, LiteLLM may need longer than a glance has
    for number in range(5):
        if found["gateway"]["state"] == "answering" and found["litellm_version"]:
            break
        found = _status(lab_version, f"glance {number}")
    assert found["headline"]["word"] == "DEGRADED"
    assert found["litellm_version"] == lab_version.litellm.version
    assert found["gateway"]["state"] == "answering"
    assert {
        ("qwen-coder-vllm", "refused"),
        ("qwen2.5-coder:7b", "500"),
        ("kimi-k2:1t-cloud", "KIMI_KEY unset"),
        ("kimi-k2:1t-cloud", "ghost fallback"),
    } <= _causes(found)
    states = {d["model"]: d["verdict"]["state"] for d in found["deployments"]}
    assert states["openai/qwen-err500"] == "masked"
    assert states["openai/nomic-embed-text"] in ("serving", "idle")


def test_an_old_release_is_told_with_the_one_that_mends_it(lab_version: Lab) -> None:
    version = lab_version.litellm.version
    at_risk = affecting(shipped_advisories(), version)
    exploited = sum(one.kind == "exploited" for one in at_risk)
    told = [problem for problem in _status(lab_version, "release")["problems"] if "exploited hole" in problem["cause"]]
    assert [problem["cause"] for problem in told] == [f"{exploited} exploited hole"] * (exploited == 1)
    assert all(problem["do"].startswith("upgrade to ") for problem in told)
    line = next(line for line in _run(lab_version, "where", name="release").stdout.splitlines() if "METADATA" in line)
    assert line.startswith(f"release         LiteLLM {version}")
    assert ("(exploited)" in line) == bool(exploited)


def test_no_form_of_it_tells_a_key(lab_version: Lab) -> None:
    for form in ([], ["--json"], ["--markdown"]):
        done = _run(lab_version, "status", *form, name="secrets")
        assert len(done.stdout) > 500
        assert lab_version.key() not in done.stdout + done.stderr
        assert "sk-none" not in done.stdout


def test_the_second_glance_has_nothing_new(lab_version: Lab) -> None:
    assert " new" in _run(lab_version, "status", name="twice").stdout
    again = _run(lab_version, "status", name="twice").stdout
    assert "\n✖ new" not in again
    assert "since the last look" in again


def test_check_tells_each_phase_and_redis_that_was_stopped(lab_version: Lab) -> None:
    def phases() -> dict[str, str]:
        done = _run(lab_version, "check", "--json", name="check")
        return {phase["name"]: phase["outcome"] for phase in json.loads(done.stdout)["phases"]}

    found = phases()
    assert (found["file"], found["gateway"], found["key"], found["cache"]) == ("ok", "ok", "ok", "ok")
    assert (found["references"], found["models"], found["routing"]) == ("warning", "broken", "warning")
    lab_version.systemctl("stop", "redis.service")
    try:
        assert phases()["cache"] == "warning"
    finally:
        lab_version.systemctl("start", "redis.service")
    lab_version.wait_ready()


def test_a_wrong_key_and_a_stopped_gateway_have_an_exit_status_of_their_own(lab_version: Lab) -> None:
    wrong = _run(lab_version, "check", name="key", env={"LITELLM_PROXY_API_KEY": "sk-lab-wrong-0000"})
    assert wrong.returncode == 2
    assert "key was refused" in wrong.stdout
    assert "sk-lab-wrong-0000" not in wrong.stdout
    lab_version.systemctl("stop", "litellm.service", user=True)
    try:
        down = _run(lab_version, "status", name="down")
        assert down.returncode == 3
        assert down.stdout.startswith("DOWN")
        assert "stopped" in down.stdout
    finally:
        lab_version.systemctl("start", "litellm.service", user=True)
        lab_version.wait_ready()
