"""Orders through sudo, on a terminal that was handed over: sudo asks for the password itself."""

from __future__ import annotations

import subprocess
import sys

from litellm_tui.model.failures import Denied, Failure
from litellm_tui.model.service import Verb
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile


def helps(profile: Profile, refused: Failure | None) -> bool:
    """Whether an order that was refused may be given with sudo: to a unit of the system, where a right is missing."""
    return isinstance(refused, Denied) and driver(profile.service_target).order_by_sudo("restart") is not None


def order_with_sudo(profile: Profile, verb: Verb) -> bool:
    """Run `sudo systemctl VERB UNIT` in the foreground; whether it ended well.

    Call it only while the console is suspended. After a failure it waits for Enter, so that sudo's words can be read.
    """
    command = driver(profile.service_target).order_by_sudo(verb)
    assert command is not None
    assert profile.unit is not None
    print(f"\nsystemctl may not {verb} {profile.unit.value} for you. Running: {' '.join(command)}\n", flush=True)
    try:
        done = subprocess.run(command, check=False).returncode == 0
    except OSError as error:
        print(f"{command[0]}: {error.strerror}")
        done = False
    if not done:
        print(f"\nNo {verb} was carried out. Enter goes on.", flush=True)
        sys.stdin.readline()
    return done
