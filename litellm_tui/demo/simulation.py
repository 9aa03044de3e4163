"""The simulation as a whole: its folder, its threads, and all that can be made to happen in it."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from litellm_tui.demo import files, messages, running, scripts
from litellm_tui.demo.clock import Clock, Schedule
from litellm_tui.demo.faults import FAULTS, Fault
from litellm_tui.demo.gateway import Gateway
from litellm_tui.demo.journal import MAX_LINES, Journal
from litellm_tui.demo.routing import Call
from litellm_tui.demo.running import Deployment
from litellm_tui.demo.server import Answer, Request, Server
from litellm_tui.demo.story import Story
from litellm_tui.demo.unit import Control, Unit
from litellm_tui.host.environment_file import parse_systemd
from litellm_tui.model.service_kinds import Tools

UPTIME = 3 * 86400 + 4 * 3600 + 11 * 60
MACHINE_UPTIME = 5 * 86400
HISTORY = 150.0


class Simulation:
    """A LiteLLM gateway on loopback with a user unit, a journal and a configuration file of its own.

    `folder` must not exist yet: it is made for the owner alone and removed by `stop`. `start` is the time at which
    the simulation begins (seconds since the epoch, None for now); it goes on in real time from there, the story and
    restarts `speed` times as fast. With `scripted` off nothing happens by itself.
    """

    unit = files.UNIT

    def __init__(
        self,
        folder: Path | None = None,
        *,
        speed: float = 1.0,
        start: float | None = None,
        scripted: bool = True,
        seed: int = 1106,
        port: int | None = None,
        journal_lines: int = MAX_LINES,
    ) -> None:
        self._wanted_folder = folder
        self._start_time = start
        self._speed = speed
        self._scripted = scripted
        self._seed = seed
        self._port = port
        self._journal_lines = journal_lines
        self._lock = threading.RLock()
        self._begun = False
        self._position = 0.0
        self._position_at = 0.0

    # --- beginning and end --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the folder and everything in it, and serve."""
        if self._begun:
            return
        self._clock = Clock(self._start_time)
        # these two alone can fail: nothing is left behind when they do
        self._server = Server(self._respond, self._port)
        try:
            self.folder = self._make_folder()
        except OSError:
            self._server.release()
            raise
        self._begun = True
        # a machine of its own: what this one's uptime is decides nothing here
        booted_at = self._clock.now() - MACHINE_UPTIME
        self._schedule = Schedule(self._lock, self._speed)
        self._story = Story(self, self._seed)
        self._journal = Journal(
            self.folder, self._clock.now, randomness=random.Random(self._seed), booted_at=booted_at,
            max_lines=self._journal_lines,
        )  # fmt: skip
        self._gateway = Gateway(
            self._journal, self._clock.now, self._lock, lambda: self._unit.pid, random.Random(self._seed + 1)
        )
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._write_files()
        self._unit = Unit(
            self.folder, self._command, self._journal, self._clock.now, self._schedule.later,
            random.Random(self._seed + 2), booted_at,
        )  # fmt: skip
        self._unit.boot, self._unit.opened = self._boot, self._server.open
        self._unit.loaded, self._unit.closed = self._gateway.ready, self._closed
        self.tools: Tools = scripts.install(self.folder, booted_at)
        self._control = Control(self.folder, self._command_given)
        with self._lock:
            self._write_history()
            self._gateway.ready()
        self._server.open()
        self._control.start()
        self._position_at = time.monotonic()
        if self._scripted:
            self._schedule.later(self._story.due(), self._play_due)
        self._schedule.start()

    def stop(self) -> None:
        """End every thread and every tail, and remove the folder. May be called again."""
        if not self._begun:
            return
        self._begun = False
        self._schedule.stop()
        with self._lock:
            self._gateway.end()
        self._server.release()
        self._control.stop()
        self._journal.close()
        scripts.end_tails(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- what can be made to happen -----------------------------------------------------------------------------

    def break_model(self, name: str, fault: Fault = "refused") -> None:
        """Let a group, or the deployment of this `model` or id, fail. Raises KeyError when there is none."""
        if fault not in FAULTS:
            raise ValueError(f"no fault {fault!r} (there are: {', '.join(FAULTS)})")
        with self._lock:
            for deployment in self._named(name):
                self._gateway.faults[deployment.id] = fault
            self._gateway.check_health()

    def heal_model(self, name: str) -> None:
        """Undo `break_model`."""
        with self._lock:
            for deployment in self._named(name):
                self._gateway.faults.pop(deployment.id, None)
            self._gateway.check_health()

    def cache_down(self) -> None:
        """Redis refuses connections."""
        with self._lock:
            self._gateway.cache_reachable = False

    def cache_up(self) -> None:
        """Redis is back."""
        with self._lock:
            self._gateway.cache_reachable = True

    def edit_config(self, text: str = files.EDITED_CONFIG) -> None:
        """Save the configuration the way an editor does, by rename; the default changes a fallback and adds a model."""
        files.write_atomically(self.config_path, text)

    def restore_config(self) -> None:
        """Save the configuration that the simulation began with."""
        self.edit_config(files.CONFIG)

    def request(self, group: str, *, embedding: bool = False, client: str = "10.20.0.11:40022") -> None:
        """Somebody else's request, seen in the log."""
        with self._lock:
            self._gateway.traffic(Call(group, embedding), client)

    def gateway_down(self) -> None:
        """The process is killed and does not come back: the unit is failed."""
        with self._lock:
            self._unit.kill(for_good=True)

    def gateway_up(self) -> None:
        """`systemctl start`."""
        with self._lock:
            self._unit.start(lambda: None)

    def crash(self) -> None:
        """The process is killed once; systemd starts it again."""
        with self._lock:
            self._unit.kill(for_good=False)

    def hang(self) -> None:
        """The process takes connections and answers nothing."""
        self._gateway.hang()

    def resume(self) -> None:
        """It goes on."""
        self._gateway.resume()

    def advance(self, seconds: float) -> None:
        """Play the next seconds of the story at once, each event dated at its own time; the clock moves along."""
        with self._lock:
            self._catch_up()
            began, target = self._clock.now(), self._position + seconds
            while (due := self._story.due()) <= target:
                self._clock.pin(began + due - self._position)
                self._story.play()
            self._clock.pin(began + seconds)
            self._clock.unpin()
            self._position = target
            self._unit.write_state()

    # --- the stage of the story ---------------------------------------------------------------------------------

    def try_break(self, name: str, fault: Fault) -> None:
        with contextlib.suppress(KeyError):
            self.break_model(name, fault)

    def try_heal(self, name: str) -> None:
        with contextlib.suppress(KeyError):
            self.heal_model(name)

    def save_edited(self) -> None:
        self._replace_config(files.CONFIG, files.EDITED_CONFIG)

    def save_original(self) -> None:
        self._replace_config(files.EDITED_CONFIG, files.CONFIG)

    def traffic(self, call: Call, client: str) -> None:
        self._gateway.traffic(call, client)

    def pulse(self, load: float) -> None:
        if self._unit.pid:
            self._unit.cpu_seconds += load * 2
            self._unit.memory = int(412 * 2**20 + load * 2**29)
            self._unit.write_state()

    # --- inside -------------------------------------------------------------------------------------------------

    def _make_folder(self) -> Path:
        if self._wanted_folder is None:
            # resolved: the configuration's path is compared with what others resolved
            return Path(tempfile.mkdtemp(prefix="litellm-demo-")).resolve()
        self._wanted_folder.mkdir(mode=0o700)
        return self._wanted_folder.resolve()

    def _write_files(self) -> None:
        # the file by its name alone: systemctl shows words without quotes, and a temporary folder may hold a blank
        self._command = (
            f"{self.folder}/venv/bin/litellm --config {files.CONFIG_NAME} --host 127.0.0.1 --port {self._server.port}"
        )
        # a file younger than the service would mean one that does not run yet
        saved = self._clock.now() - UPTIME - 2 * 86400
        self.key = files.write_all(self.folder, self._command, saved)["LITELLM_MASTER_KEY"]
        self.config_path = self.folder / files.CONFIG_NAME

    def _write_history(self) -> None:
        """Bring the service up some days ago and let the last minutes of its log be there."""
        now = self._clock.now()
        self._clock.pin(now - UPTIME)
        self._boot()
        self._unit.begin_running(self._clock.now())
        self._journal.write([messages.STARTED], pid=1, identifier="systemd")
        said = messages.Words(self._clock.now())
        assert self._gateway.running is not None
        self._journal.write(said.starting(self._unit.pid), pid=self._unit.pid)
        self._journal.write(said.started(self._gateway.running, self.url), pid=self._unit.pid)
        for at in self._story.pauses(HISTORY):
            self._clock.pin(now - HISTORY + at)
            self._gateway.traffic(*self._story.request())
        self._clock.real()
        self._unit.cpu_seconds = 2400.0
        self._unit.write_state()

    def _boot(self) -> None:
        """What a LiteLLM process does with its configuration; raises `StartError` as it would die."""
        content = (self.folder / files.ENVIRONMENT_NAME).read_bytes()
        loaded = running.load(self.config_path, files.UNIT_ENVIRONMENT | parse_systemd(content))
        if self._unit.pid:
            said = messages.Words(self._clock.now())
            lines = said.starting(self._unit.pid) + said.started(loaded, self.url)
            self._journal.write(lines, pid=self._unit.pid)
        self._gateway.begin(loaded)

    def _respond(self, request: Request) -> Answer | None:
        return self._gateway.respond(request)

    def _closed(self) -> None:
        self._server.close()
        self._gateway.end()

    def _command_given(self, verb: str, done: Callable[[], None]) -> None:
        steps = {"start": self._unit.start, "stop": self._unit.stop}
        with self._lock:
            steps.get(verb, self._unit.restart)(done)

    def _named(self, name: str) -> list[Deployment]:
        loaded = self._gateway.running
        found = [] if loaded is None else loaded.members(name)
        if loaded is not None and not found:
            found = [deployment for deployment in loaded.deployments if deployment.model == name]
        if not found:
            raise KeyError(name)
        return found

    def _replace_config(self, expected: str, text: str) -> None:
        # whoever tries the console out may edit the file: the story never overwrites what it did not write
        with contextlib.suppress(OSError):
            if self.config_path.read_text(encoding="utf-8") == expected:
                files.write_atomically(self.config_path, text)

    def _catch_up(self) -> None:
        """Move the story's position to the present, where it runs by itself."""
        now = time.monotonic()
        if self._scripted:
            self._position += (now - self._position_at) * self._speed
        self._position_at = now

    def _play_due(self) -> None:
        self._catch_up()
        while self._story.due() <= self._position:
            self._story.play()
        self._schedule.later(self._story.due() - self._position, self._play_due)
