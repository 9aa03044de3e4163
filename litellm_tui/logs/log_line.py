"""Parses one line of LiteLLM's log: JSON with `json_logs: true`, and the plain forms of uvicorn and LiteLLM.

Forms seen on 1.77.7 and 1.106.2; those of other servers and of prints are in `line_forms`. Control characters are
removed from all text.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal, NamedTuple

import msgspec

from litellm_tui.logs import call_line, line_forms
from litellm_tui.model.log import Level

# `whole`: a record of one line. `open`: further lines of the same message may follow. `loose`: no known form; it
# belongs to the message before it where that is open, and is not understood otherwise. `either`: it belongs to that
# message too, and begins an open one otherwise.
Shape = Literal["whole", "open", "loose", "either"]


class Line(NamedTuple):
    """One parsed line. `continues` means that it belongs to the record before it, as the lines of a traceback do."""

    level: Level
    source: str
    text: str
    stack: str = ""
    call_id: str = ""
    status: int = 0
    path: str = ""
    continues: bool = False
    model: str = ""
    logger: str = ""
    shape: Shape = "whole"


class _Json(msgspec.Struct, gc=False):
    message: Any = ""
    level: str = ""
    component: str = ""
    logger: str = ""
    stacktrace: Any = None
    litellm_call_id: Any = None
    model: Any = None
    model_group: Any = None


_decode = msgspec.json.Decoder(_Json).decode

# PRIORITY of syslog(3), for systemd's own messages about the unit
_PRIORITIES: Final[tuple[Level, ...]] = (
    "CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARNING", "INFO", "INFO", "DEBUG",
)  # fmt: skip

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_]|[ -/]+[0-~]|.?)", re.DOTALL
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_ACCESS = re.compile(r'^(\S*?)(?::[0-9]{1,5})? - "([A-Z]{1,20}) (\S+) HTTP/[0-9.]{1,8}" ([0-9]{3})')
# most lines of a busy proxy in one match: the result of _UVICORN and _ACCESS for an ordinary line
_ORDINARY = re.compile(
    r'(DEBUG|INFO|WARNING|ERROR|CRITICAL):\s+([^\s:]*)(?::[0-9]{1,5})? - "([A-Z]{1,20}) (\S+) HTTP/[0-9.]{1,8}" '
    r"([0-9]{3})"
)
_PLAIN = re.compile(
    r"^(?:[0-9]{2}:[0-9]{2}:[0-9]{2} - )?(LiteLLM(?: \w+)*(?:\.stdout)?|uvicorn[.\w]*)\s*:\s*"
    r"(DEBUG|INFO|WARN\w*|ERROR|CRITICAL)\s*[:-]\s*(.*)$",
    re.DOTALL,
)
_UVICORN = re.compile(r"^(DEBUG|INFO|WARNING|ERROR|CRITICAL):\s+(.*)$", re.DOTALL)
_PLACE = re.compile(r"^(\S{1,200}\.py:[0-9]{1,9}) -(?: |$)")
# printed by the router below a failure in a plain log; on 1.106 only this names the model group
_ADDENDA = (
    "LiteLLM: model group '|Deployment Info: |timeout: [\\dN]|Available Model Group Fallbacks=|"
    "Error doing the fallback: |Debug Information:|Cooldown Deployments="
)
_CONTINUES = re.compile(
    r"^(?:\s|Traceback \(most recent call last\)|During handling of the above|The above exception was|"
    rf"{_ADDENDA}|\w+(?:\.\w+)+(?:Error|Exception)?: |\w*(?:Error|Exception): )"
)

_SOURCES: Final = {
    "LiteLLM Proxy": "proxy",
    # since 1.109 refused callers are told by this one
    "LiteLLM Proxy.stdout": "proxy",
    "LiteLLM Router": "router",
    "LiteLLM": "litellm",
    "uvicorn.access": "access",
    "uvicorn.error": "uvicorn",
    "litellm_proxy_extras": "migrations",
}

# the sources that are named here and not by the line
SOURCES: Final = frozenset(
    (*_SOURCES.values(), "stdout", "systemd", "gunicorn", "hypercorn", "granian", "prisma", "postgres")
)


def clean(text: str) -> str:
    """The text without escape sequences and control characters, and with blanks for tabs: safe for a terminal."""
    if text.isascii() and text.isprintable():
        return text
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\t", "    "))


def parse(message: str, priority: int = 6, identifier: str = "") -> Line:
    """Parse one line of the log. `priority` is syslog's, used where the line itself names no level."""
    if message.startswith("{"):
        try:
            return _from_json(_decode(message), message)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            pass
    if (match := _ORDINARY.match(message)) and identifier != "systemd" and message.isascii() and message.isprintable():
        word, client, method, path, code = match.groups()
        return Line(line_forms.LEVELS[word], "access", f"{method} {path} {code}  {client}", "", "", int(code), path)
    text = clean(message).rstrip()
    if identifier == "systemd":
        return Line(level_of(priority), "systemd", text)
    if match := _PLAIN.match(text):
        place = _PLACE.match(match[3])
        text = match[3][place.end() :] if place else match[3]
        return Line(
            _level(match[2]),
            _source(match[1].strip()),
            text,
            model=call_line.subject(text),
            logger=place[1] if place else "",
            shape="open",
        )
    if found := line_forms.postgres(text):
        return Line(found.level, found.source, found.text, shape="either")
    if match := _UVICORN.match(text):
        # uvicorn's messages have one line, unless they have a traceback
        shape: Shape = "whole" if match[1] == "INFO" else "open"
        return _access(match[2], _level(match[1])) or Line(_level(match[1]), "uvicorn", match[2], shape=shape)
    return _other_form(text, level_of(priority))


def _other_form(text: str, level: Level) -> Line:
    """A line of any other server, a print, or a line of a message that began above."""
    if found := line_forms.begun(text):
        shape: Shape = "open" if found.more else "whole"
        return _bare_access(found.text, found.level) or Line(
            found.level, _source(found.source), found.text, model=call_line.subject(found.text), shape=shape
        )
    if line := _bare_access(text, "INFO"):
        return line
    model = call_line.subject(text)
    if (found := line_forms.printed(text)) and found.last:
        return Line(found.level, found.source, text, model=model, shape="either")
    if _CONTINUES.match(text) or not text.strip() or line_forms.belongs(text):
        return Line(level, "stdout", text, continues=True, model=model)
    if found:
        # a level of syslog is the source's, such as of all that came on stderr
        return Line(found.level, found.source, text, model=model, shape="open" if found.more else "whole")
    return Line(level, "stdout", text, model=model, shape="loose")


def level_of(priority: int) -> Level:
    """The level of a syslog priority."""
    return _PRIORITIES[priority & 7]


def _from_json(data: _Json, message: str) -> Line:
    if not data.level and not data.message:
        return Line("INFO", "stdout", clean(message), shape="loose")
    text = clean(data.message if isinstance(data.message, str) else str(data.message))
    level = _level(data.level)
    if data.component == "uvicorn.access" and (line := _access(text, level)):
        return line
    return Line(
        level,
        _source(data.component or data.logger),
        text,
        stack=clean(str(data.stacktrace)) if data.stacktrace else "",
        call_id=_name(str(data.litellm_call_id)) if data.litellm_call_id else "",
        model=_name(data.model) or _name(data.model_group) or call_line.subject(text),
        logger=_name(data.logger),
    )


def _access(text: str, level: Level) -> Line | None:
    match = _ACCESS.match(text)
    if match is None:
        return None
    client, method, path, status = match.groups()
    return Line(
        level,
        "access",
        f"{method} {path} {status}  {client}",
        status=int(status),
        path=path,
    )


def _bare_access(text: str, level: Level) -> Line | None:
    match = line_forms.ACCESS.match(text)
    if match is None:
        return None
    client, method, path, status = match.groups()
    return Line(level, "access", f"{method} {path} {status}  {client}", status=int(status), path=path)


def _name(value: Any) -> str:
    return clean(value).replace("\n", " ") if isinstance(value, str) else ""


def _level(word: str) -> Level:
    return line_forms.LEVELS.get(word.upper(), "INFO")


def _source(component: str) -> str:
    return _SOURCES.get(component) or _name(component) or "stdout"
