"""The gateway is found by itself, however it is run: a real LiteLLM in a container, as a process, both, and none."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import pytest

from tests.lab import Environment, environments
from tests.lab.core import _prefixes, free_ports, request
from tests.lab.engine import Engine
from tests.lab.environments import PATIENCE, LabError
from tests.terminal import CONSOLE, Terminal, compile_console

CONFIG: Final = """\
model_list:
- model_name: small
  litellm_params: {model: openai/small, api_base: "http://127.0.0.1:1/v1", api_key: os.environ/EMBED_KEY}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"""
KEY: Final = "sk-lab-found-here-55d1"
ENVIRONMENT: Final = {
    "LITELLM_MASTER_KEY": KEY, "EMBED_KEY": "sk-lab-embed-8812", "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "PATH": os.environ.get("PATH", os.defpath),
}  # fmt: skip
T = TypeVar("T")
SELECTED: Final = "Which gateway"


class Machine:
    """Processes of its own, in a namespace where nothing else is seen, and an engine beside it."""

    def __init__(self, folder: Path, engine: Engine, environment: Environment) -> None:
        self.folder = folder
        self.engine = engine
        self.environment = environment
        self.config = folder / "config.yaml"
        self.config.write_text(CONFIG, encoding="ascii")
        self.container_port, self.process_port, self.pane_port = free_ports(3)
        self._keeper = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
             "sleep", "3600"], stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        # the console's own folders, so that nothing is remembered from elsewhere
        own = {name: str(folder / name) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        self.console = {**ENVIRONMENT, **own, "HOME": str(folder), "DOCKER_CONFIG": str(engine.config)}
        for name in ("LITELLM_MASTER_KEY", "EMBED_KEY"):
            del self.console[name]

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._keeper.pid, signal.SIGKILL)
        self._keeper.wait()

    def inside(self, *words: str) -> list[str]:
        """These words, in the namespace."""
        child = f"/proc/{self._keeper.pid}/task/{self._keeper.pid}/children"
        first = _until(lambda: Path(child).read_text(encoding="ascii").split(), "the namespace's first process")[0]
        return ["nsenter", "--target", first, "--mount", "--pid", "--", *words]

    def run(self, *words: str, docker: bool = True) -> subprocess.CompletedProcess[str]:
        environment = self.console | ({"DOCKER_HOST": self.engine.host} if docker else self.without_docker)
        done = subprocess.run(
            self.inside(*words), capture_output=True, text=True, check=False, env=environment, cwd=self.folder,
            timeout=PATIENCE,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        assert KEY not in done.stdout + done.stderr
        return done

    @property
    def without_docker(self) -> dict[str, str]:
        """An engine that is not there."""
        return {"DOCKER_HOST": f"unix://{self.folder}/no.sock"}

    def where(self, *options: str, docker: bool = True) -> str:
        return self.run(*CONSOLE, "where", *options, docker=docker).stdout

    def opened(self, *options: str, docker: bool = True, size: tuple[int, int] = (120, 40)) -> Terminal:
        environment = self.console | ({"DOCKER_HOST": self.engine.host} if docker else self.without_docker)
        terminal = Terminal(self.inside(*CONSOLE, *options), size, environment=environment, cwd=self.folder)
        terminal.beside = (self._keeper.pid,)
        return terminal

    # --- a gateway ---------------------------------------------------------------------------------------------

    def start_container(self) -> None:
        """A real LiteLLM by `docker run`: the image has no Python, so this machine's is mounted."""
        folders = {"/usr", "/lib", "/lib64", *_prefixes(self.environment.python)}
        mounts = [word for one in sorted(folders) if os.path.exists(one) for word in ("--volume", f"{one}:{one}:ro")]
        variables = [word for one in ENVIRONMENT.items() for word in ("--env", "=".join(one))]
        self.engine.docker(
            "run", "--detach", "--name", "gateway", "--network", "host", *mounts, *variables,
            "--volume", f"{self.config}:/app/config.yaml:ro", self.engine.image, str(self.environment.bin),
            "--config", "/app/config.yaml", "--host", "127.0.0.1", "--port", str(self.container_port),
        )  # fmt: skip

    def start_process(self) -> None:
        """A real LiteLLM by a script in the background, as `nohup ./start.sh &` leaves it."""
        script = self.folder / "start.sh"
        script.write_text(
            f"#!/bin/sh\nexec {self.environment.bin} --config config.yaml --host 127.0.0.1 --port {self.process_port}\n"
        )
        script.chmod(0o755)
        with (self.folder / "nohup.out").open("wb") as output:
            subprocess.Popen(
                self.inside("setsid", "sh", "-c", f"cd {self.folder}; ./start.sh & exit 0"),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=ENVIRONMENT,
            ).wait()  # fmt: skip

    def answers(self, port: int) -> bool:
        try:
            return "alive" in str(request("GET", f"http://127.0.0.1:{port}/health/liveliness").json())
        except (OSError, ValueError, http.client.HTTPException):
            return False


def _until(look: Callable[[], T], what: str) -> T:
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def machine(lab_possible: None, docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    compile_console()
    # nothing else runs here
    for other in docker_engine.docker("ps", "--all", "--quiet").split():
        docker_engine.docker("rm", "--force", other)
    made = Machine(tmp_path_factory.mktemp("found-here"), docker_engine, environments()[0])
    yield made
    made.end()
    with suppress(LabError):
        docker_engine.docker("rm", "--force", "gateway")


def test_it_is_found_in_whatever_runs_it(machine: Machine) -> None:
    """One story on one machine: none, a container alone, a process beside it, the process alone."""
    # none
    said = machine.where(docker=False)
    assert "missing         service: none was found among containers of Docker at" in said
    assert "looked for      processes of this machine that are LiteLLM: none" in said
    assert "systemd" not in said, "a machine without systemd is not told of units"
    with machine.opened(docker=False) as console:
        console.wait_for("SIMULATION: no gateway was found here", PATIENCE)
        console.wait_for(r"litellm-tui\s+--url", PATIENCE)

    # only a container
    machine.start_container()
    _until(lambda: machine.answers(machine.container_port), "the container's LiteLLM answers")
    said = machine.where()
    assert f"gateway         http://127.0.0.1:{machine.container_port} " in said
    assert f"configuration   {machine.config} (1 deployments)" in said
    assert "container       gateway (docker)   [found (the only one here): container gateway: it runs litellm" in said
    assert "LITELLM_MASTER_KEY from the container gateway" in said
    with machine.opened(size=(160, 40)) as console:
        console.wait_for(r"gateway \(docker\) . found \(the only one here\): container gateway", PATIENCE)
        console.wait_for("1 deployment loaded", PATIENCE)
        assert "SIMULATION" not in console.screen_text()

    # and a process beside it
    machine.start_process()
    _until(lambda: machine.answers(machine.process_port), "the script's LiteLLM answers")
    said = machine.where()
    assert "container       gateway (docker)" in said, "containers come before processes"
    assert f"also found      litellm:{machine.process_port} (process)" in said
    process = f"[--kind process --unit litellm:{machine.process_port}]"
    done = machine.run(*CONSOLE, "service")
    assert (
        f"of 2 gateways that run here this is gateway (docker); the others: litellm:{machine.process_port}"
        in done.stderr
    )
    done = machine.run(*CONSOLE, "restart", "--yes")
    assert (done.returncode, done.stdout) == (64, "")
    assert "[--container gateway]" in done.stderr
    assert process in done.stderr
    with machine.opened() as console:
        console.wait_for(SELECTED, PATIENCE)
        console.wait_for("gateway \\(docker\\)", PATIENCE)
        # what is typed before the list could be read is no answer
        time.sleep(1)
        console.press("down", "enter")
        console.wait_for(f"litellm:{machine.process_port} \\(process\\) . found \\(chosen by you\\)", PATIENCE)
        console.wait_for("1 deployment loaded", PATIENCE)
        console.press("W")
        console.wait_for("open now", PATIENCE)
        time.sleep(1)
        console.press("up", "enter")
        console.wait_for("gateway \\(docker\\) . found \\(chosen by you\\)", PATIENCE)
        console.press("W")
        console.wait_for("open now", PATIENCE)
        time.sleep(1)
        console.press("down", "enter")
        console.wait_for(f"litellm:{machine.process_port} \\(process\\) . found \\(chosen by you\\)", PATIENCE)
    chosen = f"process         litellm:{machine.process_port} (process)   [found (chosen by you): process"
    assert chosen in machine.where()

    # only the process, kept as a profile, and restarted with its own environment
    machine.engine.docker("rm", "--force", "gateway")
    said = machine.where("--write", "home")
    assert f"log             {machine.folder}/nohup.out" in said
    assert "found (the only one here): process" in said
    assert "written to" in said
    assert "process         home (process)   [profile home]" in machine.where("--profile", "home")
    done = machine.run(*CONSOLE, "restart", "--yes", docker=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "applied and proved" in done.stdout
    assert machine.answers(machine.process_port)


def test_one_in_tmux_says_so(machine: Machine) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("no tmux on PATH")
    line = f"cd {machine.folder}; exec {machine.environment.bin} --config config.yaml --port {machine.pane_port}"
    variables = [word for one in ENVIRONMENT.items() for word in ("-e", "=".join(one))]
    machine.run("tmux", "-L", "found-here", "-f", "/dev/null", "new-session", "-d", *variables, line)
    try:
        options = ("--kind", "process", "--unit", str(machine.pane_port))
        said = _until(lambda: found if "in tmux" in (found := machine.where(*options)) else "", "the process in tmux")
        assert "its output goes to no file" in said
        done = machine.run(*CONSOLE, "restart", "--yes", *options)
        assert done.returncode == 2, done.stdout
    finally:
        machine.run("tmux", "-L", "found-here", "kill-server")
