"""`litellm-tui audit --against`: what another release makes of a configuration; and the table of `--advisories`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.saved import load_saved
from litellm_tui.collectors.litellm_source.advisories import read_advisories
from litellm_tui.model.configuration import ConfigError
from litellm_tui.model.failures import Failure
from litellm_tui.model.release import Advisory, ReleaseComparison
from litellm_tui.model.service import Unit
from litellm_tui.monitor.release_comparison import compare
from litellm_tui.target.settings import SettingsError

EX_DATAERR: Final = 65


def table_of(path: str) -> tuple[Advisory, ...] | None:
    """The advisories to go by: the shipped ones with those of a file; None for the shipped ones alone."""
    if not path:
        return None
    found = read_advisories(Path(path).expanduser())
    if isinstance(found, Failure):
        raise SettingsError(f"--advisories: {found.why}")
    return found


class Compared(msgspec.Struct, frozen=True):
    """One file to compare, with what is known around it."""

    path: str
    unit: Unit | None
    environment: Mapping[str, str] | None


def run_against(
    sources: Sequence[Compared],
    before: str,
    after: str,
    format: str,
    silenced: Mapping[str, str],
    advisories: Sequence[Advisory] | None,
) -> int:
    """Compare, print, and end with 1 when something gets worse by it; 65 for a file that cannot be loaded."""
    from litellm_tui.commands import release_print

    found: list[ReleaseComparison] = []
    for source in sources:
        loaded = load_saved(source.path, partial(config_file.load, source.path, source.environment or {}))
        if isinstance(loaded, ConfigError):
            print(f"litellm-tui: {loaded}", file=sys.stderr)
            return EX_DATAERR
        result = compare(loaded, source.environment, source.unit, before, after, silenced, advisories)
        if isinstance(result, Failure):
            raise SettingsError(result.why)
        found.append(result)
    if format == "json":
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    elif format == "markdown":
        print("\n\n".join(release_print.markdown(result) for result in found))
    else:
        print("\n\n".join("\n".join(release_print.text(result)) for result in found))
    return int(any(result.of("fatal", "worse", "opened") for result in found))
