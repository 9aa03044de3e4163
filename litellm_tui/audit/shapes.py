"""What kind of value stands somewhere, in words, and whether it is of the kind that LiteLLM's classes accept."""

from __future__ import annotations

import re
from typing import Any, Literal

from litellm_tui.audit import surroundings
from litellm_tui.audit.subject import UNKNOWN, Subject

Shape = Literal["text", "mapping", "list", "texts", "text or texts", "text map", "number", "whole", "switch", "any"]
# as a sentence has them
WORDS: dict[Shape, str] = {
    "text": "a text",
    "mapping": "a mapping",
    "list": "a list",
    "texts": "a list of texts",
    "text or texts": "a text or a list of texts",
    "text map": "a mapping of texts",
    "number": "a number",
    "whole": "a whole number",
    "switch": "true or false",
    "any": "anything",
}


def kind_of(value: Any) -> str:
    """The kind of a value, with its article."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else "a date"


def fits(value: Any, shape: Shape) -> bool:
    """Whether pydantic accepts the value for this shape, as LiteLLM's models are written."""
    match shape:
        case "text":
            return isinstance(value, str)
        case "mapping":
            return isinstance(value, dict)
        case "list":
            return isinstance(value, list)
        case "texts":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "text or texts":
            return fits(value, "text") or fits(value, "texts")
        case "any":
            return True
        case "text map":
            return isinstance(value, dict) and all(isinstance(part, str) for item in value.items() for part in item)
        case "switch":
            words = ("true", "false", "on", "off", "yes", "no", "y", "n", "t", "f", "0", "1")
            return value in (0, 1) or (isinstance(value, str) and value.lower() in words)
    return _is_number(value, whole=shape == "whole")


def resolved(subject: Subject, value: Any) -> Any:
    """The value after `os.environ/`; UNKNOWN where the environment or a secret manager decides."""
    return surroundings.resolve(subject, value)


def fault_of_pattern(text: str) -> str:
    """Why a text is no regular expression of Python's; "" where it is one, and for one that is too long to judge."""
    try:
        re.compile(text if len(text) <= 500 else "")
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)[:100]
    return ""


def is_unknown(value: Any) -> bool:
    """Whether the value cannot be told here."""
    return value is UNKNOWN


def _is_number(value: Any, *, whole: bool) -> bool:
    if not isinstance(value, str | int | float):
        return False
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return False
    return not whole or number.is_integer()
