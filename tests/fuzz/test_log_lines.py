"""Everything that reads lines of a log: whatever a line holds, nothing is raised, and the time is linear in its length.

What the lines hold is made of the package's own patterns and of recorded lines, and is the same in each run.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litellm_tui.actions.transaction.messages import last_words
from litellm_tui.analysis.failures.causes import first_words, name_cause
from litellm_tui.analysis.failures.fingerprint import fingerprint
from litellm_tui.analysis.failures.stack_trace import fold_stack_trace
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.logs import log_file
from litellm_tui.logs.command_tail import CommandLines
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.journal_line import decode_lines
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.log import LogRecord
from litellm_tui.model.service_kinds import Custom
from litellm_tui.services.docker.container_log import DockerLines, LogOf
from litellm_tui.services.systemd import unit_exits
from litellm_tui.ui.drawable import drawable
from tests.fuzz import patterns
from tests.fuzz.patterns import Attack
from tests.logs.test_hostile_lines import SECRET, judge
from tests.recorded import FOLDER

NOW: Final = 1_800_000_000.0
REPORT: Final = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - litellm_call_id=a-b - "
ROUTER: Final = "litellm.router.py::async_function_with_fallbacks() - Error occurred while trying to do fallbacks - "
REDACT: Final = Redactor([SECRET, "****secret****"])
LIST: Final = "\nDebug Information:\nCooldown Deployments=[('id', {'exception_received': '"

# bytes of the texts that are timed: all are read once at LARGE, what takes long then is timed at both
LARGE: Final = 6_000
SMALL_AND_LARGE: Final = (12_000, 60_000)
# five times the text may take eight times as long; a plain text of the same length is what others are compared with
MOST_GROWTH: Final = 8.0
MUCH: Final = 4.0
MOST: Final = 60.0


def _json(text: str, **more: str) -> str:
    return json.dumps({"message": text, "level": "ERROR", "component": "LiteLLM Proxy", **more})


def _lines(text: str) -> Iterator[str]:
    """The text in every place of a line where a client, an upstream or a library may put it."""
    yield text
    yield _json(f"{REPORT}{text}", stacktrace=f"Traceback (most recent call last):\n{text}\n")
    yield _json(f"{ROUTER}{text}")
    yield _json(text, model=text[:3000], litellm_call_id=text[:3000])
    yield json.dumps({"message": f"litellm.acompletion(model={text}) Exception {text}", "level": "INFO"})
    yield f"12:00:00 - LiteLLM Router:ERROR: router.py:1 - {ROUTER}litellm.X: {text}{LIST}{text}"
    yield "Traceback (most recent call last):"
    yield f"  File {text}"
    yield f"litellm.exceptions.X: {text}. Received Model Group={text}"
    yield f'INFO:     {text} - "POST /v1/chat/completions{text} HTTP/1.1" 500 X'
    yield f"2026-11-21T02:20:00.1Z litellm-1  | {text}"
    yield f"{text}INFO:     Started server process [1]"


def _intake(text: str, lines: Callable[[str], Iterator[str]] = _lines) -> list[LogRecord]:
    store, traffic = LogStore(), TrafficCounter()
    intake = LogIntake(store, REDACT, traffic)
    intake.add_entries([Entry(NOW, line, 3, 1, "") for line in lines(text)])
    intake.add_entries([Entry(NOW, text, 3, 1, "systemd"), Entry(NOW, text, 3, 1, "", gap=True)])
    intake.incidents.settle()
    intake.incidents.failures(NOW)
    traffic.settle()
    traffic.traffic(NOW, store.get)
    assert intake.log(NOW).unread == 0, "it could not be read"
    return list(store.since(store.first))


def _journal(text: str) -> None:
    for fields in (
        {
            "MESSAGE": text,
            "__CURSOR": f"s=1;i={text[:50]};b=1",
            "__REALTIME_TIMESTAMP": text[:6000],
            "_PID": text[:6000],
        },
        {"MESSAGE": list(text.encode(errors="replace")[:3000]), "PRIORITY": [text, text], "SYSLOG_IDENTIFIER": [text]},
    ):
        entries, _ = decode_lines(json.dumps(fields).encode())
        assert not any(entry.unread for entry in entries), "it could not be read"


def _exits(text: str) -> None:
    said = [
        unit_exits._said(json.dumps({"MESSAGE": text, "SYSLOG_IDENTIFIER": "systemd", "__REALTIME_TIMESTAMP": moment}))
        for moment in ("1", text)
    ]
    unit_exits.exits(filter(None, said))


async def _no_container() -> str:
    return ""


def _docker(text: str) -> None:
    lines = DockerLines(LogOf("docker", "s", _no_container))
    for line in (text, f"2026-11-21T02:20:00.{text}", f"{text}Z {text}", f"2026-11-21T02:20:00.123456789Z {text}"):
        lines.entries(line, False)


def _file(text: str) -> None:
    lines = [text, f'{{"timestamp": "2026-11-21T02:20:00.{text}', f'{{"timestamp": "{text}', f"{text[:8]} - x"]
    log_file.times(lines, NOW)


def _words(text: str) -> None:
    name_cause(f"{text}\nstack trace:{text}")
    first_words(text)
    fingerprint(text)
    fold_stack_trace(f'Traceback\n  File "{text}", line 1\n{text}\n    {text}')
    last_words((text, f"x\n{text}"))
    drawable(text)
    list(secret_parts("DSN", text))


READERS: Final[dict[str, Callable[[str], object]]] = {
    "intake": _intake,
    "journal": _journal,
    "exits": _exits,
    "docker": _docker,
    "file": _file,
    "command": lambda text: CommandLines(Custom(status=("true",))).entries(text, False),
    "words": _words,
}


@cache
def _seeds() -> list[str]:
    return patterns.seeds()


def test_every_pattern_of_the_package_is_among_them() -> None:
    found = patterns.patterns()
    places = " ".join(one.place for one in found)
    for module in (
        "logs.call_line",
        "logs.failure_line",
        "logs.line_forms",
        "logs.line_prefix",
        "logs.log_line",
        "logs.prefix_reader",
        "analysis.redaction.secret_shapes",
        "analysis.failures.causes",
        "analysis.failures.fingerprint",
        "analysis.failures.places",
        "analysis.failures.stack_trace",
        "services.systemd.unit_exits",
    ):
        assert f".{module}." in places
    assert [one.place for one in found if not patterns.matching(one.pattern, 1)] == []
    assert "Received Model Group=" in patterns.words()


@pytest.mark.parametrize("reader", READERS)
def test_nothing_is_raised_by_what_the_patterns_match(reader: str, long: bool) -> None:
    read = READERS[reader]
    # each kind of false number in some of them: what follows a word is another test's, with all of them
    step = 3 if long else 12
    for number, text in enumerate(_seeds()):
        read(text)
        for other in islice(patterns.without_numbers(text), number % step, None, step):
            read(other)


@pytest.mark.parametrize("reader", READERS)
def test_nothing_is_raised_by_what_is_made_of_them(reader: str) -> None:
    read = READERS[reader]
    for text in patterns.hostile(_seeds(), random.Random(1), 500):
        read(text)


def test_what_comes_of_it_moves_no_terminal_and_tells_no_secret() -> None:
    texts = [*_seeds(), SECRET, f" {SECRET} "]
    for text in patterns.hostile(texts, random.Random(2), 200):
        judge(_intake(text))


def test_numbers_that_are_none_do_not_come_from_words() -> None:
    """The constant words of searches, with a number between each two that may stand beside one another."""
    texts = [word for word in patterns.words() if " " in word or "=" in word]
    for number in (".", "1.2.3", "9" * 400, "٣", "1e999"):
        for text in texts:
            _intake(f"{text}{number} seconds{text}{number}")


@cache
def _recorded() -> list[str]:
    found = set()
    for path in sorted(FOLDER.glob("*/*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            fields = json.loads(line)
            if isinstance(fields, dict) and isinstance(fields.get("MESSAGE"), str):
                found.add(fields["MESSAGE"])
    assert len(found) > 100
    return sorted(found)


CHANGES: Final = st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1), st.floats(0, 1), st.integers(0)), max_size=4)


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0), CHANGES)
def test_nothing_is_raised_by_recorded_lines_that_were_changed(
    which: int, changes: list[tuple[int, float, float, int]]
) -> None:
    lines, seeds = _recorded(), _seeds()
    text = lines[which % len(lines)]
    for kind, begin, end, other in changes:
        at, to = sorted((int(begin * len(text)), int(end * len(text))))
        match kind:
            case 0:
                text = text[:at] + text[to:]
            case 1:
                text = text[:to] + text[at:]
            case 2:
                text = text[:at] + seeds[other % len(seeds)] + text[to:]
            case 3:
                text = text[:at] + lines[other % len(lines)] + text[to:]
            case 4:
                numbered = list(patterns.without_numbers(text))
                text = numbered[other % len(numbered)] if numbered else text
    judge(_intake(text, lambda text: iter([text])))
    for reader, read in READERS.items():
        if reader != "intake":
            read(text)


def _cost(read: Callable[[str], object], text: str) -> float:
    # what was asked before is known without being read
    name_cause.cache_clear()
    began = time.thread_time()
    read(text)
    return time.thread_time() - began


def _least(read: Callable[[str], object], text: str, rounds: int = 3) -> float:
    return min(_cost(read, text) for _ in range(rounds))


def _timed(text: str) -> Iterator[str]:
    """Two lines in which all that reads a line reads this one."""
    yield f"12:00:00 - LiteLLM Router:ERROR: {REPORT}{text}"
    yield text


@cache
def _attacks() -> list[Attack]:
    found = [
        attack
        for one in patterns.patterns()
        for text in patterns.matching(one.pattern, 1)
        for attack in patterns.attacks(text)
    ]
    found += [Attack("", word, "") for word in patterns.words()]
    return [*found, *patterns.fills()]


TIMED: Final[dict[str, Callable[[str], object]]] = {
    **READERS,
    "intake": lambda text: _intake(text, _timed),
}


@pytest.mark.parametrize("reader", TIMED)
def test_no_line_takes_more_than_linear_time(reader: str, long: bool) -> None:
    read = TIMED[reader]
    # each pattern alone is attacked in every way elsewhere
    attacks = _attacks() if long else _attacks()[::5]
    plain = Attack("", "the quick brown fox ", "")
    # what takes no longer than a plain line does is too quick to be compared
    usual, much = (
        max(_least(by, plain.of(length)) for by in (read, TIMED["intake"])) for length in (LARGE, SMALL_AND_LARGE[1])
    )
    for attack in attacks:
        if _cost(read, attack.of(LARGE)) > MUCH * usual:
            assert any(_is_linear(read, attack, much, rounds) for rounds in (2, 4, 8)), f"{attack} takes more"


def _is_linear(read: Callable[[str], object], attack: Attack, usual: float, rounds: int) -> bool:
    few, many = (_least(read, attack.of(length), rounds) for length in SMALL_AND_LARGE)
    return many <= MUCH * usual or (many <= MOST_GROWTH * few and many <= MOST * usual)


def test_a_quadratic_reader_would_be_seen() -> None:
    import re

    pattern = re.compile(r"original model_group=(.+?)\. Fallbacks=")
    attack = Attack("", "original model_group=", "")
    few, many = (_least(pattern.search, attack.of(length)) for length in (4_000, 20_000))
    assert many > MOST_GROWTH * few
    assert attack in _attacks(), "it is among those that are tried"
