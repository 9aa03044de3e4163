"""Orders through sudo, on a terminal that was handed over: sudo asks for the password itself."""

from __future__ import annotations

import subprocess
import sys

from litellm_tui.model.failures import Denied, Failure
from litellm_tui.model.service import Verb
from litellm_tui.services.capabilities import ReadsAnew
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile


def helps(profile: Profile, refused: Failure | None) -> bool:
    """Whether an order that was refused may be given with sudo: to a unit of the system, where a right is missing."""
    return isinstance(refused, Denied) and driver(profile.service_target).order_by_sudo("restart") is not None


def order_with_sudo(profile: Profile, verb: Verb) -> bool:
    """Run `sudo systemctl VERB UNIT` in the foreground; whether it ended well.

    Where systemd has to read changed files first, that is ordered before it. Call it only while the console is
    suspended. After a failure it waits for Enter, so that sudo's words can be read.
    """
    of_kind = driver(profile.service_target)
    command = of_kind.order_by_sudo(verb)
    assert command is not None
    assert profile.unit is not None
    before = of_kind.reload_by_sudo(verb) if isinstance(of_kind, ReadsAnew) else None
    commands = [command] if before is None else [before, command]
    shown = ", then ".join(map(" ".join, commands))
    print(f"\nsystemctl may not {verb} {profile.unit.value} for you. Running: {shown}\n", flush=True)
    done = all(map(_ends_well, commands))
    if not done:
        print(f"\nNo {verb} was carried out. Enter goes on.", flush=True)
        sys.stdin.readline()
    return done


def _ends_well(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False).returncode == 0
    except OSError as error:
        print(f"{command[0]}: {error.strerror}")
        return False
