"""The rules about the unit that runs LiteLLM."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from litellm_tui.audit.subject import Runtime
from litellm_tui.model.configuration import Mark
from tests.audit.reading import NEWEST, audited

PROXY = ("/opt/litellm/bin/litellm", "--config", "config.yaml")
CALM = {"LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
SUBJECT = {
    "reload-kills",
    "stop-too-short",
    "cost-map-at-start",
    "recycled-together",
    "debug-in-service",
    "warnings-hidden",
    "stray-env-file",
    "workers-count-apart",
}
MARKS = {"ExecReload": Mark("/etc/litellm.service", 9), "ExecStart": Mark("/etc/litellm.service", 7)}


def said(
    *arguments: str,
    env: Mapping[str, str] | None = CALM,
    version: str = NEWEST,
    reload: str = "",
    stop: float | None = 90.0,
    text: str = "model_list: []\n",
) -> dict[str, Mark]:
    runtime = Runtime("litellm.service", (*PROXY, *arguments), reload, stop, "/etc/litellm.service", MARKS)
    result = audited(text, version=version, env=env, runtime=runtime)
    return {finding.rule: finding.mark for finding in result.findings if finding.rule in SUBJECT}


def test_a_well_made_unit_is_left_alone() -> None:
    assert said() == {}
    result = audited("model_list: []\n", env=CALM, runtime=Runtime("litellm.service", PROXY))
    assert any("LITELLM_MODE" in strength.text for strength in result.right)


def test_without_a_unit_nothing_is_said_of_one() -> None:
    result = audited("model_list: []\n", env={})
    assert {finding.rule for finding in result.findings} & SUBJECT <= {"cost-map-at-start"}


@pytest.mark.parametrize(
    "reload",
    [
        "/bin/kill -HUP 4711",
        "/usr/bin/kill -s HUP $MAINPID",
        "kill -SIGHUP $MAINPID",
        "kill -1 $MAINPID",
        "kill --signal HUP 1",
    ],
)
def test_a_reload_by_hangup_is_found(reload: str) -> None:
    assert said(reload=reload) == {"reload-kills": MARKS["ExecReload"]}


@pytest.mark.parametrize("reload", ["", "/bin/kill -USR1 4711", "/bin/kill -15 4711", "/usr/local/bin/reload HUP-free"])
def test_other_reloads_are_left_alone(reload: str) -> None:
    assert said(reload=reload) == {}


@pytest.mark.parametrize("arguments", [("--num_workers", "2"), ("--num_workers=4",), ("--run_gunicorn",)])
def test_a_supervisor_of_workers_may_take_a_hangup(arguments: tuple[str, ...]) -> None:
    assert "reload-kills" not in said(*arguments, reload="/bin/kill -HUP 4711")


@pytest.mark.parametrize(
    ("stop", "timeout", "short"),
    [
        (10.0, None, True),
        (30.0, None, True),
        (45.0, None, False),
        (45.0, "60", True),
        (45.0, "soon", False),
        (None, "60", False),
    ],
)
def test_systemd_waits_longer_than_litellm(stop: float | None, timeout: str | None, short: bool) -> None:
    env = {**CALM, **({"GRACEFUL_SHUTDOWN_TIMEOUT": timeout} if timeout else {})}
    assert ("stop-too-short" in said(env=env, stop=stop)) is short
    assert "stop-too-short" not in said(env=env, stop=stop, version="1.77.7")


@pytest.mark.parametrize(
    ("version", "env", "expected"),
    [(NEWEST, {}, True), (NEWEST, CALM, False), ("1.77.7", {}, False)],
)
def test_a_release_that_may_not_start_offline_is_found(version: str, env: Mapping[str, str], expected: bool) -> None:
    assert ("cost-map-at-start" in said(env=env, version=version)) is expected


def test_workers_that_restart_together_are_found() -> None:
    several = ("--num_workers", "4", "--max_requests_before_restart", "1000")
    assert said(*several) == {"recycled-together": MARKS["ExecStart"]}
    assert said(*several, "--max_requests_before_restart_jitter", "100") == {}
    assert said(*several[2:]) == {}
    assert said(*several, version="1.77.7") == {}


def test_debug_flags_and_hidden_warnings_are_found() -> None:
    assert said("--detailed_debug") == {"debug-in-service": MARKS["ExecStart"]}
    assert set(said(env={**CALM, "LITELLM_LOG": "error"})) == {"warnings-hidden"}
    assert said(env={**CALM, "LITELLM_LOG": "INFO"}) == {}


def test_a_stray_env_file_can_come_in_unless_the_mode_is_set() -> None:
    assert set(said(env={"LITELLM_LOCAL_MODEL_COST_MAP": "true"})) == {"stray-env-file"}
    assert said(env=None) == {}


def test_several_workers_count_apart_before_1_82() -> None:
    text = "litellm_settings:\n  callbacks: [prometheus]\n"
    several = ("--num_workers", "4")
    assert said(*several, version="1.77.7", text=text)["workers-count-apart"].line == 2
    assert said(*several, text=text) == {}
    told = {**CALM, "PROMETHEUS_MULTIPROC_DIR": "/run/litellm"}
    assert said(*several, version="1.77.7", text=text, env=told) == {}
