"""Hosts of a fleet without any: an ssh that runs its line here, and a litellm-tui there that says what it is told to.

`NAME.try` and `NAME.turn` hold the exit status and the document of a host in its folder; `NAME.cut` cuts the link in
the middle of its next turn, and `NAME.down` keeps it from being reached.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.standins.ssh import install

_SSH = """\
for word; do host=$last; last=$word; done
[ ! -e "{folder}/$host.down" ] || {{ echo "ssh: connect to host $host port 22: Connection refused" >&2; exit 255; }}
HOME="{folder}" FAR_HOST=$host sh -c "$last"
status=$?
case "$last" in *" turn "*) [ ! -e "{folder}/$host.cut" ] || {{ rm "{folder}/$host.cut"; exit 255; }};; esac
exit $status
"""
_PROGRAM = """\
#!/bin/sh
echo "$FAR_HOST $*" >> "{folder}/calls"
case "$*" in
turn*|*\\ turn*) what=turn ;;
*status*) cat "{folder}/status"; exit 0 ;;
*) what=try ;;
esac
case "$*" in *apply*) cat > "{folder}/$FAR_HOST.stdin.$what" ;; esac
[ $what != turn ] || [ ! -e "{folder}/$FAR_HOST.cut" ] || exit 0
read -r status < "{folder}/$FAR_HOST.$what"
sed 1d "{folder}/$FAR_HOST.$what"
exit "$status"
"""
STATUS = {"format": 1, "exit_status": 0, "litellm_version": "1.106.2", "headline": {"word": "SERVING"}}


class Far:
    """The hosts, and what was asked of them in order."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "far"
        self.folder.mkdir()
        install(folder, _SSH.format(folder=self.folder), monkeypatch)
        program = folder / "bin" / "litellm-tui"
        program.write_text(_PROGRAM.format(folder=self.folder), encoding="utf-8")
        program.chmod(0o755)
        (self.folder / "status").write_text(json.dumps(STATUS), encoding="utf-8")

    def says(self, host: str, what: str, status: int, **document: Any) -> None:
        """What this host answers to `try` or `turn`."""
        (self.folder / f"{host}.{what}").write_text(f"{status}\n{json.dumps(document)}\n", encoding="utf-8")

    def mark(self, host: str, what: str, *, there: bool = True) -> None:
        """`cut` or `down`."""
        path = self.folder / f"{host}.{what}"
        path.touch() if there else path.unlink()

    def calls(self, what: str = "") -> list[tuple[str, list[str]]]:
        """Host and words of each call with this word in it."""
        path = self.folder / "calls"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found = [line.split() for line in lines]
        return [(words[0], words[1:]) for words in found if not what or what in words]

    def given(self, host: str, what: str) -> bytes:
        """What came on its stdin."""
        return (self.folder / f"{host}.stdin.{what}").read_bytes()
