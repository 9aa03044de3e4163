"""The options of `litellm-tui notify`: names are parameters of `commands.notify.run`."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them; what is not given is not said."""
    absent = argparse.SUPPRESS
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--test", action="store_true", default=absent,
                       help="send a marked test message to each receiver (asks first)")  # fmt: skip
    which.add_argument("--list", dest="listing", action="store_true", default=absent,
                       help="list what waits and what was sent")  # fmt: skip
    parser.add_argument("--yes", action="store_true", default=absent, help="do not ask")
    parser.add_argument("--json", action="store_true", default=absent, help="print one JSON document")
