"""The field terms of a log filter: `status:5xx`, `level:>=warning`, `since:10m` and their like, each as a test."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, Final, get_args

from litellm_tui.analysis.log_filter.times import FORMS, parse_duration, parse_moment
from litellm_tui.model.log import Level, LogRecord

Test = Callable[[LogRecord], bool]

_LEVELS: Final[tuple[Level, ...]] = get_args(Level)
_COMPARISON: Final = re.compile(r"(>=|<=|>|<|=)?(.*)", re.DOTALL)
_COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq,
}  # fmt: skip


def field_test(name: str, value: str, now: float, zone: tzinfo | None) -> Test:
    """The test for `name:value`. Raises ValueError with the accepted forms for any other value."""
    if name in _TIMES:
        return _TIMES[name](value, now, zone)
    return _FIELDS[name](value)


def _model(value: str) -> Test:
    wanted = _word(value, "model: a part of its name")
    return lambda record: wanted in record.model.lower()


def _logger(value: str) -> Test:
    wanted = _word(value, "logger: a part of its name, such as router")
    return lambda record: wanted in record.source.lower() or wanted in record.logger.lower()


def _call_id(value: str) -> Test:
    wanted = _word(value, "call_id: a litellm_call_id, or a part of it")
    # plain text logs name it in the text of a failure
    named = f"litellm_call_id={wanted}"
    return lambda record: wanted in record.call_id.lower() or named in record.text.lower()


def _word(value: str, form: str) -> str:
    if not value:
        raise ValueError(form)
    return value.lower()


def _pid(value: str) -> Test:
    if not re.fullmatch(r"\d{1,10}", value, re.ASCII):
        raise ValueError("pid: a number")
    wanted = int(value)
    return lambda record: record.pid == wanted


def _pod(value: str) -> Test:
    wanted = _word(value, "pod: a part of its name")
    return lambda record: wanted in record.service.lower()


def _status(value: str) -> Test:
    sign, number = _split_comparison(value)
    if re.fullmatch(r"[1-9][\dxX]{2}", number, re.ASCII) and "x" in number.lower() and sign in ("", "="):
        digits = re.compile(number.lower().replace("x", r"\d"))
        return lambda record: digits.fullmatch(str(record.status)) is not None
    if not re.fullmatch(r"\d{3}", number, re.ASCII):
        raise ValueError("status: 429, 5xx or >=400")
    compare, wanted = _COMPARED[sign or "="], int(number)
    # a record without a status is not an answer
    return lambda record: record.status > 0 and compare(record.status, wanted)


def _level(value: str) -> Test:
    sign, name = _split_comparison(value)
    rank = next((n for n, level in enumerate(_LEVELS) if name and level.startswith(name.upper())), None)
    if rank is None:
        raise ValueError("level: error, or >=warning")
    compare = _COMPARED[sign or "="]
    wanted = frozenset(level for n, level in enumerate(_LEVELS) if compare(n, rank))
    return lambda record: record.level in wanted


def _split_comparison(value: str) -> tuple[str, str]:
    found = _COMPARISON.fullmatch(value)
    return (found[1] or "", found[2]) if found else ("", value)


def _since(value: str, now: float, zone: tzinfo | None) -> Test:
    begin = parse_moment(value, now, zone)
    if begin is None:
        raise ValueError(f"since: {FORMS}")
    return lambda record: record.time >= begin


def _until(value: str, now: float, zone: tzinfo | None) -> Test:
    end = parse_moment(value, now, zone)
    if end is None:
        raise ValueError(f"until: {FORMS}")
    return lambda record: record.time <= end


def _last(value: str, now: float, zone: tzinfo | None) -> Test:
    length = parse_duration(value)
    if length is None:
        raise ValueError("last: 90s, 10m, 3h or 2d")
    begin = now - length
    return lambda record: record.time >= begin


_FIELDS: Final[Mapping[str, Callable[[str], Test]]] = {
    "model": _model,
    "status": _status,
    "logger": _logger,
    "level": _level,
    "call_id": _call_id,
    "pid": _pid,
    "pod": _pod,
}
_TIMES: Final[Mapping[str, Callable[[str, float, tzinfo | None], Test]]] = {
    "since": _since,
    "until": _until,
    "last": _last,
}
FIELDS: Final = (*_FIELDS, *_TIMES)
