"""Ends and starts of units on a real systemd: what a start fails on, units that are renamed, moved or one of two.

What runs in them is a script of LiteLLM's name, so that each comes and goes in a moment.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from litellm_tui.analysis.end_causes import name_end
from litellm_tui.model.found import Found
from litellm_tui.model.log import LogRecord
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Tools
from litellm_tui.model.service_target import ServiceQuery, ServiceTarget
from litellm_tui.services.systemd.discovery import find_units
from litellm_tui.services.systemd.driver import UnitDriver, find
from tests.lab import Lab
from tests.waiting import eventually

LISTENS = "#!{python}\nimport socket, time\nheld = socket.create_server(('127.0.0.1', {port}))\ntime.sleep(600)\n"


class Ground:
    """A bare lab with a folder for programs, and its user's units."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.made: list[str] = []
        # a tail is ended by killing what stands outside
        self.tools = Tools(
            systemctl=tuple(lab.argv(["systemctl"], True)), journalctl=tuple(lab.argv(["journalctl"], True))
        )
        self.program = folder / "litellm"
        self.program.write_text(LISTENS.format(python=sys.executable, port=0))
        self.program.chmod(0o755)

    def unit(self, name: str, *settings: str, start: bool = True, program: str = "") -> None:
        """Write the unit, and start it unless told otherwise."""
        lines = [f"ExecStart={program or self.program} --port 4000", "Restart=on-failure", "RestartSec=1", *settings]
        path = self.lab.unit_path(True).with_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["[Service]", *lines]) + "\n")
        path.chmod(0o644)
        self.made.append(name)
        self.lab.systemctl("daemon-reload", user=True)
        if start:
            self.lab.systemctl("restart", name, user=True, check=False)

    def remove(self, name: str) -> None:
        self.lab.systemctl("stop", name, user=True, check=False)
        self.lab.systemctl("reset-failed", name, user=True, check=False)
        self.lab.unit_path(True).with_name(name).unlink(missing_ok=True)
        self.lab.systemctl("daemon-reload", user=True)

    def driver(self, name: str) -> UnitDriver:
        return UnitDriver(ServiceTarget(name, self.tools, "user"))

    async def look(self, name: str, holds: Callable[[Service], bool]) -> Service:
        """The unit once this holds of it."""
        of_unit = self.driver(name)
        seen: list[Service] = []

        async def looked() -> bool:
            found = await of_unit.look()
            assert isinstance(found, Service)
            seen.append(found)
            return holds(found)

        for _ in range(400):
            if await looked():
                return seen[-1]
        raise AssertionError(seen[-1])


@pytest.fixture(scope="module")
def bare_lab(lab_possible: None) -> Iterator[Lab]:
    with Lab.boot(units=(), installed=()) as lab:
        yield lab


@pytest.fixture
def ground(bare_lab: Lab, tmp_path: Path) -> Iterator[Ground]:
    # the lab's user must reach them; each worker has a folder of its own in between
    for place in (tmp_path, *tmp_path.parents[:4]):
        if place.name.startswith(("pytest", "popen", "test_")):
            place.chmod(0o755)
    made = Ground(bare_lab, tmp_path)
    yield made
    for name in made.made:
        made.remove(name)


def _down(service: Service) -> bool:
    return service.sub_state == "auto-restart" or service.active_state == "failed"


@pytest.mark.parametrize(("setting", "program", "brief"), [
    ("EnvironmentFile={folder}/gone.env", "", "EnvironmentFile missing"),
    ("EnvironmentFile=-{folder}/gone.env\nWorkingDirectory={folder}/gone", "", "WorkingDirectory missing"),
    ("", "{folder}/gone/litellm", "program missing"),
    ("", "{folder}/orphan", "interpreter missing"),
])  # fmt: skip
async def test_what_a_start_fails_on_is_named_and_would_be_refused(
    ground: Ground, setting: str, program: str, brief: str
) -> None:
    orphan = ground.folder / "orphan"
    orphan.write_text(f"#!{ground.folder}/venv/bin/python\n")
    orphan.chmod(0o755)
    settings = setting.format(folder=ground.folder).splitlines()
    name = f"litellm-{brief.split(maxsplit=1)[0].lower()}.service"
    ground.unit(name, *settings, program=program.format(folder=ground.folder))
    down = await ground.look(name, _down)
    assert [obstacle.brief for obstacle in down.obstacles] == [brief]
    assert name_end(down, ()).brief == brief
    assert ground.driver(name).obstacles() == down.obstacles


async def test_a_healthy_unit_whose_environment_file_is_gone_is_refused_before_the_restart(ground: Ground) -> None:
    (ground.folder / "litellm.env").write_text("A=1\n")
    ground.unit("litellm-env.service", f"EnvironmentFile={ground.folder}/litellm.env")
    runs = await ground.look("litellm-env.service", lambda service: service.sub_state == "running")
    assert runs.obstacles == ()
    assert ground.driver("litellm-env.service").obstacles() == ()
    (ground.folder / "litellm.env").unlink()
    assert [one.brief for one in ground.driver("litellm-env.service").obstacles()] == ["EnvironmentFile missing"]
    # and it is seen at the next look, long before anything restarts it
    seen = await ground.look("litellm-env.service", lambda service: bool(service.obstacles))
    assert (seen.sub_state, [one.brief for one in seen.obstacles]) == ("running", ["EnvironmentFile missing"])


async def test_the_last_words_before_an_end_are_read_from_the_journal(ground: Ground) -> None:
    # journald asks whose a line is while the process lives: one that is gone by then belongs to no unit
    ground.program.write_text("#!/bin/sh\necho 'Error: the master key is not set'\nsleep 1\nexit 3\n")
    ground.unit("litellm-words.service")
    down = await ground.look("litellm-words.service", _down)
    texts: list[str] = []

    def told() -> bool:
        texts[:] = ground.lab.journal("-o", "cat", unit="litellm-words.service").splitlines()
        return any("master key" in text for text in texts)

    await eventually(told)
    records = [LogRecord(n, 0.0, "INFO", "stdout", text) for n, text in enumerate(texts)]
    assert "the master key is not set" in name_end(down, records).text


async def test_of_two_units_the_one_that_runs_is_chosen_and_both_are_named(ground: Ground) -> None:
    ground.unit("litellm.service", start=False)
    ground.unit("litellm-new.service")
    await ground.look("litellm-new.service", lambda service: service.sub_state == "running")
    names = [unit.name for unit in find_units(ground.tools, None, "user").units]
    assert names[0] == "litellm-new.service"
    assert "litellm.service" in names
    # one that is named is meant
    assert [u.name for u in find_units(ground.tools, "litellm.service", "user").units] == ["litellm.service"]


async def test_a_unit_that_was_renamed_is_found_again(ground: Ground) -> None:
    ground.unit("gateway-llm.service")
    await ground.look("gateway-llm.service", lambda service: service.sub_state == "running")

    def found(source: str) -> str:
        query = ServiceQuery(ground.tools, {}, "home", Found("litellm-old.service", source), "user")
        name = find(query).name
        return f"{name.value}: {name.source}" if name else ""

    assert found("profile home").startswith("gateway-llm.service: found in place of litellm-old.service")
    assert found("--unit") == ""
    gone = await ground.look("litellm-old.service", lambda service: service.load_state == "not-found")
    assert "gateway-llm.service" in gone.note
