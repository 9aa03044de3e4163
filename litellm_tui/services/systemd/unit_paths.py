"""The files that a unit is written in, as far as this operator edits them: they are kept and brought back with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from glob import escape, glob
from typing import Final

from litellm_tui.host.systemd_tools import split_words
from litellm_tui.model.service_kinds import Scope

# what systemd or a package has made there is made anew by them
_MADE_BY_OTHERS: Final = ("/run/", "/usr/", "/lib/")
# the file of `systemctl edit`
_EDITED: Final = "override.conf"


def written_unit_files(block: Mapping[str, str], scope: Scope) -> tuple[str, ...]:
    """The unit's own file, its drop-ins, and where `systemctl edit` would put one, whether it is there or not.

    `block` is one of `systemctl show`, which names only the drop-ins that systemd has read: others are found beside
    them. A file that is not there is a part of what is kept: going back removes it. What this user may not write could
    not be brought back, and is no reason against a restart.
    """
    fragment, name = block.get("FragmentPath", ""), block.get("Id", "")
    if not fragment or not name:
        return ()
    folder = os.path.join(_place_of_edits(scope), f"{name}.d")
    folders = dict.fromkeys((f"{fragment}.d", folder))
    found = [fragment, *split_words(block.get("DropInPaths", "")), os.path.join(folder, _EDITED)]
    found += [path for one in folders for path in sorted(glob(f"{escape(one)}/*.conf"))]
    wanted = (path for path in found if path and not path.startswith(_MADE_BY_OTHERS) and _may_write(path))
    return tuple(dict.fromkeys(wanted))


def _may_write(path: str) -> bool:
    """Whether the file could be put back, or taken away again: its folder is enough, and may be missing too."""
    folder = os.path.dirname(path)
    above = folder if os.path.isdir(folder) else os.path.dirname(folder)
    return os.access(path, os.W_OK) or os.access(above, os.W_OK | os.X_OK)


def _place_of_edits(scope: Scope) -> str:
    """Where `systemctl edit` writes (systemd.unit(5), the unit file load path)."""
    if scope == "system":
        return "/etc/systemd/system"
    configured = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(configured, "systemd", "user")
