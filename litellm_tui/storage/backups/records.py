"""What is kept: a set of files as of one moment, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import msgspec

Role = Literal["config", "environment"]
Why = Literal["seen running", "seen failing", "before a restart", "before a fix", "before a rollback", "rejected"]


class Held(msgspec.Struct, frozen=True):
    """A file as it was. `content` is None where there was none; `mode` and `owner` (uid, gid) where not known."""

    path: str
    role: Role
    content: bytes | None
    mode: int | None = None
    owner: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"Held({self.path!r}, {self.role!r})"


class Taken(NamedTuple):
    """Files as of one moment, the configuration in the order in which it is read; `unread` are environment files that
    this user may not read, each with the reason.
    """

    held: tuple[Held, ...]
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def contents(self) -> dict[str, bytes]:
        """The configuration's files that are there."""
        return {h.path: h.content for h in self.held if h.role == "config" and h.content is not None}


class Kept(msgspec.Struct, frozen=True):
    """Which stored file holds a file's content. Where there was no file, `name` and `sha256` are empty."""

    path: str
    role: Role
    name: str = ""
    sha256: str = ""
    mode: int | None = None
    owner: tuple[int, int] | None = None


class Backup(msgspec.Struct, frozen=True):
    """A set. `id` are the seconds since the epoch when it was kept, made unique; `at` is the moment that it is of: when
    it was read, or when the process that was seen running with it was started.

    `digest` is the configuration's, as in `ConfigFile.digest`. `result` says in words what came of it; `good` that it
    was proved, or seen running with all its deployments for a while. `run` tells one start of the process from another.
    `unread` are the environment files that belong to it and could not be read.
    """

    id: int
    at: float
    why: Why
    digest: str
    files: tuple[Kept, ...]
    litellm_version: str = ""
    result: str = ""
    good: bool = False
    run: str = ""
    unread: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        """The first file of the configuration; empty when there is none in the set."""
        return next((kept.path for kept in self.files if kept.role == "config"), "")

    @property
    def configuration(self) -> tuple[str, ...]:
        """The configuration's files: the root and what it includes, in the order in which they are read."""
        return tuple(kept.path for kept in self.files if kept.role == "config")

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for sets of the same contents."""
        return self.digest, frozenset((kept.path, kept.sha256) for kept in self.files)

    def differing(self, contents: Mapping[str, str]) -> tuple[str, ...]:
        """The files of the set that have another content in `contents`: SHA-256 by path, empty for no file."""
        return tuple(kept.path for kept in self.files if contents.get(kept.path, "") != kept.sha256)

    def differs_from(self, other: Backup) -> bool:
        """Whether going back to this set would change what the other one has."""
        return bool(self.differing({kept.path: kept.sha256 for kept in other.files}))


def digest_of(held: Iterable[Held]) -> str:
    """The configuration's digest, made as collectors/config_file.py makes it."""
    digest = hashlib.sha256()
    for file in held:
        if file.role == "config" and file.content is not None:
            digest.update(file.path.encode() + b"\0" + file.content + b"\0")
    return digest.hexdigest()


def sha256_of(content: bytes | None) -> str:
    """The SHA-256 of a content in hexadecimal digits; empty for no file."""
    return "" if content is None else hashlib.sha256(content).hexdigest()
