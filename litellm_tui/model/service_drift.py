"""What differs between what runs LiteLLM and what is written for it, without any value of a variable."""

from __future__ import annotations

from typing import Literal

import msgspec

DriftKind = Literal["variable", "image", "command", "mount", "port", "definition", "unit file", "script"]
DriftOrder = Literal["restart", "reload", "recreate", "another"]


class Difference(msgspec.Struct, frozen=True):
    """One difference. `runs` and `written` are empty on the side that lacks it; a value of a variable is masked.

    `source` is the file or setting in which it is written, where that is known.
    """

    kind: DriftKind
    name: str
    runs: str = ""
    written: str = ""
    source: str = ""
    note: str = ""

    @property
    def sign(self) -> Literal["added", "removed", "changed"]:
        """Whether the next start adds it, takes it away or changes it."""
        if bool(self.runs) == bool(self.written):
            return "changed"
        return "added" if self.written else "removed"

    @property
    def words(self) -> str:
        """The difference in one line."""
        what = f"{self.kind} {self.name}".rstrip()
        if self.kind == "variable":
            text = {"added": "not in what runs", "removed": "in what runs alone", "changed": "another value runs"}
            return f"{what}: {text[self.sign]}"
        if self.runs and self.written:
            return f"{what}: {self.runs} → {self.written}"
        return f"{what}: {self.written or self.runs}" if self.written or self.runs else what


class ServiceDrift(msgspec.Struct, frozen=True):
    """All differences of one service, and the order that brings them in.

    With `reload` systemd has to read the unit's files anew before the restart, which its driver does; with `another`
    only another container brings them in, which nothing here makes. `unknown` says what could not be compared, and why.
    `command` is the order in the operator's words. `harm` says what the order would take away when this console gives
    it, `broken` why what is written cannot be used at all. `image` is the name of the image that is written.
    `releases` are the release that the tag of the container's image names, and the other one that the tag of the
    written image names; the first is empty where its tag names none, both are where no other release is written.
    """

    found: tuple[Difference, ...] = ()
    unknown: tuple[str, ...] = ()
    order: DriftOrder = "restart"
    command: str = ""
    harm: tuple[str, ...] = ()
    broken: str = ""
    image: str = ""
    releases: tuple[str, str] = ("", "")

    @property
    def added_variables(self) -> frozenset[str]:
        """The variables that are written, and that the process or the container has not got."""
        return frozenset(d.name for d in self.found if d.kind == "variable" and d.sign == "added")
