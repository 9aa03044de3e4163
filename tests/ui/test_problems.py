"""Problems: what is wrong, worst first, drawn while it changes; Enter goes to the row, Escape closes."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.analysis.health.memory import Memory, mark_seen, recall, remember
from litellm_tui.demo import Simulation
from litellm_tui.demo.files import CONFIG
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.target.settings import Settings
from litellm_tui.ui.screens.problems import Problems
from litellm_tui.ui.widgets.lines import Lines
from litellm_tui.ui.widgets.strip import Hints
from tests.ui import frozen
from tests.ui.frozen import NOW, Frozen
from tests.ui.scene import Scene, opened, screen_text
from tests.waiting import eventually

DEAD = "qwen2.5-coder:32b"


def _list(scene: Scene) -> Lines:
    return scene.app.screen.query_one("#problems-lines", Lines)


def _detail(scene: Scene) -> str:
    lines = scene.app.screen.query_one("#problems-detail", Lines)
    return "\n".join("".join(text for text, _ in row.spans) for row in lines._rows)


def _keys(scene: Scene) -> list[str]:
    return [row.key for row in _list(scene)._rows if row.key]


def _new(scene: Scene) -> int:
    return sum(("new ", "mark") in row.spans for row in _list(scene)._rows)


async def _broken(scene: Scene) -> None:
    """A model behind its fallback is dead, and so is the cache."""
    scene.break_for_all(DEAD)
    scene.simulation.cache_down()
    await scene.press("f5")
    await scene.until(lambda: len(_wrong(scene)) == 2)


def _wrong(scene: Scene) -> list[str]:
    view = scene.app.view
    assert view is not None
    return [p.key for p in view.diagnosis.problems if p.solved_at is None and p.severity in ("bad", "warn")]


async def test_the_list_is_worst_first_with_the_selected_one_in_full_below(scene: Scene) -> None:
    await _broken(scene)
    await scene.press("exclamation_mark")
    assert isinstance(scene.app.screen, Problems)
    view = scene.app.view
    assert view is not None
    assert _keys(scene) == [problem.key for problem in view.diagnosis.problems]
    dead, cache, ghost = _keys(scene)[:3]
    assert (dead.partition(":")[0], cache, ghost.partition(":")[0]) == ("deployment", "cache:", "chain")
    assert _list(scene).selected == dead
    first = _detail(scene)
    for words in ("refused", "answers in its place", "start the upstream", f"group {DEAD}", "ago, "):
        assert words in first
    await scene.press("down")
    assert "Redis" in _detail(scene)
    assert "nobody fails: requests go on, uncached" in _detail(scene)


async def test_what_was_not_seen_yet_is_new_until_it_has_been_looked_at(scene: Scene) -> None:
    await _broken(scene)
    await scene.press("exclamation_mark")
    assert _new(scene) == 3
    await scene.press("escape")
    assert len(scene.app.screen_stack) == 1
    await scene.press("exclamation_mark")
    assert _new(scene) == 0
    await scene.press("escape")
    scene.break_for_all("gpt-4.1-mini", "error")
    await scene.press("f5")
    await scene.until(lambda: len(_wrong(scene)) == 4)
    await scene.shows("4 problems, 1 new")
    await scene.press("exclamation_mark")
    assert _new(scene) == 1, scene.text


@pytest.mark.parametrize("key", ["escape", "q", "exclamation_mark"])
async def test_these_keys_close_it_and_nothing_else(scene: Scene, key: str) -> None:
    before = scene.pane
    await scene.press("exclamation_mark", key)
    assert len(scene.app.screen_stack) == 1
    assert scene.app.is_running
    assert scene.pane == before


async def test_it_is_drawn_while_it_is_open_and_keeps_its_selection(scene: Scene) -> None:
    await scene.press("exclamation_mark")
    await scene.until(lambda: len(_keys(scene)) == 1)
    (ghost,) = _keys(scene)
    scene.simulation.cache_down()
    await scene.press("f5")
    # the new one stands above, and the selection stays
    await scene.until(lambda: len(_keys(scene)) == 2 and _keys(scene)[1] == ghost)
    assert _list(scene).selected == ghost
    assert "ghost fallback" in _detail(scene)
    scene.simulation.cache_up()
    await scene.press("f5")
    await scene.shows("not seen any more")
    assert _keys(scene)[0] == ghost
    assert _list(scene).selected == ghost
    await scene.press("end")
    assert "gone" in _detail(scene)
    assert "Redis down" in _detail(scene)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_enter_goes_to_the_row_concerned(simulation: Simulation, size: tuple[int, int]) -> None:
    async with opened(simulation, size) as scene:
        await _broken(scene)
        for number, (pane, wanted) in enumerate((
            ("models", DEAD),
            ("cache", ""),
            ("fallbacks", "general:gemini-2.5-flash"),
        )):  # fmt: skip
            await scene.press("2", "exclamation_mark", *["down"] * number, "enter")
            assert len(scene.app.screen_stack) == 1
            assert scene.pane == pane
            assert pane in scene.panes
            await scene.until(lambda p=pane, w=wanted: scene.lines(p).selected.startswith(w))  # type: ignore[misc]
            lines = scene.lines(pane)
            assert not wanted or 0 <= lines._cursor - lines.scroll_offset.y < lines.size.height


async def test_to_look_again_works_here_too(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    monkeypatch.setattr(scene.monitor, "look_now", lambda: looks.append("looked"))
    await scene.press("exclamation_mark", "f5")
    assert looks == ["looked"]
    assert isinstance(scene.app.screen, Problems)


async def test_enter_on_a_group_goes_to_its_first_deployment(simulation: Simulation) -> None:
    async with opened(simulation, (80, 24)) as scene:
        scene.break_for_all("llama3.1:8b")
        await scene.until(lambda: "group:llama3.1:8b" in _wrong(scene))
        await scene.press("3", "exclamation_mark")
        assert _list(scene).selected == "group:llama3.1:8b"
        await scene.press("enter")
        assert scene.panes == {"models"}
        await scene.until(lambda: scene.lines("models").selected.startswith("llama3.1:8b|ollama_chat"))


async def test_ascii_draws_no_other_sign(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path), Settings(ascii=True, utc=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("exclamation_mark")
        await pilot.pause()
        # what is left is the dot and the ellipsis of cut texts
        assert {sign for sign in screen_text(app) if ord(sign) > 126} <= set("…·▁▂▃▄▅▆▇█")


async def test_enter_on_a_dead_gateway_goes_to_the_service(simulation: Simulation) -> None:
    async with opened(simulation, (80, 24)) as scene:
        simulation.gateway_down()
        await scene.shows("DOWN")
        await scene.until(lambda: "service:" in _wrong(scene))
        await scene.press("exclamation_mark")
        assert _list(scene).selected == "service:"
        assert "every request fails" in _detail(scene)
        await scene.press("enter")
        assert scene.panes == {"service"}


async def test_keys_of_the_console_do_nothing_from_here(scene: Scene) -> None:
    await scene.press("exclamation_mark", "R", "p", "P", "e", "z", "s", "question_mark")
    assert isinstance(scene.app.screen, Problems)
    assert len(scene.app.screen_stack) == 2
    assert scene.app.focused is _list(scene)
    assert len(scene.panes) > 1


async def test_with_nothing_wrong_it_says_what_was_looked_at(scene: Scene) -> None:
    scene.simulation.edit_config(CONFIG.replace("    - gemini-2.5-flash: [claude-haiku]\n", ""))
    await scene.until(lambda: _wrong(scene) == [])
    await scene.press("exclamation_mark")
    for words in ("nothing is wrong, as far as can be seen", "looked at", "8 deployments loaded", "/cache/ping says"):
        await scene.shows(words)
    assert "litellm.service is active" in scene.text


async def test_the_blind_spots_are_named_with_what_would_show_them(tmp_path: Path) -> None:
    text = await _drawn(frozen.bare(tmp_path))
    assert "cannot be seen here" in text
    assert "--config FILE" in text
    assert "LITELLM_LOG=INFO" in text
    # what mends it is indented below each, also where it goes over two lines
    assert len({line.index("→") for line in text.splitlines() if "→" in line}) == 1


async def test_a_problem_that_has_ended_is_listed_as_gone(tmp_path: Path) -> None:
    before = frozen.degraded(tmp_path)
    app = Frozen(before)
    problems = app.view.diagnosis.problems
    memory = mark_seen(remember({}, problems, NOW - 60, gateway_known=True))
    memory = remember(memory, problems[2:], NOW - 30, gateway_known=True)
    text = await _drawn(before, memory)
    above, _, below = text.partition("─ Problems ")[2].partition("not seen any more")
    assert "qwen-coder-vllm" not in above
    assert "qwen-coder-vllm" in below
    assert "Redis down" in above


async def _drawn(snapshot: Snapshot, memory: Memory | None = None) -> str:
    app = Frozen(snapshot)
    if memory is not None:
        diagnosis = app.view.diagnosis
        current = [problem for problem in diagnosis.problems if memory[problem.key].solved_at is None]
        app.remember(recall(memory, current, NOW))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("exclamation_mark")
        await pilot.pause()
        return screen_text(app)


def _painted(app: Frozen) -> str:
    return " ".join(screen_text(app).replace("│", " ").split())


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_nothing_that_matters_is_cut_off(tmp_path: Path, size: tuple[int, int]) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with app.run_test(size=size) as pilot:
        hints = app.screen.query_one(Hints)
        (row,) = hints._rows
        assert sum(len(text) for text, _ in row.spans) <= hints.room
        assert "q quit" in screen_text(app)
        await pilot.press("exclamation_mark")
        await pilot.pause()
        lines = app.screen.query_one("#problems-lines", Lines)
        assert all(sum(len(text) for text, _ in row.spans) <= lines.room for row in lines._rows)
        for problem in app.view.diagnosis.problems:
            # what to do is never below the edge
            for words in (problem.cause, problem.do[:30]):
                await eventually(lambda w=words: w in _painted(app), words)  # type: ignore[misc]
            await pilot.press("down")
            await pilot.pause()
