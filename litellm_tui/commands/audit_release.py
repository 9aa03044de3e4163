"""`litellm-tui audit --against`: what another release makes of a configuration; and the table of `--advisories`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.embedded import unwrap
from litellm_tui.collectors.config.load_embedded import load_piece, outer_comparison, outer_error
from litellm_tui.collectors.config.saved import load_saved
from litellm_tui.collectors.litellm_source.advisories import read_advisories
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.embedded import Piece, Wrapped
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
    """One file to compare, with what is known around it; `piece` is the name of a configuration inside it."""

    path: str
    unit: Unit | None
    environment: Mapping[str, str] | None
    piece: str = ""


def _loaded(source: Compared) -> tuple[ConfigFile | ConfigError, Piece | None]:
    environment = source.environment or {}
    if not source.piece:
        return load_saved(source.path, partial(config_file.load, source.path, environment)), None
    wrapped = unwrap(read_bytes(source.path), source.path) or Wrapped("")
    piece = next((piece for piece in wrapped.pieces if piece.name == source.piece), None)
    if piece is None:
        return ConfigError(source.path, "the configuration that stood in it is gone"), None
    loaded = load_piece(piece, environment)
    return (outer_error(loaded, piece, source.path) if isinstance(loaded, ConfigError) else loaded), piece


def _includes(file: ConfigFile | ConfigError, other: ConfigFile) -> bool:
    """Whether a file includes this other one, and is not included by it as well."""
    if isinstance(file, ConfigError) or file.path == other.path:
        return False
    inside, outside = (set(map(os.path.realpath, one.files)) for one in (other, file))
    return os.path.realpath(other.path) in outside and os.path.realpath(file.path) not in inside


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
    opened = [(source, *_loaded(source)) for source in sources]
    for source, loaded, piece in opened:
        if isinstance(loaded, ConfigError):
            print(f"litellm-tui: {loaded}", file=sys.stderr)
            return EX_DATAERR
        whole = next((other.path for other, file, _ in opened if other is not source and _includes(file, loaded)), "")
        if whole:
            # LiteLLM reads it as a part of that one, and so does the comparison
            print(f"litellm-tui: {source.path}: included by {whole}, and compared with it", file=sys.stderr)
            continue
        result = compare(loaded, source.environment, source.unit, before, after, silenced, advisories)
        if isinstance(result, Failure):
            raise SettingsError(result.why)
        found.append(outer_comparison(result, piece, source.path) if piece else result)
    if format == "json":
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    elif format == "markdown":
        print("\n\n".join(release_print.markdown(result) for result in found))
    else:
        print("\n\n".join("\n".join(release_print.text(result)) for result in found))
    return int(any(result.of("fatal", "worse", "opened") for result in found))
