"""The types of `litellm_params`; LiteLLM drops a deployment with a value of another type."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.analysis.nested import LARGEST
from litellm_tui.audit import declared
from litellm_tui.audit.shapes import WORDS, fits
from litellm_tui.audit.subject import UNKNOWN, Subject, reference
from litellm_tui.audit.typed_params import FIELDS, INFO, NO_NUMBERS, PRICE, SPECS
from litellm_tui.model.edits import Edit, Path, SetValue

# fields of LiteLLM_Params in types/router.py of every version since 1.70, which have checks of their own here; the
# others stand in typed_params
_TEXTS: Final = (
    "api_key",
    "api_base",
    "api_version",
    "organization",
    "region_name",
    "vertex_project",
    "vertex_location",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_region_name",
    "watsonx_region_name",
    "custom_llm_provider",
)
_WHOLE: Final = ("rpm", "tpm", "max_retries")
_NUMBERS: Final = ("max_budget", "input_cost_per_token", "output_cost_per_token")
_OWN: Final = frozenset({*_TEXTS, *_WHOLE, *_NUMBERS, "vertex_credentials", "timeout", "stream_timeout", "tags"})
_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_IS_WHOLE: Final = re.compile(r"\s*[+-]?\d[\d_]*(\.0*)?\s*")


def expected_type(key: str, value: Any, subject: Subject) -> str:
    """The expected type of a value of litellm_params, as text; "" when the value has it, or none is expected."""
    if key not in _OWN:
        return _declared(key, value, subject)
    if key == "organization" and isinstance(value, list):
        # LiteLLM loads one deployment for each of them
        return "" if value and all(isinstance(item, str) for item in value) else "a text, or a list of texts"
    if key in _TEXTS:
        return "" if isinstance(value, str | bytes) else "a text"
    if key == "vertex_credentials":
        return "" if isinstance(value, str | dict) else "a text or a mapping"
    if isinstance(value, datetime.date):
        return "a number"
    if key in ("timeout", "stream_timeout"):
        return "a number" if isinstance(value, list | dict) else ""
    if key == "tags":
        fits = isinstance(value, list) and all(isinstance(tag, str) for tag in value)
        return "a list of texts" if subject.runs(since="1.83") and not fits else ""
    if isinstance(value, dict | list):
        return "a number"
    if reference(value) is not None or not isinstance(value, str | float):
        return ""
    if key in _NUMBERS:
        return "" if isinstance(value, float) or is_number(value) else "a number"
    whole = value.is_integer() if isinstance(value, float) else bool(_IS_WHOLE.fullmatch(value))
    return "" if whole else "a whole number"


def _declared(key: str, value: Any, subject: Subject) -> str:
    """As `expected_type`, for what LiteLLM's class of the parameters declares."""
    if key in SPECS:
        if reference(value) is not None:
            return ""
        since, spec, words = SPECS[key]
        return words if subject.runs(since=since) and any(declared.faults(subject, value, spec, ())) else ""
    if key in FIELDS:
        since, shape = FIELDS[key]
    elif key not in NO_NUMBERS and PRICE.fullmatch(key):
        since, shape = "1.106", "number"
    else:
        return ""
    found = subject.resolve(value)
    if found is None or found is UNKNOWN or isinstance(found, bytes) or not subject.runs(since=since):
        return ""
    if key == "daily_reset_time" and isinstance(found, str):
        return "" if _CLOCK.fullmatch(found) else "a time such as '00:30'"
    return "" if fits(found, shape) else WORDS[shape]


def wrong_info(info: Mapping[str, Any], subject: Subject) -> Iterator[tuple[str, str]]:
    """The keys of a `model_info` whose value is of another type than LiteLLM's class of it declares, and that type."""
    for key, (since, spec, words) in INFO.items():
        value = info.get(key)
        if value is None or reference(value) is not None or not subject.runs(since=since):
            continue
        if any(declared.faults(subject, value, spec, ())):
            yield key, words


def quote_edits(path: Path, value: Any) -> tuple[tuple[Edit, ...], str]:
    """Edits that make the value a text, and the decision where YAML may have changed its digits."""
    if type(value) is datetime.date:
        return (SetValue(path, value.isoformat()),), ""
    if type(value) is int and abs(value) < LARGEST:
        return (SetValue(path, str(value)),), "whether the digits are as they were meant: YAML has read a number"
    return (), ""


def list_edits(path: Path, value: Any) -> tuple[Edit, ...]:
    """Edits that make a single tag a list."""
    return (SetValue(path, [value]),) if path[-1] == "tags" and isinstance(value, str) and "," not in value else ()


def is_number(text: str) -> bool:
    """Whether `float` accepts the text."""
    try:
        float(text)
    except ValueError:
        return False
    return True
