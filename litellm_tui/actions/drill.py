"""Exercising a fallback chain for real: the first group is made to fail on purpose, and the answer says who served.

LiteLLM does that for a request with `mock_testing_fallbacks`: 1.77.7 always, 1.106.2 only with `SETTING`, else it
answers 400 (seen on both). Where it refuses, each target is asked by itself, past fallbacks, retries and the cache.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from litellm_tui.actions.probe_cost import is_paid
from litellm_tui.actions.probe_request import ENDPOINTS, request_for
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.analysis.routing.route import predict_route
from litellm_tui.analysis.routing.router_simulation import DeploymentIndex, IndexedDeployment, RouterRules, rules_for
from litellm_tui.analysis.routing.table import FallbackKind, Routing
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.target.profile import Profile

if TYPE_CHECKING:
    from litellm_tui.actions.probe_wire import Asker, Said

SETTING: Final = "general_settings.dangerously_allow_mock_testing_request_params: true"
TIMEOUT_SECONDS: Final = 60.0
PROMPT: Final = "Say hi."
_FLAGS: Final[Mapping[FallbackKind, str]] = {
    "general": "mock_testing_fallbacks",
    "context window": "mock_testing_context_fallbacks",
    "content policy": "mock_testing_content_policy_fallbacks",
}
_UNCACHED: Final[Mapping[str, Any]] = {"num_retries": 0, "cache": {"no-cache": True, "no-store": True}}


class Plan(msgspec.Struct, frozen=True):
    """What a drill of one chain may ask: `targets` in the router's order, at most one call each; `paid` are of those.

    `ghosts` are targets that do not exist and are not asked. `groups` maps the id of a deployment to its group.
    """

    kind: FallbackKind
    source: str
    targets: tuple[str, ...]
    paid: tuple[str, ...] = ()
    ghosts: tuple[str, ...] = ()
    mode: str | None = None
    groups: dict[str, str] = {}


class Asking(msgspec.Struct, frozen=True):
    """A request has begun: the drill itself, or one to this `target` alone."""

    target: str
    alone: bool


class Answer(msgspec.Struct, frozen=True):
    """What it came to. `served_by` is the group of the deployment that answered; `took` is seconds.

    `error` is in full and without secrets. With `refused` the gateway does not permit the drill.
    """

    target: str
    alone: bool
    ok: bool
    took: float
    served_by: str = ""
    deployment: str = ""
    error: str = ""
    refused: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """The last event. `setting` is what would permit the real drill where it was refused."""

    ok: bool
    text: str
    took: float
    setting: str = ""


Event = Asking | Answer | Outcome


def plan_drill(
    routing: Routing,
    deployments: Sequence[LoadedDeployment],
    kind: FallbackKind,
    source: str,
    version: str | None = None,
) -> Plan | str:
    """What drilling this chain would ask, or why it cannot be drilled, in words."""
    index = DeploymentIndex(IndexedDeployment(d.id, d.group, d.model, d.id) for d in deployments)
    rules = rules_for(version)
    own = _standing(routing, index, source, rules)
    if not own:
        return f"no deployment answers to {source}: there is nothing to let fail"
    mode = next(d.mode for d in deployments if d.id == own[0])
    if (mode or "chat") not in ENDPOINTS:
        return f"its mode is {mode}: only chat, completion, embedding and rerank can be asked"
    # with everything down the router's walk meets every name it may ever ask
    everything: dict[str, FallbackKind] = {m.key: "general" for m in index.members}
    walked = [
        hop.name for hop in predict_route(routing, index, everything, source, kind, rules).hops if hop.name != source
    ]
    standing = {name: _standing(routing, index, name, rules) for name in walked}
    targets = tuple(name for name in walked if standing[name])
    if not targets:
        return f"nothing takes over for {source}: there is no chain to exercise"
    billed = {d.id for d in deployments if is_paid(d)}
    return Plan(
        kind=kind,
        source=source,
        targets=targets,
        paid=tuple(name for name in targets if billed & set(standing[name])),
        ghosts=tuple(name for name in walked if not standing[name]),
        mode=mode,
        groups={d.id: d.group for d in deployments},
    )


def _standing(routing: Routing, index: DeploymentIndex, name: str, rules: RouterRules) -> tuple[str, ...]:
    """The keys of the deployments that a name stands for."""
    return predict_route(routing, index, {}, name, rules=rules).members


async def drill(
    profile: Profile,
    plan: Plan,
    *,
    redact: Callable[[str], str] | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> AsyncGenerator[Event, None]:
    """Exercise the chain; the last event is the `Outcome`. `timeout` is seconds for each request; nothing is raised.

    Closing the iterator ends what is under way.
    """
    # only now: the dialog that shows these events is imported at the start, the HTTP client need not be
    from litellm_tui.actions.probe_wire import Asker

    masked = redact or Redactor(profile.secrets)
    began = time.monotonic()
    asker = Asker(profile.url.value, profile.key.reveal() if profile.key else None, 1)
    try:
        yield Asking(plan.source, False)
        answer = await _let_fail(asker, plan, masked, timeout)
        yield answer
        if not answer.refused:
            yield _told(plan, answer, time.monotonic() - began)
            return
        answers = []
        for target in plan.targets:
            yield Asking(target, True)
            answers.append(await _ask_alone(asker, plan, target, masked, timeout))
            yield answers[-1]
        yield _judged(plan, answers, time.monotonic() - began)
    finally:
        await asker.close()


async def _let_fail(asker: Asker, plan: Plan, masked: Callable[[str], str], timeout: float) -> Answer:
    flag = _FLAGS[plan.kind]
    path, body = request_for(plan.mode, plan.source, PROMPT)
    said = await asker.ask(path, {**body, **_UNCACHED, flag: True}, timeout)
    answer = _answer(plan, plan.source, False, said, masked)
    # "Mock testing request params are disabled on this proxy: mock_testing_fallbacks. …"
    return msgspec.structs.replace(answer, refused=said.status == 400 and flag in said.error)


async def _ask_alone(asker: Asker, plan: Plan, target: str, masked: Callable[[str], str], timeout: float) -> Answer:
    path, body = request_for(plan.mode, target, PROMPT)
    said = await asker.ask(path, {**body, **_UNCACHED, "disable_fallbacks": True}, timeout)
    return _answer(plan, target, True, said, masked)


def _answer(plan: Plan, target: str, alone: bool, said: Said, masked: Callable[[str], str]) -> Answer:
    identity = said.headers.get("x-litellm-model-id", "")
    group = plan.groups.get(identity) or said.headers.get("x-litellm-model-group", "")
    ok = not said.error
    return Answer(target, alone, ok, said.took, group if ok else "", identity if ok else "", masked(said.error))


def _told(plan: Plan, answer: Answer, took: float) -> Outcome:
    if not answer.ok:
        return Outcome(False, f"no fallback of {plan.source} answered: its requests fail when it does", took)
    if answer.served_by == plan.groups.get(plan.source, plan.source) and plan.source not in plan.targets:
        return Outcome(False, f"{plan.source} answered itself: the gateway did not carry the drill out", took)
    return Outcome(True, f"{answer.served_by} answers when {plan.source} fails", took)


def _judged(plan: Plan, answers: Sequence[Answer], took: float) -> Outcome:
    alive = [answer.target for answer in answers if answer.ok]
    dead = len(answers) - len(alive)
    if not alive:
        return Outcome(False, f"not drilled; asked alone, none of {dead} targets answers", took, SETTING)
    others = f"; {dead} of {len(answers)} do not" if dead else ""
    return Outcome(True, f"not drilled; asked alone, {alive[0]} is the first to answer{others}", took, SETTING)
