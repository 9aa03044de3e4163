from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.lab import Environment, environments, required
from tests.lab.environments import VARIABLE
from tests.proving.ground import Ground

_FOUND: list[Environment | None] = [*environments()] or [None]


@pytest.fixture(scope="session", params=_FOUND, ids=lambda found: found.version if found else "none")
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """A ground for each LiteLLM there is; shared by the whole session."""
    if request.param is None:
        named = os.environ.get(VARIABLE)
        reason = f"none of {named} holds bin/litellm" if named else f"{VARIABLE} names no LiteLLM environment"
        if required():
            pytest.fail(f"a LiteLLM is required here, but: {reason}", pytrace=False)
        pytest.skip(f"no proving ground: {reason}")
    with Ground(request.param) as made:
        yield made
