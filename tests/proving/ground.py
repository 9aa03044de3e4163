"""The ground: starts the real LiteLLM on a configuration, so that a test can see what becomes of it.

    with Ground(Environment.at("/srv/litellm")) as ground, ground.start("model_list: []\\n") as run:
        assert not run.refused, run.error

One `zygote` for each ground pays LiteLLM's imports; a start then takes about a second. It needs no root, no namespaces
and no network: `Ground.upstream` is the only provider there is.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import yaml

from tests.lab.core import free_ports
from tests.lab.environments import Environment
from tests.proving.run import HOST, Answer, GroundError, Run
from tests.proving.upstream import Call, Upstream

__all__ = ["Answer", "Call", "Ground", "GroundError", "Look", "Run"]

AT_ONCE = 3
"""Starts at a time; what has started does not count."""
ENDED_SECONDS = 120.0
BRIEF = Path(__file__).with_name("brief.py")
IMPORTED_SECONDS = 120.0
KEY = "sk-proving-ground"
ZYGOTE = Path(__file__).with_name("zygote.py")
OFFLINE = {
    # What LiteLLM would fetch at its start, it takes from its own package instead.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_AUTOROUTER_PRESETS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
}


class Look(NamedTuple):
    """What became of a start that was only looked at."""

    status: int
    """0 where it started, else that of its end."""
    log: str
    error: str
    """The last exception of the log."""
    seen: Mapping[str, Any] = {}
    """What LiteLLM had then: `brief.py` makes it."""

    @property
    def refused(self) -> bool:
        return self.status != 0


class Ground:
    """Starts of one LiteLLM; may be shared by threads. Close it, or nothing that it started is ended."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.version = environment.version
        self._folder = Path(tempfile.mkdtemp(prefix="litellm-tui-ground-"))
        self._upstream = Upstream()
        self.origin = self._upstream.address
        self.upstream = f"{self.origin}/v1"
        """For `api_base`: an OpenAI-compatible provider; see `tests.lab.upstream` for the faults that names choose."""
        self.base = {
            "PATH": f"{environment.path / 'bin'}:{os.defpath}",
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **OFFLINE,
        }
        self._runs: dict[int, Run] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._starting = threading.BoundedSemaphore(AT_ONCE)
        self._imported = threading.Event()
        self.read_by_imports: frozenset[str] = frozenset()
        """Variables that LiteLLM's imports look up: a start that sets one of them is cold."""
        self._errors = (self._folder / "zygote.log").open("w+")
        self._zygote = subprocess.Popen(
            [str(environment.python), str(ZYGOTE), str(environment.bin)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=self._folder,
            env=self.base,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(
        self,
        config: str | bytes | Mapping[str, Any],
        *,
        env: Mapping[str, str] | None = None,
        files: Mapping[str, str | bytes] | None = None,
        arguments: Sequence[str] = (),
        bare: bool = False,
        key: str = KEY,
        cold: bool = False,
    ) -> Run:
        """``litellm --config CONFIG --port P ARGUMENTS``, in a folder that holds the configuration and `files`.

        The text of `config` is written as it is. The master key comes from LITELLM_MASTER_KEY, where the configuration
        sets no other one (then give it as `key`, for the requests); `bare` leaves it out. Raises GroundError when the
        start neither ends nor answers, or LiteLLM cannot be imported at all.
        """
        with self._starting:
            number, folder = self._folder_with(files, config)
            (port,) = free_ports(1)
            run = Run(folder, port, None if bare else key, self._upstream, lambda: self._say(id=number, stop=True))
            arguments = ["--config", str(folder / "config.yaml"), "--host", HOST, "--port", str(port), *arguments]
            self._ask(number, run, arguments, {**({} if bare else {"LITELLM_MASTER_KEY": key}), **(env or {})}, cold)
            try:
                run.settle()
            except GroundError:
                run.close()
                raise
            return run

    def look(
        self,
        config: str | bytes | Mapping[str, Any],
        *,
        env: Mapping[str, str] | None = None,
        files: Mapping[str, str | bytes] | None = None,
        bare: bool = False,
    ) -> Look:
        """What LiteLLM has at the end of its start-up with this configuration, or why it refuses; see `brief.py`.

        As `start`, but nothing is served, and nothing is left running: it costs a fraction of a start.
        """
        with self._starting:
            number, folder = self._folder_with(files, config)
            run = Run(folder, 1, None, self._upstream, lambda: self._say(id=number, stop=True))
            seen = folder / "seen.json"
            # a port that nothing listens at: 1.77.7 looks whether its own is free
            arguments = [
                str(seen),
                str(self.environment.bin),
                "--config",
                str(folder / "config.yaml"),
                "--port",
                "4999",
            ]
            environment = {**({} if bare else {"LITELLM_MASTER_KEY": KEY}), **(env or {})}
            self._ask(number, run, arguments, environment, script=BRIEF)
            ended = run.ends(ENDED_SECONDS)
            log, error = run.log, run.error
            run.close()
        if not ended:
            raise GroundError(f"neither refused nor started after {ENDED_SECONDS:.0f} s:\n{error}")
        if run.status != 0:
            return Look(run.status or 0, log, error)
        return Look(0, log, "", json.loads(seen.read_bytes()))

    def script(self, path: Path, *arguments: str) -> None:
        """Run a Python script in LiteLLM's environment, with LiteLLM imported already; it must end with 0."""
        with self._starting:
            number, folder = self._folder_with({}, "")
            run = Run(folder, 1, None, self._upstream, lambda: self._say(id=number, stop=True))
            self._ask(number, run, arguments, {}, script=path)
            ended, log = run.ends(3 * ENDED_SECONDS), run.log
            run.close()
        if not ended or run.status:
            raise GroundError(f"{path.name} ended with {run.status}:\n{log[-2000:]}")

    def _folder_with(
        self, files: Mapping[str, str | bytes] | None, config: str | bytes | Mapping[str, Any]
    ) -> tuple[int, Path]:
        number = next(self._numbers)
        folder = self._folder / f"run-{number}"
        for name, content in {**(files or {}), "config.yaml": _text(config)}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return number, folder

    def _ask(
        self,
        number: int,
        run: Run,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        cold: bool = False,
        script: Path | None = None,
    ) -> None:
        if not self._imported.wait(IMPORTED_SECONDS) or self._zygote.poll() is not None:
            raise GroundError(f"LiteLLM {self.version} cannot be imported:\n{self._complaint()}")
        with self._lock:
            self._runs[number] = run
        self._say(
            id=number,
            cold=cold,
            arguments=[*arguments],
            environment={**self.base, **environment},
            folder=str(run.folder),
            log=str(run.folder / "log"),
            **({"script": str(script)} if script else {}),
        )

    def close(self) -> None:
        """End the zygote, which ends everything that it started, and remove the folder."""
        assert self._zygote.stdin
        self._zygote.stdin.close()
        self._zygote.wait()
        self._reader.join()
        self._upstream.close()
        self._errors.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _say(self, **request: Any) -> None:
        assert self._zygote.stdin
        with self._lock:
            self._zygote.stdin.write(json.dumps(request).encode() + b"\n")
            self._zygote.stdin.flush()

    def _read(self) -> None:
        """Hand on what the zygote says, until it has gone."""
        assert self._zygote.stdout
        for line in self._zygote.stdout:
            said = json.loads(line)
            if "names" in said:
                self.read_by_imports = frozenset(said["names"])
                self._imported.set()
                continue
            with self._lock:
                run = self._runs[said["id"]]
            if "process" in said:
                run.began(said["process"], said["cold"])
            else:
                run.ended(said["status"])
        self._imported.set()

    def _complaint(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:]


def _text(config: str | bytes | Mapping[str, Any]) -> str | bytes:
    return config if isinstance(config, str | bytes) else yaml.safe_dump(dict(config), sort_keys=False)
