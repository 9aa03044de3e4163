"""What a service said last, when it has failed: an exception, else its last line as it stands."""

from __future__ import annotations

import pytest

from litellm_tui.actions.transaction.messages import last_words


@pytest.mark.parametrize(("log", "known", "words"), [
    (("INFO: it starts", "Traceback\nValueError: no such strategy", "it ends"), "", "ValueError: no such strategy"),
    (("it starts", "SPOILT is set: it does not start\n"), "failed", "it said last: SPOILT is set: it does not start"),
    (("ValueError: no such strategy",), "failed: its last words: ValueError: no such strategy", ""),
    # what systemd wrote about it
    (
        ("cannot read /etc/litellm.toml", "litellm.service: Main process exited, code=exited, status=1/FAILURE",
         "litellm.service: Failed with result 'exit-code'.", "Failed to start litellm.service - LiteLLM proxy."),
        "", "it said last: cannot read /etc/litellm.toml",
    ),
    (("Stopped litellm.service - LiteLLM proxy.", "Started litellm.service."), "failed", ""),
    ((), "failed", ""),
])  # fmt: skip
def test_the_last_words(log: tuple[str, ...], known: str, words: str) -> None:
    assert last_words(log, known) == words
