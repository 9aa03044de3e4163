"""The options of `litellm-tui history` and `status`: names are parameters of `run` of their modules."""

from __future__ import annotations

import argparse
from typing import Final

LAST_LOOK: Final = "last-look"
NIGHT: Final = "night"
_UNITS: Final = {"m": 60, "h": 3600, "d": 86400}
# a year is kept, and nobody asks for a century
_MOST_DAYS: Final = 4000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Those of `history`; what is not given is not said."""
    absent = argparse.SUPPRESS
    parser.add_argument("--since", type=span, metavar="SPAN", default=absent,
                        help="how far back: 30m, 12h, 7d (1d), last-look, or night for last night")  # fmt: skip
    parser.add_argument("--group", metavar="NAME", default=absent, help="with --svg: the curves of this model group")
    parser.add_argument("--svg", metavar="FILE", default=absent, help="draw the charts of it into this file too")
    parser.add_argument("--json", action="store_true", default=absent,
                        help="print one JSON document (docs/history.md)")  # fmt: skip


def add_status_options(parser: argparse.ArgumentParser) -> None:
    """Those of `status`."""
    absent = argparse.SUPPRESS
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", default=absent, help="print one JSON document")
    form.add_argument("--markdown", action="store_true", default=absent,
                      help="print a STATUS.md; with --since a short one")  # fmt: skip
    parser.add_argument("--follow", action="store_true", default=absent,
                        help="with --json: a document a line at each change, or each 30 s: docs/status.md")  # fmt: skip
    parser.add_argument("--since", type=span, metavar="SPAN", default=absent,
                        help="also the span in figures, from the record: 30m, 12h, 7d, last-look or night")  # fmt: skip


def span(text: str) -> str | float:
    """`last-look`, `night`, or seconds out of a number with m, h or d behind it."""
    if text in (LAST_LOOK, NIGHT):
        return text
    unit = _UNITS.get(text[-1:], 0)
    if not (unit and text.isascii() and text[:-1].isdigit() and len(text) <= 8 and int(text[:-1]) >= 1):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither {LAST_LOOK} nor {NIGHT} nor a time such as 30m, 12h or 7d"
        )
    seconds = int(text[:-1]) * unit
    if seconds > _MOST_DAYS * 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than anything is kept")
    return float(seconds)
