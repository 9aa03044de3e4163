"""One request through the simulated router: load balancing, retries, fallbacks, and the lines they leave."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from litellm_tui.demo.faults import Failed, Fault, failed
from litellm_tui.demo.messages import Words
from litellm_tui.demo.running import Deployment, Running

MAX_FALLBACKS = 5


@dataclass
class Outcome:
    """How a request ended. Exactly one of `deployment` and `failure` is set; `message` is what the client is told."""

    group: str
    deployment: Deployment | None = None
    failure: Failed | None = None
    message: str = ""
    call_id: str = ""
    attempts: int = 0
    retries: int = 0
    fallbacks: int = 0
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """What a client asks for. `retries` None means the router's own number."""

    group: str
    embedding: bool = False
    fallbacks: bool = True
    retries: int | None = None


class Router:
    """Routes calls by a configuration and by which deployments are broken at the moment."""

    def __init__(self, running: Running, faults: Mapping[str, Fault], randomness: random.Random) -> None:
        self._running = running
        self._faults = faults
        self._random = randomness

    def route(self, call: Call, words: Words) -> Outcome:
        """Serve the call or explain why not."""
        bits = f"{self._random.getrandbits(128):032x}"
        call_id = f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
        outcome = Outcome(call.group, call_id=call_id)
        first = self._try(call.group, call, outcome, words)
        if first is None:
            return outcome
        outcome.failure, outcome.message = first, first.message
        targets = self._running.fallbacks_of(call.group) if call.fallbacks else []
        if targets:
            self._fall_back(targets[:MAX_FALLBACKS], call, outcome, words)
        elif call.fallbacks:
            outcome.message += self._no_fallback(call.group)
        if outcome.failure is not None:
            lines = words.gave_up(outcome.message, outcome.failure, outcome.call_id)
            # the router's own line is about fallbacks: without them only the proxy's is written
            outcome.lines += lines if call.fallbacks else lines[1:]
        return outcome

    def _fall_back(self, targets: list[str], call: Call, outcome: Outcome, words: Words) -> None:
        last, told = None, ""
        for target in targets:
            if target == call.group:
                continue
            outcome.lines.append(words.router("INFO", "router.py:7747", "Trying to fallback b/w models"))
            outcome.lines.append(
                words.router("INFO", "fallback_event_handlers.py:767", f"Falling back to model_group = {target}")
            )
            group = self._known(target, outcome, words)
            last, told = self._try(group, call, outcome, words), target
            if last is None:
                outcome.lines.append(
                    words.router("INFO", "fallback_event_handlers.py:788", "Successful fallback b/w models.")
                )
                outcome.failure, outcome.message, outcome.group = None, "", group
                outcome.fallbacks = 1
                return
        if last is not None:
            outcome.message += (
                f"\n\nLiteLLM: model group '{call.group}' failed with the error above. "
                f"Fallback to {told} also failed: {last.message}"
            )

    def _known(self, target: str, outcome: Outcome, words: Words) -> str:
        """A target that does not exist: the router tries the default fallback in its place."""
        default = self._running.fallbacks_of("*")
        if self._running.members(target) or not default:
            return target
        outcome.lines.append(
            words.router(
                "INFO",
                "router.py:13356",
                f"Model '{target}' not found. Attempting to use default fallback model '{default[0]}'.",
            )
        )
        return default[0]

    def _try(self, group: str, call: Call, outcome: Outcome, words: Words) -> Failed | None:
        members = self._running.members(group)
        if not members:
            return Failed(
                "BadRequestError",
                f"litellm.BadRequestError: You passed in model={group}. "
                "There are no healthy deployments for this model",
                400,
                "",
            )
        retries = int(self._running.router["num_retries"]) if call.retries is None else call.retries
        failure: Failed | None = None
        for attempt in range(retries + 1):
            deployment = self._random.choices(members, [entry.weight for entry in members])[0]
            if any(entry.is_weighed for entry in members):
                outcome.lines.append(words.chosen(group, deployment))
            fault = self._faults.get(deployment.id)
            failure = failed(fault, deployment) if fault else None
            outcome.attempts += 1
            outcome.lines += words.called(deployment, failure, "aembedding" if call.embedding else "acompletion")
            if failure is None:
                outcome.deployment, outcome.retries, outcome.group = deployment, attempt, group
                return None
            if len(members) > 1:
                members = [entry for entry in members if entry is not deployment]
        return failure

    def _no_fallback(self, group: str) -> str:
        configured = [str(name) for item in self._running.router["fallbacks"] or () for name in item]
        if not configured:
            return f"\n\nLiteLLM: model group '{group}' failed with the error above. No fallback was attempted."
        return (
            f"\n\nLiteLLM: model group '{group}' failed with the error above and no fallback model group was found "
            "for it, so the request was not retried on another model. Fallbacks are configured for: "
            f"{', '.join(configured)}. Add a fallbacks entry for that model group (Router fallbacks or proxy "
            "router_settings.fallbacks) to retry on another model."
        )
