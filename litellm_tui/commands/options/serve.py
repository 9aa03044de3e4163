"""The options of `litellm-tui serve`: names are parameters of `commands.serve.run`."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them; what is not given is not said."""
    absent = argparse.SUPPRESS
    parser.add_argument("--listen", metavar="HOST:PORT", default=absent,
                        help="where to serve (127.0.0.1:8019); beyond it with a token or a user")  # fmt: skip
    parser.add_argument("--token-file", metavar="FILE", default=absent,
                        help="visitors must know the token in this file, which only you can read")  # fmt: skip
    parser.add_argument("--user-header", metavar="NAME", default=absent,
                        help="a reverse proxy logs people in, and names them in this header")  # fmt: skip
    parser.add_argument("--proxy", dest="proxies", metavar="ADDRESS", action="append", default=absent,
                        help="the address of that proxy (this machine's loopback); may be given again")  # fmt: skip
    parser.add_argument("--origin", dest="origins", metavar="URL", action="append", default=absent,
                        help="an address by name that it is opened at, such as https://console.example.com; may be "
                        "given again")  # fmt: skip
    parser.add_argument("--visitors", type=_few, metavar="N", default=absent, help="at most N consoles at a time (4)")
    parser.add_argument("--allow-changes", action="store_true", default=absent,
                        help="let visitors change things: only with a token or a user")  # fmt: skip


def _few(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of visitors from 1 to 100")
    return int(text)
