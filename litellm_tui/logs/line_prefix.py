"""What stands before LiteLLM's own line: the stamp, the name and the number that what handed the line on has added.

Forms of `docker compose logs`, Docker's stamps, syslog (RFC 3164 and 5424, and journalctl's forms of it), `ts`,
`kubectl logs`, the container runtime interface of Kubernetes, runit, s6, PM2 and their like; several may stand in a
row. `prefix_reader` learns others.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

# a line may have a stamp, a name, another stamp and a stream
MOST_PARTS: Final = 5
# the year is not in RFC 3164's stamps: the last such date that is not later than this many seconds from now
SLACK: Final = 86_400.0
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# TAI64 counts from 1970 plus 2^62; TAI is ahead of UTC by the ten seconds of 1970 as daemontools takes it
_TAI: Final = (1 << 62) + 10

COLOUR: Final = r"(?:\x1b\[[0-9;]{0,40}m){0,4}"
_BAR: Final = rf"\|{COLOUR}(?:[ ]|$){COLOUR}"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?"
_ZONE: Final = r"(?:Z|[ ]?[+-][0-9]{2}:?[0-9]{2}|[ ]UTC)?"
_PARTS: Final = re.compile(
    rf"""{COLOUR}(?:
      # <134>1 2026-11-29T15:22:58Z host app pid msgid [structured data] text
      (?:<[0-9]{{1,3}}>1[ ](?P<sys_stamp>\S{{10,40}})[ ]\S{{1,255}}[ ](?P<sys_app>\S{{1,48}})[ ](?P<sys_pid>\S{{1,128}})
        [ ]\S{{1,32}}[ ](?:-|\[[^\]\n]{{0,1000}}\])(?:[ ]\ufeff?|$))
      # 2026-11-29T15:22:58.123456789Z, [2026-11-29 15:22:58], 2026-11-29_15:22:58.1, Sun 2026-11-29 15:22:58 UTC
     |(?:<[0-9]{{1,3}}>)?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[ ])?
        \[?(?P<stamp>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T _]{_CLOCK}{_ZONE})\]?:?(?:[ ]{{2}}(?=\S)|[ \t]|$)
      # Nov 29 15:22:58
     |(?:<[0-9]{{1,3}}>)?(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ ](?P<day>[ ]?[0-9]{{1,2}})[ ]
        (?P<clock>{_CLOCK})(?:[ ]|$)
      # @4000000069ab… of TAI64N
     |@(?P<tai>[0-9a-f]{{24}})(?:[ ]|$)
     |(?P<unix>[0-9]{{10}}(?:\.[0-9]{{1,9}})?)(?:[ ]|$)
      # [ 1234.567890] of the seconds since the boot, 00:01:02 since a start or of the day
     |(?P<since>\[[ ]{{0,10}}[0-9]{{1,10}}\.[0-9]{{3,9}}\]|{_CLOCK})(?:[ ](?!-[ ])|$)
      # litellm-1  | of Compose, web.1 | of foreman
     |\[?(?P<name>[A-Za-z][\w.@/-]{{0,120}}[-_.][0-9]{{1,5}}(?:[.@][\w.@-]{{1,100}})?)\]?[ ]{{1,60}}{_BAR}
     |(?P<own>[\w.-]{{0,60}}litellm[\w.-]{{0,60}})[ ]{{1,60}}{_BAR}
      # 0|litellm  | of PM2, [litellm] | of podman-compose
     |(?:[0-9]{{1,4}}\|(?P<pm2>[\w.-]{{1,60}})|\[(?P<podman>[\w.-]{{1,100}})\])[ ]{{0,60}}{_BAR}
      # litellm-6b795d5f77-xs2dr litellm of stern: the names of a pod and of its container
     |(?P<stern>[a-z0-9.-]{{3,200}}-[a-z0-9]{{4,10}}-[a-z0-9]{{5}}[ ][a-z0-9.-]{{1,63}})[ ](?=\S)
     |\[pod/(?P<pod>[\w.-]{{1,253}}/[\w.-]{{1,253}})\](?:[ ]|$)
    )""",
    re.VERBOSE,
)
# after a stamp only
_HOST: Final = re.compile(
    r"[\w.:-]{1,255} (?P<tag>[\w./@-]{1,100}?)(?:\[(?P<pid>[0-9]{1,10})\]|(?<=litellm)|(?<=kernel)):(?: |$)"
)
_STREAM: Final = re.compile(r"(?:stdout|stderr) (?P<cut>[FP])(?: |$)")
_STAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T _]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,]([0-9]{1,9}))?"
    r"(?: ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?$"
)
# a record in a form of its own, which may begin with a date too
_LEVEL: Final = r"(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRIT(?:ICAL)?)"
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
RECORD: Final = (
    rf"{COLOUR}(?:[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}} - LiteLLM|\{{\"|{_LEVEL}(?:\x1b\[0m)?:[ ]{{1,8}}\S"
    rf"|\[{_DATE}[ ][+-][0-9]{{4}}\][ ](?:\[[0-9]{{1,10}}\][ ]\[{_LEVEL}\]|\S{{1,100}}[ ]-[ ]\")"
    rf"|{_DATE}[.,][0-9]{{1,9}}[ ](?:-[ ](?:LiteLLM[ ])?[\w.]{{1,100}}[ ]-[ ]{_LEVEL}[ ]-|\|[ ]{_LEVEL}[ ]{{0,8}}\|)"
    rf"|\[?{_DATE}(?:[.,][0-9]{{1,9}})?(?:Z|[ ]?[+-][0-9]{{2}}:?[0-9]{{2}})?\]?[ ](?:-[ ])?\[?{_LEVEL}\]?(?=[ ]\S)"
    rf"|LiteLLM(?:[ ]\w{{1,20}})?:{_LEVEL})"
)
_RECORD: Final = re.compile(RECORD)
_OF_LITELLM: Final = re.compile(rf"{COLOUR}(?:[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}} - LiteLLM|LiteLLM|#-{{20}})")
_COMPONENT: Final = '"component": "LiteLLM'


class Prefix(NamedTuple):
    """What a line begins with: `end` is where the line itself begins.

    `time` is seconds since the epoch, None without a stamp; `name` is the service's or the program's; with `cut` the
    next line of the same source continues this one.
    """

    end: int = 0
    time: float | None = None
    pid: int = 0
    name: str = ""
    cut: bool = False


NONE: Final = Prefix()


def begins_record(text: str, at: int = 0) -> bool:
    """Whether a record in a form of its own begins here."""
    return _RECORD.match(text, at) is not None


def is_litellms(text: str, at: int = 0) -> bool:
    """Whether the line is one that LiteLLM alone writes."""
    return _OF_LITELLM.match(text, at) is not None or (text.startswith("{", at) and _COMPONENT in text)


def read(text: str, latest: float, start: int = 0) -> Prefix:
    """The prefix that begins at `start` of a line written at or before `latest`, in seconds since the epoch."""
    end, time, pid, name, cut = start, None, 0, "", False
    for _ in range(MOST_PARTS):
        if _RECORD.match(text, end):
            break
        match = _PARTS.match(text, end)
        if match is None or match.end() == end:
            break
        stamp = match["stamp"] or match["sys_stamp"] or match["month"]
        end = match.end()
        time = _time(match, latest) if time is None else time
        name = (
            name
            or match["name"]
            or match["own"]
            or match["pm2"]
            or match["podman"]
            or match["pod"]
            or (match["stern"] or "").replace(" ", "/")
            or match["sys_app"]
            or ""
        )
        if (number := match["sys_pid"]) and number.isascii() and number.isdigit():
            pid = int(number[:10])
        if stamp or match["unix"] or match["since"]:
            if host := _HOST.match(text, end):
                end, pid, name = host.end(), int(host["pid"] or 0), name or host["tag"]
            elif stream := _STREAM.match(text, end):
                end, cut = stream.end(), stream["cut"] == "P"
    return Prefix(end, time, pid, name, cut) if end > start else NONE


def stamp_of(text: str, latest: float) -> float | None:
    """When a line was written by the stamp that it begins with, also where that is the record's own."""
    match = _PARTS.match(text)
    if match is None:
        return None
    time = _time(match, latest)
    return read(text, latest).time if time is None else time


def _time(match: re.Match[str], latest: float) -> float | None:
    try:
        if stamp := match["stamp"] or match["sys_stamp"]:
            return _dated(stamp)
        if match["month"]:
            return _without_year(match["month"], match["day"], match["clock"], latest)
        if tai := match["tai"]:
            return float(int(tai[:16], 16) - _TAI) + int(tai[16:], 16) / 1e9
        if unix := match["unix"]:
            return float(unix)
    except (ValueError, OverflowError, OSError):
        # digits that are no time
        return None
    return None


def _dated(text: str) -> float | None:
    """A stamp with its zone; without one it is this machine's time."""
    match = _STAMP.match(text)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}")
    if zone in ("Z", "UTC"):
        moment = moment.replace(tzinfo=UTC)
    elif zone:
        digits = zone[1:].replace(":", "")
        away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        moment = moment.replace(tzinfo=timezone(away if zone[0] == "+" else -away))
    return moment.timestamp() + (float(f"0.{fraction}") if fraction else 0.0)


def _without_year(month: str, day: str, clock: str, latest: float) -> float:
    newest = latest + SLACK
    whole, _, fraction = clock.partition(".")
    hour, minute, second = (int(part) for part in whole.split(":"))
    year = datetime.fromtimestamp(newest).year
    # a leap day is not in each year
    for earlier in range(9):
        try:
            found = datetime(year - earlier, _MONTHS.index(month) + 1, int(day), hour, minute, second).timestamp()
        except ValueError:
            continue
        if found <= newest:
            return found + (float(f"0.{fraction}") if fraction else 0.0)
    raise ValueError(clock)
