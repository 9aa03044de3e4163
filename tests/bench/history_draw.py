"""How soon the history of a year is told and drawn, as the console and `history` do it.

    python -m tests.bench.history_draw [--days 400] [--width 104] [--height 33]

The record is that of `history_year`: a year of a gateway with 50 deployments in 20 groups.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
from functools import partial
from pathlib import Path

from litellm_tui.analysis.history.chart import chart_lines, columns_in, panels_in
from litellm_tui.analysis.history.entries import entries_of, gaps
from litellm_tui.analysis.history.glance import MOST_EVENTS, glance_of
from litellm_tui.analysis.history.panels import read_panels
from litellm_tui.analysis.history.svg import COLUMNS, svg_of
from litellm_tui.storage.history.reader import HistoryReader
from tests.bench.history_year import DAY, DEPLOYMENTS, GROUPS, NOW, make

SPANS = {"a day": 1, "30 days": 30}


def _timed(what: str, call: Callable[[], object]) -> str:
    took = []
    for _ in range(3):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return f"| {what} | {took[0] * 1000:.0f} ms | {min(took) * 1000:.0f} ms |"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--width", type=int, default=104)
    parser.add_argument("--height", type=int, default=33)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "history.sqlite")
        make(path, DEPLOYMENTS, GROUPS, chosen.days)
        print(f"a record of {chosen.days} days, {path.stat().st_size / 1e6:.0f} MB\n")
        print("| what | first | best of three |\n|---|---|---|")
        reader = HistoryReader(path)
        until = float(NOW)
        for name, days in SPANS.items():
            since = until - days * DAY

            def timeline(since: float = since) -> object:
                events = reader.events(since, until, limit=MOST_EVENTS)
                return entries_of(events, reader.looked(since, until), since, until)

            def charts(since: float = since, subject: str = "") -> object:
                panels = read_panels(reader, subject, since, until, columns_in(chosen.width), panels_in(chosen.height))
                events = reader.events(since, until, limit=MOST_EVENTS)
                unwatched = gaps(reader.looked(since, until), since, until)
                reader.subjects()
                return chart_lines(panels, events, unwatched, (since, until), chosen.height, UTC)

            def report(since: float = since) -> object:
                panels = read_panels(reader, "", since, until, COLUMNS)
                return svg_of("", panels, reader.events(since, until), [], (since, until), UTC)

            print(_timed(f"the timeline of {name}", timeline))
            print(_timed(f"the figures of {name}", partial(glance_of, reader, since, until)))
            print(_timed(f"the charts of the gateway over {name}", charts))
            print(_timed(f"the charts of a group over {name}", partial(charts, since, "group:group-1")))
            print(_timed(f"all there are, as SVG, over {name}", report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
