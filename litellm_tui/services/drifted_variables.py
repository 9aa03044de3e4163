"""Variables that are written for a process, and that it was started without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from litellm_tui.analysis.redaction.redactor import MASK
from litellm_tui.model.service_drift import Difference


def changed_variables(written: Mapping[str, tuple[str, str]], running: Mapping[str, str]) -> Iterator[Difference]:
    """Those that it has not got, or not with this value. `written` holds values and sources; values are masked."""
    for name, (value, source) in sorted(written.items()):
        if running.get(name) != value:
            yield Difference("variable", name, MASK if name in running else "", MASK, source)
