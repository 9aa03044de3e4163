"""Every word for the cache, from what both versions answered."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_tui.analysis.health.cache import MISCONFIGURED, HitRate, hit_rate, is_slow, judge_cache
from litellm_tui.collectors.gateway import client
from litellm_tui.model.diagnosis import Verdict
from litellm_tui.model.failures import Failure, Malformed, Unauthorized, Unreachable
from litellm_tui.model.gateway import CacheCount, CacheCounts, CachePing, RedisServer
from litellm_tui.model.reading import Reading
from litellm_tui.model.traffic import FailureTally
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
        (Unreachable("connection refused", kind="refused"), "unknown", "unknown"),
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


# --- a Redis that answers and refuses ----------------------------------------------------------------------------

FULL = RedisServer(version="7.0.15", role="master", held=5000, max_memory=4000, policy="noeviction")
SETTING = "LiteLLM Redis Caching: async set() - Got exception from REDIS: "
# what LiteLLM 1.106.2 wrote for each of them, behind these words
LINES = {
    "Redis is full": "command not allowed when used memory > 'maxmemory'.",
    "read-only replica": "You can't write against a read only replica.",
    "Redis cannot save": "MISCONF Redis is configured to save RDB snapshots, but it's currently unable",
    "Redis wants a password": "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH "
    "<user> <pass> option can be used to authenticate the client",
    "wrong Redis password": "invalid username-password pair or user is disabled.",
    "password not wanted": "AUTH <password> called without any password configured for the default user.",
    "Redis forbids it": "User cache has no permissions to run the 'set' command",
    "Redis is a cluster": "MOVED 1180 10.0.0.4:6379",
    "Redis cluster down": "CLUSTERDOWN Hash slot not served",
    "Redis is loading": "Redis is loading the dataset in memory",
}


def _ping(version: str = "1.106.2", seen_at: float = 100.0) -> Reading[CachePing]:
    return Reading(value=decoded(version, "cache-ping", client.CACHE_PING), seen_at=seen_at, tried_at=seen_at, took=0.1)


def _line(words: str, last: float) -> FailureTally:
    return FailureTally("", "", "", words, "other", words, last, last, 1, subject="cache")


def test_a_server_that_is_full_is_failing_though_litellm_says_healthy() -> None:
    answer = Reading(value="PONG", seen_at=101.0, tried_at=101.0, took=0.001)
    judged = judge_cache(_ping(), answer, True, WANTED, FULL)
    assert (judged.state, judged.severity, judged.brief) == ("failing", "bad", "Redis is full")
    assert "noeviction" in judged.reason
    assert "maxmemory" in judged.do
    assert "healthy" in judged.contradiction
    assert judge_cache(_ping(), answer, False, WANTED, FULL).state == "failing"
    roomy = RedisServer(held=3000, max_memory=4000, policy="noeviction")
    assert judge_cache(_ping(), answer, True, WANTED, roomy).state == "healthy"


@pytest.mark.parametrize("brief", LINES)
def test_litellms_own_lines_name_what_redis_refuses(brief: str) -> None:
    judged = judge_cache(_ping(), Reading(), True, WANTED, None, (_line(SETTING + LINES[brief], 100.1),))
    assert (judged.state, judged.severity, judged.brief) == ("failing", "bad", brief)
    assert any(LINES[brief][:40] in evidence.text for evidence in judged.evidence)


def test_a_line_from_before_a_ping_that_brought_none_is_over() -> None:
    line = _line(SETTING + LINES["Redis is full"], 95.0)
    assert judge_cache(_ping(seen_at=100.0), Reading(), True, WANTED, None, (line,)).state == "healthy"
    assert judge_cache(_ping(seen_at=95.5), Reading(), True, WANTED, None, (line,)).state == "failing"


def test_lines_about_something_else_say_nothing_of_redis() -> None:
    lines = (
        "litellm.AuthenticationError: invalid password",
        "Redis: Connection closed by server.",
        "relation MOVED 12 is unknown",
    )
    for words in lines:
        assert judge_cache(_ping(), Reading(), True, WANTED, None, (_line(words, 100.1),)).state == "healthy", words


@pytest.mark.parametrize("server", [
    RedisServer(refusal="NOAUTH"), RedisServer(refusal="WRONGPASS"), RedisServer(tls="wanted"),
])  # fmt: skip
def test_litellm_may_have_another_way_in_than_the_file_shows(server: RedisServer) -> None:
    answer = Reading(value="NOAUTH", seen_at=101.0, tried_at=101.0, took=0.001)
    assert judge_cache(_ping(), answer, True, WANTED, server).state == "healthy"
    down = decoded("1.106.2", "cache-ping-redis-stopped", client.CACHE_PING)
    asked = Reading(value=down, seen_at=100.0, tried_at=100.0, took=0.1)
    judged = judge_cache(asked, answer, True, WANTED, server)
    assert judged.state == "failing"
    assert "password" in judged.brief or "TLS" in judged.brief


def test_a_server_behind_tls_is_named_and_not_called_down() -> None:
    answer: Reading[str] = Reading(failure=Unreachable("closes the connection", kind="closed"), tried_at=5.0)
    assert judge_cache(Reading(), answer, False, WANTED, RedisServer(tls="wanted")).brief == "Redis wants TLS"


def test_a_cache_of_another_type_is_not_judged_by_redis() -> None:
    local = Reading(value=decoded("1.106.2", "cache-ping-local", client.CACHE_PING), seen_at=1.0, tried_at=1.0)
    line = _line(SETTING + LINES["Redis is full"], 1.0)
    assert judge_cache(local, Reading(), True, WANTED, None, (line,)).state == "not tested"


@pytest.mark.parametrize("given", [{"type": "redis"}, "true", 1, ["redis"], None])
def test_a_switch_that_is_neither_true_nor_false_is_no_dead_redis(given: Any) -> None:
    """LiteLLM took it for the cache itself, and fails before it asks anything (seen on 1.106.2)."""
    body = (
        b'{"error":{"message":"{\\"message\\": \\"Service Unhealthy\\", \\"litellm_cache_params\\": \\"{}\\", '
        b'\\"health_check_cache_params\\": \\"{}\\"}","type":"cache_ping_error","param":"cache_ping","code":"503"}}'
    )
    asked = Reading(value=client.CACHE_PING.decode(503, body), seen_at=1.0, tried_at=1.0, took=0.1)
    judged = judge_cache(asked, Reading(), True, made_file(litellm_settings={"cache": given}))
    assert (judged.state, judged.severity) == (MISCONFIGURED, "bad")
    assert "every request fails" in judged.reason
    assert "cache: true" in judged.do
    assert "Redis" not in judged.reason + judged.do + judged.brief


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
