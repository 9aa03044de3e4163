"""What an order is for, in words that are the same for every user of the machine: its lock is named after them."""

from __future__ import annotations

import os

from litellm_tui.host.command import argument_vector
from litellm_tui.host.systemd_tools import runtime_environment
from litellm_tui.model.service_kinds import Compose, Custom, Process
from litellm_tui.target.profile import Profile


def operated(profile: Profile) -> str:
    """The service of this profile, whatever the address that it was found by and whoever asks."""
    unit = profile.unit.value if profile.unit else ""
    match profile.service:
        case Compose() as compose:
            return _of_compose(compose, profile, unit)
        case Process() as process:
            return _joined("process", os.path.realpath(os.path.expanduser(process.pid_file)))
        case Custom() as custom:
            return _joined(
                "custom",
                *argument_vector(custom.status),
                *argument_vector(custom.restart or custom.start or custom.status),
            )
    if not unit:
        return _joined("gateway", profile.url.value)
    # every user has a manager of his own, and it is found by this folder
    manager = runtime_environment().get("XDG_RUNTIME_DIR", str(os.getuid())) if profile.scope == "user" else "system"
    # the simulation brings a systemctl of its own
    return _joined("systemd", manager, *profile.tools.systemctl, unit)


def _of_compose(compose: Compose, profile: Profile, unit: str) -> str:
    engine = os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT") or "default"
    # what the container says is the same for everybody; without a container what the settings say must do
    labelled = profile.found_unit.fragment if profile.found_unit else ""
    named = os.path.realpath(os.path.expanduser(compose.file or compose.folder or "."))
    place = labelled or compose.project or named
    return _joined("compose", engine, place, compose.service or unit)


def _joined(*parts: str) -> str:
    # no word of a command, and no path, holds this character
    return "\0".join(parts)
