"""The Python modules that a configuration names, and where LiteLLM would find them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

ModulePlace = Literal["beside", "libraries", "remote", "missing"]
NamedThing = Literal["class", "other", "value", "absent", "unknown"]


class PythonModule(msgspec.Struct, frozen=True):
    """One name as the configuration has it, `module.thing`.

    `place` is `beside` for a file beside the configuration, `libraries` for a module that the gateway's Python can
    import, `remote` for an address that is fetched at the start. `file` is the file looked for beside the
    configuration. `thing` says what the module's last name is: `value` for a number, a text or another thing that
    nobody can call, `unknown` where the source does not tell. `fault` is why the file cannot be imported,
    `lacks` the modules that it imports and that are nowhere, and `variables` those of the environment without which its
    import fails.
    """

    place: ModulePlace
    file: str = ""
    thing: NamedThing = "unknown"
    fault: str = ""
    lacks: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


class PythonModules(msgspec.Struct, frozen=True):
    """What was found of the named modules.

    `libraries` are the top-level names that the gateway's Python can import; None where it is not known. `sure` is
    False where a module may be found in a place that cannot be read here, as inside a container.
    """

    named: Mapping[str, PythonModule] = {}
    libraries: frozenset[str] | None = None
    sure: bool = True
