"""The upgrade of a real LiteLLM in a virtual environment of a real unit: applied, taken back, and killed at its steps.

The new release comes from the index that the machine is set up with.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from litellm_tui.actions.upgrade import staging
from litellm_tui.actions.upgrade.relocation import rename_within
from litellm_tui.collectors.litellm_source.installation import installation_of
from litellm_tui.model.installation import Installation
from tests.lab import Lab, environments
from tests.lab.changes_record import note
from tests.terminal import Terminal, compile_console

UNIT = "litellm.service"
PATIENCE = 600.0
REPOSITORY = Path(__file__).parents[2]
DROP_IN = """\
[Service]
ExecStart=
ExecStart={binary} --config {folder}/config.yaml --host 127.0.0.1 --port {port}
"""


class Ended(NamedTuple):
    status: int
    said: dict[str, Any]


class Site:
    """The user unit of a lab, on an environment of its own that belongs to the user."""

    def __init__(self, lab: Lab, place: Path, after: str) -> None:
        self.lab, self.place, self.after = lab, place, after
        self.before = lab.litellm.version
        self.state = lab.home / "state"
        subprocess.run(["cp", "-a", str(lab.litellm.path), str(place)], check=True)
        rename_within(place, [str(lab.litellm.path)], str(place))
        subprocess.run(["chown", "-R", f"{lab.uid}:{lab.gid}", str(place.parent)], check=True)
        drop_in = lab.unit_path().parent / f"{UNIT}.d" / "place.conf"
        drop_in.parent.mkdir(exist_ok=True)
        folder = lab.config_path().parent
        drop_in.write_text(DROP_IN.format(binary=place / "bin" / "litellm", folder=folder, port=lab.ports.user))
        lab.systemctl("daemon-reload", user=True)
        lab.systemctl("restart", UNIT, user=True)
        lab.wait("the release of its own place", lambda: self.runs() == self.before)

    def argv(self, *arguments: str) -> list[str]:
        uv = REPOSITORY / ".tools" / "bin"
        env = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8", "XDG_STATE_HOME": str(self.state),
               "PYTHONPATH": str(REPOSITORY), "PATH": f"{os.environ['PATH']}:{uv}", "UV_PYTHON_DOWNLOADS": "never",
               "LITELLM_PROXY_API_KEY": self.lab.key()}  # fmt: skip
        command = [sys.executable, "-m", "litellm_tui.cli", *arguments[:1], "--user", "--url", self.lab.url()]
        return self.lab.argv([*command, *arguments[1:]], env=env)

    def command(self, *arguments: str) -> Ended:
        done = subprocess.run(self.argv(*arguments, "--json"), capture_output=True, text=True, timeout=PATIENCE,
                              check=False)  # fmt: skip
        assert done.stdout, done.stderr
        assert self.lab.key() not in done.stdout + done.stderr
        said = json.loads(done.stdout)
        assert said["exit_status"] == done.returncode
        return Ended(done.returncode, said)

    def runs(self) -> str:
        """The release that answers; empty while none does."""
        for path in ("/health/readiness/details", "/health/readiness"):
            request = urllib.request.Request(
                self.lab.url() + path, headers={"Authorization": f"Bearer {self.lab.key()}"}
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    found = json.load(answer).get("litellm_version")
            except (OSError, ValueError):
                continue
            if found:
                return str(found)
        return ""

    def serves(self) -> bool:
        try:
            return bool(self.lab.chat("llama3.1:latest").status == 200)
        except OSError:
            return False

    def installed(self) -> Installation:
        found = installation_of(str(self.place / "bin" / "litellm"))
        assert isinstance(found, Installation)
        return found

    def beside(self, version: str) -> Path:
        return Path(staging.place_of(str(self.place), version))

    def record(self) -> dict[str, Any] | None:
        for path in (self.state / "litellm-tui" / "transactions").glob("*.json"):
            try:
                found: dict[str, Any] = json.loads(path.read_bytes())
            except (OSError, ValueError):
                continue
            return found
        return None


@pytest.fixture(scope="module")
def site(lab_possible: None) -> Iterator[Site]:
    new, old = environments()[0], environments()[-1]
    if new.version == old.version:
        pytest.skip("two releases of LiteLLM are wanted")
    folder = Path(tempfile.mkdtemp(prefix="litellm-upgrade-"))
    folder.chmod(0o755)
    try:
        with Lab.boot(litellm=old) as lab:
            site = Site(lab, folder / "venv", new.version)
            refusals = site.command("upgrade", new.version).said["plan"]["refusals"]
            if lacks := [why for why in refusals if "cannot be installed" in why]:
                pytest.skip(f"what the index of this machine has is not enough: {lacks[0]}")
            yield site
    finally:
        shutil.rmtree(folder, ignore_errors=True)


ENDED = re.compile(r"(?s)│ +(applied|rolled back|refused|failed) .*?│ +total +([\d.]+) s(?:, ([\d.]+) s without)?")


class OfScreen:
    """The upgrade's own screen in the console."""

    def __init__(self, console: Terminal) -> None:
        self._console = console

    def opened(self, shows: str) -> None:
        """The dialog, once its plan shows that and it listens."""
        console = self._console
        console.press("U")
        console.wait_for("Upgrade LiteLLM")
        console.wait_for(shows, PATIENCE)
        # for its first moments a question takes no key, and nothing on the screen tells when that is over
        at = time.monotonic()
        console.wait_for(lambda _: time.monotonic() - at > 0.6)

    def ended(self) -> dict[str, Any]:
        """What came of it, as the command's JSON has it."""
        self._console.wait_for(ENDED, PATIENCE)
        found = ENDED.search(self._console.screen_text())
        assert found is not None
        self._console.wait_for("Close")
        self._console.press("escape")
        self._console.wait_gone("Upgrade LiteLLM")
        return {"result": found[1], "took": float(found[2]), "downtime": float(found[3]) if found[3] else None}


def test_an_upgrade_is_planned_and_applied_and_taken_back_in_the_console(site: Site) -> None:
    planned = site.command("upgrade", site.after)
    plan = planned.said["plan"]
    assert planned.status == 0, plan["refusals"]
    assert (plan["before"], plan["after"], plan["running"]) == (site.before, site.after, site.before)
    assert plan["packages"]
    assert not site.beside(site.after).exists()

    compile_console()
    with Terminal(site.argv()) as console:
        console.wait_for(r"(OK|DEGRADED|ANSWERING|AT RISK) .*deployment", PATIENCE)
        screen = OfScreen(console)
        screen.opened(rf"installed +LiteLLM {re.escape(site.before)}")
        # the release that the test knows, and not the newest of the index
        console.press("shift+tab", site.after)
        console.wait_for(rf"│ {re.escape(site.after)} ")
        console.press("enter")
        console.wait_for(rf"Go to {re.escape(site.after)} ", PATIENCE)
        console.press("y")
        applied = screen.ended()
        assert applied["result"] == "applied", console.screen_text()
        note("user unit", f"an upgrade from {site.before}, rehearsed", site.after, applied)
        assert site.runs() == site.after
        assert site.serves()
        assert site.installed().version == site.after
        assert site.beside(site.before).is_dir()
        assert not site.beside(site.after).exists()

        screen.opened(f"Back to {re.escape(site.before)}")
        # from Cancel to the last of the buttons
        console.press("left")
        console.wait_for(rf"\[> Back to {re.escape(site.before)} <\]")
        console.press("enter")
        back = screen.ended()
        assert back["result"] == "applied", console.screen_text()
    note("user unit", f"the way back from {site.after}", site.before, back)
    assert site.runs() == site.before
    assert site.serves()
    assert site.installed().version == site.before
    assert site.beside(site.after).is_dir()


def test_a_release_that_cannot_start_is_taken_back_by_itself(site: Site) -> None:
    made = site.command("upgrade", site.after, "--rehearse")
    assert made.status == 0, made.said
    broken = site.beside(site.after) / "lib"
    (package,) = broken.glob("python3*/site-packages/litellm/proxy/proxy_cli.py")
    # uv has linked it to its cache, where other environments come from
    package.unlink()
    package.write_text("raise RuntimeError('planted by a test')\n")

    done = site.command("upgrade", site.after, "--apply", "--yes", "--no-rehearsal")

    assert (done.status, done.said["outcome"]["result"]) == (1, "rolled back"), done.said["outcome"]
    assert "planted by a test" in done.said["outcome"]["text"]
    note("user unit", f"a release that cannot start, not rehearsed ({site.before} stays)", site.after,
         done.said["outcome"])  # fmt: skip
    assert site.runs() == site.before
    assert site.serves()
    assert site.installed().version == site.before
    shutil.rmtree(site.beside(site.after))


@pytest.mark.parametrize(("stage", "ending"), [("restart", "--undo"), ("proof", "--finish")])
def test_whoever_is_killed_leaves_a_whole_release_and_a_record(site: Site, stage: str, ending: str) -> None:
    assert site.command("upgrade", site.after, "--rehearse").status == 0
    child = subprocess.Popen(
        site.argv("upgrade", site.after, "--apply", "--yes", "--no-rehearsal"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        site.lab.wait(stage, lambda: (site.record() or {}).get("stage") in _from(stage), pause=0.005)
    finally:
        record = site.record()
        assert record is not None
        site.lab.run(["kill", "-KILL", str(record["holder"]["pid"])])
        child.wait(PATIENCE)

    there = site.installed().version
    assert there in (site.before, site.after)
    assert record["exchange"]["before"] == site.before
    assert site.command("upgrade", site.after, "--apply", "--yes").status == 2

    ended = site.command("restart", ending, "--yes")

    wanted = site.before if ending == "--undo" else site.after
    assert ended.status == (1 if ending == "--undo" else 0), ended.said
    assert site.installed().version == wanted
    assert site.runs() == wanted
    assert site.serves()
    assert site.record() is None
    if wanted == site.after:
        assert site.command("upgrade", "--back", "--yes").status == 0


def _from(stage: str) -> tuple[str, ...]:
    """The stage, or those that it may have gone on to before anybody could look."""
    order = ("backup", "exchange", "restart", "proof")
    return order[order.index(stage) :]
