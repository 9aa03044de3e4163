"""How the runs of a unit ended, read from systemd's own messages about it in the journal.

The lines are those of systemd 252 (`Main process exited, code=…`, `Failed with result …`, `Scheduled restart job`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from litellm_tui.host.command import Done, run
from litellm_tui.logs.entry import read_each
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.service import Exit
from litellm_tui.model.service_kinds import Scope, Tools

SECONDS: Final = 5.0
# systemd writes some six lines about one run
LINES: Final = 2000

_MICROSECONDS = re.compile(r"[0-9]{1,18}")
_EXITED = re.compile(r"Main process exited, code=(\w{1,40}), status=([0-9]{1,9})(?:/(\w{1,40}))?")
_RESULT = re.compile(r"Failed with result '([\w-]{1,80})'")
_SCHEDULED = re.compile(r"Scheduled restart job, restart counter is at [0-9]")


class _Line(msgspec.Struct):
    microseconds: str = msgspec.field(default="0", name="__REALTIME_TIMESTAMP")
    boot: str = msgspec.field(default="", name="_BOOT_ID")
    identifier: Any = msgspec.field(default="", name="SYSLOG_IDENTIFIER")
    message: Any = msgspec.field(default="", name="MESSAGE")


_decode = msgspec.json.Decoder(_Line).decode


class UnitMessage(NamedTuple):
    """One message of systemd about the unit, at `time` (seconds since the epoch)."""

    time: float
    boot: str
    text: str


async def read_exits(tools: Tools, unit: str, scope: Scope) -> tuple[Exit, ...] | Failure:
    """The ends of the unit's runs that the journal still holds, the newest last. Takes some 10 ms."""
    match = ["--user", "-u", unit] if scope == "user" else ["-u", unit]
    done = await _journal(tools, [*match, "SYSLOG_IDENTIFIER=systemd"])
    if isinstance(done, Done) and "No journal files were found" in done.error and scope == "user":
        # without persistent storage users have no journals of their own
        done = await _journal(tools, [f"USER_UNIT={unit}", f"_UID={os.getuid()}"])
    if isinstance(done, Failure):
        return done
    if done.status:
        said = done.first_error or f"journalctl ended with {done.status}"
        return Denied(said) if "permission" in said.lower() else NotAvailable(said)
    return exits(filter(None, read_each(_said, done.output.splitlines(), lambda _: None)))


async def _journal(tools: Tools, match: list[str]) -> Done | Failure:
    fields = "--output-fields=MESSAGE,SYSLOG_IDENTIFIER"
    return await run([*tools.journalctl, *match, "-o", "json", fields, "--no-pager", "-n", str(LINES)], SECONDS)


def _said(line: str) -> UnitMessage | None:
    try:
        raw = _decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if raw.identifier != "systemd" or not isinstance(raw.message, str) or not _MICROSECONDS.fullmatch(raw.microseconds):
        return None
    return UnitMessage(int(raw.microseconds) / 1e6, raw.boot, raw.message)


def exits(lines: Iterable[UnitMessage]) -> tuple[Exit, ...]:
    """The exits that these messages report, in their order."""
    found: list[Exit] = []
    run = _Run()
    boot = ""
    for line in lines:
        if boot and line.boot != boot and run.began is not None:
            run.how["by"] = "reboot"
            found += run.ended(run.seen_at)
        boot = line.boot or boot
        if line.text.startswith("Started "):
            # a run whose end no message reports has ended by now
            found += run.ended(line.time)
            run = _Run(line.time)
        elif "Start request repeated too quickly" in line.text:
            if found:
                found[-1] = msgspec.structs.replace(found[-1], given_up=True)
            run.refused = True
        elif _SCHEDULED.search(line.text):
            found += run.ended(line.time, again=True)
        elif line.text.startswith("Stopped "):
            found += run.ended(line.time)
        else:
            run.read(line)
        run.seen_at = line.time
    # the newest run may be about to be restarted
    return (*found, *(run.ended(run.seen_at) if "at" in run.how else ()))


class _Run:
    """One run, from its start to the messages about its end; `refused` when systemd gives up starting it."""

    def __init__(self, began: float | None = None) -> None:
        self.began = began
        self.seen_at = began or 0.0
        self.refused = False
        self.how: dict[str, Any] = {}

    def read(self, line: UnitMessage) -> None:
        """Read a message that may say how the run ends."""
        if line.text.startswith("Stopping "):
            self.how.setdefault("by", "order")
        elif "killed by the OOM killer" in line.text:
            self.how |= {"by": "memory", "at": line.time}
        elif match := _EXITED.search(line.text):
            self.how |= {"at": line.time, "code": match[1], "status": int(match[2]), "name": match[3] or ""}
        elif match := _RESULT.search(line.text):
            if self.refused:
                return
            self.how |= {"result": match[1], "at": self.how.get("at", line.time)}
            if match[1] == "oom-kill":
                self.how["by"] = "memory"
        elif "Deactivated successfully" in line.text:
            self.how = {"at": line.time, "code": "exited"} | self.how

    def ended(self, at: float, *, again: bool = False) -> list[Exit]:
        """The exit of the run, at `at` unless a message gave another time; none where no run is known."""
        known = self.began is not None or bool(self.how)
        end = [Exit(began=self.began, again=again, **({"at": at} | self.how))] if known else []
        self.began, self.how = None, {}
        return end
