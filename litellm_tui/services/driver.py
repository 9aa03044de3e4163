"""The protocol of a driver: everything that the console reads and orders of a service of any kind."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from litellm_tui.host import proc
from litellm_tui.logs.entry import HISTORY, Entries, Entry, Prepare, States, unprepared
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Exit, Obstacle, Service, ServicePlace, Unit, Verb
from litellm_tui.model.service_kinds import Tools


class Tail(Protocol):
    """Follows one log."""

    async def run(self) -> None:
        """Follow the log until cancelled."""
        ...

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        """At most `count` lines older than this one, oldest first."""
        ...


class Wording(NamedTuple):
    """The operators' words for this kind of service.

    `command_line` is put before the name of what holds the command line. `log` names the log, `environment_file` the
    setting for a file of variables. `stays_stopped` says that nothing starts a stopped service by itself.
    """

    command_line: str = "the command line of"
    log: str = ""
    environment_file: str = ""
    stays_stopped: str = ""


class Description(NamedTuple):
    """What seldom changes of a service. Where its exits are not known, `exits` is the reason.

    `exits_since` says how far back they are known. `policy` holds the service's settings by their own names, `files`
    the paths of the files that define it, `mounts` what a container sees of this machine, each as a line. `sections`
    are further headings, each with its lines.
    """

    exits: tuple[Exit, ...] | Failure
    policy: dict[str, str]
    files: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    exits_since: str = "the journal begins"
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Driver(Protocol):
    """One service of one kind.

    `place` is shown in parentheses after its name. `unknown` names what this kind of service cannot tell.
    """

    place: ServicePlace
    wording: Wording
    unknown: tuple[str, ...]

    @property
    def log_source(self) -> str:
        """The command or file by which an operator reads the log; empty where none is known."""
        ...

    @property
    def operated(self) -> tuple[str, ...]:
        """The identity of the service on this machine, for the name of its lock; empty where no service is known.

        It is the same for every user and for every address of the gateway.
        """
        ...

    async def look(self) -> Service | Failure:
        """The state of the service now. One that does not exist is `not-found`; a `Failure` says nothing about it."""
        ...

    def unchanged(self, service: Service) -> bool:
        """Whether nothing has visibly changed since this look, as far as that can be told at no cost and at once.

        False where it cannot be told so: then only a `look` tells.
        """
        ...

    def tail(
        self, on_entries: Entries, on_state: States, prepare: Prepare = unprepared, lines: int = HISTORY
    ) -> Tail | Failure:
        """A `Tail` that starts with the last `lines` lines; a `Failure` where there is no log.

        The reading thread calls `prepare` on the lines.
        """
        ...

    async def order(self, verb: Verb) -> Failure | None:
        """Give the order and wait until it is carried out; None when it was.

        `Denied` means that a right is missing and nothing was changed. Starting a running service and stopping a
        stopped one are no errors. Cancelling ends the wait; systemd or Docker completes what was begun.
        """
        ...

    def order_by_sudo(self, verb: Verb) -> list[str] | None:
        """The command that gives the order through sudo, to be run in a terminal; None where sudo does not help."""
        ...

    def next_start(self) -> Unit | None:
        """The service as its next start will find it; None where that is unknown."""
        ...

    def obstacles(self) -> tuple[Obstacle, ...]:
        """What the next start would fail on, as far as it can be told. Runs tools and reads files."""
        ...

    async def describe(self, service: Service | None) -> Description:
        """What seldom changes of the service. `service` is its state at the last look."""
        ...


def defining_files(service: Service | None) -> tuple[str, ...]:
    """The files that define the service, from its state at the last look."""
    return tuple(path for path in (service.fragment.split(",") if service else ()) if path)


def on_this_machine(found: Service | Failure, tools: Tools) -> Service | Failure:
    """The service with the time when this machine was started; a `Failure` stays as it is."""
    if isinstance(found, Failure):
        return found
    return msgspec.structs.replace(found, booted_at=proc.booted_at() if tools.booted_at is None else tools.booted_at)
