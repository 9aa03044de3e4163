"""Sets of configuration and environment files as they were at one moment, kept in the user's state folder."""

from __future__ import annotations

from litellm_tui.storage.backups.records import Backup, Held, Kept, Role, Taken, Why, digest_of
from litellm_tui.storage.backups.store import Backups
from litellm_tui.storage.backups.taking import take, take_present

__all__ = ["Backup", "Backups", "Held", "Kept", "Role", "Taken", "Why", "digest_of", "take", "take_present"]
