"""Rooms import only downward, and what is not needed is not loaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import litellm_tui

PACKAGE = Path(litellm_tui.__file__).parent

# from the bottom up; a room may import what lies below it, and itself
LAYERS = (
    {"snapshot", "secretnames", "addresses", "terminal_locale"},
    {"reading", "pulse", "catalogue", "data", "atomic", "identity", "hostlock", "filethread", "keptfile"},
    {"collectors", "analysis", "logstore"},
    {"linefacts"},
    {"settings", "discovery", "composed", "profile", "traffic", "incidents", "supervisor"},
    {"state", "services"},
    {"backups", "savedfilters"},
    {"applied"},
    {"logintake", "rediswatch", "gatewaywatch", "filewatch", "auditor", "comparison", "servicedetail"},
    {"auditwatch"},
    {"monitor", "actions", "demo"},
    {"ui"},
    # one of the commands opens the console; nothing below knows of it
    {"commands"},
    {"cli", "__main__"},
)
RANK = {room: rank for rank, layer in enumerate(LAYERS) for room in layer}
# settings < discovery < composed < profile lie in one layer, but not side by side
ORDERED = ("settings", "discovery", "composed", "profile")

MODULES = sorted(PACKAGE.rglob("*.py"))


def _name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


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


def _rooms(path: Path) -> set[str]:
    found = set()
    for name in _imports(ast.parse(path.read_text(encoding="utf-8")), at_load=False):
        if name.startswith("litellm_tui.") and name.split(".")[1] in RANK:
            found.add(name.split(".")[1])
    return found


def _roots(path: Path, *, at_load: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {name.split(".")[0] for name in _imports(tree, at_load=at_load)}


def _in(room: str) -> list[Path]:
    found = [path for path in MODULES if _name(path).split(".")[0] == room]
    assert found, f"no module in {room}"
    return found


def test_every_module_has_a_room_with_a_layer() -> None:
    assert {_name(path).split(".")[0] for path in MODULES} - set(RANK) <= {"", "__init__"}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_room_imports_only_what_lies_below_it(path: Path) -> None:
    room = _name(path).split(".")[0]
    if room not in RANK:
        assert _rooms(path) == set(), "the package itself loads none of its rooms"
        return
    for other in _rooms(path) - {room}:
        if room in ORDERED and other in ORDERED:
            assert ORDERED.index(other) < ORDERED.index(room), f"{room} imports {other}"
        else:
            assert RANK[other] < RANK[room], f"{room} imports {other}"


@pytest.mark.parametrize("path", [*_in("analysis"), *_in("catalogue"), *_in("snapshot"), *_in("logstore")], ids=_name)
def test_what_decides_touches_nothing_outside(path: Path) -> None:
    forbidden = {
        "httpx", "asyncio", "subprocess", "socket", "os", "io", "pathlib", "time", "random", "threading",
        "textual", "rich", "yaml", "watchfiles", "http", "shutil", "tempfile",
    }  # fmt: skip
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert _roots(path) & forbidden == set()
    # to take an address apart and to know a date when one stands in a file are no looks outside
    assert {name for name in _imports(tree, at_load=False) if name.startswith("urllib")} <= {
        "urllib.parse", "urllib.parse.urlsplit", "urllib.parse.quote", "urllib.parse.quote_plus",
    }  # fmt: skip
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {call.id for call in calls if isinstance(call, ast.Name)}
    called |= {call.attr for call in calls if isinstance(call, ast.Attribute)}
    assert called & {"open", "print", "input", "exec", "eval", "now", "utcnow", "today"} == set()


@pytest.mark.parametrize("path", _in("collectors"), ids=_name)
def test_what_reads_neither_judges_nor_draws(path: Path) -> None:
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
