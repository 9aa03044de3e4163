"""What another release makes of a configuration, on catalogues of a few names and on the shipped ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from litellm_tui.audit.catalogue.records import Catalogue, Spans, merge_catalogues
from litellm_tui.audit.release_changes import compare_releases
from litellm_tui.audit.subject import Subject
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.litellm_source.advisories import shipped_advisories
from litellm_tui.collectors.litellm_source.catalogues import shipped
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.release import ReleaseChange, ReleaseComparison

SMALL = Catalogue(
    version="1.0.0",
    sections=frozenset({"model_list", "router_settings", "litellm_settings", "general_settings", "old_section"}),
    router=frozenset({"num_retries", "timeout", "old_key"}),
    general=frozenset({"master_key", "moved"}),
    litellm=frozenset({"drop_params"}),
    callbacks=frozenset({"langfuse", "old_callback"}),
    environment=frozenset({"OLD_VARIABLE", "BOTH"}),
    params=frozenset({"model", "api_key"}),
    models={"gpt-a": "", "emb": "embedding"},
    defaults={"router_settings.timeout": 600, "litellm_settings.drop_params": False, "ROUTER_MAX_FALLBACKS": 5},
)
LATER = msgspec.structs.replace(
    SMALL,
    version="2.0.0",
    sections=SMALL.sections - {"old_section"},
    router=frozenset({"num_retries", "timeout", "new_key"}),
    general=frozenset({"master_key"}),
    litellm=frozenset({"drop_params", "moved"}),
    callbacks=frozenset({"langfuse"}),
    environment=frozenset({"BOTH", "NEW_VARIABLE"}),
    models={"emb": "embedding", "gpt-b": ""},
    defaults={"router_settings.timeout": None, "litellm_settings.drop_params": True, "ROUTER_MAX_FALLBACKS": 3},
)
SPANS = merge_catalogues([SMALL, LATER])


def loaded(text: str) -> ConfigFile:
    with TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text(text)
        found = config_file.load(str(path), {})
    assert isinstance(found, ConfigFile)
    return found


def compared(
    text: str,
    before: Catalogue = SMALL,
    after: Catalogue = LATER,
    spans: Spans = SPANS,
    environment: Mapping[str, str] | None = None,
    prices: tuple[frozenset[str], frozenset[str]] | None = None,
) -> ReleaseComparison:
    file = loaded(text)
    one, other = (Subject(file, c, spans, environment, advisories=shipped_advisories()) for c in (before, after))
    return compare_releases(one, other, prices=prices)


def between(text: str, before: str, after: str) -> ReleaseComparison:
    return compared(text, shipped().at(before), shipped().at(after), shipped())


def texts(changes: tuple[ReleaseChange, ...]) -> str:
    return "\n".join(change.text for change in changes)


def test_keys_that_only_one_release_reads_are_told_with_their_line_and_source() -> None:
    result = compared("router_settings:\n  old_key: 1\n  new_key: 2\n  num_retries: 3\n")
    (lost,), (won,) = result.of("unread"), result.of("read")
    assert lost.text == "old_key in router_settings is read by LiteLLM 1.0.0, and not by 2.0.0: it loses its effect"
    assert lost.mark is not None
    assert lost.mark.line == 2
    assert "read until 1.0" in lost.source
    assert won.text == "new_key in router_settings is read by LiteLLM 2.0.0, and not by 1.0.0: it takes effect"


def test_a_key_that_moved_says_where_it_is_read_now() -> None:
    (lost,) = compared("general_settings: {moved: 1}\n").of("unread")
    assert lost.text.endswith("it loses its effect; it reads it in litellm_settings")


def test_sections_callbacks_and_variables_are_compared_too() -> None:
    text = "old_section: {}\nlitellm_settings: {callbacks: [langfuse, old_callback, my.module]}\n"
    result = compared(text, environment={"OLD_VARIABLE": "1", "BOTH": "1", "NEW_VARIABLE": "1"})
    lost, won = texts(result.of("unread")), texts(result.of("read"))
    assert "old_section in the top level" in lost
    assert "does not know the callback old_callback" in lost
    assert "LiteLLM 2.0.0 does not read the variable OLD_VARIABLE, 1.0.0 did" in lost
    assert won == "LiteLLM 2.0.0 reads the variable NEW_VARIABLE, 1.0.0 did not"


def test_defaults_that_the_file_sets_are_not_told() -> None:
    told = texts(compared("router_settings: {timeout: 60}\n").of("default"))
    assert "router_settings.timeout" not in told
    assert "litellm_settings.drop_params is true in LiteLLM 2.0.0 where the file does not set it" in told
    assert "the constant ROUTER_MAX_FALLBACKS is 3 in LiteLLM 2.0.0, and 5 in 1.0.0" in told
    (other,) = [change for change in compared("model_list: []\n").of("default") if "timeout" in change.text]
    assert other.text == (
        "router_settings.timeout is unset in LiteLLM 2.0.0 where the file does not set it, and 600 in 1.0.0"
    )
    assert other.do == "set router_settings.timeout: 600 to keep it"


def test_a_variable_that_sets_a_constant_is_as_good_as_the_file() -> None:
    told = texts(compared("model_list: []\n", environment={"ROUTER_MAX_FALLBACKS": "7"}).of("default"))
    assert "ROUTER_MAX_FALLBACKS" not in told


MODELS = """
model_list:
  - {model_name: a, litellm_params: {model: gpt-a}}
  - {model_name: b, litellm_params: {model: gpt-b}}
  - {model_name: c, litellm_params: {model: other/long}}
  - {model_name: d, litellm_params: {model: custom/x}, model_info: {base_model: gpt-a}}
"""


def test_models_that_lose_their_price_are_told() -> None:
    result = compared(MODELS)
    assert [change.text.split(" is ")[0] for change in result.of("unpriced")] == ["gpt-a of a", "gpt-a of d"]
    assert [change.text.split(" has ")[0] for change in result.of("priced")] == ["gpt-b of b"]
    assert any("provider's name in front" in line for line in result.unknown)


def test_with_both_price_maps_every_model_is_compared() -> None:
    maps = (frozenset({"gpt-a", "other/long"}), frozenset({"gpt-a"}))
    result = compared(MODELS, prices=maps)
    assert [change.text.split(" is ")[0] for change in result.of("unpriced")] == ["other/long of c"]
    assert not any("provider's name in front" in line for line in result.unknown)


def test_what_ends_the_start_of_one_release_alone_comes_first() -> None:
    # since 1.106 an unset master key ends the start
    text = "model_list: []\ngeneral_settings: {master_key: sk-1234}\n"
    result = between(text, "1.77.7", "1.106.2")
    assert result.changes[0].kind == "fatal"
    assert result.changes[0].text.startswith("LiteLLM 1.106.2 does not start with it: ")
    # the older release has another rule for the same key
    assert result.of("better") == ()
    back = between(text, "1.106.2", "1.77.7")
    assert [change.kind for change in back.of("harmless")] == ["harmless"]
    assert "LiteLLM 1.106.2 does not start with it, 1.77.7 does" in back.of("harmless")[0].text


def test_holes_that_open_and_close_are_told_with_their_source() -> None:
    result = between("model_list: []\n", "1.77.7", "1.83.14")
    mended = texts(result.of("mended"))
    assert "CVE-2026-42271 (exploited, 2026-05-08" in mended
    assert result.of("opened") == ()
    assert all(change.source for change in result.of("mended"))
    assert "CVE-2026-42208" in texts(between("model_list: []\n", "1.77.7", "1.82.6").of("opened"))


def test_the_same_release_changes_nothing() -> None:
    assert between("router_settings: {num_retries: 2}\n", "1.106.2", "1.106.2").changes == ()


@pytest.mark.parametrize("version", ["1.106.3", "9.9.9"])
def test_a_release_that_was_not_read_says_what_stands_in_for_it(version: str) -> None:
    result = between("model_list: []\n", "1.77.7", version)
    assert result.after == version
    assert any(f"what LiteLLM {version} reads" in line for line in result.unknown)
