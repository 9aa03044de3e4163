"""Charts: steps to columns, nothing recorded is not none, and what happened stands under what followed."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from typing import get_args
from xml.etree import ElementTree

import msgspec
import pytest

from litellm_tui.analysis.history.axis import clock_of, column_of, signs, ticks
from litellm_tui.analysis.history.chart import AXIS_LINES, LEFT_MARGIN, chart_lines, columns_in, panels_in
from litellm_tui.analysis.history.panels import KINDS, Panel, PanelKind, panel_of, panel_words, read_panels, value_words
from litellm_tui.analysis.history.spans import DAY, HOUR, last_night, other_span, span_words
from litellm_tui.analysis.history.svg import svg_of
from litellm_tui.demo.past import Past
from litellm_tui.model.history import MEASURES, EventKind
from litellm_tui.ui.signs import to_ascii
from tests.analysis.history.made import NOW, event, series

RATE, ERRORS, LATENCY, CACHE = KINDS[:4]


def _panel(kind: PanelKind, *of: object, columns: int = 4, span: float = 240.0) -> Panel:
    found = panel_of(kind, of, 0.0, span, columns)  # type: ignore[arg-type]
    assert found is not None
    return found


def _text(lines: list[tuple[tuple[str, str], ...]]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def test_what_is_counted_is_told_a_minute_whatever_the_step() -> None:
    assert _panel(RATE, series("requests", 60, 6.0, 0.0, None, 12.0)).columns == (6.0, 0.0, None, 12.0)
    assert _panel(RATE, series("requests", 10, *[1.0] * 24)).columns == (6.0, 6.0, 6.0, 6.0)
    # a step that is longer than a column fills all that it covers, and counts once
    wide = _panel(RATE, series("requests", 120, 20.0, 0.0))
    assert wide.columns == (10.0, 10.0, 0.0, 0.0)
    assert wide.total == 20.0


def test_the_worst_of_a_column_is_not_lost_in_a_mean() -> None:
    assert _panel(LATENCY, series("latency_p95", 30, *[0.5] * 7, 9.0)).columns == (0.5, 0.5, 0.5, 9.0)


def test_a_cache_that_was_not_asked_has_no_share() -> None:
    panel = _panel(
        CACHE, series("cache_hits", 60, 3.0, 0.0, None, 0.0), series("cache_misses", 60, 1.0, 0.0, None, 5.0)
    )
    assert panel.columns == (75.0, None, None, 0.0)
    assert value_words(panel, 75.0) == "75 %"


def test_of_what_nothing_was_recorded_there_is_no_curve() -> None:
    assert panel_of(RATE, [series("requests", 60, None, None)], 0.0, 240.0, 4) is None


def test_a_rate_is_of_the_time_that_was_recorded() -> None:
    """A recorder that has just begun: ten requests in the first minute of a step of ten are no request a minute."""
    begun = msgspec.structs.replace(series("requests", 600, 10.0, 60.0), covered=(60.0, 600.0))
    found = panel_of(RATE, [begun], 0.0, 1200.0, 2)
    assert found is not None
    assert list(found.columns) == pytest.approx([10.0, 6.0])
    assert found.total == 70.0
    found = panel_of(RATE, [begun], 0.0, 1200.0, 1)
    assert found is not None
    assert list(found.columns) == pytest.approx([70 / 11])


def test_nothing_recorded_none_and_little_are_three_things() -> None:
    panel = _panel(ERRORS, series("failed", 60, 0.0, None, 1.0, 1000.0))
    lines = chart_lines([panel], [], [], (0.0, 240.0), 2 + AXIS_LINES, UTC)
    assert _text(lines)[1] == " ▁ ▂█"
    assert to_ascii(_text(lines)[1]) == " _ .#"
    # none is quiet, what failed is not
    assert lines[1] == ((" ", ""), ("▁", "quiet"), (" ", ""), ("▂█", "bad"))


def test_a_deploy_stands_under_the_rise_that_follows_it() -> None:
    latency = _panel(LATENCY, series("latency_p95", 60, 1.0, 1.0, 4.0, 4.0))
    rate = _panel(RATE, series("requests", 60, 5.0, 5.0, 5.0, 5.0))
    events = [event(1, 130.0, "applied", severity="ok"), event(2, 10.0, "problem", severity="bad")]
    text = _text(chart_lines([rate, latency], events, [], (0.0, 240.0), 6 + AXIS_LINES, UTC))
    axis = text[-AXIS_LINES]
    assert axis == " !─A─"
    # in the curves above it a line leads to it, where there is room
    assert [line[3] for line in text[4:6]] == ["█", "█"]
    low = _panel(LATENCY, series("latency_p95", 60, 8.0, 8.0, 1.0, 1.0))
    guided = _text(chart_lines([low], events, [], (0.0, 240.0), 3 + AXIS_LINES, UTC))
    assert [line[3] for line in guided[1:3]] == ["┊", "▂"]
    # what is no deploy has none
    assert guided[1][1] == "█"


def test_where_nobody_looked_the_axis_says_so() -> None:
    rate = _panel(RATE, series("requests", 60, 5.0, None, None, 5.0))
    lines = chart_lines([rate], [], [(60.0, 180.0)], (0.0, 240.0), 2 + AXIS_LINES, UTC)
    assert _text(lines)[-2] == " ─░░─"
    assert to_ascii(_text(lines)[-2]) == " -??-"


def test_the_selected_column_is_seen_in_every_line_and_told() -> None:
    rate = _panel(RATE, series("requests", 60, 5.0, 7.0, 6.0, 5.0), columns=80, span=240.0)
    lines = chart_lines([rate], [], [], (0.0, 240.0), 3 + AXIS_LINES, UTC, cursor=25)
    assert _text(lines)[0].startswith(" requests a minute 7/min  up to 7/min · 23 in all · by log")
    for line in lines[1:-1]:
        assert [len(text) for text, style in line if style == "match"] == [1]


@pytest.mark.parametrize(("width", "height"), [(76, 17), (104, 33), (130, 44), (30, 6), (10, 5), (1, 1)])
@pytest.mark.parametrize("subject", ["", "group:gpt-4.1"])
@pytest.mark.parametrize("span", [600.0, DAY, 30 * DAY])
def test_it_fills_the_room_that_it_has(width: int, height: int, subject: str, span: float) -> None:
    past = Past(NOW, UTC)
    panels = read_panels(past, subject, NOW - span, NOW, columns_in(width))
    lines = chart_lines(panels, past.events(NOW - span, NOW), [], (NOW - span, NOW), height, UTC)
    assert all(len(text) == LEFT_MARGIN + columns_in(width) for text in _text(lines)[-2:])
    if height > 5:
        assert all(len(text) <= width for text in _text(lines))
        assert len(lines) == height
        assert len(panels[: panels_in(height)]) == min(panels_in(height), len(panels))


def test_five_curves_have_room_on_the_smallest_screen() -> None:
    assert panels_in(17) == 5
    assert panels_in(33) == 5
    assert panels_in(50) == 8


def test_every_kind_of_curve_is_made_of_measures_that_there_are() -> None:
    assert {measure for kind in KINDS for measure in kind.measures} <= set(MEASURES)
    for kind in KINDS:
        assert value_words(Panel(kind, (1.0,), None, "log"), 1234.5)


def test_little_money_and_much_memory_have_words() -> None:
    by_name = {kind.name: kind for kind in KINDS}
    assert value_words(Panel(by_name["memory"], (1.0,), None, "service"), 512 * 2**20) == "512 MB"
    assert value_words(Panel(by_name["latency"], (1.0,), None, "log"), 0.25) == "250 ms"
    assert panel_words(Panel(by_name["cost"], (0.5,), 12.345, "log")) == "up to 0.5 USD/min · 12.35 USD in all · by log"
    assert panel_words(Panel(by_name["errors"], (0.0,), 0.0, "log")) == "none · by log"


# --- the axis ------------------------------------------------------------------------------------------------------


def test_ticks_are_round_times_of_the_wall() -> None:
    berlin = timezone(timedelta(hours=1))
    assert [tick.words for tick in ticks(NOW - 4 * HOUR, NOW, 5, UTC)] == ["04:00", "05:00", "06:00", "07:00", "08:00"]
    assert [tick.words for tick in ticks(NOW - 4 * HOUR, NOW, 2, berlin)] == ["06:00", "08:00"]
    assert [tick.words for tick in ticks(NOW - 3 * DAY, NOW, 6, UTC)] == [
        "12:00", "Jan 13", "12:00", "Jan 14", "12:00", "Jan 15",
    ]  # fmt: skip
    assert [tick.words for tick in ticks(NOW - 30 * DAY, NOW, 6, UTC)] == ["Dec 23", "Dec 30", "Jan 6", "Jan 13"]


def test_on_the_day_on_which_clocks_are_changed_ticks_stay_round() -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Europe/Berlin")
    # 2026-10-25: three o'clock comes twice
    begin, end = 1_792_879_200.0, 1_792_879_200.0 + 25 * HOUR
    found = ticks(begin, end, 5, zone)
    assert [tick.words for tick in found] == ["Oct 25", "06:00", "12:00", "18:00", "Oct 26"]
    assert found[1].at - found[0].at == 7 * HOUR


def test_of_several_in_one_column_the_worst_is_seen() -> None:
    events = [
        event(1, 5.0, "saved"), event(2, 6.0, "applied"), event(3, 7.0, "downtime"),
        event(4, 65.0, "start"), event(5, 66.0, "downtime", severity="bad"),
        event(6, 300.0, "start"), event(7, 130.0, "verdict"),
    ]  # fmt: skip
    found = signs(events, 0.0, 240.0, 4)
    assert {column: sign.text for column, sign in found.items()} == {0: "A", 1: "X"}


def test_every_sign_has_a_kind() -> None:
    kinds = set(get_args(EventKind))
    found = signs([event(n, float(n), kind) for n, kind in enumerate(sorted(kinds))], 0.0, 20.0, 20)
    assert {sign.text for sign in found.values()} == set("XUARs!rbmap")


def test_the_last_moment_is_in_the_last_column() -> None:
    assert column_of(240.0, 0.0, 240.0, 4) == 3
    assert column_of(0.0, 0.0, 240.0, 4) == 0
    assert column_of(-1.0, 0.0, 240.0, 4) == -1
    assert column_of(241.0, 0.0, 240.0, 4) == 4


def test_a_time_has_its_day_where_the_span_is_not_within_one() -> None:
    assert clock_of((NOW - 600, NOW), UTC)(NOW) == "08:00:00"
    assert clock_of((NOW - 7 * HOUR, NOW), UTC)(NOW) == "08:00"
    assert clock_of((NOW - 9 * HOUR, NOW), UTC)(NOW - 9 * HOUR) == "Jan 14 23:00"


def test_last_night_is_the_one_that_is_or_was() -> None:
    assert last_night(NOW, UTC) == (NOW - 12 * HOUR, NOW)
    assert last_night(NOW + 6 * HOUR, UTC) == (NOW - 12 * HOUR, NOW)
    # at three in the night it is not over
    assert last_night(NOW - 5 * HOUR, UTC) == (NOW - 12 * HOUR, NOW - 5 * HOUR)
    assert last_night(NOW + 13 * HOUR, UTC) == (NOW + 12 * HOUR, NOW + 13 * HOUR)


def test_spans_go_from_ten_minutes_to_thirty_days_and_no_farther() -> None:
    span, seen = DAY, []
    for _ in range(20):
        span = other_span(span, -1)
    for _ in range(20):
        seen.append(span_words(span))
        span = other_span(span, 1)
    assert seen[:11] == ["10 min", "30 min", "1 h", "3 h", "6 h", "12 h", "1 d", "3 d", "7 d", "14 d", "30 d"]
    assert set(seen[11:]) == {"30 d"}


# --- for a report --------------------------------------------------------------------------------------------------


def test_the_drawing_is_well_formed_whatever_the_names_are() -> None:
    past = Past(NOW, UTC)
    panels = read_panels(past, "", NOW - DAY, NOW, 100)
    evil = event(1, NOW - 60, title='</title><script>alert("1")</script>&', cause="\x1b[31m\x00 red")
    drawn = svg_of(
        "<gateway> & co", panels, [evil, *past.events(NOW - DAY)], [(NOW - HOUR, NOW)], (NOW - DAY, NOW), UTC
    )
    root = ElementTree.fromstring(drawn)
    names = {node.tag.rpartition("}")[2] for node in root.iter()}
    assert names == {"svg", "rect", "text", "title", "path", "g"}
    texts = [node.text for node in root.iter() if node.text]
    assert "<gateway> & co" in texts
    assert any("alert" in text for text in texts)
    assert "http" not in drawn.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_a_drawing_of_nothing_says_so() -> None:
    drawn = svg_of("x", [], [], [], (NOW - DAY, NOW), UTC)
    assert "nothing was recorded" in drawn
    ElementTree.fromstring(drawn)
