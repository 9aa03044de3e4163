"""MCP servers of the file: LiteLLM makes an object of each at its start, and ends when one cannot be made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final
from urllib.parse import urlsplit

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
# litellm/constants.py, MCP_STDIO_ALLOWED_COMMANDS (1.106.2)
_PROGRAMS: Final = ("npx", "uvx", "python", "python3", "node", "docker", "deno")
_SWITCH: Final = "LITELLM_ENABLE_MCP_STDIO"
_EXTRA: Final = "LITELLM_MCP_STDIO_EXTRA_COMMANDS"
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
    if subject.runs(since="1.106"):
        yield from _taken_ids(subject, servers)
    separator = surroundings.variable(subject, "MCP_TOOL_PREFIX_SEPARATOR")
    for name, server in servers.items():
        path: Path = (_SECTION, str(name))
        text = _name_fault(name, separator)
        if text:
            yield Hit(text, path, "write the name with `_` and tell those who use its tools")
        if name == "" and subject.runs(since="1.106"):
            yield Hit("an MCP server has an empty name", path)
        if not isinstance(server, dict):
            yield Hit(f"{_SECTION}.{name} must be a mapping, and is {kind_of(server)}", path)
            continue
        yield from _server(subject, str(name), server, path)


def _taken_ids(subject: Subject, servers: Mapping[Any, Any]) -> Iterator[Hit]:
    """An id that another server has, or that is another one's name or alias (_reject_config_server_id_collision)."""
    given = {str(name): server for name, server in servers.items() if isinstance(server, dict)}
    owners: dict[str, str] = {}
    for name, server in given.items():
        alias = shapes.resolved(subject, server.get("alias"))
        for called in (name, alias):
            if isinstance(called, str) and called:
                # the first one is enough to be named; a server may take what is its own alone
                owners[called] = name if owners.get(called, name) == name else ""
    claimed: dict[str, str] = {}
    for name, server in given.items():
        own = shapes.resolved(subject, server.get("server_id"))
        if not isinstance(own, str) or not own.strip():
            continue
        own = own.strip()
        other = claimed.get(own) or (owners[own] if own in owners and owners[own] != name else None)
        if other is not None:
            whose = f"that of {other!r}" if own in claimed else f"the name or alias of {other or 'another one'!r}"
            yield Hit(f"MCP server {name!r}: server_id is {whose}", (_SECTION, name, "server_id"))
        claimed.setdefault(own, name)


@rule(
    "mcp-server-idle",
    "error",
    "An MCP server that LiteLLM starts without",
    why="LiteLLM keeps the server in its list and asks it nothing: without an address or a command there is nobody to "
    "ask, and since 1.104 programs are started only where LITELLM_ENABLE_MCP_STDIO is true. Its tools are missing, and "
    "the log alone says so.",
    source="litellm/proxy/_experimental/mcp_server/mcp_server_manager.py, load_servers_from_config; upstream.py, "
    "_stdio_config; stdio_gate.py (1.106.2)",
    fix="write the server as LiteLLM reads it, or take it out",
)
def mcp_server_idle(subject: Subject) -> Iterator[Hit | Right]:
    servers = subject.data.get(_SECTION)
    for name, server in servers.items() if isinstance(servers, dict) else ():
        if not isinstance(name, str) or not isinstance(server, dict):
            continue
        transport = shapes.resolved(subject, server.get("transport", "http"))
        path: Path = (_SECTION, name)
        if transport == "stdio":
            yield from _program(subject, name, server, path)
        elif transport in ("http", "sse") and not server.get("url") and not server.get("spec_path"):
            inner = next((key for key, value in server.items() if isinstance(value, dict) and "url" in value), None)
            how = f"take {inner!r} out: its settings belong directly below {name}" if inner else f"give {name} its url"
            yield Hit(f"MCP server {name!r} has no url: LiteLLM has nobody to ask for its tools", path, how)


def _program(subject: Subject, name: str, server: Mapping[str, Any], path: Path) -> Iterator[Hit]:
    command = shapes.resolved(subject, server.get("command"))
    if not command:
        yield Hit(f"MCP server {name!r} has no command: LiteLLM has no program to start", path, "write its command")
    if _SWITCH not in subject.catalogue.environment:
        return
    switch = surroundings.variable(subject, _SWITCH)
    if switch is UNKNOWN:
        text = f"MCP server {name!r} is a program, which LiteLLM starts only with {_SWITCH}=true set"
        yield Hit(text, path, f"set {_SWITCH}=true", severity="warning")
    elif str(switch or "").strip().lower() != "true":
        yield Hit(f"MCP server {name!r} is a program, and {_SWITCH} is not true: it is not started", path)
    more = surroundings.variable(subject, _EXTRA)
    if not isinstance(command, str) or not command or more is UNKNOWN:
        return
    base = command.rsplit("/", 1)[-1]
    short = re.sub(r"\.(?:exe|cmd|bat|com)$", "", base.lower())
    if not {base, short} & {*_PROGRAMS, *str(more or "").split(",")}:
        text = f"MCP server {name!r}: {base} is none of the programs that LiteLLM starts ({', '.join(_PROGRAMS)})"
        yield Hit(text, (*path, "command"), f"name it in {_EXTRA}")


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
    description = shapes.resolved(subject, server.get("spec_path"))
    if isinstance(description, str) and subject.runs(since="1.106") and (host := _blocked(subject, description)):
        how = f"allow it: litellm_settings.user_url_allowed_hosts: [{host!r}]"
        text = f"MCP server {name!r}: LiteLLM fetches no spec_path from {host}, an address of a private network"
        yield Hit(text, (*path, "spec_path"), how)
    for key, shape in _SHAPES.items():
        value = shapes.resolved(subject, server.get(key))
        if value is None or value is UNKNOWN or (not value and key in ("url", "command", "args", "env", "mcp_info")):
            continue
        if not fits(value, shape):
            yield Hit(f"MCP server {name!r}: {key} must be {shapes.WORDS[shape]}", (*path, key))


def _blocked(subject: Subject, address: str) -> str:
    """The host of an address that LiteLLM does not fetch (litellm_core_utils/url_utils.py, validate_url); else empty.

    A name other than localhost may be anywhere.
    """
    settings = subject.section("litellm_settings")
    if not address.startswith(("http://", "https://")) or not settings.get("user_url_validation", True):
        return ""
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").rstrip("."), parts.port or (443 if parts.scheme == "https" else 80)
        inner = host != "localhost" and _is_global(ip_address(host))
    except ValueError:
        return ""
    shown = f"[{host}]" if ":" in host else host
    listed = settings.get("user_url_allowed_hosts")
    allowed = {str(one).lower().rstrip(".") for one in (listed if isinstance(listed, list) else [])}
    return "" if inner or allowed & {shown, f"{shown}:{port}"} else shown


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_global and not address.is_multicast


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
