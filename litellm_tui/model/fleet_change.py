"""A change of all members of a group, one after another, and where it stands. Records are frozen."""

from __future__ import annotations

from typing import Literal

import msgspec

FleetOrder = Literal["restart", "apply", "upgrade"]
MemberStage = Literal["waiting", "rehearsed", "its turn", "applied", "rolled back", "refused", "failed"]
"""`its turn`: it was ordered, and what came of it is not known here. `refused` is before anything was changed there."""


class MemberChange(msgspec.Struct, frozen=True):
    """One member. `text` says how it came there, in the other side's words."""

    name: str
    where: str
    stage: MemberStage = "waiting"
    text: str = ""
    took: float | None = None


class FleetChange(msgspec.Struct, frozen=True):
    """The whole change.

    `id` is its name on every host. `file` is what was applied as it was named here, `digest` the beginning of its
    SHA-256; `version` the release of an upgrade. `began_at` is in seconds since the epoch. `stopped` says why it went
    no further.
    """

    id: str
    order: FleetOrder
    group: str
    members: tuple[MemberChange, ...]
    began_at: float
    file: str = ""
    digest: str = ""
    version: str = ""
    parallel: bool = False
    rehearsal: bool = True
    backed_up: bool = False
    stopped: str = ""
    form: int = 1

    def stages(self) -> set[MemberStage]:
        """Where its members stand."""
        return {member.stage for member in self.members}

    @property
    def status(self) -> int:
        """The exit status: 0 all applied, 1 one was rolled back, or the rest was left after others were applied,
        2 nothing was changed anywhere, 3 one failed and was not rolled back, or is not known.
        """
        stages = self.stages()
        if stages & {"failed", "its turn"}:
            return 3
        if stages == {"applied"}:
            return 0
        return 1 if stages & {"rolled back", "applied"} else 2

    @property
    def is_over(self) -> bool:
        """Whether nothing is left that has to be asked for, or ended."""
        return "its turn" not in self.stages()
