"""Looking at a rehearsal with the monitor, the diagnosis and the proof of a restart, and what was seen in words."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import msgspec

from litellm_tui.actions.transaction.events import Seen
from litellm_tui.actions.transaction.messages import last_words, told_checks
from litellm_tui.actions.transaction.monitor_observer import MonitorObserver
from litellm_tui.actions.transaction.watch import PROOF_SECONDS, Watch
from litellm_tui.analysis.change.proof import ProofCheck, why_unproved
from litellm_tui.analysis.change.rehearsed import differences, place_named, place_of_end
from litellm_tui.analysis.phrases import shortened
from litellm_tui.logs.store import RANK
from litellm_tui.model.configuration import ConfigFile, Mark
from litellm_tui.model.diagnosis import Deployment
from litellm_tui.model.found import Found
from litellm_tui.model.reading import is_silence
from litellm_tui.model.rehearsal import Rehearsal, RehearsalOrder, RehearsalOutcome, RehearsalRun
from litellm_tui.model.service import Variable
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.target.profile import Profile, Secret

_MOST_WARNINGS: Final = 20
_LONGEST: Final = 300
_LOG_RECORDS: Final = 12
# the last lines of what ended are read within this time
_LAST_LINES_SECONDS: Final = 1.0
# the settings of its router are read a little later than what it has loaded
_SETTINGS_SECONDS: Final = 5.0
NOT_COMPARED: Final = "the router's settings are not compared with what runs: they were not told in time"
_PAUSE: Final = 0.1
# the address is meant as it is: nothing is looked for elsewhere
_GIVEN: Final = "--url"


class Look(NamedTuple):
    """What is looked at: `run` was started for `order`, from `file`, beside the gateway that `running` looks at.

    Its log is read from the time `ordered` on, in seconds since the epoch: it may have ended before it is looked at.
    """

    profile: Profile
    file: ConfigFile
    environment: Mapping[str, Variable]
    order: RehearsalOrder
    run: RehearsalRun
    probes: tuple[str, ...]
    running: Callable[[], Seen | None]
    database: bool = False
    ordered: float | None = None


class _Figures:
    """What is counted from one snapshot to the next."""

    def __init__(self) -> None:
        self.began = time.time()
        self.memory = 0
        self.answered: float | None = None
        self.up = self.ended = False

    def take(self, snapshot: Snapshot) -> None:
        service, liveliness = snapshot.service.value, snapshot.gateway.liveliness
        self.memory = max(self.memory, (service.memory or 0) if service else 0)
        if service is not None:
            self.up = self.up or service.active_state == "active"
            # what has run and does not any more: nobody starts it again
            self.ended = self.up and service.active_state == "inactive"
        if self.answered is None and liveliness.failure is None and liveliness.value is not None:
            self.answered = liveliness.seen_at


async def look_at(look: Look, tell: Callable[[str], None]) -> Rehearsal:
    """Look until it is proved, has failed, or its time is over."""
    profile, figures = profile_of(look), _Figures()
    async with _monitoring(profile, figures) as (monitor, observer):
        watch = Watch(profile, observer)
        expected = msgspec.structs.replace(watch.expected(figures.began), loaded=_loaded(look), connected=look.database)
        checks: tuple[ProofCheck, ...] = ()
        async for checks in watch.proof(expected):
            tell(told_checks(checks))
            if figures.ended:
                break
        outcome, why = judge(checks, ended=figures.ended)
        failed = why.replace(profile.unit.value if profile.unit else "", "the rehearsal")
        if failed:
            await asyncio.sleep(_LAST_LINES_SECONDS)
        else:
            await _settings_read(observer, look.running)
        seen, runs = observer.seen(), look.running()
        log = await watch.log_since(figures.began if look.ordered is None else look.ordered)
        warnings = tuple(_warnings(monitor))
        probes = tuple(monitor.probes.values())
    rows, readiness = seen.diagnosis.deployments, seen.snapshot.gateway.readiness.value
    missing = _missing(rows)
    named = [name for name in _dropped(seen.snapshot) if not any(f"({name})" in text for text in missing)]
    dropped = tuple(dict.fromkeys((*missing, *named))) if figures.answered else ()
    cause = "; ".join(filter(None, (failed, last_words(log, failed) if failed else "")))
    mark = _mark(look.file, rows, seen.snapshot, failed, log) if outcome == "refused" else None
    return Rehearsal(
        outcome=outcome,
        cause=cause,
        mark=mark,
        ready=figures.answered - figures.began if figures.answered else None,
        memory=figures.memory or None,
        loaded=tuple(f"{row.group} ({row.model})" for row in rows if row.loaded),
        dropped=dropped,
        warnings=warnings,
        differs=differences(runs.snapshot, seen.snapshot) if runs and not failed else (),
        left_out=(NOT_COMPARED,) if runs and not failed and not (_tells(runs) and _tells(seen)) else (),
        probes=probes,
        log=log[-_LOG_RECORDS:] if failed else (),
        version=(readiness.version or "") if readiness else "",
        digest=look.file.digest,
    )


def judge(checks: tuple[ProofCheck, ...], *, ended: bool) -> tuple[RehearsalOutcome, str]:
    """What the last checks make of it, and why. One that neither failed nor ended was only too slow to be judged."""
    why = why_unproved(checks)
    if not why:
        return "passed", ""
    if ended or any(check.state == "failed" for check in checks):
        return "refused", why
    return "not judged", f"it could not be judged within {PROOF_SECONDS:g} s: {why}"


def profile_of(look: Look) -> Profile:
    """The profile of what is rehearsed: what it names can be looked at like any other gateway."""
    profile, target = look.profile, look.run.target
    key = _key(look) or profile.key
    return msgspec.structs.replace(
        profile,
        url=Found(look.run.url, _GIVEN),
        # the derived copy: whatever the original has switched on is not asked of it
        config=Found(look.order.derived, "the rehearsal"),
        unit=Found(target.name, "the rehearsal"),
        scope=target.scope,
        service=target.settings,
        tools=msgspec.structs.replace(profile.tools, redis=False, postgres=False),
        environment=look.environment,
        environment_files=(),
        key=key,
        found_unit=None,
        health_url=None,
        probes=look.probes,
        ask_database=False,
        again=None,
        choose=None,
        discovery=None,
    )


def _key(look: Look) -> Secret | None:
    """The master key that the rehearsed file names."""
    value = look.file.section("general_settings").get("master_key")
    if isinstance(value, str) and value.startswith("os.environ/"):
        variable = look.environment.get(value.removeprefix("os.environ/"))
        return Secret(variable.value) if variable else None
    if isinstance(value, str) and value:
        return Secret(value)
    variable = look.environment.get("LITELLM_MASTER_KEY")
    return Secret(variable.value) if variable else None


@asynccontextmanager
async def _monitoring(profile: Profile, figures: _Figures) -> AsyncIterator[tuple[Monitor, MonitorObserver]]:
    monitor = Monitor(profile, figures.take)
    running = asyncio.create_task(monitor.run())
    try:
        yield monitor, MonitorObserver(monitor, running)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _settings_read(observer: MonitorObserver, running: Callable[[], Seen | None]) -> None:
    """Wait a little for what the proof does not need, and the comparison with what runs does: of both."""
    since, end = time.time(), time.monotonic() + _SETTINGS_SECONDS
    observer.look_now()
    while time.monotonic() < end:
        seen, runs = observer.seen(), running()
        # whoever refuses them now refuses them later; what runs is looked at all the time, at its own pace
        if _router_read(seen, since) and (runs is None or _router_read(runs, 0.0)):
            return
        await asyncio.sleep(_PAUSE)


def _router_read(seen: Seen, since: float) -> bool:
    """Whether the settings of the router are known, or were asked for since then."""
    router = seen.snapshot.gateway.router
    return router.value is not None or (router.tried_at or 0.0) > since


def _tells(seen: Seen) -> bool:
    """Whether the settings of the router are known, or are not to be had; without an answer they are neither."""
    router = seen.snapshot.gateway.router
    return router.value is not None or not (router.failure is None or is_silence(router.failure))


def _loaded(look: Look) -> int:
    seen = look.running()
    return len(seen.snapshot.gateway.deployments.value or ()) if seen else 0


def _missing(rows: Iterable[Deployment]) -> list[str]:
    return [f"{row.group} ({row.model})" for row in rows if row.file and not row.loaded]


def _dropped(snapshot: Snapshot) -> list[str]:
    return [notice.name for notice in snapshot.traffic.notices if notice.kind == "dropped"]


def _warnings(monitor: Monitor) -> Iterable[str]:
    """What its log warns of, each once, without what only repeats."""
    texts = [
        shortened(record.text.strip().partition("\n")[0], _LONGEST)
        for record in monitor.store.since(0)
        if RANK[record.level] >= RANK["WARNING"] and not record.own and record.source != "systemd"
    ]
    return list(dict.fromkeys(filter(None, texts)))[:_MOST_WARNINGS]


def _mark(
    file: ConfigFile, rows: tuple[Deployment, ...], snapshot: Snapshot, failed: str, log: tuple[str, ...]
) -> Mark | None:
    """The place in the operator's own file that it failed on; the derived copy has its entries in the same order."""
    own = {deployment.index: deployment.mark for deployment in file.deployments}
    if snapshot.gateway.deployments.value:
        lost = [row.file.index for row in rows if row.file and not row.loaded]
        if lost and lost[0] in own:
            return own[lost[0]]
    for name in _dropped(snapshot):
        entries = [entry for entry in file.deployments if entry.model == name]
        if entries:
            return entries[0].mark
    return place_of_end(file, log) or place_named(file, failed)
