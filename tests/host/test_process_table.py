"""What /proc says of all processes: their beginnings, their places and where they listen."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from litellm_tui.host.process_table import Listener, ProcessTable
from tests.processes import FakeProcesses

ID = "4f" * 32


@pytest.fixture
def fake(tmp_path: Path) -> FakeProcesses:
    return FakeProcesses(tmp_path / "proc")


def _table(fake: FakeProcesses) -> ProcessTable:
    return ProcessTable(str(fake.root))


def test_a_process_tells_what_it_runs_and_where(fake: FakeProcesses) -> None:
    fake.add(20, ["sleep", "a b"], environment={"A": "1=2"}, folder="/srv", output="/var/log/x.log")
    table = _table(fake)
    assert table.pids() == [1, 20]
    assert table.words(20) == ("sleep", "a b")
    assert table.environment(20) == {"A": "1=2"}
    assert table.folder(20) == "/srv"
    assert table.output(20, 1) == "/var/log/x.log"
    assert table.user(20) == os.geteuid()


def test_what_may_not_be_read_is_not_known_and_nothing_else(fake: FakeProcesses) -> None:
    fake.add(20, ["sleep"], ports=[4000], readable=False)
    table = _table(fake)
    assert table.words(20) == ("sleep",)
    assert (table.environment(20), table.folder(20), table.output(20, 1)) == (None, None, None)
    assert table.listeners(20) == []
    assert [one.port for one in table.all_listeners().values()] == [4000]


def test_a_process_that_is_gone_and_a_folder_that_is_not_there_are_empty(tmp_path: Path) -> None:
    table = ProcessTable(str(tmp_path / "none"))
    assert table.pids() == []
    assert (table.words(7), table.parent(7), table.user(7), table.container(7)) == ((), 0, None, "")
    assert list(table.ancestors(7)) == []


def test_the_ancestors_end_before_the_first_process_and_in_a_circle(fake: FakeProcesses) -> None:
    fake.add(20, ["a"])
    fake.add(21, ["b"], parent=20, name="odd) 1 2")
    fake.add(22, ["c"], parent=21)
    fake.add(30, ["d"], parent=31)
    fake.add(31, ["e"], parent=30)
    assert list(_table(fake).ancestors(22)) == [21, 20]
    assert list(_table(fake).ancestors(30)) == [31]


@pytest.mark.parametrize(
    ("group", "container"),
    [
        (f"0::/system.slice/docker-{ID}.scope", ID),
        (f"12:memory:/docker/{ID}", ID),
        (f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container", ID),
        (f"0::/machine.slice/libpod-{ID}.scope", ID),
        ("0::/user.slice/session-1.scope", ""),
        (f"0::/x{ID}", ""),
    ],
)
def test_the_container_of_a_process_is_read_from_its_control_group(
    fake: FakeProcesses, group: str, container: str
) -> None:
    fake.add(20, ["a"], group=group)
    assert _table(fake).container(20) == container


def test_a_namespace_of_its_own_is_seen(fake: FakeProcesses) -> None:
    fake.add(20, ["a"], namespaces=2)
    fake.add(21, ["a"])
    assert [_table(fake).is_contained(pid) for pid in (20, 21)] == [True, False]


@pytest.mark.parametrize(
    ("group", "unit"),
    [
        ("0::/system.slice/litellm.service", ("litellm.service", False)),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/llm.service", ("llm.service", True)),
        ("1:name=systemd:/system.slice/litellm.service/child", ("litellm.service", False)),
        ("0::/user.slice/user-1000.slice/user@1000.service/tmux-spawn-1.scope", None),
        ("0::/user.slice/user-0.slice/session-3.scope", None),
    ],
)
def test_the_unit_of_a_process_is_that_of_its_control_group(
    fake: FakeProcesses, group: str, unit: tuple[str, bool] | None
) -> None:
    fake.add(20, ["a"], group=group)
    assert _table(fake).unit(20) == unit


def test_addresses_are_those_by_which_this_machine_reaches_them(fake: FakeProcesses) -> None:
    def word(raw: bytes) -> str:
        return "".join(f"{int.from_bytes(raw[at : at + 4], sys.byteorder):08X}" for at in range(0, len(raw), 4))

    addresses = ["0.0.0.0", "127.0.0.2", "::", "::1", "::ffff:10.0.0.7"]
    lines = ["head"]
    for number, text in enumerate(addresses):
        family = socket.AF_INET6 if ":" in text else socket.AF_INET
        place = f"{word(socket.inet_pton(family, text))}:{4000 + number:04X}"
        lines.append(f"0: {place} 0:0 0A 0:0 00:0 0 1000 0 {number} 1 0")
    lines += ["0: broken", "0: ZZ:0001 0:0 0A 0:0 00:0 0 0 0 9 1 0", "0: 00000000:0FA0 0:0 01 0:0 00:0 0 0 0 8 1 0"]
    (fake.root / "net" / "tcp6").write_text("\n".join(lines))
    found = list(_table(fake).all_listeners().values())
    shown = ["127.0.0.1", "127.0.0.2", "127.0.0.1", "[::1]", "10.0.0.7"]
    assert found == [Listener(address, 4000 + number, 1000) for number, address in enumerate(shown)]


def test_a_socket_of_this_very_process_is_found_in_the_real_proc() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert Listener("127.0.0.1", port, os.geteuid()) in ProcessTable().listeners(os.getpid())
