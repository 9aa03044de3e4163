"""What the console does, written into the file of `--log-file` for whoever looks for a fault in it.

A line has its time, what it is about, and how long that took or why it failed. Every secret is masked, the file is its
owner's alone, and it stays below 32 MiB: what is older is left out. Without the option nothing is written or counted.
Any thread may call these functions; the file is written by a thread of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from litellm_tui.analysis.redaction.redactor import Redactor

if TYPE_CHECKING:
    from logging.handlers import QueueListener

P = ParamSpec("P")
T = TypeVar("T")

MOST_BYTES: Final = 16 << 20
_log: Final = logging.getLogger("litellm_tui")
_masks: Final[list[Callable[[str], str]]] = [Redactor()]
_listener: QueueListener | None = None


def begin(path: str) -> None:
    """Write to this file from now on, behind what it holds. Raises OSError where it cannot be written."""
    global _listener  # noqa: PLW0603  # one log for the process
    end()
    from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler

    class File(RotatingFileHandler):
        def handleError(self, record: logging.LogRecord) -> None:
            # a full disk: what would be written about it would stand on the screen of the console
            _log.disabled = True

    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    file = File(path, maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace")
    file.setFormatter(_Masked("%(asctime)s %(levelname)s %(message)s"))
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    _log.handlers = [QueueHandler(lines)]
    _log.setLevel(logging.DEBUG)
    _log.propagate, _log.disabled = False, False
    _listener = QueueListener(lines, file)
    _listener.start()
    atexit.register(end)


def end() -> None:
    """Write what is still to be written, and close the file; at the process' end this comes by itself."""
    global _listener
    if _listener is None:
        return
    ended, _listener = _listener, None
    ended.stop()
    for handler in ended.handlers:
        # a full disk: what was not written is lost
        with contextlib.suppress(OSError):
            handler.close()
    _log.handlers = []
    atexit.unregister(end)
    del _masks[1:]


def mask_by(redact: Callable[[str], str]) -> None:
    """Mask what this function masks, too: it knows the secret values of a gateway."""
    if _listener is not None:
        _masks.append(redact)


def took(source: str, seconds: float, result: str = "") -> None:
    """It was asked, took so long, and gave this."""
    if _listener is not None:
        _log.debug("%s took %.1f ms%s", source, seconds * 1000, f": {result}" if result else "")


def failed(source: str, why: str) -> None:
    """It failed, for this reason."""
    if _listener is not None:
        _log.warning("%s failed: %s", source, why)


def said(source: str, words: str) -> None:
    """This is so of it from now on."""
    if _listener is not None:
        _log.info("%s: %s", source, words)


def timed(source: str) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Coroutine[Any, Any, T]]]:
    """A decorator: how long each call of the coroutine function takes is written down."""

    def decorate(work: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(work)
        async def measured(*args: P.args, **named: P.kwargs) -> T:
            began = time.perf_counter()
            try:
                return await work(*args, **named)
            finally:
                took(source, time.perf_counter() - began)

        return measured

    return decorate


class _Masked(logging.Formatter):
    """Lines without a secret, with the time to the millisecond and its distance from UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for redact in _masks:
            line = redact(line)
        return line.replace("\n", "\\n")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        at = time.localtime(record.created)
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', at)}.{int(record.msecs):03}{time.strftime('%z', at)}"
