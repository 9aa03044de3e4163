"""Files of NAME=VALUE lines at which grammars part, and what systemd, python-dotenv and Compose make of each.

`python -m tests.environment_files LAB [DOCKER_CONFIG]` asks the real ones and writes the recording anew: LAB is the
folder of a running lab, DOCKER_CONFIG that of a docker client with the plugin of Compose.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

RECORDING = Path(__file__).parent / "recordings" / "environment-files.json"
OUTSIDE = {"OUTER": "from outside", "EMPTY_OUTER": ""}
Values = dict[str, str]
# None where the program refuses the file
Reading = Values | None

PEM = "-----BEGIN KEY-----\nc2VjcmV0LWxpbmUtb25l\nc2VjcmV0LWxpbmUtdHdv\n-----END KEY-----"
FILES: dict[str, bytes] = {
    "plain": b"A=1\nB=two words\nC=\n",
    "no end of the last line": b"A=1\nB=2",
    "comment behind a value": b"A_KEY=sk-abc # prod\nB=a#b\nC=#novalue\nD= # comment\n"
    b"E='q' # behind\nF=\"q\" # behind\n",
    "comment lines": b"# A=1\n; B=2\n  # C=3\n \t; D=4\nE=5\n",
    "a comment that goes on": b"# A=1\\\nB=2\nC=3\n; D=4 \\\\\nE=5\n",
    "export": b"export A_KEY=sk-abc\nexport  B=2\n  export C=3\nexport\nexport D\nexportE=5\n",
    "single quotes": b"A='a b'\nB='a\"b'\nC='a\\'b'\nD='a\\nb\\\\c'\nE='$OUTER ${OUTER}'\n",
    "double quotes": b'A="a b"\nB="a\'b"\nC="a\\"b"\nD="a\\nb\\tc\\\\d"\nE="a\\$b\\`c"\nF="\\q\\0101"\n',
    "quotes inside": b"A=a'b'c\nB=\"a\"b\nC='a' 'b'\nD=\"a\"'b'\nE=a \"b\"\nF=''\nG=\"\"\n",
    "unclosed single quote": b"A=1\nB='two\nC=3\n",
    "unclosed double quote": b'A=1\nB="two\nC=3\n',
    "several lines in single quotes": f"A='{PEM}'\nB=2\n".encode(),
    "several lines in double quotes": f'A="{PEM}"\nB=2\n'.encode(),
    "several lines without quotes": f"A={PEM}\nB=2\n".encode(),
    "continued lines": b"A=one \\\n  two\nB=a\\\nC=3\nD=\"x\\\ny\"\nE='x\\\ny'\nF=end\\",
    "backslashes": b"A=a\\b\nB=a\\\\b\nC=a\\nb\nD=\\\"a\\\"\nE=a\\ \nF=\\'x\\'\n",
    "CRLF": b"A=1\r\nB='two'\r\nC=\"three\"\r\nD=four # x\r\n",
    "CR alone": b"A=1\rB=2\r",
    "BOM": b"\xef\xbb\xbfA=1\nB=2\n",
    "not UTF-8 in a value": b"A=1\nB=caf\xe9\nC=3\n",
    "not UTF-8 in a comment": b"A=1\n# caf\xe9\nC=3\n",
    "UTF-8": "A=café\nÉ=1\nB=日本 語\nC=\u00a0x\u00a0\n".encode(),
    "UTF-16": "A=1\nB=2\n".encode("utf-16"),
    "NUL": b"A=1\nB=a\0b\nC=3\n",
    "control characters": b"A=a\x01b\nB=a\tb\nC=a\x7fb\nD=a\x0bb\x0cc\n",
    "a name twice": b"A=1\nB=2\nA=3\nA=\n",
    "names without a value": b"A\nB=\nOUTER\nC=1\n",
    "blanks around the sign": b"A = 1\nB= 2\nC =3\n\tD\t=\t4\t\nE=5   \nF=  '6'  \n",
    "odd names": b"1A=1\nA.B=2\nA-B=3\nA B=4\n=5\n'Q'=6\n\"R\"=7\nZ=8\n",
    "YAML's sign": b"A: 1\nB:2\nC:http://x\n",
    "references": b"A=base\nB=${A}\nC=$A\nD=\"${A}-x\"\nE='${A}'\nF=${OUTER}\nG=${MISSING}\nH=${MISSING:-default}\n",
    "more references": b"A=${A}\nB=${EMPTY_OUTER:-d}\nC=${EMPTY_OUTER-d}\nD=$$A\nE=\\$A\nF=${A\nG=}\n",
    "an outer name set anew": b"OUTER=mine\nB=${OUTER}\n",
    "equals signs": b"A=a=b\nB==\nC=postgres://u:p%40w@h/db?x=1&y=2\n",
    "hash in quotes": b"A=\"a # b\"\nB='a # b'\nC=a\\#b\nD=a\t# tab\n",
    "text behind quotes": b"A='a'b\nB=\"a\" b\nC=3\n",
    "empty": b"",
    "blank": b"\n \n\t\n\r\n",
}


def ask_systemd(run: Callable[..., subprocess.CompletedProcess[str]], folder: Path, content: bytes) -> Reading:
    """What a unit gets from an EnvironmentFile; `run` runs a command where systemd is, `folder` is seen there too."""
    baseline = _unit(run, folder, b"")
    found = _unit(run, folder, content)
    return None if found is None or baseline is None else {n: v for n, v in found.items() if n not in baseline}


def _unit(run: Callable[..., subprocess.CompletedProcess[str]], folder: Path, content: bytes) -> Reading:
    file, output = folder / "environment", folder / "output"
    file.write_bytes(content)
    output.unlink(missing_ok=True)
    run(
        ["systemd-run", "--wait", "--quiet", f"--property=EnvironmentFile={file}",
         "/bin/sh", "-c", f"exec env -0 >{output}"]
    )  # fmt: skip
    if not output.exists():
        return None
    entries = output.read_bytes().decode("utf-8", "surrogateescape").split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


_LOAD = """
import json, os, sys, dotenv
before = dict(os.environ)
dotenv.load_dotenv(sys.argv[1])
print(json.dumps({n: v for n, v in os.environ.items() if n not in before}))
"""


def ask_dotenv(folder: Path, content: bytes, python: str = sys.executable) -> Reading:
    """What `load_dotenv` of an interpreter adds to its environment."""
    (folder / ".env").write_bytes(content)
    done = subprocess.run(
        [python, "-X", "utf8", "-c", _LOAD, str(folder / ".env")], capture_output=True, env=OUTSIDE, check=False
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


def ask_compose(folder: Path, content: bytes, docker_config: str) -> Reading:
    """What `docker compose config` says that a container gets from an `env_file`."""
    (folder / "app.env").write_bytes(content)
    (folder / "compose.yaml").write_text("services: {s: {image: x, env_file: [app.env]}}\n")
    done = subprocess.run(
        ["docker", "compose", "--project-directory", str(folder), "config", "--format", "json"],
        capture_output=True, env={**OUTSIDE, "PATH": os.environ["PATH"], "DOCKER_CONFIG": docker_config, "HOME": "/"},
        check=False,
    )  # fmt: skip
    if done.returncode:
        return None
    values = json.loads(done.stdout)["services"]["s"].get("environment") or {}
    # it writes a dollar as Compose would have to read it
    return {name: value.replace("$$", "$") for name, value in values.items() if value is not None}


def recorded() -> Mapping[str, Mapping[str, Reading]]:
    """By the program (`systemd`, `dotenv`, `compose`), what it made of each file."""
    found: dict[str, dict[str, Reading]] = json.loads(RECORDING.read_text(encoding="utf-8"))
    return found


def record(lab_folder: str, docker_config: str) -> None:
    """Ask the real ones about every file."""
    from tests.lab import Lab

    lab = Lab.attach(lab_folder)
    shared = Path(lab_folder) / "environment-files"
    shared.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        readings: dict[str, dict[str, Reading]] = {
            "systemd": {n: ask_systemd(lambda c: lab.run(c, check=False), shared, f) for n, f in FILES.items()},
            "dotenv": {n: ask_dotenv(folder, f) for n, f in FILES.items()},
            "compose": {n: ask_compose(folder, f, docker_config) for n, f in FILES.items()},
        }
    RECORDING.write_text(json.dumps(readings, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else os.path.expanduser("~/.docker"))
