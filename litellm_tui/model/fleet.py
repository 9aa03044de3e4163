"""Several gateways: what each of them says of itself, and what became of the link to it.

Times are seconds since the epoch by this machine's clock unless a field says otherwise. Records are frozen.
"""

from __future__ import annotations

from typing import Literal

import msgspec

LinkState = Literal[
    "no ssh",
    "no such host",
    "host down",
    "host key unknown",
    "host key changed",
    "key refused",
    "slow link",
    "link lost",
    "missing program",
    "program too old",
    "program failed",
    "link failed",
]
"""What stands between this machine and a gateway's litellm-tui.

`link failed` is what ssh says in words of its own; `program failed` what litellm-tui says on the other side.
"""


class LinkFailure(msgspec.Struct, frozen=True):
    """Why nothing is told of a gateway: the state, a sentence with ssh's own words, and what to do."""

    state: LinkState
    why: str
    do: str = ""


class Member(msgspec.Struct, frozen=True):
    """One gateway of the fleet, by its profile. `ssh` is the host where it is, empty for this machine.

    Members of one `group` are to have equal configurations.
    """

    name: str
    ssh: str = ""
    group: str = ""


class ToldPart(msgspec.Struct, frozen=True):
    """One clause of the header."""

    text: str = ""
    severity: str = ""


class ToldHeadline(msgspec.Struct, frozen=True):
    """The header of the other side."""

    word: str = ""
    severity: str = ""
    parts: tuple[ToldPart, ...] = ()
    advice: str = ""


class ToldProblem(msgspec.Struct, frozen=True):
    """One problem of the other side."""

    severity: str = ""
    title: str = ""
    cause: str = ""
    reason: str = ""
    do: str = ""
    hit: str = ""
    since: float | None = None
    solved_at: float | None = None


class ToldVerdict(msgspec.Struct, frozen=True):
    """The state of a deployment there."""

    state: str = ""


class ToldDeployment(msgspec.Struct, frozen=True):
    """A deployment there."""

    group: str = ""
    model: str = ""
    verdict: ToldVerdict = ToldVerdict()


class ToldRates(msgspec.Struct, frozen=True):
    """Requests and errors a minute; None where they cannot be seen."""

    requests_per_minute: float | None = None
    failed_per_minute: float | None = None
    error_lines_per_minute: float | None = None


class ToldConfiguration(msgspec.Struct, frozen=True):
    """Digests of what the file says, whole and by section."""

    digest: str = ""
    sections: dict[str, str] = {}


class StatusDocument(msgspec.Struct, frozen=True):
    """What is read of a document of `status --json` (docs/status.md). Fields that are not known here are left out.

    `written_at` is by the other machine's clock. A `format` of 0 means that the document has none: it is of a program
    that is too old.
    """

    format: int = 0
    program: str = ""
    written_at: float = 0.0
    host: str = ""
    url: str = ""
    litellm_version: str | None = None
    exit_status: int = 3
    headline: ToldHeadline = ToldHeadline()
    rates: ToldRates = ToldRates()
    configuration: ToldConfiguration | None = None
    problems: tuple[ToldProblem, ...] = ()
    deployments: tuple[ToldDeployment, ...] = ()


class Seen(msgspec.Struct, frozen=True):
    """What is known of a member: its last document with the time it came, and what is wrong with the link now.

    Without either nothing has come yet. `round_trip` are seconds that its link takes at most to and fro.
    """

    member: Member
    document: StatusDocument | None = None
    came_at: float | None = None
    failure: LinkFailure | None = None
    failing_since: float | None = None
    round_trip: float = 0.0


class KeyValue(msgspec.Struct, frozen=True, array_like=True):
    """One value of a configuration: its text without secrets, and a digest of the whole of it for this question alone.

    Two values are equal where their digests are, whatever of them is shown.
    """

    text: str
    digest: str


class KeyDocument(msgspec.Struct, frozen=True):
    """What `diff --keys --json` prints: every value of the configuration by its dotted key."""

    format: int = 0
    keys: dict[str, KeyValue] = {}


class KeySide(msgspec.Struct, frozen=True):
    """One value of a key that differs, and the members that have it. An empty `text` means that they have none."""

    text: str
    members: tuple[str, ...]


class KeyDifference(msgspec.Struct, frozen=True):
    """A key whose values differ within a group, the value of most members first."""

    group: str
    key: str
    sides: tuple[KeySide, ...]


class FleetRow(msgspec.Struct, frozen=True):
    """One gateway as the fleet shows it. `status` is as the exit status of `status`: 3 is the worst.

    `errors_per_minute` are failed requests, or lines of errors where no request is seen. `differs` says in words how it
    differs from the others. `why` and `do` are of the link where `state` is one of its states.
    """

    name: str
    where: str
    group: str
    status: int
    state: str
    sentence: str
    problems: int | None = None
    errors_per_minute: float | None = None
    version: str = ""
    digest: str = ""
    age: float | None = None
    differs: tuple[str, ...] = ()
    do: str = ""
    known: bool = True
    """Whether anything has been told of it yet, be it that it cannot be reached."""


class Fleet(msgspec.Struct, frozen=True):
    """All rows, worst first, and what differs across them, in sentences."""

    rows: tuple[FleetRow, ...]
    differences: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The worst of them; a difference is a warning."""
        return max([row.status for row in self.rows] + [1 if self.differences else 0])
