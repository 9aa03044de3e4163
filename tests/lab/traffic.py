"""Clients of a gateway: so many requests a second per model group, until stopped."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from tests.lab.core import Lab

Kind = Literal["chat", "stream", "embedding"]
# Of an answer that was none: enough to see whose failure it was.
KEPT_CHARACTERS = 500
# A client's own patience, in seconds; it counts as status 0.
PATIENCE = 15.0
# Every so many requests one repeats an earlier text, so that a cache has something to answer.
REPEATED = 5


@dataclass(frozen=True, eq=False)
class Flow:
    """One kind of request to one group (or alias), `rate` times a second.

    `more` joins the body of a chat, where None takes a part of it out; `key` is another one than the lab's, None: none.
    """

    group: str
    kind: Kind = "chat"
    rate: float = 1.0
    more: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = ""


@dataclass(frozen=True)
class Failed:
    """A request that was not answered well: when it ended, and what there was of an answer."""

    moment: float
    group: str
    kind: Kind
    status: int
    text: str


class Traffic:
    """Asks as long as it is entered. `counts` maps (group, kind) to how often each status was answered; 0 is none.

    A stream that begins with 200 and does not end with [DONE] counts as status -1. `took` are the end of each request
    and how long it took, in seconds; `failed` are those that were not answered well.
    """

    def __init__(self, lab: Lab, flows: Iterable[Flow], user: bool = True) -> None:
        self.counts: dict[tuple[str, Kind], Counter[int]] = {}
        self.took: list[tuple[float, float]] = []
        self.failed: list[Failed] = []
        self._answered: dict[str, list[float]] = {}
        self._lab = lab
        self._user = user
        self._stopped = threading.Event()
        self._over: frozenset[Flow] = frozenset()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._flow, args=(flow,), daemon=True) for flow in flows]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """No request is begun after this; those under way are waited for."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE + 1)

    def end(self, flows: Iterable[Flow]) -> None:
        """These ask no more after the request that is under way."""
        self._over = frozenset(flows)

    def total(self) -> Counter[int]:
        """How often each status was answered, over all groups."""
        with self._lock:
            return sum(self.counts.values(), Counter())

    def refused(self, group: str) -> int:
        """How often a request to this group was not answered with 200."""
        with self._lock:
            counts = sum((found for (name, _), found in self.counts.items() if name == group), Counter[int]())
        return sum(counts.values()) - counts[200]

    def failed_since(self, group: str, moment: float) -> float | None:
        """When a request to this group first failed after that moment; None when none did."""
        with self._lock:
            return next((one.moment for one in self.failed if one.group == group and one.moment > moment), None)

    def answered_since(self, group: str, moment: float) -> float | None:
        """When a request to this group was first answered with 200 after that moment; None when none was."""
        with self._lock:
            return next((time for time in self._answered.get(group, ()) if time > moment), None)

    def _flow(self, flow: Flow) -> None:
        due = time.monotonic()
        for number in itertools.count():
            due += 1 / flow.rate
            begun = time.time()
            status, text = self._ask(flow, number)
            with self._lock:
                self.took.append((time.time(), time.time() - begun))
                self.counts.setdefault((flow.group, flow.kind), Counter())[status] += 1
                if status != 200:
                    failed = Failed(time.time(), flow.group, flow.kind, status, text[-KEPT_CHARACTERS:])
                    self.failed.append(failed)
                else:
                    self._answered.setdefault(flow.group, []).append(time.time())
            # A slow answer makes the next request late, not two of them at once.
            due = max(due, time.monotonic())
            if self._stopped.wait(due - time.monotonic()) or flow in self._over:
                return

    def _ask(self, flow: Flow, number: int) -> tuple[int, str]:
        text = "the same again" if number % REPEATED == REPEATED - 1 else f"{flow.group} {number} {time.time()}"
        stream = flow.kind == "stream"
        try:
            if flow.kind == "embedding":
                body = {"model": flow.group, "input": text}
                answer = self._lab.request("POST", "/v1/embeddings", body, user=self._user, timeout=PATIENCE)
            else:
                said = [{"role": "user", "content": text}]
                asked = {"model": flow.group, "messages": said, "stream": stream, **flow.more}
                body = {name: value for name, value in asked.items() if value is not None}
                path = "/v1/chat/completions"
                answer = self._lab.request("POST", path, body, user=self._user, key=flow.key, timeout=PATIENCE)
        except (OSError, http.client.HTTPException) as error:
            return 0, repr(error)
        torn = stream and answer.status == 200 and not answer.text.rstrip().endswith("data: [DONE]")
        return -1 if torn else answer.status, answer.text
