"""Who may see the console in a browser, and what the command line refuses before anybody is let in."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.browser.access import Access, Refused, access
from litellm_tui.target.settings import SettingsError

HERE = {"Host": "127.0.0.1:8019"}


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text("0123456789abcdef-and-more\n")
    path.chmod(0o600)
    return str(path)


def _why(who: Access, peer: str = "127.0.0.1", headers: dict[str, str] = HERE, cookie: str = "") -> str:
    try:
        return f"lets in {who.visitor(peer, headers, {who.cookie: cookie} if cookie else {})}"
    except Refused as refused:
        return str(refused)


def test_everybody_of_this_machine_may_look() -> None:
    who = access()
    assert str(who.listen) == "127.0.0.1:8019"
    assert _why(who) == "lets in somebody"
    assert _why(who, headers={"Host": "localhost:8019"}) == "lets in somebody"
    assert _why(who, headers={"Host": "[::1]:8019"}) == "lets in somebody"


@pytest.mark.parametrize(
    "host", ["evil.example:8019", "127.0.0.1.evil.example", "", "[::", "localhost.evil.example:8019"]
)
def test_a_name_that_somebody_else_gave_this_machine_is_refused(host: str) -> None:
    assert "is not opened by the name" in _why(access(), headers={"Host": host})


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"listen": "0.0.0.0:8019"}, "is reached from other machines"),
        ({"listen": "[::]:8019"}, "is reached from other machines"),
        ({"allow_changes": True}, "every user of this machine"),
        ({"listen": "gateway.example:80"}, "not a name"),
        ({"listen": "127.0.0.1:99999"}, "expected HOST:PORT such as 127.0.0.1:8019"),
        ({"user_header": "X-User"}, "wants --origin"),
        ({"user_header": "X User", "origins": ["https://a.example"]}, "not the name of a header"),
        ({"proxies": ["10.0.0.1"]}, "says nothing without --user-header"),
        ({"user_header": "X-User", "origins": ["https://a.example"], "proxies": ["proxy"]}, "expected an address"),
        ({"origins": ["a.example"]}, "expected an address such as https://"),
        ({"origins": ["https://a.example/path"]}, "expected an address such as https://"),
        ({"origins": ["https://a.example:port"]}, "expected an address such as https://"),
        ({"token_file": "/nonexistent"}, "No such file"),
    ],
)
def test_what_is_wrong_or_would_let_everybody_in(words: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError) as raised:
        access(**words)  # type: ignore[arg-type]
    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("short", 0o600, "16 or more"),
        ("two words are no token", 0o600, "16 or more"),
        ("", 0o600, "16 or more"),
        ("0123456789abcdef", 0o640, "chmod 600"),
    ],
)
def test_a_token_that_is_none(tmp_path: Path, text: str, mode: int, why: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(SettingsError) as raised:
        access(token_file=str(path))
    assert why in str(raised.value)
    assert not text or text not in str(raised.value)


def test_the_token_is_asked_of_everybody(token_file: str) -> None:
    who = access("0.0.0.0:8019", token_file)
    assert who.knows("0123456789abcdef-and-more")
    assert not who.knows("0123456789abcdef-and-mor")
    assert not who.knows("")
    assert _why(who) == "a token is needed"
    assert _why(who, cookie="é") == "a token is needed"
    assert _why(who, cookie="0123456789abcdef-and-more") == "a token is needed"
    assert _why(who, cookie=who.session.reveal()) == "lets in somebody"
    assert "0123456789abcdef" not in repr(who)


def test_only_the_proxy_says_who_somebody_is() -> None:
    who = access("0.0.0.0:8019", user_header="X-User", proxies=["10.0.0.5"], origins=["https://a.example"])
    headers = {"Host": "a.example", "X-User": "ada\x1b[2J\n"}
    assert _why(who, "10.0.0.5", headers).startswith("lets in ada")
    assert "\x1b" not in _why(who, "10.0.0.5", headers)
    assert "is not the proxy" in _why(who, "10.0.0.6", headers)
    assert "names nobody" in _why(who, "10.0.0.5", {"Host": "a.example"})


@pytest.mark.parametrize(
    ("headers", "fits"),
    [
        ({"Host": "127.0.0.1:8019", "Origin": "http://127.0.0.1:8019"}, True),
        ({"Host": "127.0.0.1:8019", "Origin": "http://127.0.0.1:8020"}, False),
        ({"Host": "127.0.0.1:8019", "Origin": "http://localhost:8019"}, False),
        ({"Host": "127.0.0.1:8019", "Origin": "null"}, False),
        ({"Host": "127.0.0.1:8019"}, False),
        ({"Host": "a.example", "Origin": "https://a.example"}, True),
        ({"Host": "a.example", "Origin": "http://a.example"}, False),
        ({"Host": "b.example", "Origin": "http://b.example"}, False),
    ],
)
def test_a_console_is_opened_by_its_own_page_alone(headers: dict[str, str], fits: bool) -> None:
    who = access(origins=["https://a.example"])
    if fits:
        who.check_origin(headers)
    else:
        with pytest.raises(Refused):
            who.check_origin(headers)
