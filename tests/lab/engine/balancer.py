"""What stands in front of the pods of a Service in place of kube-proxy: each connection goes to one that is ready."""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import threading
import urllib.request
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from tests.lab.engine.forwarder import carry
from tests.lab.engine.kubernetes import NAMESPACE, TOKEN, Cluster

_LOOK_SECONDS: Final = 0.25


class Balancer:
    """Listens on `port` of 127.0.0.1; where a pod refuses, the client is refused too."""

    def __init__(self, cluster: Cluster, service: str) -> None:
        self._url = f"{cluster.server}/api/v1/namespaces/{NAMESPACE}/endpoints/{service}"
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.ready: list[tuple[str, int]] = []
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        for task in (self._serve, self._watch):
            threading.Thread(target=task, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _watch(self) -> None:
        request = urllib.request.Request(self._url, headers={"Authorization": f"Bearer {TOKEN}"})
        own = ssl.create_default_context()
        own.check_hostname, own.verify_mode = False, ssl.CERT_NONE
        while not self._ended.wait(_LOOK_SECONDS):
            # as kube-proxy: while the API server is away, what was ready last counts
            with suppress(OSError, ValueError), urllib.request.urlopen(request, timeout=5, context=own) as answer:
                subsets = json.load(answer).get("subsets") or []
                self.ready = [
                    (address["ip"], subset["ports"][0]["port"])
                    for subset in subsets
                    for address in subset.get("addresses") or ()
                ]

    def _serve(self) -> None:
        for turn in itertools.count():
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            ready = self.ready
            try:
                far = socket.create_connection(ready[turn % len(ready)], timeout=5)
                far.settimeout(None)
            except (OSError, ZeroDivisionError):
                near.close()
                continue
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=carry, args=(source, target), daemon=True).start()
