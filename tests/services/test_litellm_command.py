"""What a command line says of configuration and address, also one that a shell runs."""

from __future__ import annotations

import pytest

from litellm_tui.model.service import Variable
from litellm_tui.services.litellm_command import unit_from_command

ENVIRONMENT = {"PORT": Variable("4777", "test")}


@pytest.mark.parametrize(
    ("words", "config", "port"),
    [
        (["litellm", "-c", "x.yaml", "--port", "1"], "/w/x.yaml", 1),
        (["sh", "-c", "litellm --config /app/c.yaml --port 4001"], "/app/c.yaml", 4001),
        (
            ["/bin/bash", "-lc", "export A=1; exec /opt/litellm --config=c.yaml --port $PORT && echo --port 1"],
            "/w/c.yaml", 4777,
        ),
        (["sh", "-c", "litellm \\\n --port 12\necho --port 13"], None, 12),
        (["sh", "-c", "litellm --port ${NONE:-9}"], None, 4777),
        (["sh", "-c", "trap 'exit 0' TERM; echo it"], None, 4777),
        (["sh", "-c", "it's"], None, 4777),
        (["sh", "-c"], None, 4777),
        (["sh", "start.sh", "--port", "3"], None, 3),
        (["tini", "--", "sh", "-c", "litellm --port 4006"], None, 4006),
        (["/usr/bin/env", "A=1", "/bin/sh", "-ec", "litellm -c /q.yaml"], "/q.yaml", 4777),
        (["litellm", "-c", "sh"], "/w/sh", 4777),
        ([], None, 4777),
    ],
)  # fmt: skip
def test_options_are_those_of_litellm_and_not_of_its_shell(words: list[str], config: str | None, port: int) -> None:
    unit = unit_from_command("gw", "docker", words, "/w", ENVIRONMENT)
    assert (unit.config, unit.url) == (config, f"http://127.0.0.1:{port}")
