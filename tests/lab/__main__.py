"""The lab by hand, as root: up, in, in-user, down, record."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from tests.lab.config import Source
from tests.lab.core import Lab, Which
from tests.lab.environments import LabError


def up(options: argparse.Namespace) -> int:
    config: Source | None = Path(options.config).read_text() if options.config else None
    wanted: dict[str, tuple[Which, ...]] = {
        "user": ("user",),
        "system": ("system",),
        "both": ("user", "system"),
        "none": (),
    }
    chosen = wanted[options.units]
    lab = Lab.boot(
        options.dir,
        options.litellm,
        config=config,
        units=chosen,
        volatile_journal=options.volatile_journal,
        groups=options.group,
        detached=True,
    )
    print(json.dumps(lab.describe()))
    ports = lab.ports
    print(
        f"LiteLLM {lab.litellm.version} up in {lab.boot_seconds:.1f} s: "
        f"user {ports.user}, system {ports.system}, redis {ports.redis}, upstream {ports.upstream}; "
        f"folder {lab.dir}; started: {', '.join(lab.units) or 'none'}"
    )
    return 0


def enter(folder: str, command: list[str], user: bool) -> int:
    lab = Lab.attach(folder)
    argv = lab.argv(command or ["/bin/sh"], user)
    sys.stdout.flush()
    os.execvp(argv[0], argv)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    boot = commands.add_parser("up", help="boot a lab and leave it running")
    boot.add_argument("--litellm", help="bin/litellm or its environment; else the newest of the variable")
    boot.add_argument("--dir", required=True, help="the lab's folder, made if missing")
    boot.add_argument("--config", help="YAML; @redis@, @upstream@, @refused@ stand for the ports")
    boot.add_argument("--units", choices=("user", "system", "both", "none"), default="user", help="what to start")
    boot.add_argument("--volatile-journal", action="store_true", help="no journalctl --user")
    boot.add_argument("--group", action="append", default=[], help="a further group of the ordinary user")
    for name, who in (("in", "root"), ("in-user", "the ordinary user")):
        inside = commands.add_parser(name, help=f"run a command inside as {who}")
        inside.add_argument("dir")
        inside.add_argument("argv", nargs=argparse.REMAINDER, metavar="CMD")
    down = commands.add_parser("down", help="end a lab and all in it")
    down.add_argument("dir")
    record = commands.add_parser("record", help="record real answers into tests/recordings/VERSION")
    record.add_argument("litellm", nargs="+", help="LiteLLM environments")
    options = parser.parse_args(arguments)
    try:
        if options.command == "up":
            return up(options)
        if options.command == "down":
            Lab.attach(options.dir).down()
            return 0
        if options.command == "record":
            from tests.lab.record import record as make

            return make(options.litellm)
        return enter(options.dir, options.argv, options.command == "in-user")
    except LabError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
