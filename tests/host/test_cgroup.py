"""How many the kernel has killed for memory, as both versions of control groups write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.host.cgroup import oom_kills


@pytest.mark.parametrize(("place", "text", "number"), [
    ("a.slice/litellm.service/memory.events", "low 0\nhigh 0\nmax 31\noom 2\noom_kill 2\noom_group_kill 0\n", 2),
    ("memory/a.slice/litellm.service/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n", 5),
    ("a.slice/litellm.service/memory.events", "oom_kill many\n", 0),
    ("another/memory.events", "oom_kill 4\n", 0),
])  # fmt: skip
def test_the_kills_of_a_group_are_counted(tmp_path: Path, place: str, text: str, number: int) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_text(text)
    assert oom_kills("/a.slice/litellm.service", str(tmp_path)) == number
