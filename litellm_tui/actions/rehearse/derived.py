"""The derived copy of a configuration: it starts as the original does, and does no harm.

Pure: it reads no file and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from litellm_tui.actions.rehearse.callbacks_off import callbacks_off
from litellm_tui.actions.rehearse.changes import changed, written
from litellm_tui.actions.rehearse.settings_off import settings_off
from litellm_tui.actions.rehearse.variables_off import has_database, variables_off
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.failures import Failure
from litellm_tui.model.rehearsal import Derived
from litellm_tui.model.service import Variable

NAMESPACE: Final = "litellm-tui-rehearsal"
_MODE: Final = "LITELLM_MODE"
WITH_DATABASE: Final = (
    "the database is used: LiteLLM migrates its tables at the start, which cannot be undone, keeps the budget of the "
    "proxy and its own settings there, runs its scheduled jobs (such as resets of budgets), and writes what is spent"
)


def derive(
    file: ConfigFile,
    environment: Mapping[str, Variable],
    *,
    content: bytes | None = None,
    with_database: bool = False,
    namespace: str = NAMESPACE,
    known_callbacks: frozenset[str] = frozenset(),
) -> Derived | Failure:
    """The copy of `file` to rehearse with, the changed variables, and each thing that is left out in words.

    `environment` is what LiteLLM has, with what it reads from its own `.env`. With `content`, the bytes of a file
    without includes, the copy keeps all lines but those that are changed. `namespace` is the prefix of what is written
    to Redis; one of its own for each rehearsal keeps it from what an earlier one left there. `known_callbacks` are
    names of integrations that send something, beside those that are known here.
    """
    plain = {name: variable.value for name, variable in environment.items()}
    off = [
        *settings_off(file.data, plain, with_database=with_database, namespace=namespace),
        *callbacks_off(file.data, plain, known_callbacks),
    ]
    had_database = has_database(file.data, plain)
    after = changed(file.data, off)
    variables, more = variables_off(after, plain, had_database=had_database, with_database=with_database)
    changes = [*off, *more]
    text = written(content if len(file.files) == 1 else None, file.data, changes)
    if isinstance(text, Failure):
        return text
    own = {name: variable for name, variable in environment.items() if variable.source.endswith(".env")}
    if any(value is None and name in own for name, value in variables.items()):
        # its `.env` would give them again: it gets all others from there, and does not read it itself
        kept: dict[str, str | None] = {name: variable.value for name, variable in own.items()}
        variables = {**kept, _MODE: "PRODUCTION", **variables}
    said = (WITH_DATABASE,) if with_database and had_database else ()
    words = (*said, *(change.said for change in changes if change.said))
    return Derived(text=text, environment=variables, left_out=tuple(dict.fromkeys(words)))
