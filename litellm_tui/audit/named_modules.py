"""The places of a configuration where a Python module is named, as `module.thing`.

LiteLLM imports each of them at its start (`get_instance_fn` in proxy/types_utils/utils.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit.subject import reference
from litellm_tui.model.edits import Path

# of litellm_settings; a name without a dot is a callback of LiteLLM's own there
_CALLBACK_LISTS: Final = ("callbacks", "success_callback", "failure_callback", "audit_log_callbacks")
GENERAL: Final = (
    "custom_auth",
    "custom_key_generate",
    "custom_key_update",
    "custom_key_policy",
    "custom_team_metadata_validate",
    "custom_sso",
    "custom_ui_sso_sign_in_handler",
)
REMOTE: Final = ("s3://", "gcs://")


def named_modules(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Each name with its path; a name that is not a text is given as it is."""
    settings, general = _mapping(data.get("litellm_settings")), _mapping(data.get("general_settings"))
    for key in _CALLBACK_LISTS:
        yield from _callbacks(("litellm_settings", key), settings.get(key))
    if "post_call_rules" in settings:
        yield ("litellm_settings", "post_call_rules"), settings["post_call_rules"]
    for index, item in enumerate(_list(settings.get("custom_provider_map"))):
        if isinstance(item, dict) and "custom_handler" in item:
            yield ("litellm_settings", "custom_provider_map", index, "custom_handler"), item["custom_handler"]
    for key in GENERAL:
        if general.get(key) is not None and reference(general[key]) is None:
            yield ("general_settings", key), general[key]
    secrets = _mapping(general.get("key_management_settings"))
    if general.get("key_management_system") == "custom" and "custom_secret_manager" in secrets:
        path = ("general_settings", "key_management_settings", "custom_secret_manager")
        yield path, secrets["custom_secret_manager"]
    for index, item in enumerate(_list(_mapping(data.get("router_settings")).get("plugins"))):
        if isinstance(item, str):
            yield ("router_settings", "plugins", index), item
    yield from _routers(data)
    yield from _guardrails(data, settings)
    for index, item in enumerate(_list(data.get("mcp_tools"))):
        if isinstance(item, dict) and item.get("name") and item.get("description") and item.get("handler"):
            yield ("mcp_tools", index, "handler"), item["handler"]


def _routers(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Those of complexity routers, each a deployment of its own."""
    for number, entry in enumerate(_list(data.get("model_list"))):
        params = _mapping(entry.get("litellm_params")) if isinstance(entry, dict) else {}
        config = _mapping(params.get("complexity_router_config"))
        path: Path = ("model_list", number, "litellm_params", "complexity_router_config")
        for index, item in enumerate(_list(config.get("plugins"))):
            if isinstance(item, str):
                yield (*path, "plugins", index), item
        if isinstance(config.get("classifier_plugin"), str):
            yield (*path, "classifier_plugin"), config["classifier_plugin"]


def _guardrails(data: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    for index, item in enumerate(_list(data.get("guardrails"))):
        params = item.get("litellm_params") if isinstance(item, dict) else None
        name = params.get("guardrail") if isinstance(params, dict) else None
        if isinstance(name, str) and "." in name and reference(name) is None:
            yield ("guardrails", index, "litellm_params", "guardrail"), name
    for index, item in enumerate(_list(settings.get("guardrails"))):
        for key, block in item.items() if isinstance(item, dict) else ():
            if isinstance(key, str) and isinstance(block, dict) and block.get("default_on") is True:
                yield from _callbacks(
                    ("litellm_settings", "guardrails", index, key, "callbacks"), block.get("callbacks")
                )


def _callbacks(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str) and "." in value and path[-1] == "callbacks" and reference(value) is None:
        yield path, value
    for index, item in enumerate(_list(value)):
        if isinstance(item, str) and "." in item:
            yield (*path, index), item


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
