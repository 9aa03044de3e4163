"""Chains, includes and values as long and as deep as a file can hold them: told, or refused with their place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.change import difference
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.nested import LARGEST, are_equal, python_text
from litellm_tui.analysis.routing.chains import resolve_chains
from litellm_tui.analysis.routing.route import FAR, never_asked, predict_route
from litellm_tui.analysis.routing.router_simulation import (
    DEEPEST,
    RULES_1_77,
    RULES_1_106,
    DeploymentIndex,
    IndexedDeployment,
    RouterRules,
)
from litellm_tui.analysis.routing.table import FallbackKind, Routing
from litellm_tui.analysis.routing.what_if import simulate_outage
from litellm_tui.cli import main
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.config_file import MOST_FILES
from litellm_tui.collectors.gateway import answers, client
from litellm_tui.commands import diff, status
from litellm_tui.demo import Simulation
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.failures import Failure
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.monitor.auditor import Auditor
from tests import large
from tests.ui.frozen import Frozen
from tests.ui.scene import profile_of, screen_text

NOW = large.NOW

# --- chains ------------------------------------------------------------------------------------------------------


def _line(count: int) -> tuple[dict[str, Any], DeploymentIndex]:
    """Each group falls back to the next one."""
    groups = [f"g{number}" for number in range(count)]
    chain = [{one: [other]} for one, other in pairwise(groups)]
    return {"fallbacks": chain}, DeploymentIndex(IndexedDeployment(name, name) for name in groups)


@pytest.mark.parametrize("rules", [RULES_1_106, RULES_1_77])
@pytest.mark.parametrize("count", [500, 5_000])
def test_a_request_follows_a_long_chain_as_far_as_the_router_does(count: int, rules: RouterRules) -> None:
    settings, fleet = _line(count)
    down: dict[str, FallbackKind] = dict.fromkeys((f"g{number}" for number in range(count - 1)), "general")
    route = predict_route(Routing(settings, {}), fleet, down, "g0", rules=rules)
    assert (route.served_by, route.cause) == (None, "hop limit")
    assert [hop.name for hop in route.hops] == ["g0", "g1", "g2", "g3", "g4", "g5"]
    raised = predict_route(Routing({**settings, "max_fallbacks": 10**9}, {}), fleet, down, "g0", rules=rules)
    assert raised.cause == "hop limit"
    assert len(raised.hops) == DEEPEST + 1
    near = predict_route(Routing({**settings, "max_fallbacks": 10**9}, {}), fleet, down, f"g{count - 200}", rules=rules)
    assert near.served_by == f"g{count - 1}"


@pytest.mark.parametrize("count", [500, 5_000])
def test_who_is_never_asked_of_a_long_chain(count: int) -> None:
    settings, fleet = _line(count)
    routing = Routing(settings, {})
    assert never_asked(routing, fleet, "g0") == tuple(f"g{number}" for number in range(6, 6 + FAR))
    assert never_asked(routing, fleet, f"g{count - 8}") == (f"g{count - 2}", f"g{count - 1}")
    chains = resolve_chains(routing, None, dict.fromkeys(fleet.groups, "serving"))
    assert chains[0].note == f"cut off after 5 hops: g6, g7, g8, g9 and at least {FAR - 4} more never asked"


def test_only_what_leads_back_is_a_cycle() -> None:
    """The last of a long chain leads back into its middle; some more circles beside it."""
    settings, fleet = _line(5_000)
    more = [{"g4999": ["g2500"]}, {"x": ["x", "y"]}, {"y": ["x", "g4999"]}, {"z": ["y"]}]
    chains = resolve_chains(
        Routing({"fallbacks": settings["fallbacks"] + more}, {}), None, dict.fromkeys([*fleet.groups, *"xyz"], "idle")
    )
    circular = {chain.source.name: [t.name for t in chain.targets if t.flaw == "cycle"] for chain in chains}
    assert [name for name, found in circular.items() if found] == [*(f"g{n}" for n in range(2500, 5000)), "x", "y"]
    assert circular["x"] == ["x", "y"]
    assert circular["y"] == ["x"]


@pytest.mark.parametrize("chained", [True, False])
def test_a_long_chain_is_diagnosed_and_audited(tmp_path: Path, chained: bool) -> None:
    snapshot = large.snapshot(tmp_path, 500, chained=chained, router="max_fallbacks: 1000000")
    file = snapshot.configuration.current
    assert file is not None
    audit = Auditor(None, {}).audit(file, large.ENVIRONMENT)
    assert not [said for said in audit.unknown if "itself failed" in said]
    found = diagnose(snapshot, NOW, audit=audit)
    assert len(found.chains) == (499 if chained else 50)
    # the last of all, which fails nowhere
    assert found.chains[-1].targets[-1].name == ("group-00499" if chained else "group-00247")
    assert len(
        simulate_outage(snapshot, found.deployments, (), [d.group for d in found.deployments]).unanswered
    ) == len(found.groups)


@pytest.mark.parametrize("count", [500, 5_000])
async def test_the_console_shows_a_long_chain(tmp_path: Path, count: int) -> None:
    app = Frozen(large.snapshot(tmp_path, count, chained=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3", "end")
        await pilot.pause()
        assert f"group-{count - 2:05d} " in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        # the last row is the last group, which has no chain of its own
        assert f"group-{count - 1:05d} answers" in screen_text(app)


# --- the commands ------------------------------------------------------------------------------------------------


@pytest.fixture
def simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    with Simulation(tmp_path / "gateway", scripted=False) as found:
        for module in (status, diff):
            monkeypatch.setattr(module, "resolve", lambda *_: profile_of(found))
        yield found


DEEP = "general_settings:\n" + "".join(f"{' ' * (level + 1)}k{level}:\n" for level in range(2_000))


def test_a_long_chain_in_the_commands(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    simulation.edit_config(large.configuration(500, chained=True))
    assert main(["status"]) in (0, 1)
    assert "group-00499" in capsys.readouterr().out
    assert main(["diff"]) in (0, 1)
    assert "group-00499" in capsys.readouterr().out


def test_what_is_nested_too_deeply_is_refused_with_its_place(
    simulation: Simulation, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text(DEEP)
    assert main(["audit", "--litellm", "1.106.2", str(path)]) == 1
    said = capsys.readouterr()
    # the mapping of this line is the 251st
    assert f"{path.name}:251:251: " in said.out
    assert "nested too deeply" in said.out
    simulation.edit_config(DEEP)
    assert main(["status"]) in (0, 1)
    assert ":251:251: nested too deeply" in capsys.readouterr().out
    assert main(["diff"]) in (1, 2)
    said = capsys.readouterr()
    assert "nested too deeply" in said.out + said.err


# --- includes ----------------------------------------------------------------------------------------------------


def _included(folder: Path, count: int, last: str = "a: 1\n") -> str:
    """Each file includes the next one; the path of the first."""
    for number in range(count):
        text = f"include: [f{number + 1}.yaml]\nlist: [{number}]\ngeneral_settings: {{a: {number}}}\n"
        (folder / f"f{number}.yaml").write_text(text if number + 1 < count else last)
    return str(folder / "f0.yaml")


def test_a_chain_of_includes_is_read_to_its_end(tmp_path: Path) -> None:
    file = config_file.load(_included(tmp_path, 1_500), {})
    assert isinstance(file, ConfigFile), file
    assert len(file.files) == 1_500
    assert file.data["list"] == [*range(1_499)]
    assert file.data["general_settings"] == {"a": 1_498}
    assert file.mark(("general_settings", "a")).file.endswith("f1498.yaml")


def test_too_many_includes_are_refused_with_their_place_and_a_circle_of_them_ends(tmp_path: Path) -> None:
    error = config_file.load(_included(tmp_path, MOST_FILES + 1), {})
    assert isinstance(error, ConfigError)
    assert str(error).endswith(f"f{MOST_FILES - 1}.yaml:1:11: more than {MOST_FILES:,} files are included")
    file = config_file.load(_included(tmp_path, 500, last="x: 1\ninclude: [f250.yaml]\n"), {})
    assert isinstance(file, ConfigFile)
    assert len(file.files) == 500


# --- values ------------------------------------------------------------------------------------------------------


def _deep(levels: int, opening: str, closing: str) -> str:
    """Anchors that nest a value deeper than brackets may: `*deep` stands for it."""
    lines, before = [], "1"
    for number in range(0, levels, 200):
        name = f"z{number}" if number + 200 < levels else "deep"
        lines.append(f"{name}: &{name} {opening * 200}{before}{closing * 200}")
        before = f"*{name}"
    return "\n".join(lines) + "\n"


HOSTILE = {
    "lists": _deep(2_000, "[", "]"),
    "mappings": _deep(2_000, "{k: ", "}"),
    "models": _deep(2_000, "{model: ", "}"),
    "pairs": _deep(1_800, "[", "]") + "other: &other !!pairs [k: *deep]\n",
    "circle": "deep: &deep [*deep]\n",
    "circle of mappings": "deep: &deep {model: *deep, a: *deep}\n",
    "gigabytes": "b0: &b0 [x, x]\n"
    + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 10)}]\n" for n in range(1, 9))
    + "deep: &deep [*b8]\n",
    "gigabytes of mappings": "b0: &b0 {a: x}\n"
    + "".join(f"b{n}: &b{n} {{a: *b{n - 1}, b: *b{n - 1}, model: *b{n - 1}}}\n" for n in range(1, 20))
    + "deep: &deep {a: *b19, b: *b19}\n",
    "digits": f"deep: &deep 0x{'f' * 5_000}\n",
}
PLACES = {
    "general": "general_settings: {a: *deep, master_key: *deep, alerting: *deep, database_url: *deep}\n",
    "all of general": "general_settings: *deep\n",
    "router": "router_settings: {fallbacks: *deep, model_group_alias: *deep, context_window_fallbacks: *deep, "
    "retry_policy: *deep, num_retries: *deep, max_fallbacks: *deep, routing_strategy: *deep}\n",
    "all of router": "router_settings: *deep\n",
    "chains": "router_settings: {fallbacks: [{a: *deep}, {b: [*deep, {model: a, x: *deep}, {model: *deep}]}], "
    "model_group_alias: {q: *deep, r: {model: *deep}}, content_policy_fallbacks: [{a: *deep}], "
    "default_fallbacks: [*deep], retry_policy: {a: *deep}}\n",
    "litellm": "litellm_settings: {callbacks: *deep, cache_params: *deep, cache: *deep, fallbacks: [{a: *deep}], "
    "default_fallbacks: [*deep], success_callback: [*deep]}\n",
    "deployments": "model_list:\n- model_name: a\n  litellm_params: {model: openai/x, api_base: *deep, rpm: *deep, "
    "extra_headers: *deep, api_key: *deep, fallbacks: *deep, q: [*deep, os.environ/KEY]}\n"
    "  model_info: {mode: *deep, id: *deep, q: *deep}\n- *deep\n- model_name: *deep\n"
    "  litellm_params: {model: *deep}\n  model_info: *deep\n",
    "all deployments": "model_list: *deep\n",
    "environment": "environment_variables: {A: *deep}\n",
    "all of the environment": "environment_variables: *deep\n",
}
PLAIN = "model_list:\n- model_name: a\n  litellm_params: {model: openai/x}\nrouter_settings: {fallbacks: [{a: [b]}]}\n"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_value_of_a_file_ends_what_looks_at_it(tmp_path: Path, kind: str, place: str) -> None:
    """Loaded, audited, diagnosed with a router that runs the same, compared both ways with another file."""
    files = []
    for name, text in (
        ("one", HOSTILE[kind] + PLACES[place]),
        ("two", HOSTILE[kind] + PLACES[place]),
        ("plain", PLAIN),
    ):
        (folder := tmp_path / name).mkdir()
        files.append(large.file_of(folder, text))
    one, two, plain = files
    audit = Auditor(None, {}).audit(one, {})
    assert not [said for said in audit.unknown if "itself failed" in said]
    running = tuple(
        LoadedDeployment(f"id-{d.index}", d.group, d.model, d.api_base, None, None, None, params=d.params, names=("a",))
        for d in two.deployments
    )
    router = {**two.section("litellm_settings"), **two.section("router_settings")}
    snapshot = large.snapshot(tmp_path, 1)
    answered = msgspec.structs.replace(
        snapshot.gateway, deployments=large.read(running), router=large.read(router), health=large.read(None)
    )
    configured = msgspec.structs.replace(snapshot.configuration, current=one)
    snapshot = msgspec.structs.replace(snapshot, gateway=answered, configuration=configured)
    found = diagnose(snapshot, NOW, audit=audit)
    simulate_outage(snapshot, found.deployments, (), ["a"])
    changes = [
        *difference.compare_files(one, two),
        *difference.compare_files(plain, one),
        *difference.compare_files(one, plain),
        *difference.changes_to_running(one, found.deployments, router, plain),
    ]
    assert all(len(change.words) < 2_000 for change in changes)
    list(config_file.secrets_in(one, {}))


@pytest.mark.parametrize("levels", [100, 400, 800, 950, 5_000])
async def test_no_answer_is_nested_too_deeply_to_be_judged(levels: int, tmp_path: Path) -> None:
    """What comes of it is a value; what it says is compared and shown from far down the stack of the console too."""
    nested = b"[" * levels + b"1" + b"]" * levels
    entry = b'{"model_name": "a", "litellm_params": {"model": "openai/x", "q": %s, "timeout": %s}}' % (nested, nested)
    settings = b'{"router_settings": {"fallbacks": %s, "retry_policy": {"a": %s}}}' % (nested, nested)
    results = {}
    for endpoint, body in ((client.DEPLOYMENTS, b'{"data": [%s]}' % entry), (client.ROUTER, settings)):
        try:
            results[endpoint] = large.read(endpoint.decode(200, body))
        except RecursionError:
            # what the client makes a `Malformed` of
            results[endpoint] = large.read(None)
    answers.message(b'{"error": %s}' % nested)
    answers.message(nested)
    file = large.file_of(tmp_path, PLAIN)
    snapshot = large.snapshot(tmp_path, 1)
    answered = msgspec.structs.replace(
        snapshot.gateway, deployments=results[client.DEPLOYMENTS], router=results[client.ROUTER]
    )
    configured = msgspec.structs.replace(snapshot.configuration, current=file)
    snapshot = msgspec.structs.replace(snapshot, gateway=answered, configuration=configured)

    def far_down(frames: int, act: Callable[[], object]) -> None:
        far_down(frames - 1, act) if frames else act()

    router = results[client.ROUTER].value or {}

    def act() -> None:
        found = diagnose(snapshot, NOW)
        difference.changes_to_running(file, found.deployments, router)

    await asyncio.sleep(0)
    far_down(300, act)


def test_equality_and_writing_of_nested_values() -> None:
    one: Any = 1
    other: Any = 1
    for _ in range(50_000):
        one, other = [one], [other]
    assert are_equal(one, other)
    assert not are_equal(one, [other])
    assert len(python_text(one)) < 2_000
    assert python_text({"a": [1, (2, "x"), None], 3: {}}) == "{'a': [1, (2, 'x'), None], 3: {}}"
    assert python_text("text") == "text"
    assert python_text(16**5_000) == "a very long number"
    assert not are_equal((1, [2]), [1, [2]])
    assert are_equal((1, [2]), (1, [2]))
    assert LARGEST < 10**4_300


def test_a_failure_is_what_a_deeply_nested_error_becomes() -> None:
    body = b'{"error": ' + b"[" * 900 + b"]" * 900 + b"}"

    def far_down(frames: int) -> Failure | None:
        return far_down(frames - 1) if frames else client._refusal(client.ROUTER, 500, body, True)

    found = far_down(80)
    assert found is not None
    assert len(found.why) < 300
