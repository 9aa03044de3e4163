"""The ground tells the truth: what it says of a start is what the real command does."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.proving.ground import Ground, GroundError, Run


def _config(ground: Ground, model: str = "openai/m1") -> dict[str, Any]:
    params = {"model": model, "api_base": ground.upstream, "api_key": "os.environ/UPSTREAM_KEY"}
    return {"model_list": [{"model_name": "m1", "litellm_params": params}], "router_settings": {"num_retries": 0}}


def _alive(process: int) -> bool:
    return os.path.exists(f"/proc/{process}")


def test_an_empty_configuration_is_refused_with_its_message(ground: Ground) -> None:
    with ground.start("") as run:
        assert run.refused
        assert run.status == 1
        assert run.error == "Exception: Config cannot be None or Empty."
        with pytest.raises(GroundError, match="did not start"):
            run.models()


def test_a_good_configuration_runs_and_answers_through_the_upstream(ground: Ground) -> None:
    with ground.start(_config(ground), env={"UPSTREAM_KEY": "from-the-test"}) as run:
        assert not run.refused, run.error
        assert run.status is None
        assert run.groups() == ["m1"]
        assert [entry["litellm_params"]["model"] for entry in run.models()] == ["openai/m1"]
        answer = run.chat("m1", "how are you?")
        assert (answer.status, answer.body["choices"][0]["message"]["content"]) == (200, "Hello from the lab")
        (call,) = run.upstream_calls()
        assert (call.path, call.model) == ("/v1/chat/completions", "m1")
        assert call.body["messages"] == [{"role": "user", "content": "how are you?"}]
        assert call.headers["authorization"] == "Bearer from-the-test"
        assert _alive(run.process)
    assert run.status == -9
    assert not _alive(run.process)


def test_a_failing_upstream_and_a_wrong_key_are_answers(ground: Ground) -> None:
    with ground.start(_config(ground, "openai/m1-err500"), env={"UPSTREAM_KEY": "k"}) as run:
        status, body, _ = run.chat("m1")
        assert status == 500
        assert "upstream exploded" in body["error"]["message"]
        assert "upstream exploded" in run.log
    with ground.start(_config(ground), key="sk-another", env={"UPSTREAM_KEY": "k"}) as run:
        assert run.chat("m1").status == 200
    with ground.start(_config(ground), key="sk-told", env={"LITELLM_MASTER_KEY": "sk-set"}) as run:
        # 401 or, without a database, "No connected db": what matters is that nobody was let through.
        assert run.chat("m1").status in (400, 401)
        assert run.upstream_calls() == []


def test_files_lie_beside_the_configuration(ground: Ground) -> None:
    included = "model_list: [{model_name: far, litellm_params: {model: openai/far, api_key: k}}]\n"
    with ground.start("include: [more/far.yaml]\n", files={"more/far.yaml": included}) as run:
        assert run.groups() == ["far"]
    with ground.start("include: [more/far.yaml]\n") as run:
        assert "far.yaml" in run.error


def test_warm_is_cold_but_for_the_imports(ground: Ground) -> None:
    refused = "model_list: {m1: {litellm_params: {model: openai/m1}}}\n"
    running = _config(ground)

    def seen(run: Run) -> tuple[Any, ...]:
        with run:
            if run.refused:
                return run.cold, run.status, run.error
            answer = run.chat("m1")
            return run.cold, run.groups(), answer.status, answer.body["choices"]

    for config in (refused, running):
        (warm, *one), (cold, *other) = (
            seen(ground.start(config, env={"UPSTREAM_KEY": "k"}, cold=c)) for c in (False, True)
        )
        assert (warm, cold) == (False, True)
        assert one == other


def test_a_variable_that_the_imports_read_makes_a_start_cold(ground: Ground) -> None:
    assert "LITELLM_LOG" in ground.read_by_imports
    assert "LITELLM_MASTER_KEY" not in ground.read_by_imports
    config = _config(ground)
    with ground.start(config, env={"UPSTREAM_KEY": "k", "LITELLM_LOG": "DEBUG"}) as run:
        assert run.cold
        assert "DEBUG" in run.log
    with ground.start(config, env={"UPSTREAM_KEY": "k"}) as run:
        assert not run.cold
        assert "DEBUG" not in run.log


def test_starts_at_a_time_do_not_mix(ground: Ground) -> None:
    def models(name: str) -> list[str]:
        config = f"model_list: [{{model_name: {name}, litellm_params: {{model: openai/{name}, api_key: k}}}}]\n"
        with ground.start(config) as run:
            return run.groups()

    names = [f"m{number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        assert [*pool.map(models, names)] == [[name] for name in names]


def test_closing_ends_everything_that_was_started(ground: Ground) -> None:
    with Ground(ground.environment) as another:
        warm = another.start(_config(another), env={"UPSTREAM_KEY": "k"})
        assert _alive(warm.process)
        folder = warm.folder
    assert not _alive(warm.process)
    assert not folder.exists()


def test_a_litellm_that_cannot_be_imported_is_no_verdict(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.proving.ground.ZYGOTE", "/nowhere/zygote.py")
    with Ground(ground.environment) as broken, pytest.raises(GroundError, match=r"cannot be imported(.|\n)*/nowhere"):
        broken.start("")
