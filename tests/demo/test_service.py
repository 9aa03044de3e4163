from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from litellm_tui.demo import Simulation, files
from tests.demo.probing import ask, chat, journal, said, shown, state, systemctl, until
from tests.waiting import DEADLINE


def test_a_restart_goes_through_refused_and_answering_and_reads_the_file_again(quiet: Simulation) -> None:
    before = shown(quiet)
    quiet.edit_config()
    assert ask(quiet, "/get/config/callbacks")[2]["router_settings"]["fallbacks"][0] == {
        "qwen2.5-coder:32b": ["llama3.1:8b", "gpt-4.1-mini"]
    }, "a saved file changes nothing in a running proxy"
    seen: list[str] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set() or seen[-1] != "answering":
            if (now := state(quiet)) not in seen[-1:]:
                seen.append(now)

    watcher = threading.Thread(target=watch)
    watcher.start()
    until(lambda: "answering" in seen)
    restarted = systemctl(quiet, "restart", quiet.unit)
    until(lambda: "refused" in seen)
    done.set()
    watcher.join(DEADLINE)

    assert restarted.returncode == 0
    # whoever was being answered when the port closed sees the connection end
    assert [word for word in seen if word in ("answering", "refused")] == ["answering", "refused", "answering"]
    after = shown(quiet)
    assert (after["ActiveState"], after["SubState"]) == ("active", "running")
    assert after["InvocationID"] != before["InvocationID"]
    assert after["MainPID"] != before["MainPID"]
    assert int(after["ExecMainStartTimestampMonotonic"]) > int(before["ExecMainStartTimestampMonotonic"])
    assert ask(quiet, "/get/config/callbacks")[2]["router_settings"]["fallbacks"][0] == {
        "qwen2.5-coder:32b": ["gpt-4.1", "gpt-4.1-mini"]
    }
    assert len(ask(quiet, "/v1/model/info")[2]["data"]) == 9 + 2
    texts = said(journal(quiet, "-n", "60"))
    words = [text for text in texts if text.startswith(("Stopping", "Stopped", "Started", "litellm.service"))]
    assert words == [
        "Stopping litellm.service - LiteLLM proxy...",
        "litellm.service: Deactivated successfully.",
        "Stopped litellm.service - LiteLLM proxy.",
        "Started litellm.service - LiteLLM proxy.",
    ]


def test_health_comes_before_everything_else(tmp_path: Path) -> None:
    with Simulation(tmp_path / "gateway", speed=2, scripted=False) as simulation:
        systemctl(simulation, "restart", simulation.unit)
        until(lambda: state(simulation) == "answering")
        # answered, but not before the router is loaded
        assert ask(simulation, "/v1/models")[0] == 200
        assert ask(simulation, "/health")[2]["healthy_count"] == 8


def test_stop_and_start(quiet: Simulation) -> None:
    assert systemctl(quiet, "stop", quiet.unit).returncode == 0
    assert state(quiet) == "refused"
    stopped = shown(quiet)
    assert (stopped["ActiveState"], stopped["SubState"], stopped["MainPID"]) == ("inactive", "dead", "0")
    assert stopped["MemoryCurrent"] == "[not set]"
    assert systemctl(quiet, "is-active", quiet.unit).stdout.strip() == "inactive"
    assert systemctl(quiet, "start", "litellm").returncode == 0
    until(lambda: state(quiet) == "answering")


def test_two_restarts_at_once_end_in_one_running_service(quiet: Simulation) -> None:
    command = quiet.tools.unit_command("user", "restart", quiet.unit)
    children = [subprocess.Popen(command) for _ in range(3)]
    assert [child.wait(DEADLINE) for child in children] == [0, 0, 0]
    until(lambda: state(quiet) == "answering")
    assert shown(quiet)["ActiveState"] == "active"


def test_a_broken_file_fails_the_start_in_pyyamls_words(quiet: Simulation) -> None:
    quiet.edit_config(files.CONFIG.replace("  - model_name: gpt-4.1-mini", "   - model_name: gpt-4.1-mini"))
    assert systemctl(quiet, "restart", quiet.unit).returncode == 0
    until(lambda: shown(quiet)["ActiveState"] == "failed")

    now = shown(quiet)
    assert (now["Result"], now["ExecMainCode"], now["ExecMainStatus"]) == ("exit-code", "1", "1")
    assert int(now["NRestarts"]) == 4
    assert state(quiet) == "refused"
    texts = said(journal(quiet, "-n", "120"))
    assert "Traceback (most recent call last):" in texts
    assert "yaml.parser.ParserError: while parsing a block collection" in texts
    assert f'  in "{quiet.config_path}", line 3, column 3' in texts
    assert "expected <block end>, but found '<block sequence start>'" in texts
    assert "litellm.service: Main process exited, code=exited, status=1/FAILURE" in texts
    assert "litellm.service: Scheduled restart job, restart counter is at 1." in texts
    assert texts[-1] == "Failed to start litellm.service - LiteLLM proxy."

    quiet.restore_config()
    systemctl(quiet, "restart", quiet.unit)
    until(lambda: state(quiet) == "answering")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Exception: Config cannot be None or Empty."),
        ("model_list: [{model_name: a}]", "KeyError: 'litellm_params'"),
        ("router_settings: {fallbacks: [a]}", "ValueError: Item 'a' is not a dictionary."),
        ("litellm_settings: {num_retries: many}", "ValueError: invalid literal for int()"),
        ("litellm_settings: {default_fallbacks: 3}", "TypeError: 'int' object is not iterable"),
        ("general_settings: {master_key: os.environ/NOBODY_SETS_IT}", "LiteLLM proxy refused to start: no master key"),
    ],
)
def test_what_kills_the_real_one_kills_this_one(quiet: Simulation, text: str, words: str) -> None:
    quiet.edit_config(text)
    systemctl(quiet, "restart", quiet.unit)
    until(lambda: any("Main process exited" in line for line in said(journal(quiet, "-n", "80"))))
    assert any(words in line for line in said(journal(quiet, "-n", "80")))


def test_a_crash_is_repaired_by_systemd(quiet: Simulation) -> None:
    quiet.crash()
    assert state(quiet) == "refused"
    seen = shown(quiet)
    assert (seen["ActiveState"], seen["SubState"], seen["Result"]) == ("activating", "auto-restart", "signal")
    until(lambda: state(quiet) == "answering")
    assert shown(quiet)["NRestarts"] == "1"
    assert "litellm.service: Main process exited, code=killed, status=9/KILL" in said(journal(quiet, "-n", "60"))


def test_down_stays_down_until_it_is_started(quiet: Simulation) -> None:
    quiet.gateway_down()
    assert shown(quiet)["ActiveState"] == "failed"
    assert state(quiet) == "refused"
    quiet.gateway_up()
    until(lambda: state(quiet) == "answering")


def test_a_hanging_gateway_takes_connections_and_says_nothing(quiet: Simulation) -> None:
    quiet.hang()
    assert state(quiet) == "TimeoutError"
    assert shown(quiet)["ActiveState"] == "active"
    quiet.resume()
    assert state(quiet) == "answering"


def test_a_dead_deployment_is_masked_by_its_fallback_and_named_by_a_probe(quiet: Simulation) -> None:
    quiet.break_model("qwen2.5-coder:32b", "refused")
    status, headers, _ = chat(quiet, "qwen2.5-coder:32b")
    assert status == 200
    assert headers["x-litellm-attempted-fallbacks"] == "1"
    assert headers["x-litellm-model-group"] == "llama3.1:8b"
    status, _, body = chat(quiet, "qwen2.5-coder:32b", disable_fallbacks=True, num_retries=0)
    assert status == 500
    assert "Cannot connect to host gpu-b.example:8000" in body["error"]["message"]
    quiet.heal_model("qwen2.5-coder:32b")
    assert chat(quiet, "qwen2.5-coder:32b")[1]["x-litellm-attempted-fallbacks"] == "0"


def test_one_of_two_deployments_is_tried_and_left(quiet: Simulation) -> None:
    quiet.break_model("azure/gpt-41-prod", "rate_limit")
    for _ in range(6):
        status, headers, _ = chat(quiet, "assistant")
        assert status == 200
        assert headers["x-litellm-model-name"] == "openai/gpt-4.1"


def test_names_that_do_not_exist_are_refused(quiet: Simulation) -> None:
    with pytest.raises(KeyError):
        quiet.break_model("nobody")
    with pytest.raises(ValueError, match="no fault"):
        quiet.break_model("gpt-4.1", "bored")  # type: ignore[arg-type]
    status, _, body = chat(quiet, "nobody")
    assert status == 400
    assert "Invalid model name passed in model=nobody" in body["error"]["message"]
    assert ask(quiet, "/nothing/here")[0] == 404
