"""One gateway being operated: its profile, monitor, history, backups and memory, and the view of this moment.

Nothing here needs a screen: the app is told each new view, and says when the first one is painted.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from litellm_tui.analysis.health.crashes import crashed_diagnosis
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.timeline import Event, noted
from litellm_tui.analysis.history.source import HistorySource
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.host.file_thread import FileThread
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.failures import Crashed
from litellm_tui.model.service import Exit, Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.monitor import PUBLISH_SECONDS, Monitor
from litellm_tui.monitor.supervisor import Pace, guarded, guarded_async
from litellm_tui.storage.backups import Backups
from litellm_tui.storage.starts import StartHistory
from litellm_tui.target.choice import remember
from litellm_tui.target.profile import Profile
from litellm_tui.ui.diagnosis_worker import DiagnosisWorker
from litellm_tui.ui.past_runs import past_runs
from litellm_tui.ui.session_memory import SessionMemory
from litellm_tui.ui.session_record import SessionRecord
from litellm_tui.ui.starts_recorder import StartsRecorder
from litellm_tui.ui.view import Known, Notation, View, known_of

if TYPE_CHECKING:
    from litellm_tui.notify.notifier import Notifier

KEEP_SECONDS: Final = 30.0
# of those that are kept, the last ones that may be of the last hour
_STARTS: Final = 20
# how soon a mark that was made in another console is seen here
OTHERS_SECONDS: Final = 2.0
# longer than a busy lock is waited for (storage/backups/index.py)
LAST_SECONDS: Final = 5.0


class Session:
    """`find` finds the profile, `open` opens what is kept of its gateway, then `run` looks at it until it is cancelled.

    `close` is called last.

    `notation` is how times and states are written; the app may change it at any time.
    """

    def __init__(
        self,
        profile: Profile | Callable[[], Profile],
        notation: Notation,
        title: str = "",
        *,
        memory: bool = True,
        records: bool = False,
        pace: Pace | None = None,
        publish: float = PUBLISH_SECONDS,
    ) -> None:
        """A callable is asked in a thread. With `memory` problems and marks are kept from one run to the next.

        With `records` what is seen is recorded, where no other process does that. At `pace` the monitor's jobs that
        have failed are begun again; a new view comes every `publish` seconds at most.
        """
        self._sought = profile
        self.notation = notation
        self.title = title
        self.remembers = memory
        self.monitor: Monitor | None = None
        self.history: StartHistory | None = None
        self.backups: Backups | None = None
        self.past: HistorySource | None = None
        """Where the history is read from; None until it is asked for."""
        self._known: dict[str, Known] = {}
        """What was thought of each deployment when that was known last."""
        self._calm_since: float | None = None
        self._events: tuple[Event, ...] = ()
        """What happened in the last hour."""
        self._ended: tuple[Exit, ...] | None = None
        """The runs that had ended before the session began; None until they are asked for."""
        self.files = FileThread("state")
        """All of the state folder is read and written there, in the order in which it was asked for."""
        self.memory = SessionMemory(self.files)
        self.notify_by: Callable[[Profile], Notifier] | None = None
        """Makes what tells of problems those who do not look; None where nobody is told."""
        self._notifier: Notifier | None = None
        self._pace, self._publish = pace, publish
        self._records = records
        self._record: SessionRecord | None = None
        self._starts: StartsRecorder | None = None
        self._said_of_starts = ""
        self._worker = DiagnosisWorker(self._judge, self._learn, self._start, inputs=self._inputs, fallen=self._fallen)
        self._running = False
        self._jobs: set[asyncio.Task[None]] = set()
        self._exchanges: set[asyncio.Task[None]] = set()
        self._on_view: Callable[[View], None] = lambda _: None
        self._warn: Callable[[str], None] = lambda _: None

    # --- what is known of it -----------------------------------------------------------------------------------

    @property
    def profile(self) -> Profile | None:
        """None while it is sought."""
        if self.monitor is not None:
            return self.monitor.profile
        return self._sought if isinstance(self._sought, Profile) else None

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed from here."""
        return self.profile is not None and self.profile.read_only

    @property
    def view(self) -> View | None:
        """What is to be drawn now; None before the first snapshot."""
        return self._worker.view

    @property
    def redact(self) -> Callable[[str], str]:
        """Masks the secrets that are known by now."""
        return self.monitor.redact if self.monitor else Redactor()

    @property
    def own_folder(self) -> Path | None:
        """Where a session without memory keeps what it must: the simulation leaves nothing behind. Else None."""
        config = self.profile.config if self.profile else None
        return Path(config.value).parent if config and not self.remembers else None

    @property
    def record_path(self) -> str:
        """The file in which what is seen is recorded; empty where it is not."""
        return str(self._record.path) if self._record is not None else ""

    @property
    def record_words(self) -> str:
        """Why nothing is recorded from here; empty where it is."""
        return self._record.words if self._record is not None else ""

    # --- life --------------------------------------------------------------------------------------------------

    async def find(self) -> Profile:
        """Find the profile, once.

        Raises `SettingsError` when no profile can be made of what the operator has asked for.
        """
        if not isinstance(self._sought, Profile):
            self._sought = await asyncio.to_thread(self._sought)
        return self._sought

    async def choose(self, identity: str) -> str:
        """Take this one of the gateways that were found, now and the next time; why it cannot be kept, or nothing.

        Raises `SettingsError` as `find` does.
        """
        profile = await self.find()
        assert profile.choose is not None
        self._sought = await asyncio.to_thread(profile.choose, identity)
        return await self.files.run(lambda: remember(identity))

    async def open(self) -> tuple[str, ...]:
        """Find the profile, and open what is kept of its gateway; what could not be read there, in words.

        Raises `SettingsError` as `find` does.
        """
        profile = await self.find()
        gateway = profile.url.value, profile.unit.value if profile.unit else ""
        if profile.simulated:
            self.title, self.remembers = profile.simulated, False
        self.past = profile.past
        self.backups = Backups(*gateway, folder=self.own_folder)
        failures = []
        if self.remembers:
            self.history = StartHistory(*gateway, environment_files=profile.kept_files)
            self._starts = StartsRecorder(self.history, self.files, self._told_of_starts)
            await self.files.run(self.history.load)
            failures.append(self.history.failure)
        self.monitor = Monitor(profile, self._take, self.history, pace=self._pace, publish=self._publish)
        if self.remembers and self._records:
            self._record = SessionRecord(profile, self.monitor)
        if self.remembers:
            failures.append(await self.memory.open(profile, self.monitor))
            if self.notify_by is not None:
                self._notifier = self.notify_by(profile)
        return tuple(filter(None, failures))

    async def run(
        self,
        on_view: Callable[[View], None],
        painted: Callable[[], Awaitable[None]] | None = None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Look until cancelled, tell every new view, and warn in words of what could not be done.

        `painted` waits until the first view is on the screen.
        """
        assert self.monitor is not None, "a session is opened before it runs"
        self._on_view, self._warn = on_view, warn
        if painted is not None:
            self.monitor.first_shown = painted
        self._running = True
        try:
            if self.remembers:
                self._start(self._regularly(KEEP_SECONDS, self.keep))
                self._start(self._regularly(OTHERS_SECONDS, self._ask_others))
            await self.monitor.run()
        finally:
            self._running = False
            for job in self._jobs:
                job.cancel()
            await asyncio.gather(*self._jobs, return_exceptions=True)

    async def close(self) -> None:
        """What was asked to be written is written; a file system that hangs is not waited for."""
        if self._record is not None:
            await self._record.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                if self._notifier is not None:
                    await self._notifier.close()
                await asyncio.gather(*self._exchanges)
                await self.files.run(lambda: None)
        self.files.stop()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this beside the monitor, until the session ends; its exception is told, and ends nothing else."""
        if not self._running:
            # a view may be asked for while the session ends
            work.close()
            return
        job = asyncio.create_task(self._guard(work))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        # what was cancelled before its first step is closed here
        job.add_done_callback(lambda _: work.close())

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        ended = await guarded_async(work, self.redact)
        if isinstance(ended, Crashed):
            self._warn(f"diagnosis failed: {ended.why}")

    # --- what is kept of it ------------------------------------------------------------------------------------

    async def _regularly(self, seconds: float, call: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            ended = guarded(call, self.redact)
            if isinstance(ended, Crashed) and self.monitor is not None:
                self.monitor.supervisor.note("state", ended, seconds)

    def keep(self) -> None:
        """Write down what the next run is to know, in its turn."""
        self._exchange(self.memory.keep(self.view, self.monitor))

    def _ask_others(self) -> None:
        """Take over what other consoles have kept."""
        if not self.is_keeping:
            self._exchange(self.memory.refresh(self.monitor))

    @property
    def is_keeping(self) -> bool:
        """Whether something is being written, or taken over from other consoles."""
        return bool(self._exchanges)

    def _exchange(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._exchanged(work))
        self._exchanges.add(task)
        task.add_done_callback(self._exchanges.discard)

    async def _exchanged(self, work: Coroutine[Any, Any, None]) -> None:
        ended = await guarded_async(work, self.redact)
        if self.monitor is None:
            return
        if isinstance(ended, Crashed):
            self.monitor.supervisor.note("state", ended, KEEP_SECONDS)
        else:
            self.monitor.supervisor.recovered("state")

    def _told_of_starts(self, why: str | Crashed | None) -> None:
        if self.monitor is None:
            return
        if isinstance(why, Crashed):
            self.monitor.supervisor.note("history", why)
        else:
            self.monitor.supervisor.recovered("history")
        if isinstance(why, str) and why != self._said_of_starts:
            self._warn(why)
        self._said_of_starts = why if isinstance(why, str) else ""

    def look_now(self) -> None:
        """Read everything again at once."""
        if self.monitor is not None:
            self.monitor.look_now()

    # --- from a snapshot to a view -----------------------------------------------------------------------------

    def _take(self, snapshot: Snapshot) -> None:
        if self._starts is not None:
            self._starts.take(snapshot)
        if self._record is not None:
            snapshot = self._record.told(snapshot)
        self._worker.take(snapshot)

    def _learn(self, view: View) -> None:
        if not view.fallen:
            self.memory.learn(view)
            if self._record is not None:
                self._record.take(view)
            if self._notifier is not None:
                self._notifier.take(view)
        if self._ended is None and view.snapshot.service.value is not None:
            # what is on the screen comes before what was
            self._ended = ()
            self._start(self._read_past(view, view.snapshot.service.value))
        self._on_view(view)

    async def _read_past(self, view: View, service: Service) -> None:
        self._ended = await past_runs(view.profile.service_target, service, view.now)

    def _inputs(self) -> tuple[object, ...]:
        """What a view depends on besides the snapshot."""
        own = (self.memory.version, self.notation.clock, self.notation.signs, self._ended)
        if (monitor := self.monitor) is None:
            return own
        return (*own, monitor.profile, monitor.store, monitor.audits.audit, monitor.redact)

    def _judge(self, snapshot: Snapshot) -> View | None:
        """What is thought of a snapshot now; also called in a thread."""
        if self.monitor is None:
            return None
        now = time.time()
        found = diagnose(snapshot, now, self.memory.problems, self.monitor.audits.audit)
        self._known = known_of(found.deployments, now) or self._known
        self._calm_since = calm_since(found, self._calm_since, now)
        starts = [start.at for start in self.history.versions()[-_STARTS:]] if self.history else []
        self._events = noted(self._events, snapshot, found.problems, now, starts, self._ended or ())
        self.monitor.supervisor.recovered("diagnosis")
        return self._view(self.monitor, snapshot, found)

    def _fallen(self, crash: Crashed, snapshot: Snapshot, before: View | None) -> View | None:
        """In place of a view that could not be made; also called in a thread."""
        if self.monitor is None:
            return None
        self.monitor.supervisor.note("diagnosis", crash)
        view = before or self._view(self.monitor, snapshot, crashed_diagnosis(crash, snapshot.taken_at, None))
        return view._replace(
            diagnosis=crashed_diagnosis(crash, snapshot.taken_at, before and before.diagnosis), fallen=True
        )

    def _view(self, monitor: Monitor, snapshot: Snapshot, diagnosis: Diagnosis) -> View:
        return View(
            snapshot=snapshot,
            diagnosis=diagnosis,
            store=monitor.store,
            profile=monitor.profile,
            signs=self.notation.signs,
            columns=self.notation.columns,
            now=time.time(),
            clock=self.notation.clock,
            redact=monitor.redact,
            title=self.title,
            known=self._known,
            calm_since=self._calm_since,
            events=self._events,
        )


def calm_since(found: Diagnosis, before: float | None, now: float) -> float | None:
    """Since when no problem lasts: from the end of the last one that is remembered, else from the first look."""
    if any(p.solved_at is None and p.severity in ("bad", "warn") for p in found.problems):
        return None
    ended = max((p.solved_at for p in found.problems if p.solved_at is not None), default=now)
    return before if before is not None else ended
