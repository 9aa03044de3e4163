"""The ports on which a process listens."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from litellm_tui.host.listening import listening_ports


def test_the_ports_of_a_process_and_its_children_are_found() -> None:
    code = (
        "import os, socket, time\n"
        "one = socket.create_server(('127.0.0.1', 0)); two = socket.create_server(('::1', 0), family=socket.AF_INET6)\n"
        "print(one.getsockname()[1], two.getsockname()[1], flush=True)\n"
        "input()\n"
    )
    command = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ports = tuple(sorted(map(int, process.stdout.readline().split())))
        assert listening_ports(process.pid) == ports
        process.communicate("\n")
    assert listening_ports(process.pid) == ()


def test_a_connection_is_no_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getsockname()[1] not in listening_ports(os.getpid())
