"""The real console in a real terminal, as an ordinary user, on a real gateway that is broken in every way at hand."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml

from tests.lab import Lab
from tests.lab.config import default_config
from tests.terminal import CONSOLE, Terminal, compile_console

UNIT = "litellm.service"
WIDE, NARROW = (120, 40), (80, 24)
# What a two-core machine under load may add to a time that is part of the behaviour.
SLACK = 4.0
PLANTED = ("sk-planted-4e1b77d0c92f", "plantedWithoutAnyShape81")
TRACEBACK = "Traceback (most recent call last)"
CRASH = "met an error that it should have handled"


def report(what: str, seconds: float) -> None:
    print(f"\n  {what}: {seconds:.2f} s")


# -- the gateway under test


def site_config() -> dict[str, Any]:
    config = default_config()
    for entry, secret in zip(config["model_list"], PLANTED, strict=False):
        entry["litellm_params"]["api_key"] = secret
    return config


class Site:
    """The lab with what it has to be put back to after a test: `running` is the file the gateway was started with."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.running = lab.config_path().read_text()
        self._changed_at = lab.config_path().stat().st_ctime
        self._stopped = False

    @property
    def config(self) -> dict[str, Any]:
        """What the gateway was started with, to be changed and saved."""
        value: dict[str, Any] = yaml.safe_load(self.running)
        return value

    @property
    def pid(self) -> int:
        """The number of LiteLLM's main process inside the lab."""
        return int(self.lab.show(UNIT, "MainPID")["MainPID"])

    def kill(self, name: str) -> None:
        self._stopped = name == "SIGSTOP"
        self.lab.systemctl("kill", f"--signal={name}", "--kill-who=main", UNIT, user=True)

    def save(self, config: dict[str, Any] | str, *, rename: bool = True) -> str:
        """Save the file as an editor would, or in place; the text that stands in it now."""
        if rename:
            self.lab.write_config(config)
        else:
            text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False, width=110)
            self.lab.config_path().write_text(text)
        return self.lab.config_path().read_text()

    def applied(self, text: str) -> None:
        """The gateway was started anew with this text."""
        self.running = text
        self._changed_at = self.lab.config_path().stat().st_ctime

    def restore(self) -> None:
        lab = self.lab
        if lab.show("redis.service", "ActiveState", user=False)["ActiveState"] != "active":
            lab.systemctl("start", "redis.service")
        if self._stopped:
            self.kill("SIGCONT")
        if lab.config_path().read_text() != self.running:
            lab.write_config(self.running)
        if (changed_at := lab.config_path().stat().st_ctime) != self._changed_at:
            # of a file that is younger than the process a new console cannot tell whether health checks are on in it
            lab.systemctl("restart", UNIT, user=True, check=False)
            self._changed_at = changed_at
        if lab.show(UNIT, "ActiveState")["ActiveState"] != "active":
            lab.systemctl("reset-failed", UNIT, user=True, check=False)
            lab.systemctl("start", UNIT, user=True)
        lab.wait_ready(("user",))


@pytest.fixture(scope="module")
def module_site(lab_possible: None) -> Iterator[Site]:
    compile_console()
    with Lab.boot(config=site_config()) as lab:
        lab.wait_health_round()
        yield Site(lab)


@pytest.fixture
def site(module_site: Site) -> Iterator[Site]:
    yield module_site
    module_site.restore()


# -- the console in it


class Console(Terminal):
    """The console inside the lab; `ends` says that its end is what the test is about."""

    ends = False
    cpu_at_the_end = 0.0


@contextmanager
def opened(
    lab: Lab,
    *options: str,
    size: tuple[int, int] = WIDE,
    user: bool = True,
    before: str = "",
    env: dict[str, str] | None = None,
) -> Iterator[Console]:
    """The console with these options; `before` is what a shell does first. It must not have met any error.

    It remembers nothing of a console before it: what that one saw is no news, or solved, to the next.
    """
    command = [*CONSOLE, *options]
    memory = {"XDG_STATE_HOME": f"{lab.home if user else lab.dir}/state/{uuid.uuid4().hex}"}
    if before:
        command = ["sh", "-c", f'{before}; exec "$@"', "sh", *command]
    with Console(lab.argv(command, user, env={**memory, **(env or {})}), size) as console:
        console.beside = (lab.pid,)
        yield console
        assert console.running or console.ends, f"the console ended by itself:\n{console.screen_text()}"
        assert CRASH not in console.raw_output()


def header(text: str) -> str:
    """The header's sentence and the advice below it, in one line however they are broken."""
    return " ".join(line.strip() for line in text.splitlines()[1:4])


def in_header(pattern: str) -> Callable[[str], Any]:
    return lambda text: re.search(pattern, header(text))


def ready(console: Console, timeout: float = 15) -> None:
    """Until the console has seen the gateway's models, its health, its cache and its log."""
    console.wait_for(in_header(r"(OK|DEGRADED|ANSWERING) .*cache healthy"), timeout)
    console.wait_for(r"serving +(now|\d+ s|[┃│])", timeout)


def pane(text: str, name: str) -> str:
    """The rows of one pane, frame and neighbours left out."""
    rows: list[str] = []
    left = right = -1
    for line in text.splitlines():
        if left < 0:
            found = re.search(rf"[╭┏][─━] \d {name}\b[^╭┏]*?[╮┓]", line)
            if found:
                left, right = found.span()
        elif line[left : left + 1] in ("╰", "┗"):
            break
        else:
            rows.append(line[left + 1 : right - 1].rstrip())
    assert left >= 0, f"no pane {name} in\n{text}"
    return "\n".join(rows)


MODELS = r"● llama3\.1:latest +openai/llama3\.1 .*serving"
LOG_LINE = r"\d\d:\d\d:\d\d (INFO|WARN|ERROR) +\w+"


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])
def test_the_user_service_is_found_and_every_pane_fills(site: Site, size: tuple[int, int]) -> None:
    shown = [
        MODELS,
        r"◐ qwen2\.5-coder:7b .*masked",
        r"✖ qwen-coder-vllm .*refused",
        r"KIMI_KEY",
        r"DEGRADED .*2 of 7 deployments failing.* cache healthy",
        r"active \(running\) · pid \d+",
        rf"127\.0\.0\.1:{site.lab.ports.user} · LiteLLM.* · {UNIT} \(user\)",
    ]
    others = [r"→ nonexistent-model NO SUCH GROUP", r"redis [\d.]+ healthy · ping", LOG_LINE]
    with opened(site.lab, size=size) as console:
        wanted = [re.compile(pattern) for pattern in (shown + others if size == WIDE else shown)]
        console.wait_for(lambda text: all(pattern.search(text) for pattern in wanted), 3 + SLACK)
        report("every pane filled after the start", time.monotonic() - console.started_at)
        # a busy gateway tells its version later
        console.wait_for(re.escape(f" · LiteLLM {site.lab.litellm.version} · "), 30)
        if size == NARROW:
            for key, pattern in zip("342", others, strict=True):
                console.press(key)
                console.wait_for(pattern)


def test_a_failing_request_is_in_the_log_within_a_second_of_its_writing(site: Site) -> None:
    lab, failure = site.lab, re.compile(r"✖ .*Connection error")
    with opened(lab) as console:
        ready(console)
        console.press("2", "z")
        console.wait_for(LOG_LINE)
        before = len(failure.findall(console.screen_text()))
        starved, begun = console.starved(), time.time()
        asking = threading.Thread(target=lambda: lab.chat("qwen-coder-vllm", num_retries=0))
        asking.start()
        try:
            console.wait_for(lambda text: len(failure.findall(text)) > before, 15)
            seen, waited = time.time(), starved.seconds
        finally:
            asking.join()
        lines = lab.journal("-o", "json", "--all", f"--since=@{int(begun)}").splitlines()
        records = [json.loads(line) for line in lines if line.startswith("{")]
        written = [
            int(record["__REALTIME_TIMESTAMP"]) / 1e6
            for record in records
            if "Connection error" in str(record["MESSAGE"])
        ]
        delay = seen - min(moment for moment in written if moment >= begun)
        report("on screen after it was written", delay)
        assert delay < 1 + SLACK + waited


# -- hot reload


@pytest.mark.parametrize("rename", [False, True], ids=["in place", "by rename"])
def test_a_saved_file_changes_the_fallbacks_at_once_and_keeps_the_selection(site: Site, rename: bool) -> None:
    pid = site.pid
    changed = site.config
    changed["router_settings"]["fallbacks"].insert(0, {"nomic-embed-text": ["llama3.1:latest"]})
    with opened(site.lab) as console:
        ready(console)
        console.press("3", "down", "down")
        selected = "kimi-k2:1t-cloud ✖ → nonexistent-model"
        console.wait_for(selected)

        def background(words: str) -> str:
            found = console.styled(words)
            return found[0][1] if found else ""

        def is_selected(_: str = "") -> bool:
            """It is drawn on another ground than a heading, over which the cursor never passes."""
            return "" != background(selected) != background("when the context is too long") != ""

        console.wait_for(is_selected)
        cursor = background(selected)
        site.save(changed, rename=rename)
        seconds = console.wait_for(r"nomic-embed-text ● → llama3\.1:latest", 1 + SLACK)
        report("on screen after the save", seconds)
        console.wait_for(lambda text: "saved, not applied" in pane(text, "Fallbacks"))
        console.wait_for(in_header("config saved.*not applied"))
        console.wait_for(lambda _: is_selected() and background(selected) == cursor)
        assert site.pid == pid
        site.save(site.running, rename=rename)
        console.wait_gone("nomic-embed-text ● → llama3")
        console.wait_for(lambda text: "not applied" not in header(text))
        console.wait_for(lambda _: is_selected() and background(selected) == cursor)
    assert site.pid == pid


def test_a_broken_file_is_named_with_its_place_and_the_last_good_one_stays(site: Site) -> None:
    lines = site.running.splitlines()
    number = next(n for n, line in enumerate(lines) if line.startswith("router_settings:")) + 2
    lines.insert(number - 1, "  fallbacks: [unclosed")
    pid = site.pid
    with opened(site.lab) as console:
        ready(console)
        site.save("\n".join(lines) + "\n")
        console.wait_for(in_header(r"DEGRADED .*config broken, line \d+"), 3 + SLACK)
        console.wait_for(r"config\.yaml:\d+:\d+")
        assert re.search(MODELS, console.screen_text())
        assert "NO SUCH GROUP" in pane(console.screen_text(), "Fallbacks")
        console.press("R")
        console.wait_for("LiteLLM cannot read it")
        assert re.search(r"config\.yaml:\d+:\d+", dialog(console.screen_text()))
        console.wait_for("Restart anyway")
        wait_until_the_dialog_listens(console)
        console.press("right", "enter")
        console.wait_for("Press again to restart against all that")
        assert site.pid == pid
        console.press("escape")
        console.wait_gone("Restart anyway|Press again")
        site.save(site.running)
        console.wait_for(lambda text: "config broken" not in text)
        console.wait_for(MODELS)
    assert site.pid == pid


# -- one-key restart


def dialog(text: str) -> str:
    """The rows of the dialog that lies over the panes, in one line."""
    rows = text.splitlines()
    top = next(number for number, row in enumerate(rows) if "╭─ Restart" in row)
    left = rows[top].index("╭─ Restart")
    inside = (row[left + 1 :].partition("│")[0] for row in rows[top + 1 :] if row[left : left + 1] == "│")
    return " ".join(" ".join(inside).split())


def wait_until_the_dialog_listens(console: Console) -> None:
    """For its first moments the dialog takes no Enter, and nothing on screen tells when that is over."""
    opened_at = time.monotonic()
    console.wait_for(lambda _: time.monotonic() - opened_at > 0.6)


def test_restart_begins_on_cancel_and_a_paste_restarts_nothing(site: Site) -> None:
    pid = site.pid
    with opened(site.lab) as console:
        ready(console)
        console.press("R")
        console.wait_for(r"service +litellm\.service \(user\)")
        console.wait_for(r"state +active \(running\)")
        console.wait_for("Cancel .*Restart")
        console.wait_for("A copy is kept")
        wait_until_the_dialog_listens(console)
        console.press("enter")
        console.wait_gone("Cancel")
        console.paste("R\r\t\r")
        console.send("R\r\t\r")
        console.send("R\x1b[C\r")
        # Whatever dialog the keys have left open, nothing must run in it.
        for _ in range(3):
            console.press("f5")
            console.wait_for(lambda text: "proof " not in text and "proved" not in text)
        console.press("escape")
        console.wait_gone("Cancel")
        assert in_header("DEGRADED")(console.screen_text())
    assert site.pid == pid


def test_restart_is_followed_down_and_up_and_applies_the_file(site: Site) -> None:
    pid = site.pid
    changed = site.config
    changed["router_settings"]["fallbacks"].append({"nomic-embed-text": ["llama3.1:latest"]})
    words: list[str] = []

    def note(text: str) -> None:
        found = re.match(r" ([A-Z][A-Z ]+[A-Z]) ", text.splitlines()[1] if text.count("\n") else "")
        if found and (not words or words[-1] != found[1]):
            words.append(found[1])

    with opened(site.lab) as console:
        ready(console)
        text = site.save(changed)
        console.wait_for(in_header("not applied"))
        console.press("R")
        console.wait_for(r"changes +fallbacks of nomic-embed-text")
        wait_until_the_dialog_listens(console)
        console.press("right", "enter")
        # the rehearsal takes as long as a start
        console.wait_for(r"proof +◌", 90)

        def done(text: str) -> bool:
            note(text)
            return "applied and proved" in text

        seconds = console.wait_for(done, 60)
        site.applied(text)
        report("restarted and followed", seconds)
        shown = console.screen_text()
        for step in ("preflight", "rehearsal", "backup", "restart", "proof"):
            assert re.search(rf"{step} +● +\d+\.\d s", shown), shown
        assert re.search(r"applied and proved; 7 of 7 deployments loaded", shown), shown
        assert re.search(r"total +\d+\.\d s, \d+\.\d s without an answer", shown), shown
        assert {"DOWN", "STOPPING", "STARTING"} & set(words), words
        console.press("enter")
        console.wait_gone("applied and proved")
        console.wait_for(in_header("ANSWERING|DEGRADED|OK"))
        console.wait_for(lambda text: "not applied" not in text)
    report(f"the header said {' → '.join(words)}", seconds)
    assert site.pid not in (0, pid)
    # Later tests look at health, which the new process has to find out first.
    site.lab.wait_health_round()


# -- what can go wrong


def test_killed_gateway_is_down_and_comes_back(site: Site) -> None:
    with opened(site.lab) as console:
        ready(console)
        site.kill("SIGKILL")
        report("named", console.wait_for(in_header(r"DOWN .*(auto-restart|ended|signal 9)"), 3 + SLACK))
        console.wait_for(r"unknown")
        console.wait_for(in_header("STARTING"), 20)
        report("back", console.wait_for(in_header("ANSWERING|DEGRADED"), 60))
        console.wait_for(r"1 restart\b")
    site.lab.wait_health_round()


def test_stopped_process_hangs_and_goes_on_and_the_console_quits_meanwhile(site: Site) -> None:
    with opened(site.lab) as console, opened(site.lab, size=NARROW) as other:
        ready(console)
        ready(other)
        site.kill("SIGSTOP")
        report("named", console.wait_for(in_header("HANGING .*no answer within"), 3 + SLACK))
        other.wait_for(in_header("HANGING"), 3 + SLACK)
        report("quit while it hangs", quit_and_leave_nothing(other, lambda: other.press("q")))
        site.kill("SIGCONT")
        report("back", console.wait_for(in_header("DEGRADED"), 15))
        console.wait_for(MODELS)


def test_stopped_and_removed_unit(site: Site) -> None:
    lab = site.lab
    with opened(lab) as console:
        ready(console)
        lab.systemctl("stop", UNIT, user=True)
        report("named", console.wait_for(in_header(r"DOWN .*litellm\.service is inactive"), 3 + SLACK))
        console.wait_for(r"inactive \(dead\)")
        hidden = lab.unit_path().with_suffix(".hidden")
        os.rename(lab.unit_path(), hidden)
        try:
            lab.systemctl("daemon-reload", user=True)
            report("removal named", console.wait_for(in_header("is not there any more"), 3 + SLACK))
            console.wait_for("unit file was removed")
            console.wait_for(r"litellm\.service not found")
        finally:
            os.rename(hidden, lab.unit_path())
            lab.systemctl("daemon-reload", user=True)
        console.wait_for(in_header(r"litellm\.service is inactive"), 3 + SLACK)
        lab.systemctl("start", UNIT, user=True)
        console.wait_for(in_header("STARTING"), 10)
        console.wait_for(in_header("ANSWERING|DEGRADED"), 60)
    lab.wait_health_round()


def test_stopped_redis_is_a_cache_that_is_down(site: Site) -> None:
    with opened(site.lab) as console:
        ready(console)
        console.wait_for(r"redis [\d.]+ healthy")
        site.lab.systemctl("stop", "redis.service")
        report("named", console.wait_for(in_header("cache down"), 10 + 3 + SLACK))
        assert "start Redis" in pane(console.screen_text(), "Cache")
        assert re.search(MODELS, console.screen_text())
        site.lab.systemctl("start", "redis.service")
        report("back", console.wait_for(in_header("cache healthy"), 20 + SLACK))


def test_wrong_key_is_refused_and_no_key_is_needed(site: Site) -> None:
    lab = site.lab
    wrong = lab.home / "wrong.key"
    wrong.write_text("sk-lab-wrong\n")
    wrong.chmod(0o644)
    with opened(lab, "--key-file", str(wrong)) as console:
        report("named", console.wait_for(in_header("KEY REFUSED"), 3 + SLACK))
        console.wait_for("LITELLM_PROXY_API_KEY|--key-file")
        # The file, the unit and its log are there all the same.
        assert "NO SUCH GROUP" in pane(console.screen_text(), "Fallbacks")
        console.wait_for(LOG_LINE)
    with opened(lab, "--url", lab.url(), "--unit", "absent.service") as console:
        report("named", console.wait_for(in_header("KEY NEEDED"), 3 + SLACK))
    with opened(lab, "--key-file", str(lab.home / "absent.key")) as console:
        console.ends = True
        assert console.exit_status() == 64
        assert "absent.key" in console.screen_text()
        assert TRACEBACK not in console.raw_output()


class _Nonsense(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<html><body><h1>It works!</h1></body></html>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_another_server_on_the_port_and_none_at_all(site: Site) -> None:
    lab = site.lab
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Nonsense)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with opened(lab, "--url", url) as console:
            report("named", console.wait_for(in_header("NOT LITELLM"), 3 + SLACK))
            console.wait_for("something else listens there")
    finally:
        server.shutdown()
        server.server_close()
    with opened(lab, "--url", f"http://127.0.0.1:{lab.ports.refused}") as console:
        report("named", console.wait_for(in_header("DOWN .*connection refused"), 3 + SLACK))
        console.press("R")
        console.wait_for("nothing to restart")


def test_a_dead_tail_goes_on_where_it_was_and_a_closed_journal_is_named(site: Site) -> None:
    lab = site.lab
    journals = lab.run(["sh", "-c", f"ls /var/log/journal/*/user-{lab.uid}.journal"]).stdout.split()
    with opened(lab, size=(200, 50)) as console:
        ready(console)
        console.press("2", "z")
        console.wait_for(LOG_LINE)
        try:
            lab.run(["chmod", "0000", *journals])
            os.kill(console.program("journalctl"), signal.SIGKILL)
            console.wait_for(r"the tail ended|insufficient permissions|ermission denied", 10)
        finally:
            lab.run(["chmod", "0640", *journals])
        name = f"absent-{time.monotonic_ns()}"
        assert lab.chat(name).status == 400
        # The tail waits a little longer after each failure.
        report("back", console.wait_for(name, 40))
        # LiteLLM names it in more than one line
        time.sleep(1.5)
        shown = len(re.findall(name, console.screen_text()))
        os.kill(console.program("journalctl"), signal.SIGKILL)
        console.wait_for(lambda _: any("journalctl" in command for command in console.commands().values()))
        again = f"absent-{time.monotonic_ns()}"
        assert lab.chat(again).status == 400
        console.wait_for(again, 20)
        # What had been read before the death is not read a second time.
        assert len(re.findall(name, console.screen_text())) <= shown


# -- the end


def quit_and_leave_nothing(console: Console, act: Callable[[], Any], timeout: float = 0.5 + SLACK) -> float:
    """The seconds from the act to the end of the console and of everything it has started."""
    console.ends = True
    starved, begun = console.starved(), time.monotonic()
    act()
    while left := console.commands():
        assert time.monotonic() - begun < timeout + starved.seconds, left
        console.cpu_at_the_end = max(console.cpu_at_the_end, console.cpu_seconds())
    seconds = time.monotonic() - begun
    console.exit_status()
    return seconds


def test_q_quits_with_every_child(site: Site) -> None:
    with opened(site.lab) as console:
        ready(console)
        console.wait_for(lambda _: any("journalctl" in command for command in console.commands().values()))
        report("quit", quit_and_leave_nothing(console, lambda: console.press("q")))
        assert console.exit_status() == 0
        # The terminal is given back as it was: main screen, visible cursor, no mouse reports.
        written = console.raw_output()
        for sequence in ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1003l", "\x1b[?2004l"):
            assert written.rindex(sequence) > written.index("\x1b[?1049h")


@pytest.mark.parametrize(
    ("loss", "ignored"),
    [("hangup", False), ("close", False), ("close", True)],
    ids=["SIGHUP", "closed", "closed with SIGHUP ignored"],
)
def test_losing_the_terminal_ends_it(site: Site, loss: str, ignored: bool) -> None:
    with opened(site.lab, before="trap '' HUP" if ignored else "") as console:
        ready(console)
        console.wait_for(lambda _: any("journalctl" in command for command in console.commands().values()))
        before = console.cpu_seconds()
        lose = console.hangup if loss == "hangup" else console.close_terminal
        report("ended", quit_and_leave_nothing(console, lose, 3 + SLACK))
        # It did not turn in circles on a terminal that answers every read and write with an error.
        assert console.cpu_at_the_end - before < 1.5


@pytest.mark.parametrize("picture", ["alternate screen", "first frame", "first models"])
def test_a_terminal_lost_in_the_middle_of_drawing_ends_it(site: Site, picture: str) -> None:
    """A write that fails ends Textual's writer, and whoever writes next would wait for it for ever."""
    shown = {"alternate screen": "", "first frame": "━ 1 Models", "first models": "llama3"}[picture]
    with opened(site.lab, before="trap '' HUP") as console:
        console.wait_for(lambda _: console.bytes_received)
        console.wait_for(shown)
        report("ended", quit_and_leave_nothing(console, console.close_terminal, 3 + SLACK))


# -- what looking costs, and what it must not show


@pytest.fixture
def unchecked_site(module_site: Site) -> Iterator[Site]:
    """The gateway without background health checks: here GET /health would call every model."""
    changed = module_site.config
    changed["general_settings"]["background_health_checks"] = False
    before = module_site.running
    for text in (yaml.safe_dump(changed, sort_keys=False), before):
        module_site.applied(module_site.save(text))
        module_site.lab.systemctl("restart", UNIT, user=True)
        module_site.lab.wait_ready(("user",))
        if text != before:
            yield module_site
    module_site.lab.wait_health_round()


def test_looking_makes_no_billable_call(unchecked_site: Site) -> None:
    lab = unchecked_site.lab
    lab.reset_upstream()
    since = f"--since=@{int(time.time())}"

    def rounds() -> int:
        return lab.journal("-o", "cat", "--all", since, lines=4000).count("GET /v1/model/info")

    with opened(lab) as console:
        console.wait_for(in_header("ANSWERING|DEGRADED"), 15)
        console.wait_for("health: not asked: background_health_checks is off")
        for switched_on in (False, True):
            if switched_on:
                changed = unchecked_site.config
                changed["general_settings"]["background_health_checks"] = True
                unchecked_site.save(changed)
                console.wait_for(in_header("config saved"))
            seen = rounds()

            def looked_again(enough: int = seen + 4) -> bool:
                console.press("f5")
                return rounds() >= enough

            lab.wait("four more rounds of looking", looked_again, pause=0.3)
            assert lab.calls()["total"] == 0
        assert not re.search(r"GET /health[? ]", lab.journal("-o", "cat", "--all", since, lines=4000))
        unchecked_site.save(unchecked_site.running)
        console.wait_for(lambda text: "config saved," not in header(text) or "applied" not in header(text))


@contextmanager
def said_by_the_unit(lab: Lab, *lines: str) -> Iterator[None]:
    """These lines in the unit's own journal: a reload of the unit prints them."""
    folder = lab.unit_path().with_suffix(".service.d")
    folder.mkdir()
    say = folder / "say.sh"
    # journald asks of a process that has ended in vain which unit it belongs to.
    say.write_text(f"printf '%s\\n' {shlex.join(lines)}\nsleep 1\n")
    (folder / "say.conf").write_text(f"[Service]\nExecReload=/bin/sh {say}\n")
    try:
        lab.systemctl("daemon-reload", user=True)
        lab.systemctl("reload", UNIT, user=True)
        lab.wait("the line in the journal", lambda: lines[-1] in lab.journal("-o", "cat", "--all"))
        yield
    finally:
        shutil.rmtree(folder)
        lab.systemctl("daemon-reload", user=True)


def test_no_secret_is_ever_on_screen(site: Site) -> None:
    lab = site.lab
    secrets = (lab.key(), *PLANTED)
    failure = {"message": f"a failure with {PLANTED[1]}", "level": "ERROR", "timestamp": "2026-01-02T03:04:05"}
    trace = f'Traceback (most recent call last):\n  File "a.py", line 1, in b\nValueError: {lab.key()} {PLANTED[1]}'
    lines = [
        *(f"a word {secret} in passing" for secret in secrets),
        f"headers: {{'Authorization': 'Bearer {PLANTED[1]}', 'api-key': '{PLANTED[0]}'}}",
        *trace.splitlines(),
        json.dumps({**failure, "stacktrace": trace}),
        "nothing more to say",
    ]
    where = lab.run([*CONSOLE, "where"], user=True, check=False)
    assert where.returncode == 0, where.stderr
    shown = where.stdout + where.stderr
    with said_by_the_unit(lab, *lines), opened(lab, size=(200, 50)) as console:
        ready(console)
        console.wait_for("a word •+ in passing")
        for keys, wanted in (
            (("1", "enter"), "Esc close"),
            (("escape", "1", "down", "enter"), "Esc close"),
            (("escape", "2", "z"), "a failure with •+"),
            (("up", "up", "enter"), "Log record"),
            (("escape", "up", "enter"), "Log record"),
            (("escape", "up", "enter"), "Log record"),
            (("escape", "z", "3", "enter"), "Esc close"),
            (("escape", "4", "5", "?"), "Keys and signs"),
            (("escape", "R"), "Cancel"),
        ):
            for key in keys:
                console.press(key)
                if key == "escape":
                    console.wait_gone("Esc close|Log record|Keys and signs")
            console.wait_for(wanted)
            shown += console.screen_text()
        shown += console.raw_output()
    for secret in secrets:
        assert secret not in shown
        # No long piece of it either.
        assert secret[-10:] not in shown


# -- a system unit, and a journal that is not one's own


@pytest.fixture(scope="module")
def system_site(module_site: Site) -> Iterator[Lab]:
    """The same lab with its system unit running beside the user's; the ordinary user is in no group."""
    lab = module_site.lab
    lab.systemctl("start", UNIT)
    lab.wait_ready(("system",))
    yield lab
    lab.systemctl("stop", UNIT)


def test_system_unit_without_rights_says_what_it_may_not_see(system_site: Lab) -> None:
    with opened(system_site, "--system") as console:
        report("named", console.wait_for(in_header("KEY NEEDED"), 3 + SLACK))
        console.wait_for(rf"127\.0\.0\.1:{system_site.ports.system} .*litellm\.service \(system\)")
        console.wait_for(r"active \(running\)")
        console.wait_for("nothing to see: You are currently not seeing messages from other users")
        console.press("5")
        console.wait_for("missing +environment file .*ermission denied")


def test_system_unit_as_root_is_seen_in_full(system_site: Lab) -> None:
    with opened(system_site, "--system", user=False) as console:
        console.wait_for(in_header(r"ANSWERING|DEGRADED|OK"), 10)
        console.wait_for(LOG_LINE)
        console.wait_for(MODELS.replace("serving", "(serving|unproven)").replace("●", "[●○]"))


@pytest.fixture(scope="module")
def volatile_lab(lab_possible: None) -> Iterator[Lab]:
    compile_console()
    with Lab.boot(volatile_journal=True, groups=("systemd-journal",)) as lab:
        yield lab


def test_volatile_journal_is_read_where_it_is_allowed(volatile_lab: Lab) -> None:
    with opened(volatile_lab, size=NARROW) as console:
        console.press("2")
        console.wait_for("journald keeps no journal per user")
        console.wait_for(LOG_LINE)


def test_volatile_journal_is_explained_where_it_is_not(volatile_lab: Lab) -> None:
    lab = volatile_lab
    become = ["setpriv", f"--reuid={lab.uid}", f"--regid={lab.gid}", "--clear-groups", "--inh-caps=-all"]
    command = lab.argv([*become, "--", *CONSOLE], False, env=lab.env, cwd=lab.home)
    with Console(command, WIDE) as console:
        console.wait_for(in_header("ANSWERING|DEGRADED|OK"), 15)
        console.wait_for("insufficient permissions")
        assert console.running


# -- what a client writes into the log


def test_no_request_of_a_client_ends_the_console_or_a_command(site: Site) -> None:
    """The proxy writes the model's name into its log, and the name may look like any of LiteLLM's own words."""
    lab, name = site.lab, "Received Model Group=a No deployments available Try again in . seconds"
    written = r"ERROR +proxy .*Invalid model name passed in model=Received Model"
    with opened(lab, "--user") as console:
        ready(console)
        assert lab.chat(name).status >= 400
        console.press("2", "z", "v")
        console.wait_for(written, 15)
        lab.chat("llama3.1:latest")
        console.press("z")
        ready(console)
    with opened(lab, "--user") as console:
        # the line is in the history now
        ready(console)
        console.press("2", "z", "v")
        console.wait_for(written, 15)
    env = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8", "XDG_STATE_HOME": f"{lab.home}/state/{uuid.uuid4().hex}"}
    for command in ("status", "check", "incidents"):
        done = lab.run([*CONSOLE, command], user=True, check=False, env=env)
        assert TRACEBACK not in done.stdout + done.stderr
        assert done.stdout, done.stderr
        assert command != "incidents" or "no such group" in done.stdout
    found = json.loads(lab.run([*CONSOLE, "status", "--json"], user=True, check=False, env=env).stdout)
    assert not any("could not be read" in spot["what"] for spot in found["blind_spots"])
