"""`litellm-tui probe`: whom it asks, what it prints, how it ends, and that it asks before it spends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.cli import main
from litellm_tui.commands import probe as command
from litellm_tui.commands.probe_names import UnknownName, chosen_by, with_own_groups
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.storage.state import StateFile
from tests.actions.standin import KEY, StandIn, hangs, recorded, says, standing_in
from tests.waiting import DEADLINE

LOCAL = "http://127.0.0.1:9102/v1"
Run = Callable[..., int]


def answers(id: str) -> Any:
    return recorded("1.106.2", "probe-200", x_litellm_model_id=id)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with standing_in() as found:
        found.has("aaaa1111", "llama", "openai/llama", answers("aaaa1111"), api_base=LOCAL)
        found.has("aaaa2222", "llama", "openai/llama", answers("aaaa2222"), api_base=LOCAL)
        found.has("bbbb3333", "coder", "openai/qwen", recorded("1.106.2", "probe-500"), api_base=LOCAL)
        found.has("cccc4444", "draw", "openai/dall-e-3", answers("cccc4444"), "image_generation")
        yield found


@pytest.fixture
def run(standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command on the stand-in, with nothing of this machine and no terminal."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", "/nonexistent")
    for name in ("LITELLM_PROXY_URL", "LITELLM_MASTER_KEY", "CONFIG_FILE_PATH", "LITELLM_TUI_UNIT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LITELLM_PROXY_API_KEY", KEY)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return lambda *arguments: main(["probe", "--url", standin.url, *arguments])


def asked(standin: StandIn) -> list[str]:
    return [body["model"] for _, body in standin.asked]


# --- whom ------------------------------------------------------------------------------------------------------


def test_without_names_all_are_asked_and_one_that_fails_is_2(
    run: Run, standin: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 2
    shown = capsys.readouterr()
    assert sorted(asked(standin)) == ["aaaa1111", "aaaa2222", "bbbb3333"]
    lines = shown.out.splitlines()
    assert len(lines) == 5
    # the two that group and model do not tell apart carry the beginning of their ids
    assert lines[0].startswith("● llama  openai/llama (aaaa1111)")
    assert "answered" in lines[0]
    assert lines[2].startswith("✖ coder  openai/qwen")
    assert "500: upstream exploded" in lines[2]
    assert lines[3].startswith("– draw")
    assert "image_generation" in lines[3]
    assert lines[4] == "2 answered, 1 failed, 1 not probed"
    assert shown.err == ""


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("llama", ["aaaa1111", "aaaa2222"]),
        ("openai/llama", ["aaaa1111", "aaaa2222"]),
        ("aaaa2222", ["aaaa2222"]),
        ("aaaa2", ["aaaa2222"]),
    ],
)
def test_a_name_is_a_group_a_model_an_id_or_its_beginning(
    run: Run, standin: StandIn, name: str, ids: list[str]
) -> None:
    assert run(name) == 0
    assert sorted(asked(standin)) == ids


def test_an_alias_is_a_name_and_names_add_up(run: Run, standin: StandIn) -> None:
    # 1.77 lists an alias before its group
    alias = {**standin.deployments[2], "model_name": "gpt-4"}
    standin.deployments.insert(0, alias)
    standin.router = {"model_group_alias": {"gpt-4": "coder"}}
    assert run("gpt-4", "aaaa1111", "aaaa1111") == 2
    assert sorted(asked(standin)) == ["aaaa1111", "bbbb3333"]


@pytest.mark.parametrize("name", ["nothing", "aaa", "aaaa", "llam"])
def test_an_unknown_or_ambiguous_name_is_64_and_says_what_there_is(
    run: Run, standin: StandIn, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("llama", name) == 64
    shown = capsys.readouterr()
    assert shown.out == ""
    for words in (name, "llama", "coder", "openai/qwen (bbbb3333)"):
        assert words in shown.err
    assert standin.asked == []


def test_a_group_named_as_another_models_model_means_the_group() -> None:
    one = LoadedDeployment("1111", "m", "openai/x", names=("m",))
    two = LoadedDeployment("2222", "n", "m", names=("n",))
    assert chosen_by(("m",), (one, two)) == (one,)
    with pytest.raises(UnknownName, match="no deployment"):
        chosen_by(("m",), ())


def test_a_deployment_stands_under_its_group_and_not_under_an_alias() -> None:
    one = LoadedDeployment("1", "gpt-4", "m", names=("gpt-4", "llama"))
    assert with_own_groups((one,), {"gpt-4": "llama"})[0].group == "llama"
    only = LoadedDeployment("1", "gpt-4", "m", names=("gpt-4",))
    assert with_own_groups((only,), {"gpt-4": "x"})[0].group == "gpt-4"


# --- how it ends -----------------------------------------------------------------------------------------------


def test_the_gateway_that_cannot_be_reached_is_3(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--url", "http://127.0.0.1:1") == 3
    assert "connection refused" in capsys.readouterr().err
    assert run("--url", "http://127.0.0.1:1", "--json") == 3
    assert "connection refused" in json.loads(capsys.readouterr().out)["error"]


def test_a_gateway_that_goes_away_in_the_middle_is_3(run: Run, standin: StandIn) -> None:
    def closes(handler: Any) -> None:
        handler.close_connection = True

    standin.answers["aaaa1111"] = closes
    assert run("aaaa1111") == 3


def test_a_key_that_is_refused_in_the_middle_is_2(run: Run, standin: StandIn) -> None:
    for id in standin.answers:
        standin.answers[id] = recorded("1.77.7", "probe-wrong-key")
    assert run("--concurrency", "1") == 2
    assert len(standin.asked) == 1


def test_where_nothing_could_be_asked_nothing_is_proved(run: Run, standin: StandIn) -> None:
    assert run("draw") == 2
    assert standin.asked == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--requests", "0"], ["--requests", "x"], ["--concurrency", "0"], ["--timeout", "0"], ["--timeout", "nan"],
        ["--requests", "5"], ["--requests", "5", "llama", "coder"], ["--requests", "5", "aaaa1111"],
        ["--requests", "5", "nothing"], ["--requests", "5", "draw"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_command_line_is_64(run: Run, standin: StandIn, arguments: list[str]) -> None:
    try:
        status = run(*arguments)
    except SystemExit as ended:
        status = int(str(ended.code))
    assert status == 64
    assert standin.asked == []


def test_interrupted_it_prints_what_it_knows_and_is_130(standin: StandIn, tmp_path: Path) -> None:
    standin.answers["bbbb3333"] = hangs
    environment = {"PATH": "/nonexistent", "HOME": str(tmp_path), "LITELLM_PROXY_API_KEY": KEY, "LC_ALL": "C.UTF-8"}
    process = subprocess.Popen(
        [sys.executable, "-m", "litellm_tui.cli", "probe", "--concurrency", "1", "--url", standin.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + DEADLINE
    while len(standin.asked) < 3 or standin.at_once != 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert out.splitlines()[-1] == "2 answered, 1 not probed, 1 not finished (interrupted)"
    assert "Traceback" not in err


# --- what is printed -------------------------------------------------------------------------------------------


def test_json_is_one_document(run: Run, standin: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json") == 2
    document = json.loads(capsys.readouterr().out)
    assert document["gateway"] == standin.url.removeprefix("http://")
    assert [entry["deployment"] for entry in document["results"]] == ["aaaa1111", "aaaa2222", "bbbb3333", "cccc4444"]
    failed = document["results"][2]
    assert (failed["ok"], failed["status"], failed["cause"]) == (False, 500, "500")
    assert failed["next"]
    assert (document["answered"], document["failed"], document["not_probed"]) == (2, 1, 1)
    assert document["interrupted"] is False


def test_a_stream_tells_the_first_token(run: Run, standin: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    standin.answers["bbbb3333"] = recorded("1.106.2", "probe-stream", x_litellm_model_id="bbbb3333")
    assert run("--stream", "coder") == 0
    assert "first token" in capsys.readouterr().out


def test_neither_secrets_nor_escape_sequences_are_printed(
    run: Run, standin: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        f"general_settings: {{master_key: {KEY}}}\n"
        "model_list: [{model_name: coder, litellm_params: {model: openai/qwen, api_key: plainvalue77}}]\n"
    )
    body = json.dumps({"error": {"message": f"litellm.AuthenticationError: {KEY} plainvalue77 \x1b[2J"}}).encode()
    standin.answers["bbbb3333"] = says(401, body, "application/json", x_litellm_call_id="1")
    standin.deployments[2]["model_name"] = "co\x1b[31mder"
    for more in ([], ["--json"]):
        assert run("bbbb3333", "--config", str(config), *more) == 2
        shown = capsys.readouterr()
        for secret in (KEY, "plainvalue77", "\x1b"):
            assert secret not in shown.out + shown.err
        assert "•••" in shown.out


# --- money -----------------------------------------------------------------------------------------------------


@pytest.fixture
def paid(standin: StandIn) -> StandIn:
    for id in ("paid1", "paid2"):
        standin.has(id, "cloud", "openai/gpt-4o", answers(id))
    return standin


def test_more_than_one_paid_call_wants_yes_without_a_terminal(
    run: Run, paid: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("cloud") == 64
    said = capsys.readouterr().err
    assert "2 calls, 2 of them paid: openai/gpt-4o" in said
    assert "--yes" in said
    assert paid.asked == []
    assert run("cloud", "--yes") == 0
    assert sorted(asked(paid)) == ["paid1", "paid2"]


def test_one_paid_call_and_free_ones_are_not_asked_about(run: Run, paid: StandIn) -> None:
    assert run("paid1", "llama") == 0
    assert len(paid.asked) == 3


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "status", "calls"), [("y\n", 0, 2), ("\n", 64, 0), ("n\n", 64, 0), ("", 64, 0)])
def test_on_a_terminal_it_asks(
    run: Run, paid: StandIn, monkeypatch: pytest.MonkeyPatch, typed: str, status: int, calls: int
) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdin", _Terminal(typed))
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run("cloud") == status
    assert "Go on? [y/N]" in terminal.getvalue()
    assert len(paid.asked) == calls


def test_the_bar_is_for_terminals_and_stands_on_stderr(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run("llama", "--json") == 0
    assert "asking" in terminal.getvalue()
    json.loads(capsys.readouterr().out)


# --- load ------------------------------------------------------------------------------------------------------


def test_a_load_test_goes_through_the_group(run: Run, standin: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    standin.answers["llama"] = recorded("1.106.2", "chat-200", x_litellm_model_id="aaaa2222")
    assert run("llama", "--requests", "12", "--concurrency", "3") == 0
    assert asked(standin) == ["llama"] * 12
    assert all("disable_fallbacks" not in body for _, body in standin.asked)
    shown = capsys.readouterr().out
    assert "12 requests of 12" in shown
    assert "100 %  openai/llama (aaaa2222)" in shown
    assert "none seen" in shown
    assert run("llama", "--requests", "3", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["load"]["answered"] == 3
    assert document["load"]["shares"] == {"aaaa2222": 3}


def test_a_load_test_that_fails_names_the_causes_and_is_2(
    run: Run, standin: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    standin.answers["llama"] = recorded("1.106.2", "chat-500-no-fallback")
    assert run("llama", "--requests", "5") == 2
    shown = capsys.readouterr().out
    assert "5 x" in shown
    assert "does not tell which fallbacks" in shown


def test_a_load_test_stays_on_this_machine_unless_remote_is_given(
    run: Run, standin: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    standin.has("far", "far", "openai/far", answers("far"), api_base="http://10.9.8.7:1/v1")
    standin.answers["llama"] = recorded("1.106.2", "chat-200")
    # what a fallback may reach is a target too
    standin.router = {"fallbacks": [{"llama": ["far"]}]}
    assert run("llama", "--requests", "2") == 64
    said = capsys.readouterr().err
    assert "openai/far at 10.9.8.7:1" in said
    assert "--remote" in said
    assert standin.asked == []
    assert run("llama", "--requests", "2", "--remote") == 0
    assert len(standin.asked) == 2


def test_a_load_test_on_paid_deployments_wants_consent(
    run: Run, paid: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    paid.answers["cloud"] = recorded("1.106.2", "chat-200")
    assert run("cloud", "--requests", "9", "--remote") == 64
    assert "9 requests" in capsys.readouterr().err
    assert paid.asked == []
    assert run("cloud", "--requests", "9", "--remote", "--yes") == 0
    assert len(paid.asked) == 9


def test_a_gateway_that_dies_under_load_is_3(run: Run, standin: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    def closes(handler: Any) -> None:
        handler.close_connection = True

    standin.answers["llama"] = closes
    assert run("llama", "--requests", "100", "--concurrency", "1") == 3
    assert "ended early" in capsys.readouterr().out


def test_every_option_of_the_command_line_is_a_wish() -> None:
    from litellm_tui.commands.command_line import build_parser
    from litellm_tui.target.profile import Options

    everything = [
        "probe", "a", "--stream", "--requests", "2", "--concurrency", "3", "--cached", "--remote", "--yes",
        "--timeout", "1.5", "--json",
    ]  # fmt: skip
    given = vars(build_parser().parse_args(everything))
    wish = command.Wish(**{n: v for n, v in given.items() if n not in (*Options.__struct_fields__, "command")})
    assert wish == command.Wish(["a"], True, 2, 3, True, True, True, 1.5, True)  # type: ignore[arg-type]
    assert set(given) - {"command"} == set(command.Wish.__struct_fields__)


# --- what is kept ----------------------------------------------------------------------------------------------


def test_what_it_finds_is_kept_for_every_other_face(run: Run, standin: StandIn) -> None:
    run("llama", "coder")
    kept = StateFile(standin.url, "").load().probes
    assert {(probe.group, probe.ok) for probe in kept.values()} == {("llama", True), ("coder", False)}
    assert all(probe.asked_at > 0 for probe in kept.values())
    assert KEY not in StateFile(standin.url, "").path.read_text(encoding="utf-8")


def test_results_that_cannot_be_kept_are_told_and_are_results_all_the_same(
    run: Run, standin: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    file = StateFile(standin.url, "")
    file.path.mkdir(parents=True)
    assert run("llama") == 0
    said = capsys.readouterr()
    assert "2 answered" in said.out
    assert "not kept" in said.err
