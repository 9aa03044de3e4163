from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.lab import Environment, environments, required
from tests.lab.environments import VARIABLE, newest_environments
from tests.proving.ground import Ground

_FOUND: list[Environment | None] = [*environments()] or [None]
# the corpus is of what is new: the oldest LiteLLM here is proved by the cases alone
_CORPUS: list[Environment | None] = [
    found for found in (*newest_environments(), *environments()) if found.order >= (1, 100)
]


@pytest.fixture(scope="session")
def grounds() -> Iterator[Callable[[Environment | None], Ground]]:
    """The ground of a LiteLLM: all tests of a session share it, so each LiteLLM is imported once."""
    made: dict[Environment, Ground] = {}

    def ground_of(environment: Environment | None) -> Ground:
        if environment is None:
            named = os.environ.get(VARIABLE)
            reason = f"none of {named} holds bin/litellm" if named else f"{VARIABLE} names no LiteLLM environment"
            if required():
                pytest.fail(f"a LiteLLM is required here, but: {reason}", pytrace=False)
            pytest.skip(f"no proving ground: {reason}")
        if environment not in made:
            made[environment] = Ground(environment)
        return made[environment]

    yield ground_of
    for ground in made.values():
        ground.close()


@pytest.fixture(scope="session", params=_FOUND, ids=lambda found: found.version if found else "none")
def ground(request: pytest.FixtureRequest, grounds: Callable[[Environment | None], Ground]) -> Ground:
    """A ground for each LiteLLM of the lab."""
    return grounds(request.param)


@pytest.fixture(scope="session", params=_CORPUS or [None], ids=lambda found: found.version if found else "none")
def corpus_ground(request: pytest.FixtureRequest, grounds: Callable[[Environment | None], Ground]) -> Ground:
    """A ground for each LiteLLM that the corpus is started on: those of the lab since 1.100, and the newest."""
    return grounds(request.param)
