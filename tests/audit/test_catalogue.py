"""The catalogue's lookups: versions, spans, what is near, what is read elsewhere."""

from __future__ import annotations

import msgspec
import pytest

from litellm_tui.audit.catalogue.nearest import nearest
from litellm_tui.audit.catalogue.records import KINDS, Catalogue, CatalogueKind, Value, merge_catalogues, parse_version


def made(version: str, *router: str, general: frozenset[str] = frozenset()) -> Catalogue:
    return Catalogue(version, "installed", router=frozenset(router), general=general)


TABLE = merge_catalogues(
    [
        made("1.80.17", "timeout", "fallbacks", "lately", "patched", "again"),
        made("1.70.4", "timeout", "gone", "again", general=frozenset({"alerting"})),
        made("1.80.0", "timeout", "fallbacks", "lately", "middle"),
        made("1.79.3", "timeout", "fallbacks", "middle", "only"),
        made("1.106.2", "timeout", "fallbacks", "lately", "patched"),
    ]
)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1.77.7", (1, 77, 7)),
        ("1.74.9.post2", (1, 74, 9, 2)),
        ("v1.2", (1, 2)),
        ("1.80.0-stable", (1, 80, 0)),
        ("main-v1.77.3-stable.patch.1", (1, 77, 3)),
        ("1.80.0rc1", (1, 80, 0)),
        ("1.80.0.rc.2", (1, 80, 0)),
        ("latest", ()),
        ("", ()),
    ],
)
def test_a_version_is_its_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_version(text) == numbers


def test_releases_are_in_their_order_not_that_of_the_alphabet() -> None:
    assert TABLE.releases == ("1.70.4", "1.79.3", "1.80.0", "1.80.17", "1.106.2")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("1.80.0", "1.80.0"),
        ("1.80.5", "1.80.0"),
        ("1.80.0-stable", "1.80.0"),
        ("1.105.3", "1.80.17"),
        ("1.12.0", "1.70.4"),
        ("1.200.1", "1.106.2"),
        ("2.0", "1.106.2"),
    ],
)
def test_a_version_between_two_releases_reads_as_the_one_before_it(asked: str, found: str) -> None:
    catalogue = TABLE.at(asked)
    assert (catalogue.version, catalogue.source) == (found, "shipped")
    # one that is only the nearest says which version was asked for
    assert catalogue.asked == ("" if asked.startswith("1.80.0") else asked)


def test_without_a_version_the_newest_is_taken_and_says_so() -> None:
    for unknown in ("", "latest"):
        catalogue = TABLE.at(unknown)
        assert (catalogue.version, catalogue.source) == ("1.106.2", "newest")
    assert catalogue.router == {"timeout", "fallbacks", "lately", "patched"}


def full(version: str, *names: str, models: dict[str, str], defaults: dict[str, Value]) -> Catalogue:
    """A catalogue that holds something in every kind."""
    made: dict[str, object] = {"version": version, "models": models, "defaults": defaults}
    return msgspec.convert(made | {kind: [f"{kind}_{name}" for name in names] for kind in KINDS}, Catalogue)


def test_a_table_gives_back_what_it_was_made_from() -> None:
    models = {"gpt": "chat", "embed": "embedding"}
    first = full("1.2.0", "a", "both", models=models, defaults={"HOPS": 5, "SHARE": 0.5})
    second = full("1.3.0", "both", models={"gpt": "chat"}, defaults={"HOPS": 7})
    table = merge_catalogues([second, first])
    assert (table.at("1.2.0"), table.at("1.3.0")) == (first, second)
    assert table.span("redis_params", "redis_params_a") == ("1.2.0", "1.2.0")


def test_a_key_that_went_and_came_back_is_not_read_between() -> None:
    assert [("again" in TABLE.at(version).router) for version in TABLE.releases] == [True, False, False, True, False]
    assert TABLE.span("router", "again") == ("1.70.4", "1.80.17")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("timeout", ""),
        ("never", ""),
        ("fallbacks", "since 1.79"),
        ("lately", "since 1.80"),
        ("patched", "since 1.80.17"),
        ("gone", "until 1.70"),
        ("middle", "1.79 to 1.80.0"),
        ("only", "1.79 only"),
    ],
)
def test_a_span_is_said_as_shortly_as_the_scanned_releases_allow(key: str, words: str) -> None:
    assert TABLE.words("router", key) == words


def test_a_key_that_no_release_reads_has_no_span() -> None:
    assert TABLE.span("router", "never") is None
    assert TABLE.span("router", "gone") == ("1.70.4", "1.70.4")


def test_where_else_a_key_is_read_is_said_in_words_of_the_file() -> None:
    catalogue = Catalogue("1", router=frozenset({"timeout", "num_retries"}), litellm=frozenset({"num_retries"}))
    assert catalogue.elsewhere("num_retries") == ("router_settings", "litellm_settings")
    assert catalogue.elsewhere("num_retries", "litellm") == ("router_settings",)
    assert catalogue.elsewhere("rate_limits") == ()
    assert TABLE.elsewhere("alerting") == ("general_settings",)
    assert TABLE.elsewhere("alerting", "general") == ()


NAMES = """
    enable_pre_call_checks redis_host redis_port redis_password routing_strategy num_retries max_fallbacks fallbacks
    context_window_fallbacks timeout stream_timeout cooldown_time allowed_fails model_group_alias ttl success_callback
    failure_callback service_callback
"""
KNOWN = frozenset(NAMES.split())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("enable_pre_call_check", "enable_pre_call_checks"),
        ("routing_stategy", "routing_strategy"),
        ("routing-strategy", "routing_strategy"),
        ("Timeout", "timeout"),
        ("timeotu", "timeout"),
        ("fallback", "fallbacks"),
        ("redis_pasword", "redis_password"),
        ("service_callbacks", "service_callback"),
        ("modle_group_alias", "model_group_alias"),
    ],
)
def test_a_slip_is_recognised(typed: str, meant: str) -> None:
    assert nearest(typed, KNOWN) == (meant,)


@pytest.mark.parametrize(
    "typed", ["redis_user", "tls", "rate_limit_settings", "max_retries", "server_settings", "budgets", "", "日本"]
)
def test_another_word_is_no_slip(typed: str) -> None:
    assert nearest(typed, KNOWN) == ()


@pytest.mark.parametrize("key", sorted(KNOWN))
def test_a_known_name_is_never_its_own_correction(key: str) -> None:
    assert key not in nearest(key, KNOWN)
    assert "redis_port" not in nearest("redis_host", KNOWN)


def test_what_is_near_is_asked_of_the_kind_alone() -> None:
    kinds: tuple[CatalogueKind, ...] = ("general", "litellm")
    catalogue = Catalogue("1", general=frozenset({"master_key"}), litellm=frozenset({"drop_params"}))
    assert [catalogue.close(kind, "drop_parms") for kind in kinds] == [(), ("drop_params",)]
    assert TABLE.close("router", "time_out") == ("timeout",)
