"""Two machines are compared by what their configurations say, and no secret can be had from it."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_tui.analysis.fleet.content_digest import content_digest, section_digests
from litellm_tui.model.configuration import ConfigFile


def _file(data: dict[Any, Any], path: str = "/etc/litellm.yaml") -> ConfigFile:
    return ConfigFile(path, "of the bytes", 0.0, (path,), data, {})


BASE = {
    "model_list": [{"model_name": "a", "litellm_params": {"model": "openai/a"}}],
    "router_settings": {"num_retries": 2},
}


def test_place_and_order_do_not_count() -> None:
    other = dict(reversed(BASE.items()))
    assert content_digest(_file(BASE)) == content_digest(_file(other, "/home/one/litellm.yaml"))


@pytest.mark.parametrize("value", [3, "2", 2.0, True, None, [2]])
def test_another_value_or_type_is_another_digest_of_its_section_alone(value: object) -> None:
    other = {**BASE, "router_settings": {"num_retries": value}}
    assert content_digest(_file(BASE)) != content_digest(_file(other))
    one, two = section_digests(_file(BASE)), section_digests(_file(other))
    assert {name for name in one if one[name] != two[name]} == {"router_settings"}


def test_a_secret_is_in_the_whole_and_in_no_section() -> None:
    one, two = ({**BASE, "general_settings": {"master_key": key}} for key in ("sk-first-0001", "sk-second-0002"))
    assert content_digest(_file(one)) != content_digest(_file(two))
    assert section_digests(_file(one)) == section_digests(_file(two))


def test_what_refers_to_itself_has_a_digest() -> None:
    knot: dict[Any, Any] = {1: float("nan"), "1": b"x"}
    knot["self"] = knot
    assert content_digest(_file({"a": knot})) == content_digest(_file({"a": knot}))
