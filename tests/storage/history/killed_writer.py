"""Writes a record without a pause, and says after each write what was written; to be killed."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from litellm_tui.model.history import Event, Sample
from litellm_tui.storage.history.writer import HistoryWriter

BEGIN = 1_760_000_400.0
# an hour is packed with every few writes
STEP = 100.0
SUBJECTS = 8


def main(path: Path) -> None:
    writer = HistoryWriter.open(path)
    assert isinstance(writer, HistoryWriter), writer
    first = int((writer.recorded_until or BEGIN - STEP) - BEGIN) // int(STEP) + 1
    for number in itertools.count(first):
        now = BEGIN + number * STEP
        samples = [Sample(now, f"deployment:{one}", "requests", 1.0, "log") for one in range(SUBJECTS)]
        event = Event(0, now, "saved", str(number), "/c.yaml", "quiet", "saved")
        writer.write(samples, [event], now)
        assert not writer.failure, writer.failure
        # what is on its way to the reader is not written yet: the number before it is
        print(number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
