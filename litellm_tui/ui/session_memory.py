"""What the console keeps from one run to the next: problems, marks, when one last looked, how all stood."""

from __future__ import annotations

import time
from collections.abc import Callable

from litellm_tui.analysis.change.changes import LookSummary, summarize_look
from litellm_tui.analysis.health.memory import Memory, mark_seen, remember
from litellm_tui.host.file_thread import FileThread
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.storage.state import SavedState, StateFile, merged
from litellm_tui.target.profile import Profile
from litellm_tui.ui.view import View


class SessionMemory:
    """In memory alone until `open` names the gateway. The file is read and written in `thread`.

    `version` is another object whenever problems or marks are to be judged anew by what is remembered.
    """

    def __init__(self, thread: FileThread) -> None:
        self.problems: Memory = {}
        self.incidents_looked_at = 0.0
        self.history_looked_at: float | None = None
        """When one looked last: with this console at the history, else with any face at all; None if never."""
        self.version = object()
        self._thread = thread
        self._last: LookSummary | None = None
        self._file: StateFile | None = None

    async def open(self, profile: Profile, monitor: Monitor) -> str:
        """Take up what the last run has left; why that could not be read, or empty."""
        file = StateFile(profile.url.value, profile.unit.value if profile.unit else "")
        kept = await self._thread.run(file.load)
        self._file = file
        self.problems, self._last, self.incidents_looked_at = kept.memory, kept.last, kept.incidents_looked_at
        self.history_looked_at = kept.last.at if kept.last is not None else None
        self.version = object()
        monitor.expect_down(kept.expected_down)
        monitor.take_probes(kept.probes.values())
        return file.failure

    @property
    def failure(self) -> str:
        """Why what is remembered could not be kept; empty when it is."""
        return self._file.failure if self._file else ""

    def learn(self, view: View) -> None:
        """Remember the problems of this look."""
        known = view.diagnosis.gateway.state == "answering" and view.snapshot.gateway.deployments.value is not None
        self._remember(remember(self.problems, view.diagnosis.problems, view.now, known))

    def looked_at_problems(self) -> None:
        """None of them is new any more."""
        self._remember(mark_seen(self.problems))

    def looked_at_incidents(self) -> None:
        """None of them is new any more."""
        self.incidents_looked_at = time.time()

    def looked_at_history(self) -> None:
        """What comes from now on is what came since the last look."""
        self.history_looked_at = time.time()

    def _remember(self, memory: Memory) -> None:
        before, self.problems = self.problems, memory
        if _told(before) != _told(memory):
            self.version = object()

    async def keep(self, view: View | None, monitor: Monitor | None) -> None:
        """Write down for the next run what was changed here, and take over what other consoles have kept."""
        if self._file is not None and monitor is not None:
            await self._exchange(self._file.save, self._file, view, monitor)

    async def refresh(self, monitor: Monitor | None) -> None:
        """Take over what other consoles have kept since the last time."""
        file = self._file
        if file is not None and monitor is not None and await self._thread.run(file.changed):
            await self._exchange(file.adopt, file, None, monitor)

    async def _exchange(
        self,
        how: Callable[[Memory, dict[str, str], LookSummary | None], SavedState],
        file: StateFile,
        view: View | None,
        monitor: Monitor,
    ) -> None:
        known = view is not None and view.diagnosis.gateway.state == "answering"
        if view is not None and known:
            self._last = summarize_look(view.snapshot, view.diagnosis, view.now)
        given, looked_at = self._known(monitor), self.incidents_looked_at

        def exchanged() -> SavedState:
            file.incidents_looked_at, file.probes = looked_at, dict(given.probes)
            return how(given.memory, given.expected_down, given.last)

        found = await self._thread.run(exchanged)
        # what was changed here while the file was written is not in it yet
        now = merged(given, self._known(monitor), found)
        self._remember(now.memory)
        self.incidents_looked_at, self._last = now.incidents_looked_at, now.last
        if now.expected_down != monitor.expected_down:
            monitor.expect_down(now.expected_down)
        monitor.take_probes(now.probes.values())

    def _known(self, monitor: Monitor) -> SavedState:
        return SavedState(
            memory=dict(self.problems), expected_down=dict(monitor.expected_down), last=self._last,
            incidents_looked_at=self.incidents_looked_at, probes=dict(monitor.probes),
        )  # fmt: skip


def _told(memory: Memory) -> dict[str, tuple[float, bool, float | None]]:
    """What a diagnosis tells of the memory."""
    return {key: (known.first_seen, known.looked, known.solved_at) for key, known in memory.items()}
