"""A gateway has one identity: what is kept of it is found again by every version and every part."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.actions.transaction.record import Record, RestartLock, here
from litellm_tui.storage.backups import Backups
from litellm_tui.storage.identity import gateway_label, gateway_name
from litellm_tui.storage.state import StateFile


@pytest.mark.parametrize(
    ("url", "unit", "name"),
    [
        ("http://127.0.0.1:4000", "litellm.service", "c7d396d57dee7dbc"),
        ("http://127.0.0.1:4000", "", "52791ec32ba4e0ef"),
        ("https://gw.example/ä", "litellm", "2659ee96b7120af3"),
    ],
)
def test_the_names_on_the_disk_are_those_of_every_version(tmp_path: Path, url: str, unit: str, name: str) -> None:
    assert gateway_name(url, unit) == name
    assert StateFile(url, unit, tmp_path).path == tmp_path / f"{name}.json"
    assert Backups(url, unit, tmp_path).folder == tmp_path / "backups" / name
    lock = RestartLock(url, unit, tmp_path)
    assert lock.take() is None
    assert lock.write(Record(unit, here(), "proof")) is None
    lock.release()
    assert {path.name for path in lock.folder.iterdir()} == {f"{name}.json", f"{name}.lock"}


def test_the_label_is_for_persons() -> None:
    assert gateway_label("http://a", "u.service") == "http://a u.service"
    assert gateway_label("http://a", "") == "http://a"
