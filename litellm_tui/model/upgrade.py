"""An upgrade of LiteLLM: what is there, what is to be had, and what stands against it. Records are frozen."""

from __future__ import annotations

import msgspec

from litellm_tui.model.release import ReleaseComparison


class PackageChange(msgspec.Struct, frozen=True):
    """A package that comes with another version; `before` is empty for a new one, `after` for one that goes."""

    name: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if not self.before:
            return f"{self.name} {self.after} (new)"
        return f"{self.name} {self.before} -> {self.after}" if self.after else f"{self.name} {self.before} goes"


class EnvironmentExchange(msgspec.Struct, frozen=True, tag="environment"):
    """Two environments that change places: the one at `live`, and the one at `aside`, which is to be there.

    What leaves `live` is kept as `kept`. `old` and `new` are device and inode of the two folders, by which they are
    known wherever they stand; `before` and `after` their releases. All paths are in one folder.
    """

    live: str
    aside: str
    kept: str
    old: tuple[int, int]
    new: tuple[int, int]
    before: str
    after: str


class TagExchange(msgspec.Struct, frozen=True, tag="image"):
    """The image of a Compose service: in `file` the image `after` is to stand in place of `before`."""

    file: str
    service: str
    before: str
    after: str


Exchange = EnvironmentExchange | TagExchange


class UpgradePlan(msgspec.Struct, frozen=True):
    """What an upgrade would do, and what stands against it.

    `how` says how LiteLLM is installed, `path` where; an image has no path. `before` is installed, `running` what the
    gateway reports. `after` is the release to go to, empty where none was found. `available` are the newer releases of
    the index that go with this Python, the newest first. `packages` are the other packages that change with it, None
    where that is not known before it is installed. `held` are what is known against a release. `refusals` each forbid
    it, `notes` are to be known. `database` says what happens to the tables; empty without a database.
    """

    how: str
    path: str
    before: str
    after: str = ""
    running: str = ""
    python: str = ""
    requirement: str = ""
    beside: tuple[str, ...] = ()
    staged: str = ""
    available: tuple[str, ...] = ()
    source: str = ""
    packages: tuple[PackageChange, ...] | None = None
    held_before: tuple[str, ...] = ()
    held_after: tuple[str, ...] = ()
    comparison: ReleaseComparison | None = None
    database: str = ""
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
