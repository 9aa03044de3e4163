"""The restart as a transaction on real units: what is applied, what is rolled back by itself, and what is refused."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from litellm_tui.storage.backups import Backups
from tests.lab import Lab
from tests.lab.changes_record import note
from tests.lab.config import default_config, deployment
from tests.terminal import CONSOLE, Terminal, TerminalError, compile_console

# a restart that is rolled back starts LiteLLM twice, and says by itself when it has waited for too long
PATIENCE = 400.0
UNIT = "litellm.service"
COMMAND = (sys.executable, "-m", "litellm_tui.cli", "restart")
# the command itself, but for how long it must go on to answer: each case waits for that twice
QUICK = """\
import sys
from litellm_tui.analysis.change import proof
from litellm_tui.cli import main
proof.STEADY_SECONDS = float(sys.argv.pop(1))
sys.exit(main(sys.argv[1:]))
"""


def quickly(seconds: float = 2.0) -> tuple[str, ...]:
    """The command, where it need go on to answer for no longer than this, and is not rehearsed: test_rehearsal does."""
    return (sys.executable, "-c", QUICK, str(seconds), "restart", "--no-rehearsal")


DROP_IN = """\
[Service]
ExecStartPre=/bin/sh -c '[ ! -e broken.yaml ] || mv broken.yaml config.yaml'
ExecStart=
ExecStart={binary} --config {folder}/config.yaml --host 127.0.0.1 --port ${{PORT}}
"""
CRASH = """\
import os, threading, time, urllib.request
from litellm.integrations.custom_logger import CustomLogger

def end():
    while True:
        time.sleep(0.1)
        try:
            urllib.request.urlopen("{url}/health/liveliness").read()
            break
        except OSError:
            pass
    time.sleep(5)
    os._exit(7)

threading.Thread(target=end, daemon=True).start()
handler = CustomLogger()
"""


class Ended(NamedTuple):
    status: int
    said: dict[str, Any]
    error: str


class Site:
    """The user unit of a lab with its port in the environment file, an include, and a state folder of its own."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.folder = lab.config_path().parent
        self.state = lab.home / "state"
        self.proved: dict[str, bytes] = {}
        drop_in = lab.unit_path().parent / f"{UNIT}.d" / "port.conf"
        drop_in.parent.mkdir()
        drop_in.write_text(DROP_IN.format(binary=lab.litellm.bin, folder=self.folder))
        self.set_port(lab.ports.user)
        lab.systemctl("daemon-reload", user=True)

    def set_port(self, port: int) -> None:
        """The port stands in the environment file alone."""
        path = self.lab.env_path()
        kept = [line for line in path.read_text().splitlines() if not line.startswith("PORT=")]
        path.write_text("\n".join([*kept, f"PORT={port}", ""]))

    def write(self, name: str, text: str) -> None:
        """A file beside the configuration that belongs to the user."""
        (self.folder / name).write_text(text)
        os.chown(self.folder / name, self.lab.uid, self.lab.gid)

    def disk(self) -> dict[str, bytes]:
        return {name: (self.folder / name).read_bytes() for name in ("config.yaml", "more.yaml", "litellm.env")
                if (self.folder / name).exists()}  # fmt: skip

    def argv(self, *arguments: str, command: tuple[str, ...] = quickly(), given: bool = True) -> list[str]:
        # the key that was right before: what is wrong with the environment file is to be proved by the service
        env = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8", "XDG_STATE_HOME": str(self.state),
               "LITELLM_PROXY_API_KEY": self.lab.key()}  # fmt: skip
        address = ("--url", self.lab.url()) if given else ()
        return self.lab.argv([*command, "--user", *address, *arguments], env=env)

    def restart(self, *arguments: str, command: tuple[str, ...] = quickly(), given: bool = True) -> Ended:
        argv = self.argv("--yes", "--json", *arguments, command=command, given=given)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.stdout, done.stderr
        said = json.loads(done.stdout)
        assert said["exit_status"] == done.returncode
        assert self.lab.key() not in done.stdout + done.stderr
        return Ended(done.returncode, said, done.stderr)

    def backups(self) -> Backups:
        found = Backups(self.lab.url(), UNIT, self.state / "litellm-tui")
        found.load()
        return found

    def pid(self) -> int:
        return int(self.lab.show(UNIT, "MainPID")["MainPID"])

    def serves(self) -> bool:
        with contextlib.suppress(OSError):
            return self.lab.chat("llama3.1:latest").status == 200
        return False

    def record(self) -> dict[str, Any] | None:
        """Where a transaction stands."""
        for path in (self.state / "litellm-tui" / "transactions").glob("*.json"):
            with contextlib.suppress(OSError, ValueError):
                found: dict[str, Any] = json.loads(path.read_bytes())
                return found
        return None


def _report(what: str, ended: Ended, site: Site) -> None:
    down = ended.said["downtime"]
    assert down is not None
    rehearsed = "rehearsed" if ended.said["rehearsal"] else "not rehearsed"
    note("user unit", f"{what}, {rehearsed}", site.lab.litellm.version, ended.said)
    print(f"\n  {what}: {ended.said['result']} in {ended.said['took']:.1f} s, {down:.1f} s without an answer")


def _config(**router: Any) -> dict[str, Any]:
    config = default_config()
    config["router_settings"].update(router)
    return {"include": ["more.yaml"], **config}


@pytest.fixture(scope="module")
def module_lab(lab_possible: None) -> Iterator[Lab]:
    compile_console()
    with Lab.boot() as lab:
        yield lab


@pytest.fixture(scope="module")
def good(module_lab: Lab) -> Site:
    """A good change, applied and proved, with all of the time that the proof takes."""
    site = Site(module_lab)
    site.write(
        "more.yaml",
        json.dumps({"model_list": [deployment("more", "openai/more", port=str(module_lab.ports.upstream))]}),
    )
    module_lab.write_config(_config(cooldown_time=61))
    before = site.pid()
    ended = site.restart(command=COMMAND)
    assert (ended.status, ended.said["result"]) == (0, "applied"), ended
    assert "8 of 8 deployments loaded" in ended.said["text"]
    assert ended.said["rehearsal"]["outcome"] == "passed", ended
    assert ended.said["rehearsal"]["differs"][-1] == "router_settings.cooldown_time: 60 → 61"
    assert site.pid() not in (0, before)
    assert site.serves()
    newest = site.backups().records()[-1]
    assert (newest.good, newest.result, newest.litellm_version) == (True, "applied", module_lab.litellm.version)
    assert site.record() is None
    site.proved = site.disk()
    _report("a good change", ended, site)
    return site


@pytest.fixture
def site(good: Site) -> Iterator[Site]:
    """What was proved last, and is there again afterwards, whatever a test did."""
    yield good
    for path in (good.state / "litellm-tui" / "transactions").glob("*.json"):
        # of a test that failed: the next one begins anew
        path.unlink()
    if good.disk() != good.proved or not good.serves():
        for name, content in good.proved.items():
            (good.folder / name).write_bytes(content)
        good.lab.systemctl("reset-failed", UNIT, user=True, check=False)
        good.lab.systemctl("restart", UNIT, user=True)
        good.lab.wait_ready(("user",))


def _rolled_back(
    site: Site, wanted: dict[str, bytes], what: str, cause: str, *arguments: str, command: tuple[str, ...] = quickly()
) -> Ended:
    """A restart that takes itself back: the files and the service are as before, and the cause is said."""
    ended = site.restart(*arguments, command=command)
    assert (ended.status, ended.said["result"]) == (1, "rolled back"), json.dumps(ended.said, indent=1)
    assert site.disk() == wanted
    assert site.serves()
    assert site.lab.show(UNIT, "ActiveState")["ActiveState"] == "active"
    assert re.search(cause, ended.said["text"]), ended.said
    assert "8 of 8 deployments loaded" in ended.said["text"]
    assert site.record() is None
    _report(what, ended, site)
    return ended


def test_no_request_of_a_client_ends_the_restart(site: Site) -> None:
    """What is written into the log while the restart is proved is a client's, too."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.1):
            with contextlib.suppress(OSError):
                site.lab.chat("Received Model Group=a No deployments available Try again in . seconds")

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        pid, done = site.pid(), site.restart()
        # however short the time was in which it answered
        site.lab.wait("the line in the log", lambda: "Try again in . seconds" in site.lab.journal("--since=-60s"))
    finally:
        ended.set()
        asking.join()
    assert (done.status, done.said["result"]) == (0, "applied"), done
    assert site.pid() not in (0, pid)
    assert site.record() is None


def test_another_port_is_followed_where_nobody_has_given_the_address(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what ran at that port is nothing that another test's restart is to go back to
    monkeypatch.setattr(site, "state", site.state.with_name("state-elsewhere"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site.set_port(port)
    done = site.restart(given=False)
    assert (done.status, done.said["result"]) == (0, "applied"), done
    socket.create_connection(("127.0.0.1", port), timeout=2).close()
    assert done.said["downtime"] < done.said["took"]
    assert site.record() is None


# --- rolled back by itself ------------------------------------------------------------------------------------------


def test_yaml_that_is_broken_between_preflight_and_restart(site: Site) -> None:
    wanted = site.disk()
    broken = wanted["config.yaml"] + b"router_settings: [\n"
    site.write("broken.yaml", broken.decode())
    ended = _rolled_back(site, wanted, "YAML broken under the restart", r"yaml\.\w+\.\w+Error")
    assert any("yaml" in line for line in ended.said["log"])
    # what was rejected is what stood there, and not what the preflight had seen
    kept = site.backups().content(ended.said["rejected"])
    assert isinstance(kept, dict)
    assert kept[str(site.lab.config_path())] == broken


def test_a_fatal_setting_is_refused_and_when_forced_rolled_back(site: Site) -> None:
    wanted, pid = site.disk(), site.pid()
    site.lab.write_config(_config(routing_strategy="by-the-moon"))
    ended = site.restart()
    assert (ended.status, ended.said["result"]) == (2, "refused")
    assert "by-the-moon" in ended.said["text"]
    assert site.pid() == pid
    assert site.record() is None
    rejected = site.disk()["config.yaml"]
    ended = _rolled_back(site, wanted, "a fatal setting", "routing_strategy|by-the-moon", "--force")
    kept = site.backups().content(ended.said["rejected"])
    assert isinstance(kept, dict)
    assert kept[str(site.lab.config_path())] == rejected


def test_a_port_that_is_taken(site: Site) -> None:
    wanted = site.disk()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        site.set_port(taken.getsockname()[1])
        # it would not be found there either
        ended = site.restart()
        assert (ended.status, ended.said["result"]) == (2, "refused")
        assert str(taken.getsockname()[1]) in ended.said["text"]
        _rolled_back(site, wanted, "a port that is taken", "address already in use|already in use", "--force")


def test_an_include_that_is_removed(site: Site) -> None:
    wanted, pid = site.disk(), site.pid()
    (site.folder / "more.yaml").unlink()
    ended = site.restart()
    assert (ended.status, ended.said["result"]) == (2, "refused")
    assert "more.yaml" in ended.said["text"]
    assert site.pid() == pid
    _rolled_back(site, wanted, "an include removed", "more.yaml", "--force")


def test_an_environment_variable_that_is_gone(site: Site) -> None:
    wanted = site.disk()
    site.lab.env_path().write_text(f"PORT={site.lab.ports.user}\n")
    _rolled_back(site, wanted, "an environment variable gone", "LITELLM_MASTER_KEY|key", "--force")


def test_a_model_that_is_dropped(site: Site) -> None:
    wanted = site.disk()
    config = _config(cooldown_time=62)
    config["model_list"].append(deployment("lost", "no-such-model"))
    site.lab.write_config(config)
    _rolled_back(site, wanted, "a model that is dropped", "no-such-model", "--force")


def test_a_crash_five_seconds_after_the_start(site: Site) -> None:
    wanted = site.disk()
    site.write("crash.py", CRASH.format(url=site.lab.url()))
    config = _config(cooldown_time=62)
    config["litellm_settings"]["callbacks"] = ["crash.handler"]
    site.lab.write_config(config)
    _rolled_back(site, wanted, "a crash 5 s after the start", "status 7|ended after its start", command=quickly(7))


def test_a_proxy_that_answers_and_has_loaded_nothing(site: Site) -> None:
    wanted = site.disk()
    site.lab.write_config({**default_config(), "model_list": []})
    _rolled_back(site, wanted, "a proxy that loads nothing", "loaded nothing", "--force")


# --- killed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["--finish", "--undo"])
def test_what_was_killed_at_its_proof_is_told_and_ended(site: Site, ending: str) -> None:
    wanted = site.disk()
    site.lab.write_config(_config(cooldown_time=63 if ending == "--finish" else 64))
    changed = site.disk()
    child = subprocess.Popen(site.argv("--yes"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        site.lab.wait("the proof", lambda: (site.record() or {}).get("stage") == "proof", pause=0.02)
    finally:
        record = site.record()
        assert record is not None
        site.lab.run(["kill", "-KILL", str(record["holder"]["pid"])])
        assert child.wait(PATIENCE) in (-signal.SIGKILL, 128 + signal.SIGKILL)
    assert site.disk() == changed
    # nobody begins anew on top of that
    again = site.restart()
    assert again.status == 2
    assert "was restarted with the new configuration, and that was not proved yet" in again.said["text"]
    assert f"process {record['holder']['pid']}" in again.said["text"]
    ended = site.restart(ending)
    if ending == "--finish":
        assert (ended.status, ended.said["result"]) == (0, "applied"), ended
        assert site.disk() == changed
        site.proved = changed
    else:
        assert (ended.status, ended.said["result"]) == (1, "rolled back"), ended
        assert site.disk() == wanted
    assert site.serves()
    assert site.record() is None
    _report(f"a restart that was killed at its proof, and {ending}", ended, site)


# --- refused --------------------------------------------------------------------------------------------------------


def test_a_unit_file_that_changed_is_read_anew_applied_and_taken_back(site: Site) -> None:
    lab = site.lab
    edited = lab.unit_path().parent / f"{UNIT}.d" / "z-edited.conf"
    os.chown(edited.parent, lab.uid, lab.gid)
    good = "[Service]\nEnvironment=ADDED=yes\n"
    try:
        edited.write_text(good)
        os.chown(edited, lab.uid, lab.gid)
        assert lab.show(UNIT, "NeedDaemonReload")["NeedDaemonReload"] == "yes"
        ended = site.restart()
        assert ended.said["result"] == "applied", ended
        assert "ADDED=yes" in lab.run(["cat", f"/proc/{site.pid()}/environ"]).stdout.split("\0")
        # a program that ends at once: what systemd has read is what was written before, and what is on the disk too
        edited.write_text(f"{good}ExecStart=\nExecStart=/bin/false\n")
        _rolled_back(site, site.disk(), "a spoilt unit file", "")
        assert edited.read_text() == good
        assert lab.show(UNIT, "NeedDaemonReload")["NeedDaemonReload"] == "no"
    finally:
        edited.unlink(missing_ok=True)
        lab.systemctl("daemon-reload", user=True)


def test_a_system_unit_needs_rights_and_is_left_alone(site: Site) -> None:
    lab = site.lab
    properties = ("ActiveState", "InvocationID", "NRestarts", "Job")
    before = lab.show(UNIT, *properties, user=False)
    command = [*quickly(), "--system", "--url", lab.url(False), "--yes", "--json"]
    env = {"XDG_STATE_HOME": str(site.state), "LITELLM_PROXY_API_KEY": lab.key(False)}
    done = lab.run(command, user=True, check=False, env=env)
    said = json.loads(done.stdout)
    assert (done.returncode, said["result"], said["needs_rights"]) == (2, "refused", True), said
    assert lab.show(UNIT, *properties, user=False) == before
    assert site.record() is None


def test_a_unit_that_is_gone_is_refused_and_a_crash_loop_is_mended(site: Site) -> None:
    lab = site.lab
    hidden = lab.unit_path().with_suffix(".hidden")
    dropped = lab.unit_path().parent / f"{UNIT}.d"
    lab.systemctl("stop", UNIT, user=True)
    os.rename(lab.unit_path(), hidden)
    os.rename(dropped, dropped.with_suffix(".hidden"))
    wanted = site.disk()
    try:
        lab.systemctl("daemon-reload", user=True)
        done = subprocess.run(site.argv("--yes", "--unit", UNIT), capture_output=True, text=True, check=False)
        assert done.returncode == 64
        assert f"{UNIT} is not among the user units" in done.stderr
        assert site.disk() == wanted
    finally:
        os.rename(hidden, lab.unit_path())
        os.rename(dropped.with_suffix(".hidden"), dropped)
        lab.systemctl("daemon-reload", user=True)
    # systemd has started it again and again: what it counted then does not speak against the file that is right
    site.write("config.yaml", "model_list: [\n")
    lab.systemctl("start", UNIT, user=True)
    lab.wait("a crash loop", lambda: int(lab.show(UNIT, "NRestarts")["NRestarts"]) >= 2)
    site.write("config.yaml", wanted["config.yaml"].decode())
    ended = site.restart()
    assert ended.said["result"] == "applied", ended
    assert site.serves()


# --- sudo, as the console calls it ---------------------------------------------------------------------------------

SUDO = """\
#!/bin/sh
# What it was asked for, for the test to look at.
echo "$@" > "{folder}/called"
test -t 0 && test -t 1 && test -t 2 || echo "sudo: no tty present"
stty -echo
printf '[sudo] password for %s: ' "$USER"
read -r password
stty echo
echo
if [ "$password" != open ]; then
    echo "sudo: 1 incorrect password attempt"
    exit 1
fi
echo "$password" > "{folder}/asked"
while [ ! -e "{folder}/restarted" ]; do sleep 0.05; done
"""


@pytest.fixture
def sudo(module_lab: Lab) -> Iterator[Path]:
    """A folder with a `sudo` that knows one password; the restart itself is the test's, which is root."""
    lab = module_lab
    folder = lab.home / "stand-in"
    folder.mkdir()
    script = folder / "sudo"
    script.write_text(SUDO.format(folder=folder))
    script.chmod(0o755)
    (folder / "key").write_text(lab.key(user=False))
    folder.chmod(0o777)
    (folder / "key").chmod(0o644)
    yield folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def test_sudo_gets_the_terminal_and_gives_it_back(module_lab: Lab, sudo: Path) -> None:
    lab = module_lab
    path = f"{sudo}:{os.environ['PATH']}"
    command = [*CONSOLE, "--system", "--key-file", str(sudo / "key")]
    with Terminal(lab.argv(command, env={"PATH": path})) as console:
        console.wait_for(r"DOWN .*litellm\.service is inactive", 10)

        def restart_through_sudo() -> None:
            console.press("R")
            console.wait_for("Cancel .*Start with 1 error")
            console.wait_for("A copy is kept")
            asked_at = time.monotonic()
            # For its first moments the dialog takes no Enter.
            console.wait_for(lambda _: time.monotonic() - asked_at > 0.6)
            console.press("right", "enter")
            console.wait_for(r"\[sudo\] password for")

        restart_through_sudo()
        shown = console.screen_text()
        assert "may not restart litellm.service for you" in shown
        assert "━ 1 Models" not in shown, "the console is still on the terminal"
        assert (sudo / "called").read_text().split() == ["systemctl", "restart", UNIT]
        assert "no tty present" not in shown
        console.type("wrong")
        console.press("enter")
        console.wait_for("1 incorrect password attempt")
        assert "wrong" not in console.screen_text(), "the password was echoed"
        console.wait_for("No restart was carried out. Enter goes on")
        console.press("enter")
        console.wait_for("━ 1 Models")
        console.wait_for("refused +nothing was changed: .*([Dd]enied|authentication required)")
        assert lab.show(UNIT, "ActiveState", user=False)["ActiveState"] == "inactive"
        console.press("enter")
        console.wait_gone("refused +nothing")

        restart_through_sudo()
        console.type("open")
        console.press("enter")
        lab.wait("sudo has the password", (sudo / "asked").exists)
        try:
            lab.systemctl("restart", UNIT)
            (sudo / "restarted").touch()
            console.wait_for("━ 1 Models")
            console.wait_for("proof")
            console.wait_for("applied +applied and proved; 7 of 7 deployments loaded", 90)
            console.press("enter")
            console.wait_gone("╭─ Restart")
            console.wait_for(r"active \(running\)")
            # The keys go to the console again; one that comes while the terminal is taken back may be lost.
            for _ in range(3):
                console.press("?")
                with contextlib.suppress(TerminalError):
                    console.wait_for("Keys and signs", 4)
                    break
            assert "Keys and signs" in console.screen_text()
            console.press("escape")
            console.wait_gone("Keys and signs")
            console.press("q")
            assert console.exit_status() == 0
        finally:
            lab.systemctl("stop", UNIT)
