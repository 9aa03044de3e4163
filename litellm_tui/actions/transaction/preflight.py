"""What is tried before anything is changed: the interpreter, the port, room on the disk, the right to go back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from litellm_tui.actions.writable import way_to_write
from litellm_tui.analysis.addresses import is_this_machine
from litellm_tui.analysis.change.preflight import PreflightCheck, preflight_checks
from litellm_tui.collectors.config.file_times import changed_at
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.moved_gateway import is_given
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile

# for copies of the configuration, and for what the service itself writes at its start
LEAST_BYTES = 16_000_000
_PORT_SECONDS = 1.0


async def inspect(
    profile: Profile, snapshot: Snapshot, diagnosis: Diagnosis, state: Path
) -> tuple[PreflightCheck, ...]:
    """Every check; `state` is the folder that the backup goes to. Nothing is changed by it."""
    found = list(preflight_checks(snapshot, diagnosis))
    found += await asyncio.to_thread(lambda: list(_tried(profile, snapshot, state)))
    if (port := await _port(profile, snapshot)) is not None:
        found.append(port)
    return tuple(found)


def refusals(found: tuple[PreflightCheck, ...]) -> str:
    """Why a restart is refused; empty when it is not."""
    return "; ".join(check.text for check in found if check.state == "refused")


def _tried(profile: Profile, snapshot: Snapshot, state: Path) -> Iterator[PreflightCheck]:
    # a restart with one of these takes a healthy process down and brings none back
    for obstacle in driver(profile.service_target).obstacles():
        yield PreflightCheck("start", "refused", f"{obstacle.text}: {obstacle.do}")
    interpreter = profile.found_unit.interpreter if profile.found_unit else None
    if interpreter is not None:
        if os.access(interpreter, os.X_OK):
            yield PreflightCheck("interpreter", "ok", interpreter)
        elif os.path.exists(interpreter) or os.access(os.path.dirname(interpreter), os.X_OK):
            yield PreflightCheck(
                "interpreter", "refused", f"{interpreter} is not there, or may not be run: the unit starts it"
            )
    yield from _address(profile)
    yield from _room(state)
    yield from _way_back(profile, snapshot)


def _address(profile: Profile) -> Iterator[PreflightCheck]:
    """Whether it will answer where it is looked for, where the unit itself has said where that is."""
    if profile.unit is None or profile.found_unit is None:
        return
    then = driver(profile.service_target).next_start()
    if then is None or profile.url.value != profile.found_unit.url or then.url == profile.found_unit.url:
        return
    if is_given(profile):
        text = (
            f"the unit will listen at {then.url}, and is looked for at {profile.url.value}: it would be taken for "
            "dead; restart it with systemctl, then start this anew"
        )
        yield PreflightCheck("address", "refused", text)
        return
    yield PreflightCheck("address", "note", f"the unit will listen at {then.url}: it is followed and proved there")
    there = urlsplit(then.url)
    if there.port and is_this_machine(there.hostname or "") and _is_taken(there.hostname or "", there.port):
        text = f"something else listens on port {there.port}, where the unit will: ss -ltnp shows what"
        yield PreflightCheck("port", "refused", text)


def _is_taken(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_PORT_SECONDS).close()
    except OSError:
        return False
    return True


def _way_back(profile: Profile, snapshot: Snapshot) -> Iterator[PreflightCheck]:
    """Whether the files that are about to be applied could be written back."""
    file, service = snapshot.configuration.current, snapshot.service.value
    paths = file.files if file else (profile.config.value,) if profile.config else ()
    since = service.started_at if service else None
    definition = profile.found_unit.definition_files if profile.found_unit else ()
    for path in (*paths, *profile.kept_files):
        if not os.path.exists(path) or (way := way_to_write(path)).how == "replaced":
            continue
        if way.how:
            yield PreflightCheck("rollback", "note", f"{path} would be rolled back by writing in place: {way.why}")
            continue
        # while it is what runs there is nothing to bring back, and while nothing runs nothing to lose
        changed = since is not None and changed_at([path]) > since
        if not changed and path in definition:
            continue
        text = f"{path} cannot be written, so it would not be rolled back: {way.why}"
        yield PreflightCheck("rollback", "refused" if changed else "note", text)


def _room(state: Path) -> Iterator[PreflightCheck]:
    place = state
    while not place.exists() and place != place.parent:
        place = place.parent
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(place).free
        if free < LEAST_BYTES:
            text = f"{free / 1e6:.1f} MB are free in {place}, {LEAST_BYTES / 1e6:.0f} MB are wanted: make room"
            yield PreflightCheck("disk", "refused", text)
        else:
            yield PreflightCheck("disk", "ok", f"{free / 1e9:.1f} GB are free for the backup")


async def _port(profile: Profile, snapshot: Snapshot) -> PreflightCheck | None:
    """Whether the port is free for a service that does not run; while it runs it has the port itself."""
    service = snapshot.service.value
    address = urlsplit(profile.url.value)
    if service is None or service.active_state in ("active", "activating", "deactivating", "reloading"):
        return None
    if not is_this_machine(address.hostname or "") or address.port is None:
        return None
    try:
        async with asyncio.timeout(_PORT_SECONDS):
            _, writer = await asyncio.open_connection(address.hostname, address.port)
    except OSError:
        return PreflightCheck("port", "ok", f"{address.port} is free")
    writer.close()
    return PreflightCheck("port", "refused", f"something else listens on port {address.port}: ss -ltnp shows what")
