"""A plain container: what the engine says of it, as the driver of its kind tells it."""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.actions.edit import edit
from litellm_tui.actions.rewrite import rewrite
from litellm_tui.actions.writable import way_to_write
from litellm_tui.analysis.exits import describe_exit
from litellm_tui.collectors.config.file_times import changed_at
from litellm_tui.host.copies import copies, not_editable, origin
from litellm_tui.model.failures import Denied, Failure, Malformed, NotAvailable, Unreachable
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Docker
from litellm_tui.services.docker import engine_api
from litellm_tui.services.docker.config_copy import copy_config, read_inside
from litellm_tui.services.docker.container_exits import exits_of, parse_events
from litellm_tui.services.docker.container_log import LogRequest
from litellm_tui.services.docker.container_state import mounts_of, policy_of, service_from
from litellm_tui.services.docker.container_unit import path_on_host, unit_from
from litellm_tui.services.docker.docker_cli import Container, NoSuchService, format_stamp, parse_containers
from litellm_tui.services.docker.engine import find_socket, find_socket_now
from litellm_tui.services.docker.engine_access import ByClient, BySocket, archive_now, inspect_now, parse_usage
from litellm_tui.services.docker.ordered_end import OrderedEnds
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from tests.standins.engine import Engine

# as an engine of 20.10.24 sends them for `docker restart` of what does not end, for a crash that a policy mends, and
# for a process that the kernel killed for its container's limit
EVENTS = [
    ("start", 100, {}), ("kill", 130, {"signal": "15"}), ("kill", 140, {"signal": "9"}),
    ("die", 140, {"exitCode": "137"}),
    ("start", 141, {}), ("die", 200, {"exitCode": "3"}), ("start", 201, {}),
    ("oom", 300, {}), ("die", 300, {"exitCode": "137"}),
]  # fmt: skip


def _events(rows: list[tuple[str, int, dict[str, str]]], name: str = "gw") -> str:
    lines = [
        {"status": action, "Type": "container", "Action": action, "time": at, "timeNano": at * 10**9,
         "Actor": {"ID": "abc", "Attributes": {"name": name, "image": "litellm", **more}}}
        for action, at, more in rows
    ]  # fmt: skip
    return "\n".join(json.dumps(line) for line in lines)


def _container(**more: Any) -> Container:
    said: dict[str, Any] = {
        "Id": "abc" * 20, "Name": "/gw", "Path": "litellm", "Args": ["--config", "config.yaml", "--port", "4000"],
        "RestartCount": 2,
        "State": {"Status": "running", "Pid": os.getpid(), "StartedAt": format_stamp(time.time())},
        "Config": {"Image": "litellm:v1", "WorkingDir": "/app", "Env": ["LITELLM_MASTER_KEY=sk-1234"]},
    }  # fmt: skip
    found = parse_containers(json.dumps([{**said, **more}]))
    assert not isinstance(found, Failure)
    return found[0]


# --- how its runs ended --------------------------------------------------------------------------------------------


def test_each_end_with_its_reason_and_what_followed() -> None:
    events = parse_events(_events(EVENTS) + "\n" + _events([("die", 170, {"exitCode": "1"})], "gw2"))
    assert not isinstance(events, Malformed)
    told = [describe_exit(end) for end in exits_of(events, _container())]
    assert told == [
        "stopped by order, had to be killed (SIGKILL) after 40 s",
        "ended with status 3 after 59 s; started again by Docker",
        "out of memory: killed by the kernel after 1 min",
    ]


def test_the_last_end_is_known_by_the_state_where_the_engine_has_forgotten_its_event() -> None:
    state = {"Status": "exited", "ExitCode": 137, "OOMKilled": True, "StartedAt": format_stamp(1000),
             "FinishedAt": format_stamp(1060)}  # fmt: skip
    (end,) = exits_of([], _container(State=state))
    assert (end.at, end.began, end.by, end.status) == (1060, 1000, "memory", 9)
    (same,) = exits_of(parse_events(_events([("die", 1060, {"exitCode": "137"})])), _container(State=state))  # type: ignore[arg-type]
    assert same.at == 1060
    assert exits_of([], _container()) == ()


@pytest.mark.parametrize("said", ["[]", "{", "[" * 100_000, '{"Action": 1}'])
def test_events_of_another_shape_are_said_to_be_so(said: str) -> None:
    assert isinstance(parse_events(said), Malformed)


# --- what it is ----------------------------------------------------------------------------------------------------


def test_the_policy_and_the_mounts_by_dockers_names() -> None:
    found = _container(
        HostConfig={
            "NetworkMode": "host", "Memory": 1 << 31, "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        },
        Mounts=[
            {"Type": "bind", "Source": "/srv/llm", "Destination": "/app", "RW": True},
            {"Type": "volume", "Name": "conf", "Source": "/var/lib/docker/conf", "Destination": "/conf", "RW": False},
        ],
    )  # fmt: skip
    assert policy_of(found) == {
        "image": "litellm:v1", "command": "litellm --config config.yaml --port 4000", "working-dir": "/app",
        "network": "host", "restart": "on-failure:3", "memory": "2 GB",
    }  # fmt: skip
    assert mounts_of(found) == ("/app is /srv/llm", "/conf is the volume conf, read-only")


@pytest.mark.parametrize(
    ("check", "command", "seconds"),
    [
        ({"Test": ["CMD", "curl", "-f", "http://localhost:4000/health"], "Interval": 5_000_000_000}, "/health", 5.0),
        ({"Test": ["CMD-SHELL", "curl localhost:4000/health"]}, "/health", None),
        (None, "", None),
    ],
)
def test_its_own_check_is_part_of_how_it_is_run(check: Any, command: str, seconds: float | None) -> None:
    config = {"Image": "litellm:v1", "WorkingDir": "/app", **({"Healthcheck": check} if check else {})}
    unit = unit_from(_container(Config=config), "gw", "docker")
    assert (" ".join(unit.health_command).endswith(command), unit.health_seconds) == (True, seconds)
    assert bool(unit.health_command) == bool(check)


def test_a_file_under_a_volume_that_stands_in_a_mounted_folder_is_not_on_this_machine() -> None:
    found = _container(Mounts=[
        {"Type": "bind", "Source": "/srv/llm", "Destination": "/app"},
        {"Type": "volume", "Name": "conf", "Source": "/var/lib/docker/volumes/conf/_data", "Destination": "/app/conf"},
    ])  # fmt: skip
    assert path_on_host(found, "/app/config.yaml") == "/srv/llm/config.yaml"
    assert path_on_host(found, "/app/conf/config.yaml") is None


@pytest.mark.parametrize(("host", "network", "url"), [
    ({"NetworkMode": "host"}, {}, "http://127.0.0.1:4000"),
    ({"NetworkMode": "bridge"}, {"Networks": {"bridge": {"IPAddress": "172.17.0.5"}}}, "http://172.17.0.5:4000"),
    ({}, {"Networks": {"v6": {"IPAddress": "fd00::5"}, "x": None}}, "http://[fd00::5]:4000"),
    ({}, {"Ports": {"4000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
          "Networks": {"bridge": {"IPAddress": "172.17.0.5"}}}, "http://127.0.0.1:8080"),
])  # fmt: skip
def test_the_address_as_it_is_reached_from_here(host: dict[str, str], network: dict[str, Any], url: str) -> None:
    assert unit_from(_container(HostConfig=host, NetworkSettings=network), "gw", "docker").url == url


def test_a_number_of_another_machines_process_is_not_taken_for_one_of_this() -> None:
    here = service_from(_container(), "gw", "docker")
    # this process is older than that container
    old = {"Status": "running", "Pid": os.getppid(), "StartedAt": format_stamp(time.time() + 3600)}
    elsewhere = service_from(_container(State=old), "gw", "docker")
    gone = service_from(_container(State={**old, "Pid": 4_194_305}), "gw", "docker")
    assert (elsewhere.main_pid, gone.main_pid) == (0, 0)
    assert elsewhere.active_state == gone.active_state == "active"
    started = {"Status": "running", "Pid": os.getpid(), "StartedAt": format_stamp(_started())}
    assert service_from(_container(State=started), "gw", "docker").main_pid == os.getpid()
    assert unit_from(_container(State=started), "gw", "docker").root == f"/proc/{os.getpid()}/root"
    assert unit_from(_container(State=old), "gw", "docker").root == ""
    assert here.restarts == 2


def _started() -> float:
    from litellm_tui.host import proc

    found = proc.stat(os.getpid())
    assert found is not None
    return found.started_at


@pytest.mark.parametrize(("stats", "memory"), [
    ({"inactive_file": 400, "total_inactive_file": 300}, 700),
    ({"inactive_file": 400}, 600),
    ({"inactive_file": 4000}, 1000),
    ({}, 1000),
])  # fmt: skip
def test_memory_without_the_page_cache_as_the_client_shows_it(stats: dict[str, int], memory: int) -> None:
    said = {"memory_stats": {"usage": 1000, "stats": stats}, "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}}}
    found = parse_usage(json.dumps(said).encode())
    assert not isinstance(found, Failure)
    assert (found.memory, found.cpu_seconds, found.cpu_percent) == (memory, 2.5, None)


# --- the way to it -------------------------------------------------------------------------------------------------


async def test_orders_and_looks_go_over_the_socket(tmp_path: Path) -> None:
    with Engine(tmp_path) as there:
        there.inspected = json.dumps({"Id": "abc", "Name": "/gw", "State": {"Status": "exited"}}).encode()
        access = BySocket(str(there.socket))
        found = await access.inspect("gw/../x")
        assert isinstance(found, Container)
        assert await access.order("restart", "gw") is None
        assert there.asked == ["/containers/gw%2F..%2Fx/json", "/containers/gw/restart"]
        assert isinstance(inspect_now(str(there.client), "gw"), Container)
        there.status, there.inspected = "304 Not Modified", b""
        assert await access.order("start", "gw") is None
        there.status, there.inspected = "404 Not Found", b'{"message":"No such container: gw"}'
        assert isinstance(await access.order("start", "gw"), NoSuchService)
        there.status, there.inspected = "500 Internal Server Error", b'{"message":"driver failed: port is allocated"}'
        assert await access.order("start", "gw") == NotAvailable(
            "Error response from daemon: driver failed: port is allocated"
        )
    assert isinstance(await access.inspect("gw"), Unreachable)
    assert isinstance(engine_api.ask_now(str(there.socket), "/x", seconds=1), Unreachable)


async def test_an_answer_without_end_is_not_kept(tmp_path: Path) -> None:
    with Engine(tmp_path) as there:
        there.inspected = b"x" * 5000
        for said in (
            await engine_api.ask(str(there.socket), "/x", seconds=5, limit=4096),
            engine_api.ask_now(str(there.socket), "/x", seconds=5, limit=4096),
        ):
            assert isinstance(said, Malformed)
            assert "4 kB" in said.why
        there.inspected = b"<html>"
        assert isinstance(await BySocket(str(there.socket)).inspect("gw"), Malformed)
        assert isinstance(await BySocket(str(there.socket)).usage("gw"), Malformed)


async def test_without_a_client_the_socket_itself_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with Engine(tmp_path) as there:
        there.client.unlink()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{there.socket}")
        assert await find_socket("docker") == find_socket_now("docker") == str(there.socket)
        assert await find_socket("podman") == ""
        there.inspected = json.dumps({"Id": "abc", "Name": "/gw", "State": {"Status": "created"}}).encode()
        found = await driver(_profile().service_target).look()
        assert isinstance(found, Service)
        assert (found.load_state, found.active_state) == ("loaded", "inactive")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    lacking = await driver(_profile().service_target).look()
    assert isinstance(lacking, NotAvailable)
    assert lacking.why.count("No such file or directory") == 1
    client = await ByClient("docker").order("start", "gw")
    assert isinstance(client, NotAvailable)


def _profile() -> Profile:
    return resolve(Options(container="gw"), Settings())


def test_a_container_has_to_be_named() -> None:
    found = resolve(Options(kind="docker"), Settings(), environ={})
    assert found.unit is None
    assert "--container" in found.missing[0].mend
    assert driver(found.service_target).operated == ()
    assert driver(found.service_target).log_source == ""


# --- a configuration that only it has ------------------------------------------------------------------------------


def _tar(name: str, content: bytes = b"", *, link: str = "", mtime: int = 1_700_000_000, kind: bytes = b"") -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime = len(content), mtime
        if link:
            entry.type, entry.linkname = tarfile.SYMTYPE, link
        if kind:
            entry.type = kind
        tar.addfile(entry, io.BytesIO(content))
    return written.getvalue()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_it_is_copied_with_its_includes_and_its_time_and_is_no_file_to_be_edited(tmp_path: Path, cache: Path) -> None:
    with Engine(tmp_path) as there:
        there.bodies["/archive"] = _tar("config.yaml", "# Größe\nmodel_list: []\n".encode())
        path = copy_config(str(there.client), "gw", "/app/../conf/config.yaml")
        assert isinstance(path, str)
        assert Path(path) == copies() / "gw/conf/config.yaml"
        before = Path(path).stat().st_ino
        copy_config(str(there.client), "gw", "/app/../conf/config.yaml")
        assert Path(path).stat().st_ino == before, "what has not changed is not written anew"
        there.bodies["/archive"] = _tar("config.yaml", b"include: [more.yaml, ../../../../outside.yaml]\n")
        copy_config(str(there.client), "gw", "/conf/config.yaml")
    assert origin(path) == ("gw", "/conf/config.yaml")
    assert {file.name for file in cache.rglob("*") if file.is_file()} == {"config.yaml", "more.yaml"}
    assert all(file.is_relative_to(copies() / "gw") for file in cache.rglob("*.yaml"))
    assert changed_at([path]) == 1_700_000_000, "when the copy was made says nothing"
    assert "only in the container gw" in not_editable(path)
    assert way_to_write(path) == ("", not_editable(path))
    refused = rewrite(path, Path(path).read_bytes(), b"x: 1\n", tmp_path / "copy")
    assert isinstance(refused, Failure)
    assert "only in the container gw" in refused.why
    opened = edit(path, {"EDITOR": "false"})
    assert isinstance(opened, NotAvailable)
    assert "mount it from this machine" in opened.why


def test_links_are_followed_in_the_container_and_not_for_ever(tmp_path: Path, cache: Path) -> None:
    with Engine(tmp_path) as there:
        there.bodies["/archive"] = _tar("config.yaml", link="/etc/litellm/real.yaml")
        found = read_inside(str(there.client), "gw", "/app/config.yaml")
        assert isinstance(found, NotAvailable)
        assert "too many links" in found.why
        asked = [target for target in there.asked if "/archive" in target]
        assert asked[1] == "/containers/gw/archive?path=%2Fetc%2Flitellm%2Freal.yaml"
        assert len(asked) < 20


@pytest.mark.parametrize(("archive", "words"), [
    (b"no archive", "something else than an archive"),
    (b"\0" * 1024, "without a file"),
    (_tar("app", kind=tarfile.DIRTYPE), "a folder"),
    (_tar("pipe", kind=tarfile.FIFOTYPE), "no regular file"),
])  # fmt: skip
def test_what_is_no_file_is_said_to_be_none(archive: bytes, words: str, tmp_path: Path, cache: Path) -> None:
    with Engine(tmp_path) as there:
        there.bodies["/archive"] = archive
        found = copy_config(str(there.client), "gw", "/app/config.yaml")
        assert isinstance(found, Failure)
        assert words in found.why
    assert not cache.exists()


def test_through_the_client_bytes_stay_what_they_are(tmp_path: Path) -> None:
    archive = _tar("config.yaml", b"# \xff\xfe\r\n")
    (tmp_path / "archive").write_bytes(archive)
    client = tmp_path / "client"
    client.write_text(f'#!/bin/sh\n[ "$1" = cp ] || exit 1\nexec cat "{tmp_path}/archive"\n', encoding="utf-8")
    client.chmod(0o755)
    assert archive_now(str(client), "gw", "/app/config.yaml", 1 << 20) == archive
    assert isinstance(archive_now(str(client), "gw", "/app/config.yaml", 100), Malformed)
    assert isinstance(archive_now(str(tmp_path / "none"), "gw", "/x", 100), NotAvailable)


async def test_a_socket_that_this_user_may_not_open_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("asyncio.open_unix_connection", refuse)
    found = await BySocket(str(tmp_path / "docker.sock")).inspect("gw")
    assert isinstance(found, Denied)
    assert "join the group docker" in found.why
    assert Docker(container="gw").client == "docker"


KILLED = [("kill", 140, {"signal": "9"}), ("die", 140, {"exitCode": "137"})]


def test_the_client_is_asked_for_the_very_line_which_podman_would_leave_out() -> None:
    asked = [LogRequest(since=f"2026-11-21T02:20:00.{below}Z").options()[2] for below in ("000000000", "120000000")]
    assert asked == ["2026-11-21T02:19:59.999999999Z", "2026-11-21T02:20:00.119999999Z"]
    assert LogRequest(tail=5).options() == ["--timestamps", "--tail", "5"]
    assert LogRequest(since="yesterday").options()[2] == "yesterday"


class Remembering:
    """An engine's events, and how often they were asked for."""

    seldom = False

    def __init__(self, said: str) -> None:
        self.said, self.asked = said, 0

    async def events(self, _: str) -> Any:
        self.asked += 1
        return parse_events(self.said)


@pytest.mark.parametrize(("rows", "state"), [
    ([("start", 100, {}), ("kill", 130, {"signal": "15"}), *KILLED], "inactive (dead)"),
    ([("start", 100, {}), ("die", 140, {"exitCode": "137"})], "failed (failed)"),
    ([("start", 100, {}), ("oom", 139, {}), ("die", 140, {"exitCode": "137"})], "failed (failed)"),
    # forgotten: what is known is that it was killed
    ([], "failed (failed)"),
])  # fmt: skip
async def test_what_did_not_end_in_time_when_it_was_asked_to_was_stopped_and_has_not_failed(
    rows: list[tuple[str, int, dict[str, str]]], state: str
) -> None:
    ended = _container(State={"Status": "exited", "ExitCode": 137, "FinishedAt": format_stamp(140)})
    engine, ends = Remembering(_events(rows)), OrderedEnds()
    for _ in range(3):
        found = await ends.explain(service_from(ended, "gw", "docker"), ended, engine)  # type: ignore[arg-type]
        assert f"{found.active_state} ({found.sub_state})" == state
    assert engine.asked == 1
    running = _container()
    assert (await ends.explain(service_from(running, "gw", "docker"), running, engine)).active_state == "active"  # type: ignore[arg-type]
    assert engine.asked == 1


async def test_while_it_is_stopped_here_it_is_said_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Engine(tmp_path) as there:
        there.inspected = json.dumps([]).encode()
        state = {"Status": "running", "Pid": os.getpid(), "StartedAt": format_stamp(_started())}
        there.bodies["/json"] = json.dumps({"Id": "abc", "Name": "/gw", "State": state}).encode()
        there.bodies["/stats"] = b"{}"
        monkeypatch.setenv("DOCKER_HOST", f"unix://{there.socket}")
        mine = driver(_profile().service_target)
        seen: list[str] = []

        async def order(*_: object) -> None:
            found = await mine.look()
            assert isinstance(found, Service)
            seen.append(found.active_state)

        monkeypatch.setattr(BySocket, "order", order)
        for verb in ("stop", "restart", "start"):
            assert await mine.order(verb) is None
        assert seen == ["deactivating", "deactivating", "active"]
        found = await mine.look()
        assert isinstance(found, Service)
        assert found.active_state == "active"
