"""`notify:` of the settings file: what it may say, and the words for what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.model.notify_settings import NotifySettings, Receiver, Rule, Webhook
from litellm_tui.target.notify_settings import zones_of
from litellm_tui.target.settings import SettingsError, load_settings

HOOK = "receivers: {a: {webhook: {url: 'http://127.0.0.1:1/x'}}}"


def _load(folder: Path, text: str) -> NotifySettings | None:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path).notify


def test_without_it_nobody_is_told(tmp_path: Path) -> None:
    assert _load(tmp_path, "theme: dark\n") is None


def test_one_receiver_is_told_all_that_is_wrong(tmp_path: Path) -> None:
    found = _load(tmp_path, "notify: {" + HOOK + "}\n")
    assert found == NotifySettings({"a": Receiver(webhook=Webhook(url="http://127.0.0.1:1/x"))}, (Rule(),))
    assert found.rules_to("a") == (Rule(),)


def test_a_rule_with_all_that_it_may_say(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        "notify: {" + HOOK + ", rules: [{severity: bad, groups: ['qwen*'], subjects: [group, deployment], for: 30, "
        "quiet_hours: [22:00-07:00, '12:00-13:00'], zone: Europe/Berlin, once_in_minutes: 15, to: [a]}]}\n",
    )
    assert found is not None
    (rule,) = found.rules
    assert (rule.severity, rule.groups, rule.subjects, rule.lasting) == ("bad", ("qwen*",), ("group", "deployment"), 30)
    assert rule.spans == ((1320, 420), (720, 780))
    assert (rule.once_in_minutes, rule.to) == (15, ("a",))
    assert list(zones_of(found)) == ["Europe/Berlin"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", ["notify: expected settings such as receivers, rules, not a list"]),
        ("{rules: []}", ["notify", "receivers: expected at least one"]),
        ("{receivers: {}}", ["notify", "receivers: expected at least one"]),
        ("{receivers: {a: {}}}", ["notify.receivers.a", "webhook, command, apprise, terminal", "exactly one"]),
        ("{receivers: {a: {terminal: [bell], command: [x]}}}", ["notify.receivers.a", "exactly one"]),
        ("{receivers: {a: {terminal: []}}}", ["notify.receivers.a", "terminal: expected", "osc9"]),
        ("{receivers: {a: {terminal: [beep]}}}", ["notify.receivers.a", "beep", "terminal"]),
        ("{receivers: {a: {command: echo}}}", ["notify.receivers.a", "expected a list", "command"]),
        ("{receivers: {a: {command: []}}}", ["notify.receivers.a", "empty", "command"]),
        ("{receivers: {a: {command: ['']}}}", ["notify.receivers.a", "command: expected a program"]),
        ("{receivers: {a: {hook: {}}}}", ["notify.receivers.a", "hook"]),
        ("{receivers: {a: {webhook: {}}}}", ["notify.receivers.a", "url, url_env or url_file", "one of them"]),
        ("{receivers: {a: {webhook: {url: x, url_env: Y}}}}", ["notify.receivers.a", "one of them"]),
        ("{receivers: {a: {webhook: {url: 'ftp://h/x'}}}}", ["notify.receivers.a.webhook.url", "https://HOST/PATH"]),
        ("{receivers: {a: {webhook: {form: teams, url: 'http://h'}}}}", ["notify.receivers.a", "teams", "form"]),
        ("{receivers: {a: {webhook: {form: slack, url: 'http://h'}}}}", ["notify.receivers.a", "url_env or url_file"]),
        ("{receivers: {a: {webhook: {form: pagerduty}}}}", ["notify.receivers.a", "key_env or key_file", "routing"]),
        ("{receivers: {a: {webhook: {url: 'http://h', key: 'x'}}}}", ["notify.receivers.a", "key"]),
        ("{receivers: {a: {webhook: {url: 'http://h', timeout: 900}}}}", ["notify.receivers.a", "timeout: expected"]),
        ("{receivers: {a: {webhook: {url: 'http://h', timeout: .nan}}}}", ["notify.receivers.a", "timeout: expected"]),
        ("{receivers: {a: {apprise: {}}}}", ["notify.receivers.a", "url_env or url_file"]),
        ("{receivers: {'a b': {command: [x]}}}", ["notify", "a b", "letters, digits"]),
        ("{" + HOOK + ", rules: {}}", ["notify.rules: expected a list of settings, each such as severity"]),
        ("{" + HOOK + ", rules: [{}, {severity: loud}]}", ["notify.rules, number 2", "loud", "severity"]),
        ("{" + HOOK + ", rules: [{subjects: [models]}]}", ["number 1", "models", "subjects"]),
        ("{" + HOOK + ", rules: [{for: -1}]}", ["number 1", "for: expected seconds"]),
        ("{" + HOOK + ", rules: [{for: .inf}]}", ["number 1", "for: expected seconds"]),
        ("{" + HOOK + ", rules: [{once_in_minutes: 1000000}]}", ["number 1", "once_in_minutes: expected"]),
        ("{" + HOOK + ", rules: [{quiet_hours: 10pm-7am}]}", ["number 1", "10pm-7am", "22:00-07:00"]),
        ("{" + HOOK + ", rules: [{quiet_hours: '24:30-25:00'}]}", ["number 1", "22:00-07:00"]),
        ("{" + HOOK + ", rules: [{quiet_hours: '07:00-07:00'}]}", ["number 1", "two different times"]),
        ("{" + HOOK + ", rules: [{quiet_hours: '22:00-07:00', zone: Mars/Sea}]}", ["number 1, zone", "Europe/"]),
        ("{" + HOOK + ", rules: [{zone: UTC}]}", ["number 1", "zone: is that of quiet_hours"]),
        ("{" + HOOK + ", rules: [{to: [b]}]}", ["rules: 1: to: 'b'", "one of receivers: a"]),
        ("{" + HOOK + ", rules: [{every: 3}]}", ["number 1", "every"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_key_and_by_what_is_expected(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as told:
        _load(tmp_path, f"notify: {text}\n")
    for word in words:
        assert word in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:zq9secret@hooks.example/x",
        "https://hooks.slack.com/services/T0/B0/zq9zq9zq9zq9zq9",
        "https://hooks.example/x?token=zq9secret",
    ],
)
def test_an_address_that_is_a_secret_stands_in_no_settings_file(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match=r"notify\.receivers\.a\.webhook\.url: holds a secret") as told:
        _load(tmp_path, f"notify: {{receivers: {{a: {{webhook: {{url: '{url}'}}}}}}}}\n")
    assert "zq9" not in str(told.value)
