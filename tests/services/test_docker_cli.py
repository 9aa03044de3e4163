"""What Docker's client prints, turned into values and named failures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.actions.control import order
from litellm_tui.host.command import Done
from litellm_tui.logs.command_tail import CommandTail
from litellm_tui.model.failures import Denied, Failure, Malformed, NotAvailable, Unreachable
from litellm_tui.model.found import Found
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.compose import container
from litellm_tui.services.compose.container import ComposeContainer, compose_command, service_from
from litellm_tui.services.docker import container_state, docker_cli
from litellm_tui.services.docker.docker_cli import (
    Container,
    parse_containers,
    parse_percent,
    parse_rows,
    parse_size,
    parse_time,
    refusal,
)
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile
from tests.services.test_driver import PROGRAM
from tests.standins import docker as standin
from tests.waiting import eventually

# as Compose v2.39 and v2.20 print them
LINES = (
    '{"Command":"\\"docker/prod_entrypo…\\"","ExitCode":0,"Health":"","ID":"0a1b2c3d4e5f","Labels":"com.docker.compose.'
    'oneoff=False,com.docker.compose.service=litellm","Name":"llm-litellm-1","Project":"llm","Publishers":null,'
    '"Service":"litellm","State":"running","Status":"Up 2 minutes"}\n'
    '{"ExitCode":0,"ID":"ffffffffffff","Labels":"com.docker.compose.oneoff=True","Service":"litellm","State":"exited"}\n'
)
ARRAY = '[{"ID":"0a1b2c","Name":"llm-litellm-1","Service":"litellm","State":"running","Publishers":null}]'


def test_both_forms_of_ps_are_read() -> None:
    found = parse_rows(LINES)
    assert isinstance(found, list)
    assert [(row.id, row.state, row.one_off) for row in found] == [
        ("0a1b2c3d4e5f", "running", False), ("ffffffffffff", "exited", True),
    ]  # fmt: skip
    assert [row.id for row in parse_rows(ARRAY)] == ["0a1b2c"]  # type: ignore[union-attr]
    assert parse_rows("") == parse_rows("[]\n") == []


@pytest.mark.parametrize("text", ["NAME  IMAGE\nllm  x\n", "[{]", '{"ID": 1}', "<html>"])
def test_what_is_no_json_of_theirs_is_malformed(text: str) -> None:
    assert isinstance(parse_rows(text), Malformed)
    assert isinstance(parse_containers(text), Malformed)


def _container(**state: Any) -> Container:
    given = {
        "Status": "running",
        "Pid": 77,
        "StartedAt": "2026-11-21T15:00:00.5Z",
        "FinishedAt": standin.NEVER,
        **state,
    }
    found = parse_containers(
        json.dumps([{"Id": "0a1b2c3d4e5f6a7b", "Name": "/llm-litellm-1", "RestartCount": 2, "State": given}])
    )
    assert isinstance(found, list)
    return found[0]


@pytest.mark.parametrize(
    ("state", "shown", "ending"),
    [
        ({}, "active (running)", ("success", "", 0)),
        ({"Status": "paused"}, "active (paused)", ("success", "", 0)),
        ({"Status": "created"}, "inactive (dead)", ("", "", 0)),
        ({"Status": "restarting", "ExitCode": 3}, "activating (auto-restart)", ("exit-code", "exited", 3)),
        ({"Status": "exited", "ExitCode": 0}, "inactive (dead)", ("success", "exited", 0)),
        # ended as it was asked to, as systemd sees it
        ({"Status": "exited", "ExitCode": 143}, "inactive (dead)", ("success", "killed", 15)),
        ({"Status": "exited", "ExitCode": 3}, "failed (failed)", ("exit-code", "exited", 3)),
        ({"Status": "exited", "ExitCode": 137}, "failed (failed)", ("signal", "killed", 9)),
        ({"Status": "exited", "ExitCode": 137, "OOMKilled": True}, "failed (failed)", ("oom-kill", "killed", 9)),
        ({"Status": "removing"}, "deactivating (stop)", ("", "", 0)),
        ({"Status": "dead", "ExitCode": 1}, "failed (failed)", ("exit-code", "exited", 1)),
        ({"Status": "hibernating"}, "unknown (hibernating)", ("", "", 0)),
    ],
)
def test_a_containers_state_in_systemds_words(
    state: dict[str, Any], shown: str, ending: tuple[str, str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_state, "is_here", lambda *_: True)
    found = service_from(_container(**state), Compose(service="litellm"))
    assert f"{found.active_state} ({found.sub_state})" == shown
    assert (found.result, found.exit_code, found.exit_status) == ending
    assert found.restarts == 2
    running = found.active_state == "active"
    assert (found.main_pid, found.started_at is not None) == ((77, True) if running else (0, False))


def test_a_containers_own_check_is_told_and_none_is_not() -> None:
    assert service_from(_container(Health={"Status": "unhealthy"}), Compose()).health == "unhealthy"
    assert service_from(_container(Health={"Status": "none"}), Compose()).health == ""
    assert service_from(_container(), Compose()).health == ""
    assert service_from(_container(Error="exec: not found"), Compose()).note == "exec: not found"


def test_times_sizes_and_shares() -> None:
    assert parse_time("2026-11-21T15:00:00.123456789Z") == pytest.approx(1_795_273_200.123456)
    assert parse_time("2026-11-21T16:00:00+01:00") == 1_795_273_200
    assert parse_time(standin.NEVER) is None
    assert parse_time("soon") is None
    assert parse_size("45.5MiB / 1GiB") == int(45.5 * 1024**2)
    sizes = {
        "3kiB / 1GiB": 3072,
        "1.5TiB": int(1.5 * 1024**4),
        "2PB": 2 * 10**15,
        "1iB": None,
        "1.2.3MB": None,
        ".B": None,
    }
    assert {text: parse_size(text) for text in sizes} == sizes
    assert parse_percent("1.2.3%") is None
    assert (parse_size("0B / 0B"), parse_size("1.2kB"), parse_size("2GB"), parse_size("-- / --")) == (
        0,
        1200,
        2_000_000_000,
        None,
    )
    assert (parse_percent("0.50%"), parse_percent("104.2%"), parse_percent("--")) == (0.5, 104.2, None)


def test_the_options_of_compose_come_before_the_verb() -> None:
    compose = Compose(folder="/srv/llm", file="/srv/a.yaml,/srv/b.yaml", project="llm", docker="/opt/docker")
    assert compose_command(compose, "restart", "x") == [
        "/opt/docker", "compose", "--project-name", "llm", "--project-directory", "/srv/llm",
        "--file", "/srv/a.yaml", "--file", "/srv/b.yaml", "restart", "x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (standin.NO_ENGINE, Unreachable, "unix:///var/run/docker.sock: start it (systemctl start docker)"),
        (standin.NO_RIGHT, Denied, "join the group docker"),
        (standin.NO_COMPOSE, NotAvailable, "docker-compose-plugin"),
        ("docker: unknown command: docker compose\n\nRun 'docker --help' for more information", NotAvailable, "plugin"),
        ("docker: 'compose' is not a docker command.\nSee 'docker --help'", NotAvailable, "docker-compose-plugin"),
        (f"{standin.WARNING}\nno such service: litelm", docker_cli.NoSuchService, "no such service: litelm"),
        ("Error response from daemon: No such container: 0a1b", docker_cli.NoSuchService, "No such container"),
        ("no configuration file provided: not found", NotAvailable, "compose.file"),
        (f"{standin.WARNING}\nsome new trouble", NotAvailable, "some new trouble"),
        ("", NotAvailable, "docker ended with 1"),
    ],
)
def test_each_refusal_has_its_name_and_a_next_step(said: str, kind: type, words: str) -> None:
    found = refusal(Done(1, "", said), "docker")
    assert type(found) is kind
    assert words in found.why
    assert "\n" not in found.why


# --- through the client ------------------------------------------------------------------------------------------


def _profile(there: standin.Docker, **more: str) -> Profile:
    given = {"docker": str(there.path), "folder": str(there.folder), "service": "litellm", **more}
    return Profile("test", "here", Found("http://127.0.0.1:1", "test"), _tools(), unit=Found("litellm", "test"),
                   service=Compose(**given))  # fmt: skip


def _tools() -> Any:
    from litellm_tui.model.service_kinds import Tools

    return Tools()


@pytest.mark.parametrize(
    ("engine", "kind", "words"),
    [
        ("off", Unreachable, "the Docker engine does not answer at unix:///var/run/docker.sock"),
        ("denied", Denied, "may not use the engine's socket"),
        ("no compose", NotAvailable, "has no Compose"),
    ],
)
async def test_looking_ordering_and_reading_fail_in_the_same_words(
    tmp_path: Path, engine: str, kind: type, words: str
) -> None:
    there = standin.install(tmp_path, PROGRAM)
    there.engine(engine)
    profile = _profile(there)
    compose = profile.service
    assert isinstance(compose, Compose)
    looked, ordered = await ComposeContainer(compose).look(), await order(profile, "restart")
    assert type(looked) is type(ordered) is kind
    assert isinstance(looked, Failure)
    assert words in looked.why
    assert looked == ordered
    states: list[tuple[str, Failure | None]] = []
    tail = driver(profile.service_target).tail(
        lambda _: None, lambda state, failure, _: states.append((state, failure))
    )
    assert isinstance(tail, CommandTail)
    failure = await tail._follow_once()
    assert failure == looked


async def test_without_a_client_nothing_is_known_and_nothing_done() -> None:
    compose = Compose(docker="/nonexistent/docker", service="litellm")
    looked = await ComposeContainer(compose).look()
    assert isinstance(looked, NotAvailable)
    assert "/nonexistent/docker: No such file or directory" in looked.why
    assert "install Docker's client" in looked.why


async def test_a_service_without_container_says_how_one_is_made(tmp_path: Path) -> None:
    there = standin.install(tmp_path, PROGRAM)
    found = await ComposeContainer(_profile(there).service).look()  # type: ignore[arg-type]
    assert isinstance(found, Service)
    assert (found.load_state, found.active_state) == ("loaded", "inactive")
    assert "docker compose up -d litellm" in found.note
    refused = await order(_profile(there), "start")
    assert isinstance(refused, NotAvailable)
    assert "docker compose up -d litellm" in refused.why


async def test_a_container_is_sought_once_and_again_when_it_was_replaced(tmp_path: Path) -> None:
    there = standin.install(tmp_path, PROGRAM)
    there.compose("up")
    watch = ComposeContainer(_profile(there).service)  # type: ignore[arg-type]
    first = await watch.look()
    await watch.look()
    assert sum(" ps " in call for call in there.calls) == 1
    there.down()
    there.compose("up")
    second = await watch.look()
    there.down()
    assert isinstance(first, Service)
    assert isinstance(second, Service)
    assert second.invocation != first.invocation


async def test_memory_and_cpu_are_asked_seldom_and_only_in_calm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = standin.install(tmp_path, PROGRAM)
    there.compose("up")
    watch = ComposeContainer(_profile(there).service)  # type: ignore[arg-type]
    seen = [await watch.look() for _ in range(4)]
    assert [isinstance(s, Service) and s.memory for s in seen] == [None, None, None, None]
    monkeypatch.setattr(container, "CALM_SECONDS", 0.0)
    seen = [await watch.look() for _ in range(4)]
    assert all(isinstance(s, Service) and s.memory and s.cpu_percent == 0.5 for s in seen)
    assert sum(call.startswith("stats") for call in there.calls) == 1
    monkeypatch.setattr(container, "STATS_SECONDS", 0.0)
    await watch.look()
    there.down()
    assert sum(call.startswith("stats") for call in there.calls) == 2


async def test_docker_starts_again_what_died_and_says_how_often(tmp_path: Path) -> None:
    dies = (*PROGRAM[:3], "import sys; print('it dies'); sys.exit(3)")
    there = standin.install(tmp_path, dies, again=True)
    there.compose("up")
    watch = ComposeContainer(_profile(there).service)  # type: ignore[arg-type]
    await eventually(
        lambda: there.container["RestartCount"] >= 1 and there.container["State"]["Status"] == "restarting"
    )
    found = await watch.look()
    (there.folder / "stopping").touch()
    assert isinstance(found, Service)
    assert (found.sub_state, found.exit_code, found.exit_status) == ("auto-restart", "exited", 3)
    assert found.keeper == "Docker"
    assert (found.restarts or 0) >= 1
    await eventually(lambda: there.container["State"]["Status"] == "exited")
