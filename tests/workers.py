"""Which tests share a worker of pytest-xdist, and in which order the workers take them.

A group is what one worker runs: the tests of `tests/lab` that share labs, the proofs of one LiteLLM, any other file.
What lasts longest begins first. The lab's tests mostly wait, so some of their groups run at the same time, beside the
other tests; no more of them than a small machine can start LiteLLM for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]

# The long watch has a worker of its own: it lasts as long as everything else takes.
WATCH = "tests/lab/test_calm.py"
# These share the labs of the session.
SHARED = "tests/lab"
PROVING = "tests/proving "
SHARING = ("test_lab.py", "test_commands.py", "test_gateway.py", "test_notify.py")
# These share the cluster of the session.
CLUSTER = "tests/lab/test_kubernetes_"
# These share the engine of the session.
ENGINE = "tests/lab/test_docker_"
_LONG_LABS = ("rehearsal_files", "faults", "restart", "fleet_hosts", "console", "record", "upgrade")
FIRST = tuple(f"tests/lab/test_{name}.py" for name in _LONG_LABS)
# What lasts longest of all that has no lab.
LONGEST = tuple(
    f"tests/{name}.py"
    for name in (
        "ui/test_keys",
        "fuzz/test_log_lines",
        "ui/test_audit_screen",
        "collectors/test_litellm_errors",
        "ui/test_logs",
        "commands/test_own_faults",
        "ui/test_snapshots",
        "logs/test_journal",
        "collectors/test_litellm_reader",
        "analysis/test_nesting",
        "ui/test_difference_screen",
        "monitor/test_scale",
    )
)
LABS_AT_ONCE = 3
# In MiB: five workers take 600 each by their end, the watch has up to six LiteLLMs of 300 to 400, the types take 700.
BESIDE_LABS = 5500
# A group's LiteLLMs, or the forks of one, with their systemd, Redis and consoles.
OF_LABS = 900
_VERSION = re.compile(r"\[(\d+(?:\.\d+)+)")


def group_of(nodeid: str) -> str:
    """The group of a test, by its node id."""
    path, _, name = nodeid.partition("::")
    if path.startswith("tests/lab/"):
        for shared in (ENGINE, CLUSTER):
            if path.startswith(shared):
                return shared
        return SHARED if path.endswith(SHARING) else path
    if path.startswith("tests/proving/") and (found := _VERSION.search(name)):
        # each worker pays the imports of one LiteLLM
        return f"tests/proving {found[1]}"
    return path


def place_of(group: str) -> int:
    """Smaller is earlier: the watch, all starts of one LiteLLM, the longest labs, other labs, and what has none."""
    order = (WATCH, PROVING, *FIRST, SHARED, "other labs", CLUSTER, *LONGEST)
    if group.startswith(PROVING):
        return order.index(PROVING)
    if group in order:
        return order.index(group)
    return order.index("other labs") if is_lab(group) else len(order)


def labs_at_once(memory: int) -> int:
    """How many groups with labs may be under way on a machine of so many MiB.

    Where there are too few, the kernel ends a LiteLLM.
    """
    return max(1, min(LABS_AT_ONCE, (memory - BESIDE_LABS) // OF_LABS))


def memory_here() -> int:
    """The machine's, in MiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1 << 20)


def is_lab(group: str) -> bool:
    """Whether the group has labs, or starts one LiteLLM after another; the long watch, always under way, is none."""
    return group.startswith((SHARED, PROVING)) and group != WATCH


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist is not typed throughout
    """Hands the groups to the workers in the order of collection, at most `labs_at_once` with labs at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)

    def _reschedule(self, node: WorkerController) -> None:
        # What would be handed to the worker that waits for the watch would wait as long.
        waiting = list(self.assigned_work[node].get(WATCH, {}).values()).count(False) > 1
        if not waiting or not self.workqueue:
            super()._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        under_way = sum(
            is_lab(group) and not all(tests.values())
            for assigned in self.assigned_work.values()
            for group, tests in assigned.items()
        )
        if under_way >= labs_at_once(memory_here()):
            other = next((group for group in self.workqueue if not is_lab(group)), None)
            if other is not None:
                self.workqueue.move_to_end(other, last=False)
        super()._assign_work_unit(node)


def make_scheduler(config: pytest.Config, log: Callable[..., Any]) -> Groups:
    """For the hook `pytest_xdist_make_scheduler`."""
    config.option.loadscopereorder = False
    return Groups(config, log)
