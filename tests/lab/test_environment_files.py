"""The grammars of environment files, asked of the real systemd, LiteLLM and Compose: what was recorded still holds."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.environment_files import FILES, OUTSIDE, ask_compose, ask_dotenv, ask_systemd, recorded
from tests.lab import Environment, Lab

SECONDS = 120


def test_systemd_reads_each_file_as_recorded(lab: Lab) -> None:
    folder = lab.dir / "environment-files"
    folder.mkdir()
    found = {
        name: ask_systemd(lambda command: lab.run(command, check=False), folder, content)
        for name, content in FILES.items()
    }
    assert found == recorded()["systemd"]


def test_the_dotenv_of_each_litellm_reads_each_file_as_recorded(lab_environment: Environment, tmp_path: Path) -> None:
    python = str(lab_environment.path / "bin/python")
    assert {name: ask_dotenv(tmp_path, content, python) for name, content in FILES.items()} == recorded()["dotenv"]


def test_litellm_loads_the_nearest_env_file_above_its_package(lab_environment: Environment, tmp_path: Path) -> None:
    python = lab_environment.path / "bin/python"
    where = "import importlib.util; print(importlib.util.find_spec('litellm').submodule_search_locations[0])"
    package = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "app/lib").mkdir(parents=True)
    # a link: the real folder, and what lies above it, is left alone
    (tmp_path / "app/lib/litellm").symlink_to(package)
    (tmp_path / "app/.env").write_text("export FROM_FILE=near # comment\nSET=file\n")
    (tmp_path / ".env").write_text("FROM_FILE=far\nFAR=1\n")
    ask = "import json, os, litellm; print(json.dumps({n: os.environ.get(n) for n in ('FROM_FILE', 'SET', 'FAR')}))"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "app/lib"), "SET": "outside"}
    # from a file, as the `litellm` script is: without one python-dotenv looks in the working directory
    (tmp_path / "ask.py").write_text(ask)
    done = subprocess.run(
        [python, "-B", tmp_path / "ask.py"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said == {"FROM_FILE": "near", "SET": "outside", "FAR": None}


def test_compose_reads_each_file_as_recorded(tmp_path: Path) -> None:
    config = os.environ.get("DOCKER_CONFIG", os.path.expanduser("~/.docker"))
    command = ["docker", "compose", "version", "--short"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **OUTSIDE}, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no docker client with the plugin of Compose")
    if not done.stdout.startswith("2.26"):
        pytest.skip(f"the recording is of Compose 2.26, here is {done.stdout.strip()}")
    assert {name: ask_compose(tmp_path, content, config) for name, content in FILES.items()} == recorded()["compose"]
