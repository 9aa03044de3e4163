"""Names of modules that were written for something else: none of them is called absent, and no import a failure."""

from __future__ import annotations

import ast
import importlib
import types
from importlib.util import find_spec
from pathlib import Path

import pytest

from litellm_tui.audit.python_names import Names

# each makes names in a way of its own: by globals() in a function, an enumeration that hands out its members, a class
# decorator, exec, a table of imports
STRANGERS = (
    "argparse", "ast", "asyncio", "calendar", "collections", "ctypes", "dataclasses", "datetime", "decimal",
    "dis", "email", "enum", "functools", "hashlib", "heapq", "http", "inspect", "ipaddress", "json", "locale",
    "logging", "multiprocessing", "opcode", "pickle", "plistlib", "re", "re._constants", "random", "selectors",
    "signal", "socket", "sqlite3", "ssl", "string", "struct", "subprocess", "symtable", "tempfile", "threading",
    "token", "types", "typing", "unittest", "urllib.parse", "uuid", "warnings", "weakref",
)  # fmt: skip


def _names(module: str) -> Names:
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Names(ast.parse(Path(spec.origin).read_bytes()), lambda _: None)


@pytest.mark.parametrize("module", STRANGERS)
def test_nothing_of_a_module_that_can_be_imported_is_missing(module: str) -> None:
    names = _names(module)
    assert names.fault == ""
    has = vars(importlib.import_module(module))
    # submodules come with whoever imports them
    own = {name for name, value in has.items() if not isinstance(value, types.ModuleType) and not name.startswith("__")}
    assert {name for name in own if names.thing(name) == "absent"} == set()


def test_what_is_made_by_exec_in_a_function_is_no_failure() -> None:
    assert _names("turtle").fault == ""


@pytest.mark.parametrize(
    "source",
    [
        "def add(name):\n    globals()[name] = 1\n\n\nadd('mine')\n",
        "import sys\n\n\ndef add():\n    sys.modules[__name__].mine = 1\n\n\nadd()\n",
        "import enum\nenum.IntEnum._convert_('E', __name__, lambda name: False)\n",
        "import enum\n\n\n@enum.global_enum\nclass E(enum.IntEnum):\n    mine = 1\n",
    ],
)
def test_a_name_that_may_have_been_made_is_not_absent(source: str) -> None:
    assert Names(ast.parse(source), lambda _: None).thing("mine") == "unknown"


def test_a_logger_named_after_its_module_makes_no_names() -> None:
    source = "import logging\n\nlog = logging.getLogger(__name__)\n"
    assert Names(ast.parse(source), lambda _: None).thing("mine") == "absent"
