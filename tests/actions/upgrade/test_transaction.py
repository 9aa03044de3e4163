"""A transaction with another release: put in its place, proved, taken back by itself, and ended after it was killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from litellm_tui.actions.transaction.events import Outcome, Step
from litellm_tui.actions.transaction.messages import told
from litellm_tui.actions.transaction.record import Stage
from litellm_tui.actions.upgrade.exchange import exchange_of
from litellm_tui.model.failures import Denied
from litellm_tui.model.upgrade import EnvironmentExchange
from tests.actions.test_transaction import OLD, Cut, Site, World, hurry

FORTH: Final[tuple[Stage, ...]] = ("exchange", "restart", "proof")
BACK: Final[tuple[Stage, ...]] = ("restore", "restart again", "proof again")


class Releases(World):
    """A service that starts what stands in `venv`; a release that says so ends at its start."""

    def start(self, orders: int = 0) -> None:
        read = {**self.disk(), "release": self.release}
        state = {"pid": 100 + orders, "orders": orders, "read": read, "started_at": time.time()}
        (self.folder / "service.json").write_text(json.dumps(state))

    @property
    def release(self) -> str:
        return (self.folder / "venv" / "release").read_text()


class UpgradeSite(Site):
    def __init__(self, folder: Path, new: str = "new") -> None:
        super().__init__(folder)
        self.world: Releases = Releases(folder)
        for name, text in (("venv", "old"), ("venv.litellm-2.0", new)):
            if not any((folder / other).exists() for other in (name, "venv.litellm-1.0")):
                (folder / name).mkdir()
                (folder / name / "release").write_text(text)

    def exchange(self) -> EnvironmentExchange:
        root = str(self.folder / "venv")
        found = exchange_of(root, f"{root}.litellm-2.0", f"{root}.litellm-1.0", "1.0", "2.0")
        assert isinstance(found, EnvironmentExchange)
        return found

    def releases(self) -> dict[str, str]:
        return {path.name: (path / "release").read_text() for path in sorted(self.folder.glob("venv*"))}

    @property
    def runs(self) -> str:
        return str(self.world.state["read"]["release"])


BROKEN: Final = "ends at its start"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[UpgradeSite]:
    made = UpgradeSite(tmp_path)
    made.begin()
    yield made
    assert made.world.disk() == OLD


async def test_the_release_is_put_in_its_place_and_proved(site: UpgradeSite) -> None:
    steps, outcome = await site.follow(exchange=site.exchange())
    assert outcome.result == "applied", outcome
    assert site.releases() == {"venv": "new", "venv.litellm-1.0": "old"}
    assert (site.runs, site.world.orders, site.unfinished()) == ("new", 1, None)
    names = [step.name for step in steps if step.took is not None]
    assert names.index("exchange") < names.index("restart")


async def test_one_that_cannot_start_is_taken_back_and_the_files_stay(site: UpgradeSite) -> None:
    (site.folder / "venv.litellm-2.0" / "release").write_text(BROKEN)
    steps, outcome = await site.follow(exchange=site.exchange())
    assert outcome.result == "rolled back", outcome
    assert site.releases() == {"venv": "old", "venv.litellm-2.0": BROKEN}
    assert (site.runs, site.world.orders, site.unfinished()) == ("old", 2, None)
    # the configuration ran before and is not the cause
    site.backups.load()
    assert all(not backup.result.startswith("rejected") for backup in site.backups.records())
    assert any("LiteLLM 1.0 stands in" in step.detail for step in steps)


async def test_an_order_that_is_refused_leaves_the_old_release(site: UpgradeSite) -> None:
    site.world.refusals = [Denied("no right")]
    _, outcome = await site.follow(exchange=site.exchange())
    assert (outcome.result, outcome.needs_rights) == ("refused", True)
    assert site.releases() == {"venv": "old", "venv.litellm-2.0": "new"}
    assert (site.runs, site.unfinished()) == ("old", None)


async def test_what_was_changed_meanwhile_is_not_exchanged(site: UpgradeSite) -> None:
    exchange = site.exchange()
    os.rename(site.folder / "venv.litellm-2.0", site.folder / "moved")
    _, outcome = await site.follow(exchange=exchange)
    assert outcome.result == "refused"
    assert (site.runs, site.world.orders, site.unfinished()) == ("old", 0, None)


KILLED: Final = """
import sys
from tests.actions.upgrade.test_transaction import killed
killed(*sys.argv[1:])
"""


def killed(folder: str, stage: Stage, noted: str) -> None:
    """Run the transaction of an upgrade that is killed at a stage, as a process of its own."""
    hurry()
    site = UpgradeSite(Path(folder))
    site.world = Releases(Path(folder))

    def end() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(site.follow(exchange=site.exchange(), lock=Cut(site, stage, end, noted == "after")))


@pytest.mark.parametrize("way", ["finish", "undo"])
@pytest.mark.parametrize("noted", ["before", "after"])
@pytest.mark.parametrize("stage", [*FORTH, *BACK])
async def test_whoever_is_killed_leaves_a_whole_release_and_the_next_ends_it(
    tmp_path: Path, stage: Stage, noted: str, way: str
) -> None:
    new = BROKEN if stage in BACK else "new"
    site = UpgradeSite(tmp_path, new)
    site.begin()
    argv = [sys.executable, "-c", KILLED, str(tmp_path), stage, noted]
    done = subprocess.run(argv, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert sorted(site.releases().values()) == sorted(["old", new])
    record = site.unfinished()
    assert record is not None
    assert "the change from 1.0 to 2.0" in told(record)

    steps, outcome = await site.follow(way)

    assert site.unfinished() is None, (steps, outcome)
    begun = (stage, noted) != ("exchange", "before")
    stays = way == "finish" and stage in FORTH and begun
    assert outcome.result == ("applied" if stays else "rolled back" if begun else "refused"), outcome
    wanted = {"venv": "new", "venv.litellm-1.0": "old"} if stays else {"venv": "old", "venv.litellm-2.0": new}
    assert site.releases() == wanted
    assert site.runs == wanted["venv"]
    assert isinstance(steps, list)
    assert isinstance(outcome, Outcome)
    assert all(isinstance(step, Step) for step in steps)
