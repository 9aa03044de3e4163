from __future__ import annotations

from pathlib import Path

from litellm_tui.demo import Simulation, files
from litellm_tui.demo.story import PERIOD
from tests.demo.probing import ask, journal, said, systemctl, until


def _unhealthy(simulation: Simulation) -> list[str]:
    return [entry["model"] for entry in ask(simulation, "/health")[2]["unhealthy_endpoints"]]


def test_the_story_goes_through_its_incidents_and_begins_again(quiet: Simulation) -> None:
    quiet.advance(19)
    assert _unhealthy(quiet) == []
    for _ in range(2):
        quiet.advance(30)
        assert _unhealthy(quiet) == ["hosted_vllm/Qwen/Qwen2.5-Coder-32B-Instruct-AWQ"]
        texts = said(journal(quiet, "-n", "200"))
        assert any("Falling back to model_group = llama3.1:8b" in text for text in texts)
        assert any('"level": "ERROR"' in text and '"stacktrace"' in text for text in texts)
        quiet.advance(31)
        assert _unhealthy(quiet) == []
        quiet.advance(25)
        assert ask(quiet, "/cache/ping")[0] == 503
        quiet.advance(30)
        assert ask(quiet, "/cache/ping")[0] == 200
        assert quiet.config_path.read_text() == files.CONFIG
        quiet.advance(25)
        assert quiet.config_path.read_text() == files.EDITED_CONFIG
        quiet.advance(50)
        assert _unhealthy(quiet) == ["azure/gpt-41-prod"]
        quiet.advance(PERIOD - 191)
        assert _unhealthy(quiet) == []
        assert quiet.config_path.read_text() == files.CONFIG


def test_the_story_leaves_a_file_alone_that_somebody_else_saved(quiet: Simulation) -> None:
    text = files.CONFIG + "# mine\n"
    quiet.edit_config(text)
    quiet.advance(PERIOD)
    assert quiet.config_path.read_text() == text


def test_the_same_seed_tells_the_same_story(tmp_path: Path) -> None:
    told = []
    for name in ("one", "two"):
        with Simulation(tmp_path / name, scripted=False, start=1_750_000_000) as simulation:
            simulation.advance(60)
            lines = journal(simulation, "-n", "400")
            requests = [text for text in said(lines) if "uvicorn.access" in text]
            told.append([text.partition('"level"')[0] for text in requests])
            assert abs(int(lines[-1]["__REALTIME_TIMESTAMP"]) / 1e6 - 1_750_000_060) < 15
    assert told[0] == told[1]
    assert len(told[0]) > 60


def test_it_runs_by_itself(tmp_path: Path) -> None:
    with Simulation(tmp_path / "gateway", speed=60) as simulation:
        until(lambda: _unhealthy(simulation) != [])
        until(lambda: _unhealthy(simulation) == [])
        before = systemctl(simulation, "show", simulation.unit, "-P", "CPUUsageNSec").stdout
        until(lambda: systemctl(simulation, "show", simulation.unit, "-P", "CPUUsageNSec").stdout != before)
