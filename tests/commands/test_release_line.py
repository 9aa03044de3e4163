"""The release in one line of `litellm-tui where`."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.commands import where
from litellm_tui.commands.release_line import release_line
from litellm_tui.model.found import Found
from litellm_tui.model.service import Unit
from litellm_tui.model.service_kinds import Tools
from litellm_tui.target.profile import Options, Profile
from tests.collectors.environments import environment


def profile(interpreter: str | None = None, image: str = "", root: str = "") -> Profile:
    unit = Unit(
        "litellm.service",
        "user",
        True,
        ("litellm",),
        None,
        {},
        None,
        "http://h:4000",
        interpreter,
        image=image,
        root=root,
    )
    return Profile("p", "here", Found("http://h:4000", ""), Tools(), found_unit=unit)


def installed(folder: Path, version: str, *beside: str) -> Profile:
    return profile(str(environment(folder / "e", version, beside=beside) / "bin/python"))


def test_a_sound_release_is_named_with_where_it_was_read(tmp_path: Path) -> None:
    line = release_line(installed(tmp_path, "1.106.2"))
    assert line is not None
    assert (line[0], line[1].endswith("litellm-1.106.2.dist-info/METADATA")) == ("LiteLLM 1.106.2", True)


def test_holes_that_are_exploited_are_named_with_the_release_without_them(tmp_path: Path) -> None:
    line = release_line(installed(tmp_path, "1.83.3"))
    assert line is not None
    assert "CVE-2026-42208 (exploited)" in line[0]
    assert "other known holes" in line[0]
    assert line[0].endswith("; mended in 1.84.0")


def test_a_planted_file_comes_first(tmp_path: Path) -> None:
    line = release_line(installed(tmp_path, "1.106.2", "litellm_init.pth"))
    assert line is not None
    assert line[0].startswith("LiteLLM 1.106.2 - PLANTED ")


def test_an_image_says_its_release_or_that_it_floats() -> None:
    pinned, floating = (
        release_line(profile(image="l/litellm:v1.106.2-stable")),
        release_line(profile(image="l/litellm")),
    )
    assert pinned == ("LiteLLM 1.106.2", "the container's image")
    assert floating is not None
    assert "which means latest" in floating[0]


def test_without_anything_to_look_at_there_is_no_line() -> None:
    assert release_line(profile()) is None


def test_where_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = installed(tmp_path, "1.83.3")
    monkeypatch.setattr(where, "resolve", lambda *_: found)
    where.run(Options())
    said = capsys.readouterr().out
    assert "release         LiteLLM 1.83.3 - " in said


@pytest.mark.parametrize(("running", "told"), [("1.77.7", True), ("1.106.2", False), ("v1.106.2", False), ("", False)])
def test_another_release_runs_than_is_installed(tmp_path: Path, running: str, told: bool) -> None:
    line = release_line(installed(tmp_path, "1.106.2"), lambda: running)
    assert line is not None
    assert ("installed 1.106.2, runs 1.77.7 until the next restart" in line[0]) is told
