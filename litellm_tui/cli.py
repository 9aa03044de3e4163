"""The command line. A subcommand's module is imported only when it is chosen, so that `--help` stays instant."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from litellm_tui import __version__

USAGE_ERROR = 64  # EX_USAGE of sysexits.h

# name -> (module, one line for --help)
COMMANDS = {
    "console": ("litellm_tui.commands.console", "the console (the default)"),
    "where": ("litellm_tui.commands.where", "print which gateway, file, unit and key were found, and how"),
    "demo": ("litellm_tui.commands.demo", "the console on a simulated gateway, on a machine that has none"),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]  # argparse says NoReturn; exit() never returns
        self.print_usage(sys.stderr)
        self.exit(USAGE_ERROR, f"{self.prog}: {message}\n")


def build_parser() -> _Parser:
    """The whole command line; every subcommand takes the options that choose a gateway."""
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    which = common.add_argument_group("which gateway")
    which.add_argument("--url", metavar="URL", help="address of the gateway, such as http://127.0.0.1:4000")
    which.add_argument("--config", metavar="FILE", help="LiteLLM's configuration file")
    which.add_argument("--unit", metavar="NAME", help="systemd unit that runs LiteLLM (default: litellm.service)")
    scope = which.add_mutually_exclusive_group()
    scope.add_argument("--user", dest="scope", action="store_const", const="user", help="the unit is a user unit")
    scope.add_argument("--system", dest="scope", action="store_const", const="system", help="a system unit")
    which.add_argument("--profile", metavar="NAME", help="a profile of the settings file")
    which.add_argument("--key-env", metavar="NAME", help="environment variable that holds the gateway's key")
    which.add_argument("--key-file", metavar="FILE", help="file that holds the gateway's key")

    parser = _Parser(
        prog="litellm-tui",
        description="An operator console for a LiteLLM gateway.",
        epilog="Without a command the console starts. What is not given is found by itself: see `litellm-tui where`.",
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"litellm-tui {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Parser)
    for name, (_, line) in COMMANDS.items():
        command = commands.add_parser(name, help=line, description=line, parents=[common])
        if name == "console":
            _add_console_options(command)
    _add_console_options(parser)
    return parser


def _add_console_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--or-demo",
        action="store_true",
        default=argparse.SUPPRESS,
        help="open the simulated gateway when no gateway is found here",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    chosen = build_parser().parse_args(arguments)
    # only now: --help and --version need none of it
    from litellm_tui.profile import Options
    from litellm_tui.settings import SettingsError

    given = vars(chosen)
    options = Options(**{name: given[name] for name in Options.__struct_fields__ if name in given})
    module = import_module(COMMANDS[chosen.command or "console"][0])
    try:
        return int(module.run(options, **{name: given[name] for name in ("or_demo",) if name in given}))
    except SettingsError as error:
        print(f"litellm-tui: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # the reader of a pipe went away: not an error of ours, and Python must not complain while closing stdout
        sys.stdout = None
        return 141


if __name__ == "__main__":
    sys.exit(main())
