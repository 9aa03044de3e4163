"""How often to paint what moves by itself on a terminal that takes long for it: a key must not wait for old news."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from litellm_tui.ui.terminal_link import Link

# of the time, so much is painted unasked: a terminal that needs half a second for it is then left alone for two
SHARE: Final = 0.2
LONGEST: Final = 12.0
# a painting may take so long, in seconds: both ends have other things to do
GRACE: Final = 0.05
# a line that has become fast again is found out, a little sooner each time
RECOVERY: Final = 0.8
# from this pause on a key would notice a painting that it meets
_SLOW: Final = 0.15


class Pace:
    """Asked before each painting that nobody has pressed a key for."""

    def __init__(self, link: Link, clock: Callable[[], float] = time.monotonic) -> None:
        self.link = link
        self._clock = clock
        self._painted = 0.0
        self._rest = 0.0
        # how long the terminal took for the latest painting, and for the one before
        self._took = 0.0
        self._took_before = 0.0

    @property
    def slow(self) -> bool:
        """Whether what is large had better be painted in parts."""
        return self._rest > _SLOW

    def ready(self) -> bool:
        """Whether to paint now; if so, it is counted as done."""
        now = self._clock()
        if self.link.behind():
            return False
        self._took += self.link.busy()
        # late once is a terminal that had something else to do, late twice is a slow line
        rest = max(self._rest, min(LONGEST, (min(self._took, self._took_before) - GRACE) / SHARE))
        if now < self._painted + rest:
            return False
        self._painted = now
        self._rest = rest * RECOVERY
        self._took, self._took_before = 0.0, self._took
        return True
