"""Proves the lab itself, so that a failure in another test is the console's and not the lab's."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.lab import Environment, Lab, LabError, keeper, missing
from tests.lab import core as lab_core
from tests.lab.__main__ import main
from tests.lab.config import default_config, render
from tests.lab.environments import PATIENCE, VARIABLE, environments
from tests.lab.traffic import Flow, Traffic
from tests.lab.watch import Said, watching

REPOSITORY = Path(__file__).resolve().parents[2]
Boot = Callable[..., Lab]


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


# -- the shared lab


def test_systemd_is_first_process(lab: Lab) -> None:
    assert lab.run(["cat", "/proc/1/comm"]).stdout.strip() == "systemd"
    assert lab.run(["systemctl", "is-system-running"], check=False).stdout.strip() in ("running", "degraded")
    assert lab.systemctl("--failed", "--no-legend").stdout.strip() == ""
    assert lab.run(["hostname"]).stdout.strip() == keeper.HOST


def test_user_unit_runs_as_the_ordinary_user(lab: Lab) -> None:
    shown = lab.show("litellm.service", "ActiveState", "MainPID", "FragmentPath", "EnvironmentFiles", "UnitFileState")
    assert shown["ActiveState"] == "active"
    assert shown["UnitFileState"] == "enabled"
    assert shown["FragmentPath"] == str(lab.unit_path())
    assert shown["EnvironmentFiles"].startswith(str(lab.env_path()))
    assert lab.run(["stat", "-c", "%U", f"/proc/{shown['MainPID']}"]).stdout.strip() == "litellm-lab"
    assert lab.run(["whoami"], user=True).stdout.strip() == "litellm-lab"
    assert lab.run(["sh", "-c", "echo ~ ~litellm-lab"], user=True).stdout.split() == [str(lab.home)] * 2


def test_user_owns_what_is_its_own_and_no_more(lab: Lab) -> None:
    assert lab.env_path().stat().st_uid == lab.config_path().stat().st_uid == lab.uid
    assert lab.key() in lab.run(["cat", lab.env_path()], user=True).stdout
    with pytest.raises(LabError, match="Permission denied"):
        lab.run(["cat", lab.env_path(user=False)], user=True)


def test_ordinary_user_sees_the_system_unit_but_cannot_restart_it(lab: Lab) -> None:
    asked = lab.run(["systemctl", "show", "litellm.service", "-p", "LoadState,ActiveState"], user=True)
    assert "LoadState=loaded" in asked.stdout
    assert "ActiveState=inactive" in asked.stdout
    denied = lab.run(["systemctl", "restart", "redis.service"], user=True, check=False)
    assert denied.returncode != 0
    assert "denied" in denied.stderr or "authentication required" in denied.stderr


def test_user_journal_shows_litellm(lab_version: Lab) -> None:
    assert until(lambda: "Proxy initialized with Config" in lab_version.journal("-o", "cat", "--all", lines=10000))
    assert "Started " in lab_version.journal(lines=10000)
    assert lab_version.show("litellm.service", "ActiveState")["ActiveState"] == "active"


def test_failing_model_leaves_an_error_line(lab_version: Lab) -> None:
    lab_version.reset_upstream()
    answer = lab_version.chat("qwen2.5-coder:7b", disable_fallbacks=True, num_retries=0)
    assert answer.status == 500

    def logged() -> bool:
        lines = lab_version.journal("-o", "cat", "--all").splitlines()
        records = [json.loads(line) for line in lines if line.startswith("{")]
        return any(r["level"] == "ERROR" and "upstream exploded" in json.dumps(r) for r in records)

    assert until(logged)
    assert lab_version.calls()["models"]["qwen-err500"] >= 1


def test_models_and_fallbacks_answer_as_configured(lab_version: Lab) -> None:
    assert lab_version.chat("llama3.1:latest").status == 200
    assert lab_version.chat("gpt-4").status == 200
    served = lab_version.chat("qwen2.5-coder:7b", content="who serves this?")
    assert served.status == 200
    assert int(served.headers["x-litellm-attempted-fallbacks"]) >= 1
    assert lab_version.chat("qwen-coder-vllm", num_retries=0).status == 500
    listed = [model["id"] for model in lab_version.request("GET", "/v1/models").json()["data"]]
    assert {"llama3.1:latest", "gpt-4", "nomic-embed-text"} <= set(listed)


def test_health_round(lab_version: Lab) -> None:
    health = lab_version.wait_health_round().json()
    assert {entry["model"] for entry in health["unhealthy_endpoints"]} == {
        "openai/qwen-err500",
        "openai/Qwen/Qwen2.5-Coder-7B-Instruct-AWQ",
        "openai/kimi-err401",
    }
    assert health["healthy_count"] == 4


def test_cache_is_redis(lab_version: Lab) -> None:
    assert lab_version.redis("PING") == "+PONG"
    assert lab_version.request("GET", "/cache/ping").json()["cache_type"] == "redis"


def test_faults_at_run_time_and_counting(lab: Lab) -> None:
    lab.reset_upstream()
    ask: dict[str, Any] = {
        "disable_fallbacks": True,
        "num_retries": 0,
        "cache": {"no-cache": True, "no-store": True},
    }
    try:
        lab.fault("gpt-oss", "err429")
        assert lab.chat("gpt-oss:120b-cloud", **ask).status == 429
        lab.fault("gpt-oss", "slow", seconds=0.5)
        assert lab.chat("gpt-oss:120b-cloud", **ask).seconds >= 0.5
        lab.fault("qwen-err500", "ok")
        assert lab.chat("qwen2.5-coder:7b", **ask).status == 200
        lab.fault("qwen-err500", None)
        assert lab.chat("qwen2.5-coder:7b", **ask).status == 500
        with pytest.raises(LabError, match="want a model"):
            lab.fault("gpt-oss", "err999")
        assert lab.calls()["endpoints"]["/chat/completions"] >= 4
        assert lab.calls(reset=True)["total"] > lab.calls()["total"]
    finally:
        lab.reset_upstream()


def test_streaming_embedding_and_rerank(lab: Lab) -> None:
    streamed = lab.chat("gpt-oss:120b-cloud", stream=True, content="stream, please")
    assert streamed.text.rstrip().endswith("data: [DONE]")
    embedded = lab.request("POST", "/v1/embeddings", {"model": "nomic-embed-text", "input": "a"})
    assert len(embedded.json()["data"][0]["embedding"]) == 3
    body = {"model": "reranker", "query": "a", "documents": ["b", "c"]}
    ranked = lab_core.request("POST", f"http://127.0.0.1:{lab.ports.upstream}/v1/rerank", body=body)
    assert [result["index"] for result in ranked.json()["results"]] == [0, 1]


def asked(lab: Lab, model: str, content: str, stream: bool = False, port: int | None = None) -> lab_core.Answer:
    """One request to the upstream itself."""
    body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": stream}
    url = f"http://127.0.0.1:{port or lab.ports.upstream}/v1/chat/completions"
    return lab_core.request("POST", url, body=body)


def test_a_fault_can_spare_health_checks_or_hit_nothing_else(lab: Lab) -> None:
    check = "Hey how's it going?"
    try:
        lab.fault("some-model", "err500", only="checks")
        assert [asked(lab, "some-model", text).status for text in (check, "hello")] == [500, 200]
        lab.fault("some-model", "err500", only="requests")
        assert [asked(lab, "some-model", text).status for text in (check, "hello")] == [200, 500]
        lab.fault("some-model", None)
        assert asked(lab, "some-model", "hello").status == 200
    finally:
        lab.reset_upstream()


@pytest.mark.parametrize(("fault", "error"), [("cutoff", ConnectionResetError), ("errstream", None)])
def test_a_stream_breaks_in_the_middle(lab: Lab, fault: str, error: type[OSError] | None) -> None:
    lab.fault("some-model", fault)
    try:
        assert asked(lab, "some-model", "whole").json()["choices"][0]["message"]["content"] == "Hello from the lab"
        if error:
            with pytest.raises(error):
                asked(lab, "some-model", "streamed", stream=True)
        else:
            assert "the engine died" in asked(lab, "some-model", "streamed", stream=True).text
    finally:
        lab.reset_upstream()


def test_second_upstream_can_be_stopped_alone(lab: Lab) -> None:
    assert asked(lab, "some-model", "hello", port=lab.ports.second).status == 200
    lab.systemctl("stop", "second.service")
    try:
        with pytest.raises(ConnectionRefusedError):
            asked(lab, "some-model", "hello", port=lab.ports.second)
        assert asked(lab, "some-model", "hello").status == 200
    finally:
        lab.systemctl("start", "second.service")
    assert until(lambda: lab._answers(f"http://127.0.0.1:{lab.ports.second}/calls"))


def test_traffic_counts_what_it_was_answered(lab: Lab) -> None:
    flows = (Flow("gpt-oss:120b-cloud", "stream", 5), Flow("nomic-embed-text", "embedding", 5), Flow("nobody", rate=5))
    with Traffic(lab, flows) as traffic:
        assert until(lambda: len(traffic.counts) == 3 and traffic.total().total() > 9)
    ended = traffic.total()
    assert set(traffic.counts["gpt-oss:120b-cloud", "stream"]) == {200}
    assert set(traffic.counts["nomic-embed-text", "embedding"]) == {200}
    assert 200 not in traffic.counts["nobody", "chat"]
    time.sleep(0.5)
    assert traffic.total() == ended


def test_a_watch_says_what_is_wrong(lab: Lab) -> None:
    def refused(line: Said) -> bool:
        return any(
            row["group"] == "qwen-coder-vllm" and row["verdict"]["state"] == "failing" for row in line["deployments"]
        )

    with watching(lab) as watch:
        assert watch.wait_for(lambda line: line["headline"]["word"] == "DEGRADED", 30) is not None
        lab.chat("qwen-coder-vllm", num_retries=0)
        assert watch.wait_for(refused, 30) is not None
        assert watch.wait_for(lambda line: line["headline"]["word"] == "NEVER", 0.5) is None
        assert lab.key() not in json.dumps(watch.lines)


def test_wrong_key_is_refused(lab_version: Lab) -> None:
    assert lab_version.request("GET", "/v1/models", key="sk-lab-wrong").status != 200
    assert lab_version.request("GET", "/health/liveliness", key=None).status == 200


def test_command_line_for_a_caller_that_spawns_itself(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-lab-astray")
    shell = "echo $HOME $XDG_RUNTIME_DIR $GIVEN-$LITELLM_MASTER_KEY; exit 7"
    done = subprocess.run(lab.argv(["sh", "-c", shell], env={"GIVEN": "x"}), capture_output=True, text=True)
    assert done.returncode == 7
    assert done.stdout.split() == [str(lab.home), lab.env["XDG_RUNTIME_DIR"], "x-"]
    assert lab.run(["cat"], input="through", user=True).stdout == "through"
    # The interpreter of the tests lies wherever it lies, be it in a folder closed to others.
    version = lab.run([sys.executable, "-c", "import sys; print(sys.version_info[0])"], user=True)
    assert version.stdout.strip() == "3"


def test_time_out_ends_the_command_inside(lab: Lab) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        lab.run(["sleep", "98765"], timeout=0.3)
    assert until(lambda: "98765" not in lab.run(["ps", "-eo", "args"]).stdout)


def test_restart_and_rewritten_configuration(boot_lab: Boot) -> None:
    lab = boot_lab()
    before = lab.show("litellm.service", "MainPID")["MainPID"]
    config = default_config()
    config["model_list"] = config["model_list"][-1:]
    lab.write_config(config)
    assert lab.config_path().stat().st_uid == lab.uid
    lab.systemctl("restart", "litellm.service", user=True)
    lab.wait_ready()
    assert lab.show("litellm.service", "MainPID")["MainPID"] != before
    served = [entry["model_name"] for entry in lab.request("GET", "/v1/model/info").json()["data"]]
    assert served == ["nomic-embed-text"]


# -- variants


def test_system_unit(boot_lab: Boot, lab_environment: Environment) -> None:
    lab = boot_lab(litellm=lab_environment, units=("system",), groups=("systemd-journal",))
    assert lab.show("litellm.service", "ActiveState", user=False)["ActiveState"] == "active"
    assert lab.show("litellm.service", "ActiveState", user=True)["ActiveState"] == "inactive"
    assert "Proxy initialized with Config" in lab.journal("-o", "cat", "--all", user=False)
    assert lab.request("GET", "/v1/models", user=False).status == 200
    assert lab.request("GET", "/v1/models", user=False, key=lab.key(user=True)).status != 200
    as_member = lab.run(["journalctl", "-u", "litellm.service", "-n", "5", "-o", "cat"], user=True)
    assert as_member.stdout.strip()


def test_volatile_journal_has_no_user_journal(boot_lab: Boot) -> None:
    lab = boot_lab(units=(), volatile_journal=True)
    lab.run(["systemd-run", "--user", "--quiet", "--wait", "--unit=said", "echo", "a word"], user=True)
    asked = lab.run(["journalctl", "--user", "--unit", "said"], user=True, check=False)
    assert "No journal files were" in asked.stderr + asked.stdout
    as_root = ["journalctl", "-o", "cat", f"_UID={lab.uid}"]
    assert until(lambda: "a word" in lab.run(as_root).stdout)


def test_two_labs_side_by_side(boot_lab: Boot) -> None:
    first, second = boot_lab(units=()), boot_lab(units=())
    assert first.pid != second.pid
    assert not set(vars_of(first)) & set(vars_of(second))
    first.systemctl("stop", "redis.service")
    assert second.redis("PING") == "+PONG"
    first.down()
    assert second.alive
    assert second.systemctl("is-active", "redis.service").stdout.strip() == "active"


def vars_of(lab: Lab) -> list[int]:
    return [getattr(lab.ports, name) for name in lab.ports.__slots__]


def test_installed_units(boot_lab: Boot) -> None:
    lab = boot_lab(units=(), installed=("system",))
    assert lab.show("litellm.service", "LoadState", user=True)["LoadState"] == "not-found"
    assert lab.show("litellm.service", "LoadState", user=False)["LoadState"] == "loaded"


def test_litellm_that_cannot_start_is_told_with_its_own_words(boot_lab: Boot) -> None:
    with pytest.raises(LabError, match="cannot be started"):
        boot_lab(config="model_list: [\n")


# -- the end


def test_teardown_leaves_nothing(boot_lab: Boot) -> None:
    lab = boot_lab(units=())
    assert any(trace.startswith("process") for trace in lab.traces())
    lab.down()
    assert lab.traces() == []
    assert not lab.alive
    assert not lab.dir.exists()
    lab.down()


STARTER = """
import os, sys, time
from tests.lab import Lab
lab = Lab.boot(units=())
print(lab.dir, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("victim", ["session", "keeper"])
def test_crash_leaves_nothing(lab_possible: None, victim: str) -> None:
    session = subprocess.Popen([sys.executable, "-c", STARTER], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert session.stdout is not None
    try:
        lab = Lab.attach(session.stdout.readline().strip())
        assert lab.alive
        if victim == "keeper":
            os.kill(json.loads((lab.dir / "pid.json").read_text())["keeper"], signal.SIGKILL)
            assert until(lambda: not lab.alive)
            lab.down()
    finally:
        session.kill()
        session.wait()
        session.stdout.close()
    assert until(lambda: lab.traces() == []), lab.traces()
    assert until(lambda: not lab.dir.exists())


def test_shell_lab_outlives_its_starter(lab_possible: None) -> None:
    folder = Path(f"/tmp/litellm-lab-shell-{os.getpid()}")
    run = [sys.executable, "-m", "tests.lab"]
    environment = {**os.environ, VARIABLE: str(environments()[0].path)}
    up = subprocess.run(
        [*run, "up", "--dir", str(folder), "--units", "none"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert up.returncode == 0, up.stderr
    described = json.loads(up.stdout.splitlines()[0])
    assert described["dir"] == str(folder)
    lab = Lab.attach(folder)
    try:
        assert str(described["ports"]["redis"]) in up.stdout.splitlines()[1]
        for command, expected in (("in", "root"), ("in-user", "litellm-lab")):
            inside = [*run, command, str(folder), "whoami"]
            said = subprocess.run(inside, cwd=REPOSITORY, capture_output=True, text=True)
            assert said.stdout.strip() == expected
        assert main(["up", "--dir", str(folder)]) == 1
    finally:
        assert main(["down", str(folder)]) == 0
    assert lab.traces() == []
    subprocess.run(["rm", "-r", str(folder)], check=True)


# -- what needs no lab


def test_reasons_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lab_core, "_machine_lacks", lambda: None)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert "holds bin/litellm" in str(missing())
    monkeypatch.delenv(VARIABLE)
    assert VARIABLE in str(missing())
    monkeypatch.setattr(lab_core, "_machine_lacks", lambda: "no redis-server on PATH")
    assert missing() == "no redis-server on PATH"


def test_environments_are_told_without_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("1.9.3", "1.10.0"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "litellm").touch()
        (tmp_path / version / "lib/python3.11/site-packages" / f"litellm-{version}.dist-info").mkdir(parents=True)
    folders = [str(tmp_path / "1.9.3"), str(tmp_path / "nothing"), str(tmp_path / "1.10.0")]
    monkeypatch.setenv(VARIABLE, os.pathsep.join(folders))
    assert [environment.version for environment in environments()] == ["1.10.0", "1.9.3"]
    assert Environment.at(tmp_path / "1.9.3/bin/litellm").version == "1.9.3"
    with pytest.raises(LabError, match="no bin/litellm"):
        Environment.at(tmp_path)


def test_a_port_is_given_once_on_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    (mine,) = lab_core.free_ports(1)
    ask = "from tests.lab.core import free_ports; print(*free_ports(1), flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", ask], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    theirs = int(other.stdout.readline())
    # neither what this process was given nor what another one was, though nothing listens on it
    offered = [mine, theirs]
    chance = random.SystemRandom()
    offering = SimpleNamespace(randint=lambda *ends: offered.pop(0) if offered else chance.randint(*ends))
    monkeypatch.setattr(random, "SystemRandom", lambda: offering)
    try:
        assert lab_core.free_ports(1)[0] not in (mine, theirs)
        assert offered == []
    finally:
        other.communicate("\n")


def test_placeholders() -> None:
    ports = lab_core.Ports(system=1, user=2, redis=3, upstream=4, refused=5, second=6)
    assert render("a: @redis@ b@upstream@", ports) == "a: 3 b4"
    assert render({"port": "@redis@", "url": ["x:@refused@"]}, ports) == "port: 3\nurl:\n- x:5\n"
    assert render("a: @second@", ports) == "a: 6"
    assert render(lambda given: f"p: {given.user}", ports) == "p: 2"
