"""What stands against an upgrade of one installation, told from files and /proc. Every function blocks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from typing import Final

from litellm_tui.host import proc
from litellm_tui.host.process_table import ProcessTable
from litellm_tui.model.installation import OWN_ENVIRONMENT, Installation
from litellm_tui.monitor.release_choice import held_against

# the packages of another release, beside a copy of what is there
_ROOM: Final = 600_000_000
_REASONS: Final[dict[str, str]] = {
    "system": "it is installed into the machine's own Python, which other programs and the system's packages use: "
    "install LiteLLM into a virtual environment of its own",
    "user": "it is installed beside the machine's own Python, for every program of this user: install LiteLLM into a "
    "virtual environment of its own",
    "conda": "conda keeps a record of its own of what is installed: conda install, or mamba, does it",
    "cache": "uvx has made it in its cache, and makes it anew when it likes: name the release where it is started "
    "(uvx --from 'litellm[proxy]==VERSION' litellm)",
    "unknown": "how it is installed is not known",
}


def of_installation(installed: Installation) -> Iterator[str]:
    """Why its environment cannot be exchanged for another."""
    if installed.how == "project":
        yield (
            f"{installed.locked} decides what is in it, and whatever syncs it takes the upgrade back: change it there "
            "(uv lock --upgrade-package litellm==VERSION, or what its tool says)"
        )
    elif installed.how not in OWN_ENVIRONMENT:
        yield _REASONS[installed.how]
    if installed.source:
        yield f"LiteLLM was installed from {installed.source}, and from no index: build that anew"
    if installed.programs:
        yield (
            f"it is shared with other programs, whose packages would change with it: {', '.join(installed.programs)}; "
            "give LiteLLM an environment of its own"
        )
    if installed.how in OWN_ENVIRONMENT:
        yield from _of_place(installed)


def _of_place(installed: Installation) -> Iterator[str]:
    beside = os.path.dirname(installed.folder)
    if not os.access(beside, os.W_OK | os.X_OK):
        yield f"{beside} may not be written by this user, and the new environment stands in it: run this as its owner"
    elif not os.access(installed.folder, os.W_OK):
        yield f"{installed.folder} may not be written by this user: run this as its owner"
    if os.path.ismount(installed.folder):
        yield f"{installed.folder} is a mount point: it cannot be exchanged for another by rename"
    free, needed = shutil.disk_usage(installed.folder).free, _size(installed.folder) + _ROOM
    if free < needed:
        yield f"{free / 1e9:.1f} GB are free in {beside}, and {needed / 1e9:.1f} GB are wanted: make room"


def _size(folder: str) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except OSError:
                continue
    return total


def of_processes(installed: Installation, own: Collection[int], table: ProcessTable | None = None) -> Iterator[str]:
    """Which other processes run from this environment: `own` are those of the gateway."""
    table = table or ProcessTable()
    places = tuple({f"{root}/bin/" for root in (installed.path, installed.folder)})
    for pid in table.pids():
        words = table.words(pid)
        program = next((word for word in words[:2] if word.startswith(places)), "")
        if program and pid not in own and pid != os.getpid():
            name = os.path.basename(words[1] if len(words) > 1 and words[1].startswith(places) else program)
            yield f"another process runs from it: {name}, PID {pid}, which that may break: end it first"
            return


def family_of(pid: int) -> frozenset[int]:
    """The processes of a service, by its main process."""
    return frozenset(proc.family(pid)) | {pid} if pid else frozenset()


def of_release(version: str) -> Iterator[str]:
    """Why a release is not to be installed."""
    for one in held_against(version):
        if one.kind == "compromised":
            yield f"LiteLLM {version} is compromised: {one.summary} [{one.source}]"
        elif one.kind == "yanked":
            yield f"LiteLLM {version} was withdrawn: {one.summary} [{one.source}]"


def known_against(version: str) -> tuple[str, ...]:
    """What is known against a release, the worst first, each in a few words."""
    return tuple(f"{one.known_as} ({one.kind}): {one.summary}" for one in held_against(version))
