"""Who runs what: the groups of tests, their order, and how many with labs are under way at a time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("xdist")

from tests import workers
from tests.conftest import LONG, OF_EACH, is_long
from tests.workers import LABS_AT_ONCE, SHARED, WATCH, Groups, group_of, is_lab, labs_at_once, place_of


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/lab/test_calm.py::test_it[1.106.2]", WATCH),
        ("tests/lab/test_lab.py::test_it", SHARED),
        ("tests/lab/test_gateway.py::test_it[1.77.7-no key]", SHARED),
        ("tests/lab/test_restart.py::test_it[--undo]", "tests/lab/test_restart.py"),
        ("tests/lab/test_kubernetes_changes.py::test_it", "tests/lab/test_kubernetes_"),
        ("tests/proving/test_proofs.py::test_it[1.77.7-a case [1.2.3]]", "tests/proving 1.77.7"),
        ("tests/proving/test_ground.py::test_it[1.106.2]", "tests/proving 1.106.2"),
        ("tests/proving/test_proofs.py::test_no_two_cases_share_a_name", "tests/proving/test_proofs.py"),
        ("tests/ui/test_keys.py::test_it[1.2.3]", "tests/ui/test_keys.py"),
    ],
)
def test_a_test_is_in_one_group(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_what_lasts_longest_is_taken_first() -> None:
    groups = [WATCH, "tests/proving 1.77.7", "tests/lab/test_restart.py", SHARED, "tests/lab/test_probe.py"]
    groups += ["tests/ui/test_keys.py", "tests/ui/test_audit_screen.py", "tests/proving/test_proofs.py"]
    assert sorted([*groups[1::2], *groups[::2]], key=place_of) == groups


def test_a_machine_with_little_memory_has_fewer_labs_at_once() -> None:
    assert [labs_at_once(memory) for memory in (2_000, 7_000, 8_000, 16_000)] == [1, 1, 2, LABS_AT_ONCE]


@pytest.mark.parametrize(
    ("nodeid", "long"),
    [
        ("tests/lab/test_faults.py::test_it[1.106.2-x]", True),
        ("tests/lab/test_router.py::test_it[1.106.2]", False),
        ("tests/lab/test_router.py::test_it[1.77.7]", True),
        ("tests/lab/test_gateway.py::test_it[1.77.7]", True),
        ("tests/lab/test_restart.py::test_a_port_that_is_taken", True),
        ("tests/lab/test_restart.py::test_a_fatal_setting_is_refused_and_when_forced_rolled_back", False),
    ],
)
def test_what_takes_minutes_is_left_out(nodeid: str, long: bool) -> None:
    assert is_long(nodeid, "1.106.2") == long


def test_what_is_left_out_is_there() -> None:
    """A name that has changed would be run every day, and nobody would see it."""
    for name in (*LONG, *OF_EACH):
        file, _, function = name.partition("::")
        assert f"def {function}" in (ROOT / file).read_text(encoding="utf-8")


ROOT = Path(__file__).parents[1]


class _Node:
    """A worker that only notes what it is given."""

    shutting_down = False

    def __init__(self, number: int) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}")
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def _scheduled(workers: int, collection: list[str]) -> tuple[Groups, list[_Node]]:
    config: Any = SimpleNamespace(
        getvalue=lambda _: ["popen"] * workers, option=SimpleNamespace(loadscopereorder=False)
    )
    scheduler, nodes = Groups(config, _Log()), [_Node(number) for number in range(workers)]
    for node in nodes:
        scheduler.add_node(node)
        scheduler.add_node_collection(node, collection)
    scheduler.schedule()
    return scheduler, nodes


def test_groups_with_labs_leave_workers_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "memory_here", lambda: 16_000)
    labs = [f"tests/lab/test_{name}.py" for name in ("calm", "restart", "faults", "console", "probe", "drill")]
    collection = [f"{file}::test_{number}" for file in (*labs, "tests/ui/a.py", "tests/b.py") for number in range(5)]
    scheduler, nodes = _scheduled(5, collection)

    def files() -> list[str]:
        return [collection[node.given[-1]].partition("::")[0] for node in nodes]

    assert files() == [*labs[: 1 + LABS_AT_ONCE], "tests/ui/a.py"]
    # one of them has run to its last two tests, and gets the next group: three with labs are under way as before
    for index in nodes[1].given[:3]:
        scheduler.mark_test_complete(nodes[1], index)
    assert files()[1] == "tests/b.py"
    for index in nodes[1].given[3:8]:
        scheduler.mark_test_complete(nodes[1], index)
    assert files()[1] == "tests/lab/test_probe.py"
    assert sum(is_lab(group) for group in files()) == LABS_AT_ONCE


def test_nothing_waits_behind_the_watch() -> None:
    collection = [f"{WATCH}::test_{number}" for number in range(2)]
    collection += [f"tests/{file}.py::test_it" for file in "abc"]
    scheduler, (watching, other) = _scheduled(2, collection)
    assert (watching.given, other.given) == ([0, 1], [2, 3])
    scheduler.mark_test_complete(other, 2)
    assert (watching.given, other.given) == ([0, 1], [2, 3, 4])
    scheduler.mark_test_complete(watching, 0)
    assert watching.shutting_down, "the last test is run when there are no more"


class _Log:
    """py's producer, as far as the scheduler uses it."""

    def __getattr__(self, name: str) -> _Log:
        return self

    def __call__(self, *_: Any) -> None:
        """Nothing is written."""
