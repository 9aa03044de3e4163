"""Edits of a configuration in a file of another kind: everything else in that file stays byte for byte."""

from __future__ import annotations

import base64
import json

import pytest
import yaml

from litellm_tui.actions.splice import CannotEdit
from litellm_tui.actions.splice_within import readable, splice_within
from litellm_tui.collectors.config.embedded import unwrap
from litellm_tui.collectors.config.load_embedded import load_piece
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.edits import Edit, Insert, Move, Remove, Rename, SetValue
from tests.collectors.test_embedded import INNER, MAP, WRAPPINGS, at

EDITS: tuple[Edit, ...] = (
    Rename(("router_settings", "num_retries"), "retries"),
    Insert(("general_settings", "master_key"), "os.environ/M"),
    Insert(("model_list", 1), {"model_name": "rail", "litellm_params": {"model": "openai/rail"}}),
    SetValue(("model_list", 0, "litellm_params", "model"), "openai/other"),
)
AFTER = {
    "model_list": [
        {"model_name": "plover", "litellm_params": {"model": "openai/other", "api_key": "os.environ/PLOVER_KEY"}},
        {"model_name": "rail", "litellm_params": {"model": "openai/rail"}},
    ],
    "router_settings": {"retries": 4},
    "general_settings": {"master_key": "os.environ/M"},
}


def name_in(text: str, path: str) -> str:
    found = unwrap(text.encode(), path)
    assert found is not None
    return found.pieces[0].name


def edited(text: str, path: str, *edits: Edit) -> str:
    return splice_within(text.encode(), edits, path, name_in(text, path)).decode()


def data_in(text: str, path: str) -> dict[str, object]:
    found = unwrap(text.encode(), path)
    assert found is not None
    config = load_piece(found.pieces[0], {})
    assert isinstance(config, ConfigFile), config
    return config.data


@pytest.mark.parametrize("name", WRAPPINGS)
def test_all_edits_arrive_and_no_other_line_changes(name: str) -> None:
    text, path = WRAPPINGS[name][0], f"/srv/{name}"
    after = edited(text, path, *EDITS)
    found = data_in(after, path)
    assert {key: found[key] for key in AFTER} == AFTER
    changed = ("num_retries", "plover")
    kept = [line for line in text.splitlines() if not any(word in line for word in changed)]
    added = iter(after.splitlines())
    assert all(line in added for line in kept), "a line is gone, or stands elsewhere"
    assert "# a wader" in after


@pytest.mark.parametrize("name", WRAPPINGS)
def test_taking_out_what_was_put_in_gives_the_same_bytes(name: str) -> None:
    text, path = WRAPPINGS[name][0], f"/srv/{name}"
    there = edited(text, path, Insert(("router_settings", "timeout"), 3))
    assert there != text
    assert edited(there, path, Remove(("router_settings", "timeout"))) == text


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    text = ("\ufeff" + MAP + at(4) + "other: 1\n").replace("\n", "\r\n")
    after = edited(text, "/srv/a.yaml", *EDITS)
    assert after.startswith("\ufeffapiVersion")
    assert after.endswith("other: 1\r\n")
    assert "\n" not in after.replace("\r\n", "")


def test_a_move_stays_within() -> None:
    text = "a: 1\nproxy_config:\n" + at(2) + "b: 2\n"
    after = edited(text, "/srv/v.yaml", Move(("router_settings", "num_retries"), ("litellm_settings", "num_retries")))
    assert yaml.safe_load(after)["proxy_config"]["litellm_settings"] == {"num_retries": 4}
    assert yaml.safe_load(after)["b"] == 2


def test_base64_is_written_anew_and_shown_as_text() -> None:
    coded = base64.b64encode(INNER.encode()).decode()
    text = f"apiVersion: v1\nkind: Secret\ndata:\n  a.yaml: '{coded}'\n  b: eA==\n"
    after = edited(text, "/srv/s.yaml", *EDITS)
    data = yaml.safe_load(after)["data"]
    assert data["b"] == "eA=="
    inner = base64.b64decode(data["a.yaml"]).decode()
    assert yaml.safe_load(inner) == AFTER
    assert "# a wader" in inner
    assert after.count("\n") == text.count("\n")
    assert "model_name: plover" in readable(text.encode(), "/srv/s.yaml").decode()
    assert coded not in readable(text.encode(), "/srv/s.yaml").decode()


def test_double_quotes_are_written_anew() -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "data": {"c.yaml": INNER + "# ümlaut ☃\n"}}, indent=1)
    after = edited(text, "/srv/c.json", *EDITS)
    data = json.loads(after)
    assert yaml.safe_load(data["data"]["c.yaml"]) == AFTER
    assert data["data"]["c.yaml"].endswith("# ümlaut ☃\n")
    assert after.splitlines()[0] == text.splitlines()[0]


def test_what_compose_fills_in_is_not_written_to() -> None:
    text = "services: {llm: {image: litellm}}\nconfigs:\n  c:\n    content: |\n" + at(
        6, INNER.replace("plover}", "${M}}").replace("openai/plover", "openai/${M}")
    )
    with pytest.raises(CannotEdit, match="Compose fills in"):
        edited(text, "/srv/compose.yaml", *EDITS)


def test_folded_lines_are_not_written_to() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\ndata:\n  c.yaml: >\n    {model_list: [],\n    router_settings: {}}\n"
    with pytest.raises(CannotEdit, match="folded"):
        edited(text, "/srv/c.yaml", Insert(("general_settings", "a"), 1))


def test_a_configuration_that_is_gone_is_said() -> None:
    with pytest.raises(CannotEdit, match="gone"):
        splice_within(b"a: 1\n", EDITS, "/srv/c.yaml", "/srv/.c.yaml.1/config.yaml")
