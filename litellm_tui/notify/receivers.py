"""Where a receiver is reached: its address and key, out of the environment or a file, and how it may be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from litellm_tui.analysis.notify.forms import shown_url
from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.host.command import argument_vector
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.notify_settings import PAGERDUTY_URL, Apprise, NotifySettings, Receiver, Webhook
from litellm_tui.target.notify_settings import why_no_url
from litellm_tui.target.profile import Secret

# a shorter part of an address is an ordinary word
_SHORTEST = 8


class Address(msgspec.Struct, frozen=True):
    """A receiver that can be reached: `url` and `key` are secrets, `shown` is where it is, for people."""

    receiver: Receiver
    shown: str
    url: Secret
    key: Secret
    words: tuple[str, ...] = ()


def address_of(receiver: Receiver, environ: Mapping[str, str]) -> Address | Failure:
    """Find its address and key; reads files. What is missing is told by the name of the variable or file."""
    url, key = "", ""
    if isinstance(receiver.webhook, Webhook):
        hook = receiver.webhook
        found = _value("url", hook.url_env, hook.url_file, environ)
        token = _value("key", hook.key_env, hook.key_file, environ)
        for given in (found, token):
            if isinstance(given, Failure):
                return given
        assert isinstance(found, str)
        assert isinstance(token, str)
        url, key = found or hook.url or PAGERDUTY_URL, token
        if why := why_no_url(url):
            return NotAvailable(f"{_where(hook.url_env, hook.url_file)}: {why}")
        if not (key.isascii() and key.isprintable()):
            return NotAvailable(f"{_where(hook.key_env, hook.key_file)}: expected a key of plain characters")
        return Address(receiver, f"webhook {hook.form} to {shown_url(url)}", Secret(url), Secret(key))
    if isinstance(receiver.apprise, Apprise):
        found = _value("url", receiver.apprise.url_env, receiver.apprise.url_file, environ)
        if isinstance(found, Failure):
            return found
        scheme = found.partition("://")[0]
        shown = f"apprise to {scheme}://…" if scheme.isalnum() and len(scheme) < 20 else "apprise"
        return Address(receiver, shown, Secret(found), Secret(""))
    if not isinstance(receiver.command, msgspec.UnsetType):
        words = tuple(argument_vector(receiver.command))
        more = " …" if words[1:] else ""
        return Address(receiver, f"command {words[0]}{more}", Secret(""), Secret(""), words)
    return Address(receiver, f"terminal of each console: {', '.join(receiver.rings)}", Secret(""), Secret(""))


def secrets_of(settings: NotifySettings, environ: Mapping[str, str]) -> Iterator[str]:
    """All that no message may hold: keys, addresses, and every part of an address that may be a token. Reads files."""
    for receiver in settings.receivers.values():
        found = address_of(receiver, environ)
        if isinstance(found, Failure):
            continue
        if key := found.key.reveal():
            yield key
        url = found.url.reveal()
        if not url:
            continue
        yield url
        yield from secret_parts("", url)
        parts = urlsplit(url)
        secret = receiver.webhook is msgspec.UNSET or (
            isinstance(receiver.webhook, Webhook) and receiver.webhook.url is None
        )
        if secret:
            pieces = [*parts.path.split("/"), *(pair.partition("=")[2] for pair in parts.query.split("&"))]
            for piece in pieces:
                if len(piece) >= _SHORTEST:
                    yield piece
                    yield unquote(piece)


def _value(what: str, variable: str | None, file: str | None, environ: Mapping[str, str]) -> str | Failure:
    """The value of this variable, or the only line of this file; empty where neither is named."""
    if variable is not None:
        found = environ.get(variable, "")
        return found if found else NotAvailable(f"{what}_env: the variable {variable} is not set")
    if file is None:
        return ""
    try:
        text = read_text(Path(file).expanduser(), SMALL).strip()
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "is no text"
        return NotAvailable(f"{what}_file: {file}: {why}")
    if not text or "\n" in text:
        return NotAvailable(f"{what}_file: {file}: expected one line")
    return text


def _where(variable: str | None, file: str | None) -> str:
    return variable or file or "url"
