"""The records of a backup: a set of files as of one moment, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import msgspec

Role = Literal["config", "environment"]
Why = Literal[
    "seen running", "seen failing", "before a restart", "before a fix", "before an apply", "before a rollback",
    "rejected",
]  # fmt: skip


class FileCopy(msgspec.Struct, frozen=True):
    """A file as it was. `content` is None where there was no file, `mode` and `owner` (uid, gid) where unknown."""

    path: str
    role: Role
    content: bytes | None
    mode: int | None = None
    owner: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"FileCopy({self.path!r}, {self.role!r})"


class FileSet(NamedTuple):
    """Files as of one moment, the configuration in the order in which it is read.

    `unread` holds the environment files that this user may not read, each with the reason.
    """

    copies: tuple[FileCopy, ...]
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def contents(self) -> dict[str, bytes]:
        """The configuration's files that are there."""
        return {file.path: file.content for file in self.copies if file.role == "config" and file.content is not None}


class StoredFile(msgspec.Struct, frozen=True):
    """Which stored file holds a file's content. Where there was no file, `name` and `sha256` are empty."""

    path: str
    role: Role
    name: str = ""
    sha256: str = ""
    mode: int | None = None
    owner: tuple[int, int] | None = None


class Backup(msgspec.Struct, frozen=True):
    """One set. `id` is the time when it was kept, in seconds since the epoch, made unique.

    `at` is the moment the set shows, in seconds since the epoch: when it was read, or when the process that runs with
    it was started. `digest` is the configuration's, as in `ConfigFile.digest`. `result` is a sentence on what came of
    the set. `good` means that it was proved, or ran with all its deployments for a while. `run` tells one start of the
    process from another. `unread` holds the environment files that belong to the set and could not be read.
    """

    id: int
    at: float
    why: Why
    digest: str
    files: tuple[StoredFile, ...]
    litellm_version: str = ""
    result: str = ""
    good: bool = False
    run: str = ""
    unread: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        """The first file of the configuration; empty when the set has none."""
        return next((file.path for file in self.files if file.role == "config"), "")

    @property
    def configuration(self) -> tuple[str, ...]:
        """The configuration's files: the root and what it includes, in the order in which they are read."""
        return tuple(file.path for file in self.files if file.role == "config")

    @property
    def environment(self) -> frozenset[str]:
        """The environment files."""
        return frozenset(file.path for file in self.files if file.role == "environment")

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for sets of the same contents."""
        return self.digest, frozenset((file.path, file.sha256) for file in self.files)

    def differing(self, contents: Mapping[str, str]) -> tuple[str, ...]:
        """The files of the set whose content differs from `contents`: SHA-256 by path, empty for no file."""
        return tuple(file.path for file in self.files if contents.get(file.path, "") != file.sha256)

    def differs_from(self, other: Backup) -> bool:
        """Whether a rollback to this set changes what the other set has."""
        return bool(self.differing({file.path: file.sha256 for file in other.files}))


def digest_of(copies: Iterable[FileCopy]) -> str:
    """The configuration's digest, computed as in `collectors.config.config_file`."""
    digest = hashlib.sha256()
    for file in copies:
        if file.role == "config" and file.content is not None:
            digest.update(file.path.encode() + b"\0" + file.content + b"\0")
    return digest.hexdigest()


def sha256_of(content: bytes | None) -> str:
    """The SHA-256 of a content in hexadecimal digits; empty for no file."""
    return "" if content is None else hashlib.sha256(content).hexdigest()
