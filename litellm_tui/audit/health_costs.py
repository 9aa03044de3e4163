"""What health checks cost: calls a day, and money by the price map of LiteLLM.

One round asks every deployment once (litellm/proxy/health_check.py, perform_health_check); every process runs rounds of
its own (litellm/proxy/proxy_server.py, _run_background_health_check). A call sends one short message and limits the
answer (update_litellm_params_for_health_check, _resolve_health_check_max_tokens), an embedding sends the word `test`
(litellm/main.py, ahealth_check).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from litellm_tui.analysis.phrases import count, first_of
from litellm_tui.audit import surroundings
from litellm_tui.audit.billing import is_billed
from litellm_tui.audit.subject import Entry, Subject
from litellm_tui.model.embedded import Asked
from litellm_tui.model.prices import Price

DAY: Final = 86_400
MONTH: Final = 30
# "Hey how's it going?" with what a chat puts around it, and the word `test`
MESSAGE_TOKENS: Final = 14
WORD_TOKENS: Final = 2
# the answer's limit since LiteLLM sets one; before, what a greeting is answered with is assumed
ANSWER_TOKENS: Final = 16
UNLIMITED_TOKENS: Final = 50
_CHAT: Final = ("chat", "completion", "responses", "anthropic_messages")
_LIMIT: Final = "BACKGROUND_HEALTH_CHECK_MAX_TOKENS"
_SHARED_SECONDS: Final = 300


class Round(msgspec.Struct, frozen=True):
    """One call of each of so many deployments. `dollars` is what those with a known price cost together; `unpriced`
    are billed ones whose price is not known, by model. `free` counts those in a network of the operator's own."""

    calls: int
    dollars: float = 0.0
    priced: int = 0
    unpriced: tuple[str, ...] = ()
    free: int = 0


class Background(msgspec.Struct, frozen=True):
    """The background checks: a round every `seconds` in each of `processes`, or in one of them where it is `shared`."""

    round: Round
    seconds: float
    processes: int
    shared: bool

    @property
    def rounds(self) -> float:
        """Rounds a day, of all processes together."""
        return DAY / self.seconds * (1 if self.shared else self.processes)


def background(subject: Subject) -> Background | None:
    """What the background checks come to; None where they are off, or their interval is no whole number above 0."""
    section = subject.section("general_settings")
    if not surroundings.is_truthy(subject, section.get("background_health_checks")):
        return None
    default = surroundings.variable(subject, "DEFAULT_HEALTH_CHECK_INTERVAL")
    usual: Any = subject.catalogue.defaults.get("DEFAULT_HEALTH_CHECK_INTERVAL", 300)
    usual = int(default) if isinstance(default, str) and default.isdecimal() and len(default) < 9 else usual
    seconds = section.get("health_check_interval", usual)
    if not isinstance(seconds, int) or seconds <= 0:
        return None
    shared = is_shared(subject)
    # who finds results that are younger than this takes them (shared_health_check_manager.py)
    period = max(seconds, _SHARED_SECONDS) if shared else seconds
    return Background(round_of(subject, _checked(subject)), float(period), processes(subject), shared)


def processes(subject: Subject) -> int:
    """The processes that are known to serve: workers of every replica; 1 where nothing is known."""
    replicas = subject.runtime.replicas if subject.runtime else None
    return (surroundings.worker_count(subject) or 1) * (1 if replicas is None else max(1, replicas))


def is_shared(subject: Subject) -> bool:
    """Whether one process checks for all: it is switched on, known to this version, and there is a Redis."""
    section = subject.section("general_settings")
    on = "use_shared_health_check" in subject.catalogue.general and bool(section.get("use_shared_health_check"))
    return on and (
        surroundings.cache_type(subject) == "redis"
        or "coordination_redis" in section
        or surroundings.is_set(subject, "REDIS_HOST", "REDIS_URL", "REDIS_CLUSTER_NODES") is True
    )


def on_demand(subject: Subject) -> Round:
    """What one GET /health asks while background checks are off."""
    skips = subject.section("general_settings").get("health_check_skip_disabled_background_models")
    return round_of(subject, [e for e in subject.entries if not (skips and _switched_off(e))])


def _checked(subject: Subject) -> Iterator[Entry]:
    groups = subject.section("general_settings").get("background_health_check_model_groups")
    scoped = "background_health_check_model_groups" in subject.catalogue.general
    chosen = groups if scoped and isinstance(groups, list) else None
    for entry in subject.entries:
        if not _switched_off(entry) and (chosen is None or entry.name in chosen):
            yield entry


def _switched_off(entry: Entry) -> bool:
    return bool(entry.info.get("disable_background_health_check"))


def round_of(subject: Subject, entries: Iterable[Entry]) -> Round:
    """What one call of each of these deployments costs."""
    calls = priced = free = 0
    dollars = 0.0
    unpriced: dict[str, None] = {}
    for entry in entries:
        calls += 1
        if not is_billed(subject, entry):
            free += 1
        elif (cost := _call(subject, entry)) is not None:
            dollars += cost
            priced += 1
        else:
            unpriced[_asked(entry)] = None
    return Round(calls, dollars, priced, tuple(unpriced), free)


def _asked(entry: Entry) -> str:
    """The model that a check asks."""
    told = entry.info.get("health_check_model")
    return told if isinstance(told, str) and told else entry.model


def _call(subject: Subject, entry: Entry) -> float | None:
    """Dollars of one check of this deployment; None where the map has no price for how it is asked."""
    found = _price(subject, entry)
    if found is None:
        return None
    told = entry.info.get("mode")
    mode = told if isinstance(told, str) else found.mode or "chat"
    if mode == "embedding" and found.input is not None:
        return WORD_TOKENS * found.input
    if mode == "rerank" and (found.query or found.request):
        return found.query or found.request
    if mode in _CHAT and found.input is not None and found.output is not None:
        return MESSAGE_TOKENS * found.input + answer_tokens(subject, entry) * found.output
    return None


def answer_tokens(subject: Subject, entry: Entry) -> int:
    """The tokens to which the answer of a check is limited; what is assumed where it is not."""
    for key in ("health_check_max_tokens", "health_check_max_tokens_non_reasoning"):
        told = entry.info.get(key)
        if isinstance(told, int) and not isinstance(told, bool) and 0 < told < 10**6 and limits(subject):
            return told
    everywhere = surroundings.variable(subject, _LIMIT)
    if limits(subject) and isinstance(everywhere, str) and everywhere.isdecimal() and len(everywhere) < 7:
        return int(everywhere)
    return ANSWER_TOKENS if limits(subject) else UNLIMITED_TOKENS


def limits(subject: Subject) -> bool:
    """Whether this version limits the answers of its checks."""
    return _LIMIT in subject.catalogue.environment


def _price(subject: Subject, entry: Entry) -> Price | None:
    own = _own_price(entry)
    if own is not None or subject.prices is None:
        return own
    model, provider = _asked(entry), entry.params.get("custom_llm_provider")
    base = entry.info.get("base_model")
    names = [base] if isinstance(base, str) and base else []
    names.append(model)
    first, _, rest = model.partition("/")
    if rest:
        names.append(rest)
    if isinstance(provider, str):
        names.insert(len(names) - 1, f"{provider}/{model}")
    expected = provider if isinstance(provider, str) else first if rest else ""
    for name in names:
        found = subject.prices.models.get(name)
        # what another provider of the same model takes is no price of this one
        if found is not None and (name != rest or not expected or _same(found.provider, expected)):
            return found
    return None


def _same(provider: str | None, expected: str) -> bool:
    return provider is None or provider == expected or provider.startswith((f"{expected}-", f"{expected}_"))


def _own_price(entry: Entry) -> Price | None:
    """The price that the file gives the deployment itself, which LiteLLM goes by."""
    for holder in (entry.params, entry.info):
        given = _dollars(holder.get("input_cost_per_token"))
        taken = _dollars(holder.get("output_cost_per_token"))
        if given is not None and taken is not None:
            return Price(None, None, given, taken)
    return None


def _dollars(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 <= value < 1 else None


def sentences(subject: Subject) -> Iterator[str]:
    """What the checks of this configuration cost, and what that assumes."""
    if not subject.entries:
        return
    checks = background(subject)
    asked = [one for one in (subject.runtime.health if subject.runtime else ()) if asks_every_deployment(one)]
    each = on_demand(subject)
    off = surroundings.is_truthy(subject, subject.section("general_settings").get("background_health_checks")) is False
    if checks is not None:
        number, of = checks.round.calls, len(subject.entries)
        which = count(number, "deployment") if number == of else f"{number} of {count(of, 'deployment')}"
        yield (
            f"background checks ask {which} every {checks.seconds:g} s{_where(subject, checks)}: "
            f"{_a_day(checks.round, checks.rounds)}"
        )
    elif off and each.calls:
        each_price = _price_text(each, 1)
        yield f"each GET /health makes {count(each.calls, 'call')}" + (f", {each_price}" if each_price else "")
        for one in asked:
            rounds = DAY / one.seconds * _replicas(subject)
            yield f"{one.what} asks {one.path} every {one.seconds:g} s: where it has a key, {_a_day(each, rounds)}"
        if not asked:
            yield f"a monitor that asks /health once a minute would make {_a_day(each, DAY / 60)}"
    else:
        return
    one_round = checks.round if checks else each
    if one_round.priced:
        yield _assumed(subject)


def asks_every_deployment(asked: Asked) -> bool:
    """Whether a request goes to /health itself, which without background checks asks every deployment."""
    return asked.path.partition("?")[0].rstrip("/") == "/health"


def _replicas(subject: Subject) -> int:
    return max(1, (subject.runtime.replicas if subject.runtime else None) or 1)


def _where(subject: Subject, checks: Background) -> str:
    replicas, workers = _replicas(subject), surroundings.worker_count(subject) or 1
    if checks.shared:
        return f", in one of {checks.processes} processes" if checks.processes > 1 else ", shared through Redis"
    if checks.processes == 1:
        return "" if subject.runtime else " in every process"
    parts = [count(replicas, "replica")] if replicas > 1 else []
    parts += [count(workers, "worker")] if workers > 1 else []
    return f" in each of {checks.processes} processes ({' of '.join(parts)})"


def _a_day(one: Round, rounds: float) -> str:
    """`2,880 calls a day, about $0.41 a day and $12 a month`."""
    calls = count(round(one.calls * rounds), "call")
    price = _price_text(one, rounds, " a day")
    return f"{calls} a day" + (f", {price}" if price else "")


def _price_text(one: Round, rounds: float, a_day: str = "") -> str:
    parts = []
    if one.priced:
        money = one.dollars * rounds
        parts.append(f"about {dollars(money)}{a_day}" + (f" and {dollars(money * MONTH)} a month" if a_day else ""))
    if one.unpriced:
        parts.append(f"price not known of {first_of(one.unpriced, 3)}")
    if one.free:
        parts.append(f"{one.free} of the {one.calls} in a network of your own")
    return "; ".join(parts)


def dollars(money: float) -> str:
    """`$12`, `$0.41`, `$0.00032`: two figures, and no cents above a hundred."""
    if money >= 100:
        return f"${money:,.0f}"
    if money >= 0.1:
        return f"${money:.2f}"
    return f"${money:.2g}" if money >= 1e-4 else f"${money:.1e}" if money else "$0"


def _assumed(subject: Subject) -> str:
    answers = (
        f"at most {ANSWER_TOKENS} out unless the file says otherwise"
        if limits(subject)
        else f"{UNLIMITED_TOKENS} out, which this version does not limit"
    )
    basis = subject.prices.basis if subject.prices else "the file's own prices"
    return f"assumed: {MESSAGE_TOKENS} tokens in and {answers} for each call of a chat model; prices of {basis}"
