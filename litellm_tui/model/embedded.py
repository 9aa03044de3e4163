"""A configuration inside a file of another kind: where it stands there, and what the file says of its process.

Durations are seconds. Offsets count the characters of the outer file, lines and columns are those of the outer file,
from 1. Records are frozen.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from litellm_tui.model.edits import Path

Form = Literal["text", "base64", "quoted", "folded"]


class Asked(msgspec.Struct, frozen=True):
    """Something outside the proxy that asks its address again and again: `what` does it, every `seconds`.

    `keyed` says that it sends an Authorization header.
    """

    what: str
    path: str
    seconds: float
    keyed: bool = False
    line: int = 1
    column: int = 1


class Withheld(msgspec.Struct, frozen=True):
    """Variables whose values are kept elsewhere. With `others` more names than these may be set."""

    names: frozenset[str] = frozenset()
    others: bool = False

    def covers(self, name: str) -> bool:
        """Whether the variable may be set, though its value is not known here."""
        return self.others or name in self.names


NOTHING_WITHHELD: Final = Withheld()


class Deployed(msgspec.Struct, frozen=True):
    """What a manifest says of the processes that run the configuration.

    `what` names it (`Deployment litellm`). `arguments` is the command line with the program in front. `most` is the
    number of replicas that an autoscaler may go up to. `environment` is None where the manifest has none. `image` is
    the image with its tag. `sources` name the Secrets and ConfigMaps that the variables come from. `health` are the
    probes and health checks that ask the proxy.
    """

    what: str
    arguments: tuple[str, ...] = ()
    replicas: int | None = None
    most: int | None = None
    environment: dict[str, str] | None = None
    withheld: Withheld = Withheld()
    image: str = ""
    sources: tuple[str, ...] = ()
    health: tuple[Asked, ...] = ()
    line: int = 1


class Piece(msgspec.Struct, frozen=True):
    """One configuration in a file of another kind.

    `name` is the path under which it is loaded, `label` what it is called in the file (`data.config.yaml`). `text` is
    what is parsed: for the form `text` it has line breaks and blanks in the place of what stands before `start`, so
    that every place in it is one of the outer file. `inside` leads to the configuration in that text. For the other
    forms `text` is what was decoded, and `places` has the outer line and column of each of its lines.

    `beside` are the files of the same folder that it may include. `unfixable` says why nothing can be written into it.
    `defaults` are settings that something else puts where the text has none, by section and key.
    """

    name: str
    label: str
    start: int
    end: int
    text: str
    inside: Path = ()
    form: Form = "text"
    places: tuple[tuple[int, int], ...] = ()
    lines: tuple[int, int] = (1, 1)
    beside: tuple[Piece, ...] = ()
    unfixable: str = ""
    defaults: dict[str, dict[str, str]] = {}
    deployed: Deployed | None = None


class Wrapped(msgspec.Struct, frozen=True):
    """A file that is no configuration itself.

    `kind` is what it is (`a Kubernetes ConfigMap`), `pieces` the configurations in it, and `files` those that it names
    on this machine. `why` says what is missing where there is none. `remarks` are further sentences about it.
    """

    kind: str
    pieces: tuple[Piece, ...] = ()
    files: tuple[tuple[str, Deployed | None], ...] = ()
    why: str = ""
    remarks: tuple[str, ...] = ()
