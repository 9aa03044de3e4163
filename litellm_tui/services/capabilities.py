"""What a driver may be able to do beyond the protocol that all of them have."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from litellm_tui.model.failures import Failure
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service import Service, Variable, Verb
from litellm_tui.model.service_drift import ServiceDrift
from litellm_tui.model.service_words import ServiceWords


@runtime_checkable
class ShowsDrift(Protocol):
    """Compares what runs with what is written for it."""

    def written_in(self) -> tuple[str, ...]:
        """The files that say how it is run; when one changes, the comparison is made anew. Reads files."""
        ...

    async def drift(self, service: Service) -> ServiceDrift | Failure:
        """What differs now. `service` is its state at the last look. Runs tools and reads files."""
        ...


@runtime_checkable
class CostlyLooks(Protocol):
    """Is looked at by commands that cost so much that it is done less often than elsewhere."""

    @property
    def look_seconds(self) -> float:
        """From one look to the next while nothing seems to change; a quarter of it while something does."""
        ...


@runtime_checkable
class ChangesUnwritten(Protocol):
    """Has a comparison that costs much, and can tell cheaply whether it would come to something else.

    What changes with no file, process or container of its own changed is the image that a name means.
    """

    async def image_now(self, drift: ServiceDrift) -> str | None:
        """The id of the image that is written for it, empty where there is none; None where that cannot be told."""
        ...


@runtime_checkable
class Recreates(Protocol):
    """Recreates the container from what is written, and brings back the one before."""

    async def recreate(self) -> Failure | None:
        """Recreate it and start it; None when it was. After a `Failure` the old one may be gone."""
        ...

    async def definition(self) -> bytes | Failure:
        """All that the container now is made of, for `bring_back`. It holds secrets."""
        ...

    async def bring_back(self, definition: bytes) -> Failure | None:
        """Put a container of this definition, with the very same image, in the place of the one that is there."""
        ...


@runtime_checkable
class RestartsByRecreating(Recreates, Protocol):
    """Has no restart but to make everything anew: what was there before is kept by whatever runs it."""

    def restarts_by_recreating(self) -> None:
        """Says so by being there."""
        ...


@runtime_checkable
class ReadsAnew(Protocol):
    """Has what keeps the service read its changed files before it starts it."""

    def reload_by_sudo(self, verb: Verb) -> list[str] | None:
        """The command that does so through sudo, where this order needs it; None where not. Runs a tool, and blocks."""
        ...


@runtime_checkable
class Speaks(Protocol):
    """Has its own words for where its environment is written."""

    @property
    def words(self) -> ServiceWords: ...


@runtime_checkable
class Rehearses(Protocol):
    """Starts a gateway beside the running one: a derived configuration on a spare port.

    What is started is what the service would start: the same program or image, user, working directory, variables and
    limits. It differs in what the order says (configuration, address 127.0.0.1 and port, changed variables, program),
    has a name of its own, and is never started again by itself.
    """

    async def rehearsal_user(self) -> tuple[int, int] | Failure:
        """The user and the group that the service runs as, who must be able to read the derived files.

        A `Failure` says why this service cannot be rehearsed at all, before anything is written or started. Runs tools
        and reads files.
        """
        ...

    def rehearse(self, order: RehearsalOrder) -> AbstractAsyncContextManager[RehearsalRun | Failure]:
        """Start it as long as this is entered; a `Failure` when it could not be started, and then nothing is left.

        Leaving it, in whatever way, ends everything that was started, with its children, and waits until it is gone.
        Where the console is killed (SIGKILL), the keeper of `services.rehearsal.kept` does that in its place: it holds
        the other end of a pipe, and ends what was started when the pipe closes or the order's time is over. It deletes
        the order's folder too.
        """
        ...


@runtime_checkable
class TellsVariables(Protocol):
    """Rehearses with other variables than its running process shows: those of a definition, or that a script sets."""

    async def rehearsal_variables(self) -> Mapping[str, Variable] | Failure:
        """All variables that a rehearsal would have, before what does harm is changed. Runs tools and reads files."""
        ...
