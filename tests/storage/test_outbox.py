"""The outbox: one message an event whoever sees it, in order, bounded, and there after anything."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from litellm_tui.analysis.notify.decide import Decision
from litellm_tui.model.diagnosis import Problem
from litellm_tui.model.notification import Message
from litellm_tui.model.notify_settings import Rule
from litellm_tui.storage import outbox as module
from litellm_tui.storage.outbox import CLAIM_SECONDS, LaterForm, Outbox, Seen, outbox_path, pause
from tests.notify.loopback import NOW, diagnosis, problem

RULES = {"a": (Rule(),), "b": (Rule(severity="bad"),)}


def compose(decision: Decision, now: float, identity: str) -> Message:
    one = decision.standing
    return Message(
        identity, decision.event, "gw", "127.0.0.1:4000", "host", one.key, one.severity, decision.before, one.title,
        one.cause, one.reason, one.do, one.hit, one.subject, one.groups, one.since, one.ended_at, now,
    )  # fmt: skip


def look(box: Outbox, *problems: Problem, now: float = NOW, hold: bool = False) -> int:
    return box.observe(Seen(diagnosis(*problems), True, now, str, hold), RULES, {}, compose)


def told(box: Outbox) -> list[str]:
    return [f"{one.receiver} {one.message.event} {one.state}" for one in reversed(box.listed())]


def test_two_that_look_write_one_message_a_receiver(tmp_path: Path) -> None:
    one, other = Outbox(tmp_path / "o.sqlite"), Outbox(tmp_path / "o.sqlite")
    assert look(one, problem()) == 2
    assert look(other, problem(since=NOW + 0.7), now=NOW + 1) == 0
    assert told(other) == ["a began waiting", "b began waiting"]
    # one of them sees the end a little later
    look(one, now=NOW + 10)
    look(other, problem(), now=NOW + 11)
    look(one, now=NOW + 12)
    look(other, now=NOW + 13)
    assert look(one, now=NOW + 75) == 2
    assert look(other, now=NOW + 76) == 0
    assert told(one) == ["a began waiting", "b began waiting", "a ended waiting", "b ended waiting"]


def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "o.sqlite")
    look(first, problem())
    first.close()
    again = Outbox(tmp_path / "o.sqlite")
    assert look(again, problem(), now=NOW + 30) == 0
    claimed = again.claim("a", NOW + 30)
    assert claimed is not None
    assert claimed.message.key == "group:small"


def test_nothing_is_told_while_a_restart_is_expected_and_then_what_is_still_so(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "o.sqlite")
    assert look(box, problem("gateway:", kind="gateway"), problem("group:b"), hold=True) == 0
    assert look(box, problem("group:b"), now=NOW + 20, hold=True) == 0
    assert look(box, problem("group:b"), now=NOW + 31) == 2
    assert {one.message.key for one in box.listed()} == {"group:b"}


def test_one_sends_at_a_time_and_in_order(tmp_path: Path) -> None:
    one, other = Outbox(tmp_path / "o.sqlite"), Outbox(tmp_path / "o.sqlite")
    look(one, problem("group:x"), problem("group:y", since=NOW + 1))
    first = one.claim("a", NOW)
    assert first is not None
    assert first.message.key == "group:x"
    assert other.claim("a", NOW) is None
    assert other.due(("a", "b"), NOW) == ("b",)
    # who has claimed it is gone
    again = other.claim("a", NOW + CLAIM_SECONDS + 1)
    assert again is not None
    assert again.number == first.number
    other.done(again.number, NOW + 100)
    second = other.claim("a", NOW + 100)
    assert second is not None
    assert second.message.key == "group:y"


def test_what_failed_is_tried_again_later_and_what_is_behind_it_waits(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "o.sqlite")
    look(box, problem("group:x"), problem("group:y"))
    first = box.claim("a", NOW)
    assert first is not None
    box.failed(first.number, NOW, "no connection", 20.0)
    assert box.claim("a", NOW + 19) is None
    again = box.claim("a", NOW + 21)
    assert again is not None
    assert (again.number, again.attempts) == (first.number, 1)
    # of a clock that was set back nothing is waited for
    box.failed(first.number, NOW + 86400, "no connection", 20.0)
    assert box.claim("a", NOW) is not None


def test_pauses_grow_to_five_minutes() -> None:
    assert [pause(times) for times in (1, 2, 3, 7, 8, 10_000)] == [5, 10, 20, 300, 300, 300]


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    monkeypatch.setattr(module, "MOST_DONE", 4)
    box = Outbox(tmp_path / "o.sqlite")
    for number in range(12):
        look(box, *(problem(f"group:{one}") for one in range(number + 1)), now=NOW + number)
    waiting = [one.message.key for one in box.listed() if one.state == "waiting" and one.receiver == "a"]
    assert waiting == ["group:11", "group:10", "group:9"]
    assert len(box.listed()) == 3 + 3 + 4
    assert {one.failure for one in box.listed() if one.state == "dropped"} == {"too many waited"}


def test_what_has_waited_for_a_week_is_dropped(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "o.sqlite")
    look(box, problem())
    look(box, problem(), problem("group:late", since=NOW + 8 * 86400), now=NOW + 8 * 86400)
    assert told(box) == ["a began dropped", "b began dropped", "a began waiting", "b began waiting"]


def test_others_cannot_read_it(tmp_path: Path) -> None:
    box = Outbox(outbox_path("http://127.0.0.1:4000", "u", tmp_path))
    look(box, problem())
    assert stat.S_IMODE(box.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(box.path.parent.stat().st_mode) == 0o700
    assert outbox_path("http://127.0.0.1:4000", "v", tmp_path) != box.path


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    path.write_bytes(b"not a database" * 1000)
    box = Outbox(path)
    assert look(box, problem()) == 2
    assert "damaged" in box.note
    assert [one.name for one in tmp_path.glob("*.damaged.*")]


def test_a_record_that_cannot_be_read_keeps_nothing_back(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "o.sqlite")
    look(box, problem("group:x"), problem("group:y", since=NOW + 1))
    with sqlite3.connect(box.path) as other:
        other.execute("UPDATE message SET record = '{' WHERE number = 1")
        other.execute("UPDATE standing SET record = x'ff00'")
        other.execute("UPDATE belief SET record = '[]' WHERE receiver = 'b'")
    claimed = box.claim("a", NOW)
    assert claimed is not None
    assert claimed.message.key == "group:y"
    assert len(box.listed()) == 3
    assert look(box, problem("group:x"), problem("group:y", since=NOW + 1), now=NOW + 1) == 2


def test_a_file_of_a_later_form_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA user_version = 99")
    with pytest.raises(LaterForm, match="later litellm-tui"):
        look(Outbox(path), problem())
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (99,)


def test_a_list_makes_no_file(tmp_path: Path) -> None:
    assert Outbox(tmp_path / "o.sqlite").listed() == ()
    assert not list(tmp_path.iterdir())
