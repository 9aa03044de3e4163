"""Serves what was seen last as metrics for Prometheus: `GET /metrics` at an address of this machine."""

from __future__ import annotations

import ipaddress
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from litellm_tui import __version__
from litellm_tui.analysis.exported import Family, Totals, count_up, families
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.failures import NotAvailable
from litellm_tui.model.snapshot import Snapshot

PORT: Final = 9419
ANYWHERE: Final = "--listen-anywhere"


class Listen(NamedTuple):
    """Where it listens; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str, *, anywhere: bool = False, port: int = PORT) -> Listen:
    """`127.0.0.1:9419`, `[::1]:9419`, `localhost:9419`, or the host alone, which means `port`.

    Raises ValueError where it is none, and for an address that other machines reach, unless `anywhere` says so: the
    metrics need no login, and name groups, models and the gateway.
    """
    host, number = _split(text, port)
    if not (number.isascii() and number.isdigit() and len(number) <= 5 and int(number) <= 65535):
        raise ValueError(f"{text[:80]!r}: expected HOST:PORT such as 127.0.0.1:{port}")
    host = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise ValueError(f"{text[:80]!r}: expected an address such as 127.0.0.1:{port}, not a name") from error
    if not loopback and not anywhere:
        raise ValueError(
            f"{host} is reached from other machines, and the metrics need no login: {ANYWHERE} agrees to that"
        )
    return Listen(host, int(number))


def _split(text: str, usual: int) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":") or str(usual)
    if text.count(":") > 1:
        return text, str(usual)
    host, _, port = text.partition(":")
    return host, port or str(usual)


class Exporter:
    """`take` is given each look; `start` listens in a thread of its own, `stop` ends that.

    `gateway` names the gateway for people. The library is loaded at the start and not before.
    """

    def __init__(self, listen: Listen, gateway: str) -> None:
        self._listen, self._gateway = listen, gateway
        self._totals = Totals()
        self._seen: tuple[Snapshot, Diagnosis, Callable[[str], str]] | None = None
        self._lock = threading.Lock()
        self._server: Any = None
        self._thread: threading.Thread | None = None

    def start(self) -> Listen | NotAvailable:
        """Where it listens now, or why it cannot."""
        from prometheus_client import CollectorRegistry, start_http_server

        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(self._newest))
        try:
            self._server, self._thread = start_http_server(self._listen.port, self._listen.host, registry)
        except OSError as error:
            return NotAvailable(f"cannot listen at {self._listen}: {error.strerror or error}")
        return Listen(self._listen.host, self._server.server_port)

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def take(
        self, snapshot: Snapshot, diagnosis: Diagnosis, now: float, mask: Callable[[str], str] = lambda text: text
    ) -> None:
        """This is the newest look: what is asked for is made when it is."""
        with self._lock:
            count_up(self._totals, snapshot, diagnosis, now)
            self._seen = snapshot, diagnosis, mask

    def _newest(self) -> list[Family]:
        with self._lock:
            if self._seen is None:
                return []
            snapshot, diagnosis, mask = self._seen
            return families(snapshot, diagnosis, self._totals, __version__, self._gateway, mask)


class _Collector:
    """What prometheus_client asks at each scrape."""

    def __init__(self, newest: Callable[[], list[Family]]) -> None:
        self._newest = newest

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        for one in self._newest():
            if one.kind == "histogram":
                yield _histogram(HistogramMetricFamily(one.name, one.help, labels=one.labels), one)
                continue
            kind = CounterMetricFamily if one.kind == "counter" else GaugeMetricFamily
            family = kind(one.name, one.help, labels=one.labels)
            for labels, value in one.samples:
                family.add_metric(labels, value)
            yield family


def _histogram(family: Any, one: Family) -> Any:
    for labels, buckets in one.histograms:
        # LiteLLM's own sums are not read: the buckets are what quantiles come from
        family.add_metric(labels, [(_bound(bound), number) for bound, number in buckets], sum_value=None)
    return family


def _bound(bound: float) -> str:
    return "+Inf" if math.isinf(bound) else repr(bound)
