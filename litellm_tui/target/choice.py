"""Which of several gateways of this machine was chosen in the console: kept in the user's state folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.host import atomic
from litellm_tui.host.bounded import SMALL, read_bytes
from litellm_tui.model.discovered import DiscoveredGateway, Discovery
from litellm_tui.target.settings import NAME

# a file of a later form is not read
_FORM: Final = 1


class _Choice(msgspec.Struct, frozen=True):
    """The content of the file: the identity of the gateway, as a search gives it."""

    form: int = _FORM
    gateway: str = ""


def remembered(path: Path | None = None) -> str | None:
    """The identity of the chosen gateway; None where none was chosen, or the file cannot be read."""
    try:
        kept = msgspec.json.decode(read_bytes(path or _file(), SMALL), type=_Choice)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return kept.gateway if kept.form == _FORM and kept.gateway else None


def remember(identity: str, path: Path | None = None) -> str:
    """Keep the choice; why that failed, or an empty text."""
    file = path or _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(file, msgspec.json.encode(_Choice(gateway=identity)), durable=False)
    except OSError as error:
        return f"{file}: {error.strerror}"
    return ""


def option_for(one: DiscoveredGateway) -> str:
    """The option of the command line that means this gateway, from whatever folder it is given."""
    if one.kind == "systemd":
        return f"--unit {one.name} --{one.scope}"
    if one.kind == "docker":
        return f"--container {one.name}"
    # a service of Compose is one of its project, a Deployment one of its namespace
    name = one.identity.rpartition(" ")[2] if one.kind in ("compose", "kubernetes") else one.name
    return f"--kind {one.kind} --unit {name}"


def several(discovery: Discovery) -> str:
    """Every gateway that runs, with the option that means it."""
    return ", ".join(f"{one} [{option_for(one)}]" for one in discovery.running)


def _file() -> Path:
    from platformdirs import user_state_path

    return user_state_path(NAME) / "gateway.json"
