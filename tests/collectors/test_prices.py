"""The price map: of the installed LiteLLM as a file, else the extract that is shipped."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from litellm_tui.collectors.litellm_source.prices import NAME, Extract, price_map, shipped_prices
from tools.catalogue import extract_prices

MAP = {
    "sample_spec": {"input_cost_per_token": 0.0, "mode": "one of: chat"},
    "swift-1": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2},
    "free": {"mode": "chat", "max_tokens": "many"},
    "sorter": {"mode": "rerank", "input_cost_per_query": 0.002},
}


def _environment(folder: Path, content: str) -> str:
    package = folder / "lib" / "python3.11" / "site-packages" / "litellm"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / NAME).write_text(content, encoding="utf-8")
    (folder / "bin").mkdir()
    (folder / "bin" / "python").touch()
    return str(folder / "bin" / "python")


def test_the_installed_map_is_read_as_a_file(tmp_path: Path) -> None:
    found = price_map(_environment(tmp_path, json.dumps(MAP)))
    assert found.basis == "the price map of the installed LiteLLM"
    assert (found.models["swift-1"].input, found.models["swift-1"].output) == (1e-6, 2.0)


def test_without_one_that_can_be_read_it_is_the_shipped_extract(tmp_path: Path) -> None:
    assert price_map(_environment(tmp_path, "{broken")) is shipped_prices()
    assert price_map(None) is shipped_prices()
    assert price_map(str(tmp_path / "nowhere")) is shipped_prices()


def test_the_shipped_extract_has_prices_by_token_and_says_whose_they_are() -> None:
    shipped = shipped_prices()
    assert shipped.basis.startswith("the price map that LiteLLM 1.")
    assert len(shipped.models) > 1000
    assert "sample_spec" not in shipped.models
    assert all(price.input is not None or price.query is not None for price in shipped.models.values())


def test_an_extract_holds_what_has_a_price_by_token_or_query(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(json.dumps(MAP), encoding="utf-8")
    extract = msgspec.json.decode(extract_prices(tmp_path, "1.2.3"), type=Extract)
    assert extract.version == "1.2.3"
    assert sorted(extract.models) == ["sorter", "swift-1"]
