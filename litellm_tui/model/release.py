"""The release of LiteLLM that a gateway runs, and what is known against releases. Dates are `YYYY-MM-DD`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from litellm_tui.model.configuration import Mark

AdvisoryKind = Literal["compromised", "exploited", "critical", "high", "moderate", "low", "unrated", "yanked"]
"""`compromised`: what was published holds somebody else's code. `exploited`: a hole that is used in attacks. `critical`
to `unrated`: a hole by its severity. `yanked`: withdrawn from the index by its publisher."""

KIND_RANK: Final[dict[AdvisoryKind, int]] = {
    "compromised": 0,
    "exploited": 1,
    "critical": 2,
    "high": 3,
    "unrated": 4,
    "moderate": 5,
    "yanked": 6,
    "low": 7,
}

COMPROMISED: Final = "release-compromised"
PLANTED: Final = "planted-file"
EXPLOITED: Final = "release-exploited"
NOT_RUNNING: Final = "release-not-running"
AT_RISK: Final = frozenset({COMPROMISED, PLANTED, EXPLOITED})
"""The rules of the audit whose findings put a gateway at risk while nothing fails."""


class AffectedRange(msgspec.Struct, frozen=True):
    """The releases from `introduced` (`0`: from the first) up to `fixed`, which is not one of them, or up to and with
    `last_affected`; with neither all later ones.
    """

    introduced: str = "0"
    fixed: str = ""
    last_affected: str = ""


class PlantedName(msgspec.Struct, frozen=True):
    """A file that a compromised release brings. `place` is where it lies: beside the packages, below the user's home,
    or among temporary files.

    The name of one that is not `certain` is used by honest software too: it counts only beside another sign.
    """

    name: str
    place: Literal["packages", "home", "temporary"] = "packages"
    certain: bool = True


class Advisory(msgspec.Struct, frozen=True):
    """One entry of the table of advisories.

    `versions` are affected releases by name, beside `ranges`. `source` is where it was verified, `published` its date.
    `exploited` says since when attacks are known, and by whom. `files` are what a compromised release leaves. `needs`
    maps a path of the configuration (`general_settings.enable_jwt_auth`) to the value without which the hole is not
    open. `note` is what could not be verified, or a way around the hole.
    """

    id: str
    kind: AdvisoryKind
    summary: str
    aliases: tuple[str, ...] = ()
    ranges: tuple[AffectedRange, ...] = ()
    versions: tuple[str, ...] = ()
    source: str = ""
    published: str = ""
    exploited: str = ""
    files: tuple[PlantedName, ...] = ()
    needs: Mapping[str, bool] = {}
    note: str = ""
    withdrawn: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Its identifier with all others that it has elsewhere."""
        return frozenset((self.id, *self.aliases))

    @property
    def known_as(self) -> str:
        """The name that is best known: the CVE's where it has one."""
        return next((name for name in (self.id, *self.aliases) if name.startswith("CVE-")), self.id)


class PlantedFile(msgspec.Struct, frozen=True):
    """A file found that no clean release brings; `advisories` name it, none of them one that is known by its form."""

    path: str
    advisories: tuple[str, ...] = ()


class Release(msgspec.Struct, frozen=True):
    """What is known of the LiteLLM of a gateway, from files and the gateway's own word.

    `installed` is the version by the metadata file `metadata`, `running` what the gateway reports, `image` the image
    that a container was made of. `planted` are suspicious files. `looked` are the folders that were looked through,
    `unseen` says of what could not be looked at, why. `companions` are the versions of packages that some releases do
    not start with.
    """

    installed: str = ""
    metadata: str = ""
    running: str = ""
    image: str = ""
    planted: tuple[PlantedFile, ...] = ()
    looked: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    companions: Mapping[str, str] = {}


ChangeKind = Literal[
    "fatal", "worse", "opened", "unread", "default", "unpriced", "read", "mended", "better", "harmless", "priced"
]
"""What another release makes of a configuration. `fatal`: it ends the start there, and did not. `worse`: something is
found that was not. `opened`: a known hole. `unread`, `read`: a key or variable that is not read any more, or is read
now. `default`: a value that the file does not set. `unpriced`, `priced`: a model that the price map does not know any
more, or knows now. `mended`: a hole is closed. `better`: something found before is not. `harmless`: it ended the start
before."""

CHANGE_TITLES: Final[Mapping[ChangeKind, str]] = {
    "fatal": "ends the start",
    "worse": "gets worse",
    "opened": "opens a known hole",
    "unread": "is not read any more",
    "default": "has another default",
    "unpriced": "has no price any more",
    "read": "is read now",
    "mended": "closes a known hole",
    "better": "gets better",
    "harmless": "does not end the start any more",
    "priced": "has a price now",
}
"""What is said of each kind."""


class ReleaseChange(msgspec.Struct, frozen=True):
    """One thing that another release changes for a configuration, with its place there and where it is known from."""

    kind: ChangeKind
    text: str
    mark: Mark | None = None
    do: str = ""
    source: str = ""


class ReleaseComparison(msgspec.Struct, frozen=True):
    """A configuration under two releases: what going from `before` to `after` changes, the worst first.

    `unknown` says what could not be compared.
    """

    path: str
    before: str
    after: str
    changes: tuple[ReleaseChange, ...] = ()
    unknown: tuple[str, ...] = ()

    def of(self, *kinds: ChangeKind) -> tuple[ReleaseChange, ...]:
        """The changes of these kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)
