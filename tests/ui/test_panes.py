"""Panes stand in one registry; each shows its part of a view and knows no other."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import get_args

import pytest

import litellm_tui.ui.screens.main as main_screen
from litellm_tui.model.diagnosis import Place, PlaceKind
from litellm_tui.ui import app
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.keys import KEYS, PLACES
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.panes.pane import Pane, make_pane
from litellm_tui.ui.panes.registry import FIRST, PANES, ROWS, PaneEntry, entry_of, in_order, pane_about
from litellm_tui.ui.terminal_link import Link
from tests.ui.scene import Scene

FOLDER = Path(inspect.getfile(Pane)).parent
# what panes are made of
COMMON = {"pane", "registry"}
# the line that the log is asked on is a part of its pane
PARTS = {"log_prompt": "logs"}


def _module(entry: PaneEntry) -> str:
    return entry.path.partition(":")[0].rpartition(".")[2]


@pytest.mark.parametrize("entry", PANES, ids=lambda entry: entry.name)
def test_an_entry_names_a_pane(entry: PaneEntry) -> None:
    pane = make_pane(entry, Pace(Link(lambda _: None)))
    assert pane.id == entry.name
    assert str(pane.border_title).startswith(entry.label)
    assert pane.lines.id == f"{entry.name}-lines"
    assert entry.row in ROWS
    assert entry.follows in ("", *(other.name for other in PANES if other is not entry))


def test_names_and_keys_of_panes_are_their_own() -> None:
    assert len({entry.name for entry in PANES}) == len(PANES)
    keys = [entry.key for entry in PANES if entry.key]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize("kind", [kind for kind in get_args(PlaceKind) if kind != "audit"])
def test_every_place_of_a_problem_is_in_one_pane(kind: PlaceKind) -> None:
    # what an audit finds has a screen of its own
    assert [entry.name for entry in PANES if kind in entry.about] == [pane_about(Place(kind))]
    assert entry_of(pane_about(Place(kind))).key


def test_a_source_that_is_not_read_is_told_in_the_pane_of_what_it_gives() -> None:
    sources = [source for entry in PANES for source in entry.readings]
    assert len(set(sources)) == len(sources)
    for entry in PANES:
        assert {pane_about(Place("reading", source)) for source in entry.readings} <= {entry.name}
    assert pane_about(Place("reading", "of no pane")) == pane_about(Place("configuration"))


def test_every_file_of_the_panes_has_an_entry() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} - COMMON - set(PARTS)
    assert files == {_module(entry) for entry in PANES}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_pane_knows_no_other_and_does_no_io(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    panes = {name.rpartition(".")[2] for name in imported if name.startswith("litellm_tui.ui.panes.")}
    assert {name for name in panes if PARTS.get(name) != path.stem} <= COMMON
    outside = (
        "litellm_tui.monitor", "litellm_tui.storage", "litellm_tui.actions", "litellm_tui.services.driver",
        "litellm_tui.ui.session", "litellm_tui.ui.app", "os", "pathlib", "subprocess", "asyncio", "threading",
    )  # fmt: skip
    assert [name for name in imported if any(name == o or name.startswith(f"{o}.") for o in outside)] == []
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert "open" not in {call.id for call in calls if isinstance(call, ast.Name)}


def test_the_screen_names_no_pane() -> None:
    text = inspect.getsource(main_screen)
    assert [name for name in (entry.name for entry in PANES) if re.search(rf"[\"'#]{name}\b", text)] == []


def test_a_pane_is_stepped_to_in_the_order_of_its_key() -> None:
    assert in_order() == ("models", "logs", "fallbacks", "cache", "service", "timeline", "worst")
    assert in_order("usual") == ("models", "logs", "fallbacks", "cache")
    assert in_order("wide") == ("models", "detail", "logs", "fallbacks", "cache")
    assert in_order("full") == ("models", "detail", "logs", "fallbacks", "timeline", "worst")
    assert FIRST == "models"


def test_the_keys_of_panes_come_from_the_registry() -> None:
    shown = {key.action: (key.keys, key.help) for key in KEYS if key.action.startswith("pane(")}
    assert shown == {
        f"pane('{entry.name}')": (entry.key, f"{entry.title}: {entry.help}") for entry in PANES if entry.key
    }


def test_every_share_of_a_row_has_a_rule() -> None:
    styles = (Path(inspect.getfile(app)).parent / "console.tcss").read_text(encoding="utf-8")
    for entry in PANES:
        assert f".-share-{entry.share} {{ width: {entry.share}fr; }}" in styles
    for row in ROWS:
        assert f"#{row} {{" in styles


def test_every_binding_has_an_id_of_its_own() -> None:
    ids = [key.id for key in KEYS]
    assert len(set(ids)) == len(ids)
    for id in ids:
        assert re.fullmatch(r"[a-z]+\.[a-z-]+", id)
    bound = {getattr(binding, "id", None) for place in PLACES for binding in bindings_of(place)}
    assert bound == set(ids)


@pytest.mark.parametrize("kind", [kind for kind in get_args(PlaceKind) if kind not in ("audit", "group")])
async def test_a_place_leads_to_its_pane(scene: Scene, kind: PlaceKind) -> None:
    scene.app.go_to(Place(kind))
    await scene.settled()
    assert scene.pane == pane_about(Place(kind))


async def test_a_source_that_is_not_read_leads_to_its_pane_and_to_no_row(scene: Scene) -> None:
    before = scene.app.main.pane("cache").lines.selected
    scene.app.go_to(Place("reading", "redis"))
    await scene.settled()
    assert scene.pane == "cache"
    assert scene.app.main.pane("cache").lines.selected == before
