"""The options of the console itself."""

from __future__ import annotations

import argparse


def add_console_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.console.run`."""
    parser.add_argument(
        "--or-demo",
        action="store_true",
        default=argparse.SUPPRESS,
        help="open the simulated gateway when no gateway is found here (as it does without this option too)",
    )
    add_plain(parser)


def add_plain(parser: argparse.ArgumentParser) -> None:
    """Of `demo` too."""
    parser.add_argument("--plain", action="store_true", default=argparse.SUPPRESS,
                        help="print lines in place of painting a screen, for screen readers")  # fmt: skip
