"""A message as each receiver wants it: a body, headers, and the path to send it to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import msgspec

from litellm_tui.analysis.notify.words import head, iso, lines
from litellm_tui.model.notification import Message
from litellm_tui.model.notify_settings import Form, Ring

_JSON: Final = {"Content-Type": "application/json"}
# Alertmanager ends an alert that it hears no more of, unless the alert itself says when it ends
_ALERT_LASTS: Final = 30 * 86400.0
_ALERTS: Final = "/api/v2/alerts"
# an alert that only shows that it comes
_TEST_ALERT: Final = 60.0


class Request(NamedTuple):
    """A POST: `url` and `headers` may hold secrets."""

    url: str
    headers: Mapping[str, str]
    body: bytes


def request(form: Form, url: str, key: str, message: Message) -> Request:
    """The request that tells a receiver of this form. `key` is its token or routing key, or empty."""
    return _FORMS[form](url, key, message)


def problem_id(message: Message) -> str:
    """The same for every message of one problem of one gateway: 32 hexadecimal digits."""
    told = f"{message.address}\0{message.host}\0{message.key}"
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:32]


def plain(message: Message) -> bytes:
    """The generic JSON, as a command and a webhook get it."""
    return msgspec.json.encode({**msgspec.to_builtins(message), "text": head(message)})


def _generic(url: str, key: str, message: Message) -> Request:
    return Request(url, {**_JSON, **_bearer(key)}, plain(message))


def _slack(url: str, key: str, message: Message) -> Request:
    # https://docs.slack.dev/messaging/formatting-message-text: these three are all that is read in a text
    text = "\n".join((head(message), *lines(message)))
    for letter, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(letter, written)
    return Request(url, {**_JSON, **_bearer(key)}, msgspec.json.encode({"text": text, "mrkdwn": False}))


def _ntfy(url: str, key: str, message: Message) -> Request:
    # https://docs.ntfy.sh/publish/#publish-as-json: to the root of the server, with the topic in the body
    parts = urlsplit(url)
    topic = unquote(parts.path.rstrip("/").rpartition("/")[2])
    priority = {"bad": 5, "warn": 4}.get(message.severity, 3) if message.event in ("began", "worse") else 3
    tag = {"ended": "white_check_mark", "test": "test_tube"}.get(message.event, "rotating_light")
    body = {
        "topic": topic,
        "title": head(message),
        "message": "\n".join(lines(message)),
        "priority": priority,
        "tags": [tag],
    }
    root = parts._replace(path="/", fragment="").geturl()
    return Request(root, {**_JSON, **_bearer(key)}, msgspec.json.encode(body))


def _pagerduty(url: str, key: str, message: Message) -> Request:
    # https://developer.pagerduty.com/docs/events-api-v2-overview: one incident by `dedup_key`
    ended = message.event == "ended"
    body: dict[str, Any] = {
        "routing_key": key,
        "event_action": "resolve" if ended else "trigger",
        "dedup_key": message.id if message.event == "test" else problem_id(message),
    }
    if not ended:
        body["client"] = "litellm-tui"
        body["payload"] = {
            "summary": head(message)[:1024],
            "source": f"{message.host} {message.address}",
            "severity": "info" if message.event == "test" else {"bad": "critical"}.get(message.severity, "warning"),
            "timestamp": iso(message.since),
            "component": message.subject,
            "group": ", ".join(message.groups),
            "class": message.cause,
            "custom_details": {"reason": message.reason, "hit": message.hit, "do": message.do},
        }
    return Request(url, _JSON, msgspec.json.encode(body))


def _alertmanager(url: str, key: str, message: Message) -> Request:
    # https://prometheus.io/docs/alerting/latest/alerts_api/: an alert is its labels, and ends by itself at `endsAt`
    alerts = [_alert(message, message.severity, message.ended_at)]
    if message.event == "worse" and message.before:
        # another severity is another alert
        alerts.append(_alert(message, message.before, message.written_at))
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    path = path if path.endswith(_ALERTS) else path + _ALERTS
    return Request(parts._replace(path=path).geturl(), {**_JSON, **_bearer(key)}, msgspec.json.encode(alerts))


def _alert(message: Message, severity: str, ended_at: float | None) -> dict[str, Any]:
    test = message.event == "test"
    lasts = _TEST_ALERT if test else _ALERT_LASTS
    end = ended_at if ended_at is not None else message.written_at + lasts
    labels = {
        "alertname": "LiteLLMTest" if test else "LiteLLMProblem",
        "severity": "info" if test else {"bad": "critical"}.get(severity, "warning"),
        "gateway": message.gateway,
        "instance": message.address,
        "problem": message.key,
        "subject": message.subject,
        "group": ", ".join(message.groups),
    }
    return {
        # an empty label is none
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {
            "summary": head(message),
            "description": "\n".join(lines(message)),
        },
        "startsAt": iso(message.since),
        # an end of the same second as its beginning would be none
        "endsAt": iso(max(end, message.since + 1)),
    }


def rung(ways: tuple[Ring, ...], message: Message) -> str:
    """What a terminal is sent for this message: a bell, and the notifications of OSC 9 and OSC 777."""
    said = "".join(letter if letter.isprintable() else " " for letter in head(message))[:200]
    written = {
        "bell": "\a",
        "osc9": f"\x1b]9;{said}\x1b\\",
        # a semicolon would end the title
        "osc777": f"\x1b]777;notify;litellm-tui;{said.replace(';', ',')}\x1b\\",
    }
    return "".join(written[way] for way in dict.fromkeys(ways))


def shown_url(url: str) -> str:
    """An address as it may be shown: the server alone, for a path may be a token as well as a query is."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    more = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{quote(netloc, safe=':[].-')}{more}"


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


_FORMS: Final[Mapping[Form, Callable[[str, str, Message], Request]]] = {
    "json": _generic,
    "slack": _slack,
    "ntfy": _ntfy,
    "pagerduty": _pagerduty,
    "alertmanager": _alertmanager,
}
