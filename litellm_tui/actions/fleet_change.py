"""A change of a group carried out: tried out on each member, then one after another with proof.

What is done on a member is done by the litellm-tui there, in a transaction of its own, under the id of the change: it
goes on where the link is lost, and is asked for again, not done again. Where it stands is on the disk here before each
order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

import msgspec

from litellm_tui.analysis.fleet.link_states import link_failure
from litellm_tui.analysis.phrases import shortened
from litellm_tui.host.command import Done
from litellm_tui.host.far_child import ask
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure
from litellm_tui.model.fleet import LinkFailure, Member
from litellm_tui.model.fleet_change import FleetChange, MemberChange, MemberStage
from litellm_tui.storage.fleet_changes import FleetChanges
from litellm_tui.target.far_side import member_words, members
from litellm_tui.target.settings import Settings

# a rehearsal is ended after four minutes; another release has to be brought there first
TRY_SECONDS: Final = 1800.0
TURN_SECONDS: Final = 3600.0
# for so long a host whose link was lost is asked again for what came of its turn
PATIENCE_SECONDS: Final = 300.0
_AGAIN_SECONDS: Final = 3.0
_AT_ONCE: Final = 8
_LONGEST: Final = 400
_STAGES: Final[dict[int, MemberStage]] = {0: "applied", 1: "rolled back", 2: "refused", 3: "failed"}
# the connection was not made, or not kept: it may be made again
_PASSING: Final = ("link lost", "host down", "slow link", "link failed", "no such host")
# with these an order may have been given
_MAY_HAVE_BEGUN: Final = ("link lost", "program failed")


class FleetChanging:
    """One run over a change, a new one or one that was interrupted. `run` is called once."""

    def __init__(self, settings: Settings, change: FleetChange, store: FleetChanges, content: bytes | None) -> None:
        self.change = change
        self._settings, self._store, self._content = settings, store, content
        self._members = {member.name: member for member in members(settings)}
        self._news: asyncio.Queue[MemberChange] = asyncio.Queue()

    async def run(self) -> AsyncGenerator[MemberChange, None]:
        """Each member each time that it stands elsewhere. Left early, it leaves what is ordered to the hosts."""
        work = asyncio.ensure_future(self._carried_out())
        try:
            while not work.done() or not self._news.empty():
                waiting = asyncio.ensure_future(self._news.get())
                await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    yield waiting.result()
                waiting.cancel()
            work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _carried_out(self) -> None:
        begun = self.change.stages() & {"its turn", "applied", "rolled back", "failed"}
        if self.change.rehearsal and not begun and not await self._tried_on_all():
            return
        names = [member.name for member in self.change.members if member.stage in ("waiting", "rehearsed", "its turn")]
        if self.change.parallel:
            await asyncio.gather(*map(self._turn, names))
            failed = [m for m in self.change.members if m.stage != "applied"]
        else:
            failed = []
            # what was under way when it was interrupted comes first
            for name in sorted(names, key=lambda name: self._member(name).stage != "its turn"):
                await self._turn(name)
                if self._member(name).stage != "applied":
                    failed = [self._member(name)]
                    break
        if failed:
            self._stop("; ".join(f"{one.name}: {one.stage}" for one in failed))

    def _stop(self, why: str) -> None:
        self.change = msgspec.structs.replace(self.change, stopped=why)

    # --- trying it out -----------------------------------------------------------------------------------------------

    async def _tried_on_all(self) -> bool:
        gate = asyncio.Semaphore(_AT_ONCE)
        # two gateways of one machine are not rehearsed at once: it may have memory for one
        hosts: dict[str, asyncio.Lock] = {}

        async def one(member: MemberChange) -> bool:
            async with gate, hosts.setdefault(member.where, asyncio.Lock()):
                return await self._tried(member.name)

        waiting = [member for member in self.change.members if member.stage == "waiting"]
        well = await asyncio.gather(*map(one, waiting))
        if all(well):
            return True
        bad = [member.name for member, passed in zip(waiting, well, strict=True) if not passed]
        self._stop(f"nothing was changed anywhere: it was not passed on {', '.join(bad)}")
        return False

    async def _tried(self, name: str) -> bool:
        began = time.monotonic()
        found = await self._asked(name, self._trying(), TRY_SECONDS)
        took = time.monotonic() - began
        if isinstance(found, LinkFailure):
            await self._stands(name, "waiting", found.why, took)
            return False
        document, status = _document(found), found.status
        text = _text(document, found)
        passed = status == 0 or document.get("outcome") == "not possible"
        await self._stands(name, "rehearsed" if passed else "refused", text, took)
        return passed

    def _trying(self) -> list[str]:
        change = self.change
        if change.order == "apply":
            return ["apply", "-", "--rehearse", "--json"]
        if change.order == "upgrade":
            return ["upgrade", change.version, "--rehearse", *self._backup(), "--json"]
        return ["rehearse", "--yes", "--json"]

    def _backup(self) -> list[str]:
        return ["--database-is-backed-up"] if self.change.backed_up else []

    # --- the turn of one ---------------------------------------------------------------------------------------------

    async def _turn(self, name: str) -> None:
        before = self._member(name).stage
        await self._stands(name, "its turn", "", None)
        change = self.change
        words = ["turn", change.id, change.order, *([change.version] if change.version else []), *self._backup()]
        began = time.monotonic()
        found = await self._asked(name, words, TURN_SECONDS)
        if isinstance(found, LinkFailure) and before != "its turn" and found.state not in _MAY_HAVE_BEGUN:
            # it was not reached, so nothing was ordered there
            await self._stands(name, "refused", f"not ordered: {found.why}", None)
            return
        while isinstance(found, LinkFailure) and found.state in _PASSING:
            if time.monotonic() - began > PATIENCE_SECONDS:
                break
            await self._stands(name, "its turn", f"{found.why}; what was ordered goes on there", None)
            await asyncio.sleep(_AGAIN_SECONDS)
            found = await self._asked(name, words, TURN_SECONDS)
        took = time.monotonic() - began
        if isinstance(found, LinkFailure):
            await self._stands(name, "its turn", f"what came of it is not known: {found.why}", took)
            return
        stage = _STAGES.get(found.status, "failed")
        await self._stands(name, stage, _text(_document(found), found), took)

    # --- what they are made of ---------------------------------------------------------------------------------------

    async def _asked(self, name: str, words: Sequence[str], seconds: float) -> Done | LinkFailure:
        member = self._members.get(name) or Member(name)
        given = self._content if self.change.order == "apply" else None
        found = await ask(member.ssh, member_words(member, self._settings, *words), seconds, given=given)
        if isinstance(found, Done) and found.status > 3 and not _document(found):
            return link_failure(member.ssh or "this machine", found.status, found.error, connected=True)
        return found

    def _member(self, name: str) -> MemberChange:
        return next(member for member in self.change.members if member.name == name)

    async def _stands(self, name: str, stage: MemberStage, text: str, took: float | None) -> None:
        """Note it, on the disk first."""
        shown = shortened(clean(text).replace("\n", " "), _LONGEST)
        member = msgspec.structs.replace(self._member(name), stage=stage, text=shown, took=took)
        changed = tuple(member if one.name == name else one for one in self.change.members)
        self.change = msgspec.structs.replace(self.change, members=changed)
        failure = await asyncio.to_thread(self._store.write, self.change)
        if isinstance(failure, Failure):
            raise RuntimeError(failure.why)
        self._news.put_nowait(member)


def _document(found: Done) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(found.output.encode())
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _text(document: dict[str, Any], found: Done) -> str:
    """What it says of itself, in one sentence."""
    told = {key: value for key, value in document.items() if isinstance(value, str)}
    if text := told.get("text"):
        return text
    if outcome := told.get("outcome"):
        return f"{outcome}: {told['cause']}" if told.get("cause") else outcome
    plan = document.get("plan")
    if isinstance(plan, dict) and isinstance(refusals := plan.get("refusals"), list) and refusals:
        return "; ".join(str(one) for one in refusals)
    return found.first_error or f"it ended with {found.status}"
