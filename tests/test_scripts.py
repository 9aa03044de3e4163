"""The scripts that fetch what the tests need, on machines of several forms; nothing is fetched here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "compose-plugin.sh"
APT = """#!/bin/sh
case "$*" in *sourcelist=*) file=${2#*=}; cat "$file" >"$SEEN" ;; esac
exit 9
"""
DEB822 = """Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security

Types: deb
URIs: http://mirror.example/debian/
Suites: bookworm
"""
CLASSIC = """# deb http://old.example/debian jessie main
deb-src http://sources.example/debian bookworm main
deb http://security.example/debian-security bookworm-security main
deb [arch=amd64 signed-by=/x.gpg] http://classic.example/debian bookworm main
"""


@pytest.mark.parametrize(
    ("files", "mirror"),
    [
        ({"sources.list.d/debian.sources": DEB822}, "http://mirror.example/debian/"),
        ({"sources.list": CLASSIC}, "http://classic.example/debian"),
        ({"sources.list": "", "sources.list.d/own.list": CLASSIC}, "http://classic.example/debian"),
        ({"sources.list.d/docker.sources": "URIs: https://elsewhere.example/linux"}, ""),
        ({}, ""),
    ],
)
def test_compose_is_fetched_from_the_mirror_of_this_debian(tmp_path: Path, files: dict[str, str], mirror: str) -> None:
    for name, text in files.items():
        path = tmp_path / "apt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    program = tmp_path / "bin" / "apt-get"
    program.parent.mkdir()
    program.write_text(APT, encoding="ascii")
    program.chmod(0o755)
    seen = tmp_path / "seen"
    environment = {
        **os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "APT_FOLDER": str(tmp_path / "apt"),
        "SEEN": str(seen),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", str(SCRIPT), str(tmp_path / "plugin")], env=environment, capture_output=True, text=True, check=False
    )
    if not mirror:
        assert (done.returncode, seen.exists()) == (1, False)
        assert f"no mirror of Debian among the sources in {tmp_path}/apt" in done.stderr
        return
    assert done.returncode == 9, done.stderr
    assert seen.read_text(encoding="ascii").split()[2:] == [mirror, "trixie", "main"]
