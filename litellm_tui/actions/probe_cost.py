"""Which calls cost money, and which leave this machine: said before any is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from litellm_tui.actions.probe_request import why_not
from litellm_tui.analysis.addresses import ip_of, is_this_machine
from litellm_tui.analysis.routing.table import Routing, alias_target
from litellm_tui.model.gateway import LoadedDeployment

Place = Literal["here", "private", "public"]

# LiteLLM's providers that run on machines of one's own; without an api_base they mean this one
LOCAL_PROVIDERS: Final = frozenset(
    ("ollama", "ollama_chat", "vllm", "hosted_vllm", "lm_studio", "llamafile", "llama.cpp", "llamacpp", "xinference")
)


class Calls(NamedTuple):
    """How many calls a probe of some deployments makes: free ones, paid ones; `skipped` deployments are not asked."""

    free: int
    paid: int
    skipped: int

    @property
    def total(self) -> int:
        """All calls that will be made."""
        return self.free + self.paid

    @property
    def wants_consent(self) -> bool:
        """One paid call may be made on one key press; more than one is asked for."""
        return self.paid > 1


def calls_needed(deployments: Iterable[LoadedDeployment]) -> Calls:
    """One call a deployment that can be probed.

    A failing one may be asked twice more by the OpenAI client that LiteLLM uses for embeddings, which no parameter of
    a request prevents (seen on 1.77.7 and 1.106.2).
    """
    free = paid = skipped = 0
    for deployment in deployments:
        if why_not(deployment):
            skipped += 1
        elif is_paid(deployment):
            paid += 1
        else:
            free += 1
    return Calls(free, paid, skipped)


def is_paid(deployment: LoadedDeployment) -> bool:
    """Whether a call may be billed: all that is not known to run on a machine of one's own.

    A model of Ollama's whose name ends in `-cloud` runs on Ollama's machines, though the local server is asked.
    """
    if deployment.model.endswith(("-cloud", ":cloud")):
        return True
    base = _api_base(deployment)
    if not base:
        return _provider(deployment) not in LOCAL_PROVIDERS
    return place_of(base) == "public"


def place_of(url: str) -> Place:
    """Where an address leads, without asking any name server: a name without a dot is never a public one."""
    try:
        host = (urlsplit(url if "://" in url else f"//{url}").hostname or "").rstrip(".")
    except ValueError:
        return "public"
    if is_this_machine(host):
        return "here"
    if address := ip_of(host):
        return "public" if address.is_global else "private"
    named = host and ("." not in host or host.endswith(".local") or host == "host.docker.internal")
    return "private" if named else "public"


def reachable(
    group: str, deployments: Sequence[LoadedDeployment], routing: Routing | None
) -> tuple[LoadedDeployment, ...]:
    """The deployments that a request for `group` may end at, fallbacks and aliases followed as far as they lead."""
    pending, seen = [group], set[str]()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        if routing is None:
            continue
        for chains in routing.chains.values():
            pending += chains.get(name, ())
        pending += routing.default
        if target := alias_target(routing.aliases.get(name)):
            pending.append(target)
    return tuple(deployment for deployment in deployments if seen & {deployment.group, *deployment.names})


def not_here(url: str, deployments: Iterable[LoadedDeployment]) -> list[str]:
    """What of a load test's targets is on another machine, in words; empty when all is on this one.

    A deployment counts as local when its api_base is a loopback address, or it has none and a local provider.
    """
    away = [f"the gateway {urlsplit(url).netloc.rpartition('@')[2]}"] if place_of(url) != "here" else []
    for deployment in deployments:
        base = _api_base(deployment)
        if base and place_of(base) != "here":
            away.append(f"{deployment.model} at {urlsplit(base).netloc.rpartition('@')[2] or base}")
        elif not base and _provider(deployment) not in LOCAL_PROVIDERS:
            away.append(f"{deployment.model} at its provider")
        elif is_paid(deployment):
            away.append(f"{deployment.model}, which Ollama runs on its own machines")
    return list(dict.fromkeys(away))


def _api_base(deployment: LoadedDeployment) -> str:
    return deployment.api_base or str(deployment.params.get("base_url") or "")


def _provider(deployment: LoadedDeployment) -> str:
    return str(deployment.params.get("custom_llm_provider") or deployment.model.partition("/")[0])
