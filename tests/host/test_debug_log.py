"""`--log-file`: what the console does, with how long it took, and without a secret."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.cli import main
from litellm_tui.commands import look
from litellm_tui.demo import Simulation
from litellm_tui.host import debug_log
from litellm_tui.host.command import run
from litellm_tui.target import resolution
from tests.waiting import DEADLINE

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4} "


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "debug.log"
    debug_log.end()


def test_each_source_is_timed_and_no_secret_is_written(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(look, "PATIENCE_SECONDS", DEADLINE)
    with Simulation(tmp_path / "gateway", scripted=False) as simulation:
        monkeypatch.setattr(resolution, "Tools", lambda: simulation.tools)
        assert main(["status", "--json", "--log-file", str(path)]) in (0, 1)
        environment = (simulation.folder / "litellm.env").read_text(encoding="utf-8")
    debug_log.end()
    written = path.read_text(encoding="utf-8")
    for line in written.splitlines():
        assert re.match(STAMP + r"(DEBUG|INFO|WARNING) \S", line), line
    for source in ("configuration", "service", "GET /health/readiness", r"GET /v1/models"):
        assert re.search(rf"DEBUG {source} took \d+\.\d ms", written), source
    assert path.stat().st_mode & 0o777 == 0o600
    secrets = re.findall(r"^\w+=(\S{12,})$", environment, re.MULTILINE)
    assert secrets
    assert [secret for secret in secrets if secret in written] == []


def test_a_value_that_only_the_gateway_knows_is_masked(path: Path) -> None:
    debug_log.begin(str(path))
    debug_log.mask_by(lambda text: text.replace("correct horse", "•••"))
    debug_log.failed("Redis", "AUTH correct horse\nrefused with sk-1234567890abcdef1234567890")
    debug_log.end()
    written = path.read_text(encoding="utf-8")
    assert re.fullmatch(STAMP + r"WARNING Redis failed: AUTH •••\\nrefused with •••\n", written), written


async def test_a_child_is_named_by_its_program_and_order_alone(path: Path) -> None:
    debug_log.begin(str(path))
    await run([sys.executable, "-c", "print('hunter2')"])
    debug_log.end()
    written = path.read_text(encoding="utf-8")
    assert re.search(rf"DEBUG {re.escape(Path(sys.executable).name)} took \d+\.\d ms: 0", written), written
    assert "hunter2" not in written


def test_a_file_that_cannot_be_written_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = tmp_path / "none" / "debug.log"
    assert main(["where", "--log-file", str(wanted)]) == 64
    assert capsys.readouterr().err == (
        f"litellm-tui: --log-file {wanted}: No such file or directory; name a file that you may write\n"
    )


def test_a_full_disk_ends_the_log_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    debug_log.begin("/dev/full")
    for _ in range(3):
        debug_log.said("console", "goes on")
        time.sleep(0.01)
    debug_log.end()
    assert capfd.readouterr() == ("", "")


def test_without_the_option_nothing_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    debug_log.failed("Redis", "refused")
    debug_log.took("Redis", 1.0)
    assert capfd.readouterr() == ("", "")
