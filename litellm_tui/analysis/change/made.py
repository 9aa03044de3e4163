"""What a container is made of, and what differs between one that runs and what is written for it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from litellm_tui.analysis.redaction.redactor import MASK
from litellm_tui.model.service_drift import Difference

_SHORT: Final = 12
_LONGEST_COMMAND: Final = 300


class Mounted(msgspec.Struct, frozen=True):
    """What is mounted at one path of the container: a folder or file of the host, or a volume by its name."""

    type: str
    source: str
    writable: bool = True

    @property
    def words(self) -> str:
        """As an operator writes it."""
        return f"{self.source}{'' if self.writable else ' (read-only)'}"


class Made(msgspec.Struct, frozen=True):
    """The parts of a container that are compared. None means that a part is not known, or is the image's own.

    `variables` are those that its definition sets; one that Compose would take from its own environment, and that is
    not there, is None. `image_variables` come with the image. `ports` are written `HOST:PORT->PORT/tcp`.
    """

    image: str = ""
    image_id: str = ""
    variables: Mapping[str, str | None] = {}
    image_variables: Mapping[str, str] | None = None
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    mounts: Mapping[str, Mounted] = {}
    ports: frozenset[str] | None = None


class Compared(msgspec.Struct, frozen=True):
    """The differences, and what the order that applies them would take away from the container by mistake."""

    found: tuple[Difference, ...]
    harm: tuple[str, ...] = ()


def compare(
    runs: Made, written: Made, place: Callable[[str], str], file: str, unset: frozenset[str] = frozenset()
) -> Compared:
    """What the next container of this definition has, and the one that runs has not. Values of variables are masked.

    `place` says where a variable is written, `file` where all the rest is. `unset` are the variables that the
    definition refers to, and that nothing gives to Compose here.
    """
    harm: list[str] = []
    found = [*_variables(runs, written, place, unset, harm)]
    rest = [*_images(runs, written, file), *_command(runs, written, file), *_mounts(runs, written, file)]
    rest += _ports(runs, written, file)
    if rest and unset:
        names = ", ".join(sorted(unset))
        harm.append(f"{names}: referred to by {file}, and not set here: what depends on it would be made without it")
    return Compared((*found, *rest), tuple(harm))


def _variables(
    runs: Made, written: Made, place: Callable[[str], str], unset: frozenset[str], harm: list[str]
) -> Iterator[Difference]:
    for name, value in sorted(written.variables.items()):
        there = runs.variables.get(name)
        if there == value or (value is None and _is_images(name, there, runs)):
            continue
        if there and (value is None or (not value and unset)):
            harm.append(
                f"{name}: the container has it from whoever ran docker compose, and it is not set here: it would be "
                "lost; write it into .env"
            )
        elif value is not None:
            yield Difference("variable", name, MASK if there is not None else "", MASK, place(name))
    if runs.image_variables is None:
        # which of them the image brings is not known
        return
    for name, there in sorted(runs.variables.items()):
        if name not in written.variables and there is not None and not _is_images(name, there, runs):
            yield Difference("variable", name, MASK, "", "", "it is not written any more")


def _is_images(name: str, value: str | None, made: Made) -> bool:
    return value is None or (made.image_variables is not None and made.image_variables.get(name) == value)


def _images(runs: Made, written: Made, file: str) -> Iterator[Difference]:
    if not written.image or not runs.image:
        return
    by_digest = runs.image.startswith("sha256:") and written.image_id == runs.image_id
    if runs.image != written.image and not by_digest:
        yield Difference("image", "", runs.image, written.image, file)
    elif runs.image_id and written.image_id and runs.image_id != written.image_id:
        yield Difference(
            "image",
            "",
            f"{runs.image} ({_short(runs.image_id)})",
            f"{written.image} ({_short(written.image_id)})",
            file,
            "the tag is another image now",
        )


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:_SHORT]


def _command(runs: Made, written: Made, file: str) -> Iterator[Difference]:
    for what, there, wanted in (
        ("entrypoint", runs.entrypoint, written.entrypoint),
        ("", runs.command, written.command),
    ):
        if wanted is not None and (there or ()) != wanted:
            yield Difference("command", what, _line(there or ()), _line(wanted), file)


def _line(words: tuple[str, ...]) -> str:
    return shlex.join(words)[:_LONGEST_COMMAND] or "(none)"


def _mounts(runs: Made, written: Made, file: str) -> Iterator[Difference]:
    for path in dict.fromkeys((*written.mounts, *runs.mounts)):
        there, wanted = runs.mounts.get(path), written.mounts.get(path)
        if there != wanted:
            yield Difference("mount", path, there.words if there else "", wanted.words if wanted else "", file)


def _ports(runs: Made, written: Made, file: str) -> Iterator[Difference]:
    if runs.ports is None or written.ports is None:
        return
    for port in sorted(written.ports - runs.ports):
        yield Difference("port", "", "", port, file)
    for port in sorted(runs.ports - written.ports):
        yield Difference("port", "", port, "", file)
