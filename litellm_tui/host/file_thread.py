"""A thread for calls that touch files: a hanging file system or a busy lock blocks this thread and nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

_Work = tuple["Future[Any]", Callable[[], Any]]


class FileThread:
    """Carries out calls one after the other, in the order of `run` and `submit`.

    The process waits for asyncio's own threads at its end, even while a file system hangs. It does not wait for this
    thread, which the first call starts.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the call returns or raises. A call that has begun is completed even when the caller is cancelled."""
        return await asyncio.wrap_future(self.submit(call, *args, **kwargs))

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `run`, for a caller that does not wait."""
        future: Future[T] = Future()
        self._queue.put((future, lambda: call(*args, **kwargs)))
        if self._thread is None:
            self._thread = threading.Thread(target=_work, args=(self._queue,), name=self._name, daemon=True)
            self._thread.start()
        return future

    def stop(self) -> None:
        """End the thread after the calls made so far; the next call starts another one."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread, self._queue = None, SimpleQueue()


def _work(queue: SimpleQueue[_Work | None]) -> None:
    while (work := queue.get()) is not None:
        future, call = work
        if future.set_running_or_notify_cancel():
            _carry_out(future, call)
        # keep no reference to the call or its result until the next one comes
        del work, future, call


def _carry_out(future: Future[Any], call: Callable[[], Any]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  # handed to the waiter, which raises it
        future.set_exception(error)
    else:
        future.set_result(result)
