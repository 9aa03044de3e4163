"""The place in a file that the end of a start names: words of LiteLLM 1.106.2, files of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litellm_tui.analysis.change.rehearsed import differences, place_named, place_of_end
from litellm_tui.collectors.config import config_file
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.gateway import Gateway, LoadedDeployment, Readiness
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot

TEXT = """\
model_list:
- model_name: small
  litellm_params: {model: openai/small, api_key: none}
- model_name: large
- litellm_params: {model: openai/large}
router_settings:
  routing_strategy: fastest-first
  fallbacks:
  - small: [large]
  - small
litellm_settings:
  callbacks: [my_hooks.handler]
  cache_params: {type: redis, host: nowhere}
  custom_provider_map:
  - {provider: a, custom_handler: my_hooks.a}
  - {provider: b}
general_settings:
  key_management_system: strongbox
  custom_auth: gate.check_key
  pass_through_endpoints:
  - path: /a
    target: http://127.0.0.1:9/a
  - target: http://127.0.0.1:9/b
guardrails:
- guardrail_name: hide
  litellm_params: {guardrail: presidio, mode: pre_call}
- guardrail_name: show
mcp_servers:
  my-tools: {url: http://127.0.0.1:9/mcp}
"""
FRAME = '  File "/v/lib/python3.11/site-packages/litellm/{file}", line 12, in {name}\n    some(code)\n'


@pytest.fixture
def file(tmp_path: Path) -> ConfigFile:
    (tmp_path / "c.yaml").write_text(TEXT)
    found = config_file.load(str(tmp_path / "c.yaml"), {})
    assert isinstance(found, ConfigFile)
    return found


def trace(file: str, name: str, words: str) -> str:
    load = FRAME.format(file="proxy/proxy_server.py", name="load_config")
    return f"Traceback (most recent call last):\n{load}{FRAME.format(file=file, name=name)}{words}"


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (trace("router.py", "routing_strategy_init", "ValueError: Invalid routing_strategy: 'fastest-first'. Valid "
               "options: ['simple-shuffle', 'least-busy']"), "  routing_strategy: fastest-first"),
        (trace("router.py", "validate_fallbacks", "ValueError: Item 'small' is not a dictionary."), "  - small"),
        (trace("proxy/types_utils/utils.py", "get_instance_fn", "ImportError: Could not import check_key from gate"),
         "  custom_auth: gate.check_key"),
        (trace("proxy/guardrails/init_guardrails.py", "init_guardrails_v2", "KeyError: 'litellm_params'"),
         "- guardrail_name: show"),
        (trace("proxy/pass_through_endpoints/pass_through_endpoints.py", "initialize_pass_through_endpoints",
               "ValueError: Path is required for pass-through endpoint"), "  pass_through_endpoints:"),
        (trace("proxy/_experimental/mcp_server/mcp_server_manager.py", "load_servers_from_config",
               "Exception: Server name cannot contain '-'. Found: my-tools"), "  my-tools: {url:"),
        (trace("router.py", "set_model_list", "KeyError: 'model_name'"), "- litellm_params: {model: openai/large}"),
        (trace("router.py", "set_model_list", "KeyError: 'litellm_params'"), "- model_name: large"),
        (trace("proxy/proxy_server.py", "load_config", "KeyError: 'custom_handler'"), "  - {provider: b}"),
        (trace("proxy/proxy_server.py", "initialize_secret_manager",
               "ValueError: Invalid Key Management System selected"), "  key_management_system: strongbox"),
    ],
)  # fmt: skip
def test_the_line_that_ended_the_start_is_named(record: str, line: str, file: ConfigFile) -> None:
    said = ["INFO of no account", record, "Application startup failed. Exiting."]
    mark = place_of_end(file, said)
    assert mark is not None
    assert TEXT.splitlines()[mark.line - 1].startswith(line), TEXT.splitlines()[mark.line - 1]


def test_a_setting_that_is_called_by_a_name_of_its_own_is_named_without_a_traceback(file: ConfigFile) -> None:
    mark = place_named(file, "the rehearsal failed: ValueError: Invalid Key Management System selected")
    assert mark is not None
    assert "key_management_system: strongbox" in TEXT.splitlines()[mark.line - 1]


@pytest.mark.parametrize(
    "words",
    [
        "AttributeError: 'str' object has no attribute 'get'",
        "ValueError: something about 'small' and nothing else",
        "RuntimeError: the model of this deployment is not valid",
        "",
    ],
)
def test_where_no_one_place_is_meant_none_is_named(words: str, file: ConfigFile) -> None:
    assert place_named(file, words) is None
    assert place_of_end(file, [trace("proxy/other.py", "somewhere", words)]) is None


def test_what_was_said_before_the_last_traceback_does_not_count(file: ConfigFile) -> None:
    earlier = trace("router.py", "routing_strategy_init", "ValueError: Invalid routing_strategy: 'fastest-first'")
    last = trace("proxy/other.py", "somewhere", "OSError: [Errno 28] No space left on device")
    assert place_of_end(file, [earlier, last]) is None


def of(*models: str, router: dict[str, Any] | None = None, version: str = "1.106.2", **more: Any) -> Snapshot:
    """A gateway with these deployments, each of the group `g`; those behind `db:` come from its database."""
    deployments = tuple(
        LoadedDeployment(str(number), "g", model.removeprefix("db:"), from_db=model.startswith("db:"), **more)
        for number, model in enumerate(models)
    )
    return Snapshot(0.0, Gateway(readiness=Reading(Readiness("healthy", version=version)),
                                 deployments=Reading(deployments), router=Reading(router)))  # fmt: skip


def test_what_differs_from_what_runs_is_told() -> None:
    settings = {"cooldown_time": 60, "fallbacks": [{"small": ["large"]}], "num_retries": 2}
    running = of("openai/a", "openai/b", "openai/b", "db:openai/kept", router=settings)
    assert differences(running, of("openai/a", "openai/b", "openai/b", router=dict(settings))) == ()
    changed = {**settings, "cooldown_time": 61, "fallbacks": []}
    assert differences(running, of("openai/b", "openai/c", "openai/c", router=changed)) == (
        "added: g (openai/c), 2 times",
        "removed: g (openai/a)",
        "removed: g (openai/b)",
        "router_settings.cooldown_time: 60 → 61",
        "router_settings.fallbacks: {small: [large]} → []",
    )


def test_where_a_deployment_leads_is_told_unless_one_of_both_does_not_show_it() -> None:
    running = of("openai/a", api_base="http://10.0.0.1/v1", rpm=5)
    assert differences(running, of("openai/a", api_base="http://10.0.0.2/v1")) == (
        "g (openai/a): api_base http://10.0.0.1/v1 → http://10.0.0.2/v1",
    )
    assert differences(running, of("openai/a", api_base="http://10.0.0.1/v1", rpm=6)) == ("g (openai/a): rpm 5 → 6",)


def test_what_only_one_of_both_shows_is_no_difference() -> None:
    running = of("openai/a", router={"cooldown_time": 60})
    newer = of("openai/a", router={"cooldown_time": 60, "tag_routing_prefix": None}, version="1.109.3")
    assert differences(running, newer) == ("LiteLLM 1.109.3, and 1.106.2 runs",)
    assert differences(running, of("openai/a")) == ()
    assert differences(Snapshot(0.0), running) == ()
