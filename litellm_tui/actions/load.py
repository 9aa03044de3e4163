"""A small load test through the gateway, as its clients use it: by group, with fallbacks, retries and the cache."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from litellm_tui.actions.probe_request import request_for
from litellm_tui.actions.probe_wire import Asker, Said
from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.target.profile import Profile

CONCURRENCY: Final = 4
TIMEOUT_SECONDS: Final = 60.0
IN_VAIN: Final = 8
CACHED_PROMPT: Final = "Say hi to litellm-tui."


class Sample(msgspec.Struct, frozen=True):
    """What one request came to; times are seconds. What the answer's headers do not tell is empty or None.

    An answer of status 500 has no such headers: neither who failed nor which fallbacks were tried is known then.
    """

    ok: bool
    took: float
    first_token: float | None = None
    status: int = 0
    error: str = ""
    by_gateway: bool = False
    deployment: str = ""
    group: str = ""
    fallbacks: int | None = None
    retries: int | None = None
    cached: bool = False


class ErrorCount(msgspec.Struct, frozen=True):
    """A cause, how often it was met, and one of its errors in full."""

    cause: str
    do: str
    count: int
    example: str


class Report(msgspec.Struct, frozen=True):
    """A load test in figures. Times are seconds, `rate` is answers a second; percentiles are of what was answered.

    `fallbacks` counts answers that a fallback gave. `cache_hits` is None when it cannot be told: 1.77.7 does not mark
    what the cache answered. `shares` maps deployment ids to answers, `groups` the groups that answered.
    """

    requests: int
    answered: int
    failed: int
    took: float
    rate: float
    p50: float | None
    p95: float | None
    p99: float | None
    slowest: float | None
    first_token_p50: float | None
    errors: tuple[ErrorCount, ...]
    fallbacks: int
    retries: int
    cache_hits: int | None
    groups: dict[str, int]
    shares: dict[str, int]


async def load(
    profile: Profile,
    group: str,
    mode: str | None,
    requests: int,
    *,
    concurrency: int = CONCURRENCY,
    stream: bool = False,
    cached: bool = False,
    timeout: float = TIMEOUT_SECONDS,
    redact: Callable[[str], str] | None = None,
) -> AsyncGenerator[Sample, None]:
    """Send `requests` of them, `concurrency` at a time, each with a prompt of its own unless `cached` is wanted.

    It ends early when the gateway itself fails `IN_VAIN` times in a row: each refused key costs it a stack trace.
    Closing the iterator, or cancelling the task that waits in it, ends every request at once. Nothing is raised.
    """
    masked = redact or Redactor(profile.secrets)
    run = secrets.token_hex(4)
    numbers = iter(range(requests))
    samples: asyncio.Queue[Sample | None] = asyncio.Queue()
    in_vain = 0
    asker = Asker(profile.url.value, profile.key.reveal() if profile.key else None, concurrency)

    async def client() -> None:
        nonlocal in_vain
        for number in numbers:
            text = CACHED_PROMPT if cached else f"Say hi. ({run}-{number})"
            path, body = request_for(mode, group, text, stream=stream)
            sample = _sample(await asker.ask(path, body, timeout), masked)
            samples.put_nowait(sample)
            in_vain = in_vain + 1 if sample.by_gateway else 0
            if in_vain >= IN_VAIN:
                break
        samples.put_nowait(None)

    clients = [asyncio.create_task(client()) for _ in range(min(concurrency, requests))]
    running = len(clients)
    try:
        while running:
            taken = await samples.get()
            if taken is None:
                running -= 1
            else:
                yield taken
    finally:
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await asker.close()


def summarise(samples: Sequence[Sample], took: float, members: Collection[str], *, cached: bool = False) -> Report:
    """The figures of these samples, which took `took` seconds together. `members` are the ids of the group asked.

    1.77.7 does not say in a streamed answer that a fallback gave it, but whose it is.
    """
    answered = [sample for sample in samples if sample.ok]
    times = sorted(sample.took for sample in answered)
    first = sorted(sample.first_token for sample in answered if sample.first_token is not None)
    hits = sum(sample.cached for sample in answered)
    return Report(
        requests=len(samples),
        answered=len(answered),
        failed=len(samples) - len(answered),
        took=took,
        rate=len(answered) / took if took > 0 else 0.0,
        p50=percentile(times, 50),
        p95=percentile(times, 95),
        p99=percentile(times, 99),
        slowest=times[-1] if times else None,
        first_token_p50=percentile(first, 50),
        errors=tuple(_errors(sample for sample in samples if not sample.ok)),
        fallbacks=sum(
            bool(sample.fallbacks or (sample.deployment and sample.deployment not in members)) for sample in answered
        ),
        retries=sum(sample.retries or 0 for sample in answered),
        # prompts of their own cannot be in the cache, so that no mark means no hit
        cache_hits=hits if hits or not cached else None,
        groups=dict(Counter(sample.group for sample in answered if sample.group).most_common()),
        shares=dict(Counter(sample.deployment for sample in answered if sample.deployment).most_common()),
    )


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The smallest value that `percent` of the ordered values do not exceed (nearest rank); None for no values."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _errors(failed: Iterable[Sample]) -> list[ErrorCount]:
    found: dict[str, ErrorCount] = {}
    for sample in failed:
        cause = name_cause(sample.error)
        name = "gateway" if sample.by_gateway else cause.name
        do = "look at the gateway first" if sample.by_gateway else cause.do
        before = found.get(name)
        example = before.example if before else sample.error
        found[name] = ErrorCount(name, do, before.count + 1 if before else 1, example)
    return sorted(found.values(), key=lambda error: -error.count)


def _sample(said: Said, redact: Callable[[str], str]) -> Sample:
    return Sample(
        ok=not said.error,
        took=said.took,
        first_token=said.first_token,
        status=said.status,
        error=redact(said.error),
        by_gateway=said.by_gateway,
        deployment=said.headers.get("x-litellm-model-id", ""),
        group=said.headers.get("x-litellm-model-group", ""),
        fallbacks=_number(said.headers, "x-litellm-attempted-fallbacks"),
        retries=_number(said.headers, "x-litellm-attempted-retries"),
        cached=bool(said.headers.get("x-litellm-cache-key")),
    )


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else None
