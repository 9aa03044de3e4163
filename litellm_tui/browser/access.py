"""Who may see the console in a browser: by the address it is opened at, the page that asks, and a token or a user.

A page of another site can make a browser send requests here, and can give its own name the address of this machine
(DNS rebinding). So the name in `Host` must be one that was agreed to, and what opens a console or logs in must come
from a page of that very address (`Origin`).
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import socket
import stat
from collections.abc import Mapping, Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.logs.log_line import clean
from litellm_tui.monitor.exporter import Listen, parse_listen
from litellm_tui.target.profile import Secret
from litellm_tui.target.settings import SettingsError

PORT: Final = 8019
SHORTEST_TOKEN: Final = 16
_MAKE_ONE: Final = "(umask 077; openssl rand -hex 32 > FILE) makes one"
# of a proxy's user, as it is shown
_LONGEST_USER: Final = 64


class Refused(Exception):
    """Why a request is refused, in words for who sent it; `login` where a token would help."""

    def __init__(self, why: str, *, login: bool = False) -> None:
        super().__init__(why)
        self.login = login


class Access(NamedTuple):
    """`origins` are addresses such as `https://console.example.com`, by which it is opened too.

    `token` is what a visitor must know, or `user_header` the header in which a proxy at one of `proxies` names the
    user; without either everybody who reaches `listen` may look. `session` is the cookie of who has given the token.
    """

    listen: Listen
    token: Secret | None = None
    user_header: str = ""
    proxies: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    session: Secret = Secret("")

    @property
    def cookie(self) -> str:
        """Cookies know no ports: each server of a host needs a name of its own."""
        return f"litellm-tui-{self.listen.port}"

    def knows(self, token: str) -> bool:
        """Whether this is the token; takes as long whatever is given."""
        return self.token is not None and compare_digest(token.encode(), self.token.reveal().encode())

    def visitor(self, peer: str, headers: Mapping[str, str], cookies: Mapping[str, str]) -> str:
        """Who sends this request, in words; raises `Refused`."""
        if not self._is_own(headers.get("Host", "")):
            raise Refused(
                f"this console is not opened by the name {clean(headers.get('Host', ''))[:80]!r}: "
                "litellm-tui serve --origin http://NAME:PORT agrees to one"
            )
        if self.user_header:
            if peer not in self.proxies:
                raise Refused(f"{peer} is not the proxy that says who somebody is (--proxy)")
            user = clean(headers.get(self.user_header, "")).strip()[:_LONGEST_USER]
            if not user:
                raise Refused(f"the proxy names nobody in {self.user_header}: it must log people in")
            return user
        if self.token is not None and not compare_digest(
            cookies.get(self.cookie, "").encode(errors="replace"), self.session.reveal().encode()
        ):
            raise Refused("a token is needed", login=True)
        return "somebody"

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Raises `Refused` for what does not come from a page of this address; a browser always says from where."""
        origin, host = headers.get("Origin", ""), headers.get("Host", "")
        if origin in self.origins or (_is_plain(host) and origin == f"http://{host}"):
            return
        raise Refused(f"a page of {clean(origin)[:80] or 'an unknown address'} may not open this console")

    def _is_own(self, host: str) -> bool:
        """Whether this value of `Host` is an address as it is, or a name that was agreed to."""
        return _is_plain(host) or any(host == urlsplit(origin).netloc for origin in self.origins)


def _is_plain(host: str) -> bool:
    """Whether it is an address in figures, or a name that only this machine has: nobody else can give it these."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in ("localhost", socket.gethostname().lower())
    return True


def access(
    listen: str = f"127.0.0.1:{PORT}",
    token_file: str | None = None,
    user_header: str = "",
    proxies: Sequence[str] = (),
    origins: Sequence[str] = (),
    allow_changes: bool = False,
) -> Access:
    """What the command line says; raises `SettingsError` for what is wrong, or would let everybody in."""
    try:
        where = parse_listen(listen, anywhere=True, port=PORT)
    except ValueError as error:
        raise SettingsError(f"serve --listen: {error}") from error
    agreed = frozenset(_origin(origin) for origin in origins)
    if token_file is not None and user_header:
        raise SettingsError("serve: --token-file and --user-header are two ways to know who somebody is: give one")
    if proxies and not user_header:
        raise SettingsError("serve --proxy: says nothing without --user-header NAME")
    if user_header and not re.fullmatch(r"[A-Za-z0-9-]{1,64}", user_header):
        raise SettingsError(f"serve --user-header: {user_header[:80]!r} is not the name of a header")
    if user_header and not agreed:
        raise SettingsError("serve --user-header: wants --origin https://NAME too, by which people open the proxy")
    if token_file is None and not user_header:
        if not ipaddress.ip_address(where.host).is_loopback:
            raise SettingsError(
                f"serve --listen: {where.host} is reached from other machines, so visitors must be known: --token-file "
                f"FILE ({_MAKE_ONE}), or --user-header NAME behind a proxy that logs people in"
            )
        if allow_changes:
            raise SettingsError(
                "serve --allow-changes: every user of this machine reaches it, so visitors must be known: --token-file "
                f"FILE ({_MAKE_ONE}), or --user-header NAME behind a proxy that logs people in"
            )
    return Access(
        where,
        token=None if token_file is None else _token(token_file),
        user_header=user_header,
        proxies=frozenset(_address(proxy) for proxy in proxies or ("127.0.0.1", "::1")) if user_header else frozenset(),
        origins=agreed,
        session=Secret(secrets.token_urlsafe(32)),
    )


def _token(name: str) -> Secret:
    path = Path(name)
    try:
        mode = os.stat(path).st_mode
        text = read_text(path, SMALL).strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"serve --token-file: {path}: {error}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"serve --token-file: {path} can be read by others: chmod 600 {path}")
    if len(text) < SHORTEST_TOKEN or not text.isascii() or not text.isprintable() or " " in text:
        raise SettingsError(
            f"serve --token-file: {path}: expected one line of {SHORTEST_TOKEN} or more ASCII characters: {_MAKE_ONE}"
        )
    return Secret(text)


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise SettingsError(f"serve --origin: {text[:80]!r}: expected an address such as https://console.example.com")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise SettingsError(f"serve --proxy: {text[:80]!r}: expected an address such as 127.0.0.1") from error
