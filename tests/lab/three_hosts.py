"""Three hosts with a gateway each, as an ssh sees them: each its own network, systemd, journald, sshd and LiteLLM."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.lab.config import deployment, render
from tests.lab.core import Lab
from tests.lab.far_side import FarSide

NAMES: Final = ("one", "two", "three")
_CLIENT: Final = """\
Host {name}
  Port {port}
  IdentityFile {folder}/key
  UserKnownHostsFile {folder}/known
"""
_ALL: Final = """\
Host *
  HostName 127.0.0.1
  User litellm-lab
  IdentitiesOnly yes
"""


# the near side goes into the network of a host in place of a cable: there the host has its address for itself
_SSH: Final = """\
#!/bin/sh
for word; do host=$last; last=$word; done
case "$host" in
{cases}
esac
exec nsenter -t "$inside" -n -- {ssh} -F {folder}/client "$@"
"""


def small_config(lab: Lab, **more: Any) -> str:
    """Two models; the same file does for all of them, as each has the same ports in its own network."""
    config: dict[str, Any] = {
        "model_list": [deployment("small", "openai/llama3.1"), deployment("large", "openai/nomic-embed-text")],
        "router_settings": {"num_retries": 1},
    }
    return render(config | more, lab.ports)


class ThreeHosts:
    """The hosts by their names, and one client that reaches all of them."""

    def __init__(self, labs: Sequence[Lab], folder: Path) -> None:
        self.labs = dict(zip(NAMES, labs, strict=True))
        self.sides: dict[str, FarSide] = {}
        client = ""
        for name, lab in self.labs.items():
            own = folder / name
            own.mkdir()
            side = self.sides[name] = FarSide(lab, own)
            client += _CLIENT.format(name=name, port=side.port, folder=own)
        first = self.sides[NAMES[0]]
        (first.folder / "client").write_text(client + _ALL, encoding="utf-8")
        cases = "\n".join(f"{name}) inside={lab.pid} ;;" for name, lab in self.labs.items())
        ssh = first.folder / "bin" / "ssh"
        ssh.write_text(_SSH.format(cases=cases, ssh=shutil.which("ssh"), folder=first.folder), encoding="utf-8")
        self.environment = first.environment
        profiles = "".join(f"  {name}: {{ssh: {name}, unit: litellm.service, group: web}}\n" for name in NAMES)
        first.write_settings(f"profiles:\n{profiles}")
        self.state = folder / NAMES[0] / "state" / "litellm-tui"

    def __enter__(self) -> Self:
        for side in self.sides.values():
            side.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for side in self.sides.values():
            side.__exit__(None, None, None)

    def command(self, *words: str) -> list[str]:
        """litellm-tui beside them."""
        return [sys.executable, "-P", "-m", "litellm_tui.cli", *words]

    def tui(self, *words: str, seconds: float = 600.0) -> subprocess.CompletedProcess[str]:
        """It, to its end."""
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, env=self.environment,
            stdin=subprocess.DEVNULL, timeout=seconds,
        )  # fmt: skip

    def runs(self) -> dict[str, str]:
        """Which run of its process each host is in."""
        return {name: lab.show("litellm.service", "InvocationID")["InvocationID"] for name, lab in self.labs.items()}

    def answering(self) -> list[str]:
        """The hosts whose gateways answer now."""
        return [name for name, lab in self.labs.items() if lab.request("GET", "/health/liveliness").status == 200]

    def configs(self) -> dict[str, str]:
        """What lies on the disk of each."""
        return {name: lab.config_path().read_text(encoding="utf-8") for name, lab in self.labs.items()}
