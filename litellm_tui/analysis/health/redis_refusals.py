"""Why a Redis that answers a PING is of no use as a cache: what it refuses, by its own words and figures.

The words are those of Redis 7.0 and redis-py, as LiteLLM 1.77.7 and 1.106.2 log them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from litellm_tui.analysis.phrases import size
from litellm_tui.model.gateway import RedisServer
from litellm_tui.model.traffic import FailureTally


class Refusal(NamedTuple):
    """One refusal: `brief` in three words, `why` in a sentence, and the next step."""

    brief: str
    why: str
    do: str


REFUSALS: Final[dict[str, Refusal]] = {
    "OOM": Refusal(
        "Redis is full",
        "Redis answers and refuses every write: its memory is full and its policy lets it drop nothing",
        "raise maxmemory of Redis, or set maxmemory-policy allkeys-lru (redis-cli CONFIG SET, and its file)",
    ),
    "READONLY": Refusal(
        "read-only replica",
        "Redis answers and refuses every write: it is a read-only replica",
        "point cache_params (host, port) at the primary, or make this one primary (REPLICAOF NO ONE)",
    ),
    "MISCONF": Refusal(
        "Redis cannot save",
        "Redis answers and refuses every write: it cannot save to its disk",
        "look at its disk (room, rights, its log), then redis-cli BGSAVE; CONFIG SET stop-writes-on-bgsave-error no "
        "lets writes go on meanwhile",
    ),
    "NOREPLICAS": Refusal(
        "too few replicas",
        "Redis answers and refuses every write: too few replicas follow it",
        "bring its replicas back, or lower min-replicas-to-write",
    ),
    "NOAUTH": Refusal(
        "Redis wants a password",
        "Redis wants a password, and the cache's settings give none",
        "set password in cache_params, or REDIS_PASSWORD in the service's environment, and restart",
    ),
    "WRONGPASS": Refusal(
        "wrong Redis password",
        "Redis refuses the user or password of the cache's settings",
        "correct password (and username) in cache_params, or REDIS_PASSWORD, and restart",
    ),
    "NOPASS": Refusal(
        "password not wanted",
        "the cache's settings give a password, and Redis has none: it refuses the login",
        "take password out of cache_params, or set requirepass in Redis",
    ),
    "NOPERM": Refusal(
        "Redis forbids it",
        "Redis forbids its user what a cache needs",
        "give that user the commands and keys it needs (redis-cli ACL LIST)",
    ),
    "CLUSTER": Refusal(
        "Redis is a cluster",
        "this Redis is a cluster, and the cache's settings name one server: keys of other nodes are refused "
        "(MOVED, CROSSSLOT)",
        "set redis_startup_nodes in cache_params, with host and port of the nodes, in place of host and port",
    ),
    "CLUSTERDOWN": Refusal(
        "Redis cluster down",
        "this Redis is a cluster that does not serve its keys: nodes are down, or slots belong to nobody",
        "see redis-cli CLUSTER INFO and CLUSTER NODES; bring the missing nodes back",
    ),
    "LOADING": Refusal(
        "Redis is loading",
        "Redis has started and still loads its data: until then it refuses everything",
        "wait; redis-cli INFO persistence says how long (loading_eta_seconds)",
    ),
    "MASTERDOWN": Refusal(
        "no primary",
        "this Redis is a replica that has lost its primary",
        "bring the primary back, or point cache_params at one that lives",
    ),
    "TLS wanted": Refusal(
        "Redis wants TLS",
        "this port of Redis speaks TLS, and the cache's settings do not",
        "set ssl: true in cache_params (or rediss:// in url), or name the plain port",
    ),
    "TLS unspoken": Refusal(
        "Redis speaks no TLS",
        "the cache's settings want TLS, and this port of Redis does not speak it",
        "take ssl out of cache_params (redis:// in url), or name the port with TLS",
    ),
    "TLS": Refusal(
        "TLS with Redis",
        "the TLS connection to Redis fails",
        "look at its certificate, at ssl_ca_certs in cache_params, and whether that port speaks TLS",
    ),
}  # fmt: skip
# the first that matches counts
_WORDS: Final = (
    ("OOM", re.compile(r"command not allowed when used memory")),
    ("READONLY", re.compile(r"write against a read only (?:replica|slave)")),
    ("MISCONF", re.compile(r"MISCONF|configured to save RDB snapshots|Errors writing to the AOF file")),
    ("NOREPLICAS", re.compile(r"NOREPLICAS|Not enough good (?:replicas|slaves) to write")),
    ("NOPASS", re.compile(r"AUTH <password> called without any password|Client sent AUTH, but no password is set")),
    ("WRONGPASS", re.compile(r"WRONGPASS|invalid username-password pair|invalid password")),
    ("NOAUTH", re.compile(r"NOAUTH|Authentication required|must be called with the client already authenticated")),
    ("NOPERM", re.compile(r"NOPERM|has no permissions to (?:run|access)|this user has no permissions")),
    ("CLUSTERDOWN", re.compile(r"CLUSTERDOWN|The cluster is down|Hash slot not served")),
    ("CLUSTER", re.compile(r"\bMOVED [0-9]{1,5} |CROSSSLOT|don't hash to the same slot")),
    ("MASTERDOWN", re.compile(r"MASTERDOWN|Link with MASTER is down")),
    ("LOADING", re.compile(r"Redis is loading the dataset")),
    ("TLS unspoken", re.compile(r"WRONG_VERSION_NUMBER|wrong version number|record layer failure")),
    ("TLS", re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed")),
)  # fmt: skip
_READ: Final = 2000


def refusal_in(words: str) -> str:
    """The refusal that an error text of LiteLLM tells of; empty where it tells of none, or not of Redis."""
    text = words[:_READ]
    if "redis" not in text.lower() and "cache" not in text.lower():
        return ""
    return next((code for code, pattern in _WORDS if pattern.search(text)), "")


def logged_refusal(tallies: Iterable[FailureTally], since: float) -> tuple[str, FailureTally] | None:
    """The newest refusal of Redis in LiteLLM's log at or after `since` (seconds since the epoch)."""
    found = [(code, tally) for tally in tallies if tally.last >= since and (code := refusal_in(tally.words))]
    return max(found, key=lambda one: one[1].last, default=None)


def told_refusal(server: RedisServer) -> str:
    """The refusal that the server's own figures tell of; empty where they tell of none."""
    if server.refusal in REFUSALS:
        return server.refusal
    if server.tls:
        return f"TLS {server.tls}"
    if server.loading:
        return "LOADING"
    if server.cluster:
        # one node that has all keys serves a plain client too
        alone = server.cluster_nodes == 1 and server.cluster_state == "ok"
        return "" if alone else "CLUSTERDOWN" if server.cluster_state == "fail" else "CLUSTER"
    if server.read_only:
        return "READONLY"
    if server.aof_failed or (server.save_failed and server.keeps_on is False):
        return "MISCONF"
    if server.lacks_replicas:
        return "NOREPLICAS"
    keeps = server.policy == "noeviction" or (server.policy.startswith("volatile") and not server.volatile)
    if server.max_memory and server.held > server.max_memory and keeps:
        return "OOM"
    return ""


def figures(code: str, server: RedisServer | None) -> str:
    """The figures behind a refusal, for the end of its sentence; empty where there are none."""
    if server is None:
        return ""
    if code == "OOM" and server.max_memory:
        return f" ({size(server.held)} held, maxmemory {size(server.max_memory)}, policy {server.policy})"
    if code == "READONLY" and server.master_link:
        return f" (its link to the primary is {server.master_link})"
    if code == "CLUSTER" and server.cluster_nodes:
        return f" ({server.cluster_nodes} nodes with slots)"
    return ""
