"""The unit files of a lab."""

from __future__ import annotations

import shutil
from pathlib import Path

LITELLM = "litellm.service"
UPSTREAM = Path(__file__).with_name("upstream.py").resolve()

# Copied as the machine has them, so that its own systemd version finds what it expects.
TARGETS = (
    "sysinit",
    "basic",
    "shutdown",
    "sockets",
    "rescue",
    "emergency",
    "local-fs",
    "umount",
    "multi-user",
)
JOURNAL = ("systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")
BUS = ("dbus.service", "dbus.socket")
MACHINE = (*JOURNAL, *BUS, *(f"{name}.target" for name in (*TARGETS, "timers", "paths", "slices")))


def _machine(name: str) -> str | None:
    for folder in ("/usr/lib/systemd/system", "/lib/systemd/system"):
        path = Path(folder, name)
        if path.exists():
            return path.read_text()
    return None


def base(uid: int, folder: Path, redis: int, upstream: int, second: int, python: Path) -> dict[str, str]:
    """All units but LiteLLM's own."""
    files = {name: text for name in MACHINE if (text := _machine(name)) is not None}
    # With no more than a bus, an ordinary user can ask the system manager, and is refused what needs rights.
    bus = "dbus.socket dbus.service" if set(BUS) <= set(files) and shutil.which("dbus-daemon") else ""
    files["lab.target"] = f"""\
[Unit]
Description=A LiteLLM host
Requires=systemd-journald.service
Wants=user@{uid}.service redis.service upstream.service second.service {bus}
After=systemd-journald.service
AllowIsolate=yes
"""
    # Splitting the journal per user begins with the flush to persistent storage.
    files["lab-flush.service"] = """\
[Unit]
Description=Flush the journal to where it stays
Requires=systemd-journald.service
After=systemd-journald.service
DefaultDependencies=no
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=journalctl --flush
"""
    files["user@.service"] = f"""\
[Unit]
Description=User manager for UID %i
Wants=lab-flush.service
After=systemd-journald.service lab-flush.service
[Service]
User=%i
Type=notify
Environment=XDG_RUNTIME_DIR=/run/user/%i HOME={folder}/home
WorkingDirectory={folder}/home
ExecStart=/lib/systemd/systemd --user
Slice=user-%i.slice
KillMode=mixed
Delegate=yes
TimeoutStopSec=15
"""
    redis_server = shutil.which("redis-server")
    files["redis.service"] = f"""\
[Unit]
Description=Redis
[Service]
ExecStart={redis_server} --bind 127.0.0.1 --port {redis} --save "" --appendonly no --dir /run
"""
    files["upstream.service"] = f"""\
[Unit]
Description=Upstream of the lab
[Service]
ExecStart={python} -I {UPSTREAM} {upstream}
"""
    files["second.service"] = f"""\
[Unit]
Description=Second upstream of the lab, to be stopped
[Service]
ExecStart={python} -I {UPSTREAM} {second}
"""
    return files


def litellm(binary: Path, folder: Path, port: int, *, user: bool) -> str:
    return f"""\
[Unit]
Description=LiteLLM proxy
{"" if user else "Wants=lab-flush.service" + chr(10) + "After=lab-flush.service"}
[Service]
WorkingDirectory={folder}
Environment=LITELLM_LOCAL_MODEL_COST_MAP=True PYTHONUNBUFFERED=1
EnvironmentFile={folder}/litellm.env
ExecStart={binary} --config {folder}/config.yaml --host 127.0.0.1 --port {port}
Restart=on-failure
RestartSec=2
TimeoutStopSec=15

[Install]
WantedBy={"default.target" if user else "lab.target"}
"""
