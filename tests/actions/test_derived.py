"""The copy of a configuration that a rehearsal starts with: what is changed in it, what is said of that, what stays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from litellm_tui.actions.rehearse.derived import derive
from litellm_tui.actions.rehearse.settings_off import NOWHERE
from litellm_tui.collectors.config.config_file import load
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.rehearsal import Derived
from litellm_tui.model.service import Variable

MODELS = "model_list:\n- model_name: a\n  litellm_params: {model: openai/a, api_key: os.environ/KEY}\n"


def derived(folder: Path, text: str, variables: Mapping[str, str] | None = None, **more: Any) -> Derived:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    plain = variables or {}
    file = load(str(path), plain)
    assert isinstance(file, ConfigFile), file
    source = more.pop("source", "the unit")
    given = {name: Variable(value, source) for name, value in plain.items()}
    made = derive(file, given, content=path.read_bytes(), namespace="own", **more)
    assert isinstance(made, Derived)
    return made


def data(made: Derived) -> Any:
    return yaml.safe_load(made.text)


def said(made: Derived, word: str) -> bool:
    return any(word in sentence for sentence in made.left_out)


def test_every_line_but_the_changed_ones_stays_where_it_is(tmp_path: Path) -> None:
    text = (
        "# the gateway of the house\n" + MODELS + "general_settings:\n"
        "  background_health_checks: true  # every five minutes\n"
        "  master_key: 'sk-a'\n"
        "litellm_settings:\n"
        '  cache: true\n  cache_params: {type: redis, host: "h", namespace: theirs}\n'
    )
    lines = derived(tmp_path, text).text.decode().splitlines()
    for number, line in enumerate(text.splitlines()[:7]):
        assert lines[number] == line.replace("checks: true", "checks: false")
    assert "# every five minutes" in lines[5]
    assert data(derived(tmp_path, text))["litellm_settings"]["cache_params"]["namespace"] == "own"


def test_what_includes_bring_is_changed_too(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("general_settings: {background_health_checks: true}\n" + MODELS)
    found = data(derived(tmp_path, "include: [more.yaml]\nlitellm_settings: {drop_params: true}\n"))
    assert "include" not in found
    assert found["general_settings"]["background_health_checks"] is False
    assert found["litellm_settings"] == {"drop_params": True}
    assert found["model_list"][0]["model_name"] == "a"


def test_what_an_anchor_shares_is_changed_in_its_own_place_alone(tmp_path: Path) -> None:
    text = MODELS + "shared: &s {type: redis, host: h}\nlitellm_settings:\n  cache: true\n  cache_params: *s\n"
    found = data(derived(tmp_path, text))
    assert found["litellm_settings"]["cache_params"] == {"type": "redis", "host": "h", "namespace": "own"}
    assert found["shared"] == {"type": "redis", "host": "h"}


@pytest.mark.parametrize("text", [MODELS, MODELS + "general_settings:\n", MODELS + "general_settings: {}\n"])
def test_no_provider_is_asked_for_the_limits_of_models(tmp_path: Path, text: str) -> None:
    assert data(derived(tmp_path, text))["general_settings"]["disable_model_info_refresh"] is True


def test_callbacks_that_send_leave_and_those_that_end_the_start_stay(tmp_path: Path) -> None:
    settings = {
        "callbacks": ["langfuse", "presidio", "prometheus", "langfuze", "own.handler"],
        "success_callback": ["otel", "lanfuse", "prometheus", "other.log"],
        "service_callback": ["datadog"],
        "custom_provider_map": [{"provider": "mine", "custom_handler": "llm.handler"}],
    }
    made = derived(tmp_path, MODELS + yaml.safe_dump({"litellm_settings": settings}))
    found = data(made)["litellm_settings"]
    # LiteLLM takes the misspelt one for a module, and ends
    assert found["callbacks"] == ["presidio", "prometheus", "langfuze"]
    assert found["success_callback"] == ["prometheus"]
    assert found["service_callback"] == []
    assert [entry["custom_handler"] for entry in found["custom_provider_map"]] == [
        "llm.handler", "own.handler", "other.log",
    ]  # fmt: skip
    assert said(made, "langfuse, otel, lanfuse, datadog")
    assert said(made, "own.handler, other.log")


def test_a_callback_that_is_no_list_is_imported_too(tmp_path: Path) -> None:
    found = data(derived(tmp_path, MODELS + "litellm_settings: {callbacks: own.handler}\n"))["litellm_settings"]
    assert found["callbacks"] == []
    assert found["custom_provider_map"][0]["custom_handler"] == "own.handler"


def test_endpoints_that_callback_settings_name_are_known_as_senders(tmp_path: Path) -> None:
    text = "callback_settings: {house: {callback_type: generic_api}}\nlitellm_settings: {callbacks: [house]}\n"
    assert data(derived(tmp_path, text + MODELS))["litellm_settings"]["callbacks"] == []


def test_alerts_go_with_their_webhooks(tmp_path: Path) -> None:
    text = (
        "general_settings: {alerting: [slack], alert_to_webhook_url: {budget_alerts: 'https://h'}, "
        "alerting_threshold: 9}\n"
        "router_settings: {alerting_config: {webhook_url: 'https://h'}, num_retries: 2}\n"
    )
    made = derived(tmp_path, text + MODELS, {"SLACK_WEBHOOK_URL": "https://h", "OTEL_EXPORTER_OTLP_ENDPOINT": "x"})
    assert data(made)["general_settings"] == {"alerting_threshold": 9, "disable_model_info_refresh": True}
    assert data(made)["router_settings"] == {"num_retries": 2}
    assert made.environment == {"SLACK_WEBHOOK_URL": None, "OTEL_EXPORTER_OTLP_ENDPOINT": None}
    assert said(made, "alerting")
    assert "https://h" not in str(made.left_out)


def test_a_variable_that_the_file_still_refers_to_stays(tmp_path: Path) -> None:
    text = MODELS.replace("os.environ/KEY", "os.environ/LANGFUSE_SECRET_KEY")
    assert derived(tmp_path, text, {"LANGFUSE_SECRET_KEY": "s", "LANGFUSE_HOST": "h"}).environment == {
        "LANGFUSE_HOST": None
    }


def test_the_database_goes_from_file_variables_and_section(tmp_path: Path) -> None:
    text = (
        "general_settings: {database_url: os.environ/DB, store_model_in_db: true}\n"
        "environment_variables: {DATABASE_URL: 'postgresql://x', TZ: UTC}\n"
    )
    made = derived(
        tmp_path, text + MODELS, {"DB": "postgresql://u:p@h/d", "DIRECT_URL": "y", "STORE_MODEL_IN_DB": "True"}
    )
    assert data(made)["environment_variables"] == {"TZ": "UTC"}
    assert "database_url" not in data(made)["general_settings"]
    assert data(made)["general_settings"]["store_model_in_db"] is False
    assert made.environment == {"DIRECT_URL": None, "STORE_MODEL_IN_DB": None}
    assert said(made, "not connected and not migrated")


def test_without_a_database_nothing_is_said_of_one(tmp_path: Path) -> None:
    assert not said(derived(tmp_path, MODELS), "database")


def test_a_database_that_is_asked_for_stays_and_is_said_to_be_written_to(tmp_path: Path) -> None:
    text = "general_settings: {maximum_spend_logs_retention_period: 7d, background_health_checks: true}\n" + MODELS
    made = derived(tmp_path, text, {"DATABASE_URL": "postgresql://x", "LITELLM_KEY_ROTATION_ENABLED": "true"},
                   with_database=True)  # fmt: skip
    assert made.environment == {"LITELLM_KEY_ROTATION_ENABLED": None}
    general = data(made)["general_settings"]
    assert general["disable_spend_logs"] is True
    assert "maximum_spend_logs_retention_period" not in general
    assert general["background_health_checks"] is False
    assert said(made, "migrates its tables")


def test_what_its_own_dotenv_would_give_again_is_kept_from_it(tmp_path: Path) -> None:
    made = derived(tmp_path, MODELS, {"DATABASE_URL": "postgresql://x", "KEY": "k"}, source="/srv/.env")
    assert made.environment == {"DATABASE_URL": None, "KEY": "k", "LITELLM_MODE": "PRODUCTION"}


@pytest.mark.parametrize("cache", ["cache: true", "cache: true\n  cache_params: {}"])
def test_a_redis_that_only_variables_name_has_its_namespace(tmp_path: Path, cache: str) -> None:
    made = derived(tmp_path, f"litellm_settings:\n  {cache}\n{MODELS}", {"REDIS_HOST": "h", "REDIS_PORT": "6379"})
    assert data(made)["litellm_settings"]["cache_params"] == {"type": "redis", "namespace": "own"}
    # the other limiter of 1.77.7 counts beside the namespace
    assert made.environment == {"LEGACY_MULTI_INSTANCE_RATE_LIMITING": "true"}
    assert said(made, "prefix own")


def test_the_routers_redis_has_its_namespace(tmp_path: Path) -> None:
    text = "router_settings: {redis_host: os.environ/REDIS_HOST, redis_port: 1, cache_kwargs: {ssl: true}}\n" + MODELS
    made = derived(tmp_path, text, {"REDIS_HOST": "h"})
    assert data(made)["router_settings"]["cache_kwargs"] == {"ssl": True, "namespace": "own"}
    # by its own name LiteLLM would count there without one
    assert made.environment == {"REDIS_HOST": None, "REHEARSED_REDIS_HOST": "h"}
    assert data(made)["router_settings"]["redis_host"] == "os.environ/REHEARSED_REDIS_HOST"


def test_a_buffer_without_the_redis_that_it_has_in_truth_is_off(tmp_path: Path) -> None:
    text = "general_settings: {use_redis_transaction_buffer: true}\n" + MODELS
    assert (
        data(derived(tmp_path, text, {"REDIS_URL": "redis://h"}))["general_settings"]["use_redis_transaction_buffer"]
        is False
    )
    # LiteLLM ends with it where there is none, and a rehearsal is to say so
    assert data(derived(tmp_path, text))["general_settings"]["use_redis_transaction_buffer"] is True


@pytest.mark.parametrize(("kind", "on"), [("qdrant-semantic", False), ("disk", False), ("s3", True), ("local", True)])
def test_a_cache_that_writes_when_it_is_made_is_off(tmp_path: Path, kind: str, on: bool) -> None:
    made = derived(tmp_path, f"litellm_settings: {{cache: true, cache_params: {{type: {kind}}}}}\n{MODELS}")
    assert data(made)["litellm_settings"]["cache"] is on
    assert said(made, kind) is not on


def test_mcp_servers_keep_what_can_end_the_start_and_lead_nowhere(tmp_path: Path) -> None:
    servers = {
        "far": {"url": "https://tools/mcp", "transport": "sse", "auth_type": "bearer_token"},
        "near": {"transport": "stdio", "command": "npx", "args": ["-y", "x"]},
        "wrong-name": {"url": "https://other", "transport": "smoke"},
    }
    made = derived(tmp_path, yaml.safe_dump({"mcp_servers": servers}) + MODELS)
    found = data(made)["mcp_servers"]
    assert found["far"] == {"url": NOWHERE, "transport": "sse", "auth_type": "bearer_token"}
    assert (found["near"]["transport"], found["near"]["url"]) == ("http", NOWHERE)
    assert found["wrong-name"] == {"url": NOWHERE, "transport": "smoke"}
    assert sum("MCP servers" in sentence for sentence in made.left_out) == 1


def test_ollama_is_not_started_for_its_models(tmp_path: Path) -> None:
    text = (
        "model_list:\n- {model_name: a, litellm_params: {model: ollama/llama3}}\n"
        "- {model_name: b, litellm_params: {model: ollama_chat/x, api_base: 'http://gpu'}}\n"
    )
    bases = [entry["litellm_params"]["api_base"] for entry in data(derived(tmp_path, text))["model_list"]]
    assert bases == ["http://localhost:11434", "http://gpu"]


@pytest.mark.parametrize(
    "text",
    [
        "litellm_settings: [a]\ngeneral_settings: 7\nrouter_settings: x\nmcp_servers: [1]\n",
        "litellm_settings: {callbacks: {a: b}, success_callback: 3}\nmodel_list: {a: b}\n",
        "model_list: [1, {litellm_params: 2}, null]\nenvironment_variables: [a]\n",
        "litellm_settings: {cache: true, cache_params: [a], custom_provider_map: x, callbacks: [a.b]}\n",
    ],
)
def test_a_value_of_a_wrong_type_is_left_for_litellm_to_refuse(tmp_path: Path, text: str) -> None:
    found, before = data(derived(tmp_path, text)), yaml.safe_load(text)
    for key in ("general_settings", "router_settings", "model_list", "mcp_servers", "environment_variables"):
        if key in before:
            assert found[key] == before[key]


def test_the_folder_of_the_running_gateways_metrics_is_not_emptied(tmp_path: Path) -> None:
    assert derived(tmp_path, MODELS, {"PROMETHEUS_MULTIPROC_DIR": "/run/m"}).environment == {
        "PROMETHEUS_MULTIPROC_DIR": None
    }
