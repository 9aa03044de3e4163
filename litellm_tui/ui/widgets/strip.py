"""The service strip at the bottom, with the keys that matter beside it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len

from litellm_tui.analysis.phrases import count, size
from litellm_tui.snapshot import Service
from litellm_tui.ui.keys import KEYS
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import wrap
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell


class ServiceStrip(Lines, can_focus=False):
    """One line where both halves fit, two where they do not."""

    def __init__(self) -> None:
        super().__init__(id="strip")

    def draw(self, view: View) -> None:
        """Show this view."""
        width, height = self.size.width, self.size.height
        if not width:
            return
        service = [(" ", "quiet"), *service_spans(view)]
        hints = list(_hints())
        taken = sum(cell_len(text) for text, _ in service)
        wanted = sum(cell_len(text) for text, _ in hints)
        if height == 1:
            room = max(0, width - taken - wanted)
            self.show([Row((*wrap(service, width - wanted, 1)[0], (" " * room, ""), *hints))])
        else:
            self.show([Row(tuple(wrap(service, width, 1)[0])), Row(((" ", ""), *wrap(hints, width - 1, 1)[0]))])


def service_spans(view: View) -> Iterator[Span]:
    """The service in one line: state, process, memory, CPU, restarts. The figures keep their width."""
    reading = view.snapshot.service
    service = reading.value
    if service is None or reading.failure is not None:
        yield f"service: {reading.failure.why if reading.failure else 'not asked yet'}", "unknown"
        return
    dot = f" {view.signs.dot} "
    yield _state(service), "ok" if service.active_state == "active" else "bad"
    if service.main_pid:
        yield f"{dot}pid {service.main_pid}", "quiet"
    if service.memory is not None:
        yield f"{dot}{cell(size(service.memory), 7, right=True)}", "quiet"
    if service.cpu_percent is not None:
        # in steps, for a figure that moves by itself repaints the line all day
        share = round(service.cpu_percent) if service.cpu_percent < 10 else round(service.cpu_percent, -1)
        yield f"{dot}{cell(f'{share:.0f}', 3, right=True)} % cpu", "quiet"
    yield f"{dot}{count(service.restarts, 'restart')}", "warn" if service.restarts else "quiet"
    if service.need_daemon_reload:
        yield f"{dot}unit file changed: systemctl daemon-reload", "warn"


def _state(service: Service) -> str:
    if service.load_state == "not-found":
        return f"{service.unit} not found"
    return f"{service.active_state} ({service.sub_state})" if service.sub_state else service.active_state


def _hints() -> Iterator[Span]:
    for key in KEYS:
        if key.hint:
            yield key.shown, "strong"
            yield f" {key.hint}  ", "quiet"
