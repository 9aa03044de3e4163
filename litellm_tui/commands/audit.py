"""`litellm-tui audit`: the configuration held against what LiteLLM really reads, with or without a gateway.

Exit status: 0 nothing as bad as `--fail-on` (error), 1 something is, 2 a file without a configuration of LiteLLM, 64 a
wrong command line, 66 a file that cannot be read, 73 a fix that could not be written. With `--against` 1 when the other
release ends the start, opens a hole or makes something worse, and 65 for a file that LiteLLM cannot load.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.saved import load_saved
from litellm_tui.commands.audit_release import Compared, run_against, table_of
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.host.environment_lines import lines_not_taken
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.logs.log_line import clean
from litellm_tui.model.audit import RANK, Audit, Severity
from litellm_tui.model.environment_lines import EnvironmentLine
from litellm_tui.model.service import Unit
from litellm_tui.monitor.auditor import Auditor, environment_of
from litellm_tui.monitor.release_comparison import is_path
from litellm_tui.storage.backups import Backups
from litellm_tui.target.profile import Options, Profile, may_change
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings

if TYPE_CHECKING:
    from litellm_tui.actions.apply_fixes import Mended
    from litellm_tui.commands.audit_embedded import Found

EX_NOINPUT: Final = 66
EX_CANTCREAT: Final = 73


class _Source(msgspec.Struct, frozen=True):
    """One file to audit, with what is known around it; `environment` is None when it is not known.

    `gateway` is the address and the unit whose backups take what it was before a fix; a file alone has its own.
    """

    path: str
    unit: Unit | None
    environment: Mapping[str, str] | None
    gateway: tuple[str, str]
    lines: tuple[EnvironmentLine, ...] = ()
    found: Found | None = None


def run(
    options: Options,
    files: Sequence[str] = (),
    litellm: str = "",
    format: str = "text",
    fail_on: Severity | str = "error",
    fix: bool = False,
    dry_run: bool = False,
    env_file: Sequence[str] = (),
    explain: str = "",
    advisories: str = "",
    against: str = "",
) -> int:
    """Audit, print, and say by the exit status whether something is as bad as `fail_on`."""
    if explain:
        return _explain(explain)
    settings = load_settings()
    sources = _sources(options, files, env_file, writes=fix and not dry_run)
    for source in sources:
        if not os.path.isfile(source.path) or not os.access(source.path, os.R_OK):
            print(f"litellm-tui: {source.path}: {_unreadable(source.path)}", file=sys.stderr)
            return EX_NOINPUT
    table = table_of(advisories)
    sources, status = _looked_into(sources)
    sources = _without_included(sources)
    if against:
        compared = [Compared(s.path, s.unit, s.environment, s.found.piece if s.found else "") for s in sources]
        if not compared:
            return status
        return max(status, run_against(compared, litellm, against, format, settings.audit.ignore, table))
    audits: list[Audit] = []
    for source in sources:
        auditor = Auditor(source.unit, settings.audit.ignore, litellm, table)
        _prepare(auditor)
        if is_path(litellm) and auditor.failure is not None:
            raise SettingsError(f"--litellm {litellm}: {auditor.failure.why}")
        if fix:
            backups = Backups(*source.gateway)
            result, failed = _fix(partial(_audit, auditor, source), backups, dry_run=dry_run, quiet=format != "text")
            status = max(status, EX_CANTCREAT if failed else 0)
        else:
            result = _audit(auditor, source, {})
        audits.append(result)
    _print(audits, format)
    if status:
        return status
    return int(any(_as_bad_as(result.worst(), fail_on) for result in audits))


def _looked_into(sources: Sequence[_Source]) -> tuple[list[_Source], int]:
    """The sources with what stands in files of other kinds in their place; 2 when one of them has nothing."""
    from litellm_tui.commands.audit_embedded import EX_NO_CONFIGURATION, environment_of_found, look_into

    every: list[_Source] = []
    status = 0
    for source in sources:
        # what a unit runs is read as LiteLLM reads it, whatever it looks like
        seen = look_into(source.path) if source.unit is None else None
        if seen is None:
            every.append(source)
            continue
        found, said = seen
        if said:
            print(f"litellm-tui: {source.path}: {clean(said)}", file=sys.stderr)
        status = max(status, 0 if found else EX_NO_CONFIGURATION)
        for one in found:
            known = environment_of_found(one, source.environment)
            every.append(_Source(one.path, None, known, (one.path, ""), source.lines, one))
    return every, status


def _without_included(sources: Sequence[_Source]) -> list[_Source]:
    """The sources without those that another one includes: their findings would be told twice, and judged alone."""
    plain = [source for source in sources if source.found is None]
    if len(plain) < 2:
        return list(sources)
    from litellm_tui.commands.audit_included import included_elsewhere

    told = included_elsewhere([(source.path, source.environment) for source in plain])
    for path, by in told.items():
        print(f"litellm-tui: {path} is included by {by}, and audited there", file=sys.stderr)
    return [source for source in sources if source.found is not None or source.path not in told]


def _prepare(auditor: Auditor) -> None:
    """What cannot be read of the installed LiteLLM is said in the audit, also what its reader raises."""
    try:
        auditor.prepare()
    except Exception as error:  # noqa: BLE001  # a supervising boundary: the audit is made without it, and says so
        auditor.failed(error)


def _explain(name: str) -> int:
    from litellm_tui.audit.page import explain_rule
    from litellm_tui.audit.rule import all_rules

    rules = all_rules()
    if name not in rules:
        near = difflib.get_close_matches(name, rules, 3)
        raise SettingsError(f"no rule is called {name!r}" + (f": did you mean {' or '.join(near)}?" if near else ""))
    for line in explain_rule(rules[name]):
        print(line)
    return 0


def _sources(options: Options, files: Sequence[str], env_files: Sequence[str], *, writes: bool) -> list[_Source]:
    """The files named, each alone unless it is the one that the unit runs; without any that one."""
    given = _environment(env_files) if env_files else None
    lines = lines_not_taken(env_files)
    profile: Profile | None = None
    if not files or options != Options():
        profile = say_which(resolve(options, load_settings()))
        if writes:
            may_change(profile, "audit --fix")
    if not files:
        if profile is None or profile.config is None:
            why = "; ".join(f"{m.what}: {m.why}" for m in profile.missing) if profile else ""
            raise SettingsError(f"no configuration file was found ({why}): name one, as in `litellm-tui audit FILE`")
        files = [profile.config.value]
    sources = []
    for file in files:
        path = os.path.abspath(os.path.expanduser(file))
        mine = profile is not None and profile.config is not None and os.path.realpath(path) == os.path.realpath(
            profile.config.value
        )  # fmt: skip
        around = profile if mine else None
        known = environment_of(around) if around else None
        environment = None if given is None and known is None else {**(known or {}), **(given or {})}
        gateway = (around.url.value, around.unit.value if around.unit else "") if around else (path, "")
        sources.append(_Source(path, around.found_unit if around else None, environment, gateway, lines))
    return sources


def _environment(paths: Sequence[str]) -> dict[str, str]:
    values, unread = read_environment_files(list(paths))
    for path, why in unread:
        raise SettingsError(f"--env-file {path}: {why}")
    return {name: value for name, (value, _) in values.items()}


def _audit(auditor: Auditor, source: _Source, instead: Mapping[str, bytes]) -> Audit:
    environment = source.environment or {}
    load = partial(config_file.load, source.path, environment, instead)
    if source.found is not None:
        from litellm_tui.commands.audit_embedded import audit_found

        return audit_found(auditor, source.found, source.environment, load, instead, source.lines)
    return auditor.audit(load_saved(source.path, load), source.environment, lines=source.lines)


def _fix(audit: partial[Audit], backups: Backups, *, dry_run: bool, quiet: bool) -> tuple[Audit, bool]:
    """Show the fixes as a diff and write them, unless it is a dry run; the audit of what stands there afterwards."""
    from litellm_tui.actions.apply_fixes import mend, write
    from litellm_tui.model.failures import Failure

    mended = mend(audit)
    say = (lambda _: None) if quiet else print
    for text in _diffs(mended):
        say(text)
    for finding, why in mended.left:
        print(f"{finding.mark}: {finding.rule} was not fixed: {why}", file=sys.stderr)
    if dry_run:
        return mended.audit, False
    failed = False
    for outcome in write(mended, backups):
        if isinstance(outcome, Failure):
            print(f"litellm-tui: {outcome.why}", file=sys.stderr)
            failed = True
        else:
            say(f"wrote {outcome.path}, the file before is {outcome.backup}")
    return audit({}), failed


def _diffs(mended: Mended) -> list[str]:
    from litellm_tui.actions.splice import diff
    from litellm_tui.actions.splice_within import readable

    shown = [(readable(mended.before[name], name), readable(new, name), name) for name, new in mended.after.items()]
    return [clean(diff(old, new, os.path.relpath(name), Redactor())).rstrip("\n") for old, new, name in shown]


def _print(audits: Sequence[Audit], format: str) -> None:
    from litellm_tui.commands import audit_print

    if format == "json":
        print(msgspec.json.format(msgspec.json.encode(audits), indent=2).decode())
    elif format == "sarif":
        print(msgspec.json.format(msgspec.json.encode(audit_print.sarif(audits)), indent=2).decode())
    elif format == "markdown":
        print("\n\n".join(audit_print.markdown(result) for result in audits))
    else:
        narrow = "utf" not in (sys.stdout.encoding or "").lower()
        for number, result in enumerate(audits):
            if number:
                print()
            for line in audit_print.text(result):
                print(line.encode("ascii", "replace").decode() if narrow else line)


def _as_bad_as(worst: Severity | None, limit: Severity | str) -> bool:
    return worst is not None and limit in RANK and RANK[worst] <= RANK[limit]


def _unreadable(path: str) -> str:
    if os.path.isdir(path):
        return "is a folder; name the file in it"
    return "cannot be read by this user" if os.path.exists(path) else "there is no such file"
