"""All processes of this machine, as far as /proc lets this user see them: who began them, and where they listen."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from litellm_tui.host.bounded import MEDIUM, SMALL, read_bytes, read_text

_SOCKET: Final = re.compile(r"socket:\[([0-9]{1,20})\]")
# of Docker, containerd and Podman, with either driver of control groups
_CONTAINER: Final = re.compile(r"(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?(?:/|$)")
_UNIT: Final = re.compile(r"/([^/]{1,200}\.service)(?:/|$)")
_MANAGER: Final = re.compile(r"user@[0-9]{1,10}\.service")
_LISTEN: Final = "0A"
_MOST_PROCESSES: Final = 100_000
_MOST_ANCESTORS: Final = 32
_ANY: Final = {"0.0.0.0", "::"}


class Listener(NamedTuple):
    """A TCP socket that listens: its address, its port, and the user that it belongs to."""

    address: str
    port: int
    user: int


class ProcessTable:
    """Reads /proc, or another folder of its form. What this user may not read is empty or None."""

    def __init__(self, root: str = "/proc") -> None:
        self._root = root
        self._listeners: dict[str, Listener] | None = None

    def pids(self) -> list[int]:
        """The numbers of all processes, in rising order; empty where there is no such folder."""
        try:
            names = os.listdir(self._root)
        except OSError:
            return []
        return sorted(int(name) for name in names if name.isascii() and name.isdigit())[:_MOST_PROCESSES]

    def words(self, pid: int) -> tuple[str, ...]:
        """The argument vector."""
        return tuple(self._parts(pid, "cmdline"))

    def environment(self, pid: int) -> dict[str, str] | None:
        """The environment that the process was started with; None where it may not be read."""
        try:
            content = read_bytes(self._path(pid, "environ"), MEDIUM)
        except OSError:
            return None
        entries = (part.decode(errors="replace") for part in content.split(b"\0"))
        return dict(entry.split("=", 1) for entry in entries if "=" in entry)

    def folder(self, pid: int) -> str | None:
        """The working directory."""
        return self._link(pid, "cwd")

    def output(self, pid: int, number: int) -> str | None:
        """What the file descriptor of this number stands for: a path, `pipe:[…]`, `socket:[…]`."""
        return self._link(pid, f"fd/{number}")

    def parent(self, pid: int) -> int:
        """The parent; 0 where there is none."""
        try:
            # the name in parentheses may hold anything, a parenthesis too
            return int(read_text(self._path(pid, "stat"), SMALL, errors="replace").rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            return 0

    def name(self, pid: int) -> str:
        """The kernel's name for it, which has at most 15 characters."""
        try:
            return read_text(self._path(pid, "comm"), SMALL, errors="replace").strip()
        except OSError:
            return ""

    def ancestors(self, pid: int) -> Iterator[int]:
        """The parent, its parent and so on; without the first process of all."""
        seen = {pid}
        parent = self.parent(pid)
        while parent > 1 and parent not in seen and len(seen) < _MOST_ANCESTORS:
            seen.add(parent)
            yield parent
            parent = self.parent(parent)

    def user(self, pid: int) -> int | None:
        """The user whose rights it has."""
        fields = self._status(pid, "Uid")
        return int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else None

    def is_contained(self, pid: int) -> bool:
        """Whether it lives in a PID namespace of its own, as in a container."""
        return len(self._status(pid, "NSpid")) > 1

    def container(self, pid: int) -> str:
        """The id of its container, by its control group; empty where it is in none that is known."""
        return next((match[1] for line in self._groups(pid) if (match := _CONTAINER.search(line))), "")

    def unit(self, pid: int) -> tuple[str, bool] | None:
        """The service of systemd in whose control group it is, and whether that is a user's; None where it is in none.

        The manager of a user is none.
        """
        for line in self._groups(pid):
            names = _UNIT.findall(line.replace("/", "//"))
            mine = [name for name in names if not _MANAGER.fullmatch(name)]
            if mine:
                return mine[-1], len(mine) < len(names)
        return None

    def listeners(self, pid: int) -> list[Listener]:
        """The sockets of this process that listen on TCP, by port; none where its descriptors may not be read."""
        known = self.all_listeners()
        try:
            names = os.listdir(self._path(pid, "fd"))
        except OSError:
            return []
        links = (self._link(pid, f"fd/{name}") for name in names)
        inodes = {match[1] for link in links if link and (match := _SOCKET.fullmatch(link))}
        return sorted({known[inode] for inode in inodes if inode in known}, key=lambda found: found.port)

    def all_listeners(self) -> dict[str, Listener]:
        """Every socket of this machine that listens on TCP, by its inode; read once."""
        if self._listeners is None:
            self._listeners = {}
            for name in ("tcp", "tcp6"):
                try:
                    lines = read_text(os.path.join(self._root, "net", name), MEDIUM, errors="replace").splitlines()
                except OSError:
                    continue
                for line in lines[1:]:
                    fields = line.split()
                    if len(fields) > 9 and fields[3] == _LISTEN and (found := _listener(fields[1], fields[7])):
                        self._listeners[fields[9]] = found
        return self._listeners

    def _groups(self, pid: int) -> list[str]:
        try:
            return read_text(self._path(pid, "cgroup"), SMALL, errors="replace").splitlines()
        except OSError:
            return []

    def _status(self, pid: int, name: str) -> list[str]:
        try:
            lines = read_text(self._path(pid, "status"), SMALL, errors="replace").splitlines()
        except OSError:
            return []
        return next((line.split()[1:] for line in lines if line.startswith(f"{name}:")), [])

    def _parts(self, pid: int, name: str) -> list[str]:
        try:
            content = read_bytes(self._path(pid, name), MEDIUM)
        except OSError:
            return []
        return [part.decode(errors="replace") for part in content.split(b"\0") if part]

    def _link(self, pid: int, name: str) -> str | None:
        try:
            return os.readlink(self._path(pid, name))
        except OSError:
            return None

    def _path(self, pid: int, name: str) -> str:
        return os.path.join(self._root, str(pid), name)


def _listener(place: str, user: str) -> Listener | None:
    """From the hexadecimal form of /proc/net/tcp: words of four bytes, each in this machine's order."""
    address, _, port = place.partition(":")
    try:
        raw = bytes.fromhex(address)
        number, owner = int(port, 16), int(user)
    except ValueError:
        return None
    if len(raw) not in (4, 16):
        return None
    ordered = b"".join(
        int.from_bytes(raw[at : at + 4], sys.byteorder).to_bytes(4, "big") for at in range(0, len(raw), 4)
    )
    return Listener(_shown(ordered), number, owner)


def _shown(raw: bytes) -> str:
    """The address by which this machine reaches it."""
    import ipaddress

    found = ipaddress.ip_address(raw)
    text = str(getattr(found, "ipv4_mapped", None) or found)
    if text in _ANY:
        return "127.0.0.1"
    return f"[{text}]" if ":" in text else text
