"""A Compose service against its files, on a real engine: seen, applied by the right order, or taken back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.analysis.change import proof
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.cli import main
from litellm_tui.commands import look
from litellm_tui.model.service_kinds import Compose
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.services.compose.drift import drift_of
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings
from tests.lab.engine import Engine, compose_missing
from tests.waiting import DEADLINE, eventually

STAND_IN = Path(__file__).parent / "engine" / "stand_in_litellm.py"
ORDER = "docker compose up -d gateway"
SMALL, EMBED, SALT = "sk-small-1b5c9a70", "sk-embed-88f1d2e3", "a-word-0c4e77"
COMPOSE = """\
services:
  gateway:
    image: ${{IMAGE:-{image}}}
    network_mode: host
    stop_signal: KILL
    env_file: [gateway.env]
    environment:
      SALT: ${{SALT:-}}
    command: [/opt/litellm, --config, /app/config.yaml, --port, "{port}"]
    volumes:
{volumes}
      - {stand_in}:/opt/litellm:ro
      - ./conf:/app:ro
"""
CONFIG: dict[str, Any] = {
    "model_list": [
        {"model_name": "small", "litellm_params": {"model": "openai/small", "api_key": "os.environ/SMALL_KEY"}},
        {"model_name": "embed", "litellm_params": {"model": "openai/embed", "api_key": "os.environ/EMBED_KEY"}},
    ],
    # a newer LiteLLM does not start without one
    "general_settings": {"master_key": "sk-master-66d0b1a4"},
}


class Project:
    """One project in a folder of its own, with a service that runs."""

    def __init__(self, engine: Engine, folder: Path, state: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.state = state
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        system = [path for path in ("/usr", "/lib", "/lib64") if Path(path).exists()]
        prefix = os.path.realpath(sys.base_prefix)
        mounted = [*system, *([] if prefix.startswith("/usr") else [prefix])]
        stand_in = folder / "litellm"
        interpreter = os.path.realpath(sys.executable)
        stand_in.write_text(f"#!{interpreter} -I\n{STAND_IN.read_text(encoding='utf-8')}", encoding="utf-8")
        stand_in.chmod(0o755)
        for name in ("conf", "moved", "broken"):
            (folder / name).mkdir()
            content = json.dumps(CONFIG) if name != "broken" else "[]"
            (folder / name / "config.yaml").write_text(content, encoding="utf-8")
        (folder / "compose.yaml").write_text(
            COMPOSE.format(
                image=engine.image,
                port=self.port,
                stand_in=stand_in,
                volumes="\n".join(f"      - {path}:{path}:ro" for path in mounted),
            ),
            encoding="utf-8",
        )
        self.write("gateway.env", f"SMALL_KEY={SMALL}\n")
        self.write(".env", "")
        self.up()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def change(self, name: str, before: str, after: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert before in text
        self.write(name, text.replace(before, after))

    def up(self) -> None:
        self.engine.docker("compose", "--project-directory", str(self.folder), "up", "--detach")

    @property
    def container(self) -> dict[str, Any]:
        name = f"{self.folder.name}-gateway-1"
        found: list[dict[str, Any]] = json.loads(self.engine.docker("inspect", "--type", "container", name))
        return found[0]

    @property
    def variables(self) -> list[str]:
        return list(self.container["Config"]["Env"])

    def profile(self) -> Profile:
        return resolve(Options(), load_settings())

    def drift(self) -> list[str]:
        found = asyncio.run(drift_of(Compose(folder=str(self.folder), service="gateway")))
        assert not hasattr(found, "why"), found
        return [difference.words for difference in found.found]

    def down(self) -> None:
        # without Compose: its file may be broken
        label = f"label=com.docker.compose.project.working_dir={self.folder}"
        for container in self.engine.docker("ps", "--all", "--quiet", "--filter", label).split():
            self.engine.docker("rm", "--force", container)


@pytest.fixture
def project(docker_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    if lack := compose_missing():
        pytest.skip(lack)
    for name, value in docker_engine.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("IMAGE", "SALT", "SMALL_KEY", "EMBED_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setattr(proof, "STEADY_SECONDS", 0.5)
    monkeypatch.setattr(look, "PATIENCE_SECONDS", DEADLINE)
    folder = tmp_path / f"drift{os.getpid()}"
    folder.mkdir()
    made = Project(docker_engine, folder, tmp_path / "XDG_STATE_HOME")
    settings = tmp_path / "XDG_CONFIG_HOME" / "litellm-tui"
    settings.mkdir()
    (settings / "config.yaml").write_text(
        f"profile: box\nprofiles:\n  box:\n    compose: {{folder: {folder}, service: gateway}}\n", encoding="utf-8"
    )
    try:
        yield made
    finally:
        made.down()


def restart(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    status = main(["restart", "--yes", "--no-rehearsal", "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_what_is_written_is_seen_and_applied_by_the_order_that_brings_it_in(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.drift() == []
    project.engine.docker("tag", project.engine.image, "lab/busybox:2")
    project.write("gateway.env", f"SMALL_KEY={SMALL}\nEMBED_KEY={EMBED}\n")
    project.write(".env", f"IMAGE=lab/busybox:2\nSALT={SALT}\n")
    project.change("compose.yaml", "./conf:/app", "./moved:/app")
    first = project.container["Id"]

    assert main(["diff"]) == 1
    told = capsys.readouterr().out
    assert "+ service variable EMBED_KEY" in told
    assert f"written in {project.folder}/gateway.env" in told
    assert "~ service variable SALT" in told
    assert f"~ service image: {project.engine.image} → lab/busybox:2" in told
    assert f"service mount /app: {project.folder}/conf (read-only) → {project.folder}/moved (read-only)" in told
    assert "docker compose up -d gateway, and not a restart" in told
    assert EMBED not in told
    assert SMALL not in told

    status, outcome = restart(capsys)
    assert (status, outcome["result"]) == (0, "applied"), outcome
    now = project.container
    assert now["Id"] != first
    assert f"EMBED_KEY={EMBED}" in now["Config"]["Env"]
    assert now["Config"]["Image"] == "lab/busybox:2"
    assert project.drift() == []
    # what was kept of the container before holds its secrets
    assert not list(project.state.rglob("*.container"))

    archive = project.folder / "bundle.tar.gz"
    assert main(["bundle", "--yes", "--output", str(archive)]) == 0
    with tarfile.open(archive) as tar:
        members = {
            name.split("/", 1)[1]: (tar.extractfile(name) or pytest.fail(name)).read().decode()
            for name in tar.getnames()
        }
    assert {"compose/0-compose.yaml", "compose/1-.env", "compose/2-gateway.env", "inspect.json"} <= set(members)
    assert "EMBED_KEY=" in members["compose/2-gateway.env"]
    assert not [name for name, text in members.items() if EMBED in text or SMALL in text or SALT in text]
    capsys.readouterr()


def test_what_does_not_prove_itself_is_taken_back_with_the_container_that_ran(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    before = project.container
    # nothing was seen to run before: the container itself is all that is known
    project.write("gateway.env", f"SMALL_KEY={SMALL}\nSPOILT=yes\n")
    status, outcome = restart(capsys)
    assert (status, outcome["result"]) == (1, "rolled back"), outcome
    now = project.container
    assert now["Id"] != before["Id"]
    assert now["State"]["Status"] == "running"
    for part in ("Env", "Cmd", "Image", "Labels"):
        assert now["Config"][part] == before["Config"][part]
    assert (now["Image"], now["HostConfig"]["Binds"]) == (before["Image"], before["HostConfig"]["Binds"])
    assert project.drift() == ["variable SPOILT: not in what runs"]
    assert "the files hold what was rejected" in outcome["text"]

    # a program that the image cannot run, and a mount with a broken configuration; the good files come back
    project.write("gateway.env", f"SMALL_KEY={SMALL}\n")
    assert restart(capsys)[1]["result"] == "applied"
    project.engine.docker("tag", project.engine.image, "lab/busybox:3")
    project.write(".env", "IMAGE=lab/busybox:3\n")
    project.change("compose.yaml", "./conf:/app", "./broken:/app")
    status, outcome = restart(capsys)
    assert (status, outcome["result"]) == (1, "rolled back"), outcome
    assert project.container["Config"]["Image"] == project.engine.image
    assert "./conf:/app" in (project.folder / "compose.yaml").read_text(encoding="utf-8")
    assert project.drift() == []

    # what Compose cannot read is no change that a restart could bring in
    project.change("compose.yaml", "services:", "services: [")
    status, outcome = restart(capsys)
    assert status in (2, 64), outcome


def test_a_console_that_stays_open_sees_what_waits_and_what_a_new_container_has(project: Project) -> None:
    async def watched() -> None:
        seen: list[Snapshot] = []
        monitor = Monitor(project.profile(), seen.append)
        running = asyncio.create_task(monitor.run())

        def unset() -> list[str]:
            file = seen[-1].configuration.current if seen else None
            return sorted({name for entry in file.deployments for name in entry.missing}) if file else ["?"]

        def advice() -> str:
            diagnosis = diagnose(seen[-1], seen[-1].taken_at)
            return next((d.verdict.do for d in diagnosis.deployments if "EMBED_KEY" in d.verdict.brief), "")

        try:
            await eventually(lambda: unset() == ["EMBED_KEY"], "one is missing")
            await eventually(
                lambda: "gateway.env" in advice() and "docker compose up -d gateway" in advice(), "in Compose's words"
            )
            await asyncio.to_thread(project.write, "gateway.env", f"SMALL_KEY={SMALL}\nEMBED_KEY={EMBED}\n")
            await eventually(lambda: advice().startswith("R brings it in: EMBED_KEY is written"), "it waits")
            await asyncio.to_thread(project.up)
            await eventually(lambda: unset() == [], "the new container has it")
            await eventually(
                lambda: seen[-1].service_drift.value is not None and not seen[-1].service_drift.value.found
            )
            assert EMBED not in monitor.redact(f"said {EMBED}")
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    asyncio.run(watched())


def test_what_is_kept_of_a_container_is_readable_by_its_owner_alone(project: Project, tmp_path: Path) -> None:
    from litellm_tui.actions.transaction.recreation import Recreation

    recreation = Recreation(project.profile(), tmp_path / "kept.container")
    assert asyncio.run(recreation.keep()) is None
    assert stat.S_IMODE((tmp_path / "kept.container").stat().st_mode) == 0o600
    recreation.forget()
    assert not recreation.is_kept
