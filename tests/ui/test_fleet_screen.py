"""The Fleet: rows as they come, worst first, and the way to a gateway and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.monitor import fleet_members
from litellm_tui.target.settings import ProfileSettings, Settings
from litellm_tui.ui import fleet_control
from litellm_tui.ui.fleet_control import FleetControl
from litellm_tui.ui.screens.fleet import FleetScreen
from litellm_tui.ui.widgets.lines import Lines
from tests.standins.ssh import install
from tests.ui.scene import Scene

# a host is a file of the folder that the stand-in for ssh tells, as long as it is there
SCRIPT = """\
for word; do host=$last; last=$word; done
[ -e "{folder}/$host" ] || {{ echo "ssh: connect to host $host port 22: Connection refused" >&2; exit 255; }}
echo 'litellm-tui: begun'
case "$last" in *--version*) echo litellm-tui; exit 0;; *--keys*) cat "{folder}/$host.keys"; exit 0;; esac
cat "{folder}/$host"
while [ -e "{folder}/$host" ]; do sleep 0.1; done
exit 255
"""


def _document(word: str, status: int, **more: Any) -> str:
    parts = [{"text": f"{word.lower()} and told in a sentence"}]
    told = {"format": 1, "exit_status": status, "headline": {"word": word, "parts": parts, "advice": "do this"}}
    return json.dumps({**told, "litellm_version": "1.106.2", **more})


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two hosts that answer, one that does not."""
    folder = tmp_path / "hosts"
    folder.mkdir()
    (folder / "web-1").write_text(_document("SERVING", 0) + "\n")
    (folder / "web-2").write_text(_document("DEGRADED", 2, litellm_version="1.77.7") + "\n")
    install(tmp_path, SCRIPT.format(folder=folder), monkeypatch)
    profiles = {name: ProfileSettings(ssh=name) for name in ("web-1", "web-2", "web-3")}
    monkeypatch.setattr(fleet_control, "load_settings", lambda: Settings(profiles=profiles))
    monkeypatch.setattr(fleet_members, "AGAIN_SECONDS", 0.1)
    return folder


async def _open(scene: Scene) -> FleetScreen:
    await scene.press("G")
    screen = await scene.until(lambda: isinstance(scene.app.screen, FleetScreen) and scene.app.screen)
    assert isinstance(screen, FleetScreen)
    return screen


async def test_rows_come_worst_first_and_change_as_they_are_told(scene: Scene, hosts: Path) -> None:
    screen = await _open(scene)
    expected = [("web-3", "HOST DOWN"), ("web-2", "DEGRADED"), ("web-1", "SERVING")]
    await scene.until(lambda: [(row.name, row.state) for row in screen._fleet.rows] == expected, "all are told")
    await scene.shows("serving and told in a sentence")
    await scene.shows("versions of LiteLLM differ")
    (hosts / "web-3").write_text(_document("SERVING", 0) + "\n")
    await scene.until(lambda: screen._fleet.rows[0].name == "web-2", "it is back")
    (hosts / "web-1").unlink()
    await scene.until(lambda: (screen._fleet.rows[0].name, screen._fleet.rows[0].version) == ("web-1", "1.106.2"))
    await scene.press("escape")
    await scene.until(lambda: len(scene.app.screen_stack) == 1)


def _keys(**keys: str) -> str:
    values = {key.replace("__", "."): [text, text] for key, text in keys.items()}
    return json.dumps({"format": 1, "keys": values}) + "\n"


async def test_d_shows_where_the_configurations_of_the_group_differ(
    scene: Scene, hosts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = {name: ProfileSettings(ssh=name, group="web") for name in ("web-1", "web-2")}
    monkeypatch.setattr(fleet_control, "load_settings", lambda: Settings(profiles=profiles))
    (hosts / "web-1.keys").write_text(_keys(router_settings__num_retries="2", general_settings__same="1"))
    (hosts / "web-2.keys").write_text(_keys(router_settings__num_retries="3", general_settings__same="1"))
    screen = await _open(scene)
    await scene.until(lambda: all(row.known for row in screen._fleet.rows) and screen.selected, "all are told")
    await scene.settled()
    await scene.press("d")
    await scene.shows("router_settings.num_retries: 2 on web-1; 3 on web-2")
    assert "general_settings.same" not in scene.text
    await scene.until(lambda: getattr(scene.app.screen, "could_be_read", False))
    await scene.press("escape")
    await scene.until(lambda: scene.app.screen is screen)
    await scene.press("escape")
    await scene.until(lambda: len(scene.app.screen_stack) == 1)


async def test_d_on_a_gateway_of_no_group_says_how_one_is_named(scene: Scene, hosts: Path) -> None:
    screen = await _open(scene)
    await scene.until(lambda: all(row.known for row in screen._fleet.rows) and screen.selected, "all are told")
    await scene.settled()
    await scene.press("d")
    await scene.until(lambda: any("is in no group" in note.message for note in scene.app._notifications))
    await scene.press("escape")


async def test_a_model_that_is_dead_on_one_alone_stands_before_everything_else(scene: Scene, hosts: Path) -> None:
    def deployments(state: str) -> list[dict[str, Any]]:
        return [{"group": "small", "model": "openai/small", "verdict": {"state": state}}]

    (hosts / "web-1").write_text(_document("SERVING", 0, deployments=deployments("serving")) + "\n")
    (hosts / "web-2").write_text(_document("DEGRADED", 2, deployments=deployments("failing")) + "\n")
    await _open(scene)
    await scene.shows("≠ small dead · degraded and told")
    await scene.shows("small (openai/small) is dead on web-2 and serving on web-1")
    await scene.press("escape")


async def test_enter_opens_another_host_on_the_terminal_and_comes_back(
    scene: Scene, hosts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, tuple[str, ...]]] = []

    def there(host: str, words: Sequence[str]) -> int:
        opened.append((host, tuple(words)))
        return 0

    monkeypatch.setattr(fleet_control, "run_there", there)
    monkeypatch.setattr(scene.app, "suspend", nullcontext)
    screen = await _open(scene)
    await scene.until(lambda: screen._fleet.rows[0].state == "HOST DOWN" and screen.selected, "all are told")
    await scene.until(lambda: all(row.known for row in screen._fleet.rows))
    screen.query_one("#fleet-lines", Lines).select("web-2")
    await scene.until(lambda: screen.selected == "web-2")
    await scene.press("enter")
    again = await scene.until(lambda: scene.app.screen is not screen and isinstance(scene.app.screen, FleetScreen))
    assert again
    assert opened == [("web-2", ())]
    await scene.press("escape")
    await scene.until(lambda: len(scene.app.screen_stack) == 1)


async def test_a_host_that_does_not_answer_is_not_opened_but_named(scene: Scene, hosts: Path) -> None:
    screen = await _open(scene)
    # the worst, whoever answered first
    await scene.until(lambda: all(row.known for row in screen._fleet.rows) and screen.selected == "web-3")
    await scene.press("enter")
    await scene.until(lambda: any("does not answer on ssh" in note.message for note in scene.app._notifications))
    await scene.until(lambda: isinstance(scene.app.screen, FleetScreen))
    await scene.press("escape")


async def test_a_gateway_of_this_machine_is_opened_in_place_of_this_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []
    settings = Settings(profiles={"other": ProfileSettings(url="http://127.0.0.1:1")})
    control = FleetControl(scene.app, found.append)
    assert not await control._open("other", settings)
    assert found[0]().name == "other"
    found.clear()
    assert scene.app.session.profile is not None
    own = scene.app.session.profile.name
    assert not await control._open(own, Settings(profiles={own: ProfileSettings()}))
    assert found == []
