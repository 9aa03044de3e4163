"""The lines of a container's log from what Docker's engine sends: frames, or the raw output of a terminal.

The engine cuts a line at 16,384 bytes of content (`daemon/logger/copier.go`) and writes the stamp of the whole line
before each of the pieces, so that a word across the seam is torn. Seen on 20.10 for every form of the log: the pieces
of one line have the same stamp, to the nanosecond; frames of another stream may come between them; a last piece that
is full is followed by an empty one.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from litellm_tui.logs.entry import LONGEST_LINE
from litellm_tui.logs.pump import PartialLine
from litellm_tui.logs.stream import OnLines

PIECE: Final = 16384
# the engine's stamp: always UTC, always nine digits
_STAMP: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
_STAMP_SIZE: Final = 31
# the header of a frame: its stream (0 to 2, and 3 for the engine itself), three zeros, and the length of its payload
_HEADER: Final = struct.Struct(">B3sI")


class NoFrame(ValueError):
    """The engine sent something that is no frame of a log."""


class _Line:
    """The line of one stream that has not ended yet."""

    def __init__(self) -> None:
        self.stamp = b""
        self.parts: list[bytes] = []
        self.size = 0
        self.full = False
        self.skipping = False

    @property
    def begun(self) -> bool:
        return bool(self.parts) or self.skipping

    def reset(self) -> None:
        self.stamp, self.parts, self.size, self.full, self.skipping = b"", [], 0, False, False


class Frames:
    """The multiplexed form: frames with a header of eight bytes. `take` gets lines that begin with their stamps.

    A line longer than `LONGEST_LINE` is left out, and no more than that is held of any stream.
    """

    def __init__(self, take: OnLines) -> None:
        self._take = take
        self._held = bytearray()
        self._skip = 0
        self._skipped: _Line | None = None
        self._lines = (_Line(), _Line())
        self._output = 0
        self._ready: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        """Take apart what was read. Raises `NoFrame`."""
        held = self._held
        held += chunk
        at = 0
        while True:
            if self._skip:
                passed = min(self._skip, len(held) - at)
                at += passed
                self._skip -= passed
                if self._skip:
                    break
                if self._skipped is not None and held[at - 1 : at] == b"\n":
                    self._skipped.reset()
            if len(held) - at < _HEADER.size:
                break
            stream, zeros, length = _HEADER.unpack_from(held, at)
            if stream > 3 or zeros != b"\0\0\0":
                raise NoFrame(f"a frame cannot begin with {bytes(held[at : at + _HEADER.size])!r}")
            output = 0 if stream == 1 else 1
            start, end = at + _HEADER.size, at + _HEADER.size + length
            if length > LONGEST_LINE + _STAMP_SIZE:
                if len(held) < start + _STAMP_SIZE:
                    break
                self._skip, self._skipped = length, self._lines[output]
                self._piece(output, bytes(held[start : start + _STAMP_SIZE]))
                self._cut(output)
                at = start
                continue
            if len(held) < end:
                break
            self._piece(output, bytes(held[start:end]))
            at = end
        del held[:at]
        self._hand_over()

    def finish(self) -> None:
        """End the log: a line without newline is complete, unless the end of the connection cut it."""
        for output, line in enumerate(self._lines):
            if line.parts and not line.full:
                self._end(output)
        self._hand_over()

    def _piece(self, output: int, payload: bytes) -> None:
        line = self._lines[output]
        stamp = payload[:_STAMP_SIZE] if _STAMP.match(payload) else b""
        if line.begun:
            if stamp and stamp == line.stamp:
                payload = payload[_STAMP_SIZE:]
            else:
                # the process ended in the middle of its line
                self._end(output)
                line.stamp = stamp
        else:
            line.stamp = stamp
        ends = payload.endswith(b"\n")
        content = payload[:-1] if ends else payload
        # the first piece still has its stamp
        line.full = len(content) - (0 if line.begun else len(stamp)) == PIECE
        if not line.skipping:
            line.parts.append(content)
            line.size += len(content)
            if line.size > LONGEST_LINE:
                self._cut(output)
        if ends:
            self._end(output)

    def _end(self, output: int) -> None:
        line = self._lines[output]
        if line.parts:
            self._put(output, line.parts[0] if len(line.parts) == 1 else b"".join(line.parts))
        line.reset()

    def _put(self, output: int, line: bytes) -> None:
        if output != self._output:
            self._hand_over()
            self._output = output
        self._ready.append(line)

    def _cut(self, output: int) -> None:
        """Drop this stream's line, both what was read and the rest of it."""
        line = self._lines[output]
        line.parts, line.size, line.skipping = [], 0, True
        if output != self._output:
            self._hand_over()
            self._output = output
        self._hand_over(cut=True)

    def _hand_over(self, cut: bool = False) -> None:
        if self._ready or cut:
            lines, self._ready = b"\n".join(self._ready), []
            self._take(self._output, lines, cut)


class Raw:
    """The form of a container with a terminal: one stream, without frames."""

    def __init__(self, take: OnLines) -> None:
        self._take = take
        self._rest = PartialLine()

    def feed(self, chunk: bytes) -> None:
        """Take apart what was read."""
        lines, cut = self._rest.add(chunk)
        if lines or cut:
            self._take(0, without_seams(lines), cut)

    def finish(self) -> None:
        """End the log."""
        self.feed(b"")


def without_seams(lines: bytes) -> bytes:
    """Stamped lines without the further stamps inside them, which `docker logs` leaves where it joins pieces.

    A line that ends where a piece ends, without the empty piece after it, was cut by the end of the connection. It is
    left out: the next connection sends it again.
    """
    if len(lines) < PIECE:
        return lines
    return b"\n".join(mended for line in lines.split(b"\n") if (mended := _mended(line)) is not None)


def _mended(line: bytes) -> bytes | None:
    if len(line) < PIECE + _STAMP_SIZE or not _STAMP.match(line):
        return line
    stamp, pieces = line[:_STAMP_SIZE], line[_STAMP_SIZE:].split(line[:_STAMP_SIZE])
    return None if len(pieces[-1]) == PIECE else stamp + b"".join(pieces)
