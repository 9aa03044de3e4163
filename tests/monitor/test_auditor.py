"""The audit of an operated configuration: what it is held against, when it is made anew, and what it never says."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.litellm_source.catalogues import shipped
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.configuration import ConfigError, ConfigFile, Mark
from litellm_tui.model.found import Found
from litellm_tui.model.release import Advisory, AffectedRange
from litellm_tui.model.service import Unit, Variable
from litellm_tui.model.service_kinds import Tools
from litellm_tui.monitor.auditor import Auditor, environment_of, runtime_of
from litellm_tui.target.profile import Profile
from tests.collectors.environments import environment
from tests.collectors.small_litellm import write

UNIT = Unit("litellm.service", "user", True, ("litellm", "--config", "config.yaml"), None, {}, None, "http://h:4000")
MODELS = "model_list: [{model_name: a, litellm_params: {model: openai/a, api_key: os.environ/A_KEY}}]\n"


def _loaded(folder: Path, text: str = MODELS) -> ConfigFile:
    path = folder / "config.yaml"
    path.write_text(text)
    loaded = config_file.load(str(path), {})
    assert isinstance(loaded, ConfigFile)
    return loaded


def _found(audit: Audit, rule: str) -> list[Finding]:
    return [finding for finding in (*audit.findings, *audit.silenced) if finding.rule == rule]


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The interpreter of an environment in which a small LiteLLM 1.99.1 is installed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library = tmp_path / "venv/lib/python3.11/site-packages"
    library.mkdir(parents=True)
    (tmp_path / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    (tmp_path / "venv/bin").mkdir()
    (tmp_path / "venv/bin/python").symlink_to("/usr/bin/python3")
    write(library)
    return tmp_path / "venv/bin/python"


# --- which LiteLLM -------------------------------------------------------------------------------------------------


def test_the_version_that_was_asked_for_goes_before_all_others(tmp_path: Path, python: Path) -> None:
    auditor = Auditor(replace(UNIT, interpreter=str(python)), {}, asked="1.77.7")
    assert not auditor.prepare()
    audit = auditor.audit(_loaded(tmp_path), None, reported="1.80.0")
    assert (audit.version, audit.basis) == ("1.77.7", "from the shipped catalogue")


def test_what_the_units_interpreter_would_import_goes_before_what_is_reported(tmp_path: Path, python: Path) -> None:
    auditor = Auditor(replace(UNIT, interpreter=str(python)), {})
    loaded = _loaded(tmp_path, MODELS + "general_settings: {by_get: 1}\n")
    before = auditor.audit(loaded, None, reported="1.80.0")
    assert (before.version, before.basis) == ("1.80.0", "from the shipped catalogue")
    assert "by_get" in " ".join(finding.text for finding in before.findings)
    assert auditor.prepare()
    exact = auditor.audit(loaded, None, reported="1.80.0")
    assert (exact.version, exact.basis) == ("1.99.1", "read from the installed source")
    assert "by_get" not in " ".join(finding.text for finding in exact.findings)


def test_without_any_version_the_newest_is_taken_and_said_to_be_a_guess(tmp_path: Path) -> None:
    audit = Auditor(None, {}).audit(_loaded(tmp_path), None)
    assert audit.version == shipped().releases[-1]
    assert "which one runs is not known" in audit.basis


@pytest.mark.parametrize("interpreter", [None, "/nonexistent/bin/python"])
def test_without_an_installed_litellm_the_shipped_catalogue_serves(tmp_path: Path, interpreter: str | None) -> None:
    auditor = Auditor(replace(UNIT, interpreter=interpreter), {})
    assert not auditor.prepare()
    assert auditor.audit(_loaded(tmp_path), None, reported="1.80.0").basis == "from the shipped catalogue"


def test_why_the_installed_litellm_could_not_be_read_is_said(tmp_path: Path) -> None:
    auditor, loaded = Auditor(replace(UNIT, interpreter="/nonexistent/bin/python"), {}), _loaded(tmp_path)
    before = auditor.audit(loaded, None, reported="1.80.0")
    assert not auditor.prepare()
    after = auditor.audit(loaded, None, reported="1.80.0")
    said = "what the installed LiteLLM itself reads: no litellm package belongs to /nonexistent/bin/python"
    assert after.unknown == (*before.unknown, said)


def test_a_reader_that_nobody_waits_for_is_ended(tmp_path: Path, python: Path) -> None:
    auditor = Auditor(replace(UNIT, interpreter=str(python)), {})
    auditor.stop()
    assert not auditor.prepare()
    assert not list((tmp_path / "cache").rglob("*.json"))


# --- when ----------------------------------------------------------------------------------------------------------


def test_nothing_is_judged_twice_until_something_changes(tmp_path: Path) -> None:
    auditor, loaded = Auditor(None, {}), _loaded(tmp_path)
    first = auditor.audit(loaded, {"A_KEY": "x"}, "1.80.0")
    assert auditor.audit(loaded, {"A_KEY": "x"}, "1.80.0") is first
    # the same content read again
    assert auditor.audit(_loaded(tmp_path), {"A_KEY": "x"}, "1.80.0") is first
    unset = auditor.audit(loaded, {}, "1.80.0")
    assert "A_KEY" not in " ".join(finding.text for finding in first.findings)
    assert "A_KEY" in " ".join(finding.text for finding in unset.findings)
    assert auditor.audit(loaded, {}, "1.77.7").version == "1.77.7"
    other = auditor.audit(_loaded(tmp_path, MODELS + "router_settings: {fallbacks: [{a: [ghost]}]}\n"), {}, "1.77.7")
    assert _found(other, "ghost-fallback")


def test_a_file_that_cannot_be_loaded_is_one_fatal_finding() -> None:
    audit = Auditor(None, {}).audit(ConfigError("/c.yaml", "a tab", 3, 2), None, "1.106.2")
    (finding,) = audit.findings
    assert (finding.severity, finding.mark, audit.version) == (
        "fatal",
        Mark("/c.yaml", 3, 2),
        shipped().at("1.106.2").version,
    )


def test_the_release_is_looked_at_beside_a_file_that_cannot_be_loaded() -> None:
    audit = Auditor(None, {}).audit(ConfigError("/c.yaml", "a tab", 3, 2), None, "1.83.3")
    assert (audit.findings[0].severity, len(_found(audit, "release-exploited"))) == ("fatal", 3)
    silenced = Auditor(None, {"release-exploited": "behind a wall"}).audit(
        ConfigError("/c.yaml", "a tab", 3, 2), None, "1.83.3"
    )
    assert {finding.silenced for finding in _found(silenced, "release-exploited")} == {"behind a wall"}


# --- the release ---------------------------------------------------------------------------------------------------


def test_the_version_that_the_gateway_reports_is_held_against_the_advisories(tmp_path: Path) -> None:
    auditor = Auditor(replace(UNIT, interpreter=None), {})
    assert len(_found(auditor.audit(_loaded(tmp_path), None, "1.83.3"), "release-exploited")) == 3
    assert _found(auditor.audit(_loaded(tmp_path), None, "1.106.2"), "release-exploited") == []


def test_a_file_planted_in_the_units_environment_is_found(tmp_path: Path) -> None:
    folder = environment(tmp_path / "e", "1.106.2")
    auditor = Auditor(replace(UNIT, interpreter=str(folder / "bin/python")), {})
    assert _found(auditor.audit(_loaded(tmp_path), None), "planted-file") == []
    (folder / "lib/python3.11/site-packages/litellm_init.pth").write_text("import os\n")
    (finding,) = _found(auditor.audit(_loaded(tmp_path), None), "planted-file")
    assert finding.mark.file.endswith("site-packages/litellm_init.pth")


def test_the_image_of_a_container_and_its_files_are_looked_at(tmp_path: Path) -> None:
    root = tmp_path / "root"
    info = root / "app/.venv/lib/python3.13/site-packages/litellm-1.82.8.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: litellm\nVersion: 1.82.8\n")
    auditor = Auditor(replace(UNIT, scope="compose", image="litellm/litellm:main-stable", root=str(root)), {})
    audit = auditor.audit(_loaded(tmp_path), None)
    assert len(_found(audit, "release-compromised")) == 1
    assert len(_found(audit, "floating-image")) == 1


def test_another_table_is_used_where_one_is_given(tmp_path: Path) -> None:
    mine = (Advisory("GHSA-1", "exploited", "new", ranges=(AffectedRange("1.106.0"),), exploited="seen"),)
    audit = Auditor(None, {}, "1.106.2", mine).audit(_loaded(tmp_path), None)
    assert "GHSA-1" in _found(audit, "release-exploited")[0].text


def test_an_environment_can_be_named_in_place_of_a_version(tmp_path: Path, python: Path) -> None:
    auditor = Auditor(None, {}, asked=str(python.parent.parent))
    assert auditor.prepare()
    audit = auditor.audit(_loaded(tmp_path), None)
    assert (audit.version, audit.basis) == ("1.99.1", "read from the installed source")
    nothing = Auditor(None, {}, asked=str(tmp_path))
    assert not nothing.prepare()
    assert nothing.failure is not None


def test_a_silenced_rule_keeps_its_reason(tmp_path: Path) -> None:
    text = MODELS + "router_settings: {fallbacks: [{a: [ghost]}]}\n"
    audit = Auditor(None, {"ghost-fallback": "comes tomorrow"}).audit(_loaded(tmp_path, text), None)
    assert [finding.silenced for finding in _found(audit, "ghost-fallback")] == ["comes tomorrow"]
    assert "ghost-fallback" not in {finding.rule for finding in audit.findings}


# --- what it never says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("silenced", [{}, {"ghost-fallback": "known"}])
def test_a_secret_in_an_odd_place_is_masked(tmp_path: Path, silenced: dict[str, str]) -> None:
    text = MODELS.replace("os.environ/A_KEY", "hunter-one")
    loaded = _loaded(
        tmp_path, f"{text}router_settings: {{fallbacks: [{{a: [hunter-one, hunter-two, hunter-three]}}]}}\n"
    )
    audit = Auditor(None, silenced).audit(loaded, {"B_TOKEN": "hunter-two", "B_REGION": "hunter-three"})
    said = " ".join(f"{finding.text} {finding.do}" for finding in _found(audit, "ghost-fallback"))
    assert len(_found(audit, "ghost-fallback")) == 3
    assert "hunter-one" not in said
    assert "hunter-two" not in said
    assert said.count("•••") == 2
    assert "hunter-three" in said


# --- what is around it ---------------------------------------------------------------------------------------------


def _profile(unit: Unit | None, *files: Path) -> Profile:
    return Profile(
        "p", "here", Found("http://h:4000", ""), Tools(), found_unit=unit, environment={"A": Variable("1", "unit")},
        environment_files=tuple(map(str, files)),
    )  # fmt: skip


def test_the_environment_is_that_of_the_unit_with_its_files_as_they_are_now(tmp_path: Path) -> None:
    file = tmp_path / "litellm.env"
    file.write_text("B=2\n")
    profile = _profile(UNIT, file)
    assert environment_of(profile) == {"A": "1", "B": "2"}
    file.write_text("A=3\n")
    assert environment_of(profile) == {"A": "3"}


def test_an_environment_that_is_not_all_known_is_none(tmp_path: Path) -> None:
    assert environment_of(_profile(None)) is None
    assert environment_of(_profile(replace(UNIT, unread=(("/etc/x.env", "denied"),)))) is None
    assert environment_of(_profile(UNIT, tmp_path / "gone.env")) is None


def test_the_directives_of_the_unit_have_their_lines(tmp_path: Path) -> None:
    fragment = tmp_path / "litellm.service"
    fragment.write_text("[Service]\nExecStart=/bin/litellm\n")
    found = runtime_of(replace(UNIT, fragment=str(fragment), environment={"A": Variable("1", "drop-in")}))
    assert found is not None
    assert found.marks["ExecStart"] == Mark(str(fragment), 2)
    assert (found.sources, found.packages) == ({"A": "drop-in"}, None)
    fragment.unlink()
    gone = runtime_of(replace(UNIT, fragment=str(fragment)))
    assert gone is not None
    assert gone.marks == {}
    assert runtime_of(None) is None


def test_a_module_is_looked_for_where_the_gateway_would_import_it_from(tmp_path: Path, python: Path) -> None:
    loaded = _loaded(tmp_path, "litellm_settings:\n  success_callback: [tally.counter]\n")
    elsewhere = tmp_path / "work"
    elsewhere.mkdir()
    auditor = Auditor(replace(UNIT, interpreter=str(python), folder=str(elsewhere)), {})
    rule = "module-not-found"
    assert [finding.severity for finding in _found(auditor.audit(loaded, {}), rule)] == ["fatal"]
    (elsewhere / "tally.py").write_text("counter = None\n")
    assert not _found(auditor.audit(loaded, {}), rule), "the working folder is among what it imports from"
    (elsewhere / "tally.py").unlink()
    assert _found(auditor.audit(loaded, {}), rule), "the file is gone again, the configuration as it was"
    (tmp_path / "tally.py").write_text("counter = None\n")
    assert not _found(auditor.audit(loaded, {}), rule)


def test_a_module_in_a_container_is_no_sure_refusal(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path, "litellm_settings:\n  success_callback: [tally.counter]\n")
    assert [finding.severity for finding in _found(Auditor(UNIT, {}).audit(loaded, {}), "module-not-found")] == [
        "error"
    ]


DESCRIBED = "mcp_servers:\n  tools: {url: http://h/mcp, spec_path: %s}\n"


def test_a_file_that_a_start_opens_is_looked_for(tmp_path: Path) -> None:
    for place, severity in (("api.json", "fatal"), (str(tmp_path / "other/api.json"), "warning")):
        audit = Auditor(None, {}, asked="1.106.2").audit(_loaded(tmp_path, DESCRIBED % place), {})
        [finding] = _found(audit, "start-file-missing")
        assert (finding.severity, finding.mark.line) == (severity, 2)
    (tmp_path / "api.json").write_text("{}")
    audit = Auditor(None, {}, asked="1.106.2").audit(_loaded(tmp_path, DESCRIBED % "api.json"), {})
    assert not _found(audit, "start-file-missing")


def test_a_file_that_a_start_opens_counts_from_the_folder_of_the_unit(tmp_path: Path, python: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    unit = replace(UNIT, interpreter=str(python), folder=str(home))
    (tmp_path / "api.json").write_text("{}")
    loaded = _loaded(tmp_path, DESCRIBED % "api.json")
    [finding] = _found(Auditor(unit, {}, asked="1.106.2").audit(loaded, {}), "start-file-missing")
    assert finding.severity == "fatal"
    (home / "api.json").write_text("{}")
    assert not _found(Auditor(unit, {}, asked="1.106.2").audit(loaded, {}), "start-file-missing")
    contained = replace(UNIT, interpreter=None, folder=str(tmp_path / "nowhere"))
    assert not _found(Auditor(contained, {}, asked="1.106.2").audit(loaded, {}), "start-file-missing")


VERTEX = (
    "model_list:\n  - model_name: v\n    litellm_params: {model: vertex_ai/g, vertex_project: p, vertex_location: l, "
    "vertex_credentials: %s}\n"
)


def test_a_file_of_vertex_credentials_is_looked_for_on_this_machine(tmp_path: Path, python: Path) -> None:
    rule = "unreadable-vertex-credentials"
    for value in (str(tmp_path / "sa.json"), "sa.json", "os.environ/VERTEX_FILE"):
        loaded = _loaded(tmp_path, VERTEX % value)
        variables = {"VERTEX_FILE": "/nowhere/sa.json"}
        [finding] = _found(Auditor(None, {}, asked="1.106.2").audit(loaded, variables), rule)
        assert finding.severity == "warning", "another machine may have it"
        assert "is not on this machine" in finding.text
        unit = replace(UNIT, interpreter=str(python), folder=str(tmp_path))
        [finding] = _found(Auditor(unit, {}, asked="1.106.2").audit(loaded, variables), rule)
        assert finding.severity == "error"
        assert "names a file that is not there" in finding.text
    [finding] = _found(Auditor(None, {}, asked="1.106.2").audit(_loaded(tmp_path, VERTEX % "hello"), {}), rule)
    assert finding.severity == "error"
    assert "neither JSON nor the path of a file" in finding.text
    (tmp_path / "sa.json").write_text("{}")
    for value in (str(tmp_path / "sa.json"), "sa.json", "os.environ/NOT_SET"):
        assert not _found(Auditor(None, {}, asked="1.106.2").audit(_loaded(tmp_path, VERTEX % value), {}), rule)


CLUSTER = "litellm_settings:\n  cache: true\n  cache_params: {type: redis, redis_startup_nodes: [%s]}\n"
QDRANT = (
    "litellm_settings:\n  cache: true\n  cache_params: {type: qdrant-semantic, qdrant_api_base: '%s', "
    "qdrant_collection_name: c, similarity_threshold: 0.8}\n"
)


def _asked_at_start(tmp_path: Path, text: str, unit: Unit | None = None) -> str:
    audit = Auditor(unit, {}, asked="1.106.2").audit(_loaded(tmp_path, text), {})
    [finding] = _found(audit, "cache-asked-at-start")
    return finding.severity


def test_a_cache_that_refuses_connections_ends_the_start(tmp_path: Path, python: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as closed:
        # bound, and not listening: nobody else can have the port
        closed.bind(("127.0.0.1", 0))
        open_port, closed_port = server.getsockname()[1], closed.getsockname()[1]
        up, down = (f"{{host: 127.0.0.1, port: {port}}}" for port in (open_port, closed_port))
        assert _asked_at_start(tmp_path, CLUSTER % down) == "fatal"
        assert _asked_at_start(tmp_path, CLUSTER % f"{down}, {up}") == "advice", "one node is enough"
        assert _asked_at_start(tmp_path, CLUSTER % f"{down}, {{host: os.environ/NODE, port: 1}}") == "advice"
        assert _asked_at_start(tmp_path, QDRANT % f"http://localhost:{closed_port}") == "fatal"
        assert _asked_at_start(tmp_path, QDRANT % f"http://127.0.0.1:{open_port}") == "advice"
        assert _asked_at_start(tmp_path, QDRANT % "http://qdrant.example:6333") == "advice", "not asked"
        contained = replace(UNIT, interpreter=None)
        assert _asked_at_start(tmp_path, CLUSTER % down, contained) == "advice", "its own 127.0.0.1 is another"
        assert _asked_at_start(tmp_path, CLUSTER % down, replace(UNIT, interpreter=str(python))) == "fatal"


@pytest.mark.parametrize("fragment", [True, False])
def test_the_check_of_a_running_container_is_held_against_the_rules(fragment: bool, tmp_path: Path) -> None:
    compose = tmp_path / "compose.yaml"
    compose.write_text("services:\n  gw:\n    healthcheck:\n      test: curl -f http://localhost:4000/health\n")
    unit = replace(
        UNIT,
        name="gw",
        scope="docker",
        fragment=str(compose) if fragment else "",
        health_command=("CMD-SHELL", "curl -f http://localhost:4000/health"),
        health_seconds=15.0,
    )
    found = runtime_of(unit)
    assert found is not None
    (asked,) = found.health
    assert (asked.what, asked.path, asked.seconds) == ("the health check of container gw", "/health", 15.0)
    assert asked.line == (4 if fragment else 1)
    config = tmp_path / "config.yaml"
    config.write_text("model_list: []\ngeneral_settings: {master_key: sk-31kdQx92mPz}\n")
    loaded = config_file.load(str(config), {})
    audit = Auditor(replace(unit, interpreter=None), {}).audit(loaded, {})
    (told,) = [one for one in audit.findings if one.rule == "probe-asks-health"]
    assert "container gw asks /health without a key" in told.text
    assert told.mark.file == str(compose if fragment else config)
