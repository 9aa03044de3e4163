"""Advice in the words of the service's own kind: where a variable is written, and what brings it in."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

import litellm_tui.analysis
from litellm_tui.analysis.advice import Advisor, in_words_of
from litellm_tui.analysis.change.preflight import preflight_checks
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.phases import check_phases
from litellm_tui.audit.rule import all_rules
from litellm_tui.collectors.config.unset import nothing_unset
from litellm_tui.model.configuration import Configuration
from litellm_tui.model.failures import NotAvailable
from litellm_tui.model.reading import Reading
from litellm_tui.model.service_drift import Difference, ServiceDrift
from litellm_tui.model.service_kinds import Compose
from litellm_tui.model.service_words import UNIT_WORDS, UNKNOWN_WORDS, ServiceWords
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.services.compose.words import compose_words
from litellm_tui.services.docker.words import docker_words
from tests.recorded import NOW, loaded_deployment, loaded_file, snapshot_of

COMPOSE = compose_words(Compose(service="gw"), None)
PROCESS = ServiceWords("/srv/gw.env", "restart", service="the process", limits="/srv/gw.sh", definition="process.start")
KINDS = {"compose": COMPOSE, "docker": docker_words("docker", "gw"), "process": PROCESS, "unknown": UNKNOWN_WORDS}
# systemd says these itself, of a unit that it could not start
SYSTEMDS = re.compile(r"[\w…]+=? in the unit\b|ExecReload|LoadCredential|of a user may set none|on systemd, ask")
UNITS = re.compile(r"systemctl|\bunit\b|EnvironmentFile|systemd|Environment=")


def advice() -> set[str]:
    """Every advice that stands in a table of causes, and that of every rule."""
    found = {rule.fix for rule in all_rules().values()}

    def walk(value: object, depth: int) -> None:
        if isinstance(do := getattr(value, "do", None), str):
            found.add(do)
        elif isinstance(value, dict) and depth:
            walk(list(value.values()), depth - 1)
        elif isinstance(value, tuple | list | set | frozenset) and depth:
            for item in value:
                walk(item, depth - 1)

    for module in pkgutil.walk_packages(litellm_tui.analysis.__path__, "litellm_tui.analysis."):
        for value in list(vars(importlib.import_module(module.name)).values()):
            walk(value, 5)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_no_advice_sends_the_operator_of_another_kind_to_a_unit(kind: str) -> None:
    texts = advice()
    assert len(texts) > 200
    told = {in_words_of(text, KINDS[kind]) for text in texts if not SYSTEMDS.search(text)}
    assert not [text for text in told if UNITS.search(text)]


def test_a_unit_keeps_its_words() -> None:
    assert all(in_words_of(text, UNIT_WORDS) == text for text in advice())


@pytest.mark.parametrize(("kind", "place", "order"), [
    ("compose", "environment: of gw in the compose file", "then docker compose up -d gw"),
    ("docker", "the docker run that makes gw (-e NAME=value, or --env-file)", "then recreate the container with it"),
    ("process", "/srv/gw.env", "and restart"),
    ("unknown", "the environment of LiteLLM, where it is started", "and restart"),
])  # fmt: skip
def test_an_unset_variable_is_set_in_the_place_of_its_kind(kind: str, place: str, order: str) -> None:
    told = in_words_of("set EMBED_KEY in the unit's environment file and restart", KINDS[kind])
    assert told.startswith(f"set EMBED_KEY in {place}")
    assert order in told


def test_a_restart_of_a_container_is_not_said_to_bring_in_a_variable() -> None:
    told = in_words_of("correct password (or REDIS_PASSWORD) in cache_params, and restart", COMPOSE)
    assert told.endswith("and restart; a variable comes with: docker compose up -d gw")
    # what stands in the configuration alone comes with a restart
    assert in_words_of("write cache: true, and restart", COMPOSE) == "write cache: true, and restart"


def test_a_variable_that_is_written_and_waits_is_said_to_wait() -> None:
    drift = ServiceDrift((Difference("variable", "EMBED_KEY", "", "•••", "/srv/gw.env"),), order="recreate")
    told = Advisor.of(COMPOSE, drift).unset("EMBED_KEY")
    assert told.startswith("R brings it in: EMBED_KEY is written in /srv/gw.env")
    assert "docker compose up -d gw" in told
    assert "set OTHER in" in Advisor.of(COMPOSE, drift).unset("OTHER")
    # a value that is another one is no variable that lacks
    changed = ServiceDrift((Difference("variable", "EMBED_KEY", "•••", "•••", "/srv/gw.env"),), order="recreate")
    assert Advisor.of(COMPOSE, changed).unset("EMBED_KEY").startswith("set EMBED_KEY in")


CONFIG = """
model_list:
  - {model_name: gpt, litellm_params: {model: openai/gpt, api_key: os.environ/GPT_KEY}}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
litellm_settings: {drop_params: os.environ/DROP}
"""


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    file = loaded_file(tmp_path / "config.yaml", CONFIG, LITELLM_MASTER_KEY="x")
    found = snapshot_of("1.106.2", file)
    gateway = replace(found.gateway, deployments=Reading(value=(loaded_deployment("gpt", "openai/gpt"),), seen_at=NOW))
    return replace(found, words=COMPOSE, gateway=gateway)


def _drifted(snapshot: Snapshot, **more: object) -> Snapshot:
    found = (Difference("variable", "GPT_KEY", "", "•••", "/srv/gw.env"), Difference("image", "", "gw:1", "gw:2"))
    drift = ServiceDrift(found, order="recreate", command="docker compose up -d gw")
    return replace(snapshot, service_drift=Reading(value=replace(drift, **more), seen_at=NOW, tried_at=NOW))


def test_every_face_of_an_unset_variable_speaks_of_this_kind(snapshot: Snapshot) -> None:
    diagnosis = diagnose(snapshot, NOW)
    row = next(d for d in diagnosis.deployments if d.group == "gpt")
    problem = next(problem for problem in diagnosis.problems if problem.title == "DROP")
    references = next(phase for phase in check_phases(snapshot, diagnosis, NOW, 10) if phase.name == "references")
    for do in (row.verdict.do, problem.do, references.do):
        assert "environment: of gw in the compose file" in do
        assert "docker compose up -d gw" in do
    drifted = diagnose(_drifted(snapshot), NOW)
    row = next(d for d in drifted.deployments if d.group == "gpt")
    assert row.verdict.do.startswith("R brings it in: GPT_KEY is written in /srv/gw.env")
    waiting = next(problem for problem in drifted.problems if problem.key == "service:drift")
    assert "variable GPT_KEY: not in what runs" in waiting.reason
    assert "docker compose up -d gw brings it in" in waiting.do


def test_where_the_environment_is_not_known_nothing_is_said_to_be_unset(snapshot: Snapshot) -> None:
    file = snapshot.configuration.current
    assert file is not None
    why = "a service of the kind custom does not tell its environment"
    read = Configuration(path=file.path, current=nothing_unset(file), environment_unknown=why)
    known = replace(snapshot, configuration=read)
    diagnosis = diagnose(known, NOW)
    texts = [problem.reason + problem.cause for problem in diagnosis.problems]
    texts += [d.verdict.reason + d.verdict.brief for d in diagnosis.deployments]
    assert not [text for text in texts if "not set" in text or "unset" in text]
    references = next(phase for phase in check_phases(known, diagnosis, NOW, 10) if phase.name == "references")
    assert references.outcome == "skipped"
    assert references.text == f"whether DROP and GPT_KEY is set is not known: {why}"
    assert any(why in spot.what for spot in diagnosis.blind_spots)


def test_a_preflight_names_the_differences_and_their_order(snapshot: Snapshot) -> None:
    def checks(snapshot: Snapshot) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for check in preflight_checks(snapshot, diagnose(snapshot, NOW)):
            found.setdefault(check.name, []).append((check.state, check.text))
        return found

    told = checks(_drifted(snapshot))
    assert told["written"] == [("note", "variable GPT_KEY: not in what runs; image: gw:1 → gw:2")]
    assert told["order"] == [("note", "a restart keeps the container as it is: docker compose up -d gw brings it in")]
    harmed = checks(_drifted(snapshot, harm=("SALT: it would be lost",)))
    assert ("refused", "SALT: it would be lost") in harmed["order"]
    # the same is no harm where the order is a restart
    assert "order" not in checks(_drifted(snapshot, found=(), order="restart", harm=("SALT: it would be lost",)))
    broken = checks(_drifted(snapshot, found=(), order="restart", broken="docker compose cannot use what is written"))
    assert broken["written"] == [("refused", "docker compose cannot use what is written")]
    unread = replace(snapshot, service_drift=Reading(failure=NotAvailable("docker has no Compose"), tried_at=NOW))
    assert checks(unread)["written"] == [
        ("note", "the service is not compared with what is written for it: docker has no Compose")
    ]
