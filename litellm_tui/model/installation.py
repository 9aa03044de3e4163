"""How a LiteLLM is installed on this machine, as the files of its environment tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

InstalledBy = Literal["venv", "uv tool", "pipx", "project", "system", "user", "conda", "cache", "unknown"]
"""`venv`: a virtual environment of its own. `project`: one that follows a lock file beside it. `system`, `user`: the
packages of the machine's Python, and those in a home. `cache`: what `uvx` has made, and may make anew."""

OWN_ENVIRONMENT: tuple[InstalledBy, ...] = ("venv", "uv tool", "pipx")
"""Those that are one folder, made for what is in it."""


class Installation(msgspec.Struct, frozen=True):
    """One LiteLLM with what is around it.

    `path` is the root of its environment by the name that its scripts use, `folder` the same without links, `library`
    its folder of packages. `python` is the version of its Python, `made_by` the tool that made the environment and
    `installer` the one that installed LiteLLM. `extras` are those it was asked for with, where a receipt says so
    (`extras_known`), else those of which every package is there. `packages` maps normalised names to versions, and
    `beside` are the packages that somebody asked for and that LiteLLM needs in no case. `programs` are programs of
    such packages, each as `NAME (PACKAGE)`. `source` is where an installation from no index came from, and `locked`
    the lock file that decides what is installed.
    """

    how: InstalledBy
    path: str
    folder: str
    library: str
    version: str
    metadata: str = ""
    python: str = ""
    made_by: str = ""
    installer: str = ""
    extras: tuple[str, ...] = ()
    extras_known: bool = False
    packages: Mapping[str, str] = {}
    beside: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    source: str = ""
    locked: str = ""

    @property
    def requirement(self) -> str:
        """LiteLLM with its extras, as an installer is asked for it, without a version."""
        return f"litellm[{','.join(self.extras)}]" if self.extras else "litellm"

    @property
    def words(self) -> str:
        """How it is installed, in words."""
        tool = f" made by {self.made_by}" if self.made_by else ""
        kinds: dict[str, str] = {
            "venv": f"virtual environment{tool}",
            "uv tool": "uv tool",
            "pipx": "pipx",
            "project": f"virtual environment that follows {self.locked}",
            "system": "the machine's own Python",
            "user": "the packages of a user, beside the machine's own Python",
            "conda": "a conda environment",
            "cache": "a cache of uv",
            "unknown": "in a way that is not known",
        }
        return kinds[self.how]
