from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.service_suite")

# how long an example takes says something about the machine, and nothing about the package
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Callable[..., Any]) -> object:
    from tests.workers import make_scheduler

    return make_scheduler(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if IS_WORKER:
        from tests.workers import group_of, place_of

        items.sort(key=lambda item: place_of(group_of(item.nodeid)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Beside the lab, whose services keep real time limits, everything else gives way."""
    if IS_WORKER and os.geteuid() == 0:
        os.setpriority(os.PRIO_PROCESS, 0, 0 if item.get_closest_marker("lab") else 5)
