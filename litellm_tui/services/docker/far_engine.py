"""What differs where the engine is on another machine: its published ports are there, and the sources of its mounts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from litellm_tui.analysis.addresses import is_this_machine
from litellm_tui.host import address
from litellm_tui.model.found import Missing
from litellm_tui.model.service import Unit
from litellm_tui.services.docker.docker_cli import Container
from litellm_tui.services.docker.sockets import engine_sockets


def engine_host(client: str, environ: Mapping[str, str]) -> str:
    """The host of the engine that this client uses; empty where that is this machine, or cannot be told."""
    if os.path.basename(client) != "docker":
        return ""
    there = engine_sockets(environ)[0].elsewhere
    try:
        host = urlsplit(there).hostname or ""
    except ValueError:
        return ""
    return "" if not host or is_this_machine(host) else host


def as_seen_from_here(unit: Unit, host: str) -> Unit:
    """A unit of a container on the machine `host`: no file of it is on this machine. Without `host` it stays as it is.

    A path that is mounted there may exist here as well, and is another file.
    """
    if not host:
        return unit
    url = unit.url
    if address.is_local(url):
        named = urlsplit(url)
        shown = f"[{host}]" if ":" in host else host
        url = f"{named.scheme}://{shown}:{address.port_of(url)}{named.path}"
    return msgspec.structs.replace(unit, url=url, config=None, root="")


def out_of_reach(container: Container, unit: Unit, host: str) -> tuple[Missing, ...]:
    """That its port is open on that machine alone."""
    bindings = [b for found in (container.network_settings.ports or {}).values() for b in found or () if b.host_port]
    if not host or not bindings or not all(is_this_machine(b.host_ip) for b in bindings if b.host_ip):
        return ()
    if any(b.host_ip in ("", "0.0.0.0", "::") for b in bindings):
        return ()
    port = address.port_of(unit.url)
    why = f"its port is published on {host} itself alone, and not to other machines"
    mend = f"ssh -L {port}:127.0.0.1:{port} {host}, and --url http://127.0.0.1:{port}"
    return (Missing("gateway", why, mend),)
