"""The log as it is read: one line a request, the outcome first where a line stands alone, repeats told by their number.

A line says no more than what was put together (`logs.requests`): where that is only an answer or an error with its
access line, no group before it and no time are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from rich.cells import cell_len

from litellm_tui.logs import call_line
from litellm_tui.logs.store import RANK, LogStore
from litellm_tui.model.log import Hop, LogRecord, Request
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.widgets.lines import Span, cell
from litellm_tui.ui.widgets.log_paint import LEVEL_STYLES, SHORT_LEVELS, body, broken

# the cursor's bar, the time, a mark and a blank in front of the text
LEAD: Final = 1 + 8 + 1
# what says nothing of an outcome
_ROUTINE: Final = ("begun", "routine", "chosen")
_TELLING: Final = ("failed", "router", "error", "refused")
# repeats are told in one line when no more than this lies between them, and for so long at most
REPEAT_SECONDS: Final = 60.0
REPEATING_SECONDS: Final = 600.0
_MOST_CLIENTS: Final = 50
_LEAST_NAME: Final = 8
_LONGEST_NAME: Final = 120
_LONGEST_WORDS: Final = 4000
# what is asked most is not worth its cells
_USUAL: Final = "/v1/chat/completions"
# the classes that LiteLLM puts in front of an error, and the provider's own
_CLASSES: Final = re.compile(r"(?:(?:litellm\.)?\w{1,60}(?:Error|Exception|Timeout)(?:: | - )){1,6}")
_CLASS: Final = re.compile(r"(?:litellm\.)?(\w{1,60})(?:Error|Exception)?: ")
_CALL: Final = re.compile(r"^litellm_call_id=\S{1,200} - ")


class LogReading:
    """How the records of a store read. `groups` is the group of each deployment's model where there is only one."""

    def __init__(self, store: LogStore) -> None:
        self.store = store
        self.groups: Mapping[str, str] = {}

    def request(self, record: LogRecord) -> Request | None:
        """The request that this record stands for."""
        return self.store.requests.at(record.sequence) if record.step == "answered" else None

    def is_inside(self, record: LogRecord) -> bool:
        """Whether another line tells what this record says, or it says nothing of an outcome."""
        if not record.step or record.step == "answered":
            return False
        return record.step in _ROUTINE or self.store.requests.anchor(record.sequence) is not None

    def rank(self, record: LogRecord) -> int:
        """The rank of the level: that of the worst line of a request, and an answer's that is none."""
        rank = RANK[record.level]
        if record.status >= 400:
            rank = max(rank, RANK["ERROR" if record.status >= 500 else "WARNING"])
        if (request := self.request(record)) is not None:
            rank = max(rank, RANK[request.level])
        return rank

    def together(self, record: LogRecord) -> list[LogRecord]:
        """The record with the others of its request, in their order."""
        request = self.request(record)
        if request is None:
            return [record]
        members = (self.store.get(sequence) for sequence in request.members)
        return sorted([record, *filter(None, members)], key=lambda one: one.sequence)

    def repeats(self, first: LogRecord, second: LogRecord) -> bool:
        """Whether the second says the same again, of something that is not routine."""
        if second.step != first.step or second.status != first.status or second.level != first.level:
            return False
        if second.status < 400 and RANK[second.level] < RANK["WARNING"] and second.step != "failed":
            return False
        if not 0 <= second.time - first.time <= REPEATING_SECONDS or second.source != first.source:
            return False
        if first.step == "answered":
            one, other = self.request(first), self.request(second)
            if one is not None and other is not None:
                return one.hops == other.hops
            return one is other and _asked(first) == _asked(second)
        if first.step:
            return (first.cause, first.model) == (second.cause, second.model) and words_of(first) == words_of(second)
        return first.text == second.text

    # --- drawing -----------------------------------------------------------------------------------------------

    def text(self, record: LogRecord, again: Sequence[int], room: int) -> list[Span]:
        """What stands behind the time, in at most `room` cells where that is above 0."""
        tail = self._again(record, again)
        spans = list(self._spans(record, again, room - cell_len(tail) if room else 0))
        if room:
            spans = cut(spans, room - cell_len(tail))
        return [*spans, (tail, "strong")] if tail else spans

    def _again(self, record: LogRecord, again: Sequence[int]) -> str:
        if not again:
            return ""
        last = self.store.get(again[-1])
        seconds = max(1, round((last.time if last is not None else record.time) - record.time))
        return f"  ×{len(again) + 1} in {seconds} s"

    def _spans(self, record: LogRecord, again: Sequence[int], room: int) -> Iterator[Span]:
        request = self.request(record)
        if request is not None:
            yield from self._request(record, request, again, room)
        elif record.source == "access" and record.status:
            yield from _access(record, self._client(record, again))
        elif record.step in _TELLING:
            name = self._name(record.model) if record.model != "None" else ""
            yield f"✖ {record.cause or _class_of(record) or 'failed'}", "bad"
            yield (f"  {name}: " if name else ": "), "ok"
            yield words_of(record), "ok" if record.step == "failed" else "strong"
        elif record.step == "ok":
            yield f"✓ {self._name(record.model)} answered", "quiet"
        elif record.step == "fallback":
            yield f"→ {self._name(record.model)} is asked in its place", "quiet"
        else:
            yield from _other(record)

    def _request(self, record: LogRecord, request: Request, again: Sequence[int], room: int) -> Iterator[Span]:
        ok = record.status < 400
        client = self._client(record, again)
        took = f"{record.time - request.began:.1f} s" if request.began is not None and not again else ""
        path = _asked(record)[1]
        tail = [str(record.status), path if path != _USUAL else "", took, client]
        names = [self._name(hop.name) for hop in request.hops]
        while True:
            spans = list(_hops(request.hops, names, ok, tail))
            if not room or sum(cell_len(text) for text, _ in spans) <= room:
                break
            longest = max(names, key=cell_len)
            if cell_len(longest) > _LEAST_NAME:
                over = sum(cell_len(text) for text, _ in spans) - room
                least = max(_LEAST_NAME, cell_len(longest) - over, cell_len(longest) * 2 // 3)
                names[names.index(longest)] = middle_cut(longest, min(least, cell_len(longest) - 1))
            elif len(tail) > 1:
                tail.pop()
            else:
                break
        yield from spans

    def _name(self, name: str) -> str:
        return drawable(self.groups.get(name, name)[:_LONGEST_NAME])

    def _client(self, record: LogRecord, again: Sequence[int]) -> str:
        client = _asked(record)[2]
        others = (self.store.get(sequence) for sequence in islice(again, _MOST_CLIENTS))
        if any(other is not None and _asked(other)[2] != client for other in others):
            return "several callers"
        return client


def _hops(hops: Sequence[Hop], names: Sequence[str], ok: bool, tail: Sequence[str]) -> Iterator[Span]:
    for place, (hop, name) in enumerate(zip(hops, names, strict=True)):
        if place:
            yield " → ", "quiet"
        if name:
            yield name, "quiet" if ok and len(hops) == 1 else "ok" if ok and place == len(hops) - 1 else "strong"
            yield " ", ""
        last = place == len(hops) - 1
        if hop.ok:
            yield "✓", "quiet"
        elif hop.ok is False or last:
            tries = f" ×{hop.tries}" if hop.tries > 1 else ""
            yield f"✖ {hop.cause or 'failed'}{tries}", "warn" if ok else "bad"
        else:
            yield "✖", "warn" if ok else "bad"
    status, *rest = tail
    said = "" if not ok and hops[-1].cause.startswith(status) and not hops[-1].tries > 1 else f" {status}"
    yield said, "quiet" if ok else "bad"
    for words in filter(None, rest):
        yield f"  {words}", "quiet"


def _asked(record: LogRecord) -> tuple[str, str, str]:
    """Method, path and client of an access line, as `log_line` writes them."""
    asked, _, client = record.text.rpartition("  ")
    method, _, rest = asked.partition(" ")
    return method, rest.rpartition(" ")[0].partition("?")[0], client


def _access(record: LogRecord, client: str) -> Iterator[Span]:
    ok = record.status < 400
    style = "quiet" if ok else "bad" if record.status >= 500 else "warn"
    method, path, _ = _asked(record)
    yield f"{'✓' if ok else '✖'} {record.status}", style
    yield f" {drawable(method)} {drawable(path[:_LONGEST_WORDS])}", "quiet" if ok else "ok"
    yield f"  {drawable(client)}", "quiet"


def _other(record: LogRecord) -> Iterator[Span]:
    fails = RANK[record.level] >= RANK["WARNING"]
    if fails:
        yield f"{SHORT_LEVELS[record.level].rstrip()} ", LEVEL_STYLES[record.level]
    source = drawable(record.source[:40])
    yield f"{source}  ", "quiet"
    ended = fails and record.source == "systemd"
    yield (
        body(record),
        "bad" if ended else "strong" if RANK[record.level] >= RANK["ERROR"] else "ok" if fails else "quiet",
    )


def words_of(record: LogRecord) -> str:
    """The error alone, on one line: without the place that reports it and the classes in front of it."""
    text = record.text
    if record.step == "failed":
        text = text.partition(") Exception ")[2] or text
    text = _CALL.sub("", call_line.error_words(text[:_LONGEST_WORDS]).strip(), count=1)
    found = _CLASSES.match(text)
    text = text[found.end() :] if found and found.end() < len(text) else text
    shown = drawable(text.strip().replace("\n", " "))
    return f"{shown}  (+{record.stack.count(chr(10)) + 1} lines)" if record.stack else shown


def _class_of(record: LogRecord) -> str:
    """The class of the error, for one whose cause is not known."""
    text = record.text.partition(") Exception ")[2] if record.step == "failed" else record.text
    found = _CLASS.match(_CALL.sub("", call_line.error_words(text[:_LONGEST_WORDS]).strip(), count=1))
    return found[1] if found else ""


def middle_cut(name: str, width: int) -> str:
    """A name in at most `width` cells, its middle cut out: what tells names apart is at their ends."""
    if cell_len(name) <= width:
        return name
    head = cell(name, (width + 1) // 2, ellipsis="…")
    back, used = "", 0
    for character in reversed(name):
        used += cell_len(character)
        if used > width - cell_len(head):
            break
        back = character + back
    return head + back


def cut(spans: Sequence[Span], width: int) -> list[Span]:
    """The spans in at most `width` cells; what is cut ends in an ellipsis."""
    kept: list[Span] = []
    left = width
    for text, style in spans:
        # a character takes a cell, but for accents
        length = cell_len(text[: 4 * width + 4])
        if length > left:
            if left <= 0 and kept:
                text, style = kept.pop()
                left = cell_len(text)
                text += " "
            kept.append((cell(text[: 4 * width + 4], left), style))
            break
        if text:
            kept.append((text, style))
        left -= length
    return kept


def rows_of(spans: Sequence[Span], width: int) -> list[list[Span]]:
    """The spans broken over several rows of at most `width` cells."""
    rows: list[list[Span]] = []
    parts = broken("".join(text for text, _ in spans), width)
    rest = list(spans)
    for part in parts:
        row, needed = [], len(part)
        while rest and needed:
            text, style = rest.pop(0)
            row.append((text[:needed], style))
            if len(text) > needed:
                rest.insert(0, (text[needed:], style))
            needed -= min(needed, len(text))
        rows.append(row)
    return rows or [[]]
