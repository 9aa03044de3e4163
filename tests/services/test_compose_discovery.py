"""How the container is found that runs LiteLLM, and what it says of the configuration and the address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Options, Profile, findings
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings
from tests.standins import docker

COMMAND = ("sleep", "600")
LITELLM = ("/usr/bin/litellm", "--config", "/app/conf/config.yaml", "--port", "4000")


def _resolve(folder: Path, text: str = "", **options: Any) -> Profile:
    path = folder / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return resolve(Options(**options), load_settings(path), environ={})


def _install(folder: Path, command: tuple[str, ...] = LITELLM, **more: Any) -> docker.Docker:
    (folder / "conf").mkdir()
    (folder / "conf" / "config.yaml").write_text(
        "model_list: []\ngeneral_settings: {master_key: os.environ/KEY}\n", encoding="utf-8"
    )
    given = {
        "mounts": {str(folder / "conf"): "/app/conf"},
        "ports": {4000: 4321},
        "environment": {"KEY": "sk-inside-1"},
    }
    return docker.install(folder, command, **{**given, **more})


def _settings(there: docker.Docker, **more: str) -> str:
    words = ", ".join(f"{key}: {value}" for key, value in {"docker": there.path, **more}.items())
    return f"profile: box\nprofiles:\n  box:\n    compose: {{{words}}}\n"


@pytest.mark.parametrize("named", [True, False])
def test_everything_is_found_through_the_container(tmp_path: Path, named: bool) -> None:
    there = _install(tmp_path)
    there.compose("create")
    more = {"service": "litellm", "folder": str(tmp_path)} if named else {}
    found = _resolve(tmp_path, _settings(there, **more))
    assert (found.kind, found.place) == ("compose", "compose")
    assert found.unit
    assert (found.unit.value, found.unit.source) == ("litellm", "profile box")
    assert found.url.value == "http://127.0.0.1:4321"
    assert found.config
    assert found.config.value == str(tmp_path / "conf" / "config.yaml")
    assert found.key
    assert (found.key.reveal(), found.key_source) == ("sk-inside-1", "KEY from the container llm-litellm-1")
    assert found.missing == ()
    shown = {name: value for name, value, _ in findings(found)}
    assert shown["service"] == "litellm (compose)"
    assert shown["log"].endswith("logs -f litellm")
    assert "sk-inside-1" not in str(findings(found))


def test_a_container_is_found_through_the_mount_of_the_configuration(tmp_path: Path) -> None:
    there = _install(tmp_path, COMMAND)
    there.compose("create")
    found = _resolve(tmp_path, _settings(there), config=str(tmp_path / "conf" / "config.yaml"))
    assert found.unit
    assert found.unit.value == "litellm"
    other = _resolve(tmp_path, _settings(there), config="/etc/litellm/config.yaml")
    assert other.unit is None
    assert "no container of a Compose project has /etc/litellm/config.yaml mounted" in str(other.missing)


def test_a_configuration_inside_the_image_is_not_on_this_machine(tmp_path: Path) -> None:
    there = _install(tmp_path, mounts={})
    there.compose("create")
    found = _resolve(tmp_path, _settings(there, service="litellm"))
    assert found.config is None
    assert "names none" in str(found.missing)


def test_a_port_that_is_not_published_is_the_containers_own(tmp_path: Path) -> None:
    there = _install(tmp_path, ports={})
    there.compose("create")
    assert _resolve(tmp_path, _settings(there)).url.value == "http://127.0.0.1:4000"


def test_what_is_named_is_operated_though_the_engine_does_not_run(tmp_path: Path) -> None:
    there = _install(tmp_path)
    there.engine("off")
    found = _resolve(tmp_path, _settings(there, service="litellm"))
    assert found.unit
    assert found.unit.value == "litellm"
    (missing, *_) = found.missing
    assert missing.what == "service in Docker"
    assert "the Docker engine does not answer" in missing.why


def test_without_the_client_it_says_so(tmp_path: Path) -> None:
    text = "profile: box\nprofiles: {box: {compose: {docker: /nonexistent/docker}}}\n"
    found = _resolve(tmp_path, text)
    assert found.unit is None
    assert "install Docker's client" in str(found.missing)


def test_compose_may_be_asked_for_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = _install(tmp_path)
    there.compose("create")
    monkeypatch.setenv("PATH", str(there.path.parent), prepend=":")
    found = _resolve(tmp_path, kind="compose", unit="litellm", config=str(tmp_path / "conf" / "config.yaml"))
    assert found.unit
    assert (found.unit.value, found.unit.source, found.kind) == ("litellm", "--unit", "compose")


def test_a_service_is_named_with_its_project_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = _install(tmp_path)
    there.compose("create")
    monkeypatch.setenv("PATH", str(there.path.parent), prepend=":")
    monkeypatch.chdir("/")
    found = _resolve(tmp_path, kind="compose", unit="llm/litellm")
    assert found.unit
    assert (found.unit.value, found.service) == ("litellm", Compose(project="llm", service="litellm"))
    assert found.found_unit


def test_docker_is_not_run_unless_somebody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = _install(tmp_path)
    monkeypatch.setenv("PATH", str(there.path.parent), prepend=":")
    _resolve(tmp_path)
    assert not (tmp_path / "calls").exists()


# --- the other kinds -----------------------------------------------------------------------------------------------


def test_a_start_command_tells_what_a_unit_would(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("general_settings: {master_key: os.environ/KEY}\n", encoding="utf-8")
    (tmp_path / "litellm.env").write_text("KEY=sk-from-file-1\n", encoding="utf-8")
    found = _resolve(
        tmp_path,
        f"""
profile: box
profiles:
  box:
    process:
      start: [/opt/venv/bin/litellm, --config, config.yaml, --port, 4777]
      folder: {tmp_path}
      pid_file: {tmp_path}/pid
      log_file: {tmp_path}/log
      environment_file: {tmp_path}/litellm.env
""",
    )
    assert found.unit
    assert (found.unit.value, found.place, found.url.value) == ("box", "process", "http://127.0.0.1:4777")
    assert found.config
    assert (found.config.value, found.config.source) == (
        str(tmp_path / "config.yaml"), "the command line of box (process)",
    )  # fmt: skip
    assert found.key
    assert found.key.reveal() == "sk-from-file-1"
    assert found.environment_files == (str(tmp_path / "litellm.env"),)
    assert driver(found.service_target).log_source == f"{tmp_path}/log"


def test_of_custom_commands_nothing_is_discovered(tmp_path: Path) -> None:
    text = "profiles: {box: {unit: gate, url: 'h:1', custom: {status: ['true'], log: [tail, -F, /l]}}}\n"
    found = _resolve(tmp_path, text, profile="box")
    assert found.unit
    assert (found.unit.value, found.place, driver(found.service_target).log_source) == ("gate", "custom", "tail -F /l")
    assert found.config is None
    assert _resolve(tmp_path, text, profile="box", kind="systemd").kind == "systemd"
