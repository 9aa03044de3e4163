"""Sets of configuration and environment files as they were at one moment, kept in the user's state folder."""

from __future__ import annotations

from litellm_tui.storage.backups.backup import Backup, FileCopy, FileSet, Role, StoredFile, Why, digest_of
from litellm_tui.storage.backups.copying import copy_current, copy_files
from litellm_tui.storage.backups.store import Backups

__all__ = [
    "Backup", "Backups", "FileCopy", "FileSet", "Role", "StoredFile", "Why", "copy_current", "copy_files", "digest_of",
]  # fmt: skip
