"""A drill on the real LiteLLM: carried out where the gateway permits it, each target asked alone where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from litellm_tui.actions.drill import SETTING, Answer, Asking, Event, Outcome, Plan, drill, plan_drill
from litellm_tui.analysis.routing.table import FallbackKind, Routing
from litellm_tui.collectors.gateway import client as gateway
from litellm_tui.collectors.gateway.client import GatewayClient
from litellm_tui.model.failures import Unreachable
from litellm_tui.model.found import Found
from litellm_tui.model.service_kinds import Tools
from litellm_tui.target.profile import Profile, Secret
from tests.lab import Environment, Lab
from tests.lab.config import deployment

# how the targets of a chain fare: the first is dead, the second a ghost, the third answers
CONFIG: dict[str, Any] = {
    "model_list": [
        deployment("front", "openai/front"),
        deployment("dead", "openai/dead-err500"),
        deployment("alive", "openai/alive"),
        deployment("spare", "openai/spare"),
        deployment("lonely", "openai/lonely"),
        deployment("doomed", "openai/doomed"),
        deployment("vectors", "openai/vectors", model_info={"mode": "embedding"}),
        deployment("vectors-b", "openai/vectors-b", model_info={"mode": "embedding"}),
    ],
    "litellm_settings": {"json_logs": True},
    "router_settings": {
        "num_retries": 0,
        "model_group_alias": {"nick": "front"},
        "fallbacks": [
            {"front": ["dead", "nobody", "alive", "spare"]},
            {"doomed": ["dead"]},
            {"vectors": ["vectors-b"]},
            {"nick": ["spare"]},
        ],
        "context_window_fallbacks": [{"front": ["spare"]}],
    },
    "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
}
ALLOWED = {"dangerously_allow_mock_testing_request_params": True}


def _permitting(config: dict[str, Any]) -> dict[str, Any]:
    return {**config, "general_settings": {**config["general_settings"], **ALLOWED}}


@pytest.fixture(scope="module")
def drilled(lab_environment: Environment) -> Iterator[Lab]:
    """A gateway that says nothing about mock testing, as nearly all do."""
    with Lab.boot(litellm=lab_environment, config=CONFIG) as booted:
        yield booted


@pytest.fixture(scope="module")
def permitting(lab_environment: Environment, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A gateway that permits drills: 1.77 does so by itself, 1.106 with a setting."""
    if not _refuses(lab_environment):
        yield request.getfixturevalue("drilled")
        return
    with Lab.boot(litellm=lab_environment, config=_permitting(CONFIG)) as booted:
        yield booted


async def _read(client: GatewayClient, endpoint: gateway.Endpoint) -> Any:
    """What it answers; asked again while other labs boot beside this one and it has no time to."""
    for _ in range(10):
        result = (await client.get(endpoint)).result
        if not isinstance(result, Unreachable):
            break
    return result


def _refuses(environment: Environment) -> bool:
    return environment.order >= (1, 106)


def _profile(lab: Lab, port: int | None = None) -> Profile:
    url = f"http://127.0.0.1:{port}" if port else lab.url()
    return Profile(name="lab", host="lab", url=Found(url, "the lab"), tools=Tools(), key=Secret(lab.key()))


async def _plan(lab: Lab, source: str, kind: FallbackKind = "general") -> Plan:
    client = GatewayClient(lab.url(), lab.key())
    try:
        loaded = await _read(client, gateway.DEPLOYMENTS)
        router = await _read(client, gateway.ROUTER)
    finally:
        await client.close()
    plan = plan_drill(Routing.of_router(router), loaded, kind, source, lab.litellm.version)
    assert isinstance(plan, Plan), plan
    return plan


async def _drill(lab: Lab, plan: Plan) -> list[Event]:
    lab.calls(reset=True)
    return [event async for event in drill(_profile(lab), plan)]


def _answers(events: Sequence[Event]) -> list[Answer]:
    return [event for event in events if isinstance(event, Answer)]


def _outcome(events: Sequence[Event]) -> Outcome:
    assert isinstance(events[-1], Outcome)
    assert sum(isinstance(event, Outcome) for event in events) == 1
    return events[-1]


async def test_where_it_is_permitted_the_chain_is_exercised(permitting: Lab) -> None:
    events = await _drill(permitting, await _plan(permitting, "front"))
    (answer,) = _answers(events)
    assert (answer.ok, answer.served_by, answer.alone) == (True, "alive", False)
    assert answer.deployment
    assert _outcome(events).ok
    assert _outcome(events).text == "alive answers when front fails"
    assert not _outcome(events).setting
    # the group that fails on purpose is not called, the dead one is, and nobody after the one that answers
    assert permitting.calls()["models"] == {"dead-err500": 1, "alive": 1}


async def test_where_it_is_permitted_a_chain_that_answers_nobody_is_said_so(permitting: Lab) -> None:
    events = await _drill(permitting, await _plan(permitting, "doomed"))
    (answer,) = _answers(events)
    assert not answer.ok
    assert not answer.refused
    assert _outcome(events).text == "no fallback of doomed answered: its requests fail when it does"
    assert not _outcome(events).ok


async def test_where_it_is_permitted_the_other_kinds_aliases_and_embeddings_are_exercised_too(permitting: Lab) -> None:
    for source, kind, server in (("front", "context window", "spare"), ("nick", "general", "spare"),
                                 ("vectors", "general", "vectors-b")):  # fmt: skip
        events = await _drill(permitting, await _plan(permitting, source, kind))  # type: ignore[arg-type]
        assert [answer.served_by for answer in _answers(events)] == [server], source


async def test_the_plan_names_every_call_and_the_ghosts(drilled: Lab) -> None:
    plan = await _plan(drilled, "front")
    assert (plan.targets, plan.ghosts, plan.paid) == (("dead", "alive", "spare"), ("nobody",), ())
    client = GatewayClient(drilled.url(), drilled.key())
    loaded = await _read(client, gateway.DEPLOYMENTS)
    await client.close()
    routing = Routing.of_router({"fallbacks": CONFIG["router_settings"]["fallbacks"]})
    assert plan_drill(routing, loaded, "general", "lonely") == (
        "nothing takes over for lonely: there is no chain to exercise"
    )
    assert "no deployment answers to nobody" in plan_drill(routing, loaded, "general", "nobody")  # type: ignore[operator]


async def test_where_it_is_refused_each_target_is_asked_alone_and_the_setting_named(drilled: Lab) -> None:
    if not _refuses(drilled.litellm):
        pytest.skip("this version does not refuse it")
    plan = await _plan(drilled, "front")
    events = await _drill(drilled, plan)
    refused, *alone = _answers(events)
    assert refused.refused
    assert not refused.ok
    assert [(answer.target, answer.ok, answer.served_by) for answer in alone] == [
        ("dead", False, ""), ("alive", True, "alive"), ("spare", True, "spare"),
    ]  # fmt: skip
    assert "upstream exploded" in alone[0].error
    assert [event.target for event in events if isinstance(event, Asking)] == ["front", *plan.targets]
    outcome = _outcome(events)
    assert outcome.ok
    assert outcome.text == "not drilled; asked alone, alive is the first to answer; 1 of 3 do not"
    assert outcome.setting == SETTING
    # one call each, as was said before
    assert drilled.calls()["models"] == {"dead-err500": 1, "alive": 1, "spare": 1}


async def test_a_gateway_that_is_gone_is_an_outcome(drilled: Lab) -> None:
    plan = await _plan(drilled, "front")
    events = [event async for event in drill(_profile(drilled, drilled.ports.refused), plan)]
    assert not _outcome(events).ok
    assert "refused" in _answers(events)[0].error
