"""The place in a file that the end of a start names: words of LiteLLM 1.106.2, files of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.analysis.change.rehearsed import place_named, place_of_end
from litellm_tui.collectors.config import config_file
from litellm_tui.model.configuration import ConfigFile

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
general_settings:
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
    ],
)  # fmt: skip
def test_the_line_that_ended_the_start_is_named(record: str, line: str, file: ConfigFile) -> None:
    said = ["INFO of no account", record, "Application startup failed. Exiting."]
    mark = place_of_end(file, said)
    assert mark is not None
    assert TEXT.splitlines()[mark.line - 1].startswith(line), TEXT.splitlines()[mark.line - 1]


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
