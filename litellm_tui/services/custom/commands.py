"""The state of a service that only the profile's own commands know."""

from __future__ import annotations

from typing import Final

from litellm_tui.host.command import argument_vector, run
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Custom
from litellm_tui.services.process import pid_file

STATUS_SECONDS: Final = 10.0
# the exit statuses of LSB init scripts, `systemctl is-active` and most scripts: 0 runs, 3 does not run, 4 unknown
_STATES: Final = {
    0: ("loaded", "active", "running"),
    3: ("loaded", "inactive", "dead"),
    4: ("not-found", "inactive", "dead"),
}
# the exit statuses of a shell and of `env` for a command that cannot be run
_NOT_RUN: Final = (126, 127)


async def look(custom: Custom, name: str) -> Service | Failure:
    """The state by the `status` command; details stay unknown unless there is a PID file."""
    command = argument_vector(custom.status)
    done = await run(command, STATUS_SECONDS)
    if isinstance(done, Failure):
        mend = "mend custom.status in the profile"
        return NotAvailable(f"{done.why}: {mend}") if isinstance(done, NotAvailable) else done
    if done.status in _NOT_RUN:
        return NotAvailable(
            f"custom.status could not be run ({done.first_error or done.status}): mend it in the profile"
        )
    load, active, sub = _STATES.get(done.status, ("loaded", "failed", "failed"))
    note = ""
    if active == "active" and custom.pid_file:
        seen = pid_file.find(custom.pid_file)
        if not isinstance(seen, Failure) and seen.pid:
            return pid_file.running(name, "custom", seen, custom.pid_file)
        note = f"its process is not known: {seen.why}"
    if active == "failed":
        said = next((line.strip() for line in done.output.splitlines() if line.strip()), "") or done.first_error
        note = f"{command[0]} ended with {done.status}" + (f": {said}" if said else "")
    return Service(name, "custom", load, active, sub, note=note)
