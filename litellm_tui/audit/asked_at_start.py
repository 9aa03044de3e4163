"""What a start asks that is not in the file: files that are opened, and servers that must answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from litellm_tui.audit.subject import reference
from litellm_tui.model.edits import Path

_MOST_NODES: Final = 20
_GUARDRAIL_FILES: Final[Mapping[str, str]] = {
    "presidio": "presidio_ad_hoc_recognizers",
    "litellm_content_filter": "blocked_words_file",
}
_REMOTE: Final = re.compile(r"https?://")


def opened_files(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The files that LiteLLM opens at its start, without which it does not: the value of each with its path.

    The OpenAPI description of an MCP server (mcp_server_manager.py, _register_openapi_tools), Presidio's own
    recognizers (guardrail_hooks/presidio.py) and the words of the content filter (litellm_content_filter). A
    description behind a URL is none.
    """
    servers = data.get("mcp_servers")
    for name, server in servers.items() if isinstance(servers, dict) else ():
        value = server.get("spec_path") if isinstance(server, dict) else None
        if isinstance(value, str) and value and not _REMOTE.match(value):
            yield ("mcp_servers", str(name), "spec_path"), value
    listed = data.get("guardrails")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        params = item.get("litellm_params") if isinstance(item, dict) else None
        key = _GUARDRAIL_FILES.get(str(params.get("guardrail"))) if isinstance(params, dict) else None
        value = params.get(key) if isinstance(params, dict) and key else None
        if key and isinstance(value, str) and value:
            yield ("guardrails", index, "litellm_params", key), value


def asked_servers(data: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """The host and port of each server of which one must answer, or LiteLLM does not start; none where not known.

    A cluster of Redis (litellm/_redis.py, init_redis_cluster) and Qdrant (qdrant_semantic_cache.py, __init__).
    """
    settings = data.get("litellm_settings")
    params = settings.get("cache_params") if isinstance(settings, dict) and settings.get("cache") is True else None
    if not isinstance(params, dict):
        return ()
    if _value(params.get("type"), environment) == "qdrant-semantic":
        address = _value(params.get("qdrant_api_base"), environment) or environment.get("QDRANT_URL")
        found = _of_url(address or environment.get("QDRANT_API_BASE"))
        return (found,) if found else ()
    nodes = _value(params.get("redis_startup_nodes"), environment)
    if isinstance(nodes, str):
        # a text is read as JSON
        try:
            nodes = json.loads(nodes)
        except ValueError:
            return ()
    if _value(params.get("type"), environment) != "redis" or not isinstance(nodes, list):
        return ()
    places = [_of_node(node, environment) for node in nodes[:_MOST_NODES]]
    known = tuple(place for place in places if place is not None)
    # one that cannot be told may answer
    return known if len(known) == len(nodes) else ()


def _of_node(node: Any, environment: Mapping[str, str]) -> tuple[str, int] | None:
    if not isinstance(node, dict):
        return None
    host, port = (_value(node.get(key), environment) for key in ("host", "port"))
    whole = port if isinstance(port, int) else int(port) if isinstance(port, str) and port.isdecimal() else 0
    return (host, whole) if isinstance(host, str) and host and 0 < whole < 65536 else None


def _of_url(address: Any) -> tuple[str, int] | None:
    if not isinstance(address, str) or not _REMOTE.match(address):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


def _value(value: Any, environment: Mapping[str, str]) -> Any:
    name = reference(value)
    return environment.get(name) if name else value
