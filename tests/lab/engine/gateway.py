"""Containers of a real LiteLLM: nothing of it is copied into an image, its environment is mounted at its own place."""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab.environments import Environment

# with what a CPython is linked to
_SYSTEM = ("/usr", "/lib", "/lib64")


def mounted(environment: Environment) -> list[str]:
    """The folders that a LiteLLM of this machine needs, as `--volume` takes them."""
    interpreter = Path(os.path.realpath(environment.python)).parents[1]
    folders = [*_SYSTEM, str(environment.path), str(interpreter)]
    # what stands in another of them is there with it
    apart = [folder for folder in folders if not any(Path(folder).is_relative_to(other) for other in _SYSTEM)]
    return [f"{folder}:{folder}:ro" for folder in dict.fromkeys([*_SYSTEM, *apart]) if Path(folder).exists()]


def options(environment: Environment, **variables: str) -> list[str]:
    """The options of `docker run` for a gateway on the machine's own network."""
    volumes = [word for volume in mounted(environment) for word in ("--volume", volume)]
    given = {"PATH": "/usr/bin:/bin", "LITELLM_LOCAL_MODEL_COST_MAP": "True", **variables}
    return ["--network", "host", *volumes, *(f"--env={name}={value}" for name, value in given.items())]


def command(environment: Environment, *words: str) -> list[str]:
    """The command line of the gateway."""
    return [str(environment.bin), *words]
