"""Python modules that the file names: LiteLLM imports each of them at its start, and ends when that fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from litellm_tui.audit import surroundings
from litellm_tui.audit.named_modules import named_modules
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.shapes import kind_of
from litellm_tui.audit.subject import Subject
from litellm_tui.model.audit import Severity
from litellm_tui.model.edits import Path
from litellm_tui.model.python_modules import PythonModule

_IMPORTED: Final = "litellm/proxy/types_utils/utils.py, get_instance_fn (1.77.7, 1.90.0, 1.97.0, 1.106.2, 1.109.3)"
# until 1.90 only a file beside the configuration is imported; the first release seen that falls back is 1.97
_BESIDE_UNTIL: Final = "1.90"
# the first release seen that refuses a class among the callbacks
_INSTANCE_SINCE: Final = "1.103"


@rule(
    "module-not-found",
    "fatal",
    "A Python module that is not there",
    why="LiteLLM imports what the file names at its start: a file beside the configuration or, since 1.97 at the "
    "latest, a module that its Python can import. It ends when there is none.",
    source=_IMPORTED,
    fix="put the file beside the configuration, where LiteLLM runs, or install the package into its environment",
)
def module_not_found(subject: Subject) -> Iterator[Hit | Right]:
    for path, name, module in _found(subject):
        beside_only = subject.runs(until=_BESIDE_UNTIL)
        if module.place == "missing":
            elsewhere = "" if beside_only else " nor in LiteLLM's libraries"
            known = subject.modules is not None and subject.modules.libraries is not None
            text = f"{_file(module)} is not beside {_config(subject)}{elsewhere if known else ''}"
            yield Hit(text, path, severity=_unless_sure(subject))
        elif module.place == "libraries" and beside_only:
            yield Hit(f"{name!r}: this version imports only what is beside {_config(subject)}", path)
        elif (
            module.place == "beside"
            and module.thing != "absent"
            and not (module.fault or module.variables or module.lacks)
        ):
            yield Right(f"{_file(module)} is beside {_config(subject)}", path)


@rule(
    "module-unusable",
    "fatal",
    "A Python module that cannot be used",
    why="LiteLLM imports the module and takes the last part of the name from it; it ends when either fails. Among the "
    "callbacks a class is refused since 1.103: only an instance is ever called.",
    source=_IMPORTED + "; litellm/proxy/common_utils/callback_utils.py, _classify_loaded_callback (1.106.2)",
    fix="mend the module, or name what is in it",
)
def module_unusable(subject: Subject) -> Iterator[Hit | Right]:
    for path, name in named_modules(subject.data):
        if not _is_read(subject, path):
            continue
        if not isinstance(name, str):
            yield Hit(f"{_place(path)} is {kind_of(name)}, not `module.name`", path, "write `module.name`")
        elif "." not in name:
            yield Hit(f"{_place(path)} names no module: {name!r} has no dot", path, "write `module.name`")
    for path, name, module in _found(subject):
        thing = name.rpartition(".")[2]
        if module.fault:
            yield Hit(f"{_file(module)} cannot be imported: {module.fault}", path)
        elif unset := [one for one in module.variables if surroundings.variable(subject, one) is None]:
            yield Hit(f"{_file(module)} cannot be imported: it wants the variable {unset[0]}, which is not set", path)
        elif module.thing == "absent":
            yield Hit(f"{_file(module)} has no {thing!r}", path)
        elif module.thing == "class" and path[1] == "callbacks" and subject.runs(since=_INSTANCE_SINCE):
            yield Hit(f"{name!r} is a class: LiteLLM wants an instance of it", path, f"add `x = {thing}()` and name x")
        elif module.thing == "value" and path[1] == "callbacks" and subject.runs(since=_INSTANCE_SINCE):
            yield Hit(
                f"{name!r} is nothing that can be called: LiteLLM wants a callback's instance or a function", path
            )
        elif module.lacks:
            lacking = " and ".join(module.lacks[:3])
            yield Hit(f"{_file(module)} imports {lacking}, which is not installed beside LiteLLM", path)


def _found(subject: Subject) -> Iterator[tuple[Path, str, PythonModule]]:
    """Each name that was looked for, with what was found."""
    for path, name in named_modules(subject.data):
        if subject.modules is not None and isinstance(name, str) and name in subject.modules.named:
            known = _is_read(subject, path)
            if known:
                yield path, name, subject.modules.named[name]


def _is_read(subject: Subject, path: Path) -> bool:
    """Whether this version reads the key that names the module."""
    if path[0] == "router_settings":
        return path[1] in subject.catalogue.router
    return path[0] != "general_settings" or path[1] in subject.catalogue.general


def _unless_sure(subject: Subject) -> Severity | None:
    return None if subject.modules is not None and subject.modules.sure else "error"


def _file(module: PythonModule) -> str:
    return module.file


def _config(subject: Subject) -> str:
    return subject.file.path.rpartition("/")[2] or "the configuration"


def _place(path: Path) -> str:
    return ".".join(str(part) for part in path)
