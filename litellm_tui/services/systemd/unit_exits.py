"""How the runs of a unit ended, one after the other: systemd's own lines about it in the journal.

The lines are those of systemd 252 (`Main process exited, code=…`, `Failed with result …`, `Scheduled restart job`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from litellm_tui.host.command import Done, run
from litellm_tui.logs.entry import each
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.service import Exit
from litellm_tui.model.service_kinds import Scope, Tools

SECONDS: Final = 5.0
# what systemd says of one run are some six lines
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


class Said(NamedTuple):
    """One line of systemd's about the unit, at `time` (seconds since the epoch)."""

    time: float
    boot: str
    text: str


async def read_exits(tools: Tools, unit: str, scope: Scope) -> tuple[Exit, ...] | Failure:
    """The ends of the unit's runs that the journal still holds, the newest last. Takes some 10 ms."""
    match = ["--user", "-u", unit] if scope == "user" else ["-u", unit]
    done = await _journal(tools, [*match, "SYSLOG_IDENTIFIER=systemd"])
    if isinstance(done, Done) and "No journal files were found" in done.error and scope == "user":
        # without persistent storage no user has a journal of his own
        done = await _journal(tools, [f"USER_UNIT={unit}", f"_UID={os.getuid()}"])
    if isinstance(done, Failure):
        return done
    if done.status:
        said = done.first_error or f"journalctl ended with {done.status}"
        return Denied(said) if "permission" in said.lower() else NotAvailable(said)
    return exits(filter(None, each(_said, done.output.splitlines(), lambda _: None)))


async def _journal(tools: Tools, match: list[str]) -> Done | Failure:
    fields = "--output-fields=MESSAGE,SYSLOG_IDENTIFIER"
    return await run([*tools.journalctl, *match, "-o", "json", fields, "--no-pager", "-n", str(LINES)], SECONDS)


def _said(line: str) -> Said | None:
    try:
        raw = _decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if raw.identifier != "systemd" or not isinstance(raw.message, str) or not _MICROSECONDS.fullmatch(raw.microseconds):
        return None
    return Said(int(raw.microseconds) / 1e6, raw.boot, raw.message)


def exits(lines: Iterable[Said]) -> tuple[Exit, ...]:
    """The ends that these lines tell of, in their order."""
    found: list[Exit] = []
    run = _Run()
    boot = ""
    for line in lines:
        if boot and line.boot != boot and run.began is not None:
            run.how["by"] = "reboot"
            found += run.ended(run.heard)
        boot = line.boot or boot
        if line.text.startswith("Started "):
            # the end of a run that nobody told of was now at the latest
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
            run.hear(line)
        run.heard = line.time
    # the newest may be about to be started again
    return (*found, *(run.ended(run.heard) if "at" in run.how else ()))


class _Run:
    """One run, from its start to what was said of its end; `refused` when systemd does not start it any more."""

    def __init__(self, began: float | None = None) -> None:
        self.began = began
        self.heard = began or 0.0
        self.refused = False
        self.how: dict[str, Any] = {}

    def hear(self, line: Said) -> None:
        """A line that may say how it ends."""
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
        """It is over, at `at` if nothing else was said; nothing where nothing is known of a run."""
        known = self.began is not None or bool(self.how)
        end = [Exit(began=self.began, again=again, **({"at": at} | self.how))] if known else []
        self.began, self.how = None, {}
        return end
