"""Options of `config` and `completion`: names are parameters of their `run`."""

from __future__ import annotations

import argparse
from typing import Final

SHELLS: Final = ("bash", "zsh", "fish")


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Without one it says where the file is and whether it can be used."""
    way = parser.add_mutually_exclusive_group()
    for name, words in (
        ("check", "say everything that is wrong in it, by line (default)"),
        ("edit", "open it in your editor, with an example where there is none, and check it then"),
        ("example", "print a file with every setting, commented out"),
        ("schema", "print its JSON schema, for editors"),
    ):
        way.add_argument(
            f"--{name}", dest="way", action="store_const", const=name, default=argparse.SUPPRESS, help=words
        )


def add_completion_options(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")
