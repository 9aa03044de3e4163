"""A folder of the form of /proc, with processes made by hand."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path


class FakeProcesses:
    """Processes below `root`, and TCP sockets that listen."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "net").mkdir(parents=True)
        self._sockets: list[str] = []
        self._write_sockets()
        self.add(1, ["/sbin/init"], parent=0)

    def add(
        self,
        pid: int,
        words: Sequence[str],
        *,
        parent: int = 1,
        name: str = "",
        environment: Mapping[str, str] | None = None,
        folder: str | None = "/srv/llm",
        ports: Sequence[int] = (),
        group: str = "0::/user.slice/session-1.scope",
        namespaces: int = 1,
        output: str = "/dev/null",
        error: str = "",
        user: int | None = None,
        readable: bool = True,
    ) -> None:
        """One process. What is not `readable` has neither environment nor folder nor descriptors, as another user's."""
        place = self.root / str(pid)
        (place / "fd").mkdir(parents=True)
        user = os.geteuid() if user is None else user
        (place / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
        name = name or os.path.basename(words[0])[:15]
        (place / "comm").write_text(f"{name}\n")
        (place / "stat").write_text(f"{pid} ({name}) S {parent} {pid} {pid} 0 -1 0 " + "0 " * 40 + "\n")
        numbers = "\t".join(str(pid) for _ in range(namespaces))
        (place / "status").write_text(f"Name:\t{name}\nUid:\t{user}\t{user}\t{user}\t{user}\nNSpid:\t{numbers}\n")
        (place / "cgroup").write_text(f"{group}\n")
        links = {1: output, 2: error or output}
        for port in ports:
            inode = 1000 * pid + port
            self._sockets.append(f"   0: 00000000:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000  "
                                 f"{user}        0 {inode} 1 0000000000000000 100 0 0 10 0")  # fmt: skip
            links[3 + port] = f"socket:[{inode}]"
        self._write_sockets()
        if readable:
            (place / "environ").write_bytes(
                b"".join(f"{key}={value}".encode() + b"\0" for key, value in (environment or {}).items())
            )
            if folder is not None:
                (place / "cwd").symlink_to(folder)
            for number, target in links.items():
                (place / "fd" / str(number)).symlink_to(target)
        else:
            (place / "fd").rmdir()

    def _write_sockets(self) -> None:
        head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
        (self.root / "net" / "tcp").write_text("\n".join([head, *self._sockets]) + "\n")
