"""`litellm-tui --plain`: the console as lines, for screen readers and for terminals that can only print.

How everything stands is printed once, then a line for each change; nothing that stands on the screen is ever painted
over. Enter says again how everything stands, q ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from litellm_tui.analysis.health.asked import all_asked
from litellm_tui.analysis.health.unnamed_failures import all_clear
from litellm_tui.analysis.phrases import age
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.commands.until_ended import ended_by_signals, until_ended
from litellm_tui.logs.log_line import clean
from litellm_tui.model.diagnosis import Diagnosis, Problem, Verdict
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import Settings
from litellm_tui.ui.session import Session
from litellm_tui.ui.view import Notation, View

# what is wrong in the first seconds may only not have been asked yet
PATIENCE_SECONDS: Final = 6.0
KEYS: Final = (
    "Enter says how everything stands, p the problems in full, q ends. What is to be done has commands of its own: "
    "litellm-tui --help names them."
)


def plain_console(
    profile: Callable[[], Profile] | Profile, settings: Settings, title: str = "", *, memory: bool = True
) -> int:
    """Print until q, the end of the input, or a signal; 0. `title` stands first in what is printed."""
    found = say_which(profile if isinstance(profile, Profile) else profile())
    return asyncio.run(_run(found, settings, title, memory))


async def _run(profile: Profile, settings: Settings, title: str, memory: bool) -> int:
    ended = ended_by_signals()
    notation = Notation(ascii=settings.draws_ascii, utc=settings.utc)
    session = Session(profile, notation, title, memory=memory, records=memory)
    talk = Talk(_printer(settings.draws_ascii), title)
    for failure in await session.open():
        print(f"litellm-tui: {clean(failure)}", file=sys.stderr)
    with _keys(talk.pressed, ended.set):
        await until_ended(session, ended, session.run(talk.take), talk.run())
    return 0


class Told(NamedTuple):
    """What of a view has been said: a change of it is said too."""

    word: str
    advice: str
    problems: dict[str, Problem]
    deployments: dict[str, tuple[str, Verdict]]
    parts: dict[str, Verdict]
    drift: bool


class Talk:
    """Says what a session sees with `say`, a line at a time, as far as it has changed."""

    def __init__(self, say: Callable[[str], None], title: str = "") -> None:
        self._say, self._title = say, title
        self._view: View | None = None
        self._told: Told | None = None
        self._since: float | None = None

    def take(self, view: View) -> None:
        """This is the newest view."""
        self._since = time.monotonic() if self._since is None else self._since
        self._view = view
        if self._told is None:
            if all_asked(view.snapshot) or time.monotonic() - self._since >= PATIENCE_SECONDS:
                self._state(view)
                self._line(KEYS)
            return
        told = told_of(view.diagnosis)
        for line in changes(self._told, told):
            self._line(f"{view.clock(view.now)} {line}")
        self._told = told

    async def run(self) -> None:
        """Say how it stands also where nothing more comes; then for ever."""
        while self._told is None:
            await asyncio.sleep(0.5)
            if self._view is not None:
                self.take(self._view)
        await asyncio.Event().wait()

    def pressed(self, key: str) -> None:
        """What somebody wants to hear again."""
        if self._view is None:
            self._line("nothing is known yet: the gateway is being asked")
        elif key == "p":
            for line in problems(self._view, in_full=True):
                self._line(line)
        elif key in ("\n", "\r", " "):
            self._state(self._view)
        else:
            self._line(KEYS)

    def _state(self, view: View) -> None:
        self._told = told_of(view.diagnosis)
        for line in state(view, self._title):
            self._line(line)

    def _line(self, line: str) -> None:
        self._say(clean(self._view.redact(line) if self._view is not None else line).replace("\n", " "))


def told_of(diagnosis: Diagnosis) -> Told:
    """What a change of is said. Times, counts and rates alone are none."""
    return Told(
        diagnosis.headline.word,
        diagnosis.headline.advice,
        {one.key: one for one in diagnosis.problems},
        {one.key: (f"{one.group}, {one.model}", one.verdict) for one in diagnosis.deployments},
        {
            "gateway": diagnosis.gateway, "service": diagnosis.service, "cache": diagnosis.cache,
            "database": diagnosis.database,
        },
        bool(diagnosis.drift),
    )  # fmt: skip


def changes(before: Told, now: Told) -> Iterator[str]:
    """A line for each, the state of the whole first."""
    if now.word != before.word:
        yield f"{before.word} is now {now.word}"
    for key, problem in now.problems.items():
        earlier = before.problems.get(key)
        lasts, lasted = problem.solved_at is None, earlier is not None and earlier.solved_at is None
        if lasts and not lasted:
            yield f"{_kind(problem)}: {_problem(problem)}"
        elif lasted and not lasts:
            yield f"over: {problem.title}: {problem.cause}"
        elif lasts and earlier is not None and (problem.cause, problem.severity) != (earlier.cause, earlier.severity):
            yield f"{_kind(problem)} has changed: {_problem(problem)}"
    for key, earlier in before.problems.items():
        if key not in now.problems and earlier.solved_at is None:
            yield f"over: {earlier.title}: {earlier.cause}"
    for key, (name, verdict) in now.deployments.items():
        known = before.deployments.get(key)
        if known is None:
            yield f"model {name} is there now: {_verdict(verdict)}"
        elif known[1].state != verdict.state:
            yield f"model {name}: {known[1].state} is now {_verdict(verdict)}"
    for key, (name, _) in before.deployments.items():
        if key not in now.deployments:
            yield f"model {name} is gone"
    for name, verdict in now.parts.items():
        if verdict.state != before.parts[name].state:
            yield f"{name}: {before.parts[name].state} is now {_verdict(verdict)}"
    if now.drift != before.drift:
        yield "the file has changed and is not applied" if now.drift else "the file is what runs"
    if now.advice != before.advice and now.advice:
        yield f"next: {now.advice}"


def state(view: View, title: str = "") -> Iterator[str]:
    """How everything stands: what it is, what is wrong, then what is as it should be."""
    diagnosis, profile = view.diagnosis, view.profile
    readiness = view.snapshot.gateway.readiness.value
    version = f"LiteLLM {readiness.version}" if readiness and readiness.version else "LiteLLM"
    marks = ["PRODUCTION"] * profile.production + ["READ-ONLY"] * profile.read_only
    unit = [profile.unit.value] if profile.unit else []
    yield ", ".join(filter(None, [title, profile.simulated, *marks, profile.host, profile.address, version, *unit]))
    yield f"{view.clock(view.now)} {diagnosis.headline.word}: " + ", ".join(p.text for p in diagnosis.headline.parts)
    if diagnosis.headline.advice:
        yield f"next: {diagnosis.headline.advice}"
    yield from problems(view)
    for deployment in diagnosis.deployments:
        yield f"model {deployment.group}, {deployment.model}: {_verdict(deployment.verdict)}"
    for name, verdict in told_of(diagnosis).parts.items():
        yield f"{name}: {_verdict(verdict)}"
    if diagnosis.drift:
        yield "the file has changed and is not applied"
    for spot in diagnosis.blind_spots:
        yield f"cannot be seen here: {spot.what}. {spot.mend}"


def problems(view: View, *, in_full: bool = False) -> Iterator[str]:
    """What lasts, worst first."""
    lasting = [one for one in view.diagnosis.problems if one.solved_at is None]
    wrong = [one for one in lasting if one.severity in ("bad", "warn")]
    if not wrong:
        yield all_clear(lasting)
    for number, problem in enumerate(wrong, 1):
        since = f", since {age(view.now - problem.since)}" if problem.since is not None else ""
        yield f"{_kind(problem)} {number} of {len(wrong)}: {_problem(problem)}{since}"
        if in_full:
            yield from (f"{name}: {text}" for name, text in (("because", problem.reason), ("hit", problem.hit)) if text)
    for note in lasting:
        if note not in wrong:
            yield f"worth knowing: {note.title}: {note.cause}. {note.reason}"


def _kind(problem: Problem) -> str:
    return {"bad": "problem", "warn": "warning"}.get(problem.severity, "worth knowing")


def _problem(problem: Problem) -> str:
    return f"{problem.title}: {problem.cause}" + (f". Next: {problem.do}" if problem.do else "")


def _verdict(verdict: Verdict) -> str:
    said = verdict.brief or verdict.reason
    return f"{verdict.state}: {said}" if said else verdict.state


def _printer(ascii_only: bool) -> Callable[[str], None]:
    def printed(line: str) -> None:
        if ascii_only:
            from litellm_tui.ui.signs import to_ascii

            line = to_ascii(line).encode("ascii", "replace").decode()
        print(line, flush=True)

    return printed


@contextlib.contextmanager
def _keys(pressed: Callable[[str], None], end: Callable[[], None]) -> Iterator[None]:
    """Within it each key is taken at once where the input is a terminal, and each letter where it is another one."""
    loop, file = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(file) if os.isatty(file) else None
    if before is not None:
        # the interrupt stays what it is
        tty.setcbreak(file, termios.TCSADRAIN)

    def read() -> None:
        data = os.read(file, 256)
        if not data:
            loop.remove_reader(file)
            end()
        for key in data.decode("ascii", "replace"):
            if key in ("q", "Q", "\x04"):
                end()
            else:
                pressed(key)

    # a file, or /dev/null, cannot be waited for: nobody types there
    with contextlib.suppress(OSError):
        loop.add_reader(file, read)
    try:
        yield
    finally:
        loop.remove_reader(file)
        if before is not None:
            termios.tcsetattr(file, termios.TCSADRAIN, before)
