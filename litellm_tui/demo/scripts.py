"""The stand-in `systemctl` and `journalctl`: POSIX shell, because the console runs one of them every two seconds."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
from pathlib import Path

from litellm_tui.demo.files import UNIT, write_atomically
from litellm_tui.model.service_kinds import Tools

_SYSTEMCTL = r"""#!/bin/sh
# The simulation's systemctl: it prints state files and hands requests over.
verb= unit= wanted= scope=system bare= block=yes
while [ $# -gt 0 ]; do
    case $1 in
        --user) scope=user ;;
        --system) scope=system ;;
        --property=*) wanted=$wanted,${1#*=} ;;
        -p | --property) wanted=$wanted,$2; shift ;;
        -p?*) wanted=$wanted,${1#-p} ;;
        -P) wanted=$wanted,$2 bare=yes; shift ;;
        --value) bare=yes ;;
        --no-block) block= ;;
        -*) ;;
        *) if [ -z "$verb" ]; then verb=$1; else unit=$1; fi ;;
    esac
    shift
done
case $unit in "" | *.* | "*") ;; *) unit=$unit.service ;; esac
known=; [ "$scope" = user ] && [ "$unit" = "$own" ] && known=yes

print() {
    while IFS= read -r line; do
        case "$wanted," in , | *",${line%%=*},"*) ;; *) continue ;; esac
        if [ -n "$bare" ]; then printf '%s\n' "${line#*=}"; else printf '%s\n' "$line"; fi
    done
}

ask() {
    if ! kill -0 "$owner" 2>/dev/null || ! [ -p "$folder/control" ]; then
        echo "Failed to connect to bus: No such file or directory" >&2
        exit 1
    fi
    # opened for both: with the reader gone, a plain open would block for ever
    printf '%s %s\n' "$1" "$$" 1<>"$folder/control"
    [ -n "$block" ] || exit 0
    until [ -f "$folder/replies/$$" ]; do
        kill -0 "$owner" 2>/dev/null && [ -d "$folder/replies" ] || exit 1
        sleep 0.05
    done
    { read -r code; cat >&2; } <"$folder/replies/$$"
    rm -f "$folder/replies/$$"
    exit "$code"
}

case $verb in
    show)
        if [ -n "$known" ] || { [ "$unit" = "*" ] && [ "$scope" = user ]; }; then
            print <"$folder/state"
        elif [ "$unit" != "*" ]; then
            printf '%s\n' "Id=$unit" LoadState=not-found ActiveState=inactive SubState=dead Result=success \
                MainPID=0 NRestarts=0 FragmentPath= ExecStart= InvocationID= | print
        fi ;;
    start | stop | restart | try-restart)
        if [ -z "$known" ]; then
            echo "Failed to $verb $unit: Unit $unit not found." >&2
            exit 5
        fi
        ask "$verb" ;;
    is-active)
        wanted=,ActiveState bare=yes state=inactive
        [ -z "$known" ] || state=$(print <"$folder/state")
        echo "$state"
        [ "$state" = active ] || exit 3 ;;
    cat)
        [ -n "$known" ] || { echo "No files found for $unit." >&2; exit 1; }
        echo "# $folder/$own"
        cat "$folder/$own" ;;
    list-unit-files) [ "$scope" != user ] || echo "$own enabled enabled" ;;
    *) [ -n "$verb" ] || echo "systemd 252 (252)" ;;
esac
"""

_JOURNALCTL = r"""#!/bin/sh
# The simulation's journalctl: it becomes a tail of the journal's file, so that one process is all there ever is.
count=all follow= cursor= name= given= reverse= until=
while [ $# -gt 0 ]; do
    case $1 in
        -f | --follow) follow=yes ;;
        -n | --lines) count=$2 given=yes; shift ;;
        -n?*) count=${1#-n} given=yes ;;
        --lines=*) count=${1#*=} given=yes ;;
        -r | --reverse) reverse=yes ;;
        --until=@*) until=${1#*=@} ;;
        --cursor | --after-cursor) cursor=$2 name=$1; shift ;;
        --cursor=* | --after-cursor=*) cursor=${1#*=} name=${1%%=*} ;;
        -u | --unit | -o | --output | --output-fields | -p | --priority | -S | --since | -U | --until) shift ;;
    esac
    shift
done
[ -n "$given" ] || [ -z "$follow" ] || [ -n "$cursor" ] || count=10
new=$folder/journal old=$folder/journal.old
# exec keeps the number: the simulation ends a tail that outlives it
[ -z "$follow" ] || : >"$folder/tails/$$"

if [ -n "$reverse" ]; then
    # the time of a line in microseconds, as the option has it without its point
    cat "$old" "$new" 2>/dev/null | awk -F '"' -v until="$(echo "$until" | tr -d .)" '
        { for (i = 2; i < NF; i++) if ($i == "__REALTIME_TIMESTAMP") { if ($(i + 2) <= until + 0) print; next } }
    ' | tail -n "$count" | tac
    exit 0
fi

finish() {
    # GNU tail follows by name across the rotation and ends by itself when nobody reads it any more
    if [ -n "$follow" ]; then exec tail -n "$1" -F "$new" 2>/dev/null; fi
    exec tail -n "$1" "$new"
}

place() {
    found=$(grep -n -m 1 -F "\"__CURSOR\":\"$cursor\"" "$1" 2>/dev/null)
    found=${found%%:*}
    [ -z "$found" ] || [ "$name" = --cursor ] || found=$((found + 1))
}

if [ -n "$cursor" ]; then
    place "$new"
    [ -z "$found" ] || finish "+$found"
    place "$old"
    # a cursor that was rotated away: everything kept is later
    if [ -f "$old" ]; then tail -n "+${found:-1}" "$old"; fi
    finish +1
fi
[ "$count" != all ] || count=20000
have=$(wc -l <"$new")
if [ "$have" -lt "$count" ] && [ -f "$old" ]; then
    tail -n "$((count - have))" "$old"
    finish +1
fi
finish "$count"
"""


def install(folder: Path, booted_at: float) -> Tools:
    """Write both commands into the folder; they serve the simulation of this process, on a machine `booted_at`."""
    (folder / "tails").mkdir(mode=0o700)
    values = f"folder={shlex.quote(str(folder))}\nowner={os.getpid()}\nown={UNIT}\n"
    paths = []
    for name, text in (("systemctl", _SYSTEMCTL), ("journalctl", _JOURNALCTL)):
        first, _, rest = text.partition("\n")
        path = folder / name
        write_atomically(path, f"{first}\n{values}{rest}", 0o700)
        # named as an argument of sh: a folder mounted noexec serves as well
        paths.append(("/bin/sh", str(path)))
    return Tools(
        systemctl=paths[0], journalctl=paths[1], redis=False, postgres=False, inodes=False, booted_at=booted_at
    )


def end_tails(folder: Path) -> None:
    """End the tails that outlive the simulation, each by its own number."""
    for name in os.listdir(folder / "tails"):
        with contextlib.suppress(OSError):
            # the number may be another process's by now
            if os.fsencode(folder) in Path(f"/proc/{name}/cmdline").read_bytes():
                os.kill(int(name), signal.SIGTERM)
