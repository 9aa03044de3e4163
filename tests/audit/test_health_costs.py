"""What health checks cost: calls and money by deployments, processes and interval, and what asks /health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from litellm_tui.audit.health_costs import background, dollars, on_demand, sentences
from litellm_tui.audit.rule import Hit, Right
from litellm_tui.audit.rules.costs import checks_in_every_process, probe_asks_health
from litellm_tui.audit.subject import Runtime, Subject
from litellm_tui.collectors.litellm_source.catalogues import shipped
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.embedded import Asked
from litellm_tui.model.prices import Price, PriceMap

PRICES = PriceMap(
    {
        "swift-1": Price("chat", "openai", 1e-6, 2e-6),
        "azure/swift-1": Price("chat", "azure", 3e-6, 4e-6),
        "wren-embed": Price("embedding", "openai", 5e-6, 0.0),
        "dear": Price("chat", "elsewhere", 1e-3, 1e-3),
        "painter": Price("image_generation", "openai", 1e-6, 1e-6),
        "sorter": Price("rerank", "cohere", 0.0, 0.0, 0.002),
    },
    "a price map of this test",
)


def deployment(model: str, info: Mapping[str, Any] = {}, **params: Any) -> dict[str, Any]:
    return {"model_name": model, "litellm_params": {"model": model, **params}, "model_info": dict(info)}


def subject(
    *models: dict[str, Any],
    general: Mapping[str, Any] = {},
    runtime: Runtime | None = None,
    version: str = "1.106.2",
    environment: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] = {},
) -> Subject:
    data = {"model_list": list(models), "general_settings": dict(general), "litellm_settings": dict(settings)}
    file = ConfigFile("c.yaml", "", 0.0, ("c.yaml",), data, {})
    return Subject(file, shipped().at(version), shipped(), environment, runtime, prices=PRICES)


ON = {"background_health_checks": True, "health_check_interval": 60}
PODS = Runtime("Deployment d", ("litellm", "--num_workers", "4"), replicas=3, contained=True)


def test_every_process_makes_rounds_of_its_own() -> None:
    found = background(subject(deployment("openai/swift-1"), deployment("openai/swift-1"), general=ON, runtime=PODS))
    assert found is not None
    assert (found.processes, found.seconds, found.shared) == (12, 60, False)
    assert found.rounds * found.round.calls == 1440 * 12 * 2
    # 14 tokens in, 16 out, of each of two
    assert found.round.dollars == pytest.approx(2 * (14e-6 + 32e-6))


def test_with_shared_checks_and_a_redis_one_process_makes_them() -> None:
    general = {**ON, "use_shared_health_check": True}
    redis = {"cache": True, "cache_params": {"type": "redis", "host": "r"}}
    found = background(subject(deployment("openai/swift-1"), general=general, runtime=PODS, settings=redis))
    assert found is not None
    # results younger than 300 s are taken over
    assert (found.shared, found.rounds) == (True, 288)
    alone = background(subject(deployment("openai/swift-1"), general=general, runtime=PODS, environment={}))
    assert alone is not None
    assert not alone.shared
    # 1.77.7 knows no such setting
    old = background(
        subject(deployment("openai/swift-1"), general=general, runtime=PODS, settings=redis, version="1.77.7")
    )
    assert old is not None
    assert not old.shared


@pytest.mark.parametrize("seconds", ["60", 0, -5, None, 60.5])
def test_an_interval_that_runs_nothing_costs_nothing(seconds: Any) -> None:
    general = {"background_health_checks": True, "health_check_interval": seconds}
    assert background(subject(deployment("openai/swift-1"), general=general)) is None


def test_the_interval_without_one_is_litellms() -> None:
    found = background(subject(deployment("openai/swift-1"), general={"background_health_checks": True}))
    assert found is not None
    assert found.seconds == 300


def test_deployments_that_are_left_out_are_not_counted() -> None:
    models = (
        deployment("openai/swift-1"),
        deployment("openai/a", {"disable_background_health_check": True}),
        deployment("openai/b"),
    )
    found = background(subject(*models, general={**ON, "background_health_check_model_groups": ["openai/swift-1"]}))
    assert found is not None
    assert found.round.calls == 1
    # a look at /health asks all of them, unless that is switched off too
    assert on_demand(subject(*models)).calls == 3
    skip = {"health_check_skip_disabled_background_models": True}
    assert on_demand(subject(*models, general=skip)).calls == 2


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        (deployment("openai/swift-1"), 46e-6),
        (deployment("swift-1"), 46e-6),
        (deployment("swift-1", custom_llm_provider="azure"), 14 * 3e-6 + 16 * 4e-6),
        (deployment("azure/my-name", {"base_model": "azure/swift-1"}), 14 * 3e-6 + 16 * 4e-6),
        (deployment("openai/unknown", {"health_check_model": "openai/swift-1"}), 46e-6),
        (deployment("openai/swift-1", {"health_check_max_tokens": 1}), 16e-6),
        (deployment("openai/wren-embed"), 10e-6),
        (deployment("cohere/sorter"), 0.002),
        (deployment("openai/own", input_cost_per_token=1e-6, output_cost_per_token=0.0), 14e-6),
    ],
)
def test_a_price_is_that_of_the_map_or_of_the_file(model: dict[str, Any], cost: float) -> None:
    found = on_demand(subject(model))
    assert (found.priced, found.unpriced) == (1, ())
    assert found.dollars == pytest.approx(cost)


@pytest.mark.parametrize(
    "model", ["openai/dear", "azure/my-name", "openai/*", "openai/painter", "anthropic/swift-1", "nobody/knows"]
)
def test_a_price_that_is_not_known_is_not_invented(model: str) -> None:
    found = on_demand(subject(deployment(model)))
    assert (found.calls, found.priced, found.unpriced, found.dollars) == (1, 0, (model,), 0.0)


def test_calls_within_the_own_network_cost_nothing() -> None:
    found = on_demand(subject(deployment("openai/swift-1", api_base="http://10.1.1.1/v1")))
    assert (found.free, found.priced, found.dollars) == (1, 0, 0.0)


def test_answers_without_a_limit_are_said_to_be_assumed() -> None:
    [*_, assumed] = sentences(subject(deployment("openai/swift-1"), general=ON, version="1.77.7"))
    assert "50 out, which this version does not limit" in assumed
    [*_, assumed] = sentences(subject(deployment("openai/swift-1"), general=ON))
    assert assumed.startswith("assumed: 14 tokens in and at most 16 out")
    assert assumed.endswith("prices of a price map of this test")


def test_it_is_said_in_calls_and_money() -> None:
    models = (
        deployment("openai/swift-1"),
        deployment("azure/mine"),
        deployment("openai/x", api_base="http://10.1.1.1"),
    )
    [first, _] = sentences(subject(*models, general=ON, runtime=PODS))
    assert first == (
        "background checks ask 3 deployments every 60 s in each of 12 processes (3 replicas of 4 workers): 51,840 "
        "calls a day, about $0.79 a day and $23.85 a month; price not known of azure/mine; 1 of the 3 in a network of "
        "your own"
    )
    asked = Runtime("service p", ("litellm",), replicas=2, health=(Asked("the health check", "/health", 30.0),))
    [each, outside, _] = sentences(subject(deployment("openai/swift-1"), runtime=asked))
    assert each == "each GET /health makes 1 call, about $4.6e-05"
    assert "where it has a key, 5,760 calls a day" in outside
    [_, minute, _] = sentences(subject(deployment("openai/swift-1")))
    assert minute.startswith("a monitor that asks /health once a minute would make 1,440 calls a day")
    assert list(sentences(subject())) == []


@pytest.mark.parametrize(
    ("money", "text"), [(1234.5, "$1,234"), (12.345, "$12.35"), (0.0123, "$0.012"), (3e-6, "$3.0e-06"), (0.0, "$0")]
)
def test_money_has_as_many_figures_as_are_read(money: float, text: str) -> None:
    assert dollars(money) == text


def test_many_processes_are_advised_to_share() -> None:
    (hit,) = checks_in_every_process(subject(deployment("openai/swift-1"), general=ON, runtime=PODS))
    assert hit.text == "12 processes make 17,280 checks a day, about $0.79; one for all makes 1,440"
    one = Runtime("u", ("litellm",))
    assert not list(checks_in_every_process(subject(deployment("openai/swift-1"), general=ON, runtime=one)))
    free = deployment("openai/x", api_base="http://10.1.1.1")
    assert not list(checks_in_every_process(subject(free, general=ON, runtime=PODS)))


@pytest.mark.parametrize(
    ("path", "keyed", "general", "said"),
    [
        ("/health", False, {"master_key": "sk-x"}, None),
        ("/health?model=a", False, {"master_key": "sk-x"}, None),
        ("/health", True, {"master_key": "sk-x"}, "warning"),
        ("/health", True, {"master_key": "sk-x", **ON}, ""),
        ("/health/readiness", False, {"master_key": "sk-x"}, ""),
    ],
)
def test_a_probe_of_health_itself_is_found(
    path: str, keyed: bool, general: Mapping[str, Any], said: str | None
) -> None:
    runtime = Runtime("Deployment d", health=(Asked("the probe", path, 10.0, keyed, 7, 3),), fragment="m.yaml")
    found = list(probe_asks_health(subject(deployment("openai/swift-1"), general=general, runtime=runtime)))
    hits = [one for one in found if isinstance(one, Hit)]
    if said == "":
        assert not hits
        assert all(isinstance(one, Right) for one in found)
        return
    (hit,) = hits
    assert hit.severity == said
    assert hit.mark is not None
    assert (hit.mark.file, hit.mark.line, hit.mark.column) == ("m.yaml", 7, 3)
