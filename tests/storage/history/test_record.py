"""The record of a gateway: what is written is read again, in steps that grow with its age, and nothing old is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from litellm_tui.host.host_lock import Holder
from litellm_tui.model.failures import Failure
from litellm_tui.model.history import Event, Sample
from litellm_tui.storage.history import notes
from litellm_tui.storage.history.paths import history_path
from litellm_tui.storage.history.reader import HistoryReader
from litellm_tui.storage.history.schema import MIGRATIONS, VERSION, LaterVersion, migrate, version_of
from litellm_tui.storage.history.writer import HistoryWriter

NOON = 1_760_000_400.0
HOUR = 3600.0
DAY = 86400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway" / "history.sqlite"


def opened(path: Path) -> HistoryWriter:
    writer = HistoryWriter.open(path)
    assert isinstance(writer, HistoryWriter), writer
    return writer


@pytest.fixture
def writer(path: Path) -> Iterator[HistoryWriter]:
    made = opened(path)
    yield made
    made.close(NOON)


def problem(at: float, key: str = "cache", **more: object) -> Event:
    return Event(0, at, "problem", key, "cache", "bad", "cache down", "refused", **more)  # type: ignore[arg-type]


def steps(since: float, count: int, value: float = 4.0, subject: str = "") -> list[Sample]:
    return [Sample(since + 10 * step, subject, "requests", value, "log") for step in range(count)]


def test_events_are_read_newest_first_with_what_lasted_into_the_time(path: Path, writer: HistoryWriter) -> None:
    begun, _ = writer.write([], [problem(NOON - HOUR), problem(NOON - DAY, "old", until=NOON - DAY + 60)], NOON)
    (saved,) = writer.write([], [Event(0, NOON + 5, "saved", "abc", "/c.yaml", "quiet", "c.yaml saved")], NOON + 6)
    reader = HistoryReader(path)
    assert [event.id for event in reader.events(NOON - 60)] == [saved, begun], "what lasts since before is there"
    writer.end(begun, NOON + 8)
    assert [event.until for event in reader.events(NOON - 60, kinds=["problem"])] == [NOON + 8]
    assert reader.events(NOON + 20) == []
    assert [event.key for event in reader.events(0, until=NOON - 2 * HOUR)] == ["old"]
    assert [event.id for event in reader.events(0, limit=1)] == [saved]


def test_an_event_keeps_every_field(path: Path, writer: HistoryWriter) -> None:
    event = Event(0, NOON, "problem", "k", "group:small", "warn", "title", "cause", "do", "hit", NOON + 1, "text")
    (number,) = writer.write([], [event], NOON)
    (found,) = HistoryReader(path).events(NOON)
    assert found == msgspec.structs.replace(event, id=number)


def test_a_count_is_summed_over_longer_steps_and_nothing_is_not_zero(path: Path, writer: HistoryWriter) -> None:
    writer.write(steps(NOON, 6, 2.0), [], NOON + 60)
    reader = HistoryReader(path)
    fine = reader.series("", "requests", NOON, NOON + 120)
    assert (fine.step, fine.unit, fine.source) == (10, "requests", "log")
    assert [value for _, value in fine.points] == [2.0] * 6 + [None] * 6
    assert fine.points[0][0] == NOON
    coarse = reader.series("", "requests", NOON, NOON + 1200, most=22)
    assert coarse.step == 60
    assert [value for _, value in coarse.points][:2] == [12.0, None]


def test_of_a_step_that_is_not_over_or_was_not_watched_it_says_how_much_was(path: Path, writer: HistoryWriter) -> None:
    writer.write(steps(NOON, 6, 2.0), [], NOON + 60)
    reader = HistoryReader(path)
    coarse = reader.series("", "requests", NOON, NOON + 1200, most=3)
    assert (coarse.step, coarse.points[0][1], coarse.covered) == (600, 12.0, (60.0, 0.0))
    assert reader.series("", "cpu", NOON, NOON + 1200, most=3).covered == ()


def test_a_share_is_a_mean_and_a_size_its_peak(path: Path, writer: HistoryWriter) -> None:
    for place, (cpu, memory) in enumerate([(10.0, 100.0), (30.0, 300.0), (20.0, 200.0)]):
        at = NOON + 10 * place
        writer.write([Sample(at, "", "cpu", cpu, "service"), Sample(at, "", "memory", memory, "service")], [], at)
    reader = HistoryReader(path)
    assert reader.series("", "cpu", NOON, NOON + 60, most=2).points[0][1] == pytest.approx(20.0)
    assert reader.series("", "memory", NOON, NOON + 60, most=2).points[0][1] == pytest.approx(300.0)


def test_two_writes_within_a_step_are_one_count(path: Path, writer: HistoryWriter) -> None:
    writer.write(steps(NOON, 1, 3.0), [], NOON + 5)
    writer.write(steps(NOON, 1, 4.0), [], NOON + 9)
    assert HistoryReader(path).series("", "requests", NOON, NOON + 10).points == ((NOON, 7.0),)


def test_the_source_that_tells_most_is_told(path: Path, writer: HistoryWriter) -> None:
    samples = [Sample(NOON + 10 * step, "g", "requests", 1.0, "log") for step in range(5)]
    writer.write([*samples, Sample(NOON, "g", "requests", 9.0, "metrics")], [], NOON)
    assert HistoryReader(path).series("g", "requests", NOON, NOON + 50).source == "log"


def test_packed_hours_say_the_same_as_fresh_ones(path: Path, writer: HistoryWriter) -> None:
    writer.write(steps(NOON, 360, 3.0), [], NOON + HOUR)
    reader = HistoryReader(path)
    before = reader.series("", "requests", NOON, NOON + HOUR)
    writer.write([], [], NOON + 3 * HOUR)
    with sqlite3.connect(path) as look:
        assert look.execute("SELECT count(*) FROM fresh").fetchone() == (0,)
    assert reader.series("", "requests", NOON, NOON + HOUR) == before
    assert sum(value or 0 for _, value in before.points) == 360 * 3


def test_what_comes_late_is_added_to_its_packed_hour(path: Path, writer: HistoryWriter) -> None:
    writer.write(steps(NOON, 2, 3.0), [], NOON + 20)
    writer.write([], [], NOON + 2 * HOUR)
    writer.write(steps(NOON, 1, 2.0), [], NOON + 2 * HOUR + 10)
    writer.write([], [], NOON + 4 * HOUR)
    assert HistoryReader(path).series("", "requests", NOON, NOON + 20).points == ((NOON, 5.0), (NOON + 10, 3.0))


def test_old_steps_are_kept_in_longer_ones_and_at_last_not_at_all(path: Path, writer: HistoryWriter) -> None:
    writer.write(steps(NOON, 12, 1.0), [problem(NOON, until=NOON + 60)], NOON + 120)
    reader = HistoryReader(path)
    for age, step in ((DAY, 10), (3 * DAY, 60), (20 * DAY, 600)):
        writer.write([], [], NOON + age)
        found = reader.series("", "requests", NOON, NOON + 1200, most=1000)
        assert found.step == step, age
        assert sum(value or 0 for _, value in found.points) == 12
    writer.write([], [], NOON + 450 * DAY)
    assert [value for _, value in reader.series("", "requests", NOON, NOON + 1200).points if value] == []
    assert [event.kind for event in reader.events(0)] == ["gap", "gap", "gap", "gap", "problem"], "events are for ever"
    assert reader.subjects() == [], "nothing is left of a subject without measurements"


def test_a_month_is_drawn_in_few_points(path: Path, writer: HistoryWriter) -> None:
    for hour in range(0, 24 * 30, 24):
        writer.write(steps(NOON + hour * HOUR, 1, 5.0), [], NOON + hour * HOUR + 10)
    found = HistoryReader(path).series("", "requests", NOON, NOON + 30 * DAY)
    assert len(found.points) <= 400
    assert sum(value or 0 for _, value in found.points) == 150


def test_a_gap_is_told_from_the_last_write_to_the_next_one(path: Path) -> None:
    first = opened(path)
    first.write(steps(NOON, 1), [], NOON)
    first.write(steps(NOON + 10, 1), [], NOON + 10)
    first.close(NOON + 12)
    second = opened(path)
    assert second.recorded_until == NOON + 12
    second.write([], [], NOON + 100)
    second.write([], [], NOON + 110)
    reader = HistoryReader(path)
    (gap,) = reader.events(NOON, kinds=["gap"])
    assert (gap.at, gap.until) == (NOON + 12, NOON + 100)
    assert gap.cause == "nobody looked: the recorder and every console had ended"
    assert reader.looked(NOON, NOON + 200) == [(NOON, NOON + 12), (NOON + 100, NOON + 110)]
    second.close(NOON + 111)


def test_a_recorder_that_is_restarted_at_once_leaves_no_gap(path: Path) -> None:
    for began in (NOON, NOON + 12):
        one = opened(path)
        one.write([], [], began)
        one.close(began + 2)
    reader = HistoryReader(path)
    assert reader.events(0, kinds=["gap"]) == []
    assert reader.looked(NOON - 60, NOON + 60) == [(NOON, NOON + 14)]


def test_a_writer_that_slept_tells_of_it(path: Path, writer: HistoryWriter) -> None:
    writer.write([], [], NOON)
    writer.write([], [], NOON + HOUR)
    (gap,) = HistoryReader(path).events(0, kinds=["gap"])
    assert gap.cause == "the recorder stood still, or the machine slept"


def test_there_is_one_writer_and_readers_read_beside_it(path: Path, writer: HistoryWriter) -> None:
    held = HistoryWriter.open(path)
    assert isinstance(held, Holder)
    assert held.pid > 0
    writer.write([], [problem(NOON)], NOON)
    assert len(HistoryReader(path).events(0)) == 1
    writer.close(NOON)
    other = opened(path)
    assert [event.key for event in other.lasting()] == ["cache"]
    other.close(NOON)


def test_gateways_never_mix(tmp_path: Path) -> None:
    one = history_path("http://127.0.0.1:4000", "litellm.service", tmp_path)
    other = history_path("http://127.0.0.1:4001", "litellm.service", tmp_path)
    assert one != other
    assert one.name == "history.sqlite"


def test_a_full_disk_loses_nothing_that_was_written_and_goes_on_by_itself(path: Path, writer: HistoryWriter) -> None:
    writer.write(steps(NOON, 1), [problem(NOON)], NOON)
    connection = writer._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    big = [Event(0, NOON + at, "saved", str(at), "x" * 400, "quiet", "y" * 400) for at in range(60)]
    numbers = writer.write(steps(NOON + 10, 1, 7.0), big, NOON + 10)
    assert "full" in writer.failure
    reader = HistoryReader(path)
    assert [event.kind for event in reader.events(0)] == ["problem"]
    assert writer.write([], [], NOON + 20) == []
    connection.execute("PRAGMA max_page_count = 1000000")
    writer.write([], [], NOON + 300)
    assert writer.failure == ""
    found = reader.events(0, kinds=["saved"])
    assert {event.id for event in found} == set(numbers), "what waited has the numbers that it was given"
    assert reader.series("", "requests", NOON, NOON + 20).points == ((NOON, 4.0), (NOON + 10, 7.0))


def test_what_waits_has_bounds_and_the_loss_is_a_gap(
    path: Path, writer: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    from litellm_tui.storage.history import writer as module

    monkeypatch.setattr(module, "MOST_STEPS", 3)
    writer.write(steps(NOON, 1), [], NOON)
    connection = writer._connection
    connection.execute("PRAGMA query_only = 1")
    for at in range(10, 80, 10):
        writer.write(steps(NOON + at, 1), [], NOON + at)
        assert writer.failure
    connection.execute("PRAGMA query_only = 0")
    writer.write(steps(NOON + 80, 1), [], NOON + 80)
    reader = HistoryReader(path)
    (gap,) = reader.events(0, kinds=["gap"])
    assert gap.cause == "the record could not be written"
    assert (gap.at, gap.until) == (NOON, NOON + 60)
    known = [at for at, value in reader.series("", "requests", NOON, NOON + 90).points if value is not None]
    assert known == [NOON, NOON + 60, NOON + 70, NOON + 80]


def _fill(path: Path) -> int:
    writer = opened(path)
    events = [Event(0, NOON + at, "saved", str(at), "/c.yaml", "quiet", "t" * 300) for at in range(300)]
    writer.write(steps(NOON, 360), events, NOON + HOUR)
    writer.write([], [], NOON + HOUR + 10)
    writer.close(NOON + HOUR + 10)
    return len(events)


@pytest.mark.parametrize("damage", ["no database", "the head", "in the middle", "empty"])
def test_a_broken_file_is_set_aside_and_what_can_be_read_of_it_stays(path: Path, damage: str) -> None:
    made = _fill(path)
    content = bytearray(path.read_bytes())
    if damage == "no database":
        content[:] = b"this is no database\n" * 500
    elif damage == "the head":
        content[:200] = b"\xff" * 200
    elif damage == "in the middle":
        middle = len(content) // 2 // 4096 * 4096
        content[middle : middle + 4096] = b"\xee" * 4096
    else:
        content.clear()
    path.write_bytes(bytes(content))
    writer = opened(path)
    writer.write([], [problem(NOON + 2 * HOUR)], NOON + 2 * HOUR)
    assert writer.failure == ""
    writer.close(NOON + 2 * HOUR)
    aside = [one for one in path.parent.iterdir() if ".damaged." in one.name]
    found = HistoryReader(path).events(0, limit=10_000)
    assert "problem" in {event.kind for event in found}
    if damage == "empty":
        assert aside == [], "an empty file is a new one"
    else:
        assert bytes(content) in [one.read_bytes() for one in aside], "nothing of it is deleted"
        assert aside[0].name in writer.damage or len(aside) > 1
    if damage == "in the middle":
        assert len(found) > made // 2, "the rest of it can still be read"


def test_a_file_that_breaks_while_it_is_written_is_renewed(path: Path) -> None:
    _fill(path)
    writer = opened(path)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA writable_schema = 1")
        other.execute("UPDATE sqlite_master SET rootpage = 99999 WHERE name = 'events_at'")
    numbers = writer.write(steps(NOON + 2 * HOUR, 1), [problem(NOON + 2 * HOUR)], NOON + 2 * HOUR)
    writer._connection.close()
    writer._connection = sqlite3.connect(path, isolation_level=None)
    writer.write([], [problem(NOON + 3 * HOUR, "later")], NOON + 3 * HOUR)
    writer.close(NOON + 3 * HOUR)
    assert {"cache", "later"} <= {event.key for event in HistoryReader(path).events(0, limit=10_000)}
    assert numbers


def test_a_record_that_was_taken_away_is_begun_anew(path: Path, writer: HistoryWriter) -> None:
    writer.write([], [problem(NOON)], NOON)
    for one in path.parent.glob("history.sqlite*"):
        one.unlink()
    writer.write([], [problem(NOON + 10, "new")], NOON + 10)
    assert [event.key for event in HistoryReader(path).events(0, kinds=["problem"])] == ["new"]


def test_what_others_note_is_told_at_once_and_taken_up_once(path: Path, writer: HistoryWriter) -> None:
    noted = Event(0, NOON, "upgrade", "u1", "", "quiet", "upgraded")
    assert notes.note(path, noted) == ""
    reader = HistoryReader(path)
    assert [event.title for event in reader.events(0)] == ["upgraded"], "before anybody has taken it up"
    writer.write([], [], NOON + 1)
    (taken,) = reader.events(0)
    assert taken.id > 0
    assert notes.waiting(path) == []
    # a writer that was killed between the record and the note takes it up again
    notes.note(path, noted)
    writer.write([], [], NOON + 2)
    assert len(reader.events(0)) == 1


def test_a_cut_off_note_is_lost_alone(path: Path, writer: HistoryWriter) -> None:
    notes.note(path, Event(0, NOON, "upgrade", "u1", "", "quiet", "upgraded"))
    with (path.parent / "noted.jsonl").open("ab") as file:
        file.write(b'{"id":0,"at":17600')
    writer.write([], [], NOON + 1)
    assert [event.key for event in HistoryReader(path).events(0)] == ["u1"]


def test_a_reader_of_nothing_reads_nothing(path: Path) -> None:
    reader = HistoryReader(path)
    assert reader.events(0) == []
    assert reader.looked(0, NOON) == []
    assert reader.subjects() == []
    assert [value for _, value in reader.series("", "cpu", NOON, NOON + 60).points] == [None] * 6
    assert reader.failure == ""
    assert not path.exists()


# the tables as the first version has written them: what has been released is never changed
def test_a_file_of_every_version_becomes_one_of_this(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    for version in range(VERSION):
        path.unlink(missing_ok=True)
        with sqlite3.connect(path, isolation_level=None) as old:
            migrate(old, MIGRATIONS[: version + 1])
            assert version_of(old) == version + 1
            old.execute(
                "INSERT INTO events (id, at, kind, key, subject, severity, title, cause, do, hit, text) "
                "VALUES (7, 1.5, 'saved', 'k', 's', 'quiet', 't', '', '', '', '')"
            )
        writer = opened(path)
        writer.close(NOON)
        assert [(event.id, event.key) for event in HistoryReader(path).events(0, kinds=["saved"])] == [(7, "k")]


def test_a_step_of_a_migration_is_whole_or_nothing(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)
    more = (*MIGRATIONS, "ALTER TABLE events ADD COLUMN more TEXT; CREATE TABLE events (id INTEGER)")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, more)
    assert version_of(connection) == VERSION
    assert "more" not in [row[1] for row in connection.execute("PRAGMA table_info(events)")]
    migrate(connection, (*MIGRATIONS, "ALTER TABLE events ADD COLUMN more TEXT"))
    assert version_of(connection) == VERSION + 1
    with pytest.raises(LaterVersion):
        migrate(connection)


def test_a_file_of_a_later_version_is_neither_written_nor_renamed(path: Path) -> None:
    _fill(path)
    with sqlite3.connect(path) as later:
        later.execute(f"PRAGMA user_version = {VERSION + 1}")
    refused = HistoryWriter.open(path)
    assert isinstance(refused, Failure)
    assert "later litellm-tui" in refused.why
    assert HistoryReader(path).events(0) == []
    assert [one.name for one in path.parent.iterdir() if "damaged" in one.name] == []


def test_nobody_else_may_read_the_record(path: Path, writer: HistoryWriter) -> None:
    writer.write([], [problem(NOON)], NOON)
    assert {oct(one.stat().st_mode & 0o077) for one in path.parent.iterdir()} == {"0o0"}
    assert path.parent.stat().st_mode & 0o077 == 0
