"""What `litellm-tui probe` prints: lines for people, or one JSON document."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from litellm_tui.actions.load import Report
from litellm_tui.analysis.failures.causes import first_words, name_cause
from litellm_tui.analysis.phrases import count
from litellm_tui.logs.log_line import clean
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult

_SIGNS = {"ok": "●", "failed": "✖", "skipped": "–"}
_ASCII = {"ok": "*", "failed": "x", "skipped": "-"}


class Printer:
    """Prints for one gateway. Everything from outside goes through `clean`: it may hold escape sequences."""

    def __init__(self, gateway: str, *, as_json: bool, ascii_only: bool) -> None:
        self._gateway = gateway
        self._json = as_json
        encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
        self._signs = _ASCII if ascii_only or not encoding.startswith("utf") else _SIGNS

    def ended(self, why: str) -> None:
        """Nothing could be asked, and why."""
        print(f"litellm-tui: {clean(why)}", file=sys.stderr)
        if self._json:
            self._document({"error": why})

    def note(self, text: str) -> None:
        """Something beside the results."""
        print(f"litellm-tui: {clean(text)}", file=sys.stderr)

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[], None]]:
        """A bar on a terminal, nothing elsewhere; the function that is handed out makes one step."""
        if not sys.stderr.isatty():
            yield lambda: None
            return
        # only now: nothing else here draws
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("asking", total=total)
            yield lambda: bar.advance(task)

    # --- probes ------------------------------------------------------------------------------------------------

    def results(self, asked: Sequence[LoadedDeployment], results: Sequence[ProbeResult], *, interrupted: bool) -> None:
        """All results in the gateway's order, and what became of those without one."""
        found = {result.deployment: result for result in results}
        ordered = [found[deployment.id] for deployment in asked if deployment.id in found]
        sums = {
            "answered": sum(result.ok for result in ordered),
            "failed": sum(bool(result.error) for result in ordered),
            "not_probed": sum(bool(result.skipped) for result in ordered),
            "not_finished": len(asked) - len(ordered),
        }
        if self._json:
            self._document({"results": [_as_json(result) for result in ordered], **sums, "interrupted": interrupted})
            return
        twins = _twins(asked)
        names = {deployment.id: _name(deployment, twins) for deployment in asked}
        wide = max((len(deployment.group) for deployment in asked), default=0)
        wider = max(map(len, names.values()), default=0)
        for result in ordered:
            state, told = _told(result)
            lead = f"{self._signs[state]} {clean(result.group):<{wide}}  {clean(names[result.deployment]):<{wider}}  "
            took = "" if result.skipped else f"{_seconds(result.took)}  "
            first = f"first token {_seconds(result.first_token).strip()}  " if result.first_token is not None else ""
            print(f"{lead}{took}{first}{clean(told)}".rstrip())
        words = [f"{number} {name.replace('_', ' ')}" for name, number in sums.items() if number]
        print(f"{', '.join(words) or 'the gateway has loaded no deployment'}{' (interrupted)' if interrupted else ''}")

    # --- a load test -------------------------------------------------------------------------------------------

    def report(
        self,
        group: str,
        report: Report,
        deployments: Sequence[LoadedDeployment],
        *,
        wanted: int,
        interrupted: bool,
    ) -> None:
        """The figures of a load test."""
        if self._json:
            figures = msgspec.to_builtins(report)
            self._document({"group": group, "wanted": wanted, "load": figures, "interrupted": interrupted})
            return
        cut = " (interrupted)" if interrupted else " (ended early)" if report.requests < wanted else ""
        print(f"{clean(group)}: {count(report.requests, 'request')} of {wanted} in {report.took:.2f} s{cut}")
        for name, value in _figures(report, {deployment.id: deployment for deployment in deployments}):
            print(f"  {name:<12} {clean(value)}")

    def _document(self, fields: dict[str, Any]) -> None:
        encoded = msgspec.json.encode({"gateway": self._gateway, **fields})
        print(msgspec.json.format(encoded, indent=2).decode())


def _figures(report: Report, deployments: dict[str, LoadedDeployment]) -> Iterator[tuple[str, str]]:
    yield "answered", f"{report.answered}, {report.rate:.1f} a second"
    times = (("p50", report.p50), ("p95", report.p95), ("p99", report.p99), ("slowest", report.slowest))
    yield "time", "  ".join(f"{name} {_seconds(value).strip()}" for name, value in times if value is not None) or "-"
    if report.first_token_p50 is not None:
        yield "first token", f"p50 {_seconds(report.first_token_p50).strip()}"
    hits = report.cache_hits
    yield "cache hits", str(hits) if hits is not None else "none marked (LiteLLM 1.77 does not mark them)"
    others = ", ".join(f"{name} {number}" for name, number in report.groups.items())
    by = f" (answers by group: {others})" if others else ""
    yield "fallbacks", f"gave {count(report.fallbacks, 'answer')}{by}" if report.fallbacks else "none seen in answers"
    if report.retries:
        yield "retries", f"{report.retries} before answers"
    for id_, number in report.shares.items():
        known = deployments.get(id_)
        name = f"{known.model} ({id_[:8]})" if known else id_[:8]
        yield "share", f"{100 * number / report.answered:3.0f} %  {name}"
    if report.failed:
        yield "failed", f"{report.failed}; a failed answer does not tell which fallbacks were tried"
    for error in report.errors:
        yield f"  {error.count} x", f"{error.cause}: {first_words(error.example)}"
        yield "", f"{error.do}"


def _told(result: ProbeResult) -> tuple[str, str]:
    """`(state, what there is to say)` of one result."""
    if result.skipped:
        return "skipped", f"not probed: {result.skipped}"
    if result.ok:
        return "ok", "answered"
    cause = "gateway" if result.by_gateway else name_cause(result.error).name
    return "failed", f"{cause}: {first_words(result.error)}"


def _as_json(result: ProbeResult) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(result)
    cause = name_cause(result.error) if result.error and not result.by_gateway else None
    return fields | {"cause": cause.name if cause else "", "next": cause.do if cause else ""}


def _twins(deployments: Sequence[LoadedDeployment]) -> set[tuple[str, str]]:
    """What group and model do not tell apart."""
    seen: set[tuple[str, str]] = set()
    twins: set[tuple[str, str]] = set()
    for deployment in deployments:
        both = (deployment.group, deployment.model)
        (twins if both in seen else seen).add(both)
    return twins


def _name(deployment: LoadedDeployment, twins: set[tuple[str, str]]) -> str:
    alone = (deployment.group, deployment.model) not in twins
    return deployment.model if alone else f"{deployment.model} ({deployment.id[:8]})"


def _seconds(value: float) -> str:
    """A duration of constant width: ` 0.21 s`, `12.40 s`."""
    return f"{value:5.2f} s"
