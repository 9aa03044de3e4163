"""What is foretold of a request equals what LiteLLM's own router does with it, on generated configurations."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from litellm_tui.analysis.routing.route import predict_route
from litellm_tui.analysis.routing.router_simulation import DeploymentIndex, IndexedDeployment, rules_for
from litellm_tui.analysis.routing.table import FallbackKind, Routing
from tests.lab import Environment, environments, required
from tests.lab.core import free_ports

HERE = Path(__file__).parent
CONFIGURATIONS = 80
# the upstream's fault for each way to fail
FAULTS: dict[FallbackKind, str] = {"general": "-err500", "context window": "-errctx", "content policy": "-errpolicy"}


@dataclass
class Case:
    """One configuration, and which of its deployments are down: `groups` maps a group to how each of its fares."""

    groups: dict[str, list[FallbackKind | None]]
    router: dict[str, Any] = field(default_factory=dict)
    litellm: dict[str, Any] = field(default_factory=dict)

    @property
    def members(self) -> list[tuple[IndexedDeployment, FallbackKind | None]]:
        return [
            (IndexedDeployment(f"{group}#{number}", group, _model(group, number, kind), f"{group}#{number}"), kind)
            for group, fares in self.groups.items()
            for number, kind in enumerate(fares)
        ]

    def asked(self) -> list[str]:
        """Everything that a request may name here."""
        extra = ("nobody", "openai/g", "openai/a", "a#0", _model("b", 0, None))
        return [*dict.fromkeys((*self.groups, *self.router.get("model_group_alias", {}), *extra))]

    def for_oracle(self, port: int) -> dict[str, Any]:
        entries, cooling = [], []
        for member, kind in self.members:
            params = {
                "model": member.model,
                "api_base": f"http://127.0.0.1:{port}/v1",
                "api_key": "sk-none",
                "max_retries": 0,
            }
            entries.append({"model_name": member.group, "litellm_params": params, "model_info": {"id": member.id}})
            # what fails beside others is cooled down; what fails alone never is
            if kind == "general" and len(self.groups[member.group]) > 1:
                cooling.append(member.id)
        return {
            "model_list": entries,
            "router": self.router,
            "litellm": self.litellm,
            "cooling": cooling,
            "names": self.asked(),
        }


def _model(group: str, number: int, kind: FallbackKind | None) -> str:
    # a star would be filled in from the request
    return f"openai/{group.replace('*', 'any').replace('/', '-')}-{number}{FAULTS[kind] if kind else ''}"


class Oracle:
    """A real router in a process of its own, and an upstream for it to call."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        (self.port,) = free_ports(1)
        self.upstream = subprocess.Popen([sys.executable, str(HERE / "upstream.py"), str(self.port)])
        self.process = subprocess.Popen(
            [str(environment.python), str(HERE / "router_oracle.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._line() == {"ready": True}

    def _line(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the oracle of {self.environment.version} ended with {self.process.wait()}"
        return json.loads(line)

    def ask(self, case: Case) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(case.for_oracle(self.port)) + "\n")
        self.process.stdin.flush()
        answer = self._line()
        assert "names" in answer, answer
        found: dict[str, Any] = answer["names"]
        return found

    def close(self) -> None:
        for process in (self.process, self.upstream):
            process.kill()
            process.wait()


FOUND: list[Environment | None] = [*environments()] or [None]


@pytest.fixture(scope="module", params=FOUND, ids=lambda found: found.version if found else "none")
def oracle(request: pytest.FixtureRequest) -> Iterator[Oracle]:
    if request.param is None:
        reason = "no LiteLLM environment is named, so there is no real router to ask"
        pytest.fail(reason) if required() else pytest.skip(reason)
    found = Oracle(request.param)
    yield found
    found.close()


# --- configurations ----------------------------------------------------------------------------------------------

GROUPS = ("a", "b", "c", "d", "e", "f", "g")
WILD = ("openai/*", "*")
ALIASES = ("x", "y")
STRANGE = ("nobody", "openai/g", "openai/a", "b#0")
TARGETS = (*GROUPS, *GROUPS, *ALIASES, *STRANGE, "*", "openai/*")
KINDS: tuple[FallbackKind, ...] = ("general", "context window", "content policy")


@st.composite
def fares(draw: st.DrawFn) -> list[FallbackKind | None]:
    """How the deployments of one group fare. Only a whole group refuses a request: half a one is left to chance."""
    count = draw(st.integers(1, 3))
    kind: FallbackKind = draw(st.sampled_from((*[KINDS[0]] * 6, *KINDS[1:])))
    if kind != "general" or draw(st.integers(0, 2)) == 0:
        return [kind] * count
    return [draw(st.sampled_from((None, KINDS[0]))) for _ in range(count)]


def targets() -> st.SearchStrategy[list[Any]]:
    plain = st.sampled_from(TARGETS)
    mapping = plain.map(lambda name: {"model": name})
    own = st.tuples(plain, st.integers(1, 2)).map(lambda pair: {"model": pair[0], "max_tokens": pair[1]})
    return st.lists(st.one_of(plain, plain, plain, mapping, own), max_size=4)


def chains(sources: tuple[str, ...], longest: int) -> st.SearchStrategy[list[Any]]:
    entry = st.tuples(st.sampled_from(sources), targets()).map(lambda pair: {pair[0]: pair[1]})
    return st.lists(entry, min_size=longest // 2, max_size=longest)


@st.composite
def lines(draw: st.DrawFn) -> list[Any]:
    """Each group falls back to the next: longer than the hops that are allowed."""
    order = draw(st.permutations(GROUPS))
    return [{before: [after]} for before, after in pairwise(order)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names = [*draw(st.permutations(GROUPS))[: draw(st.integers(2, 7))], *draw(st.sets(st.sampled_from(WILD)))]
    groups = {name: draw(fares()) for name in names}
    aliased = st.sampled_from((*GROUPS, "nobody", "y", "openai/g"))
    aliases = draw(
        st.dictionaries(
            st.sampled_from(ALIASES),
            st.one_of(aliased, aliased.map(lambda n: {"model": n, "hidden": True}), st.just(["a", "b"])),
        )
    )
    given_: dict[str, Any] = {
        "fallbacks": draw(st.one_of(chains((*GROUPS, *ALIASES, "openai/g", "*"), 8), lines())),
        "context_window_fallbacks": draw(st.one_of(st.just([]), chains((*GROUPS, "*", "x"), 3))),
        "content_policy_fallbacks": draw(st.one_of(st.just([]), chains((*GROUPS, "x"), 3))),
        "default_fallbacks": draw(st.one_of(st.none(), st.lists(st.sampled_from(TARGETS), min_size=1, max_size=2))),
        "max_fallbacks": draw(st.sampled_from((*[None] * 9, 0, 1, 3))),
    }
    case = Case(groups, {"model_group_alias": aliases} if aliases else {})
    for key, value in given_.items():
        if value is not None:
            (case.litellm if draw(st.booleans()) else case.router)[key] = value
    return case


def _line_of(*order: str, **more: Any) -> Case:
    down: dict[str, list[FallbackKind | None]] = {name: ["general"] for name in order[:-1]}
    chain = [{before: [after]} for before, after in pairwise(order)]
    return Case({**down, order[-1]: [None]}, {"fallbacks": chain, **more})


ENDINGS = {
    "itself", "a fallback", "no such group", "no fallback", "alias trap", "other kind", "hop limit", "cycle", "ghost",
    "all down",
}  # fmt: skip


def test_every_request_goes_where_it_was_foretold(oracle: Oracle) -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=CONFIGURATIONS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    @example(_line_of("a", "b", "c", "d", "e", "f"))
    @example(_line_of("a", "b", "c", "d", "e", "f", "g"))
    @example(_line_of("a", "b", "c", max_fallbacks=1))
    @example(_line_of("a", "b", model_group_alias={"x": "a", "y": {"model": "a", "hidden": True}}))
    # eight beside each other are not eight hops
    @example(Case({**{n: ["general"] for n in "abcdef"}, "g": [None]}, {"fallbacks": [{"a": [*"bcdefg"]}]}))
    @example(Case({"a": ["general"], "b": ["general"], "d": [None], "c": [None]},
                  {"fallbacks": [{"a": ["b", "c"]}, {"b": ["a", "d"]}]}))  # fmt: skip
    @example(Case({"a": ["context window"], "b": [None], "c": [None]},
                  {"fallbacks": [{"a": ["b"]}], "context_window_fallbacks": [{"c": ["b"]}]}))  # fmt: skip
    @example(Case({"a": ["general"], "c": [None]}, {"fallbacks": [{"a": ["nobody"]}], "default_fallbacks": ["c"]}))
    @example(Case({"a": [None]}, {"default_fallbacks": ["a"], "model_group_alias": {"x": ["a"]}}))
    @example(
        Case({"a": ["context window"], "b": [None]}, {"fallbacks": [{"a": ["b"]}]}, {"context_window_fallbacks": []})
    )
    @example(Case({"a": ["context window"], "b": [None]}, {"context_window_fallbacks": [{"*": ["b"]}]}))
    @example(Case({"a": ["general"], "b": [None]}, {"default_fallbacks": [{"model": "b"}]}))
    @example(Case({"a": ["general"], "b": [None]}, {"fallbacks": [{"a": ["openai/*"]}], "default_fallbacks": ["b"]}))
    @example(Case({"a": ["general"], "b": [None]}, {}, {"fallbacks": [{"a": ["b"]}]}))
    @example(Case({"a": ["general", None, "general"], "b": [None]}, {"fallbacks": [{"a": ["b"]}]}))
    def go(case: Case) -> None:
        routing = Routing(case.router, case.litellm)
        down: dict[str, FallbackKind] = {member.key: kind for member, kind in case.members if kind}
        members = [member for member, _ in case.members]
        fleet = DeploymentIndex(members)
        groups = {member.id: member.group for member in members}
        answers = oracle.ask(case)
        rules = rules_for(oracle.environment.version)
        routes = {name: predict_route(routing, fleet, down, name, rules=rules) for name in answers}
        said = {name: groups[answer["served"]] if answer["served"] else None for name, answer in answers.items()}
        assert {name: route.served_by for name, route in routes.items()} == said
        for name, route in routes.items():
            assert route.reason or answers[name]["served"] in route.members
            seen[route.cause or ("a fallback" if route.hops else "itself")] += 1

    go()
    # what the configurations never met was not compared
    assert set(seen) >= ENDINGS, f"never met: {ENDINGS - set(seen)}"
