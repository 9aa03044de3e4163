"""The copy of a configuration that a cluster has in a ConfigMap or Secret, kept as new as that one."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any, Final

from litellm_tui.host import atomic
from litellm_tui.host.bounded import LARGE, read_bytes
from litellm_tui.host.copies import ClusterKey, cluster_copies, cluster_copy, cluster_origin
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service import Unit
from litellm_tui.services.kubernetes.definition import data_of
from litellm_tui.services.kubernetes.kubectl import Cluster, decoded
from litellm_tui.services.kubernetes.objects import ConfigMap, Read, Secret, parse_time

COPY_SECONDS: Final = 60.0


class _Changed(Read, frozen=True):
    time: str | None = None


class _Managed(Read, frozen=True):
    managed_fields: tuple[_Changed, ...] | None = None
    creation_timestamp: str | None = None


class _Stamped(Read, frozen=True):
    metadata: _Managed = _Managed()


class ConfigCopies:
    """Reads the object anew now and then, while its copy is the configuration that is looked at."""

    def __init__(self, cluster: Cluster, unit: Unit | None) -> None:
        self._cluster = cluster
        self._key = cluster_origin(unit.config) if unit is not None and unit.config else None
        self._read_at = 0.0
        self.failure: Failure | None = None

    async def renew(self) -> None:
        """Make the copy anew; one that cannot be made stays as it is, and `failure` says why."""
        now = time.monotonic()
        if self._key is not None and now - self._read_at >= COPY_SECONDS:
            self._read_at = now
            found = await asyncio.to_thread(copy_key, self._cluster, self._key)
            self.failure = found if isinstance(found, Failure) else None


def copy_key(cluster: Cluster, key: ClusterKey) -> str | Failure:
    """Read the object and copy all its keys; returns the path of the copy of this one. Blocks."""
    said = _read(cluster, key.kind, key.name)
    if isinstance(said, Failure):
        return said
    shape: Any = Secret if key.kind == "secret" else ConfigMap
    found, stamped = decoded(said, shape), decoded(said, _Stamped)
    if isinstance(found, Failure):
        return found
    values = data_of(found)
    if key.key not in values:
        return NotAvailable(f"there is no {key}: it has {', '.join(sorted(values)) or 'no key that is text'}")
    changed = changed_at(stamped) if isinstance(stamped, _Stamped) else None
    for name, value in values.items():
        if failure := _write(key_of(key, name), value.encode(), changed or time.time()):
            return failure
    return str(cluster_copy(key))


def changed_of(cluster: Cluster, kind: str, name: str) -> float | Failure | None:
    """When this ConfigMap or Secret was changed last, in seconds since the epoch. Blocks."""
    said = _read(cluster, kind, name)
    stamped = said if isinstance(said, Failure) else decoded(said, _Stamped)
    return stamped if isinstance(stamped, Failure) else changed_at(stamped)


def _read(cluster: Cluster, kind: str, name: str) -> str | Failure:
    # kubectl before 1.21 shows the times of changes without being asked, and does not know the option
    said = cluster.run_now("get", kind, name, "--output=json", "--show-managed-fields")
    if isinstance(said, NotAvailable) and "unknown flag" in said.why:
        said = cluster.run_now("get", kind, name, "--output=json")
    return said


def changed_at(stamped: _Stamped) -> float | None:
    """When the object was changed last, by the times of its fields' managers."""
    times = [parse_time(one.time) for one in stamped.metadata.managed_fields or ()]
    return max(filter(None, times), default=parse_time(stamped.metadata.creation_timestamp))


def key_of(key: ClusterKey, name: str) -> ClusterKey:
    """The key of this name of the same object."""
    return key._replace(key=name)


def _write(key: ClusterKey, content: bytes, changed: float) -> Failure | None:
    place = cluster_copy(key)
    try:
        try:
            same = read_bytes(place, LARGE) == content
        except OSError:
            same = False
        if same and abs(os.stat(place).st_mtime - changed) < 1:
            return None
        cluster_copies().mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not same:
            atomic.replace(place, content, mode=0o400, durable=False)
        os.utime(place, (changed, changed))
    except OSError as error:
        return atomic.failure_of(f"no copy of the {key} could be kept at {place}", error)
    return None
