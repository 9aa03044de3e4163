from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.conftest import IS_WORKER
from tests.lab import Environment, Lab, environments, missing, required
from tests.lab.calm import VARIABLE as CALM_SECONDS
from tests.lab.calm import Calm
from tests.lab.engine import Engine, kubernetes
from tests.lab.environments import LabError

HERE = Path(__file__).parent
WATCH = HERE / "test_calm.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.lab)
    if not IS_WORKER:
        # What runs beside all others begins with the first of the lab's tests, and is asked for its result last.
        items.sort(key=lambda item: (item.path == WATCH, not item.path.is_relative_to(HERE)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What failed in a lab is told with what became of its LiteLLM."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for lab in {id(one): one for one in item.funcargs.values() if isinstance(one, Lab)}.values():
            try:
                words = lab.last_words()
            except (LabError, OSError, subprocess.SubprocessError) as error:
                words = f"it cannot be asked: {error}"
            report.sections.append(("the lab", words))
    return report


def _without_lab(reason: str) -> NoReturn:
    if required():
        pytest.fail(f"the lab is required here, but: {reason}", pytrace=False)
    pytest.skip(f"no lab: {reason}")


@pytest.fixture(scope="session")
def lab_possible() -> None:
    reason = missing()
    if reason:
        _without_lab(reason)


@pytest.fixture(scope="session")
def calm_labs(request: pytest.FixtureRequest) -> Iterator[dict[Environment, Calm]]:
    """The long watches, begun with the first test of the lab where a test of theirs is among the chosen ones."""
    if not request.config.getoption("--long"):
        os.environ.setdefault(CALM_SECONDS, "300")
    chosen = {
        item.callspec.params["environment"]: None
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == WATCH and not item.get_closest_marker("skip")
    }
    watches = {one: Calm(one) for one in chosen if isinstance(one, Environment)} if not missing() else {}
    yield watches
    for watch in watches.values():
        watch.stop()


@pytest.fixture(autouse=True)
def watches_begin(request: pytest.FixtureRequest) -> None:
    """With the first test of the lab; where there are several workers, in the one that has theirs."""
    if not IS_WORKER or request.path == WATCH:
        request.getfixturevalue("calm_labs")


@pytest.fixture(scope="session")
def lab(lab_possible: None) -> Iterator[Lab]:
    """The newest LiteLLM as a user service; shared by the whole session, so leave it as it was."""
    with Lab.boot() as booted:
        yield booted


_FOUND: list[Environment | None] = [*environments()] or [None]


@pytest.fixture(scope="session", params=_FOUND, ids=lambda found: found.version if found else "none")
def lab_environment(request: pytest.FixtureRequest, lab_possible: None) -> Environment:
    environment = request.param
    assert isinstance(environment, Environment)
    return environment


@pytest.fixture(scope="session")
def lab_version(request: pytest.FixtureRequest, lab_environment: Environment) -> Iterator[Lab]:
    """A lab for each LiteLLM there is; the newest is the shared one."""
    if lab_environment == environments()[0]:
        yield request.getfixturevalue("lab")
    else:
        with Lab.boot(litellm=lab_environment) as booted:
            yield booted


@pytest.fixture
def boot_lab(lab_possible: None) -> Iterator[Callable[..., Lab]]:
    """Labs of a test's own, to destroy at will: takes what `Lab.boot` takes."""
    with ExitStack() as stack:

        def boot(*arguments: Any, **options: Any) -> Lab:
            return stack.enter_context(Lab.boot(*arguments, **options))

        yield boot


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    """A real Docker engine, shared by the whole session: what a test makes in it, it removes."""
    try:
        engine = Engine.boot()
    except LabError as error:
        _without_lab(str(error))
    with engine:
        yield engine


@pytest.fixture(scope="session")
def cluster() -> Iterator[kubernetes.Cluster]:
    """A real Kubernetes of one node, shared by the whole session; nothing builds it by itself yet."""
    if reason := kubernetes.missing():
        pytest.skip(f"no lab: {reason}")
    try:
        booted = kubernetes.Cluster.boot()
    except LabError as error:
        _without_lab(str(error))
    with booted:
        yield booted
