"""The values of Helm charts that run LiteLLM: its own two charts, and charts of others as far as names agree.

From the charts' templates in LiteLLM's repository: helm/litellm-helm (deploy/charts before) with `proxy_config` at the
top, and helm/litellm with `gateway.config.proxy_config`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from litellm_tui.collectors.config.deployed_asking import asked_by_probes, lines_of
from litellm_tui.collectors.config.manifest_values import mapping, text_of, whole
from litellm_tui.collectors.config.named_config import words
from litellm_tui.model.embedded import Deployed, Piece, Withheld

_DATABASE: Final = ("DATABASE_URL", "DATABASE_HOST", "DATABASE_NAME", "DATABASE_USERNAME", "DATABASE_PASSWORD")
_REDIS: Final = ("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_CLUSTER_NODES")
_SECRETS: Final = ("environmentSecrets", "envSecrets", "environmentConfigMaps", "envConfigMaps")
_LISTS: Final = ("extraEnvVars", "extraEnv", "env", "envVars", "extraEnvs")


def read(value: dict[Any, Any], text: str) -> Deployed:
    """What the values say of the gateway's pods. Other files of values may add to them, and so may `--set`."""
    own = _own(value)
    known, names = _variables(own, mapping(value.get("global")))
    names |= {"PROXY_MASTER_KEY", "LITELLM_MASTER_KEY", *_DATABASE, *_REDIS}
    scaled = next((mapping(own.get(key)) for key in ("autoscaling", "hpa", "keda") if _on(own.get(key))), None)
    workers = whole(own.get("numWorkers"), None)
    arguments = ["litellm", *words(own.get("args"))]
    if workers:
        arguments += ["--num_workers", str(workers)]
    image = mapping(own.get("image"))
    tag = text_of(image.get("tag"))
    what = "the chart's gateway"
    sources = [str(name) for key in _SECRETS for name in _list(own.get(key))]
    return Deployed(
        what,
        tuple(arguments),
        whole(scaled.get("minReplicas"), 1) if scaled else whole(own.get("replicaCount", own.get("replicas")), 1),
        whole(scaled.get("maxReplicas"), None) if scaled else None,
        known,
        Withheld(frozenset(names), others=True),
        f"{text_of(image.get('repository')) or 'litellm'}:{tag}" if tag else "",
        tuple(sources),
        lines_of(asked_by_probes(own, what), text),
    )


def _own(value: dict[Any, Any]) -> dict[Any, Any]:
    """The values of the gateway itself: a chart that has LiteLLM's as a part holds them under its name."""
    for key in ("litellm", "litellm-helm", "litellm-proxy", "gateway"):
        inner = mapping(value.get(key))
        if inner.keys() & {"proxy_config", "replicaCount", "image", "gateway", "config", "numWorkers"}:
            return _own(inner) if key != "gateway" else inner
    return value


def _variables(own: dict[Any, Any], shared: dict[Any, Any]) -> tuple[dict[str, str], set[str]]:
    known: dict[str, str] = {}
    names: set[str] = set()
    for holder in (shared, own):
        for key in _LISTS:
            given = holder.get(key)
            pairs = given.items() if isinstance(given, dict) else ((i.get("name"), i) for i in _mappings(given))
            for name, item in pairs:
                found = item.get("value") if isinstance(item, dict) else item
                if not isinstance(name, str):
                    continue
                if isinstance(found, str | int | float) and "$(" not in str(found) and "{{" not in str(found):
                    known[name] = text_of(found)
                else:
                    names.add(name)
    return known, names


def defaults(piece: Piece) -> dict[str, dict[str, str]]:
    """What Helm merges into `proxy_config` of LiteLLM's chart from the chart's own values: its master key."""
    if piece.inside[-1:] != ("proxy_config",) or "gateway" in piece.inside:
        return {}
    return {"general_settings": {"master_key": "os.environ/PROXY_MASTER_KEY"}}


def remarks(value: Any) -> Iterator[str]:
    """What of the values makes that the configuration in them is not used."""
    for holder, key, label in (
        (mapping(value), "proxyConfigMap", "proxyConfigMap.create"),
        (mapping(mapping(value).get("gateway")), "config", "gateway.config.create"),
    ):
        if mapping(holder.get(key)).get("create") is False:
            yield f"{label} is false: the chart uses an existing ConfigMap, not the proxy_config that stands here"


def _on(value: Any) -> bool:
    return mapping(value).get("enabled") is True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: Any) -> list[dict[Any, Any]]:
    return [item for item in _list(value) if isinstance(item, dict)]
