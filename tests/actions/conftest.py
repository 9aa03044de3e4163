from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.actions.standin import StandIn, standing_in


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with standing_in() as found:
        yield found
