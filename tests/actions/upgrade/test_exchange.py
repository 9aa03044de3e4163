"""Two environments change places: in every moment a whole one stands there, or the record says which is missing."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from pathlib import Path

import pytest

from litellm_tui.actions.upgrade import exchange as exchanges
from litellm_tui.model.failures import Failure
from litellm_tui.model.upgrade import EnvironmentExchange


def _made(folder: Path) -> EnvironmentExchange:
    for name, text in (("venv", "old"), ("venv.litellm-2.0", "new")):
        (folder / name).mkdir()
        (folder / name / "release").write_text(text)
    found = exchanges.exchange_of(
        str(folder / "venv"), str(folder / "venv.litellm-2.0"), str(folder / "venv.litellm-1.0"), "1.0", "2.0"
    )
    assert isinstance(found, EnvironmentExchange)
    return found


def _disk(folder: Path) -> dict[str, str]:
    return {path.name: (path / "release").read_text() for path in sorted(folder.iterdir())}


OLD = {"venv": "old", "venv.litellm-2.0": "new"}
NEW = {"venv": "new", "venv.litellm-1.0": "old"}


@pytest.mark.parametrize("steps", ["one", "two"])
def test_the_new_one_takes_the_place_and_gives_it_back(
    tmp_path: Path, steps: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if steps == "two":
        monkeypatch.setattr(exchanges, "_exchange", exchanges._in_two_steps)
    made = _made(tmp_path)
    assert not exchanges.is_in_place(made)
    assert exchanges.put_in_place(made) is None
    assert exchanges.is_in_place(made)
    assert _disk(tmp_path) == NEW
    # whoever comes after a crash does it again
    assert exchanges.put_in_place(made) is None
    assert _disk(tmp_path) == NEW
    assert exchanges.take_back(made) is None
    assert exchanges.take_back(made) is None
    assert _disk(tmp_path) == OLD


@pytest.mark.parametrize("steps", ["one", "two"])
@pytest.mark.parametrize("way", ["put_in_place", "take_back"])
@pytest.mark.parametrize("then", ["put_in_place", "take_back"])
@pytest.mark.parametrize("renames", [0, 1, 2])
def test_whoever_is_killed_between_two_renames_is_followed_by_one_who_ends_it(
    tmp_path: Path, steps: str, way: str, then: str, renames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after so many renames; an exchange in one step leaves a whole environment in the place all the time."""
    made = _made(tmp_path)
    if way == "take_back":
        assert exchanges.put_in_place(made) is None
    if steps == "two":
        monkeypatch.setattr(exchanges, "_exchange", exchanges._in_two_steps)
    real, left = os.rename, renames

    def rename(source: str, target: str) -> None:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", rename)
        with contextlib.suppress(KeyboardInterrupt):
            getattr(exchanges, way)(made)
    assert sorted(_disk(tmp_path).values()) == ["new", "old"]
    if steps == "one":
        assert (tmp_path / "venv").is_dir()
    assert getattr(exchanges, then)(made) is None
    assert _disk(tmp_path) == (NEW if then == "put_in_place" else OLD)


def test_where_the_file_system_cannot_exchange_it_is_done_in_two_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Libc:
        def renameat2(self, *_: object) -> int:
            return -1

    made = _made(tmp_path)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Libc())
    monkeypatch.setattr(ctypes, "get_errno", lambda: errno.EINVAL)
    assert exchanges.put_in_place(made) is None
    assert _disk(tmp_path) == NEW
    monkeypatch.setattr(ctypes, "get_errno", lambda: errno.EACCES)
    refused = exchanges.take_back(made)
    assert isinstance(refused, Failure)
    assert _disk(tmp_path) == NEW


def test_what_somebody_else_has_put_there_is_left_alone(tmp_path: Path) -> None:
    made = _made(tmp_path)
    os.rename(tmp_path / "venv", tmp_path / "elsewhere")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "release").write_text("another")
    for way in (exchanges.put_in_place, exchanges.take_back):
        refused = way(made)
        assert isinstance(refused, Failure)
        assert "somebody has changed it" in refused.why
    assert _disk(tmp_path)["venv"] == "another"
