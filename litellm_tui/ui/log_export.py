"""Records of the log as text or JSON lines, on their way out: masked once more, with what is known as secret by now."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.analysis.phrases import size
from litellm_tui.model.failures import Failure
from litellm_tui.model.log import LogRecord

JSON_ENDINGS: Final = (".jsonl", ".ndjson", ".json")
# what some terminals, and tmux, take at most
LONGEST_COPIED: Final = 70_000


def as_text(record: LogRecord, redact: Callable[[str], str]) -> str:
    """One record as it is read, its time in UTC, its stack trace below it."""
    head = f"{_time(record)} {record.level:<8} {record.source} [{record.process}] {record.text}"
    return redact(f"{head}\n{record.stack}" if record.stack else head)


def as_json(record: LogRecord, redact: Callable[[str], str]) -> str:
    """One record as a JSON object on a line of its own; what is empty is left out."""
    fields = {
        "time": _time(record),
        "level": record.level,
        "source": redact(record.source),
        "logger": redact(record.logger),
        "pid": max(0, record.pid),
        "service": redact(record.service),
        "model": redact(record.model),
        "call_id": redact(record.call_id),
        "status": record.status,
        "text": redact(record.text),
        "stack": redact(record.stack),
    }
    return msgspec.json.encode({name: value for name, value in fields.items() if value}).decode()


def _time(record: LogRecord) -> str:
    return datetime.fromtimestamp(record.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(path: Path, records: Iterable[LogRecord], redact: Callable[[str], str]) -> Failure | None:
    """Write the records into a new file that only its owner reads; a file that is there is left alone."""
    form = as_json if path.suffix.lower() in JSON_ENDINGS else as_text
    return _written(path, (form(record, redact) + "\n" for record in records), os.O_EXCL)


def copied_to(path: Path, text: str) -> Failure | None:
    """Write what was copied where the next copy takes its place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        return Failure(f"{path.parent}: {error.strerror}")
    return _written(path, (text + "\n",), os.O_TRUNC | os.O_NOFOLLOW)


def _written(path: Path, texts: Iterable[str], flags: int) -> Failure | None:
    begun = False
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600)
        begun = bool(flags & os.O_EXCL)
        with open(handle, "w", encoding="utf-8", errors="replace") as file:
            file.writelines(texts)
    except FileExistsError:
        return Failure(f"{path} is there already: name another file")
    except OSError as error:
        if begun:
            # half an export looks like a whole one
            path.unlink(missing_ok=True)
        return Failure(f"{path}: {error.strerror}")
    return None


def terminal_keeps_it(text: str, environment: Mapping[str, str]) -> str:
    """Why a copy by OSC 52 may not reach the clipboard here; empty when nothing speaks against it."""
    if "TMUX" in environment:
        return "tmux takes it only with set-clipboard on"
    if "STY" in environment:
        return "screen does not pass it on"
    if environment.get("TERM_PROGRAM") == "Apple_Terminal" or environment.get("TERM", "") in ("linux", "dumb", "vt100"):
        return "this terminal has no such clipboard"
    if len(text) > LONGEST_COPIED:
        return f"{size(len(text))} are more than many terminals take"
    return ""
