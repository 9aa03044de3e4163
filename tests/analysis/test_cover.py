"""Whether every request finds an answer, now and with any one group down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.routing import what_if
from litellm_tui.analysis.routing.what_if import Cover, find_cover
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from tests.ui import frozen
from tests.ui.frozen import NOW


def _routed(snapshot: Snapshot, **router: Any) -> Snapshot:
    reading = snapshot.gateway.router
    changed = Reading(router, reading.seen_at, tried_at=reading.tried_at, interval=10.0)
    return msgspec.structs.replace(snapshot, gateway=msgspec.structs.replace(snapshot.gateway, router=changed))


def _cover(snapshot: Snapshot) -> Cover | None:
    found = diagnose(snapshot, NOW)
    return find_cover(snapshot, found.deployments, found.groups)


GROUPS = {"llama3.1:latest", "qwen2.5-coder:7b", "qwen-coder-vllm", "kimi-k2:1t-cloud", "gpt-oss:120b-cloud"}


def test_without_chains_each_group_stands_alone(tmp_path: Path) -> None:
    cover = _cover(_routed(frozen.healthy(tmp_path), fallbacks=[], model_group_alias={}))
    assert cover is not None
    assert not cover.none
    assert set(cover.alone) >= GROUPS


def test_one_with_a_chain_that_ends_in_an_answer_does_not(tmp_path: Path) -> None:
    chains = [{"llama3.1:latest": ["qwen2.5-coder:7b"]}, {"qwen2.5-coder:7b": ["nobody"]}]
    cover = _cover(_routed(frozen.healthy(tmp_path), fallbacks=chains, model_group_alias={}))
    assert cover is not None
    assert "llama3.1:latest" not in cover.alone
    assert "qwen2.5-coder:7b" in cover.alone


def test_a_dead_group_without_a_chain_gets_no_answer_now_and_takes_over_for_nobody(tmp_path: Path) -> None:
    chains = [{"llama3.1:latest": ["qwen-coder-vllm"]}]
    cover = _cover(_routed(frozen.degraded(tmp_path), fallbacks=chains, model_group_alias={}))
    assert cover is not None
    assert "qwen-coder-vllm" in cover.none
    assert "llama3.1:latest" in cover.alone


def test_where_too_many_hops_would_have_to_be_followed_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = _routed(frozen.healthy(tmp_path), fallbacks=[], model_group_alias={}, max_fallbacks=3)
    assert _cover(snapshot) is not None
    monkeypatch.setattr(what_if, "MOST_HOPS", 10)
    assert _cover(snapshot) is None


def test_where_no_routing_is_known_nothing_is_said(tmp_path: Path) -> None:
    snapshot = frozen.healthy(tmp_path)
    unknown = msgspec.structs.replace(
        snapshot,
        gateway=msgspec.structs.replace(snapshot.gateway, router=Reading()),
        configuration=msgspec.structs.replace(snapshot.configuration, current=None),
    )
    assert _cover(unknown) is None
