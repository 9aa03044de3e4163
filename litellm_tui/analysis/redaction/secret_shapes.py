"""The shapes of secrets: keys of providers, headers, credentials in addresses, `name=value`.

A pattern that is tried at every character costs milliseconds for one stack trace. So a plain search in the lower-case
text finds the places where a secret may begin, and the patterns are tried only there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Final

MASK: Final = "•••"

# the beginnings of keys, followed by `-` or `_` and a least number of characters
_SHORT_KEYS: Final = ("sk", "pk", "rk", "csk", "sess")
_LONG_KEYS: Final = (
    "gsk", "hf", "xai", "ghp", "gho", "ghu", "ghs", "ghr", "github_pat", "glpat", "pplx", "nvapi", "r8", "fw", "tgp_v1",
    "voyage", "jina", "tvly", "pcsk", "esecret", "vck", "wandb", "lsv2", "sk", "rk_live", "pk_live",
    "whsec", "xoxb", "xoxp", "xoxa", "xoxr", "xoxs", "xapp", "api_org", "bedrock-api-key",
)  # fmt: skip
# beginnings of tokens without a separator
_PLAIN_KEYS: Final = ("aiza", "ya29.", "aq.", "sg.", "absk", "dapi", "akia", "asia", "eyj")
_NAMED_KEYS: Final = (
    "api", "master", "virtual", "salt", "access", "account", "private", "encryption", "subscription", "signing",
)  # fmt: skip
_NAMED_TOKENS: Final = ("access", "auth", "refresh", "id", "session", "security", "bearer")
_NAMED: Final = (
    *("".join(parts) for parts in product(_NAMED_KEYS, ("_", "-", ""), ("key",))),
    *("".join(parts) for parts in product(_NAMED_TOKENS, ("_", "-", ""), ("token",))),
    "secret", "password", "passwd", "authorization", "cookie", "credential",
)  # fmt: skip
_QUERY: Final = tuple(
    f"{mark}{name}="
    for mark, name in product("?&;", (
        "key", "apikey", "code", "token", "sig", "signature", "auth", "pwd", "x-amz-signature", "x-amz-credential",
        "x-amz-security-token", "x-goog-signature", "x-goog-credential",
    ))
)  # fmt: skip
_PLACES: Final = (
    "bearer", "basic", "://", "%3a%2f%2f", "-----begin", "hooks.slack.com/", "/api/webhooks/",
    *_QUERY, *_NAMED, *_PLAIN_KEYS,
    *(key + mark for key in (*_SHORT_KEYS, *_LONG_KEYS, "pa", "fc") for mark in "-_"),
)  # fmt: skip
# longer ones first: a shorter one with the same beginning would hide the longer one
_BEGINNINGS: Final = "|".join(map(re.escape, sorted(set(_PLACES), key=lambda place: (-len(place), place))))
_SHAPES: Final = rf"""
      (?P<bearer>\b(?:bearer|basic)(?:\s+|%20|\+))[A-Za-z0-9._~+/=-]{{8,}}
    | (?P<url>://)(?!•)[^\s/@"'<>\\|•]+(?=@|%40)
    | (?P<coded>%3A%2F%2F)(?!•)(?:(?!%2F)[^\s/@"'<>\\|•])+(?=@|%40)
    | (?P<query>{"|".join(map(re.escape, _QUERY))})(?!•)[^\s&"'<>#;\\•]{{4,}}
    | (?P<named>(?:{"|".join(_NAMED)})(?:[_-]?(?:access[_-]?)?key|s)?
        \\{{0,3}}["']?\s{{0,4}}[=:]\s{{0,4}})
        (?!\\{{0,3}}["']?(?:os\.environ/|None\b|null\b|true\b|false\b|\*|•|(?:bearer|basic)\s))
        (?:(?P<quote>\\{{0,3}}["'])(?!\s)[^"'\n\\]{{4,}}|(?!["'])[^\s"',;&<>)}}\]\\•]{{4,}})
    | -----BEGIN\ [A-Z ]{{0,20}}PRIVATE\ KEY-----(?:[A-Za-z0-9+/=\s:,]|-(?!----BEGIN)|\\n){{0,8000}}?
        (?:-----END\ [A-Z ]{{0,20}}PRIVATE\ KEY-----|\Z)
    | (?<![A-Za-z0-9])(?:{"|".join(_SHORT_KEYS)})-(?!\.)[A-Za-z0-9_-]{{6,}}
    | (?<![A-Za-z0-9])(?:{"|".join(_LONG_KEYS)})[-_][A-Za-z0-9_-]{{16,}}
    | \b(?:pa-[A-Za-z0-9_-]{{40,}}|fc-[0-9a-f]{{32}})
    | \b(?:AIza|ya29\.|AQ\.|SG\.|ABSK|dapi)[A-Za-z0-9_.=/+-]{{20,}}
    | \b(?:AKIA|ASIA)[A-Z0-9]{{12,}}
    | \beyJ[A-Za-z0-9_-]{{8,4000}}+\.[A-Za-z0-9_-]{{4,}}(?:\.[A-Za-z0-9_-]+)?
    | (?P<hook>hooks\.slack\.com/(?:services|workflows)/|/api/webhooks/)[A-Za-z0-9_/-]{{10,}}
    """
# the groups before the secret itself, which stay
_KEPT: Final = ("bearer", "url", "coded", "query", "named", "hook")
# Every place above contains one of these words. A plain search for each is faster than any pattern, and almost no line
# has one. A long key is recognised by what follows its separator.
_WORDS: Final = (
    "key", "secret", "passw", "token", "authoriz", "cookie", "credential", "bearer", "basic", "%3a%2f%2f", "code=",
    "sig", "auth=", "pwd=", "sk-", "pk-", "rk-", "sess-", *_PLAIN_KEYS, "slack.com/", "/webhooks/",
)  # fmt: skip
_LONG: Final = re.compile(r"[-_][a-z0-9_-]{16}")


def mask_shapes(text: str) -> tuple[str, int]:
    """The text with everything masked that has the shape of a secret, and the number of masks."""
    lowered = text.lower()
    if len(lowered) != len(text):
        # a few letters become two in lower case, which would shift the places
        lowered = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    if not _suspect(lowered):
        return text, 0
    pieces: list[str] = []
    at = 0
    for match in _found(text, lowered):
        kept = next(filter(None, map(match.group, _KEPT)), "")
        pieces += (text[at : match.start()], kept, match["quote"] or "", MASK)
        at = match.end()
    if not pieces:
        return text, 0
    return "".join((*pieces, text[at:])), len(pieces) // 4


def _suspect(lowered: str) -> bool:
    if "@" in lowered and "://" in lowered:
        return True
    for word in _WORDS:  # any() over a generator takes three times as long, and this is every line
        if word in lowered:
            return True
    return _LONG.search(lowered) is not None


# compiling takes as long as a tenth of the console's start, and most texts never need it
@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The pattern for beginnings of secrets, in lower case, and the pattern for whole secrets."""
    return re.compile(_BEGINNINGS), re.compile(_SHAPES, re.VERBOSE | re.IGNORECASE)


def _found(text: str, lowered: str) -> Iterator[re.Match[str]]:
    beginnings, shapes = _patterns()
    at = 0
    while (place := beginnings.search(lowered, at)) is not None:
        match = shapes.match(text, place.start())
        at = match.end() if match is not None else place.start() + 1
        if match is not None:
            yield match
