"""The audit beside the screen: made anew for what was given last, and not taken for more than it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from litellm_tui.collectors.config import config_file
from litellm_tui.model.audit import Audit
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.found import Found
from litellm_tui.model.service_kinds import Tools
from litellm_tui.monitor import auditor
from litellm_tui.monitor.audit_worker import AuditWorker
from litellm_tui.target.profile import Profile
from tests.waiting import DEADLINE, eventually

MODELS = "model_list: [{model_name: a, litellm_params: {model: openai/a, api_key: none}}]\n"
GHOST = MODELS + "router_settings: {fallbacks: [{a: [ghost]}]}\n"


class Watched:
    """An audit that runs, and how `current` was whenever it was told."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.yaml"
        self.told: list[bool] = []
        profile = Profile("test", "here", Found("http://127.0.0.1:1", ""), Tools())
        self.watch = AuditWorker(profile, lambda: self.told.append(self.watch.current))

    def save(self, text: str) -> None:
        self.path.write_text(text)
        self.watch.saw_file(config_file.load(str(self.path), {}))

    def rules(self) -> set[str]:
        return {finding.rule for finding in self.watch.audit.findings} if self.watch.audit else set()

    async def settled(self) -> None:
        await eventually(lambda: self.watch.current, "what was given last is audited")


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    found = Watched(tmp_path)
    task = asyncio.create_task(found.watch.run())
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Gate:
    """Each audit waits here until it is let through; `reached` is set by the first."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.let = threading.Semaphore(0)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    held = Gate()
    real: Callable[..., Audit] = auditor.Auditor.audit

    def audit(
        self: auditor.Auditor, loaded: ConfigFile | ConfigError, environment: Mapping[str, str] | None, reported: str
    ) -> Audit:
        held.reached.set()
        assert held.let.acquire(timeout=DEADLINE)
        return real(self, loaded, environment, reported)

    monkeypatch.setattr(auditor.Auditor, "audit", audit)
    return held


async def test_a_saved_file_is_audited_anew(watched: Watched) -> None:
    assert (watched.watch.audit, watched.watch.current) == (None, False)
    watched.save(GHOST)
    assert not watched.watch.current
    await watched.settled()
    assert "ghost-fallback" in watched.rules()
    watched.save(MODELS)
    assert not watched.watch.current
    # what is known of the file before is still there to be shown
    assert "ghost-fallback" in watched.rules()
    await watched.settled()
    assert "ghost-fallback" not in watched.rules()


async def test_a_file_that_cannot_be_loaded_is_audited_as_well(watched: Watched) -> None:
    watched.save("a: [\n")
    await watched.settled()
    assert watched.rules() == {"unusable-file"}


async def test_what_is_saved_while_it_is_audited_is_audited_next(watched: Watched, gate: Gate) -> None:
    watched.save(GHOST)
    await eventually(gate.reached.is_set)
    watched.save(MODELS)
    gate.let.release()
    await eventually(lambda: watched.told)
    assert watched.told == [False]
    assert not watched.watch.current
    gate.let.release(9)
    await watched.settled()
    assert "ghost-fallback" not in watched.rules()


async def test_the_version_that_the_gateway_reports_is_what_it_is_held_against(watched: Watched) -> None:
    watched.watch.saw_version("1.77.7")
    watched.save(MODELS)
    await watched.settled()
    assert watched.watch.audit is not None
    assert watched.watch.audit.version == "1.77.7"
    watched.watch.saw_version("1.80.0")
    assert not watched.watch.current
    await eventually(lambda: watched.watch.audit and watched.watch.audit.version == "1.80.0")
    # a gateway that does not say it any more has not become another one
    await watched.settled()
    for silent in (None, "", "1.80.0"):
        watched.watch.saw_version(silent)
        assert watched.watch.current


async def test_without_a_file_nothing_is_audited(watched: Watched) -> None:
    watched.watch.saw_version("1.80.0")
    await asyncio.sleep(0.05)
    assert watched.told == []
    assert watched.watch.audit is None


async def test_the_end_ends_the_reader_of_the_installed_litellm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def prepare(_: auditor.Auditor) -> bool:
        begun.set()
        return stopped.wait(20)

    monkeypatch.setattr(auditor.Auditor, "prepare", prepare)
    monkeypatch.setattr(auditor.Auditor, "stop", lambda _: stopped.set())
    found = Watched(tmp_path)
    task = asyncio.create_task(found.watch.run())
    found.save(MODELS)
    # the first audit does not wait for it
    await eventually(begun.is_set)
    assert found.watch.audit is not None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert stopped.is_set()


async def test_what_the_reader_of_the_source_raises_is_said_and_the_audit_goes_on(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: auditor.Auditor) -> bool:
        raise ZeroDivisionError("with sk-secret in it")

    monkeypatch.setattr(auditor.Auditor, "prepare", fails)
    watched.save(MODELS)
    await eventually(
        lambda: watched.watch.audit and "ZeroDivisionError" in " ".join(watched.watch.audit.unknown), "it is said"
    )
    assert watched.watch.audit
    assert "sk-secret" not in " ".join(watched.watch.audit.unknown)
    watched.save(GHOST)
    await eventually(
        lambda: "fallback-to-nowhere" in watched.rules() or len(watched.rules()) > 0, "the file is audited anew"
    )
