"""The fragments of the corpus, section by section; every value is made here, every name comes from LiteLLM's source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.proving.corpus import Fragment
from tests.proving.corpus_facts import Facts
from tests.proving.corpus_lists import listed
from tests.proving.corpus_settings import settings

# a value of every kind that YAML has
KINDS: Final[Mapping[str, Any]] = {
    "text": "x",
    "texts": ["x"],
    "mapping": {"x": "y"},
    "number": 3,
    "switch": True,
    "empty": None,
}
NOWHERE: Final = "http://127.0.0.1:9"


def fragments(facts: Facts) -> Iterator[Fragment]:
    """Every fragment for one version, in the order of the page."""
    yield from _sections(facts)
    yield from _deployments(facts)
    yield from _callbacks(facts)
    yield from _guardrails(facts)
    yield from _mcp_servers(facts)
    yield from _caches(facts)
    yield from _secret_managers(facts)
    yield from settings(facts, KINDS)
    yield from listed(KINDS)
    yield from _text_files()


def _sections(facts: Facts) -> Iterator[Fragment]:
    for key in sorted(facts.catalogue.sections - {"include"}):
        for kind, value in {**KINDS, "mappings": [{"x": "y"}]}.items():
            yield Fragment("top level", f"{key}={kind}", {key: value})


def _deployments(facts: Facts) -> Iterator[Fragment]:
    for key in dict.fromkeys(facts.params):
        for kind, value in KINDS.items() if key != "model" else ():
            yield _deployment("litellm_params", f"{key}={kind}", {key: value})
    yield from _checked_deployments()
    for kind, value in KINDS.items():
        for key in ("model_name", "litellm_params", "model_info"):
            entry = {"model_name": "q", "litellm_params": {"model": "openai/q", "api_key": "k"}, key: value}
            yield Fragment("model_list", f"{key}={kind}", {"model_list": [entry]})
        entry = {"model_name": f"m-{kind}", "litellm_params": {"model": value, "api_key": "k"}}
        yield Fragment("model_list", f"model={kind}", {"model_list": [entry]})
        yield Fragment("model_list", f"entry={kind}", {"model_list": [value]})
        for key in (
            "id",
            "mode",
            "base_model",
            "max_tokens",
            "input_cost_per_token",
            "team_id",
            "access_groups",
            "tier",
        ):
            yield _deployment("model_info", f"{key}={kind}", {}, {key: value})


def _checked_deployments() -> Iterator[Fragment]:
    """What is checked of a deployment before the router has it."""
    for kind, value in {**KINDS, "nothing": 0, "fraction": 1.5, "digits": "3"}.items():
        yield _deployment("model_list", f"max_agentic_loops={kind}", {"max_agentic_loops": value})
    tiers = dict.fromkeys(("SIMPLE", "MEDIUM", "COMPLEX", "REASONING"), "base")
    config = {"model": "auto_router/complexity_router", "complexity_router_config": {"tiers": tiers}}
    beside: Mapping[str, Mapping[str, Any]] = {"whole": {}, "with tiers beside it": {"tiers": tiers}}
    for name, more in beside.items():
        yield _deployment("model_list", f"complexity router {name}", {**config, **more})
    yield _deployment("model_list", "a setting of a router elsewhere", {"match_threshold": 0.5})
    for kind in ("adaptive", "quality"):
        params = {"model": f"auto_router/{kind}_router", f"{kind}_router_config": {"available_models": ["base"]}}
        yield _deployment("model_list", f"{kind} router", {**params, f"{kind}_router_default_model": "base"})
    window = {"start": "09:00", "end": "17:00", "timezone": "Europe/Berlin", "team_ids": ["t"]}
    for name, changed in {
        "whole": window,
        "without a zone": {key: value for key, value in window.items() if key != "timezone"},
        "with no time": {**window, "start": "nine"},
        "with one time": {**window, "end": "09:00"},
        "with no team": {**window, "team_ids": []},
        "with another key": {**window, "days": ["mon"]},
    }.items():
        yield _deployment("model_list", f"window {name}", {}, {"access_windows": [changed]})
    for kind, value in KINDS.items():
        yield _deployment("model_list", f"access_windows={kind}", {}, {"access_windows": value})


def _deployment(section: str, name: str, params: Mapping[str, Any], info: Mapping[str, Any] | None = None) -> Fragment:
    called = f"{section}-{name}"
    base = {"model": f"openai/{called}", "api_base": f"{NOWHERE}/v1", "api_key": "k"}
    entry = {
        "model_name": called,
        "litellm_params": {**base, **params},
        **({} if info is None else {"model_info": info}),
    }
    return Fragment(section, name, {"model_list": [entry]})


def _callbacks(facts: Facts) -> Iterator[Fragment]:
    for name in sorted(facts.catalogue.callbacks):
        for key in ("callbacks", "success_callback", "failure_callback"):
            yield Fragment("callbacks", f"{name} in {key}", {"litellm_settings": {key: [name]}})
    for kind, value in KINDS.items():
        for key in ("callbacks", "success_callback", "failure_callback", "audit_log_callbacks"):
            yield Fragment("callbacks", f"item of {key}={kind}", {"litellm_settings": {key: [value]}})
    for key, value in {
        "callbacks": ["mine.handler"],
        "success_callback": ["mine.handler"],
        "post_call_rules": "mine.handler",
        "custom_provider_map": [{"provider": "mine", "custom_handler": "mine.handler"}],
    }.items():
        yield from _modules("litellm_settings", key, value)
    yield from _modules("general_settings", "custom_auth", "mine.handler")
    yield from _modules("router_settings", "plugins", ["mine.handler"])


def _modules(section: str, key: str, value: Any) -> Iterator[Fragment]:
    """A Python module of the operator's own: there and not there, whole and broken."""
    whole = (
        "from litellm.integrations.custom_logger import CustomLogger\n"
        "class Handler(CustomLogger):\n    async def run(self, context):\n        return context\n"
        "handler = Handler()\n"
    )
    for name, text in {
        "there": whole,
        "without the name": "other = 1\n",
        "no Python": "def handler(:\n",
        "importing what is not there": f"import nonesuch_package\n{whole}",
    }.items():
        yield Fragment("modules", f"{key} {name}", {section: {key: value}}, files={"mine.py": text}, alone=True)
    yield Fragment("modules", f"{key} missing", {section: {key: value}}, alone=True)


def _guardrails(facts: Facts) -> Iterator[Fragment]:
    for kind in facts.guardrails:
        yield _guardrail(f"{kind} alone", {"guardrail": kind})
        yield _guardrail(f"{kind} with a key", {"guardrail": kind, "api_key": "k", "api_base": NOWHERE})
        for mode in facts.modes if kind not in _UNPACKED else ():
            yield _guardrail(f"{kind} in mode {mode}", {"guardrail": kind, "mode": mode, **_EVERYTHING})
    for how in (*facts.modes, "before", ["pre_call", "post_call"], {"tags": {}, "default": "pre_call"}):
        yield _guardrail(f"mode {how}", {"mode": how})
    for kind, value in KINDS.items():
        yield Fragment("guardrails", f"entry={kind}", {"guardrails": [value]})
        for key in ("guardrail_name", "litellm_params", "guardrail_info"):
            item = {"guardrail_name": f"{key}-{kind}", "litellm_params": _PARAMS, key: value}
            yield Fragment("guardrails", f"{key}={kind}", {"guardrails": [item]})
        for key in ("guardrail", "mode", "default_on", "api_key", "api_base", "category_thresholds", "guard_name"):
            yield _guardrail(f"litellm_params.{key}={kind}", {key: value})
        block = {"callbacks": ["hide_secrets"], "default_on": False}
        for key in ("callbacks", "default_on", "enabled_roles", "callback_args"):
            data = {"litellm_settings": {"guardrails": [{"g": {**block, key: value}}]}}
            yield Fragment("guardrails", f"old form, {key}={kind}", data)


# what one class or another asks for
_EVERYTHING: Final = {
    "api_key": "k",
    "api_base": NOWHERE,
    "auth_token": "t",
    "base_url": NOWHERE,
    "detector_id": "d",
    "tenant_id": "t",
    "client_id": "c",
    "akto_base_url": NOWHERE,
    "akto_api_key": "k",
    "judge_model": "base",
    "asset_id": "a",
    "guard_name": "g",
    "deepkeep_firewall_id": "f",
    "api_id": "i",
    "tracker_api_key": "k",
    "presidio_analyzer_api_base": NOWHERE,
    "presidio_anonymizer_api_base": NOWHERE,
    "tracker_api_base": NOWHERE,
    "application_id": "a",
    "pre_checkpoint_id": "p",
    "post_checkpoint_id": "q",
    "criteria": [{"name": "c", "weight": 100}],
    "reco_tenant_id": "11111111-1111-4111-8111-111111111111",
    "custom_code": "def apply_guardrail(inputs, request_data, input_type):\n    return allow()\n",
}
# their packages are not installed here
_UNPACKED: Final = ("conduct", "semantic_guard", "decision_model")
_PARAMS: Final = {"guardrail": "lakera_v2", "mode": "pre_call", "api_key": "k"}


def _guardrail(name: str, params: Mapping[str, Any]) -> Fragment:
    base = {"guardrail": "lakera_v2", "mode": "pre_call"} if "guardrail" in params else _PARAMS
    return Fragment(
        "guardrails", name, {"guardrails": [{"guardrail_name": name, "litellm_params": {**base, **params}}]}
    )


def _mcp_servers(facts: Facts) -> Iterator[Fragment]:
    def server(name: str, **keys: Any) -> Fragment:
        called = "".join(one if one.isalnum() else "_" for one in name)
        return Fragment("mcp_servers", name, {"mcp_servers": {called: {"url": f"{NOWHERE}/mcp", **keys}}})

    for transport in (*facts.transports, "streamable-http", "HTTP"):
        yield server(f"transport {transport}", transport=transport)
        yield server(f"transport {transport} of a command", transport=transport, command="true")
    for login in (*facts.logins, "bearer", "nonsense"):
        yield server(f"auth {login}", auth_type=login)
        yield server(f"auth {login} with its value", auth_type=login, auth_value="v")
    for kind, value in KINDS.items():
        yield Fragment("mcp_servers", f"server={kind}", {"mcp_servers": {f"server_{kind}": value}})
        for key in _MCP_KEYS:
            yield server(f"{key}={kind}", **{key: value})
    for name, files in {"spec_there": {"api.json": _SPEC}, "spec_missing": dict[str, str]()}.items():
        data = {"mcp_servers": {name: {"url": f"{NOWHERE}/mcp", "spec_path": "api.json"}}}
        yield Fragment("mcp_servers", name, data, files=files, alone=True)
    yield Fragment("mcp_servers", "a hyphen", {"mcp_servers": {"a-b": {"url": f"{NOWHERE}/mcp"}}})


_SPEC: Final = '{"openapi": "3.0.0", "servers": [{"url": "http://127.0.0.1:9"}], "paths": {}}'
_MCP_KEYS: Final = (
    *("url", "transport", "command", "args", "env", "auth_type", "auth_value", "mcp_info", "alias"),
    *("extra_headers", "allowed_tools", "disallowed_tools", "static_headers", "description", "access_groups"),
    *("server_id", "client_id", "client_secret", "scopes", "allow_all_keys", "token_url", "oauth2_flow"),
    *("tool_name_to_description", "allowed_params", "available_on_public_internet", "timeout"),
)


def _caches(facts: Facts) -> Iterator[Fragment]:
    def cache(name: str, params: Mapping[str, Any]) -> Fragment:
        return Fragment("cache", name, {"litellm_settings": {"cache": True, "cache_params": params}})

    for kind in (*sorted(facts.catalogue.cache_types), "nonsense"):
        if kind != "qdrant-semantic":
            yield cache(f"{kind}", {"type": kind})
            yield cache(f"{kind} with a host", {"type": kind, "host": "127.0.0.1", "port": 9})
    for key in ("ttl", "namespace", "mode", "supported_call_types", "max_connections", "nonsense"):
        for kind in ("text", "mapping", "number", "texts"):
            yield cache(f"local {key}={kind}", {"type": "local", key: KINDS[kind]})
    for kind, value in KINDS.items():
        for key in ("redis_startup_nodes", "sentinel_nodes", "service_name"):
            if key != "redis_startup_nodes" or not value:
                yield cache(f"redis {key}={kind}", {"type": "redis", "host": "127.0.0.1", "port": 9, key: value})
        yield Fragment("cache", f"cache_params={kind}", {"litellm_settings": {"cache": True, "cache_params": value}})
        yield Fragment("cache", f"cache={kind}", {"litellm_settings": {"cache": value}})
    qdrant = {"qdrant_api_base": NOWHERE, "qdrant_collection_name": "c", "similarity_threshold": 0.8}
    yield cache("qdrant-semantic that is away", {"type": "qdrant-semantic", **qdrant})
    yield cache("a cluster that is away", {"type": "redis", "redis_startup_nodes": [{"host": "127.0.0.1", "port": 9}]})
    yield Fragment("cache", "redis without a host", {"litellm_settings": {"cache": True}})
    env = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "9"}
    yield Fragment("cache", "redis of the environment", {"litellm_settings": {"cache": True}}, env=env)


def _secret_managers(facts: Facts) -> Iterator[Fragment]:
    for system in (*facts.secret_managers, "nonsense"):
        named = {"key_management_system": system}
        yield Fragment("key management", f"{system}", {"general_settings": named}, alone=True)
    for kind, value in KINDS.items():
        keys = ("hosted_keys", "store_virtual_keys", "access_mode", "primary_secret_name", "tags", "aws_region_name")
        for key in (*keys, "prefix_for_stored_virtual_keys", "description"):
            data = {"general_settings": {"key_management_settings": {key: value}}}
            yield Fragment("key management", f"key_management_settings.{key}={kind}", data)


def _text_files() -> Iterator[Fragment]:
    """Files that are no configuration, or that the start refuses for what stands around them."""
    for name, text in {
        "nothing": "",
        "a comment": "# nothing\n",
        "a text": "hello\n",
        "a list": "- model_list: []\n",
        "two documents": "model_list: []\n---\nmodel_list: []\n",
        "a tab": "model_list:\n\t- model_name: m\n",
        "no closing bracket": "model_list: [\n",
        "an include that is a text": "include: more.yaml\n",
        "an include that is not there": "include: [more.yaml]\n",
        "a tag": "model_list: !!python/object/apply:os.getcwd []\n",
        "an empty list": "model_list: []\n",
        "a mapping as a key": "? {a: b}\n: c\nmodel_list: []\n",
    }.items():
        yield Fragment("the file", name, text)
    keyless = {"general_settings": {"master_key": None}}
    yield Fragment("the file", "no master key", "model_list: []\n", bare=True)
    yield Fragment("the file", "a master key that is empty", keyless, bare=True)
    for key in ("sk-1234", "sk-corpus-of-its-own", "plain-key-of-its-own"):
        yield Fragment("the file", f"master key {key}", {"general_settings": {"master_key": key}}, bare=True)
    for scheme in ("postgresql", "mysql", "sqlite", ""):
        url = f"{scheme}://u:p@127.0.0.1:9/d" if scheme else "u:p@127.0.0.1/d"
        yield Fragment("database", f"scheme {scheme}", {"general_settings": {"database_url": url}}, alone=True)
        yield Fragment("database", f"scheme {scheme} in the environment", {}, env={"DATABASE_URL": url}, alone=True)
