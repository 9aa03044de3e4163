"""`litellm-tui probe`: ask deployments the truth, or put a little load on a group.

Exit status: 0 all that were asked answered, 2 one failed or none could be asked, 3 the gateway cannot be reached,
64 a wrong command line, 130 interrupted (what is known by then is printed).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from litellm_tui.actions import load as loading
from litellm_tui.actions import probe as probing
from litellm_tui.actions.probe_cost import calls_needed, is_paid, not_here, reachable
from litellm_tui.actions.probe_request import why_not
from litellm_tui.analysis.phrases import count
from litellm_tui.analysis.routing.table import Routing
from litellm_tui.collectors.gateway.client import DEPLOYMENTS, ROUTER, GatewayClient
from litellm_tui.commands import probe_print as printing
from litellm_tui.commands.masking import redactor_of
from litellm_tui.commands.probe_names import UnknownName, chosen_by, with_own_groups
from litellm_tui.model.failures import Failure, Unreachable
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.storage.state import state_of
from litellm_tui.target.profile import Options, Profile, may_change
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings

FAILED, UNREACHABLE, USAGE, INTERRUPTED = 2, 3, 64, 130


class Wish(msgspec.Struct, frozen=True):
    """What the command line asked for. `timeout` is seconds for each request; None takes the action's own."""

    names: tuple[str, ...] = ()
    stream: bool = False
    requests: int = 0
    concurrency: int = 4
    cached: bool = False
    remote: bool = False
    yes: bool = False
    timeout: float | None = None
    json: bool = False


class _Ends(Exception):
    """Nothing can be asked: the exit status, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def run(options: Options, **wished: Any) -> int:
    """Do what the command line asked for, and return the exit status. `wished` are fields of `Wish`."""
    settings = load_settings()
    profile = resolve(options, settings)
    may_change(profile, "probe")
    wish = Wish(**wished)
    printer = printing.Printer(profile.address, as_json=wish.json, ascii_only=settings.draws_ascii)
    try:
        with asyncio.Runner() as runner:
            deployments, routing = runner.run(_look(profile))
            redact = redactor_of(profile)
            if wish.requests:
                return _load(runner, profile, wish, deployments, routing, redact, printer)
            return _probe(runner, profile, wish, deployments, redact, printer)
    except _Ends as ends:
        printer.ended(str(ends))
        return ends.status


def _probe(
    runner: asyncio.Runner,
    profile: Profile,
    wish: Wish,
    deployments: Sequence[LoadedDeployment],
    redact: Callable[[str], str],
    printer: printing.Printer,
) -> int:
    chosen = _chosen(wish.names, deployments)
    calls = calls_needed(chosen)
    if calls.wants_consent:
        _consent(wish, f"{count(calls.total, 'call')}, {calls.paid} of them paid: {_some(chosen)}")
    results: list[ProbeResult] = []
    interrupted = False
    try:
        runner.run(_collect(profile, wish, chosen, redact, results, printer))
    except KeyboardInterrupt:
        interrupted = True
    printer.results(chosen, results, interrupted=interrupted)
    if failure := state_of(profile).add_probes(results):
        printer.note(f"the results are not kept for status and the console: {failure}")
    if interrupted:
        return INTERRUPTED
    failed = [result for result in results if result.error]
    if any(result.by_gateway and not result.status for result in failed):
        return UNREACHABLE
    # where nothing could be asked nothing has been proved
    return FAILED if failed or not calls.total else 0


async def _collect(
    profile: Profile,
    wish: Wish,
    chosen: Sequence[LoadedDeployment],
    redact: Callable[[str], str],
    results: list[ProbeResult],
    printer: printing.Printer,
) -> None:
    events = probing.probe(
        profile,
        chosen,
        stream=wish.stream,
        concurrency=wish.concurrency,
        timeout=wish.timeout or probing.TIMEOUT_SECONDS,
        redact=redact,
    )
    with printer.progress(len(chosen)) as step:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, ProbeResult):
                    results.append(event)
                    step()


def _load(
    runner: asyncio.Runner,
    profile: Profile,
    wish: Wish,
    deployments: Sequence[LoadedDeployment],
    routing: Routing | None,
    redact: Callable[[str], str],
    printer: printing.Printer,
) -> int:
    if len(wish.names) != 1:
        raise _Ends(USAGE, "--requests wants the one group, or alias, that the requests are for")
    group = wish.names[0]
    members = [deployment for deployment in deployments if group in (deployment.group, *deployment.names)]
    if not members:
        _chosen((group,), deployments)
        raise _Ends(USAGE, f"--requests goes through a group as clients do; {group!r} is a deployment")
    if reason := why_not(members[0]):
        raise _Ends(USAGE, f"{group}: {reason}")
    targets = reachable(group, deployments, routing)
    if not wish.remote and (away := not_here(profile.url.value, targets)):
        raise _Ends(USAGE, f"a load test stays on this machine unless --remote is given; not here: {'; '.join(away)}")
    if wish.requests > 1 and any(map(is_paid, targets)):
        paid = [deployment for deployment in targets if is_paid(deployment)]
        _consent(wish, f"{count(wish.requests, 'request')} (retries and fallbacks add to them) to {_some(paid)}")
    samples: list[loading.Sample] = []
    began = time.monotonic()
    interrupted = False
    try:
        runner.run(_collect_samples(profile, wish, group, members[0].mode, redact, samples, printer))
    except KeyboardInterrupt:
        interrupted = True
    ids = {deployment.id for deployment in members}
    report = loading.summarise(samples, time.monotonic() - began, ids, cached=wish.cached)
    printer.report(group, report, deployments, wanted=wish.requests, interrupted=interrupted)
    if interrupted:
        return INTERRUPTED
    if samples and all(sample.by_gateway and not sample.status for sample in samples):
        return UNREACHABLE
    return FAILED if report.failed else 0


async def _collect_samples(
    profile: Profile,
    wish: Wish,
    group: str,
    mode: str | None,
    redact: Callable[[str], str],
    samples: list[loading.Sample],
    printer: printing.Printer,
) -> None:
    source = loading.load(
        profile,
        group,
        mode,
        wish.requests,
        concurrency=wish.concurrency,
        stream=wish.stream,
        cached=wish.cached,
        timeout=wish.timeout or loading.TIMEOUT_SECONDS,
        redact=redact,
    )
    with printer.progress(wish.requests) as step:
        async with aclosing(source):
            async for sample in source:
                samples.append(sample)
                step()


async def _look(profile: Profile) -> tuple[tuple[LoadedDeployment, ...], Routing | None]:
    """What the gateway has loaded, and how it routes where it tells that."""
    client = GatewayClient(profile.url.value, profile.key.reveal() if profile.key else None)
    try:
        loaded, router = await asyncio.gather(client.get(DEPLOYMENTS), client.get(ROUTER))
    finally:
        await client.close()
    if isinstance(loaded.result, Failure):
        status = UNREACHABLE if isinstance(loaded.result, Unreachable) else FAILED
        raise _Ends(status, f"the gateway {profile.address}: {loaded.result.why}")
    routing = None if isinstance(router.result, Failure) else Routing.of_router(router.result)
    return with_own_groups(loaded.result, routing.aliases if routing else {}), routing


def _chosen(names: Sequence[str], deployments: Sequence[LoadedDeployment]) -> tuple[LoadedDeployment, ...]:
    try:
        return chosen_by(names, deployments)
    except UnknownName as unknown:
        raise _Ends(USAGE, str(unknown)) from None


def _consent(wish: Wish, what: str) -> None:
    """Ask on a terminal; without one `--yes` has to have been given."""
    if wish.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise _Ends(USAGE, f"this makes {what}. Add --yes to agree")
    print(f"This makes {what}.\nGo on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise _Ends(USAGE, "nothing was asked")


def _some(deployments: Sequence[LoadedDeployment]) -> str:
    """The paid ones by name, the first few of many."""
    paid = list(dict.fromkeys(deployment.model for deployment in deployments if is_paid(deployment)))
    more = f" and {len(paid) - 5} more" if len(paid) > 5 else ""
    return ", ".join(paid[:5]) + more
