"""Texts about the ends of a service's runs, and how frequent they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from litellm_tui.analysis.phrases import age, count
from litellm_tui.model.service import Exit

_SPANS: Final = (("hour", 3600.0), ("day", 86400.0), ("week", 7 * 86400.0))
_RESULTS: Final = {
    "timeout": "did not start or stop in time",
    "watchdog": "its watchdog ran out",
    "start-limit-hit": "started too often in a short time",
    "resources": "systemd could not start it: resources",
    "protocol": "it did not say that it was ready",
}


def describe_exit(exit: Exit) -> str:
    """How this run ended, how long it had lasted, and what followed."""
    words = [_how_it_ended(exit)]
    if exit.began is not None:
        words[0] += f" after {age(max(0.0, exit.at - exit.began))}"
    if exit.given_up:
        words.append(f"{exit.keeper} gave up: too many starts in a short time")
    elif exit.again:
        words.append(f"started again by {exit.keeper}")
    return "; ".join(words)


def was_unwanted(exit: Exit) -> bool:
    """Whether the run ended by itself or for lack of memory, not by an order or a reboot."""
    return exit.by in ("", "memory")


def frequency(exits: Iterable[Exit], now: float) -> str:
    """The number of unwanted ends: `3 times in the last hour, 5 in the last week`; empty when there are none."""
    moments = [exit.at for exit in exits if was_unwanted(exit)]
    parts: list[str] = []
    before = 0
    for name, seconds in _SPANS:
        number = sum(now - at <= seconds for at in moments)
        if number > before:
            parts.append(f"{f'{number:,}' if parts else count(number, 'time')} in the last {name}")
        before = number
    return ", ".join(parts)


def _how_it_ended(exit: Exit) -> str:
    signal = (exit.name and f"SIG{exit.name.removeprefix('SIG')}") or f"signal {exit.status}"
    match exit.by:
        case "memory":
            return "out of memory: killed by the kernel"
        case "reboot":
            return "the machine was restarted"
        case "order":
            return f"stopped by order, had to be killed ({signal})" if exit.result == "timeout" else "stopped by order"
    if exit.code == "exited":
        name = f" ({exit.name})" if exit.name and exit.name != "FAILURE" else ""
        return f"ended with status {exit.status}{name}" if exit.status else "ended by itself"
    if exit.code in ("killed", "dumped"):
        return f"{'crashed' if exit.code == 'dumped' else 'killed'} by {signal}"
    return _RESULTS.get(exit.result, f"failed: {exit.result}" if exit.result else "ended")
