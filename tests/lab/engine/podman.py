"""Podman with a store of its own: the client that understands most of what Docker's does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.lab.engine import IMAGE, root_of_image
from tests.lab.environments import PATIENCE, LabError

# A root without CAP_SYS_RESOURCE may neither lower the OOM score of a process nor raise its limits.
_RUNTIME: Final = """#!{python} -IS
import json, os, sys

words = sys.argv[1:]
if "--bundle" in words:
    path = os.path.join(words[words.index("--bundle") + 1], "config.json")
    with open(path) as file:
        bundle = json.load(file)
    bundle["process"].pop("rlimits", None)
    bundle["process"].pop("oomScoreAdj", None)
    with open(path, "w") as file:
        json.dump(bundle, file)
os.execv({runc!r}, ["runc", *words])
"""
_CLIENT: Final = """#!/bin/sh
exec {podman} --root {folder}/data --runroot {folder}/run --tmpdir {folder}/tmp --storage-driver vfs \\
  --cgroup-manager cgroupfs --events-backend file --runtime {folder}/runc "$@"
"""


def missing() -> str | None:
    """Why Podman cannot be tried here, or None."""
    if os.geteuid() != 0:
        return "Podman's containers need root here"
    lack = next((name for name in ("podman", "conmon", "runc", "busybox") if shutil.which(name) is None), None)
    return f"no {lack} on PATH: install the packages podman, conmon, runc and busybox-static" if lack else None


class Podman:
    """`client` is a program that has the words of Podman's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = str(folder / "podman")
        texts = {
            "podman": _CLIENT.format(podman=shutil.which("podman"), folder=folder),
            "runc": _RUNTIME.format(python=sys.executable, runc=shutil.which("runc")),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
            (folder / name).chmod(0o755)
        self.docker("import", "-", IMAGE, given=root_of_image())

    def docker(self, *words: str, given: bytes | None = None) -> str:
        """What the client prints on stdout. Raises LabError when it fails."""
        done = subprocess.run([self.client, *words], input=given, capture_output=True, check=False, timeout=PATIENCE)
        if done.returncode:
            raise LabError(f"podman {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode(errors="replace")

    def end(self) -> None:
        """Remove all that it has."""
        self.docker("rm", "--force", "--all", "--time", "0")
        shutil.rmtree(self.folder, ignore_errors=True)
