"""Code and patterns of the file that LiteLLM compiles, and other values that its parts are made of."""

from __future__ import annotations

from tests.proving.case import Case, refused, runs

_CODE = """guardrails:
  - guardrail_name: g
    litellm_params:
      guardrail: custom_code
      mode: pre_call
      custom_code: |
"""
_TAKES = "def apply_guardrail(inputs, request_data, input_type):"
_FILTER = """guardrails:
  - guardrail_name: g
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      patterns: [{pattern_type: regex, pattern: '%s', name: n, action: BLOCK}]
"""


def _code(name: str, text: str, said: str) -> Case:
    return Case(
        f"guardrail-code-{name}",
        _CODE + "".join(f"        {line}\n" for line in text.splitlines()),
        finds={"guardrail-code-refused": 6} if said else {},
        proof=refused(said) if said else runs,
        since="1.106",
    )


CASES: tuple[Case, ...] = (
    _code("whole", f"words = ['a']\n{_TAKES}\n    return block('no') if contains_any('a', words) else allow()", ""),
    _code("no-python", "def apply_guardrail(:", "Syntax error in custom code"),
    _code("without-its-function", "def check():\n    return allow()", "must define an 'apply_guardrail' function"),
    _code("with-an-import", f"import os\n{_TAKES}\n    return allow()", "__import__ not found"),
    _code("with-exec", f"{_TAKES}\n    exec('1')\n    return allow()", "Exec calls are not allowed"),
    _code("with-a-hidden-name", f"{_TAKES}\n    return inputs.__class__", "invalid attribute name"),
    _code("with-a-type", "words: list = []", "AnnAssign statements are not allowed"),
    _code("that-is-a-value", "apply_guardrail = 5", "must be a callable function"),
    Case(
        "guardrail-pattern-that-is-none",
        _FILTER % "[a-",
        finds={"guardrail-code-refused": 6},
        proof=refused("unterminated character set"),
        since="1.106",
    ),
    Case("guardrail-pattern", _FILTER % "[a-z]+", finds={}, proof=runs, since="1.106"),
    Case(
        "old-guardrail-of-no-such-callback",
        "litellm_settings:\n  guardrails:\n    - g: {callbacks: [nonsense], default_on: true}\n",
        finds={"unknown-callback": 3},
        proof=refused("Empty module name", "Could not find module file"),
    ),
    Case(
        "old-guardrail-that-is-off",
        "litellm_settings:\n  guardrails:\n    - g: {callbacks: [presidio], default_on: false}\n",
        finds={},
        proof=runs,
    ),
    Case(
        "agents-that-are-false",
        "agent_list: false\n",
        finds={"section-entry": 1},
        proof=refused("'bool' object is not iterable"),
        since="1.106",
    ),
    Case(
        "redis-nodes-that-are-a-text",
        "litellm_settings:\n  cache: true\n  cache_params: {type: redis, redis_startup_nodes: '127.0.0.1:7000'}\n",
        finds={"start-value-refused": 3},
        proof=refused("JSONDecodeError"),
    ),
    Case(
        "mcp-description-on-this-machine",
        "mcp_servers:\n  s:\n    spec_path: http://127.0.0.1:9/openapi.json\n",
        finds={"mcp-server-refused": 3},
        proof=refused("URL targets a blocked address"),
        since="1.106",
    ),
    Case(
        "prompt-without-what-it-comes-from",
        "prompts:\n  - prompt_id: p\n    litellm_params: {prompt_id: p, prompt_integration: gitlab}\n",
        finds={"section-entry": 3},
        proof=refused("gitlab_config is required"),
        since="1.106",
    ),
    Case(
        "last-include-decides",
        "include: [a.yaml, b.yaml]\n",
        files={
            "a.yaml": "include: [c.yaml]\nmodel_list: []\n",
            "b.yaml": "litellm_settings: {callbacks: [gone.mine]}\n",
            "c.yaml": "litellm_settings: {request_timeout: 5}\n",
        },
        finds={},
        proof=runs,
        since="1.106",
    ),
)
