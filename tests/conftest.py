from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.service_suite")

# how long an example takes says something about the machine, and nothing about the package
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Beside the lab, whose services keep real time limits, everything else gives way."""
    if "PYTEST_XDIST_WORKER" in os.environ and item.get_closest_marker("lab") is None:
        os.setpriority(os.PRIO_PROCESS, 0, 10)
