"""The command line. A subcommand's module is imported only when it is chosen, so that `--help` stays instant."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from litellm_tui import __version__
from litellm_tui.commands.options.console import add_console_options, add_plain
from litellm_tui.commands.options.fleet import OF_THE_FLEET, add_keys_options

if TYPE_CHECKING:
    from litellm_tui.target.profile import Options
    from litellm_tui.target.settings import ProfileSettings

USAGE_ERROR = 64  # EX_USAGE of sysexits.h
OWN_FAULT = 70  # EX_SOFTWARE

# name -> (module, one line for --help)
COMMANDS = {
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
    "serve": (
        "litellm_tui.commands.serve",
        "the console in a browser, read-only unless told; a process for each visitor",
    ),
    "tour": ("litellm_tui.commands.tour", "one incident of a simulated gateway, step by step, with a guide"),
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
    which.add_argument(
        "--kind",
        choices=("systemd", "compose", "docker", "process", "custom"),
        help="what runs LiteLLM; --unit then names the service, the container, or the port of the process",
    )
    which.add_argument("--container", metavar="NAME", help="a container that was made by docker run (--kind docker)")
    which.add_argument("--profile", metavar="NAME", help="a profile of the settings file")
    which.add_argument("--read-only", action="store_true", help="look, and change nothing")
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
            add_console_options(command)
        elif name == "demo":
            add_plain(command)
        elif name == "where":
            command.add_argument("--write", metavar="NAME", default=argparse.SUPPRESS,
                                 help="keep what was found as a profile of this name in the settings file")  # fmt: skip
        elif name == "status":
            import_module("litellm_tui.commands.options.history").add_status_options(command)
        elif name == "history":
            import_module("litellm_tui.commands.options.history").add_options(command)
        elif name in OF_THE_FLEET:
            OF_THE_FLEET[name](command)
        elif name == "check":
            command.add_argument(
                "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document"
            )
            command.add_argument("--minutes", type=_minutes, metavar="N", default=argparse.SUPPRESS,
                                 help="count the log's errors of the last N minutes (10; at most 60)")  # fmt: skip
        elif name == "incidents":
            command.add_argument("--since", type=_span, metavar="SPAN", default=argparse.SUPPRESS,
                                 help="only what failed since then: 30m, 1h, 2d, or restart")  # fmt: skip
            command.add_argument(
                "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document"
            )
        elif name == "bundle":
            _add_bundle_options(command)
        elif name == "probe":
            _add_probe_options(command)
        elif name == "audit":
            _add_audit_options(command)
        elif name == "diff":
            _add_diff_options(command)
            add_keys_options(command)
        elif name == "rehearse":
            _add_rehearse_options(command)
        elif name == "restart":
            _add_restart_options(command)
        elif name == "upgrade":
            _add_upgrade_options(command)
        elif name in ("start", "stop"):
            command.set_defaults(verb=name)
            command.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help="do not ask")
        elif name == "service":
            command.add_argument(
                "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document"
            )
        elif name == "rollback":
            _add_rollback_options(command)
        elif name in ("notify", "record", "serve"):
            import_module(f"litellm_tui.commands.options.{name}").add_options(command)
    add_console_options(parser)
    return parser


def _add_probe_options(parser: argparse.ArgumentParser) -> None:
    """Names are fields of `commands.probe.Wish`; what is not given is not said."""
    absent = argparse.SUPPRESS
    parser.add_argument(
        "names", nargs="*", metavar="NAME", default=absent,
        help="a group, an alias, a deployment's id or the beginning of it, or a model; without one all are asked",
    )  # fmt: skip
    parser.add_argument("--stream", action="store_true", default=absent, help="stream, and tell the first token's time")
    parser.add_argument("--timeout", type=_seconds, metavar="S", default=absent, help="patience for each answer (30)")
    parser.add_argument("--yes", action="store_true", default=absent, help="agree to more than one paid call")
    parser.add_argument("--json", action="store_true", default=absent, help="print one JSON document")
    load = parser.add_argument_group("a small load test of one group, as clients use it")
    load.add_argument("--requests", type=_number, metavar="N", default=absent, help="send N requests to the group")
    load.add_argument("--concurrency", type=_number, metavar="N", default=absent, help="N at a time (4); probes too")
    load.add_argument("--cached", action="store_true", default=absent, help="the same prompt, which the cache may know")
    load.add_argument("--remote", action="store_true", default=absent, help="let requests leave this machine")


def _add_diff_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.diff.run`."""
    absent = argparse.SUPPRESS
    parser.add_argument(
        "version", nargs="?", metavar="VERSION", default=absent,
        help="compare with this applied version: its number in --history, the beginning of its digest, or a time",
    )  # fmt: skip
    parser.add_argument("--history", action="store_true", default=absent, help="list the versions that were applied")
    parser.add_argument("--json", action="store_true", default=absent, help="print one JSON document")


def _add_rehearse_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.rehearse.run`."""
    absent = argparse.SUPPRESS
    parser.add_argument("file", nargs="?", metavar="FILE", default=absent,
                        help="another configuration, in place of the service's own")  # fmt: skip
    parser.add_argument("--with", dest="program", metavar="VERSION|PATH|IMAGE", default=absent,
                        help="another LiteLLM: a release, which is made ready beside the one that runs, the folder of "
                        "its environment, its litellm script, or for a container an image")  # fmt: skip
    parser.add_argument("--probe", dest="probes", metavar="GROUP", action="append", default=absent,
                        help="ask every deployment of this group, a paid request each; may be given again")  # fmt: skip
    parser.add_argument("--with-database", dest="database", action="store_true", default=absent,
                        help="use the database: its tables are migrated at the start (asks first)")  # fmt: skip
    parser.add_argument("--yes", action="store_true", default=absent, help="do not ask")
    parser.add_argument("--json", action="store_true", default=absent, help="print one JSON document")


def _add_restart_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.restart.run`."""
    absent = argparse.SUPPRESS
    parser.add_argument("--yes", action="store_true", default=absent, help="do not ask")
    parser.add_argument(
        "--force", action="store_true", default=absent, help="go on where the preflight or the rehearsal refuses"
    )
    parser.add_argument("--no-rehearsal", dest="rehearsal", action="store_false", default=absent,
                        help="do not start the configuration beside the running gateway first")  # fmt: skip
    parser.add_argument("--no-rollback", dest="rollback", action="store_false", default=absent,
                        help="leave what fails as it is, to be looked at")  # fmt: skip
    parser.add_argument("--json", action="store_true", default=absent, help="print one JSON document")
    ending = parser.add_mutually_exclusive_group()
    ending.add_argument("--finish", action="store_true", default=absent,
                        help="prove what an interrupted restart has begun, and roll back when it fails")  # fmt: skip
    ending.add_argument("--undo", action="store_true", default=absent,
                        help="take a restart back that was interrupted")  # fmt: skip


def _add_upgrade_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.upgrade.run`."""
    absent = argparse.SUPPRESS
    parser.add_argument(
        "version", nargs="?", metavar="VERSION", default=absent,
        help="the release to go to, or the whole tag of an image (the newest that nothing is known against)",
    )  # fmt: skip
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--plan", dest="way", action="store_const", const="plan", default=absent,
                     help="say what it would change and what is against it; changes nothing (default)")  # fmt: skip
    way.add_argument("--rehearse", dest="way", action="store_const", const="rehearse", default=absent,
                     help="install it beside the one that runs, and try it there")  # fmt: skip
    way.add_argument("--apply", dest="way", action="store_const", const="apply", default=absent,
                     help="put it in that one's place, restart and prove; what fails is taken back")  # fmt: skip
    way.add_argument("--back", dest="way", action="store_const", const="back", default=absent,
                     help="put the release that ran before in its place, restart and prove")  # fmt: skip
    parser.add_argument("--database-is-backed-up", dest="backed_up", action="store_true", default=absent,
                        help="you have a backup of the database: its tables are migrated, and that stays")  # fmt: skip
    parser.add_argument("--no-rehearsal", dest="rehearsal", action="store_false", default=absent,
                        help="apply without trying it beside first")  # fmt: skip
    parser.add_argument("--yes", action="store_true", default=absent, help="do not ask")
    parser.add_argument("--json", action="store_true", default=absent, help="print one JSON document")


def _add_rollback_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.rollback.run`."""
    absent = argparse.SUPPRESS
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--list", dest="listing", action="store_true", default=absent, help="list what is kept")
    which.add_argument("--to", type=_backup, metavar="NUMBER", default=absent,
                       help="go back to this one of --list (the last one that ran well)")  # fmt: skip
    parser.add_argument("--restart", action="store_true", default=absent, help="then restart, with proof, to apply it")
    parser.add_argument("--yes", action="store_true", default=absent, help="do not ask")
    parser.add_argument("--json", action="store_true", default=absent, help="print one JSON document")


def _add_bundle_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.bundle.run`."""
    absent = argparse.SUPPRESS
    parser.add_argument("--output", metavar="FILE", default=absent,
                        help="the archive (litellm-tui-HOST-TIME.tar.gz, here); never overwritten")  # fmt: skip
    parser.add_argument("--minutes", type=_number, metavar="N", default=absent, help="so much of the log (30)")
    parser.add_argument("--yes", action="store_true", default=absent, help="do not ask")


def _add_audit_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.audit.run`."""
    absent = argparse.SUPPRESS
    parser.add_argument(
        "files", nargs="*", metavar="FILE", default=absent,
        help="configurations, each taken alone; without one the file that the unit runs, with all that is around it",
    )  # fmt: skip
    parser.add_argument(
        "--litellm", metavar="RELEASE", default=absent,
        help="the LiteLLM that is to read it: a version, or the path of an environment (the installed one, else the "
        "newest known)",
    )  # fmt: skip
    parser.add_argument("--against", metavar="RELEASE", default=absent,
                        help="say what this other release changes for the file, in place of the audit")  # fmt: skip
    parser.add_argument(
        "--advisories", metavar="FILE", default=absent,
        help="newer advisories in OSV's form, a file, folder or zip, beside the shipped ones",
    )  # fmt: skip
    parser.add_argument("--format", choices=("text", "json", "sarif", "markdown"), default=absent,
                        help="what to print (text)")  # fmt: skip
    parser.add_argument("--fail-on", choices=("fatal", "error", "warning", "advice", "never"), default=absent,
                        help="end with 1 when something is as bad as this (error)")  # fmt: skip
    parser.add_argument("--explain", metavar="RULE", default=absent, help="say what a rule is about, and nothing else")
    parser.add_argument("--env-file", metavar="FILE", action="append", default=absent,
                        help="a file of NAME=VALUE lines that LiteLLM will get; may be given again")  # fmt: skip
    parser.add_argument("--fix", action="store_true", default=absent,
                        help="apply every fix that needs no decision, with a backup of each file")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", default=absent,
                        help="with --fix: show the differences, write nothing")  # fmt: skip


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000000")
    return int(text)


def _backup(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) < 10**12):
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a backup, as --list shows it")
    return int(text)


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 60):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes from 1 to 60")
    return int(text)


def _span(text: str) -> str | float:
    """`restart`, or seconds out of a number with s, m, h or d behind it."""
    if text == "restart":
        return text
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    if not (unit and text.isascii() and text[:-1].isdigit() and 1 <= int(text[:-1]) <= 10_000):
        raise argparse.ArgumentTypeError(f"{text!r} is neither restart nor a time such as 30m, 1h or 2d")
    return float(int(text[:-1]) * unit)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time in seconds, above 0 and up to 3600")
    return seconds


def _signs_in_ascii(text: str) -> str:
    # only where a sign is met that the output cannot hold
    from litellm_tui.ui.signs import every_sign_to_ascii

    return every_sign_to_ascii(text)


def _on_another_host(command: str, options: Options, given: Mapping[str, object]) -> ProfileSettings | None:
    """The profile, where it says that its gateway is on another host."""
    from litellm_tui.target.far_side import chosen_far
    from litellm_tui.target.settings import SettingsError, load_settings

    try:
        found = chosen_far(command, options, given, load_settings())
    except SettingsError:
        # the command itself says what is wrong, where it needs them
        return None
    return found[1] if found is not None else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: `OWN_FAULT` where the command itself failed."""
    chosen = build_parser().parse_args(arguments)
    # only now: --help and --version need none of it
    from litellm_tui.host.terminal_locale import prepare_output
    from litellm_tui.target.profile import Options
    from litellm_tui.target.settings import SettingsError

    given = vars(chosen)
    options = Options(**{name: given[name] for name in Options.__struct_fields__ if name in given})
    prepare_output(_signs_in_ascii, json=bool(given.get("json")) or given.get("format") in ("json", "sarif"))
    module = import_module(COMMANDS[chosen.command or "console"][0])
    try:
        if (far := _on_another_host(chosen.command or "console", options, given)) is not None:
            return int(
                import_module("litellm_tui.commands.far").run_far(
                    far, options, sys.argv[1:] if arguments is None else arguments,
                    json=bool(given.get("json")), console=(chosen.command or "console") == "console",
                )
            )  # fmt: skip
        own = {name: value for name, value in given.items() if name not in (*Options.__struct_fields__, "command")}
        return int(module.run(options, **own))
    except SettingsError as error:
        print(f"litellm-tui: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # the reader of a pipe went away: not an error of ours, and Python must not complain while closing stdout
        sys.stdout = None
        return 141
    except Exception as error:  # noqa: BLE001  # the last boundary: no traceback, and no status that means another thing
        from litellm_tui.monitor.supervisor import crashed

        command = chosen.command or "console"
        print(f"litellm-tui: {command} failed, by a fault of litellm-tui: {crashed(error).why}", file=sys.stderr)
        return OWN_FAULT


if __name__ == "__main__":
    sys.exit(main())
