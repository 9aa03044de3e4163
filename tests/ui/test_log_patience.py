"""A regex that backtracks without end, and a log that takes long to look through: neither keeps a key waiting."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import partial

import pytest

from litellm_tui.logs.store import LogStore
from litellm_tui.model.log import LogRecord
from litellm_tui.ui.regex_timeout import TookTooLong, patience
from litellm_tui.ui.widgets import log_lines
from litellm_tui.ui.widgets.log_lines import TOO_LONG
from tests.ui.scene import Scene, quiet

SLICE_SECONDS = log_lines.SLICE_SECONDS


@pytest.fixture(autouse=True)
def slices_as_they_are(nothing_of_the_persons_own: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As short as in the console."""
    monkeypatch.setattr(log_lines, "SLICE_SECONDS", SLICE_SECONDS)


# some 2 ** 40 steps
WITHOUT_END = "(a+)+$"
VICTIM = "a" * 40 + "b"


def test_a_search_without_end_is_ended() -> None:
    with pytest.raises(TookTooLong), patience(0.05):
        re.search(WITHOUT_END, VICTIM)
    # and what comes after it is left in peace
    assert sum(range(3_000_000)) > 0


def test_what_ends_in_time_is_left_alone_and_nothing_stays_behind() -> None:
    import signal

    before = signal.getsignal(signal.SIGVTALRM)
    with patience(5):
        assert re.search("a", VICTIM)
    assert signal.getsignal(signal.SIGVTALRM) == before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_what_another_thread_takes_does_not_count() -> None:
    ended = threading.Event()

    def burn() -> None:
        while not ended.is_set():
            sum(range(1000))

    thread = threading.Thread(target=burn)
    thread.start()
    try:
        with patience(0.05):
            ended.wait(0.3)
    finally:
        ended.set()
        thread.join()


def test_beside_the_main_thread_it_does_nothing() -> None:
    found = []

    def run() -> None:
        with patience(0.0001):
            found.append(sum(range(200_000)))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [sum(range(200_000))]


async def test_a_filter_without_end_is_taken_as_text_and_says_so(scene: Scene) -> None:
    await quiet(scene)
    scene.write(VICTIM, f"holds {WITHOUT_END} itself")
    await scene.press("2", "slash", "tilde", *WITHOUT_END)
    await scene.shows(TOO_LONG)
    await scene.until(lambda: scene.log.settled)
    assert [record.text for record in scene.log.records()] == [f"holds {WITHOUT_END} itself"]
    # the next one is tried as a regex again
    await scene.press("backspace")
    assert scene.log.filter.typed == "~(a+)+"
    assert scene.log.filter.has_regex
    assert scene.log.filter.error == ""
    await scene.until(lambda: scene.log.settled)
    assert VICTIM in [record.text for record in scene.log.records()]


async def test_a_search_without_end_is_taken_as_text_and_says_so(scene: Scene) -> None:
    await quiet(scene)
    scene.write(VICTIM, f"holds {WITHOUT_END} itself")
    await scene.press("s", "tilde", *WITHOUT_END, "enter")
    await scene.shows(TOO_LONG)
    await scene.until(lambda: scene.log.chosen)
    assert scene.log.chosen is not None
    assert scene.log.chosen.text == f"holds {WITHOUT_END} itself"


async def test_what_a_search_has_passed_by_as_a_regex_is_looked_at_anew_as_text(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await quiet(scene)
    scene.write(VICTIM, f"holds {WITHOUT_END} itself")
    await scene.until(lambda: scene.log.settled)
    # each slice has time for one record
    monkeypatch.setattr(log_lines, "SLICE_SECONDS", 0.0)
    await scene.press("s", "tilde", *WITHOUT_END, "enter")
    await scene.until(lambda: scene.log.chosen)
    assert scene.log.chosen is not None
    assert scene.log.chosen.text == f"holds {WITHOUT_END} itself"


def _long(most: int) -> LogStore:
    store = LogStore()
    for number in range(most):
        store.append(
            LogRecord(
                sequence=0,
                time=1_800_000_000.0 + number,
                level="ERROR" if number == 7 else "INFO",
                source="proxy",
                text=f"{'even' if number % 2 == 0 else 'odd'} {number:06} " + "x" * 100,
            )
        )
    return store


async def test_a_long_log_is_looked_through_in_slices_the_newest_first(scene: Scene) -> None:
    await quiet(scene)
    await scene.press("2")
    scene.monitor.store = _long(50_000)
    scene.app.redraw()
    assert not scene.log.settled, "it would have taken as long as it takes"
    assert "049999" in scene.shown_rows("logs")[-1]
    await scene.shows("looking: ")
    await scene.press("2", "slash", *"even")
    rows = [row for row in scene.shown_rows("logs") if row]
    assert "even 049998" in rows[-1]
    assert all("even" in row for row in rows)
    await scene.press("enter")
    await scene.until(lambda: scene.log.settled)
    assert len(scene.log.records()) == 25_000
    assert scene.log.following
    assert "even 049998" in scene.shown_rows("logs")[-1]
    assert "looking" not in str(scene.app.query_one("#logs").border_title)
    await scene.press("2", "slash", *" nobody", "enter")
    await scene.shows("no record passes the filter")


async def test_what_is_read_stays_while_a_long_log_is_looked_through(scene: Scene) -> None:
    await quiet(scene)
    await scene.press("2")
    scene.monitor.store = _long(50_000)
    scene.app.redraw()
    await scene.until(lambda: scene.log.settled)
    scene.log.jump_to("2027-01-15T12:00Z")
    await scene.pilot.pause()
    chosen = scene.log.chosen
    assert chosen is not None
    row = next(n for n, line in enumerate(scene.shown_rows("logs")) if chosen.text[:12] in line)
    changes: tuple[Callable[[], None], ...] = (
        partial(scene.log.set_filter, "even"),
        partial(scene.log.set_filter, ""),
        scene.log.action_wrap,
    )
    for change in changes:
        change()
        assert not scene.log.settled
        for _ in range(3):
            assert chosen.text[:12] in scene.shown_rows("logs")[row]
            await scene.pilot.pause(0.02)
        await scene.until(lambda: scene.log.settled)
        assert chosen.text[:12] in scene.shown_rows("logs")[row]


async def test_a_search_goes_on_in_what_is_not_looked_at_yet(scene: Scene) -> None:
    await quiet(scene)
    await scene.press("2")
    scene.monitor.store = _long(50_000)
    scene.app.redraw()
    await scene.press("N")
    await scene.until(lambda: scene.log.chosen)
    assert scene.log.chosen is not None
    assert scene.log.chosen.sequence == 7
    # at the end it says so, and goes round when asked again
    await scene.press("N")
    await scene.until(lambda: any("no error above" in note.message for note in scene.app._notifications))
    assert scene.log.chosen.sequence == 7
    await scene.press("N")
    await scene.until(lambda: not scene.log.seeking)
    assert scene.log.chosen.sequence == 7, "it is the only one"
