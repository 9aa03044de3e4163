"""A terminal for tests: runs a program in a pseudo-terminal, keeps the screen it draws, and types into it.

The screen is pyte's. What pyte prints as junk is taken out first, and the questions Textual asks a terminal are
answered as xterm would.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import queue
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pyte

from tests.starved import Starved

MARK: Final = "TEST_TERMINAL"
_CHECKOUT = Path(__file__).resolve().parents[1]
_SCRIPT = Path(sys.executable).with_name("litellm-tui")
# As installed beside the interpreter of the tests, or out of the checkout.
CONSOLE: Final = [str(_SCRIPT)] if _SCRIPT.exists() else [sys.executable, "-m", "litellm_tui.cli"]
_TICKS: Final = os.sysconf("SC_CLK_TCK")

KEYS: Final[Mapping[str, str]] = {
    "enter": "\r",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "escape": "\x1b",
    "backspace": "\x7f",
    "space": " ",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "f5": "\x1b[15~",
    "ctrl+c": "\x03",
    "ctrl+d": "\x04",
    "ctrl+l": "\x0c",
    "ctrl+p": "\x10",
}

# kitty's keyboard protocol, mode and version queries, device attributes: pyte would print the rest of them
_QUERIES: Final = re.compile(
    r"\x1b\[(?:\?(?P<mode>\d+)\$p|0?c|(?P<position>6)n|>0?(?P<secondary>c)|\?1049(?P<alternate>[hl]))"
)
_JUNK: Final = re.compile(
    r"\x1b\[[<>=][0-9;]*[A-Za-z]|\x1b\[\?[0-9;]*(?:\$p|u|n)|\x1b\[[0-9;]* q|\x1b[P_^X][^\x1b]*\x1b\\"
)
_POSITION: Final = b"\x1b[6n"
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[0-9;:<=>?$ !]*|[P_^X\]][^\x1b\x07]*\x1b?)?$")


def _parent(pid: int) -> int:
    """The number of its parent; 0 where it has ended."""
    try:
        return int(
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
        )
    except (OSError, IndexError):
        return 0


class TerminalError(AssertionError):
    """What was waited for did not come; the message holds the whole screen."""


class Terminal:
    """One program in a terminal of its own. As a context manager it leaves no process behind.

    `environment` replaces the caller's when given. `link` is how many bytes a second come through, all for 0; when it
    is `buffered` the program is told nothing of that: what it writes is `taken` at once, as ssh does, and comes as long
    as `open_line` is set. All processes that the program starts are known by a mark in their environment, also after
    they lost their parent.
    """

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        size: tuple[int, int] = (120, 40),
        *,
        environment: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        link: float = 0.0,
        buffered: bool = False,
    ) -> None:
        # processes that the program looks at: their waiting for a processor does not count against it
        self.beside: tuple[int, ...] = ()
        self._link = link
        self._coming: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.taken = 0
        # questions for the cursor that were answered
        self.answered = 0
        self.open_line = threading.Event()
        self.open_line.set()
        self._recording: list[tuple[float, bytes]] | None = None
        self.argv = [os.fspath(part) for part in argv]
        self.bytes_received = 0
        self.first_byte_at: float | None = None
        self._columns, self._lines = size
        # pyte knows no alternate screen: what a program leaves it for must not show through.
        self._main, self._alternate = (pyte.Screen(self._columns, self._lines) for _ in range(2))
        self._screen = self._main
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._raw = bytearray()
        self._changed = threading.Condition()
        self._seen: set[int] = set()
        self._token = uuid.uuid4().hex
        self._master, slave = pty.openpty()
        self._open = True
        self._set_size()
        self._stop_reader, self._stop_writer = os.pipe()
        terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", MARK: self._token}
        # A size in the environment would win over the terminal's own.
        dropped = ("COLUMNS", "LINES", "NO_COLOR", "TEXTUAL", "TERM_PROGRAM", "PYTHONDONTWRITEBYTECODE")
        base = dict(os.environ if environment is None else environment)
        self.started_at = time.monotonic()
        try:
            self._process = subprocess.Popen(
                # A session leader that has this terminal as its own, without a line of Python between fork and exec.
                ["setsid", "--ctty", "--", *self.argv],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd=cwd,
                env={name: value for name, value in base.items() if name not in dropped} | terminal,
            )
        finally:
            os.close(slave)
        self._reader = threading.Thread(target=self._read, args=(buffered,), daemon=True)
        self._reader.start()
        if buffered:
            threading.Thread(target=self._deliver, daemon=True).start()

    # -- the end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """End everything that the program started, and the terminal."""
        deadline = time.monotonic() + 10
        while (left := self.processes()) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.poll()
            time.sleep(0.01)
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait(10)
        self.close_terminal()
        for descriptor in (self._stop_reader, self._stop_writer):
            with suppress(OSError):
                os.close(descriptor)

    def close_terminal(self) -> None:
        """Take the terminal away, as a lost SSH connection does. The screen stays as it was last."""
        if self._open:
            self._open = False
            os.write(self._stop_writer, b"x")
            self._reader.join(5)
            self._coming.put(b"")
            os.close(self._master)

    def hangup(self) -> None:
        """SIGHUP to the terminal's foreground processes, the terminal staying open."""
        # TIOCGPGRP on the master gives the slave's foreground group, in this process's numbers.
        group = struct.unpack("i", fcntl.ioctl(self._master, termios.TIOCGPGRP, struct.pack("i", 0)))[0]
        os.killpg(group, signal.SIGHUP)

    def exit_status(self, timeout: float = 5) -> int:
        """The program's exit status; a death by signal is negative."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TerminalError(f"still running after {timeout:g} s\n{self._report()}") from None

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    # -- typing

    def press(self, *keys: str) -> None:
        """Press keys by name, each in a write of its own; any other word is sent as it stands."""
        for key in keys:
            self.send(KEYS.get(key, key))

    def type(self, text: str) -> None:
        """Type text, character by character."""
        self.press(*text)

    def paste(self, text: str) -> None:
        """Paste text as a terminal with bracketed paste does, all in one write."""
        self.send(f"\x1b[200~{text}\x1b[201~")

    def send(self, text: str) -> None:
        """Send these characters in one write."""
        os.write(self._master, text.encode())

    def resize(self, columns: int, lines: int) -> None:
        with self._changed:
            self._columns, self._lines = columns, lines
            self._main.resize(lines, columns)
            self._alternate.resize(lines, columns)
        self._set_size()

    # -- looking

    def screen_text(self) -> str:
        """The screen as text, a line per row, without the blanks at the ends."""
        with self._changed:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def raw_output(self) -> str:
        """Everything the program ever wrote, escape sequences included."""
        with self._changed:
            return bytes(self._raw).decode(errors="replace")

    def wait_for(self, wanted: str | re.Pattern[str] | Callable[[str], Any], timeout: float = 10) -> float:
        """The seconds until the screen shows what is wanted: a regular expression, or a function of its text.

        `timeout` does not count the time in which the program, or what it looks at, got no processor.
        """
        begun = time.monotonic()
        starved = self.starved()
        condition = _condition(wanted)
        while True:
            count = self.bytes_received
            ended = not self.running
            if condition(self.screen_text()):
                return time.monotonic() - begun
            late = time.monotonic() - begun > timeout
            if ended or (late and time.monotonic() - begun > timeout + starved.seconds):
                shown = wanted if isinstance(wanted, str) else getattr(wanted, "pattern", wanted)
                how = "the program ended before it showed" if ended else f"not within {timeout:g} s:"
                raise TerminalError(f"{how} {shown!r}\n{self._report()}")
            with self._changed:
                if self.bytes_received == count:
                    self._changed.wait(0.05)

    def starved(self) -> Starved:
        """For how long, from now on, the program and what it looks at have got no processor."""
        return Starved(self._process.pid, *self.beside)

    def wait_gone(self, unwanted: str | re.Pattern[str], timeout: float = 10) -> float:
        """The seconds until the screen does not show this any more."""
        pattern = re.compile(unwanted)
        return self.wait_for(lambda text: not pattern.search(text), timeout)

    def styled(self, text: str) -> list[tuple[str, str, bool]]:
        """Foreground, background and reverse of the first cell of every place where this text stands."""
        found = []
        with self._changed:
            for number, line in enumerate(self._screen.display):
                start = line.find(text)
                while start >= 0:
                    cell = self._screen.buffer[number][start]
                    found.append((str(cell.fg), str(cell.bg), bool(cell.reverse)))
                    start = line.find(text, start + 1)
        return found

    def record(self) -> list[tuple[float, bytes]]:
        """From now on nothing is drawn: what is written is kept, with the moment at which it came (`perf_counter`).

        To draw something takes longer here than it takes many a program to write it, and both share the processor.
        `draw` is to be called with each of the pieces.
        """
        with self._changed:
            self._recording = []
            return self._recording

    def draw(self, data: bytes) -> None:
        """Draw this, which the program has not written, where nothing of its own is cut in two."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._held, 10), f"it ends in the middle of {self._held!r}"
            self._feed(self._decoder.decode(data), answering=False)

    # -- the processes

    def processes(self) -> list[int]:
        """The living processes of this program and all it started, by the machine's numbers."""
        mark = f"{MARK}={self._token}".encode()
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            with suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(int(name))
        return found

    def commands(self) -> dict[int, str]:
        """The same processes with their command lines."""
        found = {}
        for pid in self.processes():
            with suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
                found[pid] = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
        return found

    def program(self, part: str) -> int:
        """The process whose command line begins with an interpreter or path and holds `part`, the innermost one.

        A child that has not become its own program yet still has its parent's command line.
        """
        commands = self.commands()
        found = [
            pid
            for pid, command in commands.items()
            if part in command and "nsenter" not in command and commands.get(_parent(pid)) != command
        ]
        if not found:
            raise TerminalError(f"no process with {part!r}: {commands}")
        return max(found)

    def cpu_seconds(self) -> float:
        """CPU time of the living processes and of the children they have waited for."""
        total = 0
        for pid in self.processes():
            with suppress(OSError, IndexError), open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                total += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:15]))
        return total / _TICKS

    def resident_bytes(self) -> int:
        """Memory of the living processes."""
        total = 0
        for pid in self.processes():
            with suppress(OSError, IndexError), open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                total += int(file.read().rsplit(")", 1)[1].split()[21])
        return total * os.sysconf("SC_PAGE_SIZE")

    # -- inside

    def _set_size(self) -> None:
        size = struct.pack("HHHH", self._lines, self._columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def _read(self, buffered: bool) -> None:
        while True:
            ready, _, _ = select.select([self._master, self._stop_reader], [], [])
            if self._stop_reader in ready:
                return
            try:
                data = os.read(self._master, 512 if self._link else 1 << 16)
            except OSError:
                return
            if not data:
                return
            self.taken += len(data)
            if buffered:
                self._coming.put(data)
            else:
                self._take(data)

    def _deliver(self) -> None:
        """What was taken at once, at the speed of the link."""
        for data in iter(self._coming.get, b""):
            self.open_line.wait()
            self._take(data)

    def _take(self, data: bytes) -> None:
        if self._link:
            time.sleep(len(data) / self._link)
        with self._changed:
            if self.first_byte_at is None:
                self.first_byte_at = time.monotonic()
            self._raw += data
            if self._recording is None:
                self._feed(self._decoder.decode(data))
            else:
                self._record(data, self._recording)
            self.bytes_received += len(data)
            self._changed.notify_all()

    def _record(self, data: bytes, recording: list[tuple[float, bytes]]) -> None:
        """Only the question for the cursor is answered, by which a program finds out how far its output is."""
        end = recording[-1][1][-len(_POSITION) + 1 :] if recording else b""
        recording.append((time.perf_counter(), data))
        for _ in range((end + data).count(_POSITION)):
            self.answered += 1
            self._reply("\x1b[1;1R")

    def _feed(self, text: str, answering: bool = True) -> None:
        text = self._held + text
        cut = _UNFINISHED.search(text)
        self._held = text[cut.start() :] if cut else ""
        text = text[: cut.start()] if cut else text
        # A question is answered with the cursor where it stood when it was asked.
        place = 0
        for question in _QUERIES.finditer(text):
            self._stream.feed(_JUNK.sub("", text[place : question.start()]))
            if answering or question["alternate"]:
                self._answer(question)
            place = question.end()
        self._stream.feed(_JUNK.sub("", text[place:]))

    def _answer(self, question: re.Match[str]) -> None:
        if question["alternate"]:
            self._screen = self._alternate if question["alternate"] == "h" else self._main
            self._alternate.reset()
            self._stream = pyte.Stream(self._screen)
        elif question["mode"]:
            # 2: known and off. 0: not known. Synchronised output is what terminals of today have.
            self._reply(f"\x1b[?{question['mode']};{2 if question['mode'] == '2026' else 0}$y")
        elif question["position"]:
            cursor = self._screen.cursor
            self.answered += 1
            self._reply(f"\x1b[{cursor.y + 1};{cursor.x + 1}R")
        elif question["secondary"]:
            self._reply("\x1b[>41;354;0c")
        else:
            self._reply("\x1b[?62;22c")

    def _reply(self, text: str) -> None:
        with suppress(OSError):
            os.write(self._master, text.encode())

    def _report(self) -> str:
        frame = "-" * self._columns
        return f"{frame}\n{self.screen_text()}\n{frame}\nprocesses: {self.commands()}"


def compile_console() -> None:
    """Leave the bytecode of the console where Python looks for it: an ordinary user may not be able to."""
    modules = "litellm_tui.ui.app, litellm_tui.commands.console, litellm_tui.collectors.gateway.client, watchfiles"
    writing = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-c", f"import {modules}"], env=writing, cwd=_CHECKOUT, check=True)


def _condition(wanted: str | re.Pattern[str] | Callable[[str], Any]) -> Callable[[str], Any]:
    if isinstance(wanted, str | re.Pattern):
        return re.compile(wanted).search
    return wanted
