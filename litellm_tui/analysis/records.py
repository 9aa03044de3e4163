"""What analysis makes of a snapshot. The faces show these and decide nothing themselves."""

from __future__ import annotations

from typing import Literal

import msgspec

from litellm_tui.snapshot import FileDeployment, HealthEntry, LoadedDeployment

State = Literal["serving", "degraded", "failing", "masked", "unproven", "not loaded", "not in file", "unknown"]
Severity = Literal["ok", "quiet", "warn", "bad", "unknown"]

SEVERITY: dict[State, Severity] = {
    "serving": "ok",
    "degraded": "warn",
    "masked": "warn",
    "failing": "bad",
    "unproven": "quiet",
    "not loaded": "bad",
    "not in file": "warn",
    "unknown": "unknown",
}


class Verdict(msgspec.Struct, frozen=True):
    """A state with its reason in one line, when it was last seen, and what to do about it.

    `brief` is the cause in two or three words, for where there is no room for the reason. `pending` says that nothing
    is wrong: the file was changed, and a restart brings the two together.
    """

    state: State
    reason: str = ""
    seen_at: float | None = None
    do: str = ""
    brief: str = ""
    pending: bool = False

    @property
    def severity(self) -> Severity:
        """How loud it is to be shown."""
        return "quiet" if self.pending else SEVERITY[self.state]


class Deployment(msgspec.Struct, frozen=True):
    """One row of the models pane: the file's entry, the loaded one, or both. `key` stays the same over changes."""

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


class Target(msgspec.Struct, frozen=True):
    """One step of a chain. `flaw` is `ghost` (no such group), `cycle` (leads back), `malformed`, or empty."""

    name: str
    state: State
    flaw: str = ""
    alias_of: str = ""


ChainKind = Literal["general", "context window", "content policy", "default", "alias"]


class Chain(msgspec.Struct, frozen=True):
    """Where requests of a group go next. `applied` is False when the running router has it otherwise or not at all."""

    kind: ChainKind
    source: Target
    targets: tuple[Target, ...]
    applied: bool | None = None
    note: str = ""


class Cache(msgspec.Struct, frozen=True):
    """The cache in one word, its severity, the reason, and what to do."""

    word: str
    severity: Severity
    reason: str = ""
    do: str = ""


class Part(msgspec.Struct, frozen=True):
    """One clause of the header's sentence."""

    text: str
    severity: Severity = "quiet"


class Headline(msgspec.Struct, frozen=True):
    """The header: a state in words, the clauses that say why, and the next step when there is one."""

    word: str
    severity: Severity
    parts: tuple[Part, ...] = ()
    advice: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """Everything that is thought of one snapshot at one moment."""

    headline: Headline
    deployments: tuple[Deployment, ...] = ()
    chains: tuple[Chain, ...] = ()
    cache: Cache = Cache("unknown", "unknown")
    drift: tuple[str, ...] = ()
    health_note: str = ""
