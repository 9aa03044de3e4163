"""What the tests of the simulation ask with: HTTP without a client of the package, its commands, and patience."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from litellm_tui.demo import Simulation
from tests.waiting import DEADLINE

T = TypeVar("T")


def until(look: Callable[[], T], seconds: float = DEADLINE) -> T:
    """What `look` returns as soon as it is true."""
    end = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < end, f"not within {seconds:g} s: {look}"
        time.sleep(0.01)


def ask(
    simulation: Simulation,
    path: str,
    body: Mapping[str, Any] | None = None,
    key: str | None = "right",
    timeout: float = 5,
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body (decoded when it is JSON) of one request. Raises OSError when nobody answers."""
    headers = {"content-type": "application/json"}
    if key is not None:
        headers["authorization"] = f"Bearer {simulation.key if key == 'right' else key}"
    connection = http.client.HTTPConnection("127.0.0.1", int(simulation.url.rpartition(":")[2]), timeout=timeout)
    try:
        content = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, content, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    found = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, found, json.loads(text) if "json" in found["content-type"] else text


def chat(simulation: Simulation, model: str, **more: Any) -> tuple[int, dict[str, str], Any]:
    """One chat completion."""
    return ask(simulation, "/v1/chat/completions", {"model": model, "messages": [], **more})


def state(simulation: Simulation) -> str:
    """How the port behaves: `refused`, `answering`, or what else went wrong."""
    try:
        return "answering" if ask(simulation, "/health/liveliness", timeout=1)[0] == 200 else "odd"
    except ConnectionRefusedError:
        return "refused"
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__


def systemctl(simulation: Simulation, *words: str) -> subprocess.CompletedProcess[str]:
    """The stand-in, as the console runs it."""
    command = simulation.tools.unit_command("user", *words)
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)


def shown(simulation: Simulation) -> dict[str, str]:
    """`systemctl show` of the unit."""
    out = systemctl(simulation, "show", simulation.unit).stdout
    return dict(line.split("=", 1) for line in out.splitlines())


def journal(simulation: Simulation, *words: str) -> list[dict[str, Any]]:
    """The lines that the stand-in prints without following."""
    command = [*simulation.tools.journalctl, "--user", "-u", simulation.unit, "-o", "json", "--all", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def said(lines: list[dict[str, Any]]) -> list[str]:
    """The messages, those in bytes decoded."""
    return [bytes(line["MESSAGE"]).decode() if isinstance(line["MESSAGE"], list) else line["MESSAGE"] for line in lines]
