"""The options of `litellm-tui record`: names are parameters of `commands.record.run`."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them; what is not given is not said."""
    absent = argparse.SUPPRESS
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--install", dest="way", action="store_const", const="install", default=absent,
                     help="show a unit that records, and start it after asking: of this user, or with --system "
                     "of the machine")  # fmt: skip
    way.add_argument("--uninstall", dest="way", action="store_const", const="uninstall", default=absent,
                     help="stop that unit and remove it; what was recorded stays")  # fmt: skip
    parser.add_argument("--listen", metavar="HOST:PORT", default=absent,
                        help="serve metrics for Prometheus, such as at 127.0.0.1:9419 (docs/metrics.md)")  # fmt: skip
    parser.add_argument("--listen-anywhere", dest="anywhere", action="store_true", default=absent,
                        help="agree to an address that other machines reach; the metrics need no login")  # fmt: skip
    parser.add_argument("--yes", action="store_true", default=absent, help="do not ask")
