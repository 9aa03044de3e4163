"""Rehearsals of a real LiteLLM beside one that serves: what passes, what is refused, and that nobody notices."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.actions.rehearse.look import NOT_COMPARED
from tests.lab import Lab
from tests.lab.changes_record import note
from tests.lab.config import default_config
from tests.terminal import compile_console

PATIENCE = 400.0
UNIT = "litellm.service"
# the command itself, but for how long it must go on to answer, and with a preflight that finds nothing
QUICK = """\
import sys
from litellm_tui.actions.transaction import run
from litellm_tui.analysis.change import proof
from litellm_tui.cli import main
proof.STEADY_SECONDS = 2.0
run.refusals = lambda found: ""
sys.exit(main(sys.argv[1:]))
"""
COMMAND = (sys.executable, "-c", QUICK)


class Client:
    """Asks twenty times a second; what was not answered with 200 is lost."""

    def __init__(self, lab: Lab) -> None:
        self._lab, self._over = lab, threading.Event()
        self.asked, self.lost = 0, 0
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        while not self._over.wait(0.05):
            self.asked += 1
            try:
                good = self._lab.chat("llama3.1:latest").status == 200
            except OSError:
                good = False
            self.lost += not good

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


class Site:
    """The user unit of a lab, and what rehearsals leave behind."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.config = lab.config_path()

    def argv(self, *arguments: str, user: bool = True) -> list[str]:
        env = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8", "LITELLM_PROXY_API_KEY": self.lab.key(user),
               "XDG_CONFIG_HOME": str(self.lab.home / "settings"),
               "XDG_STATE_HOME": str((self.lab.home if user else self.lab.dir) / "state")}  # fmt: skip
        return self.lab.argv([*COMMAND, *arguments], user=user, env=env)

    def run(self, *arguments: str, user: bool = True) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            self.argv(*arguments, "--json", user=user), capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.stdout, done.stderr
        assert self.lab.key(user) not in done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)

    def rehearse(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        return self.run("rehearse", "--user", "--url", self.lab.url(), *arguments)

    def write(self, change: Callable[[dict[str, Any]], None], name: str = "candidate.yaml") -> Path:
        config = default_config()
        change(config)
        path = self.config.with_name(name)
        before = self.config.read_text()
        self.lab.write_config(config)
        made = self.config.read_text()
        self.config.write_text(before)
        path.write_text(made)
        os.chown(path, self.lab.uid, self.lab.gid)
        return path

    def left(self, user: bool = True) -> str:
        """Units and folders of rehearsals."""
        units = self.lab.systemctl(
            "list-units", "--all", "--plain", "--no-legend", "litellm-tui-rehearsal-*", user=user
        )
        places = "/run/litellm-tui-rehearsal-*" if not user else "$XDG_RUNTIME_DIR/litellm-tui-rehearsal-*"
        folders = self.lab.run(["sh", "-c", f"ls -d {places} 2>/dev/null || true"], user=user)
        return (units.stdout + folders.stdout).strip()

    def pid(self) -> str:
        return self.lab.show(UNIT, "MainPID")["MainPID"]


@pytest.fixture(scope="module")
def site(lab_possible: None) -> Iterator[Site]:
    compile_console()
    with Lab.boot(units=("user",)) as lab:
        yield Site(lab)


def test_a_good_file_passes_and_nobody_is_asked_or_written_to(site: Site) -> None:
    pid = site.pid()
    keys = set(site.lab.redis("keys", "*").split())
    site.lab.calls(reset=True)
    file = site.write(lambda config: config["router_settings"].update(cooldown_time=61))
    with Client(site.lab) as client:
        status, said = site.rehearse(str(file))
    assert (status, said["outcome"]) == (0, "passed"), said
    assert client.asked > 0
    assert client.lost == 0
    assert len(said["loaded"]) == 7
    assert said["ready"] > 0
    assert said["memory"] > 100_000_000
    # where the details of its readiness were read before it was over
    assert said["version"] in ("", site.lab.litellm.version)
    assert any("background health checks" in text for text in said["left_out"])
    # a busy gateway may not tell its settings in time, and that is said
    if NOT_COMPARED not in said["left_out"]:
        assert said["differs"] == ["router_settings.cooldown_time: 60 → 61"]
    # only the running gateway's own rounds ask the upstream: never more often than without a rehearsal
    written = {key for key in set(site.lab.redis("keys", "*").split()) - keys if "rehearsal" not in key}
    assert not any("test" in key for key in written), written
    assert site.left() == ""
    assert site.pid() == pid


def _strategy(config: dict[str, Any]) -> None:
    config["router_settings"]["routing_strategy"] = "fastest-first"


def _dropped(config: dict[str, Any]) -> None:
    config["model_list"].append({"model_name": "lonely", "litellm_params": {"model": "just-a-name", "api_key": "none"}})


def _guardrail(config: dict[str, Any]) -> None:
    config["guardrails"] = [{"guardrail_name": "pii-mask"}]


@pytest.mark.parametrize(
    ("change", "cause", "line"),
    [
        (_strategy, "Invalid routing_strategy: 'fastest-first'", "routing_strategy: fastest-first"),
        (_dropped, "just-a-name", "- model_name: lonely"),
        (_guardrail, "litellm_params", "- guardrail_name: pii-mask"),
    ],
)
def test_a_file_that_would_fail_costs_no_request_and_stays_as_it_is(
    change: Callable[[dict[str, Any]], None], cause: str, line: str, site: Site
) -> None:
    before, pid = site.config.read_bytes(), site.pid()
    site.write(change, site.config.name)
    bad = site.config.read_bytes()
    try:
        with Client(site.lab) as client:
            status, said = site.run("restart", "--yes", "--user", "--url", site.lab.url())
        assert (status, said["result"]) == (2, "refused"), said
        assert cause in said["text"]
        mark = said["rehearsal"]["mark"]
        assert mark["file"] == str(site.config)
        assert line in site.config.read_text().splitlines()[mark["line"] - 1]
        assert f"{mark['file']}:{mark['line']}" in said["text"]
        # how often it could ask depends on the machine
        assert client.asked > 0
        assert client.lost == 0
        assert said["downtime"] in (0.0, None)
        assert site.pid() == pid
        assert site.config.read_bytes() == bad
        assert site.left() == ""
        note("user unit", f"a bad file ({change.__name__.strip('_')}), rehearsed", site.lab.litellm.version, said)
    finally:
        site.config.write_bytes(before)


def test_a_console_that_is_killed_leaves_nothing_behind(site: Site) -> None:
    console = subprocess.Popen(
        site.argv("rehearse", "--user", "--url", site.lab.url()), stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        site.lab.wait("the rehearsal's unit", lambda: "litellm-tui-rehearsal" in site.left())
        site.lab.wait("its folder", lambda: "/litellm-tui-rehearsal" in site.left())
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(console.pid, signal.SIGKILL)
        console.wait()
    site.lab.wait("its end", lambda: site.left() == "")


def test_a_unit_of_the_system_is_rehearsed_before_its_restart(site: Site) -> None:
    site.lab.systemctl("start", UNIT)
    site.lab.wait_ready(("system",))
    try:
        status, said = site.run("restart", "--yes", "--system", "--url", site.lab.url(False), user=False)
        assert (status, said["result"]) == (0, "applied"), said
        assert said["rehearsal"]["outcome"] == "passed", said
        assert len(said["rehearsal"]["loaded"]) == 7
        assert site.left(user=False) == ""
        note("system unit", "a good change, rehearsed", site.lab.litellm.version, said)
    finally:
        site.lab.systemctl("stop", UNIT)


def test_what_only_commands_know_is_rehearsed_as_its_process_runs(site: Site, tmp_path: Path) -> None:
    settings = site.lab.home / "settings"
    pid_file = site.lab.home / "gateway.pid"
    pid_file.write_text(f"{site.pid()}\n")
    (settings / "litellm-tui").mkdir(parents=True)
    (settings / "litellm-tui" / "config.yaml").write_text(json.dumps({
        "profiles": {"own": {"url": site.lab.url(), "config": str(site.config), "custom": {
            "status": ["true"], "restart": ["true"], "pid_file": str(pid_file)}}}}))  # fmt: skip
    argv = site.lab.argv(
        [*COMMAND, "rehearse", "--profile", "own", "--json"],
        env={"LANG": "C.UTF-8", "LITELLM_PROXY_API_KEY": site.lab.key(), "XDG_CONFIG_HOME": str(settings),
             "XDG_STATE_HOME": str(site.lab.home / "state")},
    )  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["outcome"] == "passed"
    assert len(said["loaded"]) == 7
    assert site.left() == ""
