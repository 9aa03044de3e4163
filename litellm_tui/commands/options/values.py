"""The types of options: each takes a text and raises `ArgumentTypeError` with what is expected."""

from __future__ import annotations

import argparse


def number(text: str) -> int:
    """From 1 to 1000000."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000000")
    return int(text)


def backup_number(text: str) -> int:
    """The number of a backup."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) < 10**12):
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a backup, as --list shows it")
    return int(text)


def minutes(text: str) -> int:
    """From 1 to 60 minutes."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 60):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes from 1 to 60")
    return int(text)


def since(text: str) -> str | float:
    """`restart`, or seconds out of a number with s, m, h or d behind it."""
    if text == "restart":
        return text
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    if not (unit and text.isascii() and text[:-1].isdigit() and 1 <= int(text[:-1]) <= 10_000):
        raise argparse.ArgumentTypeError(f"{text!r} is neither restart nor a time such as 30m, 1h or 2d")
    return float(int(text[:-1]) * unit)


def seconds(text: str) -> float:
    """Above 0 and up to 3600 seconds."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time in seconds, above 0 and up to 3600")
    return found
