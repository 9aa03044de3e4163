"""Packages in whose newer versions some releases of LiteLLM do not start."""

from __future__ import annotations

from typing import Final, NamedTuple

from litellm_tui.audit.advisories.versions import public, version_key


class Breaker(NamedTuple):
    """The releases of LiteLLM from `first` to before `mended` do not start with a `package` from `since` on."""

    first: str
    mended: str
    package: str
    since: str
    why: str
    source: str


# each seen in the source of both: the import of LiteLLM's last and first release on either side, and of the package's
BREAKERS: Final = (
    Breaker(
        "1.95.0",
        "1.98.0",
        "fastapi",
        "0.140.7",
        "it imports get_flat_dependant, which FastAPI has no more, and says `No module named 'proxy_server'`",
        "litellm/proxy/management_endpoints/management_v1/common.py (1.95.1, 1.97.0); fastapi/dependencies/utils.py "
        "(0.140.6, 0.140.7)",
    ),
)
# since 1.110 the proxy extra wants this one beside LiteLLM, whose own package still holds the proxy
PROXY: Final = "litellm_proxy"
COMPANIONS: Final = tuple(dict.fromkeys((PROXY, *(breaker.package for breaker in BREAKERS))))


def breaks(breaker: Breaker, litellm: str, package: str) -> bool:
    """Whether these versions of LiteLLM and the package do not start together; False where one is no version."""
    own, other = version_key(litellm), version_key(package)
    first, mended, since = (version_key(text) for text in (breaker.first, breaker.mended, breaker.since))
    if own is None or other is None or first is None or mended is None or since is None:
        return False
    return first <= public(own) < mended and public(other) >= since
