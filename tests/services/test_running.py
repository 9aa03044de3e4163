"""Which processes are a gateway, what each says of itself, and who began it."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.host.process_table import ProcessTable
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.process.discovery import discovered, running_on
from litellm_tui.services.process.running import RunningGateway, find_running, serves, told_port
from tests.processes import FakeProcesses

PYTHON = "/opt/venv/bin/python3.11"
SCRIPT = "/opt/venv/bin/litellm"
GATEWAY = [PYTHON, SCRIPT, "--config", "config.yaml", "--port", "4321"]


@pytest.fixture
def fake(tmp_path: Path) -> FakeProcesses:
    return FakeProcesses(tmp_path / "proc")


def _found(fake: FakeProcesses) -> list[RunningGateway]:
    return find_running(ProcessTable(str(fake.root)))[0]


@pytest.mark.parametrize(
    "line",
    [
        "/opt/venv/bin/python /opt/venv/bin/litellm --config c.yaml",
        "litellm --port 4000",
        "python3 -m litellm --port 4000",
        "python3.12 -X dev -u -m litellm.proxy.proxy_cli",
        "python /opt/venv/lib/python3.11/site-packages/litellm/proxy/proxy_cli.py --config c.yaml",
        "/opt/venv/bin/python /opt/venv/bin/uvicorn litellm.proxy.proxy_server:app --port 4000",
        "python -m gunicorn -k uvicorn.workers.UvicornWorker litellm.proxy.proxy_server:app",
        "gunicorn litellm.proxy.proxy_server:app -b :4000",
        "pypy3 /usr/local/bin/litellm-proxy",
    ],
)
def test_these_are_the_gateway(line: str) -> None:
    assert serves(line.split())


def test_a_title_that_gunicorn_has_set_is_the_gateway_too() -> None:
    assert serves(["gunicorn: master [litellm.proxy.proxy_server:app]"])
    assert not serves(["gunicorn: master [shop.app:app]"])


@pytest.mark.parametrize(
    "line",
    [
        "",
        "vim /opt/venv/bin/litellm",
        "tail -F /var/log/litellm",
        "grep -r litellm",
        "bash /srv/litellm/start.sh",
        "docker run --name litellm ghcr.io/berriai/litellm:main-stable",
        "sudo -u llm /opt/venv/bin/litellm --config c.yaml",
        "/opt/venv/bin/python /opt/venv/bin/litellm-tui",
        "/opt/venv/bin/python /opt/venv/bin/litellm --health",
        "/opt/venv/bin/python /opt/venv/bin/litellm --version",
        "python -c import+litellm litellm",
        "python train.py litellm",
        "uvicorn shop:app --port 4000",
    ],
)
def test_these_only_name_it(line: str) -> None:
    assert not serves(line.split())


@pytest.mark.parametrize(
    ("line", "environment", "port"),
    [
        ("litellm --port 4321", {}, 4321),
        ("litellm --port=4321", {"PORT": "9"}, 4321),
        ("litellm", {"PORT": "4322"}, 4322),
        ("litellm", {}, 4000),
        ("litellm --port 99999999999999", {}, 4000),
        ("litellm --port", {}, 4000),
        ("gunicorn litellm.proxy.proxy_server:app -b 0.0.0.0:4323", {}, 4323),
        ("python -m uvicorn litellm.proxy.proxy_server:app --port 4324", {}, 4324),
        ("uvicorn litellm.proxy.proxy_server:app", {}, 8000),
    ],
)
def test_the_port_is_the_one_that_was_told(line: str, environment: dict[str, str], port: int) -> None:
    assert told_port(line.split(), environment) == port


def test_a_gateway_says_where_it_listens_what_it_reads_and_where_its_log_is(fake: FakeProcesses) -> None:
    fake.add(20, GATEWAY, environment={"LITELLM_MASTER_KEY": "sk-1"}, ports=[4321], output="/srv/llm/nohup.out")
    (found,) = _found(fake)
    gateway = discovered(found)
    assert str(gateway) == "litellm:4321 (process)"
    assert gateway.why == "process 20 is LiteLLM and listens on port 4321; started by hand: nothing starts it again"
    assert gateway.identity == "process 4321"
    assert gateway.settings == Process(port=4321, log_file="/srv/llm/nohup.out")
    assert gateway.unit.config == "/srv/llm/config.yaml"
    assert gateway.unit.url == "http://127.0.0.1:4321"
    assert gateway.unit.environment["LITELLM_MASTER_KEY"].value == "sk-1"
    assert gateway.active
    assert not gateway.missing


def test_the_address_is_that_of_the_socket_and_not_of_the_command(fake: FakeProcesses) -> None:
    words = ["gunicorn: master [litellm.proxy.proxy_server:app]"]
    fake.add(20, words, environment={"CONFIG_FILE_PATH": "/etc/l.yaml"}, ports=[4777, 9090])
    (found,) = _found(fake)
    gateway = discovered(found)
    assert gateway.unit.url == "http://127.0.0.1:4777"
    assert gateway.unit.config == "/etc/l.yaml"


def test_workers_count_with_their_master(fake: FakeProcesses) -> None:
    fake.add(20, [*GATEWAY, "--num_workers", "2"], ports=[4321])
    fake.add(21, [*GATEWAY, "--num_workers", "2"], parent=20)
    fake.add(22, [PYTHON, "-c", "from multiprocessing.spawn import spawn_main", "--multiprocessing-fork"], parent=20)
    assert [one.pid for one in _found(fake)] == [20]


def test_one_in_a_container_is_not_of_this_machine_and_its_container_is_told(fake: FakeProcesses) -> None:
    container = "ab" * 32
    fake.add(20, GATEWAY, ports=[4321], namespaces=2, group=f"0::/system.slice/docker-{container}.scope")
    fake.add(30, ["litellm"], namespaces=2)
    outside, inside = find_running(ProcessTable(str(fake.root)))
    assert outside == []
    assert [one.container for one in inside] == [container, ""]


def test_one_that_starts_is_found_before_it_listens(fake: FakeProcesses) -> None:
    fake.add(20, GATEWAY)
    (found,) = _found(fake)
    assert (found.port, found.listener) == (4321, None)
    assert "is not seen to listen on its port 4321" in discovered(found).why
    assert discovered(found).unit.url == "http://127.0.0.1:4321"


def test_another_users_process_says_what_cannot_be_known(fake: FakeProcesses) -> None:
    fake.add(20, GATEWAY, ports=[4321], user=54321, readable=False)
    (found,) = _found(fake)
    gateway = discovered(found)
    assert gateway.unit.url == "http://127.0.0.1:4321"
    assert "listens on port 4321" in gateway.why
    # a relative path without its folder names no file
    assert gateway.unit.config is None
    assert gateway.unit.environment == {}
    assert gateway.missing[0].what == "environment and folder of process 20"
    assert gateway.missing[0].why == "it belongs to user 54321"
    assert "as root" in gateway.missing[0].mend


def test_another_users_process_with_a_whole_path_names_its_file(fake: FakeProcesses) -> None:
    fake.add(20, [PYTHON, SCRIPT, "--config", "/etc/litellm/c.yaml"], user=54321, readable=False)
    assert discovered(_found(fake)[0]).unit.config == "/etc/litellm/c.yaml"


@pytest.mark.parametrize(
    ("chain", "environment", "words"),
    [
        (
            [("supervisord", [PYTHON, "/usr/bin/supervisord"])],
            {"SUPERVISOR_PROCESS_NAME": "llm"},
            "kept by supervisord",
        ),
        ([("python3", ["/usr/bin/python3", "/usr/bin/supervisord", "-n"])], {}, "kept by supervisord"),
        ([("runsv", ["runsv", "litellm"])], {}, "kept by runit"),
        ([("tmux: server", ["tmux", "new"]), ("bash", ["-bash"])], {"TMUX_PANE": "%3"}, "in tmux (%3)"),
        ([("screen", ["SCREEN"]), ("bash", ["bash"])], {"STY": "7.llm"}, "in screen (7.llm)"),
        ([("tmux: server", ["tmux"]), ("sh", ["sh", "/srv/go.sh"])], {}, "started by /srv/go.sh"),
        ([("start.sh", ["/bin/bash", "./start.sh"])], {}, "started by ./start.sh"),
        ([("go.sh", ["sh", "-eu", "/srv/go.sh", "--key", "sk-in-its-words-1"])], {}, "started by /srv/go.sh"),
        ([("go.sh", ["sh", "a\x1b[31m" + "b" * 300])], {}, f"started by a{'b' * 119}"),
        ([("sshd", ["sshd: me"]), ("bash", ["-bash"])], {}, "started in a login, and may end with it"),
        ([("bash", ["bash", "-c", "litellm --port 1"])], {}, ""),
    ],
)
def test_who_began_it_is_told(
    fake: FakeProcesses, chain: list[tuple[str, list[str]]], environment: dict[str, str], words: str
) -> None:
    parent = 1
    for number, (name, line) in enumerate(chain):
        parent = 10 + number
        fake.add(parent, line, parent=parent - 1 if number else 1, name=name)
    fake.add(20, GATEWAY, parent=parent, environment=environment, ports=[4321])
    assert _found(fake)[0].origin.words == words


def test_a_supervisors_own_order_is_known(fake: FakeProcesses) -> None:
    fake.add(10, ["supervisord"])
    names = {"SUPERVISOR_PROCESS_NAME": "llm", "SUPERVISOR_GROUP_NAME": "gateways"}
    fake.add(20, GATEWAY, parent=10, environment=names)
    assert _found(fake)[0].origin.order == "supervisorctl restart gateways:llm"


@pytest.mark.parametrize(
    ("output", "error", "log", "other"),
    [
        ("/srv/llm/nohup.out", "", "/srv/llm/nohup.out", ""),
        ("/srv/out.log", "/srv/err.log", "/srv/err.log", "/srv/out.log"),
        ("/dev/pts/3", "", "", ""),
        ("pipe:[77]", "", "", ""),
        ("/srv/llm/old.log (deleted)", "", "", ""),
    ],
)
def test_the_log_is_the_file_of_its_output(fake: FakeProcesses, output: str, error: str, log: str, other: str) -> None:
    fake.add(20, GATEWAY, ports=[4321], output=output, error=error)
    (found,) = _found(fake)
    assert (found.log_file, found.other_log) == (log, other)
    assert any("log of process 20" in one.what for one in discovered(found).missing) == (not log)


def test_a_profile_with_a_port_finds_its_process_and_keeps_its_own_log(fake: FakeProcesses) -> None:
    fake.add(20, GATEWAY, ports=[4321], output="/srv/llm/nohup.out")
    fake.add(30, ["litellm"], ports=[4000])
    found = running_on(Process(port=4321, log_file="/mine.log"), str(fake.root))
    assert found is not None
    assert found.settings == Process(port=4321, log_file="/mine.log")
    assert found.unit.arguments == tuple(GATEWAY)
    assert running_on(Process(port=4444), str(fake.root)) is None
