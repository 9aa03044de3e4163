"""A control script as people write them: `control.py FOLDER start|stop|restart|status COMMAND…`.

It ends as LSB init scripts do. In FOLDER lie `pid`, `log`, and, where it is to refuse, `denied` or `unknown`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def running(folder: Path) -> int:
    """The process, 0 when it is gone."""
    try:
        pid = int((folder / "pid").read_text(encoding="ascii"))
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()[0]
    except (OSError, ValueError):
        return 0
    return 0 if state == "Z" else pid


def main(folder: Path, verb: str, command: list[str]) -> int:
    """Carry it out; the exit status."""
    if (folder / "unknown").exists():
        print("there is no such service", file=sys.stderr)
        return 4 if verb == "status" else 5
    if verb == "status":
        return 0 if running(folder) else 1 if (folder / "pid").exists() else 3
    if (folder / "denied").exists():
        print("sudo: a password is required", file=sys.stderr)
        return 1
    if verb in ("stop", "restart"):
        if pid := running(folder):
            os.kill(pid, signal.SIGTERM)
            while running(folder):
                time.sleep(0.01)
        (folder / "pid").unlink(missing_ok=True)
    if verb in ("start", "restart") and not running(folder):
        with (folder / "log").open("a", encoding="utf-8") as log:
            # without a session of its own, and with our own output: whoever calls it must not wait for that to end
            child = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        (folder / "pid").write_text(f"{child.pid}\n", encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
