"""What is Textual's own is touched in one module: a new version of it is then looked through in one place."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import textual
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar

import litellm_tui
from litellm_tui.demo import Simulation
from litellm_tui.target.settings import Settings
from litellm_tui.ui import textual_internals
from litellm_tui.ui.app import Console
from litellm_tui.ui.screens.help import HelpScreen
from litellm_tui.ui.textual_internals import USED, VERSIONS, AnswerParser, turn_into
from litellm_tui.ui.widgets.scroll_bar import Bar
from tests.ui.scene import Scene, profile_of

PACKAGE = Path(litellm_tui.__file__).parent
MODULES = sorted(path for path in (PACKAGE / "ui").rglob("*.py"))
ACCESSORS = ("getattr", "setattr", "hasattr", "delattr")


# what a named tuple has to offer
TUPLES = ("_replace", "_asdict", "_make", "_fields")


def _private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in TUPLES


def _names_of(tree: ast.AST) -> set[str]:
    """The private names that a class has: what its body defines, and what its methods put on `self`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            names.add(node.attr)
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return {name for name in names if _private(name)}


@cache
def _classes_of_textual() -> dict[tuple[str, str], set[str]]:
    """Each of Textual's classes, by module and name, with its private names."""
    found: dict[tuple[str, str], set[str]] = {}
    folder = Path(textual.__file__).parent
    for path in folder.rglob("*.py"):
        if "demo" in path.parts:
            continue
        parts = ("textual", *path.relative_to(folder).with_suffix("").parts)
        module = ".".join(part for part in parts if part != "__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found.setdefault((module, node.name), set()).update(_names_of(node))
    return found


@cache
def _all_private() -> frozenset[str]:
    return frozenset().union(*_classes_of_textual().values())


def _inherited(kind: type) -> set[str]:
    """The private names that a class has from Textual."""
    known = _classes_of_textual()
    bases = [base for base in kind.__mro__ if base.__module__.split(".")[0] == "textual"]
    names = set().union(*(known.get((base.__module__, base.__name__), set()) for base in bases))
    return names | {name for base in bases for name in vars(base) if _private(name)}


class Touch(NamedTuple):
    line: int
    what: str


def _is_own(node: ast.AST) -> bool:
    """`self`, `cls` or `super()`."""
    if isinstance(node, ast.Name):
        return node.id in ("self", "cls")
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def touches(tree: ast.Module, namespace: dict[str, Any]) -> Iterator[Touch]:
    """Where a module touches a private name of Textual. `namespace` holds its classes.

    On `self` a name counts that the class has from Textual, whether it is read, replaced or defined again: then two
    meanings share it. On anything else every private name counts that some class of Textual has.
    """
    foreign = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if not alias.name.startswith("textual")
    }
    pending: list[tuple[ast.AST, set[str], dict[str, Any]]] = [(tree, set(), namespace)]
    while pending:
        node, inherited, names = pending.pop()
        if isinstance(node, ast.ClassDef):
            kind = names.get(node.name)
            assert isinstance(kind, type), f"{node.name} is no class of its module"
            inherited, names = _inherited(kind), dict(vars(kind))
            yield from (Touch(node.lineno, f"defines {name}") for name in sorted(_body(node) & inherited))
            yield from (
                Touch(part.lineno, f"handles {part.name}")
                for part in node.body
                if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
                and part.name.startswith("_on_")
                and _textual(kind)
            )
        elif isinstance(node, ast.Attribute):
            if node.attr == "__class__" and isinstance(node.ctx, ast.Store):
                yield Touch(node.lineno, "another __class__")
            elif _private(node.attr):
                other = not _is_own(node.value) and not (isinstance(node.value, ast.Name) and node.value.id in foreign)
                if node.attr in inherited and _is_own(node.value):
                    yield Touch(node.lineno, f"self.{node.attr}")
                elif other and node.attr in _all_private():
                    yield Touch(node.lineno, ast.unparse(node))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ACCESSORS:
            named = [part.value for part in node.args[1:2] if isinstance(part, ast.Constant)]
            yield from (
                Touch(node.lineno, f"{node.func.id} {name}")
                for name in named
                if isinstance(name, str) and _private(name) and name in _all_private()
            )
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "textual":
            parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (Touch(node.lineno, f"imports {part}") for part in parts if _private(part))
        pending += [(child, inherited, names) for child in ast.iter_child_nodes(node)]


def _textual(kind: type) -> bool:
    return any(base.__module__.split(".")[0] == "textual" for base in kind.__mro__)


def _body(node: ast.ClassDef) -> set[str]:
    names: set[str] = set()
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(part.name)
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            names.add(part.target.id)
        elif isinstance(part, ast.Assign):
            names.update(target.id for target in part.targets if isinstance(target, ast.Name))
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE / "ui")))
def test_only_one_module_touches_what_is_textuals_own(path: Path) -> None:
    name = ".".join(("litellm_tui", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    module = importlib.import_module(name)
    found = sorted(set(touches(ast.parse(path.read_text(encoding="utf-8")), vars(module))))
    if module is textual_internals:
        assert {touch.what for touch in found} >= {"defines _fatal_error", "self._driver", "another __class__"}
    else:
        assert found == []


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("def f(self): return self._driver", "self._driver"),
        ("def f(self): self._exception = None", "self._exception"),
        ("def f(self): return self.app._driver", "self.app._driver"),
        ("def f(self): return super()._fatal_error()", "self._fatal_error"),
        ("def _fatal_error(self): pass", "defines _fatal_error"),
        ("async def _on_key(self, event): pass", "handles _on_key"),
        ("def f(self): return getattr(self, '_driver')", "getattr _driver"),
        ("def f(self, bar): bar.__class__ = int", "another __class__"),
        ("_screen_stacks = {}", "defines _screen_stacks"),
    ],
)
def test_each_way_to_touch_it_is_seen(body: str, what: str) -> None:
    source = f"from textual.app import App\nclass Made(App):\n    {body}\n"
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    assert what in {touch.what for touch in touches(ast.parse(source), namespace)}


@pytest.mark.parametrize(
    "source",
    [
        "import os\ndef f(): os._exit(1)\n",
        "class Made:\n    def f(self): return self._driver\n",
        "from textual.app import App\nclass Made(App):\n    def f(self): self._own_thing = 1\n",
    ],
)
def test_what_is_ones_own_is_not_counted(source: str) -> None:
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    assert list(touches(ast.parse(source), namespace)) == []


def test_a_private_import_is_seen() -> None:
    source = "from textual._compositor import Compositor\n"
    assert [touch.what for touch in touches(ast.parse(source), {})] == ["imports _compositor"]


@pytest.mark.parametrize(("kind", "names"), USED.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_used_is_there(kind: type, names: tuple[str, ...]) -> None:
    assert set(names) <= _inherited(kind)


def test_what_is_relied_on_is_so() -> None:
    assert "_writer_thread" in _inherited(LinuxDriver)
    assert "_queue" in _classes_of_textual()["textual.drivers._writer_thread", "WriterThread"]
    bar = ScrollBar()
    turn_into(bar, Bar)
    assert isinstance(bar, Bar)
    assert "_fatal_error" in inspect.getsource(App._handle_exception)
    assert hasattr(ScrollView, "virtual_size")
    assert hasattr(ScrollBar, "window_virtual_size")


def test_this_version_of_textual_is_in_the_range() -> None:
    found = tuple(int(part) for part in re.findall(r"\d+", version("textual"))[:3])
    assert VERSIONS[0] <= found < VERSIONS[1]


@pytest.mark.parametrize(
    ("parts", "keys"),
    [
        (["2\x1b[?62;22cq"], ["2", "q"]),
        (["\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c", "q"], ["q"]),
        (["\x1b]11;rgb:ff/ff/ff\x07\x1b[A"], ["up"]),
        (["\x1b]11;rgb:ff", "ff/ffff/ffff\x1b", "\\q"], ["q"]),
        (["\x1b[?62", ";22c", "q"], ["q"]),
        (["\x1b[B", "\x1b[1;5C"], ["down", "ctrl+right"]),
        (["q?"], ["q", "question_mark"]),
    ],
)
def test_a_late_answer_of_the_terminal_is_no_key(parts: list[str], keys: list[str]) -> None:
    parser = AnswerParser()
    found = [message for part in parts for message in parser.feed(part)]
    assert [message.key for message in found if isinstance(message, Key)] == keys


@pytest.mark.parametrize("sent", ["\x1b]qR", "\x1b]1", "\x1b[?", "\x1b", "é\x1b[A2"])
def test_what_is_no_answer_is_taken_as_ever(sent: str) -> None:
    def keys(parser: XTermParser) -> list[str]:
        found = [message for part in (*sent, "x", "") for message in parser.feed(part)]
        return [message.key for message in found if isinstance(message, Key)]

    assert keys(AnswerParser()) == keys(XTermParser()) != []


def test_the_driver_makes_its_parser_by_the_name_that_is_replaced() -> None:
    assert "XTermParser(" in inspect.getsource(LinuxDriver.run_input_thread)


@pytest.mark.parametrize("keys", [b"?", b"2\x1b[A?"])
async def test_what_was_typed_before_there_was_an_app_is_taken(tmp_path: Path, keys: bytes) -> None:
    with Simulation(tmp_path / "site", scripted=False) as simulation:
        app = Console(profile_of(simulation), Settings(), memory=False, typed=keys)
        async with app.run_test(size=(120, 40)) as pilot:
            await Scene(app, pilot, simulation).until(lambda: isinstance(app.screen, HelpScreen))
