"""The faults of the matrix as data: how each is injected into a real gateway, healed, and what must be said of it.

One configuration serves them all: a fault of an upstream has a model group of its own, so that many last at the same
time and none is another's evidence; the faults of the file stand together in one broken file, read by one restart.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from tests.lab.core import Lab
from tests.lab.faults_config import broken_config, site_config, unloaded_config
from tests.lab.traffic import Flow
from tests.lab.units import LITELLM

# Faults of one step last at the same time; the steps run in this order.
Step = Literal[
    "upstream", "health", "redis stopped", "redis hung", "file", "key", "stopped", "killed", "port", "crash", "broken"
]
STEPS: tuple[Step, ...] = Step.__args__  # type: ignore[attr-defined]  # what a Literal holds

# Slow enough that LiteLLM's stack traces leave a small machine time for everything else.
RATE = 0.5
THIEF = "thief.service"


@dataclass(frozen=True)
class Shown:
    """What must be said: at which place (kind and key, a deployment by its group), in one of which states, why.

    `contradiction` asks that the health report be named as saying the opposite.
    """

    kind: str
    key: str
    states: tuple[str, ...]
    cause: str
    contradiction: bool = False


@dataclass(frozen=True)
class Fault:
    """One row of the matrix. `flows` ask while it lasts; `versions` is where something else, or nothing, can be said.

    `inject` and `heal` return when the world is so; of a step whose faults come and go together the first does it.
    """

    key: str
    title: str
    step: Step
    shown: Shown
    inject: Callable[[Lab], object]
    heal: Callable[[Lab], object]
    flows: tuple[Flow, ...] = ()
    listed: str = ""
    versions: tuple[tuple[str, Shown | None], ...] = ()

    def expected(self, version: str) -> Shown | None:
        """What must be said of it on this LiteLLM; None where that LiteLLM hides it from everyone."""
        return dict(self.versions).get(version, self.shown)


# -- how they come and go


def _nothing(lab: Lab) -> None:
    """Another fault of the same step has done it."""


def _upstream(*models: str, fault: str, only: Literal["checks", "requests"] | None = None) -> dict[str, Any]:
    def set_to(name: str | None, lab: Lab) -> None:
        for model in models:
            lab.fault(model, name, only=only)

    return {"inject": partial(set_to, fault), "heal": partial(set_to, None)}


def _fail_checks(lab: Lab) -> None:
    """Returns when /health is red: before that, nothing contradicts the requests."""
    lab.fault("only-checks-m", "err500", only="checks")
    lab.wait("/health is red", lambda: '"openai/only-checks-m"' in _unhealthy(lab), pause=0.5)


def _unhealthy(lab: Lab) -> str:
    return json.dumps(lab.request("GET", "/health").json().get("unhealthy_endpoints"))


def _system(unit: str, inject: tuple[str, ...], heal: tuple[str, ...]) -> dict[str, Any]:
    return {
        "inject": lambda lab: lab.systemctl(*inject, unit),
        "heal": lambda lab: lab.systemctl(*heal, unit),
    }


def _user(lab: Lab, *arguments: str) -> None:
    lab.systemctl(*arguments, LITELLM, user=True)


def _restart_with(make: Callable[[], dict[str, Any]], lab: Lab) -> None:
    lab.write_config(make())
    _user(lab, "restart")
    lab.wait_ready(("user",))


def _drop_in(lab: Lab, text: str | None) -> None:
    """A drop-in of the unit, or none any more; in force when this returns."""
    path = lab.unit_path().with_name(f"{LITELLM}.d") / "fault.conf"
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    lab.systemctl("daemon-reload", user=True)


def _kill(lab: Lab) -> None:
    _drop_in(lab, "[Service]\nRestart=no\n")
    _user(lab, "kill", "--signal=SIGKILL", "--kill-who=main")


def _start_again(lab: Lab) -> None:
    _drop_in(lab, None)
    lab.systemctl("reset-failed", LITELLM, user=True, check=False)
    _user(lab, "restart")
    lab.wait_ready(("user",))


def _take_port(lab: Lab) -> None:
    """Something else listens where LiteLLM wants to; returns when LiteLLM has found that out."""
    _user(lab, "stop")
    program = [str(lab.litellm.python), "-m", "http.server", "--bind", "127.0.0.1", str(lab.ports.user)]
    lab.run(["systemd-run", "--quiet", "--collect", f"--unit={THIEF}", *program])
    _user(lab, "start")
    lab.wait("LiteLLM finds its port taken", lambda: "address already in use" in lab.journal(lines=40), pause=0.3)


def _free_port(lab: Lab) -> None:
    lab.systemctl("stop", THIEF)
    _start_again(lab)


def _crash(lab: Lab) -> None:
    """An interpreter that does not find its own library; returns when it has died twice."""
    _drop_in(lab, "[Service]\nEnvironment=PYTHONHOME=/nonexistent\n")
    _user(lab, "restart")
    lab.wait("the unit dies again", lambda: int(lab.show(LITELLM, "NRestarts")["NRestarts"]) > 1)


# -- the matrix


def _ask(group: str, kind: Literal["chat", "stream", "embedding"] = "chat", rate: float = RATE) -> tuple[Flow, ...]:
    return (Flow(group, kind, rate),)


def _deployment(group: str, cause: str, *states: str, contradiction: bool = False) -> Shown:
    return Shown("deployment", group, states or ("failing",), cause, contradiction)


_DEAD = ("failing", "cooling down")
_BREAKS = Shown("log", "", ("warn", "bad"), "stream breaks")
_COOLING = Shown("group", "pool", ("cooling down",), "cooling down")
_CACHE_DOWN = ("down", "no answer")
_BROKEN: dict[str, Any] = {"inject": _nothing, "heal": _nothing}

MATRIX: tuple[Fault, ...] = (
    Fault("refused", "upstream refuses connections", "upstream", _deployment("refuses", "refused"),
          **_system("second.service", ("stop",), ("start",)), flows=_ask("refuses"), listed="refuses"),
    Fault("500", "upstream answers 500", "upstream", _deployment("fails", "500"),
          **_upstream("fails-m", fault="err500"), flows=_ask("fails"), listed="fails"),
    Fault("401", "upstream refuses the key (401)", "upstream", _deployment("badkey", "401 key refused", *_DEAD),
          **_upstream("badkey-m", fault="err401"), flows=_ask("badkey"), listed="badkey"),
    Fault("404", "upstream does not know the model (404)", "upstream", _deployment("absent", "404 not found", *_DEAD),
          **_upstream("absent-m", fault="err404"), flows=_ask("absent"), listed="absent"),
    Fault("429", "upstream limits the rate (429)", "upstream", _deployment("limited", "429 rate limit", *_DEAD),
          **_upstream("limited-m", fault="err429"), flows=_ask("limited"), listed="limited"),
    Fault("hang", "upstream hangs", "upstream", _deployment("sleepy", "timeout", *_DEAD),
          **_upstream("sleepy-m", fault="hang"), flows=_ask("sleepy"), listed="sleepy"),
    Fault("stream-error", "a stream breaks off with an error", "upstream", _BREAKS,
          **_upstream("garbled-m", fault="errstream"), flows=_ask("garbled", "stream"), listed="garbled",
          versions=(("1.77.7", _deployment("garbled", "stream breaks", "failing", "degraded")),)),
    # 1.77.7 passes a torn stream off as a finished one: 200, finish_reason "stop", [DONE], and no line in its log
    Fault("stream-cut", "a stream's connection breaks", "upstream", _BREAKS,
          **_upstream("torn-m", fault="cutoff"), flows=_ask("torn", "stream"), listed="torn",
          versions=(("1.77.7", None),)),
    Fault("masked", "primary dead behind a fallback", "upstream", _deployment("front", "500", "masked"),
          **_upstream("front-m", fault="err500"), flows=_ask("front"), listed="front"),
    Fault("cooling", "all deployments of a group cool down", "upstream", _COOLING,
          **_upstream("pool-a", "pool-b", fault="err429"), flows=_ask("pool", rate=2 * RATE), listed="pool"),
    Fault("health-green", "/health green while every request fails", "upstream",
          _deployment("only-requests", "500", contradiction=True),
          **_upstream("only-requests-m", fault="err500", only="requests"), flows=_ask("only-requests"),
          listed="only-requests"),
    Fault("health-red", "/health red while traffic succeeds", "health",
          Shown("deployment", "only-checks", ("serving",), "health report is wrong", contradiction=True),
          inject=_fail_checks, heal=lambda lab: lab.fault("only-checks-m", None),
          flows=_ask("only-checks"), listed="only-checks"),
    Fault("redis-stopped", "Redis stopped", "redis stopped", Shown("cache", "", _CACHE_DOWN, "Redis refuses"),
          **_system("redis.service", ("stop",), ("start",)), flows=_ask("calm")),
    Fault("redis-hung", "Redis hangs", "redis hung", Shown("cache", "", _CACHE_DOWN, "Redis hangs"),
          **_system("redis.service", ("kill", "--signal=SIGSTOP"), ("kill", "--signal=SIGCONT")), flows=_ask("calm")),
    Fault("unloaded", "model in the file but not loaded", "file",
          _deployment("newcomer", "not loaded", "not loaded"),
          inject=lambda lab: lab.write_config(unloaded_config()),
          heal=lambda lab: lab.write_config(site_config()), listed="newcomer"),
    Fault("gateway-key", "wrong gateway key", "key", Shown("gateway", "", ("key refused",), "key refused"),
          inject=_nothing, heal=_nothing),
    Fault("hanging", "gateway stopped with SIGSTOP", "stopped", Shown("gateway", "", ("hanging",), "hanging"),
          inject=lambda lab: _user(lab, "kill", "--signal=SIGSTOP", "--kill-who=main"),
          heal=lambda lab: _user(lab, "kill", "--signal=SIGCONT", "--kill-who=main")),
    Fault("killed", "gateway killed and not restarted", "killed", Shown("service", "", ("killed",), "killed"),
          inject=_kill, heal=_start_again),
    Fault("port", "port taken by another program", "port",
          Shown("service", "", ("port taken",), "port taken"), inject=_take_port, heal=_free_port),
    Fault("crash-loop", "crash loop", "crash", Shown("service", "", ("crash loop",), "crash loop"),
          inject=_crash, heal=_start_again),
    Fault("key-unset", "key variable unset", "broken", _deployment("keyed", "LAB_UNSET_KEY unset"),
          inject=partial(_restart_with, broken_config), heal=partial(_restart_with, site_config),
          flows=_ask("keyed"), listed="keyed"),
    Fault("no-provider", "deployment without provider", "broken", _deployment("untyped", "no provider", "not loaded"),
          **_BROKEN, flows=_ask("untyped"), listed="untyped"),
    Fault("tls", "TLS broken (https to a plain port)", "broken", _deployment("ciphered", "TLS"),
          **_BROKEN, flows=_ask("ciphered"), listed="ciphered"),
    Fault("dns", "host of api_base unknown", "broken", _deployment("nowhere", "no such host"),
          **_BROKEN, flows=_ask("nowhere"), listed="nowhere"),
    Fault("alias-list", "alias given as a list", "broken",
          Shown("alias", "nickname", ("warn", "bad"), "alias is a list"),
          **_BROKEN, flows=_ask("nickname"), listed="nickname"),
    Fault("ghost", "fallback to a group that does not exist", "broken",
          Shown("chain", "calm", ("warn", "bad"), "ghost fallback"), **_BROKEN, listed="phantom"),
    Fault("cache-local", "cache type local", "broken", Shown("cache", "", ("not tested",), "not tested"), **_BROKEN),
)  # fmt: skip


def of_step(step: Step) -> tuple[Fault, ...]:
    """The faults that last together, in the matrix's order."""
    return tuple(fault for fault in MATRIX if fault.step == step)
