"""`litellm-tui diff --keys --json`: every value of the configuration by its key, for a fleet that compares hosts.

Exit status: 0 told, 1 the file cannot be used, 64 a wrong command line.
"""

from __future__ import annotations

import sys
from typing import Final

import msgspec

from litellm_tui.analysis.fleet.keys import values_by_key
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.saved import load_saved
from litellm_tui.logs.log_line import clean
from litellm_tui.model.configuration import ConfigError
from litellm_tui.model.fleet import KeyDocument
from litellm_tui.monitor.comparison import environment
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import SettingsError

# another number when a field of before means something else, or is gone
FORMAT: Final = 1


def tell_keys(profile: Profile, asked_with: str) -> int:
    """Print the document."""
    if profile.config is None:
        raise SettingsError("diff: no configuration file was found; name it with --config")
    path, known = profile.config.value, environment(profile)
    file = load_saved(path, lambda: config_file.load(path, known))
    if isinstance(file, ConfigError):
        print(f"litellm-tui: the file cannot be used: {clean(str(file))}", file=sys.stderr)
        return 1
    print(msgspec.json.encode(KeyDocument(FORMAT, values_by_key(file.data, asked_with))).decode())
    return 0
