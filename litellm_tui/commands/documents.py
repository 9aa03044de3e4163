"""The JSON documents of commands as records: docs/schema/ is made from them, and tests hold real output against them.

A reader ignores fields that it does not know: new ones come without a new `format`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from litellm_tui.analysis.health.phases import Phase
from litellm_tui.model.database import PostgresAnswer
from litellm_tui.model.diagnosis import BlindSpot, Group, Headline, Looked, Problem, Verdict
from litellm_tui.model.failures import Crash
from litellm_tui.target.settings_words import SCHEMA


class Rates(msgspec.Struct):
    """A minute, over the last five minutes; null where answers cannot be seen."""

    requests_per_minute: float | None
    failed_per_minute: float
    error_lines_per_minute: float


class ConfigurationDigest(msgspec.Struct):
    """What the file says, as digests."""

    digest: str
    sections: dict[str, str]


class DatabaseVerdict(Verdict, frozen=True, kw_only=True):
    """The verdict, and what Postgres itself answered."""

    answer: PostgresAnswer | None


class DeploymentRow(msgspec.Struct):
    """One deployment as the models show it."""

    key: str
    id: str | None
    group: str
    model: str
    api_base: str | None
    listed: bool | None
    answered: int | None
    failed: int | None
    verdict: Verdict


class StatusDocument(msgspec.Struct):
    """`litellm-tui status --json`, and each line of `status --follow --json`: docs/status.md describes the fields."""

    format: int
    program: str
    written_at: float
    taken_at: float
    host: str
    url: str
    litellm_version: str | None
    unit: str | None
    exit_status: int
    headline: Headline
    rates: Rates
    configuration: ConfigurationDigest | None
    problems: tuple[Problem, ...]
    changes: tuple[str, ...]
    gateway: Verdict
    service: Verdict
    cache: Verdict
    database: DatabaseVerdict
    groups: tuple[Group, ...]
    deployments: tuple[DeploymentRow, ...]
    not_applied: tuple[str, ...]
    looked_at: tuple[Looked, ...]
    blind_spots: tuple[BlindSpot, ...]
    crashes: tuple[Crash, ...]
    since: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class CheckDocument(msgspec.Struct):
    """`litellm-tui check --json`: the phases in their order; `took` in seconds."""

    taken_at: float
    exit_status: int
    took: float
    phases: tuple[Phase, ...]


# the file of the schema -> the record
DOCUMENTS: Final[Mapping[str, type[msgspec.Struct]]] = {"status": StatusDocument, "check": CheckDocument}


def schema_of(record: type[msgspec.Struct]) -> dict[str, Any]:
    """The record as JSON schema."""
    found = msgspec.json.schema(record)
    for definition in found["$defs"].values():
        if "description" in definition:
            definition["description"] = " ".join(definition["description"].replace("`", "").split())
    return {"$schema": SCHEMA, **found}
