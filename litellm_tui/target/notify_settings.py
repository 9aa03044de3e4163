"""What of `notify:` in the settings file cannot be used, and the time zones of its rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.model.notify_settings import NotifySettings, Webhook

_SHAPES: Final = Redactor()


def mistakes_of_notify(settings: NotifySettings) -> Iterator[tuple[tuple[object, ...], str]]:
    """What makes the section unusable beyond its form, as the path of its key and words."""
    for name, receiver in settings.receivers.items():
        hook = receiver.webhook
        if isinstance(hook, Webhook) and hook.url is not None and (why := _why_refused(hook.url)):
            yield ("notify", "receivers", name, "webhook", "url"), why
    for number, rule in enumerate(settings.rules):
        if rule.zone is not None and zone_of(rule.zone) is None:
            yield ("notify", "rules", number, "zone"), f"{rule.zone[:60]!r}: expected such as Europe/Berlin"


def _why_refused(url: str) -> str:
    if why := why_no_url(url):
        return why
    if any(secret_parts("", url)) or _SHAPES(url) != url:
        return "holds a secret: expected it in a variable or a file (url_env, url_file)"
    return ""


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
