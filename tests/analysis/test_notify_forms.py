"""A message as each receiver wants it."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from litellm_tui.analysis.notify.forms import plain, problem_id, request, rung, shown_url
from litellm_tui.analysis.notify.words import head
from litellm_tui.model.notification import Message
from litellm_tui.model.notify_settings import Form
from tests.notify.loopback import NOW

BEGAN = Message(
    id="m1", event="began", gateway="prod", address="127.0.0.1:4000", host="gw-01", key="group:qwen", severity="warn",
    before="", title="qwen", cause="degraded", reason="2 of 3 fail <!channel> & more", do="look at it", hit="qwen",
    subject="group", groups=("qwen",), since=NOW, ended_at=None, written_at=NOW + 5,
)  # fmt: skip
WORSE = replace(BEGAN, event="worse", severity="bad", before="warn", written_at=NOW + 60)
ENDED = replace(BEGAN, event="ended", severity="bad", before="bad", ended_at=NOW + 240, written_at=NOW + 301)
TEST = replace(BEGAN, event="test", key="test", id="t1")


def _body(form: Form, message: Message, url: str = "https://h.example/x", key: str = "k1") -> Any:
    return json.loads(request(form, url, key, message).body)


def test_the_head_says_where_how_bad_and_what() -> None:
    assert head(BEGAN) == "prod: WARNING qwen: degraded"
    assert head(WORSE) == "prod: BAD (worse) qwen: degraded"
    assert head(ENDED) == "prod: ended after 4 min: qwen: degraded"
    assert head(TEST) == "prod: TEST, nothing is wrong: qwen: degraded"


def test_the_generic_form_is_the_message() -> None:
    asked = request("json", "https://h.example/x", "k1", BEGAN)
    assert asked.url == "https://h.example/x"
    assert asked.headers == {"Content-Type": "application/json", "Authorization": "Bearer k1"}
    body = json.loads(asked.body)
    assert body["text"] == head(BEGAN)
    assert (body["format"], body["event"], body["key"], body["groups"]) == (1, "began", "group:qwen", ["qwen"])
    assert json.loads(plain(BEGAN)) == body
    assert "Authorization" not in request("json", "https://h.example/x", "", BEGAN).headers


def test_in_slack_nothing_of_a_problem_is_markup() -> None:
    text = _body("slack", BEGAN)["text"]
    assert text.startswith("prod: WARNING qwen: degraded\n")
    assert "because: 2 of 3 fail &lt;!channel&gt; &amp; more" in text
    assert "<" not in text


def test_ntfy_gets_its_topic_in_the_body() -> None:
    asked = request("ntfy", "https://ntfy.example/my-topic", "", BEGAN)
    assert asked.url == "https://ntfy.example/"
    body = json.loads(asked.body)
    assert (body["topic"], body["title"], body["priority"]) == ("my-topic", head(BEGAN), 4)
    assert _body("ntfy", WORSE)["priority"] == 5
    assert _body("ntfy", ENDED)["priority"] == 3


def test_pagerduty_triggers_and_resolves_one_incident() -> None:
    began, worse, ended = (_body("pagerduty", one) for one in (BEGAN, WORSE, ENDED))
    assert [one["event_action"] for one in (began, worse, ended)] == ["trigger", "trigger", "resolve"]
    assert {one["dedup_key"] for one in (began, worse, ended)} == {problem_id(BEGAN)}
    assert [began["payload"]["severity"], worse["payload"]["severity"]] == ["warning", "critical"]
    assert began["routing_key"] == "k1"
    assert began["payload"]["timestamp"] == "2027-01-15T08:00:00Z"
    # a test is an incident of its own
    assert _body("pagerduty", TEST)["dedup_key"] == "t1"
    assert _body("pagerduty", TEST)["payload"]["severity"] == "info"
    assert "Authorization" not in request("pagerduty", "https://h.example/x", "k1", BEGAN).headers


def test_an_alert_lasts_until_it_is_ended() -> None:
    asked = request("alertmanager", "http://127.0.0.1:9093", "", BEGAN)
    assert asked.url == "http://127.0.0.1:9093/api/v2/alerts"
    assert request("alertmanager", "http://h/am/api/v2/alerts", "", BEGAN).url == "http://h/am/api/v2/alerts"
    (began,) = json.loads(asked.body)
    assert began["labels"]["alertname"] == "LiteLLMProblem"
    assert (began["startsAt"], began["endsAt"]) == ("2027-01-15T08:00:00Z", "2027-02-14T08:00:05Z")
    worse, less = _body("alertmanager", WORSE)
    assert [worse["labels"]["severity"], less["labels"]["severity"]] == ["critical", "warning"]
    assert less["labels"] == began["labels"]
    assert less["endsAt"] == "2027-01-15T08:01:00Z"
    (ended,) = _body("alertmanager", ENDED)
    assert ended["labels"] == worse["labels"]
    assert ended["endsAt"] == "2027-01-15T08:04:00Z"


def test_a_terminal_gets_no_sequence_out_of_a_name() -> None:
    hostile = replace(BEGAN, title="a;b\x1b]0;owned\x07\x9c")
    written = rung(("bell", "osc9", "osc777"), hostile)
    assert written.count("\x1b") == 4
    assert written.count("\a") == 1
    assert "\x9c" not in written
    assert written.endswith("\x1b]777;notify;litellm-tui;prod: WARNING a,b ]0,owned  : degraded\x1b\\")
    assert rung(("bell",), BEGAN) == "\a"


def test_of_an_address_only_the_server_is_shown() -> None:
    assert shown_url("https://user:pw@h.example:8443/services/T0/zq9?token=zq9") == "https://h.example:8443/…"
    assert shown_url("http://[::1]:9093") == "http://[::1]:9093"
