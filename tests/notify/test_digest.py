"""Thirty problems at once are one message for people, and thirty for a program."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.model.notify_settings import Form, NotifySettings, Receiver, Webhook
from tests.notify.loopback import Loopback, problem
from tests.notify.test_notifier import driven

NAMES = [f"group:model-{number:02}" for number in range(30)]


def _to(hook: Loopback, form: Form) -> NotifySettings:
    return NotifySettings({"hook": Receiver(webhook=Webhook(form=form, url=hook.url))})


async def test_many_at_once_are_one_message_for_people_and_so_is_their_end(tmp_path: Path) -> None:
    with Loopback() as hook:
        async with driven(_to(hook, "ntfy"), tmp_path / "o") as one:
            await one.sees(*map(problem, NAMES), at=0)
            (began,) = hook.got
            assert began.body["title"] == ("prod: BAD 30 problems began: model-00, model-01, model-02 and 27 more")
            said = began.body["message"].splitlines()
            assert said[:2] == ["model-00: refused", "model-01: refused"]
            assert "and 10 more" in said
            await one.sees(at=100)
            await one.sees(at=200)
    _, ended = hook.got
    assert ended.body["title"] == "prod: 30 problems ended: model-00, model-01, model-02 and 27 more"
    assert ended.body["priority"] == 3


async def test_few_are_told_one_by_one(tmp_path: Path) -> None:
    with Loopback() as hook:
        async with driven(_to(hook, "ntfy"), tmp_path / "o") as one:
            await one.sees(*map(problem, NAMES[:3]), at=0)
    assert [got.body["title"] for got in hook.got] == [f"prod: BAD model-0{n}: refused" for n in range(3)]


@pytest.mark.parametrize("form", ["json", "alertmanager"])
async def test_a_program_gets_each_of_them(form: Form, tmp_path: Path) -> None:
    with Loopback() as hook:
        async with driven(_to(hook, form), tmp_path / "o") as one:
            await one.sees(*map(problem, NAMES), at=0)
    assert len(hook.got) == 30
    assert "parts" not in str(hook.got)


async def test_one_of_many_that_was_refused_is_tried_again_whole(tmp_path: Path) -> None:
    with Loopback() as hook:
        hook.status = 503
        async with driven(_to(hook, "ntfy"), tmp_path / "o") as one:
            await one.sees(*map(problem, NAMES), at=0)
            hook.status = 200
            await one.turns(at=60)
            await one.turns(at=120)
    assert len(hook.got) == 2
    assert hook.got[0].body == hook.got[1].body
