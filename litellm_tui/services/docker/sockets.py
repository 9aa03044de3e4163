"""The engines of this machine: at which socket each listens, and whether this user may ask it. Nothing is run."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from litellm_tui.host.bounded import SMALL, read_bytes

_USUAL: Final = "/var/run/docker.sock"
_PLUGIN_FOLDERS: Final = (
    "/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)  # fmt: skip


class EngineSocket(msgspec.Struct, frozen=True):
    """One engine. `path` is empty where `elsewhere` names one of another machine; `client` is what operates it."""

    name: str
    client: str
    path: str = ""
    elsewhere: str = ""

    @property
    def exists(self) -> bool:
        """Whether there is a socket."""
        try:
            return stat.S_ISSOCK(os.stat(self.path).st_mode)
        except PermissionError:
            # its folder is closed to this user: so is the socket
            return True
        except (OSError, ValueError):
            return False

    @property
    def may_ask(self) -> bool:
        """Whether this user may open the socket."""
        return os.access(self.path, os.R_OK | os.W_OK)

    @property
    def mend(self) -> str:
        """What lets this user ask it: the group that the socket belongs to, where it has one."""
        user = pwd.getpwuid(os.geteuid()).pw_name if _has_name(os.geteuid()) else str(os.geteuid())
        try:
            found = os.stat(self.path)
            group = grp.getgrgid(found.st_gid).gr_name
        except (OSError, KeyError):
            return "run the console with sudo"
        if found.st_mode & stat.S_IWGRP and group != "root":
            return f"sudo usermod -aG {group} {user}, then log in again; or run the console with sudo"
        return "run the console with sudo"


def engine_sockets(environ: Mapping[str, str], given: tuple[str, ...] | None = None) -> list[EngineSocket]:
    """The engine that the Docker client would use, and Podman's; each socket once, there or not."""
    if given is not None:
        return [EngineSocket("Docker", "docker", path) for path in given]
    endpoint = environ.get("DOCKER_HOST") or _context_endpoint(environ) or f"unix://{_USUAL}"
    scheme, _, path = endpoint.partition("://")
    if scheme == "unix":
        found = [EngineSocket("Docker", "docker", path)]
    else:
        found = [EngineSocket("Docker", "docker", elsewhere=f"{scheme}://{path.rpartition('@')[2]}")]
    own = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    for path in (f"{own}/podman/podman.sock", "/run/podman/podman.sock"):
        found.append(EngineSocket("Podman", "podman", path))
    known: set[str] = set()
    once = []
    for engine in found:
        # podman-docker makes Docker's socket a link to Podman's
        real = os.path.realpath(engine.path) if engine.path else engine.elsewhere
        if real not in known:
            known.add(real)
            once.append(engine)
    return once


def has_client(client: str) -> bool:
    """Whether the client of an engine is on the PATH."""
    return shutil.which(client) is not None


def has_compose(environ: Mapping[str, str]) -> bool:
    """Whether the Docker client has Compose v2, by the folders of its plugins."""
    configured = _configuration(environ)
    extra = configured.get("cliPluginsExtraDirs")
    folders = [
        str(_folder(environ) / "cli-plugins"), *(map(str, extra) if isinstance(extra, list) else ()), *_PLUGIN_FOLDERS
    ]  # fmt: skip
    return any(os.access(os.path.join(folder, "docker-compose"), os.X_OK) for folder in folders)


def _context_endpoint(environ: Mapping[str, str]) -> str:
    """The endpoint of the client's present context; empty for the default one."""
    name = environ.get("DOCKER_CONTEXT") or _configuration(environ).get("currentContext")
    if not isinstance(name, str) or name in ("", "default"):
        return ""
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = _json(_folder(environ) / "contexts" / "meta" / digest / "meta.json")
    endpoints = meta.get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    host = docker.get("Host") if isinstance(docker, dict) else None
    return host if isinstance(host, str) else ""


def _configuration(environ: Mapping[str, str]) -> dict[str, Any]:
    return _json(_folder(environ) / "config.json")


def _folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".docker"))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(read_bytes(path, SMALL))
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True
