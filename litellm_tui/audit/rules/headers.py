"""Headers that carry a secret: the caller's own sent on, and those whose variable is not set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit.rule import Hit, rule
from litellm_tui.audit.subject import Subject
from litellm_tui.audit.surroundings import exported_variables, has_secret_manager
from litellm_tui.model.edits import Path

_ENDPOINTS: Final = "pass_through_endpoints"
# headers of a request in which LiteLLM takes its own key
_KEYS: Final = "authorization"
# a pass-through's header may have words before the variable: `Bearer os.environ/NAME`
_VARIABLE: Final = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]{0,200})$")
_OF_PARAMS: Final = ("extra_headers", "default_headers", "headers")


@rule(
    "callers-key-sent-on",
    "error",
    "A pass-through endpoint that sends the callers' keys on",
    why="With forward_headers: true LiteLLM sends the headers of the request on as they came, but those that the "
    "endpoint sets itself: the target, and who reads its log, gets the callers' keys of this gateway.",
    source="litellm/passthrough/utils.py, BasePassthroughUtils.forward_headers_from_request (1.77.7, 1.106.2)",
    fix="take forward_headers out, or give the endpoint an Authorization of its own under headers",
)
def callers_key_sent_on(subject: Subject) -> Iterator[Hit]:
    for path, item in _endpoints(subject):
        headers = item.get("headers")
        own = {str(name).lower() for name in headers} if isinstance(headers, dict) else set()
        if item.get("forward_headers") is True and _KEYS not in own:
            where = item.get("path")
            yield Hit(
                f"{str(where)[:60]} sends the caller's key for this gateway to its target", (*path, "forward_headers")
            )


@rule(
    "empty-header",
    "error",
    "A header whose value is a variable that is not set",
    why="LiteLLM takes os.environ/NAME as nothing when NAME is not set, and says so nowhere; a pass-through endpoint "
    "sends the reference itself. Who is asked refuses the request, or takes it for somebody else's.",
    source="litellm/proxy/proxy_server.py, ProxyConfig._check_for_os_environ_vars; "
    "litellm/proxy/pass_through_endpoints/pass_through_endpoints.py, set_env_variables_in_header (1.77.7, 1.106.2)",
    fix="set the variable in the environment of LiteLLM",
)
def empty_header(subject: Subject) -> Iterator[Hit]:
    if has_secret_manager(subject):
        return
    section = exported_variables(subject)
    for path, headers in _headers(subject):
        for key, value in headers.items():
            found = _VARIABLE.search(value) if isinstance(value, str) else None
            # with words before it only a pass-through endpoint takes it for a variable
            if found is None or (found.start() > 0 and path[1] != _ENDPOINTS):
                continue
            if found[1] not in section and subject.variable(found[1]) is None:
                said = f"{found[1]} is not set: the header {str(key)[:60]} is not what it is meant to be"
                yield Hit(said, (*path, str(key)))


def _endpoints(subject: Subject) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    listed = subject.section("general_settings").get(_ENDPOINTS)
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict):
            yield ("general_settings", _ENDPOINTS, index), item


def _headers(subject: Subject) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every mapping of headers that LiteLLM sends, with its path."""
    for path, item in _endpoints(subject):
        if isinstance(headers := item.get("headers"), dict):
            yield (*path, "headers"), headers
    for entry in subject.entries:
        for key in _OF_PARAMS:
            if isinstance(headers := entry.params.get(key), dict):
                yield entry.at(key), headers
    listed = subject.data.get("guardrails")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        params = item.get("litellm_params") if isinstance(item, dict) else None
        if isinstance(params, dict) and isinstance(headers := params.get("headers"), dict):
            yield ("guardrails", index, "litellm_params", "headers"), headers
    servers = subject.data.get("mcp_servers")
    for name, server in servers.items() if isinstance(servers, dict) else ():
        if isinstance(server, dict) and isinstance(headers := server.get("static_headers"), dict):
            yield ("mcp_servers", str(name), "static_headers"), headers
