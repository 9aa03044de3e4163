"""The image tag of a Compose service on a real engine: rehearsed, applied, taken back by itself and by an order."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.analysis.change import proof
from litellm_tui.cli import main
from litellm_tui.commands import look
from tests.lab.changes_record import note
from tests.lab.core import free_ports
from tests.lab.engine import Engine, compose_missing
from tests.waiting import DEADLINE

STAND_IN = Path(__file__).parent / "engine" / "stand_in_litellm.py"
OLD, NEW, BROKEN = ("lab/litellm:v1.106.1", "lab/litellm:v1.106.2", "lab/litellm:v1.106.3")
# the last line of the broken one, which has the form of no error
SAID = "SPOILT is set: the gateway does not start"
# in docs/changes.md: it starts at once, so what it costs is what the engine and the proof take
STOOD_IN = "Compose service (a stand-in for LiteLLM)"
COMPOSE = """\
services:
  gateway:
    image: {image}  # the release
    network_mode: host
    stop_signal: KILL
    command: [/opt/litellm, --config, /app/config.yaml, --port, "{port}"]
    volumes:
{volumes}
      - ./litellm:/opt/litellm:ro
      - ./config.yaml:/app/config.yaml:ro
"""
CONFIG = {
    "model_list": [{"model_name": "small", "litellm_params": {"model": "openai/small", "api_key": "sk-none"}}],
    # so that nothing of it is changed for a rehearsal: the stand-in reads JSON alone
    "general_settings": {"master_key": "sk-master-1c80f6", "disable_model_info_refresh": True},
}


class Project:
    """A service of a stand-in for LiteLLM, which three images contain; one of them cannot start it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.file = folder / "compose.yaml"
        engine.docker("tag", engine.image, OLD)
        for image, change in ((NEW, "ENV RELEASE=new"), (BROKEN, "ENV SPOILT=1")):
            engine.docker("create", "--name", "made-of", engine.image, "true")
            engine.docker("commit", "--change", change, "made-of", image)
            engine.docker("rm", "made-of")
        system = [path for path in ("/usr", "/lib", "/lib64") if Path(path).exists()]
        prefix = os.path.realpath(sys.base_prefix)
        mounted = [*system, *([] if prefix.startswith("/usr") else [prefix])]
        program = folder / "litellm"
        interpreter = os.path.realpath(sys.executable)
        program.write_text(f"#!{interpreter} -I\n{STAND_IN.read_text(encoding='utf-8')}", encoding="utf-8")
        program.chmod(0o755)
        (folder / "config.yaml").write_text(json.dumps(CONFIG), encoding="utf-8")
        volumes = "\n".join(f"      - {path}:{path}:ro" for path in mounted)
        self.file.write_text(COMPOSE.format(image=OLD, port=free_ports(1)[0], volumes=volumes), encoding="utf-8")
        engine.docker("compose", "--project-directory", str(folder), "up", "--detach")

    @property
    def container(self) -> dict[str, Any]:
        name = f"{self.folder.name}-gateway-1"
        found: list[dict[str, Any]] = json.loads(self.engine.docker("inspect", "--type", "container", name))
        return found[0]

    @property
    def runs(self) -> tuple[str, str]:
        return self.container["Config"]["Image"], self.container["State"]["Status"]

    def down(self) -> None:
        self.engine.docker("compose", "--project-directory", str(self.folder), "down", "--timeout", "0")
        for image in (OLD, NEW, BROKEN):
            self.engine.docker("rmi", "--force", image)


@pytest.fixture
def project(docker_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    if lack := compose_missing():
        pytest.skip(lack)
    for name, value in docker_engine.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setattr(proof, "STEADY_SECONDS", 0.5)
    monkeypatch.setattr(look, "PATIENCE_SECONDS", DEADLINE)
    folder = tmp_path / f"tag{os.getpid()}"
    folder.mkdir()
    made = Project(docker_engine, folder)
    settings = tmp_path / "XDG_CONFIG_HOME" / "litellm-tui"
    settings.mkdir()
    (settings / "config.yaml").write_text(
        f"profile: box\nprofiles:\n  box:\n    compose: {{folder: {folder}, service: gateway}}\n", encoding="utf-8"
    )
    try:
        yield made
    finally:
        made.down()


def test_the_tag_is_rehearsed_applied_and_taken_back(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    def upgrade(*words: str) -> tuple[int, dict[str, Any]]:
        status = main(["upgrade", *words, "--yes", "--json"])
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        return status, said

    before, began = project.file.read_text(encoding="utf-8"), project.container["Id"]
    status, said = upgrade("1.106.3", "--apply")
    assert (status, said["outcome"]["result"]) == (2, "refused"), said
    assert f"the rehearsal failed (exit-code, status 1); it said last: {SAID}" in said["outcome"]["text"]
    assert (project.file.read_text(encoding="utf-8"), project.container["Id"]) == (before, began)

    assert main(["rehearse", "--with", BROKEN, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["log"] == [SAID]
    assert main(["rehearse", "--with", "lab/nobody-has:1", "--json"]) == 2
    assert "lab/nobody-has:1 is not on the engine's machine" in json.loads(capsys.readouterr().out)["cause"]

    status, said = upgrade("1.106.3", "--apply", "--no-rehearsal")
    assert (status, said["outcome"]["result"]) == (1, "rolled back"), said
    # the container that said it is gone by then
    assert SAID in said["outcome"]["text"]
    assert SAID in said["outcome"]["log"]
    assert project.file.read_text(encoding="utf-8") == before
    assert project.runs == (OLD, "running")
    note(STOOD_IN, "a tag that cannot start, not rehearsed (v1.106.1 stays)", "v1.106.3", said["outcome"])

    status, said = upgrade("1.106.2", "--apply")
    assert (status, said["outcome"]["result"]) == (0, "applied"), said
    steps = {step["name"]: step["ok"] for step in said["steps"]}
    assert steps["rehearsal"] is True, said
    assert project.file.read_text(encoding="utf-8") == before.replace(OLD, NEW)
    assert project.runs == (NEW, "running")
    assert "RELEASE=new" in project.container["Config"]["Env"]
    note(STOOD_IN, "another tag from v1.106.1, rehearsed", "v1.106.2", said["outcome"])

    status, said = upgrade("--back")
    assert (status, said["outcome"]["result"]) == (0, "applied"), said
    assert project.file.read_text(encoding="utf-8") == before
    assert project.runs == (OLD, "running")
    note(STOOD_IN, "the way back from v1.106.2", "v1.106.1", said["outcome"])
    rehearsals = project.engine.docker("ps", "--all", "--quiet", "--filter", "label=litellm-tui.rehearsal")
    assert rehearsals == ""
