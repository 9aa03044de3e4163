"""The `.env` files that LiteLLM itself looks for, and the secrets in files of variables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from litellm_tui.host.bounded import SMALL, read_bytes
from litellm_tui.host.environment_file import parse_dotenv, secrets_in_file
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Variable


def withheld_secrets(files: Iterable[str]) -> tuple[Variable, ...]:
    """The secrets in these files; an unreadable file adds none."""
    return tuple(Variable(value, path) for path in dict.fromkeys(files) for value in sorted(secrets_in_file(path)))


def own_dotenv(
    interpreter: str | None, environment: Mapping[str, Variable]
) -> tuple[dict[str, Variable], list[tuple[str, str]]]:
    """The variables that LiteLLM reads from its own `.env` files, and the files that could not be read, with reasons.

    LiteLLM reads them unless LITELLM_MODE is set to something else than DEV (litellm/__init__.py,
    litellm/proxy/proxy_cli.py). A variable that is already set keeps its value.
    """
    plain = {name: variable.value for name, variable in environment.items()}
    disabled = plain.get("PYTHON_DOTENV_DISABLED", "").casefold() in ("1", "true", "t", "yes", "y")
    if interpreter is None or disabled or plain.get("LITELLM_MODE", "DEV") != "DEV":
        return {}, []
    found: dict[str, Variable] = {}
    unread: list[tuple[str, str]] = []
    for path in _dotenv_files(interpreter):
        known = plain | {name: variable.value for name, variable in found.items()}
        try:
            values = parse_dotenv(read_bytes(path, SMALL), known)
        except OSError as error:
            unread.append((path, error.strerror or str(error)))
        except ValueError as error:
            why = "LiteLLM cannot start with it: it is not UTF-8" if isinstance(error, UnicodeError) else str(error)
            unread.append((path, why))
        else:
            found |= {name: Variable(value, path) for name, value in values.items() if name not in known}
    return found, unread


def _dotenv_files(interpreter: str) -> Iterator[str]:
    """The `.env` of each of LiteLLM's two load_dotenv(): the nearest one from the calling file's folder upwards."""
    from litellm_tui.collectors.litellm_source.catalogues import package_folder

    package = package_folder(interpreter)
    if isinstance(package, Failure):
        starts = [Path(os.path.dirname(interpreter))]
    else:
        starts = [Path(os.path.abspath(package)), Path(os.path.abspath(package)) / "proxy"]
    nearest = (
        next((str(place / ".env") for place in (start, *start.parents) if (place / ".env").is_file()), None)
        for start in starts
    )
    yield from dict.fromkeys(path for path in nearest if path)
