"""Finding the gateway through a real systemd: what `litellm-tui where` says of units of every kind."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import pytest

from tests.lab import Lab
from tests.lab.engine import Engine
from tests.lab.environments import LabError
from tests.terminal import CONSOLE, compile_console

UNIT: Final = "litellm.service"


@pytest.fixture(scope="module")
def module_lab(lab_possible: None) -> Iterator[Lab]:
    """Both units installed, none of them started: what they would run is what is asked."""
    compile_console()
    with Lab.boot(units=()) as lab:
        yield lab


@pytest.fixture
def lab(module_lab: Lab) -> Iterator[Lab]:
    folder = module_lab.unit_path().parent
    before = {path: path.read_text() for path in (*folder.glob("*.service"), module_lab.unit_path(user=False))}
    yield module_lab
    running = module_lab.systemctl("list-units", "--plain", "--no-legend", "*litellm*", user=True).stdout
    for line in running.splitlines():
        module_lab.systemctl("stop", line.split()[0], user=True, check=False)
    for path in folder.glob("*.service"):
        if path not in before:
            path.unlink()
    for path, text in before.items():
        path.write_text(text)
    for user in (True, False):
        module_lab.systemctl("daemon-reload", user=user)


def install(
    lab: Lab, arguments: str, name: str = UNIT, *, command: str = "", service: str = "", folder: str = ""
) -> None:
    """A user unit of this name whose ExecStart runs LiteLLM with these arguments."""
    path = lab.unit_path().parent / name
    path.write_text(
        # With cgroup v1 a user's manager is not told that a script's child is gone, and waits.
        f"[Service]\nTimeoutStopSec=1\nWorkingDirectory={folder or lab.config_path().parent}\n{service}\n"
        f"ExecStart={command or lab.litellm.bin} {arguments}\n"
    )
    lab.systemctl("daemon-reload", user=True)


def uninstall(lab: Lab, user: bool = True) -> None:
    lab.unit_path(user).unlink()
    lab.systemctl("daemon-reload", user=user)


class Where:
    """What `litellm-tui where` printed, by the name at the start of each line."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.status = done.returncode
        self.text = done.stdout + done.stderr
        self.lines: dict[str, str] = {}
        for line in done.stdout.splitlines():
            name, value = line[:15].strip(), line[16:]
            self.lines[name] = f"{self.lines[name]}\n{value}" if name in self.lines else value

    def __getitem__(self, name: str) -> str:
        return self.lines.get(name, "")


def where(lab: Lab, *options: str, user: bool = True, env: dict[str, str] | None = None) -> Where:
    done = lab.run([*CONSOLE, "where", *options], user=user, check=False, env=env)
    found = Where(done)
    assert "Traceback" not in found.text
    assert all(lab.key(which) not in found.text for which in (True, False))
    return found


# -- which unit


def test_the_user_unit_comes_first_with_all_that_it_says(lab: Lab) -> None:
    found = where(lab)
    assert found.status == 0, found.text
    assert found["gateway"].startswith(f"{lab.url()} ")
    assert found["configuration"].startswith(f"{lab.config_path()} (7 deployments, unset: KIMI_KEY)")
    assert found["unit"].startswith(f"{UNIT} (user)")
    assert found["log"].startswith(f"journalctl --user -u {UNIT}")
    assert found["environment"].startswith(str(lab.env_path()))
    assert "found, not shown" in found["key"]
    assert f"LITELLM_MASTER_KEY from {lab.env_path()}" in found["key"]
    assert found["interpreter"].startswith(str(lab.litellm.python))
    assert found["also found"].startswith(f"{UNIT} (system)")
    assert not found["missing"]


def test_a_system_unit_as_root(lab: Lab) -> None:
    found = where(lab, "--system", user=False)
    assert found.status == 0, found.text
    assert found["gateway"].startswith(f"{lab.url(user=False)} ")
    assert found["unit"].startswith(f"{UNIT} (system)")
    assert f"LITELLM_MASTER_KEY from {lab.env_path(user=False)}" in found["key"]
    assert not found["missing"]


def test_a_system_unit_as_somebody_says_what_he_may_not_read(lab: Lab) -> None:
    found = where(lab, "--system")
    assert found.status == 0, found.text
    assert found["unit"].startswith(f"{UNIT} (system)")
    assert f"environment file {lab.env_path(user=False)}: Permission denied" in found["missing"]
    assert "gateway key: master_key is os.environ/LITELLM_MASTER_KEY" in found["missing"]
    assert found["key"].startswith("none")


def test_an_unreadable_environment_file_is_named(lab: Lab) -> None:
    lab.env_path().chmod(0)
    try:
        found = where(lab)
        assert f"environment file {lab.env_path()}: Permission denied" in found["missing"]
        assert found["key"].startswith("none")
        assert found.status == 0
    finally:
        lab.env_path().chmod(0o600)


def test_a_unit_of_another_name_is_found_by_what_it_runs(lab: Lab) -> None:
    uninstall(lab)
    uninstall(lab, user=False)
    install(lab, f"--config {lab.config_path()} --port 4321", "my-litellm-gateway.service")
    found = where(lab)
    assert found.status == 0, found.text
    assert found["unit"].startswith("my-litellm-gateway.service (user)")
    assert found["gateway"].startswith("http://127.0.0.1:4321 ")


def test_a_named_unit_and_scope_are_taken(lab: Lab) -> None:
    install(lab, "--port 4321", "other.service", command="/usr/bin/env")
    found = where(lab, "--unit", "other", "--user")
    assert found["unit"] == "other.service (user)   [--unit]"
    found = where(lab, "--unit", "absent")
    assert found.status == 1
    assert "absent is not among the user and system units" in found["missing"]


def test_the_unit_behind_the_url_is_the_one(lab: Lab) -> None:
    found = where(lab, "--url", lab.url(user=False))
    assert found["unit"].startswith(f"{UNIT} (system)")
    assert found["gateway"] == f"{lab.url(user=False)}   [--url]"
    found = where(lab, env={"LITELLM_PROXY_URL": lab.url()})
    assert found["unit"].startswith(f"{UNIT} (user)")
    assert found["gateway"] == f"{lab.url()}   [LITELLM_PROXY_URL]"
    found = where(lab, "--url", f"http://127.0.0.1:{lab.ports.refused}")
    assert found.status == 1
    assert f"nothing found here listens on port {lab.ports.refused}" in found["missing"]
    assert found["answer"] == f"nothing listens on port {lab.ports.refused} of 127.0.0.1"
    # an address that nobody has (RFC 5737)
    found = where(lab, "--url", "https://192.0.2.7")
    assert found.status == 1
    assert "192.0.2.7 is another machine" in found["missing"]


def test_nothing_to_find_is_said_and_is_an_exit_status(lab: Lab) -> None:
    uninstall(lab)
    uninstall(lab, user=False)
    found = where(lab)
    assert found.status == 1
    assert "service: none was found among units of systemd (user and system)" in found["missing"]
    assert "units of systemd (user and system): none runs litellm" in found["looked for"]
    assert "give --config FILE" in found["missing"]
    assert found["gateway"] == "http://127.0.0.1:4000   [LiteLLM's default]"


def test_a_container_that_a_unit_runs_is_the_unit(lab: Lab, docker_engine: Engine) -> None:
    """A real `docker run` under a real systemd: one service, with the container's file, address and environment."""
    uninstall(lab)
    uninstall(lab, user=False)
    program = lab.home / "program-of-a-container"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    unit = lab.unit_path(user=False).parent / "llm.service"
    docker = shutil.which("docker")
    unit.write_text(
        f"[Service]\nEnvironment=DOCKER_HOST={docker_engine.host}\nTimeoutStopSec=1\n"
        f"ExecStart={docker} run --rm --name gw --network none --stop-signal KILL -e EMBED_KEY=sk-lab-embedded-1 "
        f"-v {program}:/usr/bin/litellm:ro -v {lab.config_path(user=False)}:/app/c.yaml:ro {docker_engine.image} "
        "/usr/bin/litellm --config /app/c.yaml --port 4777\n"
    )
    lab.systemctl("daemon-reload")
    try:
        lab.systemctl("start", "llm.service")
        env = {"DOCKER_HOST": docker_engine.host}
        lab.wait("the container", lambda: docker_engine.docker("ps", "--quiet", "--filter", "name=^gw$").strip() != "")
        found = where(lab, user=False, env=env)
        assert found["unit"] == "llm.service (system)   [found (the only one here): it runs the container gw]"
        assert found["gateway"].startswith("http://127.0.0.1:4777 ")
        assert found["configuration"].startswith(f"{lab.config_path(user=False)} (")
        assert "also found" not in found.lines
        assert "containers of Docker" in found["looked for"]
        # who may not use the socket is told so, and still finds the unit
        found = where(lab, env=env)
        assert found["unit"].startswith("llm.service (system)")
        assert "its socket may not be used by you" in found["looked for"]
    finally:
        lab.systemctl("stop", "llm.service", check=False)
        unit.unlink()
        lab.systemctl("daemon-reload")
        # a client that is killed leaves its container running, and other tests use this engine
        with suppress(LabError):
            docker_engine.docker("rm", "--force", "gw")


# -- what a unit says


@pytest.mark.parametrize(
    ("arguments", "service", "address"),
    [
        ("--config config.yaml --host 127.0.0.1 --port 4321", "", "127.0.0.1:4321"),
        ("-c config.yaml --port=4322", "", "127.0.0.1:4322"),
        ("--config=config.yaml", "Environment=PORT=4323 HOST=127.0.0.2", "127.0.0.2:4323"),
        ("--config config.yaml --port ${GATEWAY_PORT}", 'Environment="GATEWAY_PORT=4324"', "127.0.0.1:4324"),
        ("", "Environment=CONFIG_FILE_PATH=config.yaml", "127.0.0.1:4000"),
        ("--config config.yaml --host 0.0.0.0", "", "127.0.0.1:4000"),
    ],
    ids=["options", "short", "environment", "expanded", "config from environment", "every address"],
)
def test_address_and_file_are_read_as_litellm_reads_them(lab: Lab, arguments: str, service: str, address: str) -> None:
    """The path is relative: to the unit's WorkingDirectory, not to wherever the console is started."""
    install(lab, arguments, service=service)
    found = where(lab)
    assert found.status == 0, found.text
    assert found["gateway"].startswith(f"http://{address} ")
    assert found["configuration"].startswith(f"{lab.config_path()} (7 deployments")


def test_variables_out_of_an_environment_file(lab: Lab) -> None:
    extra = lab.home / "extra.env"
    extra.write_text('# a comment\nPORT="4325"\nexported=\nKIMI_KEY=sk-kimi-of-the-lab\n')
    extra.chmod(0o644)
    files = f"EnvironmentFile={lab.env_path()}\nEnvironmentFile=-{extra}\nEnvironmentFile=-{lab.home}/absent.env"
    install(lab, "--config config.yaml", service=files)
    found = where(lab)
    assert found["gateway"].startswith("http://127.0.0.1:4325 ")
    assert found["configuration"] == f"{lab.config_path()} (7 deployments)   [ExecStart of {UNIT} (user)]"
    assert "sk-kimi" not in found.text


def test_a_start_script_is_seen_through_while_it_runs(lab: Lab) -> None:
    script = lab.home / "start gateway.sh"
    script.write_text(f"#!/bin/sh\nsleep 0\n{lab.litellm.bin} --config config.yaml --port {lab.ports.user}\n")
    script.chmod(0o755)
    quoted = f'"{script}"'
    install(lab, "", command=quoted, service=f"EnvironmentFile={lab.env_path()}")
    assert where(lab)["unit"].startswith(f"{UNIT} (user)")
    lab.systemctl("start", UNIT, user=True)
    lab.wait("the script's child", lambda: where(lab)["configuration"] != "", pause=0.2)
    found = where(lab)
    assert found.status == 0, found.text
    assert found["gateway"].startswith(f"{lab.url()} ")
    assert found["configuration"].startswith(f"{lab.config_path()} (7 deployments")


def test_a_broken_file_is_found_and_said_to_be_broken(lab: Lab) -> None:
    before = lab.config_path().read_text()
    try:
        lab.config_path().write_text(before + "router_settings: [\n")
        found = where(lab)
        assert f"{lab.config_path()} - cannot be used: " in found["configuration"]
    finally:
        lab.config_path().write_text(before)


# -- the key


def test_where_the_key_comes_from(lab: Lab) -> None:
    assert "LITELLM_PROXY_API_KEY (environment)" in where(lab, env={"LITELLM_PROXY_API_KEY": "sk-mine-123"})["key"]
    assert "MINE (command line)" in where(lab, "--key-env", "MINE", env={"MINE": "sk-mine-123"})["key"]
    file = lab.home / "the.key"
    file.write_text("sk-mine-123\n")
    file.chmod(0o644)
    found = where(lab, "--key-file", str(file))
    assert f"{file} (command line)" in found["key"]
    assert "sk-mine-123" not in found.text


@pytest.mark.parametrize(
    "options",
    [
        ("--profile", "absent"),
        ("--key-env", "UNSET"),
        ("--key-file", "/absent/key"),
        ("--url", "not an address"),
        ("--key", "sk-on-the-command-line"),
        ("--user", "--system"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_a_usage_error(lab: Lab, options: tuple[str, ...]) -> None:
    found = where(lab, *options)
    assert found.status == 64, found.text
    assert found.text.count("\n") <= 8


def test_without_systemd_it_says_so(lab: Lab) -> None:
    """A path without systemctl: a container, or another system."""
    tools = lab.home / "bin"
    tools.mkdir(exist_ok=True)
    try:
        found = where(lab, env={"PATH": str(tools)})
        assert found.status == 1
        assert "systemctl: No such file or directory" in found["missing"]
    finally:
        shutil.rmtree(tools)
