"""The configuration file as read: merged with its includes, with the place of every value.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from litellm_tui.model.failures import Failure

NOT_KNOWN: Final = "not known"


class Mark(msgspec.Struct, frozen=True):
    """A place in a file; line and column are 1-based."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class FileDeployment(msgspec.Struct, frozen=True):
    """One entry of `model_list` in the file; `os.environ/NAME` is resolved in the plain fields only.

    `missing` names the environment variables that the entry refers to and nothing sets.
    """

    index: int
    group: str
    model: str
    mark: Mark
    api_base: str | None = None
    mode: str | None = None
    rpm: int | None = None
    tpm: int | None = None
    params: dict[str, Any] = {}
    missing: tuple[str, ...] = ()


class Reference(msgspec.Struct, frozen=True):
    """An `os.environ/NAME` in the file; `source` says what sets NAME, None when nothing known does.

    Where the environment is not known, and so perhaps does, it is `NOT_KNOWN`.
    """

    name: str
    mark: Mark
    source: str | None = None


class Duplicate(msgspec.Struct, frozen=True):
    """A key that occurs more than once in one mapping; PyYAML, and so LiteLLM, keeps the last. `path` is in `file`."""

    file: str
    path: tuple[str | int, ...]
    marks: tuple[Mark, ...]


class Ignore(msgspec.Struct, frozen=True):
    """A comment `# litellm-tui: ignore RULE reason`. `line` is the line it applies to: its own, or the next one."""

    mark: Mark
    line: int
    rule: str
    reason: str


class Origin(msgspec.Struct, frozen=True):
    """The file that one top-level value of the merged mapping came from; of a list, `count` items from index `start`.

    `overrides` are the files whose value of this key it replaced.
    """

    file: str
    start: int = 0
    count: int | None = None
    overrides: tuple[str, ...] = ()


class ConfigFile(msgspec.Struct, frozen=True):
    """A configuration that parsed, with its includes merged the way LiteLLM merges them.

    `data` is the merged mapping, secrets included: it is for analysis only. `marks` maps a path into `data`
    (`("router_settings", "fallbacks", 0)`) to its place. `digest` covers every file read. `modified_at` is the
    latest time at which one of the files changed on this machine (a deployed file can carry an older time). `origins`
    maps each top-level key to the files it came from.
    """

    path: str
    digest: str
    modified_at: float
    files: tuple[str, ...]
    data: dict[str, Any]
    marks: dict[tuple[str | int, ...], Mark]
    deployments: tuple[FileDeployment, ...] = ()
    references: tuple[Reference, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    origins: dict[str, tuple[Origin, ...]] = {}

    def mark(self, path: tuple[str | int, ...]) -> Mark:
        """The place of a path into `data`, or of the nearest parent that has one."""
        for length in range(len(path), -1, -1):
            if (mark := self.marks.get(path[:length])) is not None:
                return mark
        return Mark(self.path, 1)

    def local(self, path: tuple[str | int, ...]) -> tuple[str, tuple[str | int, ...]]:
        """The file that holds a path into `data`, and the path in that file: list items count anew in each file."""
        for origin in self.origins.get(str(path[0]), ()) if path else ():
            if origin.count is None or len(path) == 1:
                return origin.file, path
            index = path[1]
            if isinstance(index, int) and origin.start <= index < origin.start + origin.count:
                return origin.file, (path[0], index - origin.start, *path[2:])
        return self.path, path

    def section(self, name: str) -> dict[str, Any]:
        """A top-level mapping such as `router_settings`; empty when absent or not a mapping."""
        value = self.data.get(name)
        return value if isinstance(value, dict) else {}

    @property
    def background_health_checks(self) -> bool:
        """Whether they are on; LiteLLM accepts any truthy value (proxy_server.py)."""
        return bool(self.section("general_settings").get("background_health_checks"))


class ConfigError(msgspec.Struct, frozen=True):
    """Why the file on disk cannot be used. Line and column are 1-based; 0 when the problem has no place.

    `unread` means that the operating system did not give the file: it is missing, or closed to this user.
    """

    file: str
    problem: str
    line: int = 0
    column: int = 0
    since: float = 0.0
    unread: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.problem}"


class Configuration(msgspec.Struct, frozen=True):
    """What is known of the file: `current` is the last good version, `error` the problem of the one on disk now.

    `failure` is set while the console cannot read the file. `environment_unknown` says why it is not known which
    variables LiteLLM has; empty where it is.
    """

    path: str | None = None
    current: ConfigFile | None = None
    error: ConfigError | None = None
    checked_at: float | None = None
    why_unwatched: str | None = None
    failure: Failure | None = None
    environment_unknown: str = ""
