"""The console's own probe and drill on the simulation: its faults are told as those of a real gateway are."""

from __future__ import annotations

import pytest

from litellm_tui.actions.drill import SETTING, Answer, Plan, drill
from litellm_tui.actions.drill import Outcome as Drilled
from litellm_tui.actions.probe import probe
from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.collectors.gateway import client as gateway
from litellm_tui.demo import Simulation
from litellm_tui.demo.faults import Fault
from litellm_tui.logs import call_line, log_line
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from tests.demo.probing import chat, journal, said


def _profile(simulation: Simulation) -> Profile:
    options = Options(unit=simulation.unit, scope="user")
    return resolve(options, Settings(), tools=simulation.tools, environ={})


async def _loaded(simulation: Simulation) -> list[LoadedDeployment]:
    client = gateway.GatewayClient(simulation.url, simulation.key)
    try:
        return list((await client.get(gateway.DEPLOYMENTS)).result)
    finally:
        await client.close()


async def _probed(simulation: Simulation, *, stream: bool) -> dict[str, ProbeResult]:
    events = [e async for e in probe(_profile(simulation), await _loaded(simulation), stream=stream)]
    return {event.model: event for event in events if isinstance(event, ProbeResult)}


@pytest.mark.parametrize("stream", [False, True])
async def test_every_deployment_answers_for_itself(quiet: Simulation, stream: bool) -> None:
    results = await _probed(quiet, stream=stream)
    assert len(results) == 8
    assert [result.error for result in results.values() if not result.ok] == []
    streamed = {model for model, result in results.items() if result.first_token is not None}
    assert streamed == ({model for model in results if "embed" not in model} if stream else set())


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("refused", "refused"), ("error", "500"), ("auth", "401 key refused"), ("rate_limit", "429"),
     ("timeout", "timeout")],
)  # fmt: skip
async def test_a_fault_is_named_and_is_its_own_alone(quiet: Simulation, fault: Fault, cause: str) -> None:
    model = "hosted_vllm/Qwen/Qwen2.5-Coder-32B-Instruct-AWQ"
    quiet.break_model(model, fault)
    results = await _probed(quiet, stream=True)
    failed = results.pop(model)
    assert not failed.ok
    assert not failed.by_gateway
    assert cause in name_cause(failed.error).name
    assert all(result.ok for result in results.values())


async def test_a_drill_is_refused_and_each_target_asked_alone(quiet: Simulation) -> None:
    quiet.break_model("llama3.1:8b", "refused")
    plan = Plan("general", "qwen2.5-coder:32b", ("llama3.1:8b", "gpt-4.1-mini"))
    events = [event async for event in drill(_profile(quiet), plan)]
    refused, *alone = [event for event in events if isinstance(event, Answer)]
    assert refused.refused
    assert [answer.ok for answer in alone] == [False, True]
    assert isinstance(events[-1], Drilled)
    assert (events[-1].ok, events[-1].setting) == (True, SETTING)


def test_every_attempt_leaves_its_line(quiet: Simulation) -> None:
    quiet.break_model("qwen2.5-coder:32b", "refused")
    chat(quiet, "qwen2.5-coder:32b")
    texts = [log_line.parse(text).text for text in said(journal(quiet, "-n", "20"))]
    # two attempts at the dead one, by the router's one retry, then the fallback
    dead, again, fallback = [seen for text in texts if (seen := call_line.attempt(text))][-3:]
    assert dead == again
    assert (dead.model, dead.ok) == ("hosted_vllm/Qwen/Qwen2.5-Coder-32B-Instruct-AWQ", False)
    assert "Cannot connect to host gpu-b.example:8000" in dead.error
    assert fallback.ok
    assert fallback.model in ("ollama_chat/llama3.1:8b", "hosted_vllm/meta-llama/Llama-3.1-8B-Instruct")
