"""The forms in which LiteLLM, the servers that run it and the Python below them begin a record of a plain log.

Forms of uvicorn 0.54, gunicorn 23, hypercorn 0.17, granian 2.8, litellm_proxy_extras, Python's `logging` and
`warnings`, Prisma and click, and what LiteLLM 1.77.7 and 1.106.2 print without a logger.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litellm_tui.model.log import Level

LEVELS: Final[dict[str, Level]] = {
    "DEBUG": "DEBUG",
    "INFO": "INFO",
    "NOTICE": "INFO",
    "TRACE": "DEBUG",
    "SUCCESS": "INFO",
    "WARN": "WARNING",
    "WARNING": "WARNING",
    "ERROR": "ERROR",
    "CRIT": "CRITICAL",
    "CRITICAL": "CRITICAL",
    "FATAL": "CRITICAL",
}


class Begun(NamedTuple):
    """A record that a line begins. With `more` further lines of the same message may follow.

    With `last` it may also be the last line of a message, as the error of a traceback is.
    """

    level: Level
    source: str
    text: str
    more: bool = True
    last: bool = False


_LEVEL: Final = r"(DEBUG|INFO|WARN(?:ING)?|ERROR|CRIT(?:ICAL)?)"
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
# gunicorn, and hypercorn, which has the same form
_NUMBERED: Final = re.compile(rf"^\[{_DATE} [+-][0-9]{{4}}\] \[[0-9]{{1,10}}\] \[{_LEVEL}\] (.*)$", re.DOTALL)
_BRACKETED: Final = re.compile(rf"^\[{_LEVEL}\] (.*)$", re.DOTALL)
# LiteLLM's own loggers have a blank in their names
_NAME: Final = r"((?:LiteLLM )?[\w.]{1,100})"
# `%(asctime)s - %(name)s - %(levelname)s - %(message)s`
_DASHED: Final = re.compile(rf"^{_DATE}(?:[.,][0-9]{{1,9}})? - {_NAME} - {_LEVEL} - (.*)$", re.DOTALL)
# loguru's
_BARRED: Final = re.compile(
    rf"^{_DATE}\.[0-9]{{1,9}} \| (TRACE|SUCCESS|{_LEVEL[1:-1]})\s{{0,8}} \| ([\w.<>]{{1,100}}):\S{{1,120}} - (.*)$",
    re.DOTALL,
)
# `%(asctime)s %(levelname)s %(name)s: %(message)s` and its like
_DATED: Final = re.compile(
    rf"^\[?{_DATE}(?:[.,][0-9]{{1,9}})?(?:Z| ?[+-][0-9]{{2}}:?[0-9]{{2}})?\]? (?:- )?\[?{_LEVEL}\]?:? (?:- )?(.*)$",
    re.DOTALL,
)
# logging.basicConfig's
_COLONS: Final = re.compile(rf"^{_LEVEL}:{_NAME}:(.*)$", re.DOTALL)
# `warnings.warn`
_WARNED: Final = re.compile(r"^\S{1,300}\.py:[0-9]{1,9}: (\w{0,60}Warning: .*)$", re.DOTALL)
_PRISMA: Final = re.compile(
    r"^(?:prisma:(?P<said>\w{1,20})|(?P<bad>Error: P[0-9]{4}\b|Error: Schema |Migration failed)"
    r"|Prisma schema loaded from |Datasource \"|Environment variables loaded from |Applying migration `"
    r"|No pending migrations to apply|All migrations have been successfully applied"
    r"|[0-9]{1,6} migrations? found in |Generated Prisma Client |Running generate|Start using Prisma"
    r"|Your database is (?:now|already) in sync"
    # below an error they are of it
    r"|(?P<below>The following migration|A migration failed to apply|Migration name: |Database error))"
)
# the end of a process in words of the interpreter, the shell and click; the server's own have a form
_REFUSED: Final = re.compile(
    r"^(?:Fatal Python error: |Segmentation fault|Killed\b|Aborted\b|Bus error|Illegal instruction|MemoryError$"
    r"|OSError: |Error: (?!P[0-9]{4}\b)|error: |exec: |exec /\S{1,200}: |OCI runtime |standard_init_linux"
    r"|\S{0,100}python[0-9.]{0,8}: (?:can't open file|No module named|error while loading)"
    r"|(?:\S{1,200}: )?(?:line )?[0-9]{1,6}: (?:exec: )?\S{1,200}: (?:not found|command not found|Permission denied|"
    r"No such file)|\S{1,200}: (?:command not found|error while loading shared libraries))"
)
# of the kernel, in the journal of all programs or a file of syslog
_KILLED_FOR_MEMORY: Final = re.compile(r"(?:Memory cgroup out of memory|Out of memory): Killed process [0-9]")
# clients of side services whose loggers nobody has set up: Python then writes the message alone
_OF_CLIENTS: Final = re.compile(
    r"^(?:Transient error StatusCode\.|Failed to export (?:traces|metrics|logs|batch|span)|Exception while exporting "
    r"|Giving up execute_task_with_backoff\(|error uploading: |Unauthorized\. Please check your public/private host"
    r"|Langfuse client is disabled|Unexpected error occurred\. Please check your request)"
)
# of Compose: 143 is an ordered end
_EXITED: Final = re.compile(r"^[\w.-]{1,120} exited with code (?!(?:0|143)\b)[0-9]{1,3}\b")
_COMPOSE: Final = re.compile(r"^(?:Attaching to [\w.-]|[\w.-]{1,120} exited with code [0-9])")
_USAGE: Final = re.compile(r"^(?:Usage: \S|Try '[^'\n]{1,100}' for help)")
# LiteLLM's own prints: `LiteLLM Proxy: …` and `LiteLLM: …` in words
_PRINTED: Final = re.compile(r"^ ?LiteLLM(?: Proxy| Warning)?: (.*)$", re.DOTALL)
# what such a print says when it ends the start, or something does not work
_UNABLE: Final = re.compile(
    r"\b(?:cannot|could not|can't|failed|unsupported|not supported|must be|must not|refus|invalid|missing|"
    r"neither on PATH|Exception)",
    re.IGNORECASE,
)
_ADVICE: Final = re.compile(r"has no effect|Ignoring the flag|is not applied|deprecated|--max_requests_before_restart ")
# decoration and words of LiteLLM's start, of 1.77.7 and 1.106.2
BANNER: Final = re.compile(
    r"^(?:[ \u2550-\u259f]{4,300}$|#[-# ]{1,300}#?$|#.{1,200}#$|Thank you for using LiteLLM|Give Feedback / Get Help"
    r"|Setting Cache on Proxy|Initialized (?:Success|Failure|Audit Log) Callbacks - |Using (?:log_config: |json logs\.)"
    r"|Alerting: Initializing |Alerting: |Set Cache on LiteLLM Proxy|Cache (?:is )?initialized"
    r"|Docs: https://docs\.litellm|See all Router/Swagger docs|curl (?:--|-X)|Curl Command Test"
    r"|LiteLLM: Test your local proxy|LiteLLM: Curl Command Test|Postgres |Database connection budget"
    r"|LiteLLM completion\(\) model=|litellm\.\w{1,60}\(model=|Successfully? |PID Usage:|Not using PID"
    r"|Task exception was never retrieved|future: <Task |Unclosed (?:client session|connector|connection)"
    r"|client_session: <|connector: <|connections: \[|sys:1: |Exception ignored in: )"
)
# Postgres' own words below what Prisma tells, where a server's record begins with more blanks and another letter
_POSTGRES: Final = re.compile(r"^(ERROR|FATAL|PANIC): {1,2}([a-z\"].*)$", re.DOTALL)
# lines that belong to the message before them in any case
_NEXT: Final = re.compile(r"^(?:Requester IP Address:|Key Identity:|Key Name:|Team Name:|[\u2500-\u257f]|\+[-+]|\| )")
# a server's access line without a level: uvicorn's under gunicorn, NCSA's of gunicorn and hypercorn, granian's
ACCESS: Final = re.compile(
    r"^(?:\[[0-9: +-]{19,40}\] )?(\S{1,200}?)(?::[0-9]{1,5})?(?: - (?:-|\S{1,100}) \[[^\]\n]{1,60}\])?(?: -)? "
    r'"([A-Z]{1,20}) (\S+)(?: HTTP/[0-9.]{1,8}| [0-9.]{1,5})?" ([0-9]{3})\b'
)


def is_killed_for_memory(text: str) -> bool:
    """Whether the kernel says that it ended a process as memory ran out."""
    return _KILLED_FOR_MEMORY.match(text) is not None


def begun(text: str) -> Begun | None:
    """The record that the line begins in a form that names its level; None for any other line."""
    first = text[:1]
    if first == "[":
        if match := _NUMBERED.match(text):
            source = "hypercorn" if match[2].startswith("Running on ") else "gunicorn"
            return Begun(LEVELS[match[1]], source, match[2])
        if match := _BRACKETED.match(text):
            return Begun(LEVELS[match[1]], "granian", match[2])
    if first.isdigit():
        if match := _DASHED.match(text):
            return Begun(LEVELS[match[2]], match[1], match[3])
        if match := _BARRED.match(text):
            return Begun(LEVELS[match[1]], match[2], match[3])
    if (first == "[" or first.isdigit()) and (match := _DATED.match(text)):
        return Begun(LEVELS[match[1]], "stdout", match[2])
    if match := _COLONS.match(text):
        return Begun(LEVELS[match[1]], match[2], match[3])
    if match := _WARNED.match(text):
        return Begun("WARNING", "python", match[1])
    return None


def printed(text: str) -> Begun | None:
    """What LiteLLM or its surroundings print without a logger, in a known form; None for any other line."""
    words = text.lstrip()
    if match := _PRISMA.match(words):
        level: Level = "ERROR" if match["bad"] or match["said"] == "error" else "INFO"
        level = "WARNING" if match["said"] == "warn" else level
        return Begun(level, "prisma", text, level == "ERROR", level == "ERROR" or match["below"] is not None)
    if match := _PRINTED.match(text):
        unable = _UNABLE.search(match[1], 0, 2000) and not _ADVICE.search(match[1], 0, 2000)
        return Begun("ERROR" if unable else "INFO", "stdout", text, False)
    if BANNER.match(words):
        return Begun("INFO", "stdout", text, False)
    if _OF_CLIENTS.match(text):
        return Begun("ERROR", "stdout", text)
    if is_killed_for_memory(text):
        return Begun("CRITICAL", "kernel", text, False)
    if _REFUSED.match(text):
        return Begun("ERROR", "stdout", text, last=True)
    if _EXITED.match(text):
        return Begun("ERROR", "compose", text, False)
    if _USAGE.match(text) or _COMPOSE.match(text):
        return Begun("INFO", "stdout", text, False)
    return None


def postgres(text: str) -> Begun | None:
    """What Postgres says, as Prisma quotes it: of the message before it, or on its own."""
    match = _POSTGRES.match(text)
    return Begun("ERROR", "postgres", match[2], last=True) if match else None


def belongs(text: str) -> bool:
    """Whether the line belongs to the message before it, by its words."""
    return _NEXT.match(text) is not None
