"""Where the record of a gateway is: a folder of its own below the user's state folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from litellm_tui.storage.identity import gateway_name
from litellm_tui.storage.state import state_folder
from litellm_tui.target.profile import Profile

FILE: Final = "history.sqlite"


def history_path(url: str, unit: str, folder: Path | None = None) -> Path:
    """The file of this gateway's record, by its address and unit; `folder` replaces the user's state folder."""
    return (folder or state_folder()) / "history" / gateway_name(url, unit) / FILE


def history_path_of(profile: Profile, folder: Path | None = None) -> Path:
    """The file of the record of this profile's gateway."""
    return history_path(profile.url.value, profile.unit.value if profile.unit else "", folder)
