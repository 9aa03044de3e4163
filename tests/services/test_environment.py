"""The `.env` that LiteLLM loads itself, and that no secret of an environment file is unknown to what masks."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.model.service import Unit
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.compose.discovery import unit_from as container_unit
from litellm_tui.services.docker import docker_cli
from litellm_tui.services.process.discovery import process_unit
from litellm_tui.services.systemd.discovery import unit_from
from tests.environment_files import PEM

DOTENV = f"""# the keys
A_KEY=sk-abcdef # prod
export B_KEY=sk-ghijkl
C_KEY="{PEM}"
SET=by the file
D=${{SET}}/${{A_KEY}}
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A LiteLLM in a virtual environment, in a folder of its own."""
    package = tmp_path / "app/venv/lib/python3.11/site-packages/litellm"
    (package / "proxy").mkdir(parents=True)
    (package / "__init__.py").touch()
    python = tmp_path / "app/venv/bin/python"
    python.parent.mkdir()
    python.touch()
    (python.parent / "litellm").touch()
    return tmp_path / "app"


def unit_of(app: Path, environment: str = "", **more: str) -> Unit:
    command = f"{app}/venv/bin/litellm --port 4000"
    return unit_from(
        {
            "Id": "litellm.service",
            "ExecStart": f"{{ path={app}/venv/bin/litellm ; argv[]={command} ; ignore_errors=no }}",
            "Environment": environment,
            **more,
        },
        "system",
    )


def values(unit: Unit) -> dict[str, str]:
    return {name: variable.value for name, variable in unit.environment.items()}


def masked(unit: Unit) -> Redactor:
    return Redactor(variable.value for variable in unit.withheld)


def test_its_own_env_file_is_read_as_python_dotenv_reads_it(installed: Path) -> None:
    (installed / ".env").write_text(DOTENV)
    unit = unit_of(installed, "SET=outside")
    assert values(unit) == {
        "A_KEY": "sk-abcdef", "B_KEY": "sk-ghijkl", "C_KEY": PEM, "SET": "outside", "D": "outside/sk-abcdef",
    }  # fmt: skip
    assert unit.environment["A_KEY"].source == str(installed / ".env")
    assert unit.environment["SET"].source == "Environment= of litellm.service"


def test_the_nearest_file_from_the_package_upwards_is_taken_and_the_proxys_own_after_it(installed: Path) -> None:
    (installed / ".env").write_text("A=far\nB=far\n")
    library = installed / "venv/lib/python3.11/site-packages"
    (library / ".env").write_text("A=near\n")
    assert values(unit_of(installed)) == {"A": "near"}
    (library / "litellm/proxy/.env").write_text("A=proxy\nC=${A}\n")
    assert values(unit_of(installed)) == {"A": "near", "C": "near"}


@pytest.mark.parametrize("environment", ["LITELLM_MODE=PRODUCTION", "PYTHON_DOTENV_DISABLED=True", "LITELLM_MODE="])
def test_it_is_not_loaded_where_litellm_does_not_load_it(installed: Path, environment: str) -> None:
    (installed / ".env").write_text(DOTENV)
    assert "A_KEY" not in values(unit_of(installed, environment))


def test_one_that_litellm_cannot_start_with_is_told(installed: Path) -> None:
    (installed / ".env").write_bytes(b"A=\xff\n")
    assert unit_of(installed).unread == ((str(installed / ".env"), "LiteLLM cannot start with it: it is not UTF-8"),)


def test_what_python_dotenv_says_of_a_line_does_not_reach_the_screen(
    installed: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (installed / ".env").write_text("A='open\nB=2\n")
    assert values(unit_of(installed)) == {"B": "2"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("file", [".env", "unit.env"])
def test_every_line_of_a_secret_is_masked_wherever_it_stands(installed: Path, file: str) -> None:
    (installed / file).write_text(DOTENV)
    unit = unit_of(installed, EnvironmentFiles=f"{installed}/unit.env (ignore_errors=yes)")
    redact = masked(unit)
    for secret in ("sk-abcdef", "sk-ghijkl", *PEM.splitlines()[1:3]):
        assert secret not in redact(f"before {secret} behind")
    assert "sk-abcdef" not in repr(unit)


def test_a_plain_process_gets_it_as_well(installed: Path) -> None:
    (installed / ".env").write_text(DOTENV)
    (installed / "own.env").write_text("SET=own # kept\n")
    settings = Process(
        (f"{installed}/venv/bin/litellm",), str(installed / "pid"), environment_file=str(installed / "own.env")
    )
    unit = process_unit(settings, "litellm", {"HOME": "/"})
    assert values(unit) == {
        "HOME": "/", "SET": "own # kept", "A_KEY": "sk-abcdef", "B_KEY": "sk-ghijkl", "C_KEY": PEM,
        "D": "own # kept/sk-abcdef",
    }  # fmt: skip
    assert "sk-ghijkl" not in masked(unit)("x sk-ghijkl")


@pytest.mark.parametrize(
    "form", ["app.env", "[app.env]", "[{path: app.env, required: false}]", "[other.env, ./app.env]"]
)
def test_what_stands_in_the_env_file_of_a_compose_service_is_masked_before_the_container_has_it(
    tmp_path: Path, form: str
) -> None:
    (tmp_path / "compose.yaml").write_text(f"services: {{gw: {{image: x, env_file: {form}}}}}\n")
    (tmp_path / "app.env").write_text("A_KEY=sk-rotated # since today\n")
    (tmp_path / ".env").write_text("B_KEY: sk-project\n")
    prefix = "com.docker.compose"
    labels = {
        f"{prefix}.service": "gw",
        f"{prefix}.project.config_files": str(tmp_path / "compose.yaml"),
        f"{prefix}.project.working_dir": str(tmp_path),
    }
    container = docker_cli.Container(
        id="1", name="/gw", config=docker_cli.Config(labels=labels, env=("A_KEY=sk-before",)), path="litellm"
    )
    unit = container_unit(container)
    assert values(unit) == {"A_KEY": "sk-before"}
    text = masked(unit)("sk-rotated sk-project")
    assert "rotated" not in text
    assert "project" not in text


@pytest.mark.parametrize("text", ["", "services: []", "services: {gw: }", "a: [", "services: {gw: {env_file: {a: 1}}}"])
def test_a_compose_file_of_any_shape_costs_nothing_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "compose.yaml").write_text(text)
    labels = {"com.docker.compose.project.config_files": str(tmp_path / "compose.yaml")}
    container = docker_cli.Container(id="1", name="/gw", config=docker_cli.Config(labels=labels), path="litellm")
    assert container_unit(container).withheld == ()
