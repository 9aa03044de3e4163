"""Holds one lab: makes its cgroup and namespaces, waits for it to end, leaves nothing behind.

``keeper.py keep DIR``   in a mount namespace of its own; ends the lab at end of file on stdin, or at SIGTERM
``keeper.py init DIR``   inside the new namespaces: prepares them and becomes systemd, PID 1
``keeper.py sweep``      removes the cgroups of labs whose keeper was killed

Standard library only, and run by path, so that nothing of the project is needed to take a lab down.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

NAME = re.compile(r"litellm-lab-(\d+)-\w+")
HOST = "gw-01"
SETTINGS = {
    # No rate limit: a flood has to arrive whole. No kernel messages: they are the machine's, not the lab's.
    "journald": "[Journal]\nStorage=auto\nRateLimitIntervalSec=0\nReadKMsg=no\n",
    "system": "[Manager]\nDefaultMemoryAccounting=yes\nDefaultCPUAccounting=yes\n",
}


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def loopback_up() -> None:
    """A network of one's own begins with an interface that is down: SIOCSIFFLAGS with IFF_UP and IFF_RUNNING."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))


def started(pid: int) -> int:
    """When a process began, in clock ticks; 0: it is gone. Tells it from a later one of the same number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if int(parent) == pid:
                found.append(int(entry.name))
    return found


def own_cgroups() -> dict[str, Path]:
    """This process's own folder in each cgroup hierarchy that the lab uses, by the names of its controllers.

    The one called name=systemd is needed, and mounted privately where the machine has it not. Those that
    count memory and CPU time are used where they exist.
    """
    found: dict[str, Path] = {}
    for attempt in range(2):
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        roots = [(Path(point), set(options.split(","))) for _, point, kind, options, *_ in mounts if kind == "cgroup"]
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            names = set(controllers.split(","))
            root = next((point for point, options in roots if names <= options), None)
            if root is not None and names & {"name=systemd", "memory", "cpuacct"}:
                found[controllers] = root / path.lstrip("/")
        if "name=systemd" in found:
            return found
        if attempt == 0:
            mount("-t", "cgroup", "-o", "none,name=systemd", "cgroup", "/mnt")
    raise RuntimeError("the name=systemd cgroup hierarchy could not be mounted")


def remove_cgroup(root: Path) -> bool:
    """Emptied groups can stay busy for a moment after their last process is gone."""
    for _ in range(100):
        for folder, _, _ in os.walk(root, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        if not root.exists():
            return True
        time.sleep(0.03)
    return False


def sweep() -> None:
    for folder in [child for own in own_cgroups().values() for child in own.iterdir()]:
        match = NAME.fullmatch(folder.name)
        if match is None:
            continue
        try:
            alive = b"keeper.py" in Path(f"/proc/{match[1]}/cmdline").read_bytes()
        except OSError:
            alive = False
        if not alive:
            remove_cgroup(folder)


def keep(lab: Path) -> int:
    settings = json.loads((lab / "lab.json").read_text())
    leash: bool = settings["leash"]
    sweep()
    name = f"litellm-lab-{os.getpid()}-{settings['name']}"
    cgroups = {controllers: own / name for controllers, own in own_cgroups().items()}
    for cgroup in cgroups.values():
        cgroup.mkdir()
    counting = [name for controllers in cgroups for name in controllers.split(",") if "=" not in name]
    # Joining the groups must come before the cgroup namespace: systemd takes over every process of its roots.
    join = " && ".join(f"echo $$ >{shlex.quote(str(cgroup))}/cgroup.procs" for cgroup in cgroups.values())
    network = " -n" if settings.get("apart") else ""
    namespaces = f"unshare -m -p -f -C -i -u{network} --kill-child=KILL --propagation private"
    bear = f'{join} && exec setpriv --pdeathsig KILL {namespaces} "$@"'
    become = [sys.executable, "-I", str(Path(__file__).resolve()), "init", str(lab), *counting]
    holder = subprocess.Popen(["sh", "-c", bear, "sh", *become], stdin=subprocess.DEVNULL)
    stop_read, stop_write = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(stop_write, b".") and None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pid = first_process(holder)
        if pid:
            note = {
                "pid": pid,
                "started": started(pid),
                "keeper": os.getpid(),
                "keeper_started": started(os.getpid()),
            }
            (lab / "pid.json.new").write_text(json.dumps(note))
            os.rename(lab / "pid.json.new", lab / "pid.json")
            watched = [os.pidfd_open(holder.pid), stop_read]
            if leash:
                watched.append(0)
            while not select.select(watched, [], [])[0]:
                pass
            if holder.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    finally:
        if holder.poll() is None:
            try:
                holder.wait(5)
            except subprocess.TimeoutExpired:
                holder.kill()
        holder.wait()
        (lab / "pid.json").unlink(missing_ok=True)
        left = [cgroup for cgroup in cgroups.values() if not remove_cgroup(cgroup)]
        if settings["temporary"]:
            shutil.rmtree(lab, ignore_errors=True)
    return 0 if pid and not left else 1


def first_process(holder: subprocess.Popen[bytes]) -> int:
    # less than the patience of who waits for this
    deadline = time.monotonic() + 120
    while holder.poll() is None and time.monotonic() < deadline:
        for pid in children(holder.pid):
            try:
                if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                    return pid
            except OSError:
                continue
        time.sleep(0.01)
    print("systemd did not start inside the namespaces", file=sys.stderr, flush=True)
    return 0


def reveal(paths: list[str]) -> None:
    """Let the ordinary user reach interpreters that lie below a folder closed to it, such as root's home.

    Only inside this mount namespace: the closed folder gives way to an empty one that holds just these paths.
    """
    wanted: dict[Path, list[Path]] = {}
    for path in sorted({Path(item) for item in paths}):
        for ancestor in reversed([path, *path.parents]):
            if not ancestor.exists() or not ancestor.is_dir():
                break
            if not ancestor.stat().st_mode & 0o001:
                wanted.setdefault(ancestor, []).append(path)
                break
    for number, (closed, inner) in enumerate(wanted.items()):
        stash = Path(f"/run/stash-{number}")
        stash.mkdir()
        mount("--rbind", str(closed), str(stash))
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(closed))
        for path in inner:
            if path == closed or any(other in path.parents for other in inner):
                continue
            path.mkdir(parents=True, exist_ok=True)
            mount("--rbind", str(stash / path.relative_to(closed)), str(path))
        subprocess.run(["umount", "-l", str(stash)], check=True)
        stash.rmdir()


def init(lab: Path, controllers: list[str]) -> NoReturn:
    settings: dict[str, Any] = json.loads((lab / "lab.json").read_text())
    uid: int = settings["uid"]
    os.umask(0o022)
    os.chdir("/")
    if settings.get("apart"):
        loopback_up()
    mount("--make-rprivate", "/")
    mount("-t", "proc", "proc", "/proc")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/sys/fs/cgroup")
    os.mkdir("/sys/fs/cgroup/systemd")
    mount("-t", "cgroup", "-o", "none,name=systemd", "cgroup", "/sys/fs/cgroup/systemd")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    # systemd mounts every controller that stands here. Where the lab joined no group of its own, systemd's
    # groups would be the machine's: shared with the next lab, and left behind.
    listed = "".join(f"{name}\t0\t1\t1\n" for name in controllers)
    Path("/run/cgroups").write_text("#subsys_name\thierarchy\tnum_cgroups\tenabled\n" + listed)
    mount("--bind", "/run/cgroups", "/proc/cgroups")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/var/log")
    # Without this folder every systemd tool believes that the machine was booted by something else.
    for folder in ("systemd/system", "lock", "dbus", "user"):
        os.makedirs(f"/run/{folder}")
    for place in ("/run/log/journal", *([] if settings["volatile_journal"] else ["/var/log/journal"])):
        Path(place).mkdir(parents=True)
        # As on a real host: the journal's files inherit the group that may read them.
        with contextlib.suppress(LookupError):
            shutil.chown(place, group="systemd-journal")
        Path(place).chmod(0o2755)
    os.mkdir(f"/run/user/{uid}", 0o700)
    os.chown(f"/run/user/{uid}", uid, settings["gid"])
    for name, text in SETTINGS.items():
        Path(f"/run/systemd/{name}.conf.d").mkdir()
        Path(f"/run/systemd/{name}.conf.d/lab.conf").write_text(text)
    for name in ("passwd", "group", "machine-id", "hostname"):
        target = Path("/etc", name)
        if not target.exists():
            target.touch()
        mount("--bind", str(lab / "etc" / name), str(target))
    socket.sethostname(HOST)
    reveal(settings["reveal"])
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "container": "lab",
        "SYSTEMD_UNIT_PATH": str(lab / "units"),
        # The machine's own generators would put its own units into the lab.
        "SYSTEMD_GENERATOR_PATH": "/run/no-generators",
    }
    options = ["--system", "--unit=lab.target", "--log-target=journal", "--show-status=0"]
    # Inside a container systemd reads the kernel's command line from its own.
    options += ["systemd.unified_cgroup_hierarchy=0", "systemd.legacy_systemd_cgroup_controller=1"]
    os.execve(settings["systemd"], [settings["systemd"], *options], environment)


def main() -> int:
    command, *rest = sys.argv[1:]
    if command == "sweep":
        sweep()
        return 0
    lab = Path(rest[0])
    if command == "init":
        init(lab, rest[1:])
    return keep(lab)


if __name__ == "__main__":
    sys.exit(main())
