"""A machine whose units are files: a `systemctl` that shows them, and a profile that is found on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litellm_tui.model.service_kinds import Tools
from litellm_tui.target import resolution
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.settings import Settings

# Shows the units that lie in its folder as files SCOPE/NAME; knows nothing else.
SYSTEMCTL = r"""#!/bin/sh
here=$(dirname "$0") scope=system names= verb=
for word in "$@"; do
    case $word in
        --user) scope=user ;;
        -*) ;;
        *) if [ -z "$verb" ]; then verb=$word; else names="$names $word"; fi ;;
    esac
done
[ -e "$here/$scope" ] || { echo "Failed to connect to bus: No medium found" >&2; exit 1; }
case $verb in
    list-unit-files) for file in "$here/$scope"/*; do [ -e "$file" ] && echo "${file##*/} enabled"; done; exit 0 ;;
    show) ;;
    *) exit 64 ;;
esac
set -f
for name in $names; do
    if [ "$name" = "*" ]; then
        for file in $(set +f; ls "$here/$scope"); do cat "$here/$scope/$file"; echo; done
    elif [ -e "$here/$scope/$name" ]; then cat "$here/$scope/$name"; echo
    else printf 'Id=%s\nLoadState=not-found\nActiveState=inactive\nMainPID=0\n\n' "$name"; fi
done
"""


class Machine:
    """A machine with units of our own and an empty environment; its processes and its engine are added where wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "systemctl").write_text(SYSTEMCTL)
        self.tools = Tools(systemctl=("/bin/sh", str(folder / "systemctl")))
        for scope in ("user", "system"):
            (folder / scope).mkdir()

    def unit(self, command: str, name: str = "litellm.service", scope: str = "user", **more: str) -> None:
        lines = [
            f"Id={name}", "LoadState=loaded", "ActiveState=active", "SubState=running", "MainPID=0",
            f"ExecStart={{ path=/opt/bin/litellm ; argv[]={command} ; ignore_errors=no ; start_time=[n/a] }}",
            *(f"{key}={value}" for key, value in more.items()),
        ]  # fmt: skip
        (self.folder / scope / name).write_text("\n".join(lines) + "\n")

    def config(self, text: str = "model_list: []\n", name: str = "config.yaml") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def resolve(
        self, settings: Settings | None = None, environ: dict[str, str] | None = None, **options: Any
    ) -> Profile:
        return resolution.resolve(Options(**options), settings or Settings(), self.tools, environ or {})
