"""Tells receivers what the views of one gateway show: one object, fed with each view by `take`.

Nothing here keeps a view waiting: the outbox is read and written in a thread of its own, each receiver is sent to by a
task of its own, and what cannot be done is told in words, once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from litellm_tui.analysis.health.asked import all_asked
from litellm_tui.analysis.notify.decide import Decision, Zones, decide
from litellm_tui.analysis.notify.digest import digest, is_read_by_people, together
from litellm_tui.analysis.notify.forms import rung
from litellm_tui.analysis.notify.standing import observed
from litellm_tui.analysis.phrases import count
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.host.file_thread import FileThread
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.failures import Crashed, Failure
from litellm_tui.model.notification import Belief, Message, Standing
from litellm_tui.model.notify_settings import NotifySettings, Rule
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.supervisor import guarded_async
from litellm_tui.notify.receivers import Address, address_of, secrets_of
from litellm_tui.notify.send import Result, Send, send
from litellm_tui.storage.outbox import Claimed, Outbox, Seen, believed, outbox_path, pause
from litellm_tui.target.notify_settings import zones_of
from litellm_tui.target.profile import Profile

# the outbox is looked at so often without news: for what has lasted long enough by now, and to try again
TURN_SECONDS: Final = 5.0
# and at most so often with news
PACE_SECONDS: Final = 0.5
# after an expected restart views may still show what it has brought
SETTLING_SECONDS: Final = 10.0
# a gateway that does not answer all questions is told of all the same
PATIENCE_SECONDS: Final = 10.0
# a restart that takes longer than this is none that goes well
LONGEST_RESTART: Final = 900.0
LAST_SECONDS: Final = 2.0
# an older view says nothing of now
OLDEST_VIEW: Final = 60.0
# what a receiver refuses is given up after so many attempts
MOST_REFUSED: Final = 3
# keys and addresses are read again so often
_SECRETS_SECONDS: Final = 60.0


class SeenView(Protocol):
    """What a view has to have: a view of the console has it."""

    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def diagnosis(self) -> Diagnosis: ...
    @property
    def now(self) -> float: ...
    @property
    def redact(self) -> Callable[[str], str]: ...
    @property
    def fallen(self) -> bool: ...


class Notifier:
    """`warn` is told in words what cannot be done. `restarting` says whether a restart is under way, and blocks.

    `terminal` writes to the terminal of this console; without one, receivers that are terminals are left out. `asked`
    says whether a look has read all there is: those before it, for `PATIENCE_SECONDS`, tell of what is none.
    """

    def __init__(
        self,
        settings: NotifySettings,
        gateway: str,
        address: str,
        path: Path,
        *,
        restarting: Callable[[], bool] = lambda: False,
        warn: Callable[[str], None] = lambda _: None,
        terminal: Callable[[str], None] | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        send: Send = send,
        asked: Callable[[Snapshot], bool] = all_asked,
    ) -> None:
        self._settings, self._gateway, self._address = settings, gateway, address
        self._restarting, self._warn, self._write = restarting, warn, terminal
        self._environ = os.environ if environ is None else environ
        self._clock, self._send, self._asked = clock, send, asked
        self._settled = False
        self._outbox = Outbox(path)
        self._files = FileThread("notify")
        self._zones: Zones | None = None
        self._far: dict[str, tuple[Rule, ...]] = {
            name: settings.rules_to(name) for name, one in settings.receivers.items() if not one.rings
        }
        self._here = {name: settings.rules_to(name) for name, one in settings.receivers.items() if one.rings}
        self._host = socket.gethostname()
        self._own = Redactor()
        self._secrets_at: float | None = None
        self._restart_at: float | None = None
        self._restart_since = 0.0
        self._view: SeenView | None = None
        self._came = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._told: dict[str, str] = {}
        """What was last told of each receiver, and of the outbox under an empty name."""
        self._signature: object = None
        self._observed_at = 0.0
        self._standings: dict[str, Standing] = {}
        self._beliefs: dict[str, dict[str, Belief]] = {name: {} for name in self._here}
        self._rang: set[tuple[str, str]] = set()
        self._opened_at = clock()

    @classmethod
    def of(
        cls,
        profile: Profile,
        settings: NotifySettings,
        warn: Callable[[str], None] = lambda _: None,
        terminal: Callable[[str], None] | None = None,
    ) -> Notifier:
        """The one of this profile's gateway."""
        path = outbox_path(profile.url.value, profile.unit.value if profile.unit else "")
        return cls(
            settings, gateway_words(profile), profile.address, path,
            restarting=lambda: _is_restarting(profile), warn=warn, terminal=terminal,
        )  # fmt: skip

    # --- fed by views ------------------------------------------------------------------------------------------

    def take(self, view: SeenView) -> None:
        """This is the newest view; called on the event loop, and returns at once."""
        self._view = view
        self._came.set()
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; what waits is sent by whoever looks next."""
        if self._sending:
            # what is being sent would be sent again
            await asyncio.wait(self._sending.values(), timeout=LAST_SECONDS)
        tasks = [task for task in (self._running, *self._sending.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._files.submit(self._outbox.close)
        self._files.stop()

    async def _run(self) -> None:
        while True:
            ended = await guarded_async(self.step())
            if isinstance(ended, Crashed):
                self._tell("", ended.why)
            await asyncio.sleep(PACE_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TURN_SECONDS):
                    await self._came.wait()
            self._came.clear()

    async def step(self) -> None:
        """Take in the newest view, and begin to send what is due."""
        now, view = self._clock(), self._view
        try:
            if view is not None and self._tells(view, now) and self._has_news(view, now):
                bells = await self._files.run(self._observe, view, now)
                if bells and self._write is not None:
                    self._write(bells)
            due = await self._files.run(self._outbox.due, tuple(self._far), now) if self._far else ()
        except (sqlite3.Error, OSError) as error:
            self._tell("", f"{self._outbox.path}: {_words_of(error)}: nothing can be told")
            return
        self._tell("", self._outbox.note)
        for name in due:
            if name not in self._sending:
                task = asyncio.create_task(self._deliver(name))
                self._sending[name] = task
                task.add_done_callback(lambda _, name=name: self._sending.pop(name, None))  # type: ignore[misc]

    def _tells(self, view: SeenView, now: float) -> bool:
        """Whether the view is one of now, and of all that can be seen."""
        if view.fallen or now - view.now > OLDEST_VIEW:
            return False
        patient = 0 <= now - self._opened_at < PATIENCE_SECONDS
        self._settled = self._settled or not patient or self._asked(view.snapshot)
        return self._settled

    def _has_news(self, view: SeenView, now: float) -> bool:
        """Whether something is otherwise than it was, or has lasted for another while."""
        signature = tuple((one.key, one.severity, one.solved_at) for one in view.diagnosis.problems)
        if signature == self._signature and 0 <= now - self._observed_at < TURN_SECONDS:
            return False
        self._signature, self._observed_at = signature, now
        return True

    async def settled(self) -> None:
        """Until nothing is being sent."""
        await asyncio.gather(*self._sending.values())

    # --- in the thread for files -------------------------------------------------------------------------------

    def _observe(self, view: SeenView, now: float) -> str:
        """Take in a view; returns what this terminal is to be sent."""
        self._read_secrets(now)
        if self._zones is None:
            self._zones = zones_of(self._settings)
        hold = self._holds(now)
        own, redact = self._own, view.redact
        known = view.diagnosis.gateway.state == "answering" and view.snapshot.gateway.deployments.value is not None
        seen = Seen(view.diagnosis, known, now, lambda text: own(redact(text)), hold)
        if self._far:
            self._outbox.observe(seen, self._far, self._zones, self._composed)
        return self._rung(seen)

    def _holds(self, now: float) -> bool:
        """Whether a restart is expected, or was a moment ago."""
        if self._restarting():
            # two looks may be further apart than usual
            calm = self._restart_at is None or not 0 <= now - self._restart_at < 6 * SETTLING_SECONDS
            self._restart_since = now if calm else self._restart_since
            self._restart_at = now
        if self._restart_at is None or not 0 <= now - self._restart_at < SETTLING_SECONDS:
            return False
        return now - self._restart_since < LONGEST_RESTART

    def _rung(self, seen: Seen) -> str:
        """What the terminal is sent: of what this console has seen begin, for all else is on its screen."""
        if not self._here or self._write is None:
            return ""
        self._standings = observed(self._standings, seen.diagnosis, seen.gateway_known, seen.now, seen.mask)
        if seen.hold:
            return ""
        found = []
        for name, rules in self._here.items():
            for decision in decide(self._standings, self._beliefs[name], rules, self._zones or {}, seen.now):
                self._beliefs[name][decision.standing.key] = believed(decision, seen.now)
                place = name, decision.standing.key
                if decision.event == "began" and decision.standing.since >= self._opened_at:
                    self._rang.add(place)
                if place in self._rang:
                    message = self._composed(decision, seen.now, "")
                    found.append(rung(self._settings.receivers[name].rings, message))
                if decision.event == "ended":
                    self._rang.discard(place)
        return "".join(found)

    def _read_secrets(self, now: float) -> None:
        if self._secrets_at is None or abs(now - self._secrets_at) >= _SECRETS_SECONDS:
            self._own, self._secrets_at = Redactor(secrets_of(self._settings, self._environ)), now

    def _composed(self, decision: Decision, now: float, identity: str) -> Message:
        standing = decision.standing
        ended = decision.event == "ended"
        return Message(
            id=identity, event=decision.event, gateway=self._gateway, address=self._address, host=self._host,
            key=standing.key, before=decision.before, title=standing.title, cause=standing.cause,
            severity=(decision.before or standing.severity) if ended else standing.severity,
            reason=standing.reason, do=standing.do, hit=standing.hit, subject=standing.subject, groups=standing.groups,
            since=standing.since, ended_at=(standing.ended_at or now) if ended else None, written_at=now,
        )  # fmt: skip

    # --- sending -----------------------------------------------------------------------------------------------

    async def _deliver(self, name: str) -> None:
        """Send what is due to one receiver, the oldest first, until something is not taken."""
        while True:
            try:
                address = await self._files.run(address_of, self._settings.receivers[name], self._environ)
                if isinstance(address, Failure):
                    # whoever has the address sends it
                    self._tell(name, f"{name}: {address.why}")
                    return
                claimed = await self._files.run(self._outbox.claim, name, self._clock())
                if claimed is None:
                    return
                whole = [claimed]
                if is_read_by_people(address.receiver):
                    whole = await self._files.run(self._outbox.claim_with, claimed, name, self._clock(), together)
                result = await self._sent(address, digest([one.message for one in whole]))
                await self._files.run(self._note, whole, result)
            except (sqlite3.Error, OSError) as error:
                self._tell("", f"{self._outbox.path}: {_words_of(error)}")
                return
            if result.why and not (result.never and claimed.attempts + 1 >= MOST_REFUSED):
                tried = count(claimed.attempts + 1, "time")
                self._tell(name, f"{name} ({address.shown}): {result.why}, tried {tried}; it is tried again")
                return
            self._tell(name, f"{name} ({address.shown}) refuses a message: {result.why}" if result.why else "")

    async def _sent(self, address: Address, message: Message) -> Result:
        result = await guarded_async(self._send(address, message))
        return Result(result.why) if isinstance(result, Crashed) else result

    def _note(self, whole: Sequence[Claimed], result: Result) -> None:
        now, attempts = self._clock(), whole[0].attempts + 1
        for claimed in whole:
            if not result.why:
                self._outbox.done(claimed.number, now)
            elif result.never and attempts >= MOST_REFUSED:
                self._outbox.done(claimed.number, now, "refused", result.why)
            else:
                self._outbox.failed(claimed.number, now, result.why, max(pause(attempts), result.wait))

    def _tell(self, name: str, words: str) -> None:
        """Say what cannot be done, once for as long as it is so."""
        # the number of attempts alone is no news
        brief = words.partition(", tried")[0]
        if words and self._told.get(name) != brief:
            self._warn(f"notify: {words}")
        self._told[name] = brief


def gateway_words(profile: Profile) -> str:
    """The gateway for people who do not see it: the profile's name, or host and address."""
    return profile.name if profile.name not in ("", "discovered") else f"{profile.host} {profile.address}"


def _is_restarting(profile: Profile) -> bool:
    # of all that changes the world only who is at it
    from litellm_tui.actions.transaction.record import RestartLock

    return RestartLock.of(profile).held() is not None


def _words_of(error: sqlite3.Error | OSError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
