"""The tag of a Compose service: which one is written in its place, and that nothing else of the file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.actions.transaction import replacement
from litellm_tui.actions.upgrade import last_tag
from litellm_tui.actions.upgrade.compose_tag import Written, exchange_to
from litellm_tui.model.failures import Failure
from litellm_tui.model.found import Found
from litellm_tui.model.service_kinds import Tools
from litellm_tui.model.upgrade import TagExchange
from litellm_tui.target.profile import Profile

FILE = """\
# the gateway
services:
  gateway:
    image: "ghcr.io/berriai/litellm:main-v1.77.7-stable"   # pinned
    command: [--config, /app/config.yaml]
  other: {image: redis:7}
"""


def _place(file: Path) -> Written:
    return Written(str(file), "gateway", "ghcr.io/berriai/litellm:main-v1.77.7-stable")


def test_the_tag_is_written_and_taken_back_and_all_else_stays(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(FILE)
    exchange = exchange_to(_place(file), "1.83.7")
    assert isinstance(exchange, TagExchange)
    assert replacement.recreates(exchange)
    for _ in range(2):
        assert replacement.bring_in(exchange, tmp_path / "state") is None
        assert file.read_text() == FILE.replace("v1.77.7", "v1.83.7")
    for _ in range(2):
        assert replacement.take_out(exchange, tmp_path / "state") is None
        assert file.read_text() == FILE
    assert list((tmp_path / "state").iterdir()) == []


def test_what_somebody_else_has_written_meanwhile_stays(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(FILE)
    exchange = exchange_to(_place(file), "1.83.7")
    assert isinstance(exchange, TagExchange)
    file.write_text(FILE.replace("v1.77.7", "v1.80.0"))
    for way in (replacement.bring_in, replacement.take_out):
        refused = way(exchange, tmp_path)
        assert isinstance(refused, Failure)
        assert "v1.80.0" in refused.why
    assert file.read_text() == FILE.replace("v1.77.7", "v1.80.0")


@pytest.mark.parametrize(
    ("image", "version", "wanted"),
    [
        ("litellm:v1.77.7", "v1.83.7-stable.patch.1", "litellm:v1.83.7-stable.patch.1"),
        ("r:5000/litellm:main-latest", "1.83.7", "r:5000/litellm:v1.83.7"),
        ("litellm", "main-v1.83.7-stable", "litellm:main-v1.83.7-stable"),
        ("litellm:${TAG:-v1.77.7}", "1.83.7", ""),
        ("litellm@sha256:abc", "1.83.7", ""),
        ("litellm:ours", "next", ""),
    ],
)
def test_which_tag_is_meant(image: str, version: str, wanted: str) -> None:
    found = exchange_to(Written("/c.yaml", "gateway", image), version)
    assert (found.after if isinstance(found, TagExchange) else "") == wanted


def test_the_last_image_is_gone_back_to_as_long_as_it_is_the_one_that_was_written(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(FILE)
    profile = Profile("p", "here", Found("http://h:4000", ""), Tools(), unit=Found("gateway", ""))
    assert isinstance(last_tag.way_back(tmp_path, profile), Failure)
    exchange = exchange_to(_place(file), "1.83.7")
    assert isinstance(exchange, TagExchange)
    assert last_tag.keep(tmp_path, profile, exchange) is None
    assert isinstance(last_tag.way_back(tmp_path, profile), Failure)
    assert replacement.bring_in(exchange, tmp_path) is None
    back = last_tag.way_back(tmp_path, profile)
    assert isinstance(back, TagExchange)
    assert (back.before, back.after) == (exchange.after, exchange.before)
    assert replacement.bring_in(back, tmp_path) is None
    assert file.read_text() == FILE
