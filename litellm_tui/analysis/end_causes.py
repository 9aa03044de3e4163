"""What ended a service, or keeps it from starting: from what its start fails on, its exit, and its last lines.

The exit statuses are systemd's (systemd.exec(5), "Process Exit Codes"). A cause is named only where one of these names
it; otherwise the last words of the process stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.model.log import LogRecord
from litellm_tui.model.service import Service


class EndCause(NamedTuple):
    """Why it ended: in three words where that is known, in a sentence, and the step that mends it."""

    brief: str = ""
    text: str = ""
    do: str = ""


NOT_KNOWN: Final = EndCause()
_MEMORY: Final = EndCause(
    "out of memory",
    "the kernel killed it for lack of memory",
    "give it more (MemoryMax= of the unit, the container's limit, the machine's memory), or run fewer workers; then R",
)
# what systemd could not do for the process, by the status that it ends it with
_SETTING_UP: Final = {
    200: EndCause("WorkingDirectory", "systemd cannot change to its working directory (200/CHDIR)",
                  "make that folder, or correct WorkingDirectory= in the unit"),
    203: EndCause("program not started", "systemd cannot run its program (203/EXEC): it, or the interpreter in its "
                  "first line, is not there or may not be run", "install LiteLLM's environment anew, or correct "
                  "ExecStart= in the unit"),
    205: EndCause("limits", "systemd cannot set its limits (205/LIMITS)", "correct Limit…= in the unit"),
    209: EndCause("output", "systemd cannot open where its output goes (209/STDOUT)",
                  "correct StandardOutput= in the unit, or make that file's folder"),
    216: EndCause("Group missing", "systemd does not know its group (216/GROUP)",
                  "make the group, or correct Group= in the unit"),
    217: EndCause("User missing", "systemd does not know its user (217/USER)",
                  "make the user, or correct User= in the unit"),
    218: EndCause("capabilities", "systemd may not set its capabilities (218/CAPABILITIES)",
                  "correct the capabilities in the unit; a unit of a user may set none"),
    226: EndCause("file system view", "systemd cannot make its view of the file system (226/NAMESPACE): a path that "
                  "the unit names is not there", "make the paths of ReadWritePaths=, ReadOnlyPaths= and BindPaths=, or "
                  "take them out"),
    228: EndCause("system calls", "systemd cannot set its filter of system calls (228/SECCOMP)",
                  "correct SystemCallFilter= in the unit"),
    238: EndCause("StateDirectory", "systemd cannot make its state directory (238/STATE_DIRECTORY)",
                  "look at StateDirectory= and at the rights of /var/lib"),
    243: EndCause("credentials", "systemd cannot read its credentials (243/CREDENTIALS)",
                  "put back what LoadCredential= in the unit names"),
}  # fmt: skip
_FIRST_OF_SYSTEMD: Final = 200
_SYSTEMD_SAYS: Final = re.compile(r"Failed at step|Failed to (?!start )|failed: |Failed to run")
_EXITED: Final = re.compile(r"Main process exited|Failed with result|Deactivated successfully|Stopped |Started ")
_KILLED: Final = 9
# a status above 128 is a signal, where a shell or a container tells it
_SIGNALLED: Final = 128 + _KILLED
_WORKER_KILLED: Final = re.compile(r"Worker \(pid:[0-9]{1,10}\) was sent SIGKILL|perhaps out of memory", re.IGNORECASE)
# the exception at the end of a trace, or a refusal in plain text
_LAST_WORDS: Final = re.compile(
    r"^(?:[A-Za-z_][\w.]{0,200}(?:Error|Exception|Exit|Interrupt|NotFound|Timeout)\b|(?:litellm: )?[Ee]rror\b|ERROR\b"
    r"|Usage:|Fatal|Exception\b|Traceback)"
)
_LOOKED: Final = 120
_LONGEST: Final = 300
_LINES_OF_TRACE: Final = 400

_MODULE: Final = re.compile(r"(?:ModuleNotFoundError|ImportError): No module named '([\w.]{1,100})'")
# a Python without this has not come as far as any program
_LIBRARY: Final = re.compile(r"No module named '?encodings'?|Failed to import encodings module|init_fs_encoding")
_KNOWN: Final = (
    (_LIBRARY, EndCause(
        "Python does not start", "", "its interpreter does not find its own library: see PYTHONHOME in the unit's "
        "environment, and whether that Python was moved or upgraded; else make LiteLLM's environment anew, then R")),
    (re.compile(r"ImportError: Could not (?:import [\w.]{1,100} from|find module file) "), EndCause(
        "module file missing", "", "put the file that the configuration names beside it (mount it there), or correct "
        "the name, then R")),
    (re.compile(r"MemoryError\b|Cannot allocate memory"), _MEMORY),
    (re.compile(r"No space left on device"), EndCause("disk full", "", "make room on its disk (df -h), then R")),
    (re.compile(r"Too many open files"), EndCause(
        "too many open files", "", "raise LimitNOFILE= of the unit (or ulimits of the container), then R")),
    (re.compile(r"Address already in use|address already in use"), EndCause(
        "port taken", "", "see who listens there (ss -ltnp), stop it or change --port, then R")),
    (re.compile(r"yaml\.(?:scanner|parser|reader|composer|constructor)\.\w{1,40}Error"), EndCause(
        "configuration does not parse", "", "mend the file (litellm-tui audit says line and column), then R")),
    (re.compile(r"P1001|Can't reach database server"), EndCause(
        "database not reached", "", "start the database, or correct host and port in DATABASE_URL, then R")),
    (re.compile(r"PermissionError: |Permission denied"), EndCause(
        "permission denied", "", "give the service's user the right to that file (ls -l, User= of the unit), then R")),
)  # fmt: skip


def name_end(service: Service, records: Sequence[LogRecord]) -> EndCause:
    """The cause of the end of a service that does not run, from `records`, the last of its log, oldest first."""
    if service.obstacles:
        first = service.obstacles[0]
        return EndCause(first.brief, "; ".join(obstacle.text for obstacle in service.obstacles), first.do)
    if service.killed_for_memory or service.result == "oom-kill":
        said = f": {service.killed_for_memory}" if service.killed_for_memory else ""
        return EndCause(_MEMORY.brief, _MEMORY.text + said, _MEMORY.do)
    last = list(records)[-_LOOKED:]
    systemd = service.scope in ("user", "system")
    told = _systemd_words(last) if systemd else ""
    if systemd and service.exit_code == "exited" and service.exit_status >= _FIRST_OF_SYSTEMD:
        known = _SETTING_UP.get(service.exit_status)
        text = known.text if known else f"systemd could not set the process up (status {service.exit_status})"
        do = f"{known.do}, systemctl daemon-reload, then R" if known else "man systemd.exec tells the status"
        return EndCause(known.brief if known else "not set up", f"{text}: {told}" if told else text, do)
    if service.result == "resources":
        return EndCause("systemd could not start it", told or "systemd lacks something for its start", "")
    if _was_killed(service):
        return _killed(last)
    words = _last_words(last)
    return _named(words) if words else NOT_KNOWN


def _was_killed(service: Service) -> bool:
    if service.exit_code in ("killed", "dumped"):
        return service.exit_status == _KILLED
    return service.exit_code == "exited" and service.exit_status == _SIGNALLED


def _killed(records: Sequence[LogRecord]) -> EndCause:
    """Killed by SIGKILL, which the kernel sends for lack of memory, and others send too."""
    by = next((r.text for r in reversed(records) if _WORKER_KILLED.search(r.text[:_LONGEST])), "")
    return EndCause(
        "",
        first_words(by, _LONGEST),
        "the kernel kills so for lack of memory (journalctl -k -g 'out of memory'), else somebody; R starts it again",
    )


def _systemd_words(records: Sequence[LogRecord]) -> str:
    """What systemd said last of what it could not do."""
    said = (r.text for r in reversed(records) if r.source == "systemd" and _SYSTEMD_SAYS.search(r.text[:_LONGEST]))
    found = [text for text in said if "Failed with result" not in text]
    # of a step that failed, the line before it names the file
    chosen = next((text for text in found[:2] if "Failed at step" not in text), found[0] if found else "")
    return first_words(chosen.partition(": ")[2] or chosen, _LONGEST)


def _last_words(records: Sequence[LogRecord]) -> str:
    """The last error of the process before its end; empty where it ended without one."""
    for record in reversed(records):
        if record.source == "systemd" or record.own:
            continue
        lines = f"{record.text}\n{record.stack}".splitlines()[-_LINES_OF_TRACE:]
        ends = [line for line in lines if _LAST_WORDS.match(line) and not line.startswith("Traceback")]
        if ends and (record.level in ("ERROR", "CRITICAL") or record.source == "stdout"):
            return first_words(ends[-1], _LONGEST) if ":" not in ends[-1][:80] else ends[-1][:_LONGEST]
        if record.level in ("ERROR", "CRITICAL"):
            return first_words(record.text, _LONGEST)
    return ""


def _named(words: str) -> EndCause:
    text = f"its last words: {words}"
    if (module := _MODULE.search(words)) and not _LIBRARY.search(words):
        name = module[1].partition(".")[0]
        return EndCause(
            "Python package missing", text, f"install {name} into the environment of LiteLLM (its bin/pip), then R"
        )
    for pattern, cause in _KNOWN:
        if pattern.search(words):
            return EndCause(cause.brief, text, cause.do)
    return EndCause("", text, "")
