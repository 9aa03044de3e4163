"""MCP servers of the file: LiteLLM makes an object of each at its start, and ends when one cannot be made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit import declared, shapes, surroundings
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.shapes import Shape, fits, kind_of
from litellm_tui.audit.subject import UNKNOWN, Subject, Unknown
from litellm_tui.model.edits import Path, SetValue

_SECTION: Final = "mcp_servers"
_LOAD: Final = (
    "litellm/proxy/_experimental/mcp_server/mcp_server_manager.py, load_servers_from_config (1.77.7, 1.106.2)"
)
_TRANSPORTS: Final = ("http", "sse", "stdio")
# of 1.77.7, and what 1.106.2 has besides
_AUTH: Final = ("none", "api_key", "bearer_token", "basic", "authorization", "oauth2")
_LATER_AUTH: Final = (
    *("aws_sigv4", "token", "oauth2_token_exchange", "oauth2_id_jag", "true_passthrough", "oauth_delegate"),
)
# what the documentation and other clients call the transports and ways to log in
_MEANT: Final = {
    "streamable-http": "http",
    "streamable_http": "http",
    "streamablehttp": "http",
    "bearer": "bearer_token",
}
_SHAPES: Final[Mapping[str, Shape]] = {
    "url": "text",
    "command": "text",
    "args": "texts",
    "env": "text map",
    "alias": "text",
    "client_id": "text",
    "client_secret": "text",
    "mcp_info": "mapping",
}
# the first release seen that has them is 1.97; 1.90 has not
_LATER: Final = "1.97"
_FLOWS: Final = ("client_credentials", "authorization_code")


@rule(
    "mcp-server-refused",
    "fatal",
    "An MCP server that ends the start",
    why="LiteLLM checks the name, the transport and the kind of each setting when it makes the server, and does not "
    "start when one of them is wrong. Its tools would be called NAME-TOOL, so a name may not hold a hyphen.",
    source=_LOAD,
    fix="write the server as LiteLLM reads it",
)
def mcp_server_refused(subject: Subject) -> Iterator[Hit | Right]:
    servers = subject.data.get(_SECTION)
    if not servers:
        return
    if not isinstance(servers, dict):
        how = "write each server as `name:` with its settings below, without `- `"
        yield Hit(f"{_SECTION} must be a mapping of names, and is {kind_of(servers)}", (_SECTION,), how)
        return
    if "litellm_settings" in subject.data and subject.data["litellm_settings"] is None:
        how = "write something below litellm_settings, or take the line out"
        yield Hit("litellm_settings is empty while there are MCP servers", ("litellm_settings",), how)
    separator = surroundings.variable(subject, "MCP_TOOL_PREFIX_SEPARATOR")
    for name, server in servers.items():
        path: Path = (_SECTION, str(name))
        text = _name_fault(name, separator)
        if text:
            yield Hit(text, path, "write the name with `_` and tell those who use its tools")
        if not isinstance(server, dict):
            yield Hit(f"{_SECTION}.{name} must be a mapping, and is {kind_of(server)}", path)
            continue
        yield from _server(subject, str(name), server, path)


def _name_fault(name: Any, separator: str | Unknown | None) -> str:
    if not isinstance(name, str):
        return f"the name {name!r} of an MCP server is {kind_of(name)}, and must be a text"
    mark = separator if isinstance(separator, str) and separator else "-"
    return f"the name of MCP server {name!r} holds {mark!r}" if mark in name else ""


def _server(subject: Subject, name: str, server: Mapping[str, Any], path: Path) -> Iterator[Hit]:
    transport = shapes.resolved(subject, server.get("transport", "http"))
    if transport is not UNKNOWN and transport not in _TRANSPORTS:
        yield _choice(f"MCP server {name!r}: transport", transport, (*path, "transport"), _TRANSPORTS)
    auth = shapes.resolved(subject, server.get("auth_type"))
    known = (*_AUTH, *_LATER_AUTH) if subject.runs(since=_LATER) else _AUTH
    if auth is not None and auth is not UNKNOWN and auth not in known:
        decided = subject.runs(since=_LATER) or subject.runs(until="1.77") or auth not in _LATER_AUTH
        if decided:
            yield _choice(f"MCP server {name!r}: auth_type", auth, (*path, "auth_type"), known)
    if auth == "oauth2" and subject.runs(since=_LATER) and server.get("oauth2_flow") not in _FLOWS:
        flow = shapes.resolved(subject, server.get("oauth2_flow"))
        if flow is not UNKNOWN and flow not in _FLOWS:
            where = (*path, "oauth2_flow") if "oauth2_flow" in server else (*path, "auth_type")
            how = "write oauth2_flow: client_credentials for a machine, authorization_code for people who sign in"
            yield Hit(f"MCP server {name!r}: auth_type oauth2 wants an oauth2_flow", where, how)
    later = declared.MCP if subject.runs(since=_LATER) else {}
    for key, spec in later.items():
        value = server.get(key)
        for where, text in () if value is None else declared.faults(subject, value, spec, (*path, key)):
            yield Hit(f"MCP server {name!r}: {'.'.join(map(str, where[2:]))} {text}", where)
    own = shapes.resolved(subject, server.get("server_id"))
    told = own is not None and own is not UNKNOWN and subject.runs(since="1.106")
    if told and not (isinstance(own, str) and own.strip()):
        yield Hit(f"MCP server {name!r}: server_id must be a text that is not empty", (*path, "server_id"))
    for key, shape in _SHAPES.items():
        value = shapes.resolved(subject, server.get(key))
        if value is None or value is UNKNOWN or (not value and key in ("url", "command", "args", "env", "mcp_info")):
            continue
        if not fits(value, shape):
            yield Hit(f"MCP server {name!r}: {key} must be {shapes.WORDS[shape]}", (*path, key))


def _choice(what: str, value: Any, path: Path, known: tuple[str, ...]) -> Hit:
    meant = _MEANT.get(value.lower(), "") if isinstance(value, str) else ""
    if not meant and isinstance(value, str) and value.strip().lower() in known:
        meant = value.strip().lower()
    if meant not in known:
        meant = ""
    said = repr(value)[:60] if isinstance(value, str) else kind_of(value)
    text = f"{what} is {said}, and must be one of {', '.join(known)}"
    if not meant:
        return Hit(text, path)
    return Hit(text, path, f"write {meant}", (SetValue(path, meant),), f"whether {meant} is what is meant")
