"""Every word for the cache, from what both versions answered."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_tui.analysis.health.cache import HitRate, hit_rate, is_slow, judge_cache
from litellm_tui.collectors.gateway import client
from litellm_tui.model.diagnosis import Verdict
from litellm_tui.model.failures import Failure, Malformed, Unauthorized, Unreachable
from litellm_tui.model.gateway import CacheCount, CacheCounts
from litellm_tui.model.reading import Reading
from tests.recorded import VERSIONS, decoded, made_file

WANTED = made_file(litellm_settings={"cache": True})
UNWANTED = made_file(litellm_settings={})


def _judge(value: Any, took: float = 0.003, reachable: bool = True, wanted: bool = True) -> Verdict:
    if isinstance(value, Failure):
        reading: Reading[Any] = Reading(failure=value, tried_at=1.0)
    else:
        reading = Reading(value=value, seen_at=1.0, took=took)
    return judge_cache(reading, Reading(), reachable, WANTED if wanted else UNWANTED)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "word", "severity"),
    [
        ("cache-ping", "healthy", "ok"),
        ("cache-ping-local", "not tested", "quiet"),
        ("cache-ping-redis-stopped", "down", "bad"),
        ("cache-ping-off", "off", "warn"),
    ],
)
def test_the_recorded_states_each_have_their_word(version: str, name: str, word: str, severity: str) -> None:
    judged = _judge(decoded(version, name, client.CACHE_PING))
    assert (judged.state, judged.severity) == (word, severity)
    assert judged.reason
    assert bool(judged.do) == (severity in ("bad", "warn"))


def test_off_is_quiet_where_nobody_asked_for_a_cache() -> None:
    off = decoded("1.106.2", "cache-ping-off", client.CACHE_PING)
    assert (_judge(off, wanted=False).severity, _judge(off, wanted=True).severity) == ("quiet", "warn")
    assert judge_cache(Reading(failure=off), Reading(), True, None).severity == "quiet"


def test_the_address_and_the_reason_of_a_dead_cache_are_told() -> None:
    judged = _judge(decoded("1.77.7", "cache-ping-redis-stopped", client.CACHE_PING))
    assert "Connection closed by server." in judged.reason
    assert "redis at 127.0.0.1:" in judged.reason


@pytest.mark.parametrize(
    ("failure", "word", "severity"),
    [
        (Unauthorized("HTTP 401", sent=False), "needs a key", "unknown"),
        (Unreachable("no answer within 4 s", kind="timeout"), "no answer", "bad"),
        (Unreachable("connection refused", kind="refused"), "unknown", "warn"),
        (Malformed("HTML"), "unknown", "warn"),
    ],
)
def test_a_failure_to_ask_is_a_state_of_its_own(failure: Failure, word: str, severity: str) -> None:
    judged = _judge(failure)
    assert (judged.state, judged.severity) == (word, severity)
    assert failure.why in judged.reason


@pytest.mark.parametrize(("server", "state"), [(0.002, "healthy"), (0.9, "slow")])
def test_a_busy_litellm_is_no_slow_cache(server: float, state: str) -> None:
    ping: Reading[Any] = Reading(value=decoded(VERSIONS[0], "cache-ping", client.CACHE_PING), seen_at=1.0, took=2.5)
    assert judge_cache(ping, Reading(value="PONG", seen_at=1.0, took=server), True, WANTED).state == state


def test_a_slow_ping_is_told_and_a_quick_one_is_not() -> None:
    healthy = decoded("1.106.2", "cache-ping", client.CACHE_PING)
    assert _judge(healthy, took=2.5).state == "slow"
    assert "2.5 s" in _judge(healthy, took=2.5).reason
    assert _judge(healthy, took=0.9).state == "healthy"


def test_a_late_word_that_the_cache_is_down_is_no_slowness() -> None:
    """LiteLLM stands still for a while to find that out: it is not asked for it twice."""
    assert not is_slow(decoded("1.106.2", "cache-ping-redis-stopped", client.CACHE_PING), 7.0)
    assert is_slow(decoded("1.106.2", "cache-ping", client.CACHE_PING), 2.5)


def test_behind_a_dead_gateway_nothing_is_known_of_the_cache() -> None:
    healthy = decoded("1.106.2", "cache-ping", client.CACHE_PING)
    assert _judge(healthy, reachable=False).state == "unknown"
    assert judge_cache(Reading(), Reading(), True, WANTED).reason == "not asked yet"


def test_an_old_value_does_not_hide_a_new_failure() -> None:
    healthy = decoded("1.106.2", "cache-ping", client.CACHE_PING)
    reading = Reading(value=healthy, seen_at=1.0, failure=Unreachable("no answer", kind="timeout"), tried_at=20.0)
    assert judge_cache(reading, Reading(), True, WANTED).state == "no answer"


# --- hits over time ----------------------------------------------------------------------------------------------


def _counts(*pairs: tuple[float, float]) -> CacheCounts:
    return CacheCounts("redis", tuple(CacheCount(30.0 * n, hits, misses) for n, (hits, misses) in enumerate(pairs)))


def test_the_hit_rate_is_of_what_was_asked_between_the_readings() -> None:
    rate = hit_rate(_counts((100, 900), (103, 901), (103, 901), (104, 904)))
    assert rate == HitRate(4, 8, 90, (0.75, 0.0, 0.25))


def test_without_two_readings_or_without_lookups_there_is_no_rate() -> None:
    assert hit_rate(None) is None
    assert hit_rate(_counts((5, 5))) is None
    assert hit_rate(_counts((5, 5), (5, 5))) is None


def test_many_readings_are_drawn_in_few_steps() -> None:
    rate = hit_rate(_counts(*((n, n) for n in range(100))))
    assert rate is not None
    assert 10 <= len(rate.steps) <= 11
    assert set(rate.steps) == {0.5}
