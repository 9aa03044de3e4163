"""All that is known of one gateway at one moment.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

import msgspec

from litellm_tui.model.configuration import Configuration
from litellm_tui.model.database import Database
from litellm_tui.model.failures import Crash, Unrecorded
from litellm_tui.model.gateway import CacheCounts, Gateway, RedisServer
from litellm_tui.model.log import Log, LogRecord
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.service_drift import ServiceDrift
from litellm_tui.model.service_minutes import ServiceMinute
from litellm_tui.model.service_words import UNIT_WORDS, ServiceWords
from litellm_tui.model.traffic import Failures, Traffic


class Snapshot(msgspec.Struct, frozen=True):
    """All that is known at `taken_at`. Screens and commands show this and nothing else.

    `redis_answer` is the Redis server's own answer to a PING, `redis_server` what it told of itself last, `database`
    what Postgres itself says. `probes` holds the last probe of each deployment. `expected_down` maps a deployment's
    key, or a group's name, to the operator's note on why it may be down. `last_records` are the newest of the log while
    the gateway does not answer. `address` is the host and port of the gateway. `crashes` are the sources that the
    console itself fails to read. `service_minutes` are what the runs of the service took, `service_drift` is
    what differs between what runs and what is written for the service,
    `words` are the words of this kind of service for where its environment is written. `unrecorded` is set while the
    record of the gateway cannot be written.
    """

    taken_at: float
    gateway: Gateway = Gateway()
    configuration: Configuration = Configuration()
    service: Reading[Service] = Reading()
    log: Log = Log()
    traffic: Traffic = Traffic()
    failures: Failures = Failures()
    redis_answer: Reading[str] = Reading()
    redis_server: RedisServer | None = None
    cache_counts: CacheCounts | None = None
    database: Database = Database()
    probes: tuple[ProbeResult, ...] = ()
    expected_down: dict[str, str] = {}
    address: str = ""
    last_records: tuple[LogRecord, ...] = ()
    crashes: tuple[Crash, ...] = ()
    service_minutes: tuple[ServiceMinute, ...] = ()
    service_drift: Reading[ServiceDrift] = Reading()
    words: ServiceWords = UNIT_WORDS
    unrecorded: Unrecorded | None = None
