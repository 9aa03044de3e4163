"""`--log-file FILE`: what litellm-tui itself does, for whoever looks for a fault in it."""

from __future__ import annotations

import sys

from litellm_tui import __version__
from litellm_tui.host import debug_log


def begin(path: str) -> bool:
    """Whether the file is written from now on; why not is told on stderr."""
    try:
        debug_log.begin(path)
    except OSError as error:
        print(f"litellm-tui: --log-file {path}: {error.strerror}; name a file that you may write", file=sys.stderr)
        return False
    debug_log.said("litellm-tui", f"version {__version__}, Python {sys.version.split()[0]}")
    return True
