"""The details of a service that seldom change: exits, settings, files and environment.

Files and environment are masked here: a value whose name says that it holds a secret is never returned.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from litellm_tui.analysis.container_health import explain_health, masked, shown
from litellm_tui.analysis.exits import describe_exit, frequency, was_unwanted
from litellm_tui.analysis.phrases import age, count, size
from litellm_tui.analysis.redaction.redactor import MASK
from litellm_tui.analysis.redaction.secret_names import may_carry_a_secret
from litellm_tui.host import proc
from litellm_tui.host.bounded import read_text
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Exit, Service
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.litellm_command import PROCESS_SOURCE
from litellm_tui.services.registry import driver

LONGEST_FILE: Final = 1 << 18
SHOWN_EXITS: Final = 20
# workers that start with the service are its first: a machine with much to do takes long for them
_TOGETHER_SECONDS: Final = 120.0
# a name with the digits and dashes before it is taken whole, in linear time
_NAME: Final = re.compile(r"(?<![\w-])(?:[^A-Za-z_\W]|-)*+([A-Za-z_][\w-]*+)[\"']?[ \t]*[=:][ \t]*")
_UP_TO: Final = {'"': re.compile(r'[^"\n]*'), "'": re.compile(r"[^'\n]*")}
_WORD: Final = re.compile(r"[^\s\"']+")
_LINE: Final = re.compile(r"[^\n]+")


class EnvironmentValue(msgspec.Struct, frozen=True):
    """One variable of the service: its value or a mask, what sets it, and how the running process differs."""

    name: str
    value: str
    source: str
    running: str = ""


class DefiningFile(msgspec.Struct, frozen=True):
    """A file that defines the service, masked; `why` when it could not be read."""

    path: str
    text: str = ""
    why: str = ""


class ServiceDetail(msgspec.Struct, frozen=True):
    """The details of one service. `exits` has the newest last; `no_exits` says why they are not known.

    `policy` holds settings by systemd's names. `unknown` names what this kind of service cannot tell. `inherited` are
    the variables that neither the unit nor a file sets, `unread` the files that could not be read. `service` is its
    state at the last look. `exits_since` says how far back the exits are known, `mounts` has a line for each mount of
    a container, `sections` further headings with their lines.
    """

    name: str
    place: str
    exits: tuple[Exit, ...] = ()
    no_exits: str = ""
    policy: dict[str, str] = {}
    files: tuple[DefiningFile, ...] = ()
    reload_needed: bool = False
    environment: tuple[EnvironmentValue, ...] = ()
    inherited: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    service: Service | None = None
    mounts: tuple[str, ...] = ()
    exits_since: str = "the journal begins"
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()


async def read_detail(target: ServiceTarget, service: Service | None, redact: Callable[[str], str]) -> ServiceDetail:
    """Read all details once: runs the tools of the service's kind and reads files, in some 30 ms."""
    of_kind = driver(target)
    told = await of_kind.describe(service)
    exits, policy, paths = told.exits, told.policy, told.files
    files = await asyncio.to_thread(lambda: tuple(_file(path, redact) for path in paths))
    environment, inherited, unread = await asyncio.to_thread(_environment, target, service, redact)
    return ServiceDetail(
        name=target.name,
        place=of_kind.place,
        exits=() if isinstance(exits, Failure) else exits,
        no_exits=exits.why if isinstance(exits, Failure) else "",
        policy={name: mask_secret_values(value, redact) for name, value in policy.items()},
        files=files,
        reload_needed=bool(service and service.need_daemon_reload),
        environment=environment,
        inherited=inherited,
        unread=unread,
        unknown=of_kind.unknown,
        mounts=tuple(redact(clean(mount)) for mount in told.mounts),
        exits_since=told.exits_since,
        sections=tuple((name, tuple(redact(clean(line)) for line in lines)) for name, lines in told.sections),
        service=masked(service, redact) if service else None,
    )


def _file(path: str, redact: Callable[[str], str]) -> DefiningFile:
    try:
        text = read_text(path, LONGEST_FILE, errors="replace")
    except OSError as error:
        return DefiningFile(path, why=error.strerror or str(error))
    return DefiningFile(path, clean(mask_secret_values(text, redact)).rstrip("\n"))


def mask_secret_values(text: str, redact: Callable[[str], str]) -> str:
    """The text of a unit or compose file, with a mask for each value whose name says that it is secret."""
    parts, at = [], 0
    for match in _NAME.finditer(text):
        start = match.start(1)
        if start < at or not may_carry_a_secret(match[1]):
            continue
        before, begin = text[start - 1 : start], match.end()
        # `Environment="NAME=two words"` ends with the quote before the name, `NAME: two words` with the line
        pattern = _UP_TO[before] if before in _UP_TO else _UP_TO.get(text[begin : begin + 1])
        begin += before not in _UP_TO and pattern is not None
        value = (pattern or (_LINE if ":" in match[0] else _WORD)).match(text, begin)
        if value and value[0] and not value[0].startswith(("os.environ/", "${")):
            parts += [text[at:begin], MASK]
            at = value.end()
    return redact("".join(parts) + text[at:])


def _environment(
    target: ServiceTarget, service: Service | None, redact: Callable[[str], str]
) -> tuple[tuple[EnvironmentValue, ...], tuple[str, ...], tuple[str, ...]]:
    if target.unit is None:
        return (), (), ()
    given = {
        name: (variable.value, variable.source)
        for name, variable in target.environment.items()
        # files are read again: a variable that was removed from one must not stay
        if variable.source not in target.environment_files and not variable.source.startswith(PROCESS_SOURCE)
    }
    fresh, unread = read_environment_files(list(target.environment_files))
    given |= fresh
    running = proc.environment(service.main_pid) if service and service.main_pid else {}
    rows = []
    for name, (value, source) in sorted(given.items()):
        shown = MASK if may_carry_a_secret(name) and value else redact(clean(value))
        differs = ""
        if running and running.get(name) != value:
            differs = (
                "not in the process that runs" if name not in running else "another value in the process that runs"
            )
        rows.append(EnvironmentValue(name, shown, source, differs))
    inherited = tuple(sorted(name for name in running if name not in given))
    return tuple(rows), inherited, tuple(f"{path}: {why}" for path, why in unread)


def detail_paragraphs(
    detail: ServiceDetail, now: float, clock: Callable[[float], str]
) -> Iterator[tuple[str, str, str]]:
    """`(name, text, style)`, as `ui.detail` shows them and the command prints them."""
    yield from _exits(detail, now, clock)
    if detail.service is not None:
        yield from _obstacles(detail.service)
        yield from _health(detail.service)
        yield from _workers(detail.service, now)
    if detail.policy:
        yield "", "", ""
        yield "how it is run", "", "head"
        yield "", "  ".join(f"{name}={value}" for name, value in detail.policy.items()), "ok"
    if detail.mounts:
        yield "", "", ""
        yield "what it sees of this machine", "", "head"
        for mount in detail.mounts:
            yield "", mount, "ok"
    for name, lines in detail.sections:
        yield "", "", ""
        yield name, "", "head"
        for line in lines:
            yield "", line, "ok"
    for file in detail.files:
        yield "", "", ""
        yield file.path, "", "head"
        if detail.reload_needed and file is detail.files[0]:
            yield "", "changed since systemd has read it: R has it read anew (systemctl daemon-reload)", "warn"
        yield "", file.text or file.why, "bad" if file.why else "ok"
    yield from _variables(detail)
    if detail.unknown:
        yield "", "", ""
        yield "not known here", "", "head"
        yield "", "; ".join(detail.unknown), "quiet"


def _exits(detail: ServiceDetail, now: float, clock: Callable[[float], str]) -> Iterator[tuple[str, str, str]]:
    yield "how its runs ended", "", "head"
    if detail.no_exits or not detail.exits:
        yield "", detail.no_exits or f"none has ended since {detail.exits_since}", "quiet"
        return
    often = frequency(detail.exits, now)
    span = "in the last week" if detail.exits_since == "the journal begins" else f"since {detail.exits_since}"
    yield "", f"ended by itself {often}" if often else f"none ended by itself {span}", "bad" if often else "ok"
    for end in reversed(detail.exits[-SHOWN_EXITS:]):
        yield (
            f"{age(now - end.at)} ago",
            f"{clock(end.at)}  {describe_exit(end)}",
            "bad" if was_unwanted(end) else "quiet",
        )
    if len(detail.exits) > SHOWN_EXITS:
        yield "", f"and {len(detail.exits) - SHOWN_EXITS} before", "quiet"


def _obstacles(service: Service) -> Iterator[tuple[str, str, str]]:
    if service.obstacles:
        yield "", "", ""
        yield "what its start fails on", "", "head"
    for obstacle in service.obstacles:
        yield "", f"{obstacle.text}: {obstacle.do}", "bad"


def _health(service: Service) -> Iterator[tuple[str, str, str]]:
    if service.health_test is None:
        return
    cause = explain_health(service.health_test)
    yield "", "", ""
    yield "its own check", "", "head"
    yield "", f"{service.health}: {shown(service.health_test)}", "bad" if service.health == "unhealthy" else "ok"
    if cause.text:
        yield "", f"{cause.text}: {cause.do}", "warn"


def _workers(service: Service, now: float) -> Iterator[tuple[str, str, str]]:
    if not service.workers and not service.oom_kills:
        return
    yield "", "", ""
    yield "its workers", "", "head"
    yield "", "each has its own memory, cooldowns and counts; its lines in the log have its process number", "quiet"
    for worker in service.workers:
        later = worker.started_at - (service.started_at or worker.started_at)
        made = f", {age(later)} after the service: in place of another" if later > _TOGETHER_SECONDS else ""
        yield f"pid {worker.pid}", f"{size(worker.memory)}, up {age(now - worker.started_at)}{made}", "ok"
    for at in service.lost:
        yield "", f"one was gone {age(now - at)} ago", "bad"
    if service.oom_kills:
        yield "", f"{count(service.oom_kills, 'process', 'processes')} killed by the kernel for lack of memory", "bad"


def _variables(detail: ServiceDetail) -> Iterator[tuple[str, str, str]]:
    if not detail.environment and not detail.unread:
        return
    yield "", "", ""
    yield "environment", "", "head"
    for failure in detail.unread:
        yield "", failure, "bad"
    for variable in detail.environment:
        changed = f"; {variable.running}: a restart applies it" if variable.running else ""
        text = f"{variable.name}={variable.value}   ({variable.source}{changed})"
        yield "", text, "mark" if changed else "ok"
    if detail.inherited:
        yield "", f"and from whoever started it: {', '.join(detail.inherited)}", "quiet"
