"""The folder of a rehearsal: the derived copy of the configuration, beside links to what stands beside the original.

LiteLLM looks for callbacks, custom guardrails and the like beside its configuration, so a copy that stood alone would
fail where the original does not. The folder is in a file system of memory where there is one, as the copy holds
secrets.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Final

from litellm_tui.host.systemd_tools import runtime_environment
from litellm_tui.model.failures import Failure
from litellm_tui.storage.state import state_folder

PREFIX: Final = "litellm-tui-rehearsal-"
# what nobody was left to delete: no rehearsal takes so long
_OLD_SECONDS: Final = 3600.0
_MOST_LINKS: Final = 2000


def new_place() -> str | Failure:
    """Where the folder of one rehearsal is to be: nothing is there yet. What was left there long ago is deleted."""
    try:
        parent = _parent()
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(parent)
    except OSError as error:
        return Failure(f"no folder can be made for the rehearsal: {error.filename or ''}: {error.strerror}")
    return str(parent / f"{PREFIX}{secrets.token_hex(6)}")


def make_folder(
    folder: str, text: bytes, original: str, beside: str | None, user: tuple[int, int]
) -> tuple[str, str] | Failure:
    """Make `folder` with the copy `text` of the file `original`, owned by `user`: `(folder, path of the copy)`.

    What stands beside the path `beside` is linked, and what stands beside `original` comes before it.
    """
    try:
        os.mkdir(folder, 0o700)
    except OSError as error:
        return Failure(f"no folder can be made for the rehearsal: {error.filename or ''}: {error.strerror}")
    copy = os.path.join(folder, os.path.basename(original))
    try:
        with open(copy, "xb", opener=_for_owner) as file:
            file.write(text)
        for place in dict.fromkeys(os.path.dirname(os.path.abspath(path)) for path in (beside or original, original)):
            _link(place, folder, modules_only=beside is not None and place != os.path.dirname(os.path.abspath(beside)))
        if user != (os.geteuid(), os.getegid()):
            for path in (copy, folder):
                os.chown(path, *user)
    except OSError as error:
        remove_folder(folder)
        return Failure(f"the copy for the rehearsal cannot be written: {error.filename or folder}: {error.strerror}")
    return folder, copy


def remove_folder(folder: str) -> None:
    """Delete it, where it is still there."""
    shutil.rmtree(folder, ignore_errors=True)


def _parent() -> Path:
    if os.geteuid() == 0:
        # another user's service reads it: this is the place that every unit sees
        return Path("/run")
    own = runtime_environment().get("XDG_RUNTIME_DIR", "")
    return Path(own) if own and os.access(own, os.W_OK) else state_folder() / "rehearsals"


def _sweep(parent: Path) -> None:
    for entry in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - entry.lstat().st_mtime > _OLD_SECONDS and entry.lstat().st_uid == os.geteuid():
                remove_folder(str(entry))


def _link(place: str, folder: str, *, modules_only: bool) -> None:
    """Link what stands in `place`, where nothing of that name is there yet. Python's modules come first."""
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        names = sorted((entry.name for entry in entries), key=lambda name: (not name.endswith(".py"), name))
        for name in names[:_MOST_LINKS]:
            if name == "__pycache__" or (modules_only and not name.endswith(".py")):
                continue
            with contextlib.suppress(FileExistsError):
                os.symlink(os.path.join(place, name), os.path.join(folder, name))


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
