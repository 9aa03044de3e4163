from __future__ import annotations

import pytest

from litellm_tui.commands import look
from tests.waiting import DEADLINE


@pytest.fixture(autouse=True)
def patient_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look is over when all was asked, however long a busy machine takes for that."""
    monkeypatch.setattr(look, "PATIENCE_SECONDS", DEADLINE)
