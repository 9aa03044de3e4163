"""`litellm-tui rollback` beside a real service, as the ordinary user of the lab runs it."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import Lab

COMMAND = (sys.executable, "-m", "litellm_tui.cli")
RETRIES = ("num_retries: 1", "num_retries: 3")


@pytest.fixture(scope="module")
def lab(lab_possible: None) -> Iterator[Lab]:
    """A lab of its own: a file that was written since its process has started is another thing to every other test."""
    with Lab.boot() as booted:
        yield booted


def _run(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    state = {"XDG_STATE_HOME": str(lab.home / "state-rollback"), "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}
    return lab.run([*COMMAND, *arguments], user=True, check=False, env=state)


def _listed(lab: Lab) -> list[dict[str, Any]]:
    done = _run(lab, "rollback", "--list", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_start_that_lasted_is_what_it_goes_back_to_with_its_environment(lab: Lab) -> None:
    for _ in range(90):
        assert _run(lab, "status").returncode in (0, 1, 2)
        if any(backup["good"] and backup["litellm_version"] for backup in _listed(lab)):
            break
        time.sleep(1)
    # on a busy machine a look may come before it serves: what it saw then was failing
    listed = _listed(lab)
    assert sum(backup["good"] is True for backup in listed) == 1, listed
    seen = next(backup for backup in listed if backup["good"])
    assert (seen["why"], seen["good"], seen["differing"]) == ("seen running", True, [])
    assert seen["result"] == "loaded 7 of 7 deployments"
    assert seen["litellm_version"] == lab.litellm.version
    config = lab.config_path()
    environment = config.with_name("litellm.env")
    before = {path: (path.read_bytes(), path.stat()) for path in (config, environment)}
    unit = lab.unit_path()
    # where the unit has no drop-in, the one that `systemctl edit` makes is kept as not there
    ours = [unit, unit.with_name(f"{unit.name}.d") / "override.conf"]
    assert [file["path"] for file in seen["files"]] == [str(path) for path in (config, environment, *ours)]

    text = config.read_text()
    assert RETRIES[0] in text
    config.write_text(text.replace(*RETRIES))
    with environment.open("a") as file:
        file.write("ADDED=hunter22\n")
    done = _run(lab, "rollback", "--yes")
    assert done.returncode == 0, done.stderr
    assert "num_retries: 3 → 1" in done.stdout
    assert "environment ADDED" in done.stdout
    assert "a restart applies it" in done.stdout
    assert "hunter22" not in done.stdout
    assert lab.key() not in done.stdout
    for path, (content, found) in before.items():
        now = path.stat()
        assert path.read_bytes() == content
        assert (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)) == (
            found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)
        )  # fmt: skip

    # what was there is kept, and a broken file is gone back from as well
    newest = _listed(lab)[0]
    assert newest["why"] == "before a rollback"
    config.write_text("model_list: [\n")
    assert _run(lab, "rollback", "--to", str(newest["id"]), "--yes").returncode == 0
    assert RETRIES[1] in config.read_text()
    assert _run(lab, "rollback", "--yes").returncode == 0
    assert config.read_bytes() == before[config][0]
    # nothing of it has touched the service
    assert lab.show("litellm.service", "NRestarts", user=True)["NRestarts"] == "0"
    assert _run(lab, "rollback", "--yes").returncode == 66
