"""The response cache."""

from __future__ import annotations

import time

from tests.proving.case import Case, Proof, fails, logs, refused, serves
from tests.proving.cases_litellm import MODEL, asked
from tests.proving.run import Run


def cached(messages: int, expected: bool) -> Proof:
    """Whether a second request of so many messages is answered from the cache."""

    def proof(run: Run) -> None:
        said = [{"role": "user", "content": f"{messages} messages"}] * messages
        body = {"model": "cached", "messages": said}
        before = len(run.upstream_calls())
        for _ in range(2):
            assert run.post("/v1/chat/completions", body).status == 200
            time.sleep(0.5)
        assert len(run.upstream_calls()) - before == (1 if expected else 2)

    return proof


def four_at_most(run: Run) -> None:
    cached(4, True)(run)
    cached(5, False)(run)


CASES: tuple[Case, ...] = (
    Case(
        "cache-as-text",
        f"""{MODEL}\
litellm_settings:
  cache: "true"
  cache_params: {{type: local}}
""",
        finds={"cache-not-a-switch": 5},
        proof=fails("m", "has no attribute 'cache'"),
        fixed=serves("m"),
    ),
    Case(
        "cache-params-empty",
        "litellm_settings:\n  cache: true\n  cache_params:\n",
        finds={"cache-params-no-mapping": 3},
        proof=refused("'NoneType' object is not iterable"),
    ),
    Case(
        "cache-nowhere",
        "litellm_settings:\n  cache: true\n  cache_params: {type: redis, redis_host: 127.0.0.1}\n",
        finds={"cache-without-address": 3},
        proof=refused("Either 'host' or 'url' must be specified for redis"),
    ),
    Case(
        "cache-of-no-type",
        "litellm_settings:\n  cache: true\n  cache_params:\n    host: 127.0.0.1\n    port: 1\n",
        finds={"cache-type-missing": 4},
        proof=asked("/cache/ping", 200, "LOCAL"),
    ),
    Case(
        "cache-in-memory",
        "litellm_settings:\n  cache: true\n  cache_params:\n    type: in-memory\n",
        finds={"unknown-cache-type": 4},
        proof=refused("'Cache' object has no attribute 'cache'"),
        fixed=logs("Setting Cache on Proxy"),
    ),
    Case(
        "cache-with-pool",
        """\
litellm_settings:
  cache: true
  cache_params:
    host: 127.0.0.1
    type: redis
    connection_pool_kwargs: {max_connections: 5}
""",
        finds={"unknown-cache-param": 6},
        proof=refused("unexpected keyword argument 'connection_pool_kwargs'"),
    ),
    Case(
        "cache-semantic",
        "litellm_settings:\n  cache: true\n  cache_params:\n    type: qdrant-semantic\n",
        finds={"cache-incomplete": 4},
        proof=refused("must be provided"),
    ),
    Case(
        "cache-of-long-talks",
        """\
model_list:
  - model_name: cached
    litellm_params: {model: openai/cached, api_base: "{upstream}", api_key: k}
litellm_settings:
  cache: true
  cache_params: {type: local, ttl: 600}
""",
        finds={"cache-four-messages": 5},
        proof=four_at_most,
        otherwise=cached(5, True),
        since="1.106",
    ),
)
