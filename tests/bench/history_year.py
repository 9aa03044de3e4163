"""A year of a gateway with 50 deployments: how large its record is, and how soon it is read.

    python -m tests.bench.history_year

Two days of it in steps of 10 s, two weeks by minutes and 400 days in steps of 10 min are what a year leaves. These are
made as the writer packs them; that the writer itself leaves no more is measured with fewer series over some weeks.
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from litellm_tui.model.history import COUNTED, Event, Measure, Sample, Source
from litellm_tui.storage.history.packing import LEVELS, Value, chunk_bytes
from litellm_tui.storage.history.reader import HistoryReader
from litellm_tui.storage.history.rows import put_event
from litellm_tui.storage.history.schema import changing, chunk_key, open_to_write
from litellm_tui.storage.history.writer import HistoryWriter

DAY = 86400
NOW = 1_790_000_400
DEPLOYMENTS, GROUPS = 50, 20
# what an operator of a gateway that has its bad days sees of them
EVENTS_A_DAY = 60
_OF_REQUESTS: tuple[tuple[Measure, float], ...] = (
    ("requests", 40.0), ("failed", 0.4), ("latency_p50", 0.8), ("latency_p95", 3.0), ("latency_p99", 7.0),
    ("ttft", 0.4), ("tokens_in", 40_000.0), ("tokens_out", 9_000.0), ("cost", 0.3),
)  # fmt: skip
_OF_GATEWAY: tuple[tuple[Measure, float], ...] = (
    ("refused", 1.0), ("cache_hits", 300.0), ("cache_misses", 900.0), ("answer_time", 0.003), ("memory", 7e8),
    ("cpu", 35.0), ("processes", 4.0), ("redis_memory", 2e8), ("redis_clients", 12.0), ("database_connections", 20.0),
)  # fmt: skip


def series(deployments: int, groups: int) -> Iterator[tuple[str, Measure, float]]:
    """Every series with the height of its values in 10 s."""
    for measure, height in (*_OF_REQUESTS, *_OF_GATEWAY):
        yield "", measure, height * (deployments if measure in COUNTED else 1)
    for group in range(groups):
        for measure, height in _OF_REQUESTS:
            yield f"group:group-{group}", measure, height * (2.5 if measure in COUNTED else 1)
        for cause in ("timeout", "429 rate limited"):
            yield f"cause:group-{group}:{cause}", "failed", 0.05
    for number in range(deployments):
        for measure, height in _OF_REQUESTS:
            yield f"deployment:group-{number % groups}|openai/model-{number}", measure, height


# of /metrics, which is read every half minute: see analysis/history/metric_samples.py
_READ: frozenset[Measure] = frozenset(
    (*(measure for measure, _ in _OF_REQUESTS if measure not in ("requests", "failed")), "cache_hits", "cache_misses")
)


def values(start: int, slots: int, measure: Measure, height: float, step: int, chance: random.Random) -> list[Value]:
    """The values of a chunk; what is read every half minute stands for each step of it."""
    if step > 10 or measure not in _READ:
        return [value_at(start + step * at, measure, height, step, chance) for at in range(slots)]
    return [
        value for at in range(0, slots, 3) for value in [value_at(start + step * at, measure, height, step, chance)] * 3
    ]


def value_at(at: int, measure: Measure, height: float, step: int, chance: random.Random) -> Value:
    """A value of a working day with its noise: what is counted varies as counts do."""
    busy = 0.25 + 0.75 * max(0.0, math.sin(at / DAY * 2 * math.pi)) * (1.0 if at // DAY % 7 < 5 else 0.4)
    if measure in COUNTED:
        mean = height * busy * step / 10
        drawn = max(0.0, chance.gauss(mean, math.sqrt(mean) + 0.1 * mean * (10 / step) ** 0.5))
        return drawn if measure == "cost" else float(round(drawn))
    return height * (0.8 + 0.4 * busy) * math.exp(chance.gauss(0.0, 0.12))


def make(path: Path, deployments: int, groups: int, days: int) -> tuple[int, int]:
    """The record as it is after so many days; returns how many series and values it has."""
    chance = random.Random(7)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = open_to_write(path)
    total = number = 0
    for number, (subject, measure, height) in enumerate(series(deployments, groups), 1):
        with changing(connection):
            connection.execute("INSERT INTO series VALUES (?, ?, ?, ?)", (number, subject, measure, "metrics"))
            for level, (step, slots, kept) in enumerate(LEVELS):
                first = (NOW - min(kept, days * DAY)) // (step * slots)
                for chunk in range(first, NOW // (step * slots)):
                    start = chunk * step * slots
                    whole = values(start, slots, measure, height, step, chance)
                    connection.execute(
                        "INSERT INTO chunks VALUES (?, ?)",
                        (chunk_key(number, level, chunk), chunk_bytes(whole, measure)),
                    )
                    total += slots
    with changing(connection):
        for place in range(EVENTS_A_DAY * days):
            at = NOW - days * DAY + place * DAY / EVENTS_A_DAY
            event = Event(
                place + 1, at, "problem", f"deployment:model-{place % 50}", f"deployment:model-{place % 50}", "bad",
                f"model-{place % 50} fails", "500 from the provider", "see its status page, or wait: it is asked again",
                "its callers are answered by its fallback, more slowly", at + 300,
            )  # fmt: skip
            put_event(connection, event)
        connection.execute("INSERT INTO spans (since, until, ended) VALUES (?, ?, '')", (NOW - days * DAY, NOW))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return number, total


def written(path: Path, deployments: int, groups: int, days: int) -> None:
    """The same by the writer, hour after hour."""
    chance = random.Random(7)
    source: Source = "metrics"
    writer = HistoryWriter.open(path)
    assert isinstance(writer, HistoryWriter)
    known = list(series(deployments, groups))
    for hour in range(NOW - days * DAY, NOW, 3600):
        writer._covered = None if hour == NOW - days * DAY else float(hour)
        samples = [
            Sample(float(hour + 10 * place), subject, measure, value or 0.0, source)
            for subject, measure, height in known
            for place, value in enumerate(values(hour, 360, measure, height, 10, chance))
        ]
        writer._covered = float(hour + 3590)
        writer.write(samples, [], float(hour + 3600))
        assert not writer.failure, writer.failure
    writer.close(float(NOW))


def timed(what: str, call: object) -> str:
    """How long the best of three calls takes."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        call()  # type: ignore[operator]
        took.append(time.perf_counter() - began)
    return f"| {what} | {min(took) * 1000:.0f} ms |"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--writer-days", type=int, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "history.sqlite")
        count, total = make(path, DEPLOYMENTS, GROUPS, chosen.days)
        size = path.stat().st_size
        print(f"| series | {count} |\n| values | {total:,} |\n| file after {chosen.days} days | {size / 1e6:.1f} MB |")
        reader = HistoryReader(path)
        now = float(NOW)
        for name, span in (("10 min", 600.0), ("a day", 86400.0), ("30 days", 30 * 86400.0), ("a year", 365 * 86400.0)):
            since = now - span
            print(timed(f"one series over {name}", lambda since=since: reader.series("", "requests", since, now)))
        screen = [("", m) for m in ("requests", "failed", "latency_p95", "cache_hits", "memory")]
        print(timed("five charts over 30 days",
                    lambda: [reader.series(s, m, now - 30 * 86400.0, now) for s, m in screen]))  # type: ignore[arg-type]  # fmt: skip
        print(timed("the last day's events", lambda: reader.events(now - 86400.0)))
        print(timed("the last 1,000 events of a year", lambda: reader.events(0.0)))
        small, real = Path(folder, "small.sqlite"), Path(folder, "real", "history.sqlite")
        make(small, 2, 1, chosen.writer_days)
        began = time.process_time()
        written(real, 2, 1, chosen.writer_days)
        took = time.process_time() - began
        factor = real.stat().st_size / small.stat().st_size
        print(f"| the writer's own file of {chosen.writer_days} days against the same made at once | {factor:.2f} |")
        print(f"| its work for an hour of {len(list(series(2, 1)))} series, with making them up "
              f"| {took / chosen.writer_days / 24 * 1000:.0f} ms |")  # fmt: skip
        print(f"| largest memory | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
