from __future__ import annotations

import gc
import os
import re
import signal
import time
from collections.abc import Callable, Generator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings

from litellm_tui.model.service_kinds import Tools
from litellm_tui.target import resolution

pytest.register_assert_rewrite("tests.service_suite")

# how long an example takes says something about the machine, and nothing about the package
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def take_signals() -> None:
    """Programs that the tests start take the signals of a terminal, also where the tests run behind `nohup` or `&`.

    A process is born with what its parent ignores. Of what the parent has a handler for it is born with the default.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


take_signals()


@pytest.fixture(autouse=True)
def _no_gateways_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that another test, or somebody else, runs on this machine is none that is found."""
    search: Callable[..., Any] = getattr(resolution, "find_gateways")  # noqa: B009  # it is another module's

    def search_apart(tools: Tools, *given: Any, **named: Any) -> Any:
        if tools.proc == "/proc":
            tools = msgspec.structs.replace(tools, proc="/nonexistent", docker_sockets=tools.docker_sockets or ())
        return search(tools, *given, **named)

    monkeypatch.setattr(resolution, "find_gateways", search_apart)


IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
if IS_WORKER:
    # a tenth of a worker's processor time was the collector, going through what stays anyway
    gc.set_threshold(10_000, 20, 20)
# What takes minutes of a processor, and is proved with every change that is taken in.
LONG = (
    "tests/browser/test_chromium.py",
    "tests/lab/test_docker_definition.py",
    "tests/lab/test_docker_gateway.py",
    "tests/lab/test_docker_services.py",
    "tests/lab/test_docker_upgrade.py",
    "tests/lab/test_faults.py",
    "tests/lab/test_fleet_hosts.py",
    "tests/lab/test_found_here.py",
    "tests/lab/test_kubernetes_changes.py",
    "tests/lab/test_podman_services.py",
    "tests/lab/test_record.py",
    "tests/lab/test_rehearsal_files.py",
    "tests/lab/test_rehearsal_harm.py",
    "tests/lab/test_upgrade.py",
    "tests/proving/test_corpus.py",
    "tests/test_packages.py::test_the_",
    # each starts LiteLLM once or twice more, for a cause of its own: others of their kind are tried every day
    *(
        f"tests/lab/test_{name}"
        for name in (
            "console.py::test_another_server_on_the_port_and_none_at_all",
            "console.py::test_volatile_journal",
            "console.py::test_wrong_key_is_refused_and_no_key_is_needed",
            "docker_rehearsal.py::test_a_configuration_in_the_image",
            "docker_rehearsal.py::test_a_console_that_is_killed",
            "docker_rehearsal.py::test_what_is_written_for_the_service_now",
            "rehearsal.py::test_a_unit_of_the_system",
            "rehearsal.py::test_what_only_commands_know",
            "restart.py::test_a_crash_five_seconds_after_the_start",
            "restart.py::test_a_model_that_is_dropped",
            "restart.py::test_a_port_that_is_taken",
            "restart.py::test_a_proxy_that_answers_and_has_loaded_nothing",
            "restart.py::test_a_unit_file_that_changed",
            "restart.py::test_an_environment_variable_that_is_gone",
            "restart.py::test_an_include_that_is_removed",
            "restart.py::test_another_port_is_followed",
            "restart.py::test_yaml_that_is_broken",
        )
    ),
)
# What takes a lab of each LiteLLM: those of the older ones are as long.
_BOOTED_FOR_EACH = ("attribution", "calm", "commands", "drill", "gateway", "lab", "log_whole", "probe", "router")
OF_EACH = tuple(f"tests/lab/test_{name}.py" for name in _BOOTED_FOR_EACH)
_VERSION = re.compile(r"\[(\d+(?:\.\d+)+)")


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether a test that goes through many of a kind takes all of them; without `--long` it takes a spread of them."""
    return bool(request.config.getoption("--long"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also the tests that take minutes each")
    parser.addoption(
        "--midnight-in", type=float, metavar="SECONDS", help="each test begins so long before local midnight"
    )


def is_long(nodeid: str, newest: str) -> bool:
    """Whether a test is left out without `--long`, by its node id and the version of the newest LiteLLM of the lab."""
    version = _VERSION.search(nodeid)
    return nodeid.startswith(LONG) or bool(nodeid.startswith(OF_EACH) and version and version[1] != newest)


def newest_version() -> str:
    """That of the newest LiteLLM that the lab can boot; "" where there is none."""
    from tests.lab.environments import environments

    return next((found.version for found in environments()), "")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Callable[..., Any]) -> object:
    from tests.workers import make_scheduler

    return make_scheduler(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        # a file that is named is run as a whole
        named = tuple(argument.partition("::")[0] for argument in config.args if ".py" in argument)
        for item in items:
            if not item.nodeid.startswith(named) and is_long(item.nodeid, newest_version()):
                item.add_marker(pytest.mark.skip(reason="takes minutes: ./test --long runs it"))
    if IS_WORKER:
        from tests.workers import group_of, place_of

        items.sort(key=lambda item: place_of(group_of(item.nodeid)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Beside the lab, whose services keep real time limits, everything else gives way."""
    if IS_WORKER and os.geteuid() == 0:
        os.setpriority(os.PRIO_PROCESS, 0, 0 if item.get_closest_marker("lab") else 5)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    seconds = item.config.getoption("--midnight-in")
    if seconds is None:
        return (yield)
    zone = os.environ.get("TZ")
    try:
        _set_zone(zone_with_midnight_in(seconds, time.time()))
        return (yield)
    finally:
        _set_zone(zone)


def zone_with_midnight_in(seconds: float, now: float) -> str:
    """A value of TZ for which it is midnight so many seconds after `now`, or up to a second sooner."""
    offset = -int(now + seconds) % 86400
    east = offset if offset < 43200 else offset - 86400
    minutes, second = divmod(abs(east), 60)
    # in TZ, what lies east of Greenwich is negative
    return f"<test>{'-' if east >= 0 else '+'}{minutes // 60}:{minutes % 60:02}:{second:02}"


def _set_zone(zone: str | None) -> None:
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    time.tzset()
