"""Options of `fleet`, `host`, `apply` and `turn`: names are parameters of their `run`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from litellm_tui.commands.options.usage import epilog

_ABSENT: Final = argparse.SUPPRESS
_GROUP: Final = "the members are the profiles with this group:"


def add_fleet_options(parser: argparse.ArgumentParser) -> None:
    """Without a verb it tells how all stand."""
    _json(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs", required=False)
    for name, line in (
        ("diff", "where the configurations of a group differ, key by key, secrets masked"),
        ("restart", "rehearse on each of a group, then restart one after another with proof"),
        ("apply", "give each of a group this configuration: rehearse on each, then apply one after another"),
        ("upgrade", "another release of LiteLLM on each of a group: try it on each, then one after another"),
        ("resume", "go on with a change of a group that was interrupted"),
        ("forget", "forget a change that was interrupted: what was done stays as it is"),
    ):
        verb = verbs.add_parser(name, help=line, description=line, epilog=epilog(f"fleet {name}"))
        if name == "apply":
            verb.add_argument("file", metavar="FILE", help="the configuration; - reads it from stdin")
        elif name == "upgrade":
            verb.add_argument("version", metavar="VERSION", help="the release to go to")
        verb.add_argument("group", metavar="GROUP", help=_GROUP)
        _json(verb)
        if name in ("restart", "apply", "upgrade", "resume"):
            verb.add_argument("--yes", action="store_true", default=_ABSENT, help="do not ask")
        if name in ("restart", "apply", "upgrade"):
            verb.add_argument("--parallel", action="store_true", default=_ABSENT,
                              help="all at once, in place of one after another")  # fmt: skip
            verb.add_argument("--no-rehearsal", dest="rehearsal", action="store_false", default=_ABSENT,
                              help="do not try it on each beside what serves first")  # fmt: skip
        if name == "upgrade":
            verb.add_argument("--database-is-backed-up", dest="backed_up", action="store_true", default=_ABSENT,
                              help="you have a backup of the database: its tables are migrated")  # fmt: skip


def add_host_options(parser: argparse.ArgumentParser) -> None:
    """`check` and `install`."""
    parser.add_argument("verb", choices=("check", "install"),
                        help="say what is missing there, which changes nothing; or put this version there")  # fmt: skip
    parser.add_argument("host", metavar="HOST", help="as OpenSSH's client understands it, aliases too")
    parser.add_argument("--yes", action="store_true", default=_ABSENT, help="install: do not ask")


def add_apply_options(parser: argparse.ArgumentParser) -> None:
    """One configuration, from a file or stdin."""
    parser.add_argument("file", metavar="FILE", help="the configuration; - reads it from stdin")
    parser.add_argument("--rehearse", dest="only_rehearse", action="store_true", default=_ABSENT,
                        help="audit and rehearse it, and change nothing")  # fmt: skip
    parser.add_argument("--no-rehearsal", dest="rehearsal", action="store_false", default=_ABSENT,
                        help="do not start it beside the running gateway first")  # fmt: skip
    parser.add_argument("--force", action="store_true", default=_ABSENT,
                        help="go on where the audit, the rehearsal or the preflight refuses")  # fmt: skip
    parser.add_argument("--yes", action="store_true", default=_ABSENT, help="do not ask")
    _json(parser)


def add_turn_options(parser: argparse.ArgumentParser) -> None:
    """What a fleet has done on this host."""
    parser.add_argument("id", metavar="ID", help="the name of the change: the same one is carried out once")
    parser.add_argument("order", choices=("restart", "apply", "upgrade"), help="apply reads the file from stdin")
    parser.add_argument("version", metavar="VERSION", nargs="?", default="", help="of an upgrade")
    parser.add_argument("--database-is-backed-up", dest="backed_up", action="store_true", default=_ABSENT,
                        help="passed on to upgrade")  # fmt: skip


def add_keys_options(parser: argparse.ArgumentParser) -> None:
    """Of `diff`."""
    parser.add_argument("--keys", action="store_true", default=_ABSENT,
                        help="with --json: every value of the file by its key, secrets masked")  # fmt: skip
    parser.add_argument("--asked-with", metavar="TEXT", default=_ABSENT,
                        help="with --keys: what the digests are keyed with")  # fmt: skip


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", default=_ABSENT, help="print one JSON document")


OF_THE_FLEET: Final[dict[str, Callable[[argparse.ArgumentParser], None]]] = {
    "fleet": add_fleet_options,
    "host": add_host_options,
    "apply": add_apply_options,
    "turn": add_turn_options,
}
