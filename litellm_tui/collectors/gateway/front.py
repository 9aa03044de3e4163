"""Tells what answers in LiteLLM's place: a reverse proxy that gets no answer from it, or one that wants a login.

LiteLLM itself answers its health endpoints and its API with JSON, and redirects none of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from litellm_tui.collectors.gateway.answers import excerpt

_READ: Final = 20_000
_TITLE: Final = re.compile(r"<title[^<>]{0,200}>([^<]{1,200})</title>", re.IGNORECASE)
_PAGE: Final = re.compile(r"<!doctype html|<html|<head|<title", re.IGNORECASE)
# the first word of a Server header, and what tells of one where there is none
_SERVERS: Final = {
    "nginx": "nginx", "openresty": "nginx (OpenResty)", "apache": "Apache", "caddy": "Caddy",
    "cloudflare": "Cloudflare", "envoy": "Envoy", "istio-envoy": "Envoy (Istio)", "awselb": "AWS load balancer",
    "haproxy": "HAProxy", "traefik": "Traefik", "microsoft-iis": "IIS", "cloudfront": "CloudFront", "kong": "Kong",
    "google": "Google front end", "gws": "Google front end", "lighttpd": "lighttpd", "varnish": "Varnish",
}  # fmt: skip
_BODIES: Final = (
    ("upstream connect error", "Envoy"),
    ("cloudflare", "Cloudflare"),
    ("No server is available to handle this request", "HAProxy"),
    ("<center>nginx", "nginx"),
    ("Apache Server at", "Apache"),
)
_NAMES: Final = frozenset((*_SERVERS.values(), *(name for _, name in _BODIES)))
_LOGIN: Final = re.compile(r"type=[\"']?password|\b(?:log|sign)[ -]?(?:in|on)\b|\bSSO\b|\bsaml\b", re.IGNORECASE)
_OWN: Final = ("uvicorn", "hypercorn", "granian")
_NO_ANSWER: Final = (502, 503, 504)
# Cloudflare's own for an origin that does not answer
_ORIGIN: Final = range(520, 531)


def in_front(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """What answered in LiteLLM's place, in a few words; empty where it may be LiteLLM itself.

    `headers` has its names in any case that `.get` of the mapping takes.
    """
    text = body[:_READ].decode(errors="replace")
    server = headers.get("server", "")
    if any(server.lower().startswith(own) for own in _OWN) and not _PAGE.search(text):
        return ""
    name = _name(server, text)
    if 300 <= status < 400:
        where = urlsplit(headers.get("location", ""))
        to = excerpt(f"{where.scheme}://{where.hostname}" if where.hostname else where.path, 80)
        return f"{name}, {status} to {to}" if to else f"{name}, {status}"
    page = _PAGE.search(text) is not None
    typed = "html" in headers.get("content-type", "")
    if status in (401, 403, 407) and (
        (page and typed) or headers.get("www-authenticate", "").lower().startswith("basic")
    ):
        return f"{name}, {status}: it wants a login of its own"
    if (status in _NO_ANSWER or status in _ORIGIN) and not text.lstrip().startswith("{"):
        return f"{name}, {status}"
    # a page of an unknown sender may be of anything that listens there
    known = name in _NAMES or (status != 404 and _LOGIN.search(text) is not None)
    if page and known and status not in (401, 403, 407):
        title = _TITLE.search(text)
        said = f", the page {excerpt(title[1], 60)!r}" if title else ", a page"
        return f"{name}, {status}{said}"
    return ""


def _name(server: str, text: str) -> str:
    word = re.split(r"[/ ]", server.strip().lower(), maxsplit=1)[0]
    if word in _SERVERS:
        return _SERVERS[word]
    told = next((name for mark, name in _BODIES if mark.lower() in text.lower()), "")
    return told or (excerpt(server, 40) if server and word not in _OWN else "a reverse proxy")
