"""The unit in full: state, process, what it runs, where its configuration and key come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len

from litellm_tui.analysis.container_health import explain_health, shown
from litellm_tui.analysis.health.operation import describe_ending
from litellm_tui.analysis.health.pods import pod_words
from litellm_tui.analysis.health.release_problems import OTHER_INSTALLED
from litellm_tui.analysis.phrases import age, count, size
from litellm_tui.model import service as model
from litellm_tui.target.profile import findings, service_word
from litellm_tui.ui.detail import to_rows
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.service_curves import curve_rows
from litellm_tui.ui.shortened import shortened
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Lines, Row, cell
from litellm_tui.ui.widgets.service_lines import ServiceLines

# what a kind of service does not tell is said to be so, and not left out
_UNKNOWN = "not known"
_MOST_WORKERS = 8
_NAME: Final = 15
_GAP: Final = 3


class Service(Pane):
    """What is known of the unit, the container or the process, and how the console found it."""

    headed = True

    def make_lines(self) -> Lines:
        return ServiceLines(id="service-lines")

    def freshness(self, view: View) -> tuple[str, bool]:
        reading = view.snapshot.service
        if reading.seen_at is None:
            return "not known", False
        stale = reading.stale(view.now)
        return ("stale" if stale else ""), stale

    def head(self, view: View, width: int) -> Sequence[Row]:
        return [Row(((cell(f" {'what':<{_NAME - 1}}is now   since, from or why", width), "head"),))]

    def rows(self, view: View, width: int) -> Sequence[Row]:
        pairs = [*_service(view), *(pair for pair in findings(view.profile) if pair[0] != service_word(view.profile))]
        rows = [_pair(name, value, note, width) for name, value, note in pairs]
        for lack in view.profile.missing:
            rows += to_rows([("missing", f"{lack.what}: {lack.why}; {lack.mend}", "warn")], width)
        return rows


def _service(view: View) -> list[tuple[str, str, str]]:
    reading = view.snapshot.service
    service = reading.value
    if service is None or reading.failure is not None:
        return [("service", "not known", reading.failure.why if reading.failure else "not asked yet")]
    runs = service.active_state == "active"
    state = f"{service.active_state} ({service.sub_state})"
    pairs = [
        ("unit", f"{service.unit} ({service.scope})", service.fragment),
        ("state", f"{state}, {service.health}" if service.health else state, service.note or service.load_state),
    ]
    if service.started_at:
        pairs.append(("up", age(view.now - service.started_at), f"since {view.clock(service.started_at)}"))
    elif runs:
        pairs.append(("up", _UNKNOWN, ""))
    if service.main_pid or (runs and service.workload is None):
        pairs.append(("process", str(service.main_pid or _UNKNOWN), ""))
    pairs += curve_rows(view, service)
    pairs += [("start fails", obstacle.brief, obstacle.text) for obstacle in service.obstacles]
    if service.health_test is not None and service.health == "unhealthy":
        pairs.append(("its check", explain_health(service.health_test).brief, shown(service.health_test)))
    pairs += _workers(view, service)
    pairs += _pods(view, service)
    if service.restarts is not None:
        since = "since the unit was loaded" if service.keeper == "systemd" else "since it was made or started by hand"
        since = "of the pods that are there" if service.workload is not None else since
        pairs.append(("restarts", count(service.restarts, "restart"), f"by {service.keeper}, {since}"))
    else:
        pairs.append(("restarts", _UNKNOWN, "nobody counts them"))
    if service.exit_code:
        pairs.append(("last exit", describe_ending(service), ""))
    elif service.active_state == "failed":
        pairs.append(("last exit", _UNKNOWN, ""))
    if service.unit_file_state:
        boots = service.unit_file_state in ("enabled", "enabled-runtime", "linked", "alias", "generated")
        pairs.append(("at boot", service.unit_file_state, "" if boots else "nothing starts it after a reboot"))
    if service.booted_at:
        pairs.append(("machine", f"up {age(view.now - service.booted_at)}", f"since {view.clock(service.booted_at)}"))
    for problem in view.diagnosis.problems:
        if problem.key == OTHER_INSTALLED and problem.solved_at is None:
            pairs.append(("release", problem.cause, "R brings it in; U plans another one"))
    if service.need_daemon_reload:
        pairs.append(("unit file", "changed on disk", "R has systemd read it anew"))
    return pairs


def _workers(view: View, service: model.Service) -> Iterator[tuple[str, str, str]]:
    """The processes of a gateway that has several: each has its own memory, cooldowns and counts."""
    for number, worker in enumerate(service.workers[:_MOST_WORKERS]):
        name = f"{count(len(service.workers), 'worker')}" if not number else ""
        yield name, f"pid {worker.pid}  {size(worker.memory)}", f"up {age(view.now - worker.started_at)}"
    if len(service.workers) > _MOST_WORKERS:
        yield "", f"and {len(service.workers) - _MOST_WORKERS} more", ""
    if service.lost:
        words = f"{count(len(service.lost), 'worker')} gone, the last {age(view.now - service.lost[-1])} ago"
        yield "", words, "seen while this console runs"
    if service.oom_kills:
        yield "", f"{count(service.oom_kills, 'process', 'processes')} killed for memory by the kernel", ""


def _pods(view: View, service: model.Service) -> Iterator[tuple[str, str, str]]:
    """The pods of a Deployment, the newest first."""
    found = service.workload
    if found is None:
        return
    revision = f"revision {found.revision}" if found.revision else ""
    paused = "paused" if found.paused else ""
    yield "pods", f"{found.ready} of {found.wanted} ready", ", ".join(filter(None, (revision, paused, found.stuck)))
    for pod in found.pods[:_MOST_WORKERS]:
        yield "", pod.name, pod_words(pod, view.now)
    if len(found.pods) > _MOST_WORKERS:
        yield "", f"and {len(found.pods) - _MOST_WORKERS} more", ""
    for hidden in found.forbidden:
        yield "not allowed", hidden, ""


def _pair(name: str, value: str, note: str, width: int) -> Row:
    """One line: of a value that is too long the beginning and the end stay, of a note the beginning."""
    room = max(1, width - _NAME)
    value = shortened(value, room)
    left = room - cell_len(value) - _GAP
    note = cell(note, left).rstrip() if note and left > 1 else ""
    return Row(((f" {name:<{_NAME - 1}}", "quiet"), (value, "ok"), (f"{' ' * _GAP}{note}" if note else "", "quiet")))
