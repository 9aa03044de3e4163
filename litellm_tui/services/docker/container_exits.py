"""How the runs of a container ended, from the engine's events, and the last of them from its state.

The engine keeps its last 256 events in memory (moby, `daemon/events`), of all containers, the runs of their own checks
among them: they reach back not far, and never behind the engine's own start.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from litellm_tui.model.failures import Malformed
from litellm_tui.model.service import Exit
from litellm_tui.services.docker import docker_cli
from litellm_tui.services.docker.container_state import SIGNALLED

# asked for: what begins and ends a run, and why it ended
KINDS: Final = ("start", "kill", "oom", "die")
# an event that follows its cause at once
_TOGETHER_SECONDS: Final = 60.0
_KILLED: Final = str(int(signal.SIGKILL))


class _Actor(msgspec.Struct):
    attributes: dict[str, str] = msgspec.field(default_factory=dict, name="Attributes")
    id: str = msgspec.field(default="", name="ID")


class Event(msgspec.Struct):
    """One event of a container. `at` is in nanoseconds since the epoch."""

    action: str = msgspec.field(default="", name="Action")
    actor: _Actor = msgspec.field(default_factory=_Actor, name="Actor")
    at: int = msgspec.field(default=0, name="timeNano")


def parse_events(said: str) -> list[Event] | Malformed:
    """The events that the engine sends, and its client prints, one a line."""
    try:
        return [msgspec.json.decode(line, type=Event) for line in said.splitlines() if line.strip()]
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"the Docker engine described its events in another way than is known ({error})")


def exits_of(events: Iterable[Event], found: docker_cli.Container) -> tuple[Exit, ...]:
    """The ended runs of all containers of this name, the newest last. The state tells of the last where no event does.

    The engine's filter takes what only begins with the name, too.
    """
    name = found.name.lstrip("/")
    ends: list[Exit] = []
    began: float | None = None
    signals: list[str] = []
    out_of_memory = False
    mine = (event for event in events if event.actor.attributes.get("name") == name)
    for event in sorted(mine, key=lambda event: event.at):
        at = event.at / 1e9
        match event.action:
            case "start":
                if ends and ends[-1].by != "order" and at - ends[-1].at <= _TOGETHER_SECONDS:
                    ends[-1] = msgspec.structs.replace(ends[-1], again=True)
                began, signals, out_of_memory = at, [], False
            case "kill":
                signals.append(event.actor.attributes.get("signal", ""))
            case "oom":
                out_of_memory = True
            case "die":
                ends.append(_exit(at, began, event.actor.attributes.get("exitCode", ""), signals, out_of_memory))
                began, signals, out_of_memory = None, [], False
            case _:
                pass
    return tuple(_with_state(ends, found))


def _exit(at: float, began: float | None, code: str, signals: list[str], out_of_memory: bool) -> Exit:
    status = int(code) if code.isdecimal() and len(code) < 9 else 0
    how, number, name = _ending(status)
    by: Literal["", "order", "memory"] = "memory" if out_of_memory else "order" if signals else ""
    # asked to end, and killed when it did not
    late = len(signals) > 1 and signals[-1] == _KILLED
    return Exit(at, began, how, number, name, "timeout" if late else "", by, keeper="Docker")


def _ending(status: int) -> tuple[str, int, str]:
    if status not in SIGNALLED:
        return "exited", status, ""
    try:
        name = signal.Signals(status - 128).name.removeprefix("SIG")
    except ValueError:
        name = ""
    return "killed", status - 128, name


def _with_state(ends: list[Exit], found: docker_cli.Container) -> list[Exit]:
    """The end that the container's state tells of, where the events no longer have it."""
    state = found.state
    at = docker_cli.parse_time(state.finished_at)
    if at is None or state.status not in ("exited", "dead") or any(abs(end.at - at) < 1 for end in ends):
        return ends
    how, number, name = _ending(state.exit_code)
    last = Exit(
        at, docker_cli.parse_time(state.started_at), how, number, name, "", "memory" if state.oom_killed else "",
        keeper="Docker",
    )  # fmt: skip
    return sorted([*ends, last], key=lambda end: end.at)
