"""What answers in LiteLLM's place: bodies and headers of proxies as they come, and what is LiteLLM's own."""

from __future__ import annotations

import httpx
import pytest

from litellm_tui.collectors.gateway.front import in_front

NGINX = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
)
LOGIN = b"<!DOCTYPE html><html><head><title>Sign in to Example</title></head><body><form></form></body></html>"
HTML = "text/html; charset=utf-8"


def _front(status: int, body: bytes = b"", **headers: str) -> str:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return in_front(status, httpx.Headers(given), body)


@pytest.mark.parametrize(("status", "body", "headers", "said"), [
    (502, NGINX, {"server": "nginx/1.22.1"}, "nginx, 502"),
    (504, NGINX, {"server": "nginx"}, "nginx, 504"),
    (502, b"", {"server": "Caddy"}, "Caddy, 502"),
    (502, b"Bad Gateway", {}, "a reverse proxy, 502"),
    (503, b"upstream connect error or disconnect/reset before headers", {}, "Envoy, 503"),
    (503, b"<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n", {},
     "HAProxy, 503"),
    (502, b"<html><body>Apache Server at llm.example.org</body></html>", {"server": "Apache/2.4.57 (Debian)"},
     "Apache, 502"),
    (521, b"error code: 521", {"server": "cloudflare"}, "Cloudflare, 521"),
    (302, b"", {"location": "https://sso.example.org/login?rd=secret-word"}, "a reverse proxy, 302 to https://sso.example.org"),
    (307, b"", {"location": "/oauth2/start", "server": "nginx"}, "nginx, 307 to /oauth2/start"),
    (200, LOGIN, {"content_type": HTML}, "a reverse proxy, 200, the page 'Sign in to Example'"),
    (401, LOGIN, {"content_type": HTML}, "a reverse proxy, 401: it wants a login of its own"),
    (401, b"", {"www_authenticate": 'Basic realm="ops"', "server": "nginx"}, "nginx, 401: it wants a login of its own"),
])  # fmt: skip
def test_a_proxy_is_named_by_what_it_sends(status: int, body: bytes, headers: dict[str, str], said: str) -> None:
    found = _front(status, body, **headers)
    assert found == said
    assert "secret-word" not in found


@pytest.mark.parametrize(("status", "body", "headers"), [
    (200, b'"I\'m alive!"', {"server": "uvicorn"}),
    (200, b'"I\'m alive!"', {"server": "nginx/1.22.1"}),
    (503, b'{"error":{"message":"Service Unhealthy"}}', {"server": "nginx"}),
    (503, b'{"error":{"message":"Service Unhealthy"}}', {"server": "uvicorn"}),
    (500, b"Internal Server Error", {"server": "uvicorn"}),
    (401, b'{"error":{"message":"no key"}}', {"server": "uvicorn", "www_authenticate": "Bearer"}),
    (404, b"<html><body>none</body></html>", {}),
    (200, b"hello", {}),
    (200, b"", {}),
])  # fmt: skip
def test_what_may_be_litellm_itself_is_no_proxy(status: int, body: bytes, headers: dict[str, str]) -> None:
    assert _front(status, body, **headers) == ""


def test_a_long_page_is_read_at_its_beginning_and_shown_short() -> None:
    found = _front(200, b"<html><title>" + b"a" * 150 + b"</title>" + b"<p>" * 400_000)
    assert len(found) < 120
    assert _front(200, b"x" * 900_000 + b"<html>") == ""


def test_a_page_of_an_unknown_server_is_not_taken_for_a_proxy_unless_it_wants_a_login() -> None:
    headers = {"server": "BaseHTTP/0.6 Python/3.11", "content-type": "text/html"}
    assert in_front(200, headers, b"<html><title>files</title>nothing of LiteLLM</html>") == ""
    assert (
        in_front(200, headers, b"<html><title>Sign in</title></html>")
        == "BaseHTTP/0.6 Python/3.11, 200, the page 'Sign in'"
    )
