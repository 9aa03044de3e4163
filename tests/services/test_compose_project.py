"""The files of a Compose project, and what Compose makes of them, in the parts of a container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litellm_tui.analysis.change.made import Mounted
from litellm_tui.model.failures import NotAvailable
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.compose.definition import (
    Image,
    Inspected,
    made_with,
    parse_images,
    parse_inspected,
    written_for,
)
from litellm_tui.services.compose.project import Places, Project, Resolved, project_of, written_files

FILE = """
include: [other.yaml]
services:
  gw:
    extends: {file: common.yaml, service: gw}
    image: !override gw:1
    env_file: [a.env, {path: b.env, required: false}]
    environment:
      DIRECT: x
      INTERPOLATED: ${INTERPOLATED}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(FILE, encoding="utf-8")
    (tmp_path / "a.env").write_text("IN_A=1\nIN_BOTH=1\n", encoding="utf-8")
    (tmp_path / "b.env").write_text("IN_BOTH=2\n", encoding="utf-8")
    return tmp_path


def _labels(folder: Path, **more: str) -> dict[str, str]:
    named = {
        "service": "gw", "project": "llm", "project.working_dir": str(folder),
        "project.config_files": str(folder / "compose.yaml"), **{k.replace("__", "."): v for k, v in more.items()},
    }  # fmt: skip
    return {f"com.docker.compose.{name}": value for name, value in named.items()}


def _project(folder: Path, **more: str) -> Project:
    found = project_of(_labels(folder, **more), Compose())
    assert isinstance(found, Project), found
    return found


def test_the_container_names_its_project(folder: Path) -> None:
    project = _project(folder)
    assert project.command("config")[2:-1] == [
        "--project-name", "llm", "--project-directory", str(folder), "--file", str(folder / "compose.yaml"),
    ]  # fmt: skip
    given = _project(folder, project__environment_file=f"{folder}/own.env")
    assert given.command("up")[-3:] == ["--env-file", f"{folder}/own.env", "up"]


def test_every_file_that_says_how_it_is_run_is_one_of_its_files(folder: Path) -> None:
    names = [Path(path).name for path in written_files(_project(folder))]
    assert names == ["compose.yaml", "other.yaml", "common.yaml", ".env", "a.env", "b.env"]


def test_a_project_that_was_started_elsewhere_is_not_known(folder: Path) -> None:
    found = project_of(_labels(folder, project__config_files="/data/compose/7/docker-compose.yml"), Compose())
    assert isinstance(found, NotAvailable)
    assert found.why == (
        "/data/compose/7/docker-compose.yml is not on this machine: what is written for it is not known here"
    )
    # the profile may know where it is
    there = project_of(
        _labels(folder, project__config_files="/data/compose/7/docker-compose.yml"),
        Compose(file=str(folder / "compose.yaml")),
    )
    assert isinstance(there, Project)
    assert (there.files, there.folder) == ((str(folder / "compose.yaml"),), str(folder))


def test_a_folder_has_the_file_that_compose_takes_and_its_override(folder: Path) -> None:
    (folder / "compose.override.yml").write_text("services: {}\n", encoding="utf-8")
    found = project_of({}, Compose(folder=str(folder), service="gw"))
    assert isinstance(found, Project)
    assert [Path(file).name for file in found.files] == ["compose.yaml", "compose.override.yml"]


def test_each_variable_has_the_place_where_it_is_written(folder: Path) -> None:
    places = Places(_project(folder))
    file = folder / "compose.yaml"
    assert places.of("DIRECT") == str(file)
    assert places.of("INTERPOLATED") == f"environment: in {file}, {folder / '.env'}"
    assert places.of("IN_A") == str(folder / "a.env")
    assert places.of("IN_BOTH") == str(folder / "b.env")
    assert places.of("NOWHERE") == ""


@pytest.mark.parametrize(
    "text", ["[", "services: 1", "services: {gw: [1]}", "include: {a: 1}", "\x00", "a: !!set {b: [}"]
)
def test_a_file_that_is_none_names_nothing(folder: Path, text: str) -> None:
    (folder / "compose.yaml").write_text(text, encoding="utf-8")
    assert [Path(path).name for path in written_files(_project(folder))] == ["compose.yaml", ".env"]


INSPECTED = """[{
  "Id": "1", "Image": "sha256:aa",
  "Config": {"Image": "gw:1", "Env": ["A=one$two", "PATH=/bin", "BARE"], "Cmd": ["run"], "Entrypoint": null},
  "HostConfig": {"NetworkMode": "llm_default", "PortBindings": {"4000/tcp": [{"HostIp": "", "HostPort": "4001"}]}},
  "Mounts": [
    {"Type": "bind", "Source": "/host_mnt/srv/conf", "Destination": "/app", "RW": false},
    {"Type": "volume", "Name": "llm_data", "Source": "/v", "Destination": "/data", "RW": true},
    {"Type": "volume", "Name": "%s", "Source": "/v", "Destination": "/tmp", "RW": true},
    {"Type": "bind", "Source": "/srv/key", "Destination": "/run/secrets/key", "RW": false},
    {"Type": "bind", "Source": "/srv/settings", "Destination": "/settings", "RW": false}
  ]
}]""" % ("f" * 64)
IMAGE = parse_images('[{"Id": "sha256:aa", "Config": {"Env": ["PATH=/bin"], "Cmd": ["run"], "Entrypoint": null}}]')[0]
SERVICE: dict[str, Any] = {
    "image": "gw:1", "command": None, "entrypoint": None,
    "environment": {"A": "one$$two"},
    "volumes": [
        {"type": "bind", "source": "/srv/conf", "target": "/app", "read_only": True},
        {"type": "volume", "source": "data", "target": "/data"},
    ],
    "configs": [{"source": "settings", "target": "/settings"}],
    "ports": [{"target": 4000, "published": "4001", "protocol": "tcp"}],
}  # fmt: skip


def test_the_container_and_what_compose_makes_of_its_file_are_read_alike() -> None:
    inspected = parse_inspected(INSPECTED)
    assert isinstance(inspected, Inspected)
    runs = made_with(inspected, IMAGE)
    assert runs.variables == {"A": "one$two", "PATH": "/bin"}
    assert runs.mounts["/app"] == Mounted("bind", "/srv/conf", False)
    assert set(runs.mounts) == {"/app", "/data", "/settings"}
    written = written_for(Resolved("llm", "gw", SERVICE, {"data": {"name": "llm_data"}}), IMAGE, runs)
    assert (written.mounts, written.command, written.entrypoint) == (runs.mounts, runs.command, runs.entrypoint)
    assert (written.variables, written.ports) == ({"A": "one$two"}, runs.ports)


def test_what_the_image_says_holds_where_the_service_says_nothing() -> None:
    inspected = parse_inspected(INSPECTED)
    assert isinstance(inspected, Inspected)
    runs = made_with(inspected, None)
    built = written_for(Resolved("llm", "gw", {"build": "."}, {}), Image("sha256:bb"), runs)
    assert built.image == "llm-gw"
    assert (built.command, built.entrypoint) == (None, None)
    own = written_for(Resolved("llm", "gw", {"entrypoint": ["sh"]}, {}), IMAGE, runs)
    # an entrypoint of one's own takes the image's command away
    assert (own.entrypoint, own.command) == (("sh",), ())
