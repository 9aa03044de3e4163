"""The results of analysing a snapshot. Screens and commands show these and decide nothing themselves."""

from __future__ import annotations

from typing import Literal

import msgspec

from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.configuration import FileDeployment
from litellm_tui.model.gateway import HealthEntry, LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.traffic import FailedOnce, Minute, Step

State = Literal[
    "serving",
    "degraded",
    "failing",
    "cooling down",
    "masked",
    "idle",
    "unproven",
    "not loaded",
    "not in file",
    "expected down",
    "unknown",
]
Severity = Literal["ok", "quiet", "warn", "bad", "unknown"]

SEVERITY: dict[State, Severity] = {
    "serving": "ok",
    "degraded": "warn",
    "failing": "bad",
    "cooling down": "warn",
    "masked": "warn",
    "idle": "quiet",
    "unproven": "quiet",
    "not loaded": "bad",
    "not in file": "warn",
    "expected down": "quiet",
    "unknown": "unknown",
}

EvidenceKind = Literal["file", "router", "listed", "health report", "traffic", "probe", "cooldown", "operator", "unit"]


class Evidence(msgspec.Struct, frozen=True):
    """One piece of evidence for or against a subject; `seen_at` is None for what has no time."""

    kind: EvidenceKind
    text: str
    speaks: Literal["for", "against", "neither"] = "neither"
    seen_at: float | None = None


class Verdict(msgspec.Struct, frozen=True):
    """A state with its reason in one line, its onset, the time of its evidence, and what to do about it.

    Deployments and groups use the values of `State`; gateway, service, cache and database have their own. `brief` is
    the cause in two or three words. `contradiction` names evidence for the opposite, and why it does not count.
    `pending` means that nothing is wrong: the file has changed, and a restart applies it.
    """

    state: str
    severity: Severity
    reason: str = ""
    seen_at: float | None = None
    do: str = ""
    brief: str = ""
    since: float | None = None
    contradiction: str = ""
    pending: bool = False
    evidence: tuple[Evidence, ...] = ()


class Deployment(msgspec.Struct, frozen=True):
    """One row of the models pane: the file's entry, the loaded one, or both. `key` stays the same over changes.

    `ok` and `failed` count real requests in the traffic window, None where they cannot be seen; `steps` are the same
    by `traffic.STEP` seconds, `hour` by minutes of the last hour; `errors` are its last three. `findings` are the
    audit's findings about the entry in the file.
    """

    key: str
    group: str
    model: str
    verdict: Verdict
    api_base: str | None = None
    listed: bool | None = None
    rpm: int | None = None
    tpm: int | None = None
    differences: tuple[str, ...] = ()
    file: FileDeployment | None = None
    loaded: LoadedDeployment | None = None
    health: HealthEntry | None = None
    probe: ProbeResult | None = None
    ok: int | None = None
    failed: int | None = None
    steps: tuple[Step, ...] = ()
    hour: tuple[Minute, ...] = ()
    errors: tuple[FailedOnce, ...] = ()
    findings: tuple[Finding, ...] = ()


class Group(msgspec.Struct, frozen=True):
    """A model group as its callers see it, with its aliases; `served_by` is the fallback that answers in its place.

    `in_place` says who answers for each of its names while it is dead, in words that every face shows; empty while it
    is not. `unserved` are those of its names whose callers are seen to fail meanwhile, whatever its fallbacks are.
    """

    name: str
    verdict: Verdict
    aliases: tuple[str, ...] = ()
    served_by: str = ""
    in_place: str = ""
    unserved: tuple[str, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """One step of a chain. `flaw` is `ghost` (no such group), `cycle` (leads back), `malformed`, or empty."""

    name: str
    state: State
    flaw: str = ""
    alias_of: str = ""


ChainKind = Literal["general", "context window", "content policy", "default", "alias"]


class Chain(msgspec.Struct, frozen=True):
    """The targets of a group's requests after failures. `applied` is False when the router runs another chain."""

    kind: ChainKind
    source: Target
    targets: tuple[Target, ...]
    applied: bool | None = None
    note: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def key(self) -> str:
        """The identity of the chain; it does not depend on its position."""
        return f"{self.kind}:{self.source.name}"


PlaceKind = Literal[
    "gateway",
    "service",
    "configuration",
    "audit",
    "cache",
    "database",
    "deployment",
    "group",
    "alias",
    "chain",
    "log",
    "reading",
]


class Place(msgspec.Struct, frozen=True):
    """The subject of a problem; `key` is the key of the row concerned, empty where the pane has only one subject.

    For kind `reading`, `key` is the source that the console cannot read.
    """

    kind: PlaceKind
    key: str = ""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong. `key` stays the same while it lasts; `hit` says who is affected.

    `since` is the onset as far as it is known. `new` marks a problem that the operator has not seen, `solved_at` one
    that has ended. Severity `quiet` is a note: nothing fails because of it. `state` is that of a cache or a database,
    where each state is a trouble of its own.
    """

    key: str
    severity: Severity
    title: str
    cause: str
    reason: str
    place: Place
    do: str = ""
    hit: str = ""
    since: float | None = None
    new: bool = False
    solved_at: float | None = None
    state: str = ""


class Looked(msgspec.Struct, frozen=True):
    """One source of the snapshot: what it gave, and when."""

    what: str
    text: str
    seen_at: float | None = None


class BlindSpot(msgspec.Struct, frozen=True):
    """Something that cannot be seen here, and the setting or permission that would show it."""

    what: str
    mend: str


class Part(msgspec.Struct, frozen=True):
    """One clause of the header's sentence."""

    text: str
    severity: Severity = "quiet"


class Headline(msgspec.Struct, frozen=True):
    """The header: the state in a word, the clauses that explain it, and the next step if there is one."""

    word: str
    severity: Severity
    parts: tuple[Part, ...] = ()
    advice: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """All conclusions from one snapshot at one moment. `problems` are sorted worst first, the solved ones last.

    `audit` is the audit of the file on disk, None while there is none.
    """

    headline: Headline
    gateway: Verdict
    service: Verdict
    cache: Verdict
    deployments: tuple[Deployment, ...] = ()
    groups: tuple[Group, ...] = ()
    chains: tuple[Chain, ...] = ()
    problems: tuple[Problem, ...] = ()
    looked: tuple[Looked, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    drift: tuple[str, ...] = ()
    health_note: str = ""
    audit: Audit | None = None
    database: Verdict = Verdict("unknown", "quiet")
