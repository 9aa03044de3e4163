"""The log filter as it is typed: words, texts, regexes, fields and times; all must match.

    timeout "no healthy deployment" model:qwen status:>=400 -logger:access level:error|level:critical since:10m

A `-` or `!` before a term negates it. A `|` between two terms matches either of them, and binds closer than a blank.
`/regex/` is one of several terms, `~regex` takes the rest of the line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from litellm_tui.analysis.log_filter.fields import FIELDS, Test, field_test
from litellm_tui.analysis.log_filter.pattern import Pattern
from litellm_tui.model.log import LogRecord

FORM: Final = (
    'words "a text" /regex/ status:5xx level:>=warning model: logger: call_id: pid: pod: since:10m until: -not a|b'
)

HELP: Final = (
    ("words", "every word is in the text, the source or the stack trace, in any case"),
    ('"a text"', "the same for a text with blanks or signs in it"),
    ("/regex/", "a regular expression; ~regex takes the rest of the line"),
    ("model:qwen", "a part of the model's name"),
    ("status:5xx", "an answer's status: 429, 5xx, >=400, <500"),
    ("level:error", "exactly this level; level:>=warning from there on"),
    ("logger:router", "a part of the source's or the logger's name"),
    ("call_id:abc", "the litellm_call_id, or a part of it (c in the log: all of this call)"),
    ("pid:31", "the process that wrote it"),
    ("since:10m", "from then on: 90s, 10m, 3h, 2d ago, or 02:14, or 2026-11-21T02:20; until: up to then"),
    ("last:5m", "as since:, a duration only"),
    ("-term !term", "what does not hold: -status:200, !health"),
    ("a|b", "either of the two: level:error|status:5xx"),
)

_TERM: Final = re.compile(
    rf"""
      (?:  (?P<either>\|)
           | (?P<not>[-!]?)
             (?: "(?P<quoted>[^"]*)"?
               | ~(?P<rest>.*)
               | /(?P<regex>(?:[^/\\]|\\.)+)/(?=[\s|]|$)
               | (?P<field>{"|".join(FIELDS)}):(?:"(?P<inside>[^"]*)"?|(?P<value>[^\s|]*))
               | (?P<word>(?![-!](?:[\s|]|$))[^\s|]+)
             )
           | [-!]
        )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


class LogFilter:
    """A parsed filter. `error` describes a wrong term: a wrong regex matches as text, a wrong field is left out.

    Durations count back from `now` (seconds since the epoch). `zone` applies to times without one; None is the
    machine's own. With `plainly` no regex is used.
    """

    def __init__(self, typed: str = "", now: float = 0.0, zone: tzinfo | None = None, *, plainly: bool = False) -> None:
        self.typed = typed
        self.error = ""
        self.has_regex = False
        self._now, self._zone, self._plainly = now, zone, plainly
        groups: list[list[tuple[Test, bool]]] = []
        either = False
        for match in _TERM.finditer(typed):
            if match["either"]:
                either = True
                continue
            if not (either and groups):
                groups.append([])
            either = False
            test = self._test(match)
            if test is not None:
                groups[-1].append((test, bool(match["not"])))
        self._groups = tuple(tuple(group) for group in groups if group)

    def __bool__(self) -> bool:
        """Whether the filter has any term."""
        return bool(self._groups)

    def matches(self, record: LogRecord) -> bool:
        """Whether every term matches the record."""
        for group in self._groups:
            for test, negated in group:
                if bool(test(record)) is not negated:
                    break
            else:
                return False
        return True

    def matches_together(self, records: Sequence[LogRecord]) -> bool:
        """Whether every term matches one of the records; a negated one, whether none of them has what it excludes."""
        return all(any(any(map(test, records)) is not negated for test, negated in group) for group in self._groups)

    def without_regex(self, why: str) -> LogFilter:
        """The same filter with its regexes as plain text; `why` becomes its error, unless it has one."""
        plain = LogFilter(self.typed, self._now, self._zone, plainly=True)
        plain.error = self.error or why
        return plain

    def _test(self, match: re.Match[str]) -> Test | None:
        if match["field"]:
            try:
                value = match["value"] if match["inside"] is None else match["inside"]
                return field_test(match["field"].lower(), value, self._now, self._zone)
            except ValueError as error:
                self.error = self.error or str(error)
                return None
        expression = match["rest"] if match["rest"] is not None else match["regex"]
        if expression is None:
            text = match["quoted"] if match["quoted"] is not None else match["word"]
            return _contains(text) if text else None
        if not expression:
            return None
        pattern = Pattern(f"~{expression}")
        if self._plainly:
            pattern.match_as_text("")
        self.error = self.error or pattern.error
        self.has_regex = self.has_regex or pattern.is_regex
        return pattern.matches


def _contains(text: str) -> Test:
    wanted = text.lower()
    return lambda record: (
        wanted in record.text.lower() or wanted in record.source.lower() or wanted in record.stack.lower()
    )
