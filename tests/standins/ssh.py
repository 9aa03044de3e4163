"""A stand-in for OpenSSH's client, for what a real sshd does not do on request: a script that runs in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script's `ssh` goes before all others on PATH; the line for the other side is its last argument."""
    program = folder / "bin" / "ssh"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
