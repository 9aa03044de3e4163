"""The log of all pods of a Deployment in one stream by time: `kubectl logs --prefix --timestamps`.

A line is read as `[pod/NAME/CONTAINER] STAMP text`, and handed on with the pod before it: `logs.line_prefix` reads the
name. kubectl follows the pods that are there when it begins; a watch tells of new ones, and it is begun anew from the
last line of each. The lines of a container's run before are read once, when its pod is first seen (`--previous`).
"""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from subprocess import DEVNULL, PIPE
from typing import Final

from litellm_tui.host.command import Done, helper, helper_environment
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.pump import PartialLine, Pump
from litellm_tui.logs.stream import OnLines, Stream
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.services.kubernetes.kubectl import Cluster, refusal
from litellm_tui.services.kubernetes.objects import parse_time

# kubectl follows at most five by itself
MOST_PODS: Final = 50
# lines of the run before that are read of a container that was started again
PREVIOUS: Final = 300
LOG_SECONDS: Final = 20.0
MOST_HISTORY: Final = 64 << 20
# how far back older lines are looked for, in seconds, and then all
PAST_SECONDS: Final = (600.0, 3600.0, 86_400.0, 0.0)
_LINE: Final = re.compile(
    r"\[pod/(?P<pod>[a-z0-9.-]{1,253})/(?P<container>[a-z0-9-]{1,63})\] "
    r"(?P<stamp>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2}))(?: (?P<text>.*))?$",
    re.DOTALL,
)
# what the watch prints: a pod, its container's restarts, and whether it runs
_COLUMNS: Final = (
    "custom-columns=N:.metadata.name,R:.status.containerStatuses[*].restartCount,"
    "S:.status.containerStatuses[*].state.running.startedAt"
)
_NONE: Final = ("", "<none>")
# as `logs.stream` numbers the outputs of a command, and the watch
_LOGS, _ERRORS, _WATCH = range(3)


class _Enough(Exception):
    """What is read has ended, or is to be begun anew."""


class PodLines:
    """The lines of one container of all pods. `find` tells the pods' selector and the container."""

    pause = 10.0

    def __init__(self, cluster: Cluster, name: str, find: Callable[[], tuple[str, str] | Failure], lines: int) -> None:
        self._cluster, self._name, self._find = cluster, name, find
        self._history = lines
        self._selector = self._container = ""
        # the newest stamp of each pod, and the runs of containers that are followed: a pod with its start
        self._last: dict[str, str] = {}
        self._runs: set[tuple[str, str]] = set()

    async def open(self) -> Stream | Failure:
        if not self._selector:
            found = await asyncio.to_thread(self._find)
            if isinstance(found, Failure):
                return found
            self._selector, self._container = found
        return PodStream(self)

    # --- the reading thread's side ---------------------------------------------------------------------------------

    def words(self, *more: str) -> list[str]:
        """The arguments of `kubectl logs` for all pods."""
        return [
            "logs", f"--selector={self._selector}", f"--container={self._container}", "--prefix", "--timestamps",
            f"--max-log-requests={MOST_PODS}", "--ignore-errors", *more,
        ]  # fmt: skip

    def pods(self) -> list[tuple[str, str, str]] | Failure:
        """`(name, restarts, started)` of each pod now; those that are gone are forgotten. Blocks."""
        said = self._cluster.run_now(
            "get", "pods", f"--selector={self._selector}", f"--output={_COLUMNS}", "--no-headers"
        )
        if isinstance(said, Failure):
            return said
        found = [_columns(line) for line in said.splitlines() if line.strip()]
        names = {name for name, _, _ in found}
        self._last = {pod: stamp for pod, stamp in self._last.items() if pod in names}
        self._runs = {(name, started) for name, _, started in found}
        return found

    def history(self, pods: Sequence[tuple[str, str, str]]) -> list[str] | Failure:
        """The lines to begin with, in order of time. Blocks."""
        if self._last:
            return []
        said = self._cluster.run_now(*self.words(f"--tail={self._history}"), seconds=LOG_SECONDS, limit=MOST_HISTORY)
        if isinstance(said, Failure):
            return said
        again = [pod for pod, restarts, _ in pods if any(part.strip(" 0") not in _NONE for part in restarts.split(","))]
        lines = [*(line for pod in again for line in self.previous_of(pod)), *said.splitlines()]
        return sorted(dict.fromkeys(lines), key=_stamp)[-self._history :]

    def previous_of(self, pod: str) -> list[str]:
        """The last lines of this pod's run before; none where the kubelet has none. Blocks."""
        said = self._cluster.run_now(
            "logs", pod, f"--container={self._container}", "--previous", "--prefix", "--timestamps",
            f"--tail={PREVIOUS}", seconds=LOG_SECONDS,
        )  # fmt: skip
        return said.splitlines() if isinstance(said, str) else []

    def follow(self, pods: Sequence[tuple[str, str, str]]) -> list[str]:
        """The command that follows from what was read last; what it repeats is left out by `entries`."""
        begins = [self._last.get(name) or started for name, _, started in pods]
        since = min((one for one in begins if parse_time(one)), key=_order, default="")
        more = [f"--since-time={since}"] if since and self._last else [f"--tail={self._history}"]
        return self._cluster.command(*self.words("--follow", *more), seconds=0)

    def watch(self) -> list[str]:
        """The command that tells of pods that come, and of containers that are started again."""
        return self._cluster.command(
            "get", "pods", f"--selector={self._selector}", "--watch", f"--output={_COLUMNS}", "--no-headers", seconds=0
        )

    def is_new(self, line: str) -> bool:
        """Whether this line of the watch tells of a run that is not followed yet."""
        pod, _, started = _columns(line)
        return parse_time(started) is not None and (pod, started) not in self._runs

    def entries(self, line: str, error: bool) -> list[Entry] | str:
        match = None if error else _LINE.match(line)
        if match is None:
            return line
        pod, stamp = match["pod"], match["stamp"]
        if _order(stamp) <= _order(self._last.get(pod, "")):
            return []
        self._last[pod] = stamp
        return [_entry(match)]

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        """Reads growing windows: kubectl knows no end of a window, and counts `--tail` from the end."""
        older: list[Entry] = []
        for seconds in PAST_SECONDS:
            moment = datetime.fromtimestamp(max(0.0, entry.time - seconds), UTC)
            since = [f"--since-time={moment:%Y-%m-%dT%H:%M:%SZ}"] if seconds else ["--tail=-1"]
            said = await self._cluster.run(*self.words(*since), seconds=LOG_SECONDS, limit=MOST_HISTORY)
            if isinstance(said, Failure):
                return said
            matches = (match for line in said.splitlines() if (match := _LINE.match(line)))
            older = [found for match in matches if _place(found := _entry(match)) < _place(entry)]
            older.sort(key=_place)
            if len(older) >= count:
                break
        return older[-count:]

    def ended(self, code: int | None, said: list[str]) -> Failure:
        if code and said:
            return refusal(Done(code, "", "\n".join(said)), self._cluster.context)
        return NotAvailable(f"no pod of {self._name} runs: its log goes on when one does")


class PodStream:
    """One opened log: what was there, and then what comes, until kubectl fails. Pods may end and come meanwhile."""

    def __init__(self, lines: PodLines) -> None:
        self._lines = lines
        self._children: list[subprocess.Popen[bytes]] = []
        self._code: int | None = 0

    def read(self, pump: Pump, take: OnLines) -> None:
        while True:
            pods = self._lines.pods()
            before = pods if isinstance(pods, Failure) else self._lines.history(pods)
            if isinstance(pods, Failure) or isinstance(before, Failure):
                self._code = 1
                take(_ERRORS, (pods if isinstance(pods, Failure) else before).why.encode(), False)  # type: ignore[union-attr]
                return
            if before:
                take(_LOGS, "\n".join(before).encode(), False)
            if not self._follow(pump, take, pods):
                return

    def _follow(self, pump: Pump, take: OnLines, pods: Sequence[tuple[str, str, str]]) -> bool:
        """Follow the pods that are there; whether others have come, and it is to be begun anew."""
        try:
            logs, watch = self._start(self._lines.follow(pods)), self._start(self._lines.watch())
        except OSError as error:
            self._code = 1
            take(_ERRORS, f"kubectl: {error.strerror}".encode(), False)
            return False
        rests = [PartialLine(), PartialLine(), PartialLine()]
        anew = False
        ended: set[int] = set()

        def on_chunk(output: int, chunk: bytes) -> None:
            nonlocal anew
            lines, cut = rests[output].add(chunk)
            if output == _WATCH:
                anew = anew or any(self._lines.is_new(line) for line in lines.decode(errors="replace").splitlines())
            elif lines or cut:
                take(output, in_order(lines) if output == _LOGS else lines, cut)
            if not chunk and output == _WATCH and not watch.wait():
                # the API server ends each watch after a while
                anew = True
            if not chunk:
                ended.add(output)
            # without pods that run the watch goes on alone
            if anew or (not chunk and {_LOGS, _ERRORS} <= ended and logs.wait()):
                raise _Enough

        assert logs.stdout is not None
        assert logs.stderr is not None
        assert watch.stdout is not None
        with helper(logs.pid), helper(watch.pid):
            try:
                pump.chunks([logs.stdout.fileno(), logs.stderr.fileno(), watch.stdout.fileno()], on_chunk)
            except _Enough:
                pass
            finally:
                self.end()
                self._code = logs.wait()
                watch.wait()
                for file in (logs.stdout, logs.stderr, watch.stdout):
                    file.close()
                self._children.clear()
        return anew

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        watches = "--watch" in command
        child = subprocess.Popen(
            command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL if watches else PIPE, env=helper_environment()
        )
        self._children.append(child)
        return child

    def end(self) -> None:
        """End the children, at any time."""
        for child in list(self._children):
            if child.poll() is None:
                child.kill()

    async def status(self) -> int | None:
        return self._code

    async def close(self) -> None:
        self.end()


def in_order(lines: bytes) -> bytes:
    """The lines of several pods by time; a line without a stamp stays behind the one before it."""
    found: list[tuple[tuple[float, int], bytes]] = []
    for line in lines.split(b"\n"):
        stamp = _stamp(line[:400].decode(errors="replace"))
        found.append((stamp if stamp[0] or not found else found[-1][0], line))
    return b"\n".join(line for _, line in sorted(found, key=lambda one: one[0]))


def _columns(line: str) -> tuple[str, str, str]:
    name, restarts, started = (*line.split(), "", "", "")[:3]
    return name, restarts, started


def _stamp(line: str) -> tuple[float, int]:
    match = _LINE.match(line)
    return _order(match["stamp"]) if match else (0.0, 0)


def _order(stamp: str) -> tuple[float, int]:
    """Seconds and the nanoseconds below: a stamp leaves zeros at its end out, and does not sort as text."""
    if not stamp:
        return (0.0, 0)
    moment = parse_time(stamp) or 0.0
    return (float(int(moment)), _nanoseconds(stamp))


def _nanoseconds(stamp: str) -> int:
    digits = re.search(r"\.([0-9]{1,9})", stamp)
    return int(digits[1].ljust(9, "0")) if digits else 0


def _entry(match: re.Match[str]) -> Entry:
    stamp = match["stamp"]
    text = f"[pod/{match['pod']}/{match['container']}] {match['text'] or ''}"
    return Entry(parse_time(stamp) or 0.0, text, 6, 0, "", _nanoseconds(stamp))


def _place(entry: Entry) -> tuple[float, int]:
    return (float(int(entry.time)), entry.place)
