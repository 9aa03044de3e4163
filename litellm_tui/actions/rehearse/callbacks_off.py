"""The callbacks of a rehearsal: what sends something is left out, and what only takes part in the start stays.

The names are those of `litellm/__init__.py`, `initialize_callbacks_on_proxy` and `litellm_logging.set_callbacks` of
LiteLLM 1.77.7, 1.106.2 and 1.109.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.actions.rehearse.changes import GONE, Change
from litellm_tui.collectors.config.config_file import ENVIRONMENT_PREFIX

# Integrations that send what happens to somebody. In `callbacks` LiteLLM takes a name that it does not know for a
# module and ends, which a rehearsal is to find: a name that is not listed here stays there.
_SENDERS: Final = frozenset(
    {
        *("agentops", "argilla", "arize", "arize_phoenix", "aws_sqs", "azure_sentinel", "azure_storage"),
        *("braintrust", "clickhouse", "cloudzero", "datadog", "datadog_cost_management"),
        *("datadog_llm_observability", "datadog_metrics", "deepeval", "focus", "galileo", "gcs_bucket"),
        *("gcs_pubsub", "generic_api", "humanloop", "lago", "langfuse", "langfuse_otel", "langsmith"),
        *("langtrace", "levo", "literalai", "logfire", "mavvrik", "mlflow", "newrelic", "openmeter", "opik"),
        *("otel", "pagerduty", "pointfive", "posthog", "resend_email", "s3_v2", "sendgrid_email", "signoz"),
        *("smtp_email", "ternary", "vantage", "weave_otel", "zerobus"),
        # of generic_api_compatible_callbacks.json
        *("rubrik", "sumologic", "qualifire_eval", "ramp"),
    }
)
_LISTS: Final = (
    "callbacks",
    "success_callback",
    "failure_callback",
    "service_callback",
    "input_callback",
    "audit_log_callbacks",
)
_PROVIDERS: Final = "custom_provider_map"


def callbacks_off(
    data: Mapping[str, Any], environment: Mapping[str, str], known: frozenset[str] = frozenset()
) -> Iterator[Change]:
    """The changes that keep every callback from being called; `known` are further names of integrations that send.

    What is named as `module.thing` is still imported, as the start does it, but as the handler of a provider that no
    deployment has: LiteLLM calls it for nothing.
    """
    settings = data.get("litellm_settings")
    if not isinstance(settings, dict):
        return
    sent: dict[str, None] = {}
    own: dict[str, None] = {}
    senders = _SENDERS | known | _generic(data)
    changes: list[Change] = []
    for key in _LISTS:
        value = settings.get(key)
        path = ("litellm_settings", key)
        if isinstance(value, str) and key == "callbacks" and "." in _resolved(value, environment):
            own[value] = None
            changes.append(Change(path, []))
        elif isinstance(value, list):
            kept = [item for item in value if not _leaves(key, item, senders, environment, sent, own)]
            if len(kept) < len(value):
                changes.append(Change(path, kept))
    providers = settings.get(_PROVIDERS)
    if own and (providers is None or isinstance(providers, list)):
        added = [
            {"provider": f"rehearsed-callback-{number}", "custom_handler": name} for number, name in enumerate(own, 1)
        ]
        changes.append(Change(("litellm_settings", _PROVIDERS), [*(providers or ()), *added]))
    if sent:
        said = (
            f"logging callbacks ({', '.join(sent)}): they would write traces, logs and alerts; whether they can be "
            "made is not rehearsed: the audit looks for their packages"
        )
        changes.append(Change((), GONE, said))
    if own:
        said = f"callbacks of its own ({', '.join(own)}): they are imported, and called for nothing"
        changes.append(Change((), GONE, said))
    yield from changes


def _leaves(
    key: str,
    item: Any,
    senders: frozenset[str],
    environment: Mapping[str, str],
    sent: dict[str, None],
    own: dict[str, None],
) -> bool:
    if not isinstance(item, str):
        return False
    name = _resolved(item, environment)
    if "." in name and not name.startswith(ENVIRONMENT_PREFIX):
        own[item] = None
        return True
    if name.startswith("prometheus") or (key == "callbacks" and name not in senders):
        # counted within the process, and read by whoever asks for it
        return False
    sent[name] = None
    return True


def _resolved(value: str, environment: Mapping[str, str]) -> str:
    return environment.get(value.removeprefix(ENVIRONMENT_PREFIX), value) if ENVIRONMENT_PREFIX in value else value


def _generic(data: Mapping[str, Any]) -> frozenset[str]:
    """The names that `callback_settings` gives to endpoints of the operator's own."""
    settings = data.get("callback_settings")
    found = settings.items() if isinstance(settings, dict) else ()
    return frozenset(
        str(name) for name, value in found if isinstance(value, dict) and value.get("callback_type") == "generic_api"
    )
