"""Options of commands that look: names are parameters of their `run`."""

from __future__ import annotations

import argparse

from litellm_tui.commands.options.fleet import add_keys_options
from litellm_tui.commands.options.values import minutes, number, seconds, since


def add_probe_options(parser: argparse.ArgumentParser) -> None:
    """Names are fields of `commands.probe.Wish`; what is not given is not said."""
    absent = argparse.SUPPRESS
    parser.add_argument(
        "names", nargs="*", metavar="NAME", default=absent,
        help="a group, an alias, a deployment's id or the beginning of it, or a model; without one all are asked",
    )  # fmt: skip
    parser.add_argument("--stream", action="store_true", default=absent, help="stream, and tell the first token's time")
    parser.add_argument("--timeout", type=seconds, metavar="S", default=absent, help="patience for each answer (30)")
    parser.add_argument("--yes", action="store_true", default=absent, help="agree to more than one paid call")
    parser.add_argument("--json", action="store_true", default=absent, help="print one JSON document")
    load = parser.add_argument_group("a small load test of one group, as clients use it")
    load.add_argument("--requests", type=number, metavar="N", default=absent, help="send N requests to the group")
    load.add_argument("--concurrency", type=number, metavar="N", default=absent, help="N at a time (4); probes too")
    load.add_argument("--cached", action="store_true", default=absent, help="the same prompt, which the cache may know")
    load.add_argument("--remote", action="store_true", default=absent, help="let requests leave this machine")


def add_diff_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.diff.run`."""
    absent = argparse.SUPPRESS
    parser.add_argument(
        "version", nargs="?", metavar="VERSION", default=absent,
        help="compare with this applied version: its number in --history, the beginning of its digest, or a time",
    )  # fmt: skip
    parser.add_argument("--history", action="store_true", default=absent, help="list the versions that were applied")
    parser.add_argument("--json", action="store_true", default=absent, help="print one JSON document")
    add_keys_options(parser)


def add_bundle_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.bundle.run`."""
    absent = argparse.SUPPRESS
    parser.add_argument("--output", metavar="FILE", default=absent,
                        help="the archive (litellm-tui-HOST-TIME.tar.gz, here); never overwritten")  # fmt: skip
    parser.add_argument("--minutes", type=number, metavar="N", default=absent, help="so much of the log (30)")
    parser.add_argument("--yes", action="store_true", default=absent, help="do not ask")


def add_audit_options(parser: argparse.ArgumentParser) -> None:
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


def add_where_options(parser: argparse.ArgumentParser) -> None:
    """Those of `where`."""
    parser.add_argument("--write", metavar="NAME", default=argparse.SUPPRESS,
                        help="keep what was found as a profile of this name in the settings file")  # fmt: skip


def add_check_options(parser: argparse.ArgumentParser) -> None:
    """Those of `check`."""
    add_json(parser)
    parser.add_argument("--minutes", type=minutes, metavar="N", default=argparse.SUPPRESS,
                        help="count the log's errors of the last N minutes (10; at most 60)")  # fmt: skip


def add_incidents_options(parser: argparse.ArgumentParser) -> None:
    """Those of `incidents`."""
    parser.add_argument("--since", type=since, metavar="SPAN", default=argparse.SUPPRESS,
                        help="only what failed since then: 30m, 1h, 2d, or restart")  # fmt: skip
    add_json(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The only option of `service`, and one of many others."""
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")
