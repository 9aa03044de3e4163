"""What the console thinks of the two recorded proxies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.model.configuration import ConfigError, Configuration
from litellm_tui.model.diagnosis import Chain, Diagnosis
from litellm_tui.model.failures import NotAvailable
from litellm_tui.model.gateway import Gateway
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from tests.recorded import CONFIG, NOW, VERSIONS, loaded_file, snapshot_of

# what is left when no health is known: of one deployment at least the key is known to be missing
IDLE = {
    ("llama3.1:latest", "idle"), ("qwen2.5-coder:7b", "idle"), ("qwen-coder-vllm", "idle"),
    ("kimi-k2:1t-cloud", "unproven"), ("gpt-oss:120b-cloud", "idle"), ("nomic-embed-text", "idle"),
}  # fmt: skip


@pytest.fixture(params=VERSIONS)
def snapshot(request: pytest.FixtureRequest, tmp_path: Path) -> Snapshot:
    return snapshot_of(request.param, loaded_file(tmp_path / "config.yaml", CONFIG, LITELLM_MASTER_KEY="x"))


def _chain(diagnosis: Diagnosis, kind: str, source: str) -> Chain:
    return next(chain for chain in diagnosis.chains if (chain.kind, chain.source.name) == (kind, source))


def test_each_deployment_of_a_recorded_proxy_gets_its_verdict(snapshot: Snapshot) -> None:
    rows = diagnose(snapshot, NOW).deployments
    assert {row.model: (row.group, row.verdict.state, row.verdict.brief) for row in rows} == {
        "openai/llama3.1": ("llama3.1:latest", "serving", ""),
        "openai/llama3.1-b": ("llama3.1:latest", "serving", ""),
        "openai/qwen-err500": ("qwen2.5-coder:7b", "masked", "500"),
        "openai/Qwen/Qwen2.5-Coder-7B-Instruct-AWQ": ("qwen-coder-vllm", "failing", "refused"),
        "openai/kimi-err401": ("kimi-k2:1t-cloud", "failing", "KIMI_KEY unset"),
        "openai/gpt-oss": ("gpt-oss:120b-cloud", "serving", ""),
        "openai/nomic-embed-text": ("nomic-embed-text", "serving", ""),
    }
    assert all(row.listed for row in rows)
    assert all(row.file and row.loaded for row in rows)
    assert len({row.key for row in rows}) == len(rows)


def test_a_recorded_proxy_that_runs_its_file_differs_from_it_in_nothing(snapshot: Snapshot) -> None:
    diagnosis = diagnose(snapshot, NOW)
    assert diagnosis.drift == ()
    assert all(row.differences == () for row in diagnosis.deployments)
    assert all(chain.applied for chain in diagnosis.chains)


def test_a_dead_primary_behind_a_fallback_is_masked(snapshot: Snapshot) -> None:
    row = next(d for d in diagnose(snapshot, NOW).deployments if d.group == "qwen2.5-coder:7b")
    assert row.verdict.state == "masked"
    # the first target of its chain is dead as well: it is the second that answers
    assert row.verdict.reason.endswith("gpt-oss:120b-cloud answers in its place")


def test_a_ghost_among_the_targets_stands_out(snapshot: Snapshot) -> None:
    chain = _chain(diagnose(snapshot, NOW), "general", "kimi-k2:1t-cloud")
    assert [(target.name, target.flaw) for target in chain.targets] == [("nonexistent-model", "ghost")]


def test_an_alias_leads_to_its_group(snapshot: Snapshot) -> None:
    chain = _chain(diagnose(snapshot, NOW), "alias", "gpt-4")
    assert [(target.name, target.state) for target in chain.targets] == [("llama3.1:latest", "serving")]


def test_the_headline_of_a_recorded_proxy(snapshot: Snapshot) -> None:
    headline = diagnose(snapshot, NOW).headline
    assert (headline.word, headline.severity) == ("DEGRADED", "bad")
    texts = [part.text for part in headline.parts]
    assert texts[:2] == ["4 problems", "2 of 7 deployments failing, 1 masked"]
    assert "cache healthy" in texts
    assert "up 1 h" in texts
    assert headline.advice


def test_without_the_file_the_proxy_is_judged_by_itself(snapshot: Snapshot) -> None:
    alone = msgspec.structs.replace(snapshot, configuration=Configuration(why_unwatched="none"))
    diagnosis = diagnose(alone, NOW)
    assert len(diagnosis.deployments) == 7
    assert {row.verdict.state for row in diagnosis.deployments} == {"serving", "masked", "failing"}
    assert diagnosis.drift == ()
    assert not any(chain.applied is False for chain in diagnosis.chains)
    assert {row.group for row in diagnosis.deployments} == {
        "llama3.1:latest", "qwen2.5-coder:7b", "qwen-coder-vllm", "kimi-k2:1t-cloud", "gpt-oss:120b-cloud",
        "nomic-embed-text",
    }  # fmt: skip


def test_a_saved_change_is_drift_and_no_fault(snapshot: Snapshot, tmp_path: Path) -> None:
    text = (
        CONFIG.replace("[qwen-coder-vllm, ", "[")
        .replace("rpm: 100", "rpm: 200")
        .replace("  - model_name: nomic-embed-text", "  - model_name: brand-new", 1)
    )
    assert text != CONFIG
    file = loaded_file(tmp_path / "edited.yaml", text)
    file = msgspec.structs.replace(file, modified_at=NOW - 5)
    edited = msgspec.structs.replace(snapshot, configuration=Configuration(current=file))
    diagnosis = diagnose(edited, NOW)
    assert "added: brand-new (openai/nomic-embed-text)" in diagnosis.drift
    assert "removed: nomic-embed-text (openai/nomic-embed-text)" in diagnosis.drift
    assert "llama3.1:latest: rpm: 100 → 200" in diagnosis.drift
    assert "fallbacks of qwen2.5-coder:7b" in diagnosis.drift
    assert len(diagnosis.drift) == 4
    assert "config saved, 4 changes not applied" in [part.text for part in diagnosis.headline.parts]
    assert _chain(diagnosis, "general", "qwen2.5-coder:7b").applied is False
    assert _chain(diagnosis, "general", "llama3.1:latest").applied is True


def test_a_broken_file_keeps_what_the_last_good_one_said(snapshot: Snapshot) -> None:
    error = ConfigError("config.yaml", "expected ',' or ']'", 12, 3, since=NOW - 5)
    broken = msgspec.structs.replace(
        snapshot, configuration=msgspec.structs.replace(snapshot.configuration, error=error)
    )
    diagnosis = diagnose(broken, NOW)
    assert [d.verdict for d in diagnosis.deployments] == [d.verdict for d in diagnose(snapshot, NOW).deployments]
    assert "config broken, line 12: expected ',' or ']'" in [part.text for part in diagnosis.headline.parts]
    (problem,) = [p for p in diagnosis.problems if p.cause == "does not parse"]
    assert (problem.severity, problem.since) == ("warn", NOW - 5)
    assert "config.yaml:12:3" in problem.do


def test_without_the_health_report_nothing_is_claimed(snapshot: Snapshot) -> None:
    gateway = msgspec.structs.replace(snapshot.gateway, health=Reading(failure=NotAvailable("not asked: off")))
    diagnosis = diagnose(msgspec.structs.replace(snapshot, gateway=gateway), NOW)
    assert {(row.group, row.verdict.state) for row in diagnosis.deployments} == IDLE
    assert diagnosis.health_note == "not asked: off"
    # one key is not set, and one fallback does not exist
    assert (diagnosis.headline.word, diagnosis.headline.severity) == ("DEGRADED", "warn")
    assert "KIMI_KEY" in diagnosis.headline.advice


def test_the_report_of_a_process_that_has_been_replaced_says_nothing(snapshot: Snapshot) -> None:
    service = snapshot.service.value
    assert service
    young = msgspec.structs.replace(service, started_at=NOW - 0.5)
    restarted = msgspec.structs.replace(snapshot, service=msgspec.structs.replace(snapshot.service, value=young))
    assert {(row.group, row.verdict.state) for row in diagnose(restarted, NOW).deployments} == IDLE


def test_nothing_known_is_no_fault() -> None:
    diagnosis = diagnose(Snapshot(taken_at=NOW), NOW)
    assert diagnosis.headline.word == "CONNECTING"
    assert (diagnosis.deployments, diagnosis.chains, diagnosis.drift) == ((), (), ())


@pytest.mark.parametrize("field", Gateway.__struct_fields__)
def test_any_one_source_may_fail_or_be_missing(snapshot: Snapshot, field: str) -> None:
    before = getattr(snapshot.gateway, field)
    readings: list[Reading[Any]] = [
        Reading(),
        Reading(failure=NotAvailable("off"), tried_at=NOW),
        msgspec.structs.replace(before, failure=NotAvailable("gone"), failing_since=NOW - 3),
    ]
    for reading in readings:
        gateway = msgspec.structs.replace(snapshot.gateway, **{field: reading})
        assert diagnose(msgspec.structs.replace(snapshot, gateway=gateway), NOW).headline.word


def test_the_same_snapshot_is_diagnosed_the_same(snapshot: Snapshot) -> None:
    assert diagnose(snapshot, NOW) == diagnose(snapshot, NOW)
