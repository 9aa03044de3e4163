"""The words of a transaction: where it stood, how a proof stands, what the service said last."""

from __future__ import annotations

import re
from typing import Final

from litellm_tui.actions.transaction.record import Record
from litellm_tui.analysis.change import preflight
from litellm_tui.analysis.change.proof import ProofCheck
from litellm_tui.analysis.phrases import count
from litellm_tui.storage.backups import Backup

# the last line of a traceback, or what 1.106 says without one
_EXCEPTION: Final = re.compile(
    r"(?:\w{1,100}\.){0,20}\w{0,100}(?:Error|Exception|Exit): |LiteLLM proxy refused to start: "
)

_OF_SYSTEMD: Final = re.compile(
    r"\S{1,256}\.(?:service|scope): |(?:(?:Start|Stopp)(?:ed|ing)|Failed to start) \S{1,256}\.(?:service|scope)\b"
)

NOT_ENDED: Final = (
    "what runs now is not proved: litellm-tui restart --finish proves it and rolls back when that fails, --undo takes "
    "it back"
)


def told(record: Record) -> str:
    """Where a transaction stood that was interrupted, in words."""
    where = {
        "backup": "nothing had been changed yet",
        "exchange": "the other release was just being put in the place of the one that ran",
        "restart": "the service had been, or was just being, told to restart",
        "proof": "the service was restarted with the new configuration, and that was not proved yet",
        "restore": "the new configuration had failed, and the good one was being brought back",
        "restart again": "the good configuration is on the disk again; the service was just being told to restart",
        "proof again": "the service was restarted with the good configuration, and that was not proved yet",
    }[record.stage]
    ended = f"did not end well ({record.failed})" if record.failed else "was interrupted"
    if record.exchange is not None:
        # it is the same configuration: the release is what is new, and what is gone back to
        where = where.replace("new configuration", "other release").replace("good configuration", "release that ran")
        where = where.replace("the good one", "the release that ran")
    return f"{kind_of(record)} of {record.unit} by {record.holder} {ended}: {where}"


def kind_of(record: Record) -> str:
    """What the transaction does: a restart, or one with another release."""
    if record.exchange is None:
        return "a restart"
    return f"the change from {record.exchange.before} to {record.exchange.after}"


def told_checks(checks: tuple[ProofCheck, ...]) -> str:
    """How a proof stands: what it waits for, or what was found."""
    waiting = [check.text for check in checks if check.state == "waiting"]
    found = [
        check.text for check in checks if check.state == "ok" and check.name in ("deployments", "ready", "database")
    ]
    return waiting[0] if waiting else "; ".join(filter(None, found))


def kept_as(backup: Backup | None, good: Backup | None) -> str:
    """What was kept, and what it would go back to."""
    if backup is None:
        return "no configuration is known here, so none was kept"
    if good is None:
        return f"backup {backup.id}; there is none to go back to, for none is known that ran"
    if not good.differs_from(backup):
        return f"backup {backup.id}, the same as {good.id}, which ran before"
    return f"backup {backup.id}; it would go back to {good.id}"


def last_words(log: tuple[str, ...], known: str = "") -> str:
    """The last exception that the service wrote, else its last line as it stands; empty where `known` has it already.

    What systemd wrote about it is not its own line.
    """
    lines = [line.strip() for text in log for line in text.splitlines()]
    said = next((line[:200] for line in reversed(lines) if _EXCEPTION.match(line)), "")
    last = next((line[:200] for line in reversed(lines) if line and not _OF_SYSTEMD.match(line)), "")
    words = said or last
    return "" if not words or words in known else said or f"it said last: {last}"


def sentence(checks: tuple[ProofCheck, ...], what: str) -> str:
    """`what`, with how many deployments are loaded, and the database where there is one."""
    found = [check.text for check in checks if check.name in ("deployments", "database") and check.state == "ok"]
    return "; ".join(filter(None, (what, *found)))


def weighed(found: tuple[preflight.PreflightCheck, ...], *, force: bool) -> str:
    """How many of a preflight's checks say something, and to which end."""
    against = sum(check.state == "refused" for check in found)
    known = sum(check.state == "note" for check in found)
    words = [count(against, "reason") + " against it" + (", passed over" if force else "")] if against else []
    words += [count(known, "note")] if known else []
    return "; ".join(words) or "nothing speaks against it"
