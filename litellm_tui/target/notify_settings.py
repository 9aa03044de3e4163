"""Reads `notify:` of the settings file: what is wrong with it is told by receiver, rule and key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.model.notify_settings import NotifySettings, Receiver, Rule, Webhook

_SHAPES: Final = Redactor()


def check_notify(data: object) -> None:
    """Raises ValueError where the section cannot be used: it names receiver or rule, key and what is expected."""
    if not isinstance(data, Mapping):
        raise ValueError("notify: expected receivers: and rules:")
    receivers = data.get("receivers")
    if not isinstance(receivers, Mapping):
        raise ValueError("notify.receivers: expected a name and a webhook, command, apprise or terminal for each")
    for name, given in receivers.items():
        found = _converted(f"notify.receivers.{str(name)[:60]}", given, Receiver)
        if isinstance(found.webhook, Webhook) and found.webhook.url is not None:
            _check_url(f"notify.receivers.{name}.webhook.url", found.webhook.url)
    rules = data.get("rules", [])
    if not isinstance(rules, list):
        raise ValueError("notify.rules: expected a list")
    for number, given in enumerate(rules, 1):
        rule = _converted(f"notify.rules, number {number}", given, Rule)
        if rule.zone is not None and zone_of(rule.zone) is None:
            raise ValueError(f"notify.rules, number {number}: zone: {rule.zone[:60]!r}: expected such as Europe/Berlin")
    _converted("notify", data, NotifySettings)


def _converted(where: str, given: object, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(given, kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from error


def _check_url(where: str, url: str) -> None:
    if why := why_no_url(url):
        raise ValueError(f"{where}: {why}")
    if any(secret_parts("", url)) or _SHAPES(url) != url:
        raise ValueError(f"{where}: holds a secret: expected it in a variable or a file (url_env, url_file)")


def why_no_url(url: str) -> str:
    """Why nothing can be sent to this address, without the address itself; empty where something can."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "expected an address such as https://HOST/PATH"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "expected an address such as https://HOST/PATH"
    if not (url.isascii() and url.isprintable()) or " " in url:
        return "expected an address without blanks and other such characters"
    return ""


def zone_of(name: str) -> tzinfo | None:
    """The time zone of this name; None where this machine knows none. Reads a file."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return None


def zones_of(settings: NotifySettings) -> dict[str, tzinfo]:
    """The zones of all rules by their names."""
    return {rule.zone: zone for rule in settings.rules if rule.zone and (zone := zone_of(rule.zone)) is not None}
