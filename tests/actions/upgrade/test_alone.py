"""Only one console at a time makes a release ready for a gateway, and what stands against that is told in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.actions.transaction.events import Outcome
from litellm_tui.actions.transaction.record import RestartLock
from litellm_tui.actions.upgrade.plan import Planned
from litellm_tui.actions.upgrade.run import Upgrade
from litellm_tui.host import host_lock
from litellm_tui.host.host_lock import HostLock
from litellm_tui.model.found import Found
from litellm_tui.model.service_kinds import Tools
from litellm_tui.model.upgrade import UpgradePlan
from litellm_tui.storage.backups import Backups
from litellm_tui.target.profile import Profile

PROFILE = Profile(name="p", host="h", url=Found("http://127.0.0.1:1", "t"), tools=Tools(), unit=Found("gw", "t"))
# nothing is known of what is installed: nothing is made
PLANNED = Planned(UpgradePlan("a virtual environment", "/nobody/has/it", "1.0", "2.0"))


def _upgrade(folder: Path, host: HostLock | None = None) -> Upgrade:
    lock = RestartLock("http://127.0.0.1:1", "gw", folder, host)
    return Upgrade(PROFILE, None, None, lock, Backups("http://127.0.0.1:1", "gw", folder / "backups"))  # type: ignore[arg-type]


async def _tried(upgrade: Upgrade) -> str:
    (outcome,) = [event async for event in upgrade.try_out(PLANNED) if isinstance(event, Outcome)]
    assert outcome.result == "refused"
    return outcome.text


async def test_another_console_of_this_user_or_of_another_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setattr(host_lock, "PLACES", (shared,))
    for folders, host in ((("mine", "mine"), None), (("mine", "theirs"), HostLock("restart"))):
        first, second = (_upgrade(tmp_path / folder, host) for folder in folders)
        going = first.try_out(PLANNED)
        await anext(going)
        assert "another upgrade of it is under way" in await _tried(second)
        await going.aclose()
        assert "how it is installed is not known" in await _tried(second)
    assert list(shared.iterdir()) == []


async def test_a_state_folder_that_cannot_be_written_refuses_it_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = await _tried(_upgrade(tmp_path / "file"))
    assert said.startswith("nothing was changed: ")
    assert "Not a directory" in said
