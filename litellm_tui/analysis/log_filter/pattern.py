"""A text or a regex that is searched in log records."""

from __future__ import annotations

import re
import warnings
from typing import Final

from litellm_tui.model.log import LogRecord

# a regex searches only so many characters of a text, not a whole record of a megabyte
LONGEST_SEARCHED: Final = 100_000


class Pattern:
    """Plain text, any case, or a regex after a leading `~`.

    A regex that does not compile (yet) matches as text; `error` then says why.
    """

    def __init__(self, typed: str) -> None:
        self.typed = typed
        self.error = ""
        self.is_regex = typed.startswith("~")
        pattern = typed[1:] if self.is_regex else re.escape(typed)
        try:
            with warnings.catch_warnings():
                # warnings about future versions of Python do not concern the operator
                warnings.simplefilter("ignore")
                self.regex = re.compile(pattern, re.IGNORECASE)
        except (re.error, RecursionError, OverflowError) as error:
            self.match_as_text(str(error))

    def match_as_text(self, why: str) -> None:
        """Match as plain text from now on; `why` becomes the error."""
        self.error, self.is_regex = why, False
        self.regex = re.compile(re.escape(self.typed.removeprefix("~")), re.IGNORECASE)

    def __bool__(self) -> bool:
        return bool(self.typed.removeprefix("~"))

    def matches(self, record: LogRecord) -> bool:
        """Whether the text, source or stack trace contains a match."""
        search = self.regex.search
        return bool(
            search(record.text, 0, LONGEST_SEARCHED)
            or search(record.source)
            or (record.stack and search(record.stack, 0, LONGEST_SEARCHED))
        )
