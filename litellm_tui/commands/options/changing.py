"""Options of commands that change something: names are parameters of their `run`."""

from __future__ import annotations

import argparse

from litellm_tui.commands.options.values import backup_number


def add_rehearse_options(parser: argparse.ArgumentParser) -> None:
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


def add_restart_options(parser: argparse.ArgumentParser) -> None:
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


def add_upgrade_options(parser: argparse.ArgumentParser) -> None:
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


def add_rollback_options(parser: argparse.ArgumentParser) -> None:
    """Names are parameters of `commands.rollback.run`."""
    absent = argparse.SUPPRESS
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--list", dest="listing", action="store_true", default=absent, help="list what is kept")
    which.add_argument("--to", type=backup_number, metavar="NUMBER", default=absent,
                       help="go back to this one of --list (the last one that ran well)")  # fmt: skip
    parser.add_argument("--restart", action="store_true", default=absent, help="then restart, with proof, to apply it")
    parser.add_argument("--yes", action="store_true", default=absent, help="do not ask")
    parser.add_argument("--json", action="store_true", default=absent, help="print one JSON document")


def add_start_options(parser: argparse.ArgumentParser) -> None:
    """Those of `start` and `stop`, which have one module."""
    parser.set_defaults(verb=parser.prog.rpartition(" ")[2])
    parser.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help="do not ask")
