"""The whole command line as one parser: from it come `--help`, the man page and the completions."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

from litellm_tui import __version__
from litellm_tui.commands.options import changing, console, history, looking, notify, record, serve, shell
from litellm_tui.commands.options.fleet import OF_THE_FLEET
from litellm_tui.commands.options.usage import epilog
from litellm_tui.target.close_name import close_name

USAGE_ERROR: Final = 64  # EX_USAGE of sysexits.h

# name -> (module, one line for --help)
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "console": ("litellm_tui.commands.console", "the console (the default)"),
    "status": ("litellm_tui.commands.status", "the glance: what is wrong, what changed, and how everything stands"),
    "check": ("litellm_tui.commands.check", "phase by phase, with an exit status for scripts"),
    "history": ("litellm_tui.commands.history", "what happened, newest first, from the record; charts of it as SVG"),
    "incidents": ("litellm_tui.commands.incidents", "what fails in the log, one entry per cause and group"),
    "audit": ("litellm_tui.commands.audit", "the configuration held against what LiteLLM really reads, with fixes"),
    "diff": ("litellm_tui.commands.diff", "the file against what runs, or against a version that ran before"),
    "rehearse": ("litellm_tui.commands.rehearse", "start the configuration on a spare port, beside what serves"),
    "restart": ("litellm_tui.commands.restart", "restart with rehearsal, backup and proof; roll back when it fails"),
    "upgrade": (
        "litellm_tui.commands.upgrade",
        "another release of LiteLLM: plan it, try it beside, apply it with proof",
    ),
    "start": ("litellm_tui.commands.startstop", "start the service (asks first)"),
    "stop": ("litellm_tui.commands.startstop", "stop the service (asks first)"),
    "service": ("litellm_tui.commands.service", "the service in full: ends of its runs, its files, its environment"),
    "rollback": ("litellm_tui.commands.rollback", "go back to configuration files that were kept, or list them"),
    "bundle": ("litellm_tui.commands.bundle", "one archive with all that is needed to help, every secret masked"),
    "where": ("litellm_tui.commands.where", "print which gateway, file, unit and key were found, and how"),
    "probe": ("litellm_tui.commands.probe", "ask deployments themselves, past fallbacks, retries and the cache"),
    "fleet": ("litellm_tui.commands.fleet", "every gateway of the settings file, here and on other hosts, worst first"),
    "record": ("litellm_tui.commands.record", "record what happens, without a screen; --install makes it a service"),
    "notify": (
        "litellm_tui.commands.notify",
        "who is told of problems, what waits and what was sent; --test tells all",
    ),
    "host": ("litellm_tui.commands.host", "what another host lacks for being looked at by ssh, and putting it there"),
    "apply": ("litellm_tui.commands.apply", "this configuration in place of the present one: audit, rehearsal, proof"),
    "turn": ("litellm_tui.commands.turn", "what a change of a fleet has done on this host, once (fleet calls it)"),
    "config": (
        "litellm_tui.commands.config",
        "the settings file: where it is, what is wrong in it, an example, its schema",
    ),
    "completion": ("litellm_tui.commands.completion", "what makes bash, zsh or fish complete the command line"),
    "serve": (
        "litellm_tui.commands.serve",
        "the console in a browser, read-only unless told; a process for each visitor",
    ),
    "tour": ("litellm_tui.commands.tour", "one incident of a simulated gateway, step by step, with a guide"),
    "demo": ("litellm_tui.commands.demo", "the console on a simulated gateway, on a machine that has none"),
}
OPTIONS: Final[Mapping[str, Callable[[argparse.ArgumentParser], None]]] = {
    **OF_THE_FLEET,
    "console": console.add_console_options,
    "status": history.add_status_options,
    "check": looking.add_check_options,
    "history": history.add_options,
    "incidents": looking.add_incidents_options,
    "audit": looking.add_audit_options,
    "diff": looking.add_diff_options,
    "service": looking.add_json,
    "bundle": looking.add_bundle_options,
    "where": looking.add_where_options,
    "probe": looking.add_probe_options,
    "rehearse": changing.add_rehearse_options,
    "restart": changing.add_restart_options,
    "upgrade": changing.add_upgrade_options,
    "start": changing.add_start_options,
    "stop": changing.add_start_options,
    "rollback": changing.add_rollback_options,
    "record": record.add_options,
    "notify": notify.add_options,
    "config": shell.add_config_options,
    "completion": shell.add_completion_options,
    "serve": serve.add_options,
    "demo": console.add_plain,
}
# these only look, and their exit status says it all
QUIET: Final = ("status", "check", "incidents", "audit", "diff", "where")
_KEY_OPTIONS: Final = ("--key", "--api-key", "--apikey", "--master-key", "--token", "--password")
_NO_KEY: Final = (
    "a key is never taken from the command line, where every user of the machine can read it: "
    "export LITELLM_PROXY_API_KEY, or name what holds it: --key-env VARIABLE, --key-file FILE"
)
_VALUE: Final = re.compile(r"(ambiguous option: [^\s=]{1,200})=.*( could match )", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """A parser that ends with 64, names what was meant, and repeats no value that could be a secret."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"formatter_class": argparse.RawDescriptionHelpFormatter, **given})

    def error(self, message: str) -> NoReturn:
        """End with `USAGE_ERROR` and the way to the help."""
        found = _VALUE.match(message)
        told = f"{found[1]}{found[2]}{message[found.end() :]}" if found else message
        self.exit(USAGE_ERROR, f"{self.prog}: {told}\n{self.prog} --help says what there is\n")
        raise AssertionError("exit() does not return")

    def parse_args(  # type: ignore[override]  # one form in place of argparse's three
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """As argparse does, with the nearest option or command where one is not known."""
        words = sys.argv[1:] if args is None else list(args)
        until = words.index("--") if "--" in words else len(words)
        if any(word.partition("=")[0] in _KEY_OPTIONS for word in words[:until]):
            self.error(_NO_KEY)
        found, unknown = self.parse_known_args(words, namespace)
        if unknown:
            parser = chosen_parser(self, words)
            given = next((word for word in unknown if word.startswith("-")), unknown[0]).partition("=")[0]
            if not given.startswith("-"):
                parser.error(f"{given!r}: nothing is expected here")
            near = close_name(given, options_of(parser))
            parser.error(f"{given}: there is no such option{f': did you mean {near}?' if near else ''}")
        return found

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            near = close_name(str(value), known)
            what = "command" if action.dest == "command" else "choice"
            raise argparse.ArgumentError(
                None if action.dest == "command" else action,
                f"{str(value)[:60]!r}: there is no such {what}{f': did you mean {near}?' if near else ''}"
                f"{'' if near else '; there are ' + ', '.join(known)}",
            )


def subparsers_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """The commands of a parser, or the verbs of a command, by their names; empty where there are none."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def options_of(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """The long options of a parser, with what each is."""
    return {
        name: action
        for action in parser._actions
        for name in action.option_strings
        if name.startswith("--") and action.help != argparse.SUPPRESS
    }


def positionals_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The words without a dash that a parser takes, in their order, without commands and verbs."""
    return [
        action
        for action in parser._actions
        if not action.option_strings and not isinstance(action, argparse._SubParsersAction)
    ]


def chosen_parser(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the command, and the verb, that the words name."""
    takes_value = False
    for word in words:
        if takes_value:
            takes_value = False
        elif word.startswith("-"):
            action = options_of(parser).get(word)
            takes_value = action is not None and action.nargs != 0
        else:
            parser = subparsers_of(parser).get(word, parser)
    return parser


def build_parser() -> Parser:
    """The whole command line; every subcommand takes the options that choose a gateway."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    which = common.add_argument_group("which gateway")
    which.add_argument("--url", metavar="URL", help="address of the gateway, such as http://127.0.0.1:4000")
    which.add_argument("--config", metavar="FILE", help="LiteLLM's configuration file")
    which.add_argument("--unit", metavar="NAME", help="systemd unit that runs LiteLLM (default: litellm.service)")
    scope = which.add_mutually_exclusive_group()
    scope.add_argument("--user", dest="scope", action="store_const", const="user", help="the unit is a user unit")
    scope.add_argument("--system", dest="scope", action="store_const", const="system", help="a system unit")
    which.add_argument(
        "--kind",
        choices=("systemd", "compose", "docker", "process", "custom", "kubernetes"),
        help="what runs LiteLLM; --unit then names the service, container, Deployment, or the port of the process",
    )
    which.add_argument("--container", metavar="NAME", help="a container that was made by docker run (--kind docker)")
    which.add_argument("--profile", metavar="NAME", help="a profile of the settings file")
    which.add_argument("--read-only", action="store_true", help="look, and change nothing")
    which.add_argument("--key-env", metavar="NAME", help="environment variable that holds the gateway's key")
    which.add_argument("--key-file", metavar="FILE", help="file that holds the gateway's key")
    common.add_argument(
        "--log-file", metavar="FILE", help="write down what litellm-tui itself does, masked, to find a fault"
    )

    parser = Parser(
        prog="litellm-tui",
        description="An operator console for a LiteLLM gateway.",
        epilog=epilog(""),
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"litellm-tui {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=Parser)
    for name, (_, line) in COMMANDS.items():
        command = commands.add_parser(name, help=line, description=line, epilog=epilog(name), parents=[common])
        if name in OPTIONS:
            OPTIONS[name](command)
        if name in QUIET:
            command.add_argument("--quiet", action="store_true", default=argparse.SUPPRESS,
                                 help="print nothing: the exit status tells")  # fmt: skip
    console.add_console_options(parser)
    return parser
