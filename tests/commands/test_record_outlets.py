"""What a recorder tells others: the options for it, and that nothing of it ends the recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.cli import main
from litellm_tui.commands import record_outlets
from litellm_tui.commands.record_outlets import Outlets
from litellm_tui.commands.record_unit import plan
from litellm_tui.logs.store import LogStore
from litellm_tui.model.found import Found
from litellm_tui.model.notify_settings import Apprise, NotifySettings, Receiver, Webhook
from litellm_tui.model.service_kinds import Tools
from litellm_tui.monitor.exporter import Exporter, Listen
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.settings import SettingsError
from litellm_tui.ui.signs import ASCII
from litellm_tui.ui.view import View, utc_clock
from tests.monitor.test_exporter import scraped, whole
from tests.notify.loopback import NOW

PROFILE = Profile(name="prod", host="gw-01", url=Found("http://127.0.0.1:4000", "the test"), tools=Tools())


def _view() -> View:
    snapshot, diagnosis = whole()
    return View(snapshot, diagnosis, LogStore(), PROFILE, ASCII, NOW, utc_clock, str)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--listen", "0.0.0.0:9419"], "record --listen: 0.0.0.0 is reached from other machines"),
        (["--listen", "nowhere"], "record --listen: 'nowhere': expected an address"),
        (["--listen-anywhere"], "record --listen-anywhere: says nothing without --listen"),
    ],
)
def test_a_wrong_address_is_a_wrong_command_line(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["record", *words]) == 64
    assert told in capsys.readouterr().err


def test_the_unit_listens_as_it_was_asked_and_is_said_to_lack_variables() -> None:
    settings = NotifySettings(
        {
            "chat": Receiver(webhook=Webhook(form="slack", url_env="CHAT_URL", key_env="CHAT_KEY")),
            "rest": Receiver(apprise=Apprise(url_env="REST_URL")),
            "file": Receiver(webhook=Webhook(url_file="/etc/hook.url")),
        }
    )
    outlets = Outlets(settings, "0.0.0.0", anywhere=True)
    assert outlets.words == ("--listen=0.0.0.0:9419", "--listen-anywhere")
    unit = plan(PROFILE, Options(url=PROFILE.url.value), "user", {"HOME": "/h"}, outlets.words)
    assert '"--listen=0.0.0.0:9419" "--listen-anywhere"' in unit.text
    notes = list(outlets.notes)
    assert [name for name in ("CHAT_URL", "CHAT_KEY", "REST_URL") if any(name in note for note in notes)] == [
        "CHAT_URL", "CHAT_KEY", "REST_URL",
    ]  # fmt: skip
    assert len(notes) == 3
    assert Outlets(None).words == ()


def test_a_port_that_is_taken_ends_no_recording_and_is_taken_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_outlets, "AGAIN_SECONDS", 0.0)
    other = Exporter(Listen("127.0.0.1", 0), "other")
    at = other.start()
    assert isinstance(at, Listen)
    said: list[str] = []
    outlets = Outlets(None, str(at))
    outlets.serve(PROFILE, said.append)
    outlets.take(_view())
    other.stop()
    outlets.take(_view())
    try:
        assert said == [
            f"record --listen: cannot listen at {at}: Address already in use", f"serves metrics at http://{at}/metrics",
        ]  # fmt: skip
        assert scraped(f"http://{at}/metrics")["litellm_tui_gateway_up"] == {(): 1.0}
    finally:
        outlets.stop()


def test_without_options_nothing_listens() -> None:
    outlets = Outlets(None)
    outlets.serve(PROFILE, pytest.fail)
    outlets.take(_view())
    outlets.stop()
    with pytest.raises(SettingsError):
        Outlets(None, "x")
