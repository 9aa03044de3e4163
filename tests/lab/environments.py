"""The LiteLLM environments: folders that hold bin/litellm.

Those that LITELLM_TUI_LAB_LITELLM names can be booted by the lab; LITELLM_TUI_NEWEST_LITELLM names the newest, for
tests that start it in the proving ground, read its source, bring it to faults, or rehearse it in a long run. `./test`
installs both from `tests/lab/requirements`, where the newest has a folder of its own.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "LITELLM_TUI_LAB_LITELLM"
NEWEST = "LITELLM_TUI_NEWEST_LITELLM"
# how long what a lab is made of may take to be ready, on a machine with more to do
PATIENCE = 180.0


class LabError(RuntimeError):
    """The lab cannot be booted, or something inside it failed; the text is meant for a person."""


@dataclass(frozen=True, slots=True)
class Environment:
    path: Path
    version: str

    @property
    def bin(self) -> Path:
        return self.path / "bin" / "litellm"

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def packages(self) -> Path:
        return next(iter(sorted(self.path.glob("lib/python3*/site-packages"))))

    @property
    def order(self) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", self.version))

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> Environment:
        """The environment at a folder, or around a given ``bin/litellm``."""
        folder = Path(path).absolute()
        if folder.name == "litellm" and folder.parent.name == "bin":
            folder = folder.parent.parent
        if not (folder / "bin" / "litellm").exists():
            raise LabError(f"no LiteLLM in {folder}: it has no bin/litellm")
        # Importing LiteLLM to ask for its version costs seconds and hundreds of megabytes.
        for info in sorted(folder.glob("lib/python3*/site-packages/litellm-*.dist-info")):
            return cls(folder, info.name.removeprefix("litellm-").removesuffix(".dist-info"))
        raise LabError(f"no litellm-*.dist-info in {folder}: its version cannot be told")


def environments() -> list[Environment]:
    """Those that the lab boots, newest first; folders without a LiteLLM are left out."""
    return _named(VARIABLE)


def _named(variable: str) -> list[Environment]:
    found: list[Environment] = []
    for entry in os.environ.get(variable, "").split(os.pathsep):
        if not entry:
            continue
        try:
            found.append(Environment.at(entry))
        except LabError:
            continue
    return sorted(found, key=lambda environment: environment.order, reverse=True)


def newest_environments() -> list[Environment]:
    """The newest LiteLLM, for the proving ground, the catalogue's tests and the faults; none where none is named.

    A lab boots a LiteLLM and keeps it for minutes, so its other tests stay with the versions of `environments`.
    """
    return [found for found in _named(NEWEST) if found not in environments()]


def newest_and_oldest() -> list[Environment]:
    """The newest there is and the oldest that the lab boots: what takes a lab for minutes and differs by release.

    Where the lab is given three or more by hand, all of them.
    """
    given = environments()
    if len(given) > 2 or not given:
        return given
    newest = sorted([*given, *newest_environments()], key=lambda environment: environment.order)[-1]
    return list(dict.fromkeys((newest, given[-1])))
