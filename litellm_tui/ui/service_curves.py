"""What the runs of the service took in the last half hour, as curves: a cell a minute, a stroke where a run begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from litellm_tui.analysis.health.headline import sparkline
from litellm_tui.analysis.phrases import age, count, size
from litellm_tui.model.service import Service
from litellm_tui.model.service_minutes import ServiceMinute
from litellm_tui.ui.view import View

MINUTES: Final = 30
# the same in every set of signs, and lower than no bar
RUN_BEGINS: Final = "|"
_FIGURE: Final = 8


def curve_rows(view: View, service: Service) -> Iterator[tuple[str, str, str]]:
    """`(name, figure of now and curve, a remark)` of memory, processor and runs, as far as they are known."""
    now = int(view.now // 60)
    minutes = {m.minute: m for m in view.snapshot.service_minutes if now - MINUTES < m.minute <= now}
    runs = service.active_state == "active"
    sizes = [m.memory for m in minutes.values() if m.memory is not None]
    if service.memory is not None or sizes:
        figure = size(service.memory) if service.memory is not None else "-"
        # what little it moves is not stretched to the whole height: it begins at nothing
        curve = _curve(minutes, now, lambda m: m.memory, max(sizes, default=0))
        spans = f"{size(min(sizes))} to {size(max(sizes))}" if sizes and min(sizes) != max(sizes) else ""
        yield "memory", f"{figure:<{_FIGURE}}  {curve}".rstrip(), spans
    elif runs:
        yield "memory", "not known", ""
    shares = [m.cpu for m in minutes.values() if m.cpu is not None]
    if service.cpu_percent is not None or shares:
        figure = f"{service.cpu_percent:.0f} %" if service.cpu_percent is not None else "-"
        curve = _curve(minutes, now, lambda m: m.cpu, max(100.0, *shares, 0.0))
        most = f"at most {max(shares):.0f} %" if shares else ""
        yield "processor", f"{figure:<{_FIGURE}}  {curve}".rstrip(), most
    begun = [m.began for m in minutes.values() if m.began is not None]
    if begun:
        when = f"the last began {age(view.now - begun[-1])} ago, {view.clock(begun[-1])}"
        yield "runs", f"{count(len(begun) + 1, 'run')} in {count(_seen(minutes, now), 'minute')}", when


def _seen(minutes: Mapping[int, ServiceMinute], now: int) -> int:
    return now - min(minutes) + 1


def _curve(
    minutes: Mapping[int, ServiceMinute], now: int, of: Callable[[ServiceMinute], float | None], most: float
) -> str:
    """The minutes from the first that was seen to this one; a blank where nothing is known."""
    if not minutes:
        return ""
    signs = []
    for number in range(now - _seen(minutes, now) + 1, now + 1):
        minute = minutes.get(number)
        value = of(minute) if minute else None
        if minute is not None and minute.began is not None:
            signs.append(RUN_BEGINS)
        else:
            signs.append(" " if value is None else sparkline([round(value)], max(1, round(most))))
    return "".join(signs)
