"""The rows of the matrix, in the order of the steps."""

from __future__ import annotations

from typing import Any, Literal

from tests.lab import faults_ways as ways
from tests.lab.faults import ENDS, RATE, Fault, Shown, Step
from tests.lab.faults_config import unloaded_config
from tests.lab.traffic import Flow

_DEAD = ("failing", "cooling down")
_PARTLY = ("failing", "degraded", "cooling down")
_CACHE_DOWN = ("down", "no answer")
_ENDED = ("failed", "crash loop")
_BROKEN: dict[str, Any] = {"inject": ways.nothing, "heal": ways.nothing}


def _ask(
    group: str, kind: Literal["chat", "stream", "embedding"] = "chat", rate: float = RATE, **more: Any
) -> tuple[Flow, ...]:
    return (Flow(group, kind, rate, more),)


def _deployment(group: str, cause: str, *states: str, contradiction: bool = False) -> Shown:
    return Shown("deployment", group, states or ("failing",), cause, contradiction)


def _of_upstream(key: str, title: str, group: str, cause: str, fault: str, *states: str, stream: bool = False) -> Fault:
    """A fault of a group's only deployment, which its own traffic shows."""
    shown, kind = _deployment(group, cause, *states), "stream" if stream else "chat"
    come = ways.upstream(f"{group}-m", fault=fault)
    return Fault(key, title, "upstream", shown, **come, flows=_ask(group, kind), listed=group)  # type: ignore[arg-type]  # one of the two kinds


def _of_redis(
    step: Step, title: str, brief: str, inject: tuple[str, ...], heal: tuple[str, ...], *, anew: bool = False
) -> Fault:
    shown, come = Shown("cache", "", ("failing",), brief), ways.redis(inject, heal, anew=anew)
    return Fault(step.replace(" ", "-"), title, step, shown, **come, flows=_ask("calm"))


def _broken(key: str, title: str, shown: Shown, flows: tuple[Flow, ...] = (), **more: Any) -> Fault:
    listed = shown.key if shown.kind in ("deployment", "group", "alias") else ""
    return Fault(key, title, "broken", shown, **_BROKEN, flows=flows, listed=more.pop("listed", listed), **more)


def _end(key: str, title: str, step: Step, cause: str, inject: Any, *states: str, heal: Any = ways.nothing) -> Fault:
    return Fault(key, title, step, Shown("service", "", states or _ENDED, cause), inject, heal, healed=ENDS[-1])


UPSTREAM = (
    Fault("refused", "upstream refuses connections", "upstream", _deployment("refuses", "refused"),
          **ways.system("second.service", ("stop",), ("start",)), flows=_ask("refuses"), listed="refuses"),
    _of_upstream("500", "upstream answers 500", "fails", "500", "err500"),
    _of_upstream("401", "upstream refuses the key (401)", "badkey", "401 key refused", "err401", *_DEAD),
    _of_upstream("404", "upstream does not know the model (404)", "absent", "404 not found", "err404", *_DEAD),
    _of_upstream("429", "upstream limits the rate (429)", "limited", "429 rate limit", "err429", *_DEAD),
    _of_upstream("hang", "upstream hangs", "sleepy", "timeout", "hang", *_DEAD),
    _of_upstream("403", "upstream forbids the model (403)", "forbidden", "403 forbidden", "err403"),
    _of_upstream("503", "upstream is not ready (503)", "closed", "503 unavailable", "err503"),
    _of_upstream("502", "a proxy before the upstream answers 502 with a page", "proxied", "502 bad gateway", "errpage"),
    _of_upstream("no-json", "upstream's body is a web page (200)", "pageful", "answer is no JSON", "garbage"),
    _of_upstream("quota", "out of credit: OpenAI, insufficient_quota", "unpaid", "out of credit", "errquota", *_DEAD),
    _of_upstream("credit", "out of credit: Anthropic, credit balance", "creditless", "out of credit", "errcredit"),
    _of_upstream("pay", "out of credit: OpenRouter, 402", "unfunded", "out of credit", "errpay"),
    _of_upstream("balance", "out of credit: DeepSeek, 402", "broke", "out of credit", "errbalance"),
    _of_upstream("retired", "the provider has retired the model", "retired", "model retired", "errretired"),
    _of_upstream("529", "the provider is overloaded (Anthropic, 529)", "crowded", "provider overloaded", "err529"),
    _of_upstream("memory", "Ollama has not enough memory", "starved", "not enough memory", "errmemory"),
    _of_upstream("pull", "Ollama has not got the model", "unpulled", "model not pulled", "errpull", *_DEAD),
    _of_upstream("silent", "headers, then silence", "silent", "timeout", "mute", *_PARTLY, stream=True),
    _of_upstream("late", "the first word comes too late", "laggard", "timeout", "tardy", *_PARTLY, stream=True),
    Fault("context", "requests are longer than the model takes", "upstream",
          Shown("group", "wordy", ("degraded",), "callers' own: context too long"),
          **ways.upstream("wordy-m", fault="errctx"), flows=_ask("wordy"), listed="wordy", callers=True),
    Fault("content", "the provider's filter refuses the content", "upstream",
          Shown("group", "naughty", ("degraded",), "callers' own: content refused"),
          **ways.upstream("naughty-m", fault="errpolicy"), flows=_ask("naughty"), listed="naughty", callers=True),
    # 1.77.7 passes a torn stream off as a finished one: 200, finish_reason "stop", [DONE], and no line in its log
    Fault("stream-error", "a stream breaks off with an error", "upstream",
          Shown("log", "", ("warn", "bad"), "stream breaks"),
          **ways.upstream("garbled-m", fault="errstream"), flows=_ask("garbled", "stream"), listed="garbled",
          versions=(("1.77.7", _deployment("garbled", "stream breaks", "failing", "degraded")),)),
    Fault("stream-cut", "a stream's connection breaks", "upstream",
          Shown("log", "", ("warn", "bad"), "stream breaks"),
          **ways.upstream("torn-m", fault="cutoff"), flows=_ask("torn", "stream"), listed="torn",
          versions=(("1.77.7", None),)),
    Fault("masked", "primary dead behind a fallback", "upstream", _deployment("front", "500", "masked"),
          **ways.upstream("front-m", fault="err500"), flows=_ask("front"), listed="front"),
    Fault("alias", "primary dead, asked by an alias without its fallback", "upstream", _deployment("facade", "500"),
          **ways.upstream("facade-m", fault="err500"), flows=_ask("byname", rate=3 * RATE), listed="facade"),
    Fault("cooling", "all deployments of a group cool down", "upstream",
          Shown("group", "pool", ("cooling down",), "cooling down"),
          **ways.upstream("pool-a", "pool-b", fault="err429"), flows=_ask("pool", rate=5 * RATE), listed="pool"),
    Fault("health-green", "/health green while every request fails", "upstream",
          _deployment("only-requests", "500", contradiction=True),
          **ways.upstream("only-requests-m", fault="err500", only="requests"), flows=_ask("only-requests"),
          listed="only-requests"),
    Fault("weight", "a weight that is a text", "upstream",
          Shown("group", "weighted", ("failing",), "weight is no number"), ways.nothing, ways.nothing,
          flows=_ask("weighted"), listed="weighted",
          versions=(("1.77.7", Shown("group", "weighted", ("failing",), "failing")),),
          healed=ENDS[-1]),
    Fault("health-red", "/health red while traffic succeeds", "health",
          Shown("deployment", "only-checks", ("serving",), "health report is wrong", contradiction=True),
          inject=ways.fail_checks, heal=lambda lab: lab.fault("only-checks-m", None),
          flows=_ask("only-checks"), listed="only-checks", harmless=True),
)  # fmt: skip

CACHE = (
    Fault("redis-stopped", "Redis stopped", "redis stopped", Shown("cache", "", _CACHE_DOWN, "Redis refuses"),
          **ways.system("redis.service", ("stop",), ("start",)), flows=_ask("calm")),
    Fault("redis-hung", "Redis hangs", "redis hung", Shown("cache", "", _CACHE_DOWN, "Redis hangs"),
          **ways.system("redis.service", ("kill", "--signal=SIGSTOP"), ("kill", "--signal=SIGCONT")),
          flows=_ask("calm")),
    _of_redis("redis full", "Redis is full and may drop nothing", "Redis is full",
              ("CONFIG", "SET", "maxmemory", "1mb"), ("CONFIG", "SET", "maxmemory", "0")),
    _of_redis("redis read-only", "Redis is a read-only replica", "read-only replica",
              ("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    _of_redis("redis replicas", "Redis has too few replicas to take writes", "too few replicas",
              ("CONFIG", "SET", "min-replicas-to-write", "1"), ("CONFIG", "SET", "min-replicas-to-write", "0")),
    _of_redis("redis rights", "Redis forbids its user to write", "Redis forbids it",
              ("ACL", "SETUSER", "default", "-set"), ("ACL", "SETUSER", "default", "+@all")),
    _of_redis("redis password", "Redis wants a password", "Redis wants a password",
              ("CONFIG", "SET", "requirepass", ways.PASSWORD), ("CONFIG", "SET", "requirepass", ""),
              anew=True),
    Fault("redis-cluster", "Redis is a cluster", "redis cluster",
          Shown("cache", "", ("failing",), "Redis is a cluster"), ways.cluster, ways.no_cluster, flows=_ask("calm")),
)  # fmt: skip

WHOLE = (
    Fault("unloaded", "model in the file but not loaded", "file",
          _deployment("newcomer", "not loaded", "not loaded"),
          inject=ways.save(unloaded_config), heal=ways.SITE, listed="newcomer", harmless=True),
    Fault("gateway-key", "wrong gateway key", "key", Shown("gateway", "", ("key refused",), "key refused"),
          ways.nothing, ways.nothing),
    Fault("front-502", "a reverse proxy in front gets no answer from it", "front",
          Shown("gateway", "", ("proxy answers",), "nginx, 502"), ways.nothing, ways.nothing),
    Fault("front-login", "a reverse proxy in front wants a login", "login",
          Shown("gateway", "", ("proxy answers",), "lab, 200, the page 'Sign in'"), ways.nothing, ways.nothing),
    Fault("hanging", "gateway stopped with SIGSTOP", "stopped", Shown("gateway", "", ("hanging",), "hanging"),
          ways.user_as("kill", "--signal=SIGSTOP", "--kill-who=main"),
          ways.user_as("kill", "--signal=SIGCONT", "--kill-who=main")),
    _end("killed", "gateway killed and not restarted", "killed", "killed", ways.kill, "killed"),
    _end("environment-file", "a mandatory EnvironmentFile is missing", "environment file", "EnvironmentFile missing",
         ways.no_environment_file),
    _end("interpreter", "the program's interpreter is missing", "interpreter", "interpreter missing",
         ways.no_interpreter),
    _end("crash-loop", "crash loop", "crash", "crash loop", ways.crash, "crash loop"),
    _end("port", "port taken by another program", "port", "port taken", ways.take_port, "port taken"),
    _end("module", "a callback's module file is missing", "module", "module file missing", ways.refuse_to_start,
         heal=ways.start_with_workers),
    Fault("worker", "a worker of two is killed", "worker", Shown("service", "", ("worker lost",), "worker lost"),
          ways.kill_worker, ways.nothing, flows=_ask("calm"), healed="broken"),
)  # fmt: skip

_NOBODYS = "sk-nobody-has-issued-it"
BROKEN = (
    Fault("key-unset", "key variable unset", "broken", _deployment("keyed", "LAB_UNSET_KEY unset"),
          ways.break_file, ways.mend_file, flows=_ask("keyed"), listed="keyed"),
    _broken("no-provider", "deployment without provider", _deployment("untyped", "no provider", "not loaded"),
            _ask("untyped")),
    _broken("tls", "TLS broken (https to a plain port)", _deployment("ciphered", "TLS"), _ask("ciphered")),
    _broken("self-signed", "upstream's certificate is self-signed", _deployment("selfsigned", "TLS"),
            _ask("selfsigned")),
    _broken("dns", "host of api_base unknown", _deployment("nowhere", "no such host"), _ask("nowhere")),
    _broken("aws", "AWS credentials missing", _deployment("cloudy", "AWS credentials missing"), _ask("cloudy")),
    _broken("package", "the package of a provider is missing",
            Shown("group", "unpacked", ("failing",), "package missing"), _ask("unpacked")),
    _broken("alias-list", "alias given as a list", Shown("alias", "nickname", ("warn", "bad"), "alias is a list"),
            _ask("nickname")),
    _broken("ghost", "fallback to a group that does not exist",
            Shown("chain", "calm", ("warn", "bad"), "ghost fallback"), listed="phantom"),
    _broken("cache-local", "cache type local", Shown("cache", "", ("not tested",), "not tested"), harmless=True),
    _broken("own-limit", "a deployment's own rpm is used up",
            Shown("group", "narrow", ("failing", "degraded"), "own deployment limit"), _ask("narrow", rate=1.0)),
    _broken("own-parallel", "a deployment's own max_parallel_requests is reached",
            Shown("group", "busy", ("failing", "degraded"), "own deployment limit"), 3 * _ask("busy", rate=0.3),
            versions=(("1.77.7", None),), hidden="the next request waits"),
    _broken("tags", "no deployment has the tags of the request",
            Shown("group", "tagged", ("failing", "degraded"), "tags not allowed"),
            _ask("tagged", metadata={"tags": ["free"]})),
    _broken("parameter", "a parameter that the provider does not take",
            Shown("group", "plain", ("failing", "degraded"), "unsupported parameter"),
            _ask("plain", logit_bias={"1": 1})),
    _broken("guardrail", "a guardrail blocks the requests", Shown("incident", "", ("gateway",), "guardrail blocked"),
            _ask("guarded"), callers=True),
    _broken("unguarded", "a guardrail of an unknown kind is left out",
            Shown("log", "guardrails", ("warn",), "guardrail not loaded"), versions=(("1.77.7", None),),
            hidden="does not start with it"),
    _broken("mcp", "an MCP server is down", Shown("log", "MCP server files", ("warn",), "MCP server unreachable"),
            versions=(("1.77.7", None),), hidden="not tried: its package mcp is missing"),
    _broken("unknown-key", "a key that nobody has issued, without a database",
            Shown("incident", "", ("database",), "no database"), (Flow("calm", rate=RATE, key=_NOBODYS),), callers=True,
            versions=(("1.77.7", Shown("incident", "", ("gateway",), "key check refused")),)),
    _broken("no-key", "no key at all", Shown("incident", "", ("caller",), "no key given"),
            (Flow("calm", rate=RATE, key=None),), callers=True),
    _broken("no-group", "a name that is not served", Shown("incident", "", ("caller",), "no such group"),
            _ask("nobody-serves"), callers=True),
    _broken("bad-request", "a request without messages", Shown("incident", "", ("caller",), "bad request"),
            _ask("spare", messages=None), callers=True),
)  # fmt: skip

MATRIX: tuple[Fault, ...] = (*UPSTREAM, *CACHE, *WHOLE, *BROKEN)


def of_step(step: Step) -> tuple[Fault, ...]:
    """The faults that last together, in the matrix's order."""
    return tuple(fault for fault in MATRIX if fault.step == step)
