"""Stack traces folded to the frames that matter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.analysis.failures.stack_trace import fold_stack_trace

_SITE = "/opt/litellm/lib/python3.11/site-packages"


def _frame(path: str, line: int, code: str = "await it()") -> str:
    return f'  File "{path}", line {line}, in it\n    {code}\n    ^^^^^^^^^^'


TRACE = "\n".join([
    "Traceback (most recent call last):",
    _frame(f"{_SITE}/httpx/_client.py", 1),
    _frame(f"{_SITE}/httpcore/_sync.py", 2),
    _frame("/usr/lib/python3.11/asyncio/tasks.py", 3),
    "httpx.ConnectError: refused",
    "",
    "The above exception was the direct cause of the following exception:",
    "",
    "Traceback (most recent call last):",
    _frame(f"{_SITE}/litellm/main.py", 4),
    _frame(f"{_SITE}/litellm/utils.py", 5),
    _frame("/srv/callbacks/mine.py", 6),
    _frame(f"{_SITE}/litellm/router.py", 7),
    _frame(f"{_SITE}/litellm/llms/openai.py", 8),
    _frame(f"{_SITE}/openai/_base.py", 9),
    "litellm.InternalServerError: InternalServerError: OpenAIException - boom",
    "over two lines",
])  # fmt: skip


def test_frames_of_packages_are_one_line_with_their_count() -> None:
    assert fold_stack_trace(TRACE) == [
        "Traceback (most recent call last):",
        "  … 3 frames: httpx 1, httpcore 1, Python 1",
        "httpx.ConnectError: refused",
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        "Traceback (most recent call last):",
        "  … 2 frames: litellm 2",
        *_frame("/srv/callbacks/mine.py", 6).split("\n"),
        *_frame("…/litellm/router.py", 7).split("\n"),
        *_frame("…/litellm/llms/openai.py", 8).split("\n"),
        "  … 1 frame: openai 1",
        "litellm.InternalServerError: InternalServerError: OpenAIException - boom",
        "over two lines",
    ]


def test_text_without_frames_stays_as_it_is() -> None:
    assert fold_stack_trace("nothing\n    indented\nof this") == ["nothing", "    indented", "of this"]
    assert fold_stack_trace("") == [""]


@given(st.text())
def test_no_text_raises_and_every_line_that_is_no_frame_stays(text: str) -> None:
    lines = fold_stack_trace(text)
    assert len(lines) <= text.count("\n") + 1
    if "File" not in text:
        assert lines == text.split("\n")
