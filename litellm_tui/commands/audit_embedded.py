"""Configurations in files of other kinds, for `audit`: which there are, and the audit of one in its file's terms."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from litellm_tui.analysis.phrases import count, first_of
from litellm_tui.collectors.config.embedded import unwrap
from litellm_tui.collectors.config.load_embedded import load_piece, outer_audit, outer_error
from litellm_tui.collectors.config.saved import load_saved
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.host.compose_env_file import parse_compose
from litellm_tui.model.audit import Audit
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.embedded import Deployed, Piece, Withheld, Wrapped
from litellm_tui.model.environment_lines import EnvironmentLine
from litellm_tui.monitor.auditor import Auditor

EX_NO_CONFIGURATION: Final = 2
_VERSION: Final = re.compile(r"litellm[\w./-]{0,200}:(?:main-)?v?([0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4})")


class Found(msgspec.Struct, frozen=True):
    """One configuration of a file of another kind: in it (`piece` is its name), or in a file that it names."""

    path: str
    piece: str
    kind: str
    deployed: Deployed | None = None


def look_into(path: str) -> tuple[list[Found], str] | None:
    """The configurations of a file of another kind, and why there is none; None for a configuration itself.

    Raises OSError where the file cannot be read.
    """
    wrapped = unwrap(read_bytes(path), path)
    if wrapped is None:
        return None
    found = [Found(path, piece.name, _kind(wrapped, piece), piece.deployed) for piece in wrapped.pieces]
    for file, deployed in wrapped.files:
        known = _with_env_files(deployed, path) if deployed else None
        reads = f"whose {known.what} reads this file" if known else "which names this file"
        said = f"{os.path.relpath(path)} is {wrapped.kind}, {reads}"
        found.append(Found(file, "", said + _run_by(known, said=False), known))
    why = f"{wrapped.kind} without a configuration of LiteLLM: {wrapped.why}" if not found else ""
    return found, ". ".join(filter(None, (why, *wrapped.remarks)))


def audit_found(
    auditor: Auditor,
    found: Found,
    environment: Mapping[str, str] | None,
    load: Callable[[], ConfigFile | ConfigError],
    instead: Mapping[str, bytes],
    lines: tuple[EnvironmentLine, ...] = (),
) -> Audit:
    """The audit of one of them; `load` loads a file that is named, `environment` adds to what the file says."""
    deployed = found.deployed
    if not found.piece:
        result = _audited(auditor, load_saved(found.path, load), environment, deployed, found.path, lines)
        return msgspec.structs.replace(result, kind=found.kind)
    pieces: list[Piece] = []

    def loaded() -> ConfigFile | ConfigError:
        content = instead[found.path] if found.path in instead else read_bytes(found.path)
        wrapped = unwrap(content, found.path) or Wrapped("")
        pieces[:] = [piece for piece in wrapped.pieces if piece.name == found.piece]
        if not pieces:
            return ConfigError(found.path, "the configuration that stood in it is gone")
        return load_piece(pieces[0], environment or {})

    config = load_saved(found.path, loaded)
    if not pieces:
        return _audited(auditor, config, environment, deployed, found.path, lines)
    if isinstance(config, ConfigError):
        config = outer_error(config, pieces[0], found.path)
    result = outer_audit(_audited(auditor, config, environment, deployed, found.path, lines), pieces[0], found.path)
    return msgspec.structs.replace(result, kind=found.kind)


def environment_of_found(found: Found, given: Mapping[str, str] | None) -> dict[str, str] | None:
    """What the file says of the variables, below those of `--env-file`; None where nothing is known of them."""
    said = found.deployed.environment if found.deployed else None
    return None if said is None and given is None else {**(said or {}), **(given or {})}


def _audited(
    auditor: Auditor,
    loaded: ConfigFile | ConfigError,
    environment: Mapping[str, str] | None,
    deployed: Deployed | None,
    path: str,
    lines: tuple[EnvironmentLine, ...],
) -> Audit:
    version = _VERSION.search(deployed.image) if deployed else None
    return auditor.audit(loaded, environment, version[1] if version else "", deployed, path, lines)


def _kind(wrapped: Wrapped, piece: Piece) -> str:
    return f"{wrapped.kind}: the configuration is {piece.label}{_run_by(piece.deployed)}"


def _run_by(deployed: Deployed | None, *, said: bool = True) -> str:
    """`, run by Deployment llm (2 to 5 replicas of 4 workers, variables from Secret llm)`."""
    if deployed is None:
        return ""
    facts = list(_facts(deployed))
    return (f", run by {deployed.what}" if said else "") + (f" ({', '.join(facts)})" if facts else "")


def _facts(deployed: Deployed) -> Iterator[str]:
    from litellm_tui.audit.surroundings import workers_of

    if deployed.most is not None and deployed.most != deployed.replicas:
        yield f"{deployed.replicas or 1} to {count(deployed.most, 'replica')}"
    elif deployed.replicas is not None:
        yield count(deployed.replicas, "replica")
    workers = workers_of(deployed.arguments, deployed.environment or {})
    if workers != 1:
        yield f"{workers} workers each"
    if deployed.sources:
        yield f"variables from {first_of(deployed.sources)}"


def _with_env_files(deployed: Deployed, path: str) -> Deployed:
    """With the variables of the files that `env_file` of Compose names; what cannot be read stays withheld."""
    values: dict[str, str] = {}
    unread = False
    for name in deployed.sources:
        try:
            file = os.path.join(os.path.dirname(path), os.path.expanduser(name))
            values |= parse_compose(read_bytes(file, MEDIUM), {})
        except (OSError, ValueError):
            unread = True
    withheld = Withheld(deployed.withheld.names, deployed.withheld.others and unread)
    return msgspec.structs.replace(deployed, environment={**values, **(deployed.environment or {})}, withheld=withheld)
