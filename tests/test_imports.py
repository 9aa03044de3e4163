"""Rooms import downward, no circle stands between files, and what is not needed is not loaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import litellm_tui

PACKAGE = Path(litellm_tui.__file__).parent

# Every room with the rooms that it may import, from the bottom up. A line names only lines above it.
ROOMS: dict[str, str] = {
    "model": "",
    "analysis": "model",
    "audit": "model analysis",
    "host": "model analysis",
    "logs": "model analysis host",
    "collectors": "model analysis audit host logs",
    "services": "model analysis host logs collectors",
    "target": "model analysis host collectors services",
    "storage": "model analysis host collectors target",
    "monitor": "model analysis audit host logs collectors services target storage",
    "actions": "model analysis host logs collectors services target storage monitor",
    "notify": "model analysis host target storage monitor actions",
    "demo": "model host",
    "ui": "model analysis host logs services target storage monitor actions notify",
    "browser": "host logs monitor target",
    "commands": (
        "model analysis audit host logs collectors services target storage monitor actions notify ui demo browser"
    ),
    "cli": "host target monitor ui commands",
}
PURE = ("model", "analysis", "audit")
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 400


def _name(path: Path) -> str:
    """The dotted name below the package: empty for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {_name(path): path for path in MODULES}


def _imports(tree: ast.AST, *, at_load: bool) -> Iterator[str]:
    """The modules that are imported; `at_load` leaves out what functions and type checking import."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif at_load and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        elif at_load and isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending += node.orelse
        else:
            pending += ast.iter_child_nodes(node)


def _own(path: Path) -> set[str]:
    """The modules of the package that a file imports, wherever in it."""
    names = {name.removeprefix("litellm_tui.") for name in _imports(_tree(path), at_load=False)}
    found = names & set(NAMES) - {""}
    # `from room.package import module` names both: the package is only passed through
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _roots(path: Path, *, at_load: bool = False) -> set[str]:
    return {name.split(".")[0] for name in _imports(_tree(path), at_load=at_load)}


def _in(*rooms: str) -> list[Path]:
    found = [path for name, path in NAMES.items() if name.split(".")[0] in rooms]
    assert {name.split(".")[0] for name in NAMES} >= set(rooms), f"a room of {rooms} is empty"
    return found


def test_every_module_has_a_room() -> None:
    assert {name.split(".")[0] for name in NAMES} - set(ROOMS) == {""}


def test_a_room_names_only_rooms_below_it() -> None:
    seen: set[str] = set()
    for room, allowed in ROOMS.items():
        assert set(allowed.split()) <= seen, room
        seen.add(room)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_just_the_rooms_of_its_line(room: str) -> None:
    imported = {other.split(".")[0] for path in _in(room) for other in _own(path)}
    assert imported - {room} == set(ROOMS[room].split())


def test_the_package_itself_loads_nothing() -> None:
    assert _own(NAMES[""]) == set()


def test_no_circle_stands_between_files() -> None:
    graph = {name: _own(path) for name, path in NAMES.items()}
    while free := [name for name, others in graph.items() if not others & set(graph) - {name}]:
        for name in free:
            del graph[name]
    assert sorted(graph) == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_long_module_says_why(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count("\n") > LONGEST:
        assert f"over {LONGEST} lines" in (ast.get_docstring(ast.parse(text)) or ""), (
            f"over {LONGEST} lines, and no reason is given"
        )


@pytest.mark.parametrize("path", _in(*PURE), ids=_name)
def test_what_decides_touches_nothing_outside(path: Path) -> None:
    forbidden = {
        "httpx", "asyncio", "subprocess", "socket", "os", "io", "pathlib", "time", "random", "threading",
        "textual", "rich", "yaml", "watchfiles", "http", "shutil", "tempfile",
    }  # fmt: skip
    tree = _tree(path)
    assert _roots(path) & forbidden == set()
    # taking an address apart and naming a type of date are no looks outside
    assert {name for name in _imports(tree, at_load=False) if name.startswith("urllib")} <= {
        "urllib.parse", "urllib.parse.urlsplit", "urllib.parse.quote", "urllib.parse.quote_plus",
        "urllib.parse.unquote",
    }  # fmt: skip
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {call.id for call in calls if isinstance(call, ast.Name)}
    called |= {call.attr for call in calls if isinstance(call, ast.Attribute)}
    assert called & {"open", "print", "input", "exec", "eval", "now", "utcnow", "today"} == set()


@pytest.mark.parametrize("path", _in("host", "logs", "collectors", "services"), ids=_name)
def test_what_reads_does_not_draw(path: Path) -> None:
    assert _roots(path) & {"textual", "rich"} == set()


@pytest.mark.parametrize("path", _in("ui"), ids=_name)
def test_what_draws_reads_nothing_itself(path: Path) -> None:
    assert _roots(path) & {"httpx", "watchfiles", "socket", "urllib", "http"} == set()
    assert "subprocess" not in _roots(path, at_load=True)


def _loaded(code: str, *arguments: str, cwd: Path) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running this."""
    script = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint('LOADED', *sys.modules, file=sys.stderr)"
    )
    environment = {"PATH": "/nonexistent", "HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd)}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, cwd=cwd, env=environment, timeout=60
    )
    marked = [line for line in done.stderr.splitlines() if line.startswith("LOADED ")]
    assert marked, done.stderr
    return {name.split(".")[0] for name in marked[0].split()[1:]}


MAIN = "from litellm_tui.cli import main; main(sys.argv[1:])"


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(option: str, tmp_path: Path) -> None:
    heavy = {"textual", "rich", "httpx", "watchfiles", "yaml", "msgspec", "asyncio", "platformdirs"}
    assert _loaded(MAIN, option, cwd=tmp_path) & heavy == set()


def test_where_loads_neither_textual_nor_httpx(tmp_path: Path) -> None:
    loaded = _loaded(MAIN, "where", cwd=tmp_path)
    assert "litellm_tui" in loaded
    assert loaded & {"textual", "rich", "httpx", "watchfiles"} == set()


def test_the_first_paint_waits_for_neither_httpx_nor_watchfiles(tmp_path: Path) -> None:
    loaded = _loaded("import litellm_tui.ui.app", cwd=tmp_path)
    assert "textual" in loaded
    assert loaded & {"httpx", "watchfiles", "litellm"} == set()
