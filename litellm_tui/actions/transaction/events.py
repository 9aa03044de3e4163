"""What a transaction tells while it runs, and what it needs to see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from litellm_tui.analysis.change.proof import ProofCheck
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.failures import Failure
from litellm_tui.model.rehearsal import Rehearsal
from litellm_tui.model.snapshot import Snapshot

StepName = Literal[
    "install",
    "audit",
    "rehearsal",
    "preflight",
    "backup",
    "write",
    "exchange",
    "restart",
    "proof",
    "restore",
    "restart again",
    "proof again",
]
FORTH: Final[tuple[StepName, ...]] = ("preflight", "rehearsal", "backup", "restart", "proof")
BACK: Final[tuple[StepName, ...]] = ("restore", "restart again", "proof again")

Result = Literal["applied", "rolled back", "refused", "failed"]
STATUS: Final[dict[Result, int]] = {"applied": 0, "rolled back": 1, "refused": 2, "failed": 3}


class Step(msgspec.Struct, frozen=True):
    """A step that has begun (`took` is None), goes on with other words, or has ended after `took` seconds.

    `notes` are what a preflight has against it, or wants to be known, each in words; `checks` are those of a proof.
    """

    name: StepName
    took: float | None = None
    detail: str = ""
    ok: bool = True
    notes: tuple[str, ...] = ()
    checks: tuple[ProofCheck, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """How it ended; always the last event.

    `refused` is before anything was changed, `failed` leaves the new configuration on the disk. `took` and `downtime`
    are seconds; the downtime is None where it was not measured. `log` is what the service wrote when it failed.
    `rejected` is the number of the backup that holds what was rejected. With `needs_rights` the order was refused to
    this user. `rehearsal` is what was rehearsed before, where that was done.
    """

    result: Result
    text: str
    took: float
    cause: str = ""
    downtime: float | None = None
    rejected: int | None = None
    log: tuple[str, ...] = ()
    needs_rights: bool = False
    rehearsal: Rehearsal | None = None


Event = Step | Outcome


class Seen(NamedTuple):
    """What is known at `now`."""

    snapshot: Snapshot
    diagnosis: Diagnosis
    now: float


class GatewayObserver(Protocol):
    """Somebody who looks at the gateway all the time: the console's monitor, or one of the command's own."""

    def seen(self) -> Seen | None:
        """What was seen last."""
        ...

    def look_now(self) -> None:
        """Look at everything again, without waiting."""
        ...

    async def probe(self, groups: Sequence[str]) -> None:
        """Ask these groups, a real request to each deployment; it shows in what is seen from then on."""
        ...

    async def log_since(self, moment: float) -> tuple[str, ...]:
        """The last records that the service wrote since then, without secrets; sixty tell the cause of most ends.

        Its log is read for it: of a container that is about to be replaced, nothing can be read later.
        """
        ...


Order = Callable[[], Awaitable[Failure | None]]
"""Restarts the service; `Denied` when that was refused to this user and nothing was changed."""
