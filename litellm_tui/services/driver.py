"""The protocol of a driver: everything that the console asks and orders of a service, whatever kind it is."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from litellm_tui.host import proc
from litellm_tui.logs.entry import HISTORY, Entries, Entry, Ready, States, as_they_are
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Exit, Service, ServicePlace, Unit, Verb
from litellm_tui.model.service_kinds import Tools


class Tail(Protocol):
    """What follows a log: runs until it is cancelled."""

    async def run(self) -> None:
        """Follow for ever."""
        ...

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        """At most `count` lines older than this one, oldest first; none when there are none."""
        ...


class Wording(NamedTuple):
    """What operators of this kind of service say.

    `command_line` introduces the place where the command line stands, `log` names the log, `environment_file` the
    setting that names a file of variables. `stays_stopped` says that nothing starts a stopped service by itself.
    """

    command_line: str = "the command line of"
    log: str = ""
    environment_file: str = ""
    stays_stopped: str = ""


class Description(NamedTuple):
    """What does not change from one second to the next. `exits` is why there are none, where they are not known.

    `policy` holds settings of the service by their names there, `files` the paths of the files that define it.
    """

    exits: tuple[Exit, ...] | Failure
    policy: dict[str, str]
    files: tuple[str, ...] = ()


class Driver(Protocol):
    """One service of one kind.

    `place` stands in parentheses behind its name. `log_source` is how its log is read by hand, empty where none is
    known. `unknown` names what this kind of service cannot tell.
    """

    place: ServicePlace
    wording: Wording
    unknown: tuple[str, ...]

    @property
    def log_source(self) -> str:
        """How the log is read by hand; empty where none is known."""
        ...

    @property
    def operated(self) -> tuple[str, ...]:
        """What an order is for, in words that are the same for every user of the machine, whatever the address that
        it was found by; empty where no service is known. Its lock is named after them.
        """
        ...

    async def look(self) -> Service | Failure:
        """One look. A service that is not there is a `Service` that is `not-found`; a `Failure` tells nothing of it."""
        ...

    def unchanged(self, service: Service) -> bool:
        """Whether nothing has visibly changed since this look, as far as that can be told at no cost and at once.

        False where it cannot be told so: then only a `look` tells.
        """
        ...

    def tail(
        self, on_entries: Entries, on_state: States, ready: Ready = as_they_are, lines: int = HISTORY
    ) -> Tail | Failure:
        """What follows the service's log, from the last so many `lines` on; why there is none.

        `ready` is applied to the lines in the thread that reads.
        """
        ...

    async def order(self, verb: Verb) -> Failure | None:
        """Give the order and wait until it is carried out; None when it was.

        `Denied` when a right is missing and nothing was changed. Starting what runs and stopping what does not are no
        errors. A cancelled order no longer waits; what was begun goes on where systemd or Docker does it.
        """
        ...

    def order_by_sudo(self, verb: Verb) -> list[str] | None:
        """The command that gives the order through sudo, for a terminal that sudo may ask on; None where it is no
        help."""
        ...

    def next_start(self) -> Unit | None:
        """The service as its next start will find it; None where that cannot be told."""
        ...

    async def describe(self, service: Service | None) -> Description:
        """All that does not change from one second to the next. `service` is what was seen last."""
        ...


def defining_files(service: Service | None) -> tuple[str, ...]:
    """The files that define the service, as its last look named them."""
    return tuple(path for path in (service.fragment.split(",") if service else ()) if path)


def on_this_machine(found: Service | Failure, tools: Tools) -> Service | Failure:
    """A service that runs on this machine, with the time at which the machine was started."""
    if isinstance(found, Failure):
        return found
    return msgspec.structs.replace(found, booted_at=proc.booted_at() if tools.booted_at is None else tools.booted_at)
