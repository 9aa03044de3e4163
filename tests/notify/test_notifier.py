"""Messages on real receivers of loopback: one an event, none lost, no secret in any; time is moved, not waited for."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.model.notification import Message
from litellm_tui.model.notify_settings import NotifySettings, Receiver, Rule, Webhook
from litellm_tui.notify.notifier import Notifier
from litellm_tui.notify.receivers import Address, address_of
from litellm_tui.notify.send import APPRISE_MISSING, Result, send
from litellm_tui.storage.outbox import Outbox
from tests.notify.loopback import NOW, Loopback, SeenOnce, problem, view
from tests.waiting import DEADLINE, eventually

DOWN = problem("gateway:", kind="gateway")


class Clock:
    """The time, as the test says."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hook() -> Iterator[Loopback]:
    with Loopback() as found:
        yield found


def to(hook: Loopback, **rules: object) -> NotifySettings:
    return NotifySettings({"hook": Receiver(webhook=Webhook(url=hook.url))}, (Rule(**rules),))  # type: ignore[arg-type]


class Driven:
    """A notifier that is fed by hand, on a clock of its own."""

    def __init__(self, notifier: Notifier, clock: Clock) -> None:
        self.notifier, self.clock = notifier, clock

    async def sees(self, *problems: object, at: float, redact: Callable[[str], str] = str) -> None:
        self.clock.now = NOW + at
        self.notifier._view = view(*problems, now=self.clock.now, redact=redact)  # type: ignore[arg-type]
        await self.notifier.step()
        await self.notifier.settled()

    async def turns(self, at: float) -> None:
        """Time goes on, and no view comes."""
        self.clock.now = NOW + at
        await self.notifier.step()
        await self.notifier.settled()


@asynccontextmanager
async def driven(settings: NotifySettings, path: Path, **given: object) -> AsyncIterator[Driven]:
    clock = Clock()
    given = {"asked": lambda _: True, **given}
    notifier = Notifier(settings, "prod", "127.0.0.1:4000", path, clock=clock, **given)  # type: ignore[arg-type]
    try:
        yield Driven(notifier, clock)
    finally:
        await notifier.close()


def events(hook: Loopback) -> list[str]:
    return [f"{got.body['event']} {got.body['key']}" for got in hook.got]


async def test_one_message_an_event(hook: Loopback, tmp_path: Path) -> None:
    async with driven(to(hook), tmp_path / "o") as one:
        await one.sees(problem(severity="warn"), at=0)
        await one.sees(problem(severity="warn"), at=1)
        await one.sees(problem(), at=10)
        await one.sees(at=20)
        await one.sees(at=90)
        await one.sees(at=300)
    assert events(hook) == ["began group:small", "worse group:small", "ended group:small"]
    last = hook.got[-1].body
    assert (last["gateway"], last["since"], last["ended_at"]) == ("prod", NOW, NOW + 20)
    assert len({got.body["id"] for got in hook.got}) == 3


async def test_none_is_lost_while_the_receiver_is_down_for_five_minutes(hook: Loopback, tmp_path: Path) -> None:
    warned: list[str] = []
    async with driven(to(hook), tmp_path / "o", warn=warned.append) as one:
        hook.down()
        await one.sees(problem("group:a"), at=0)
        await one.sees(problem("group:b"), at=60)
        await one.sees(problem("group:b"), at=130)
        for at in range(140, 300, 10):
            await one.sees(problem("group:b"), at=at)
        assert hook.got == []
        # said once, and by the server alone
        where = f"hook (webhook json to http://127.0.0.1:{hook.port}/…)"
        assert warned == [f"notify: {where}: no connection, tried 1 time; it is tried again"]
        hook.up()
        await one.turns(at=700)
    assert events(hook) == ["began group:a", "began group:b", "ended group:a"]


async def test_what_was_not_sent_is_sent_after_a_restart(hook: Loopback, tmp_path: Path) -> None:
    hook.status = 503
    async with driven(to(hook), tmp_path / "o") as one:
        await one.sees(problem(), at=0)
    hook.status = 200
    async with driven(to(hook), tmp_path / "o") as again:
        await again.turns(at=6)
    assert events(hook) == ["began group:small"] * 2
    assert hook.got[0].body["id"] == hook.got[1].body["id"]
    assert [one.state for one in Outbox(tmp_path / "o").listed()] == ["sent"]


async def test_a_receiver_that_wants_to_be_left_alone_is(hook: Loopback, tmp_path: Path) -> None:
    hook.status, hook.headers = 429, {"Retry-After": "120"}
    async with driven(to(hook), tmp_path / "o") as one:
        await one.sees(problem(), at=0)
        hook.status = 200
        await one.turns(at=119)
        assert len(hook.got) == 1
        await one.turns(at=121)
        assert len(hook.got) == 2


async def test_what_a_receiver_does_not_take_keeps_nothing_else_back(hook: Loopback, tmp_path: Path) -> None:
    hook.status = 400
    warned: list[str] = []
    async with driven(to(hook), tmp_path / "o", warn=warned.append) as one:
        await one.sees(problem("group:a"), at=0)
        await one.turns(at=30)
        await one.turns(at=60)
        hook.status = 200
        await one.sees(problem("group:a"), problem("group:b"), at=90)
    assert [(found.message.key, found.state) for found in Outbox(tmp_path / "o").listed()] == [
        ("group:b", "sent"), ("group:a", "refused"),
    ]  # fmt: skip
    assert any("HTTP 400" in words for words in warned)


async def test_wrong_keys_are_mended_and_nothing_is_lost_meanwhile(hook: Loopback, tmp_path: Path) -> None:
    hook.status = 403
    async with driven(to(hook), tmp_path / "o") as one:
        await one.sees(problem("group:a"), at=0)
        for turn in range(1, 10):
            await one.turns(at=turn * 400)
        hook.status = 200
        await one.turns(at=10_000)
    assert [found.state for found in Outbox(tmp_path / "o").listed()] == ["sent"]


async def test_a_redirect_leads_no_message_elsewhere(hook: Loopback, tmp_path: Path) -> None:
    hook.status, hook.headers = 307, {"Location": "/elsewhere"}
    async with driven(to(hook), tmp_path / "o") as one:
        await one.sees(problem(), at=0)
    assert [got.path for got in hook.got] == ["/hook"]
    assert [found.failure for found in Outbox(tmp_path / "o").listed()] == ["HTTP 307"]


async def test_an_expected_restart_is_quiet_and_what_it_leaves_wrong_is_told(hook: Loopback, tmp_path: Path) -> None:
    restarting = True
    async with driven(to(hook), tmp_path / "o", restarting=lambda: restarting) as one:
        await one.sees(DOWN, at=0)
        await one.sees(DOWN, problem("group:b"), at=5)
        restarting = False
        # what a view shows may still be of the restart
        await one.sees(DOWN, problem("group:b"), at=8)
        assert hook.got == []
        await one.sees(problem("group:b"), at=12)
        await one.sees(problem("group:b"), at=16)
        await one.sees(problem("group:b"), at=200)
    assert events(hook) == ["began group:b"]


async def test_a_restart_that_takes_a_quarter_of_an_hour_is_not_expected_any_more(
    hook: Loopback, tmp_path: Path
) -> None:
    async with driven(to(hook), tmp_path / "o", restarting=lambda: True) as one:
        for at in range(0, 900, 5):
            await one.sees(DOWN, at=at)
        assert hook.got == []
        await one.sees(DOWN, at=905)
    assert events(hook) == ["began gateway:"]


async def test_a_proxy_is_not_asked_for_this_machine(
    hook: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with driven(to(hook), tmp_path / "o") as one:
        await one.sees(problem(), at=0)
    assert events(hook) == ["began group:small"]


async def test_what_is_being_sent_at_the_end_is_sent_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm_tui.notify.notifier.LAST_SECONDS", DEADLINE)
    out = tmp_path / "out"
    words = (sys.executable, "-c", "import sys, time; time.sleep(0.3); open(sys.argv[1], 'a').write('x')", str(out))
    clock = Clock()
    settings = NotifySettings({"page": Receiver(command=words)})
    notifier = Notifier(settings, "prod", "a", tmp_path / "o", clock=clock, asked=lambda _: True)
    notifier.take(view(problem()))
    await eventually(lambda: notifier._sending, "it is being sent")
    await notifier.close()
    assert out.read_text(encoding="utf-8") == "x"
    box = Outbox(tmp_path / "o")
    assert [found.state for found in box.listed()] == ["sent"]
    box.close()


async def test_rules_hold(hook: Loopback, tmp_path: Path) -> None:
    async with driven(to(hook, lasting=30.0, once_in_minutes=10.0), tmp_path / "o") as one:
        await one.sees(problem(since=None), at=0)
        await one.sees(problem(since=None), at=20)
        assert hook.got == []
        await one.sees(problem(since=None), at=31)
        await one.sees(at=40)
        await one.sees(at=110)
        await one.sees(problem(since=NOW + 120), at=180)
        assert events(hook) == ["began group:small"]
        await one.sees(at=190)
        await one.sees(at=640)
    assert events(hook) == ["began group:small", "ended group:small"]


TWO = """
import asyncio, sys
from pathlib import Path
from litellm_tui.model.notify_settings import NotifySettings, Receiver, Webhook
from litellm_tui.notify.notifier import Notifier
from tests.notify.loopback import NOW, problem, view

async def main(url, path):
    now = NOW
    settings = NotifySettings({"hook": Receiver(webhook=Webhook(url=url))})
    one = Notifier(settings, "prod", "a", Path(path), clock=lambda: now, asked=lambda _: True)
    for line in sys.stdin:
        step = int(line)
        now = NOW + step * 10
        one._view = view(*(problem(f"group:{n}", since=NOW + n * 10) for n in range(8) if n <= step < n + 20), now=now)
        await one.step()
        await one.settled()
        print(step, flush=True)
    await one.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_write_one_message_an_event(hook: Loopback, tmp_path: Path) -> None:
    command = [sys.executable, "-c", TWO, hook.url, str(tmp_path / "o")]
    both = [
        await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    ]
    for step in range(40):
        # both look at the same moment
        for one in both:
            assert one.stdin is not None
            one.stdin.write(f"{step}\n".encode())
        for one in both:
            assert one.stdout is not None
            assert await one.stdout.readline() == f"{step}\n".encode()
    for one in both:
        assert one.stdin is not None
        one.stdin.close()
        assert await one.wait() == 0
    assert sorted(events(hook)) == sorted(f"{event} group:{n}" for event in ("began", "ended") for n in range(8))
    assert all(found.state == "sent" for found in Outbox(tmp_path / "o").listed())


async def test_no_secret_is_in_a_message_the_outbox_or_a_warning(hook: Loopback, tmp_path: Path) -> None:
    token, key, known = "zq9urltoken4711", "zq9bearerkey0815", "zq9masterkey42"
    shaped = "sk-zq9zq9zq9zq9zq9zq9zq9"
    file = tmp_path / "url"
    file.write_text(f"{hook.url}/{token}?k={token}q\n", encoding="utf-8")
    settings = NotifySettings({"hook": Receiver(webhook=Webhook(url_file=str(file), key_env="HOOK_KEY"))})
    told = problem(reason=f"{known} and {token} and {key} and {shaped} and {token}q at {hook.url}/{token}?k={token}q")
    told = msgspec.structs.replace(told, title=f"a {key}", do=f"use {token}", hit=f"who has {known}")
    warned: list[str] = []
    hook.status = 500
    async with driven(settings, tmp_path / "o", environ={"HOOK_KEY": key}, warn=warned.append) as one:
        await one.sees(told, at=0, redact=Redactor([known]))
        hook.down()
        await one.turns(at=10)
        hook.up()
        hook.status = 200
        await one.turns(at=300)
    assert hook.got[-1].path == f"/hook/{token}?k={token}q"
    assert hook.got[-1].headers["authorization"] == f"Bearer {key}"
    sent = json.dumps([got.body for got in hook.got])
    assert "zq9" not in sent
    assert "•••" in json.loads(sent)[0]["reason"]
    kept = b"".join(one.read_bytes() for one in tmp_path.glob("o*"))
    assert b"zq9" not in kept
    assert warned
    assert "zq9" not in "".join(warned)


async def test_a_command_gets_what_is_hostile_as_data(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read() + b'\\n')"
    words = (sys.executable, "-c", script, str(out), "$(touch owned)")
    settings = NotifySettings({"page": Receiver(command=words)})
    hostile = problem(reason="`touch owned`; $(touch owned) \n\x1b]0;x\x07 '\" \u202e ü \ud800", cause="--help")
    async with driven(settings, tmp_path / "o") as one:
        await one.sees(hostile, at=0)
    (line,) = out.read_text(encoding="utf-8").splitlines()
    body = json.loads(line)
    assert (body["event"], body["cause"]) == ("began", "--help")
    assert body["reason"].startswith("`touch owned`; $(touch owned) ]0;x '\"")
    assert not (tmp_path / "owned").exists()
    assert [found.state for found in Outbox(tmp_path / "o").listed()] == ["sent"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("/nonexistent/page",), "page: No such file or directory"),
        ((sys.executable, "-c", "raise SystemExit(3)"), "it ended with 3"),
        ((sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"), "it was ended by signal 9"),
    ],
)
async def test_a_command_that_fails_is_tried_again(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    async with driven(NotifySettings({"page": Receiver(command=words)}), tmp_path / "o") as one:
        await one.sees(problem(), at=0)
    (found,) = Outbox(tmp_path / "o").listed()
    assert (found.state, found.attempts, found.failure) == ("waiting", 1, why)


async def test_a_receiver_whose_variable_is_not_set_waits_for_who_has_it(hook: Loopback, tmp_path: Path) -> None:
    settings = NotifySettings({"hook": Receiver(webhook=Webhook(url_env="HOOK_URL"))})
    warned: list[str] = []
    async with driven(settings, tmp_path / "o", environ={}, warn=warned.append) as console:
        await console.sees(problem(), at=0)
        await console.sees(problem(), at=5)
    assert warned == ["notify: hook: url_env: the variable HOOK_URL is not set"]
    async with driven(settings, tmp_path / "o", environ={"HOOK_URL": hook.url}) as recorder:
        await recorder.turns(at=6)
    assert events(hook) == ["began group:small"]


async def test_a_terminal_is_rung_for_what_begins_while_it_is_open(tmp_path: Path) -> None:
    written: list[str] = []
    settings = NotifySettings({"here": Receiver(terminal=("bell", "osc9"))})
    async with driven(settings, tmp_path / "o", terminal=written.append) as one:
        await one.sees(problem("group:old", since=NOW - 500), at=1)
        assert written == []
        await one.sees(problem("group:old", since=NOW - 500), problem("group:new", since=NOW + 5), at=6)
        await one.sees(problem("group:old", since=NOW - 500), problem("group:new", since=NOW + 5), at=7)
        # the end of what was not rung for is not rung for either
        await one.sees(problem("group:new", since=NOW + 5), at=12)
        await one.sees(problem("group:new", since=NOW + 5), at=80)
        assert written == ["\a\x1b]9;prod: BAD new: refused\x1b\\"]
        await one.sees(at=90)
        await one.sees(at=160)
    assert len(written) == 2
    assert "prod: ended after 1 min: new: refused" in written[1]
    assert not (tmp_path / "o").exists()


async def test_a_slow_receiver_keeps_no_other_waiting(hook: Loopback, tmp_path: Path) -> None:
    stuck = asyncio.Event()

    async def slowly(address: Address, message: Message) -> Result:
        if address.shown.startswith("command"):
            await stuck.wait()
            return Result()
        return await send(address, message)

    settings = NotifySettings({"slow": Receiver(command=("x",)), "hook": Receiver(webhook=Webhook(url=hook.url))})
    clock = Clock()
    notifier = Notifier(settings, "prod", "a", tmp_path / "o", clock=clock, send=slowly, asked=lambda _: True)
    notifier.take(view(problem()))
    await eventually(lambda: hook.got, "the other one is told")
    clock.now += 1
    notifier.take(view(problem(), problem("group:b"), now=NOW + 1))
    await eventually(lambda: len(hook.got) == 2, "and told again")
    stuck.set()
    await notifier.close()


async def test_what_the_sender_breaks_on_is_tried_again(hook: Loopback, tmp_path: Path) -> None:
    async def broken(address: Address, message: Message) -> Result:
        raise LookupError(message.title)

    warned: list[str] = []
    async with driven(to(hook), tmp_path / "o", send=broken, warn=warned.append) as one:
        await one.sees(problem(), at=0)
    assert "LookupError" in warned[0]
    assert [found.state for found in Outbox(tmp_path / "o").listed()] == ["waiting"]


async def test_an_outbox_that_cannot_be_written_is_told_once_and_ends_nothing(hook: Loopback, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    warned: list[str] = []
    async with driven(to(hook), tmp_path / "file" / "o", warn=warned.append) as one:
        await one.sees(problem(), at=0)
        await one.sees(problem(), at=5)
    assert len(warned) == 1
    assert "nothing can be told" in warned[0]


async def test_a_view_of_a_failed_diagnosis_or_an_old_one_tells_nothing(hook: Loopback, tmp_path: Path) -> None:
    async with driven(to(hook), tmp_path / "o") as one:
        fallen: SeenOnce = view(problem())._replace(fallen=True)
        one.notifier._view = fallen
        await one.turns(at=0)
        one.notifier._view = view(problem(), now=NOW - 100)
        await one.turns(at=1)
    assert hook.got == []


async def test_a_look_that_has_not_asked_for_all_tells_nothing_unless_that_takes_long(
    hook: Loopback, tmp_path: Path
) -> None:
    all_is = False
    async with driven(to(hook), tmp_path / "o", asked=lambda _: all_is) as one:
        await one.sees(problem("group:a"), at=1)
        assert hook.got == []
        all_is = True
        await one.sees(problem("group:b"), at=2)
    assert events(hook) == ["began group:b"]
    async with driven(to(hook), tmp_path / "p", asked=lambda _: False) as other:
        await other.sees(problem("group:c"), at=9)
        await other.sees(problem("group:c"), at=11)
    assert events(hook) == ["began group:b", "began group:c"]


async def test_without_the_library_apprise_says_how_it_is_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    receiver = msgspec.convert({"apprise": {"url_env": "A"}}, Receiver)
    found = address_of(receiver, {"A": "ntfy://zq9topic"})
    assert isinstance(found, Address)
    assert found.shown == "apprise to ntfy://…"
    async with driven(NotifySettings({"all": receiver}), tmp_path / "o", environ={"A": "ntfy://zq9topic"}) as one:
        await one.sees(problem(), at=0)
    assert [one.failure for one in Outbox(tmp_path / "o").listed()] == [APPRISE_MISSING]


async def test_apprise_is_asked_with_a_title_and_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, str]]] = []

    class Apprise:
        def add(self, url: str) -> bool:
            self.url = url
            return True

        def notify(self, **given: str) -> bool:
            asked.append((self.url, given))
            return True

    module = type(sys)("apprise")
    module.Apprise = Apprise  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "apprise", module)
    receiver = msgspec.convert({"apprise": {"url_env": "A"}}, Receiver)
    async with driven(NotifySettings({"all": receiver}), tmp_path / "o", environ={"A": "json://h"}) as one:
        await one.sees(problem(), at=0)
    ((url, given),) = asked
    assert url == "json://h"
    assert (given["title"], given["notify_type"], given["body_format"]) == (
        "prod: BAD small: refused",
        "failure",
        "text",
    )
