"""Takes from lines what handed them on has put before them: known forms, and forms that it learns.

A form is learnt from two lines that have it before a record of LiteLLM's: then every line with it loses it, the lines
of a traceback too. What is learnt is bounded in number and length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from litellm_tui.logs import line_prefix
from litellm_tui.logs.entry import Entry, read_each
from litellm_tui.logs.journal_line import Pieces
from litellm_tui.logs.line_forms import is_killed_for_memory
from litellm_tui.logs.line_prefix import COLOUR, NONE, Prefix

# how nearly all lines of a log without prefixes begin
_ORDINARY: Final = ("INFO:     ", '{"message": ', "  ")
MOST_SHAPES: Final = 16
MOST_COUNTED: Final = 64
MOST_NAMES: Final = 200
LONGEST_SHAPE: Final = 120
_ENOUGH: Final = 2
# lines that begin with the same name and a bar, or with a stamp, a host and a name
_ENOUGH_OF_NAMES: Final = 3
# stamps of other clocks may be ahead of ours
_AHEAD: Final = 60.0
# the service manager's and the kernel's names in a file of syslog, and the words of an end that was none by order
_MANAGER: Final = "systemd"
_KERNEL: Final = "kernel"
_ENDED_BADLY: Final = "Failed with result"
# the record of LiteLLM's or of its server's that is looked for behind an unknown prefix
_INSIDE: Final = re.compile(
    rf"(?<=[ |:>\]\t]){COLOUR}(?:[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}} - LiteLLM|\{{\"message\": ?\""
    r"|INFO(?:\x1b\[0m)?:     |ERROR(?:\x1b\[0m)?:    |WARNING(?:\x1b\[0m)?:  "
    r"|\[[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}\] \[[0-9]{1,10}\] \[[A-Z]{4,8}\])"
)
# what is no prefix, but text: an exception's name, a quotation, a sentence
_NO_SHAPE: Final = re.compile(r"Error|Exception|Traceback|[\"'{}=,]|(?:\S{1,120} ){7}")
_BARRED: Final = re.compile(r"[\w.@-]{1,100} {1,60}\| ")
_ANY_NAME: Final = r"[\w.@-]{1,100} {1,60}\|"
_TAGGED: Final = re.compile(r"([\w.-]{1,100}) [\w./@-]{1,100}: ")
_ANY_TAG: Final = r"[\w./@-]{1,100}:"
_DIGITS: Final = re.compile(r"[0-9]+")
_LETTERS: Final = re.compile(r"[A-Za-z][\w.@-]{0,100}")
# the number of a replica, and what an orchestrator adds to it
_REPLICA: Final = re.compile(r"[-_.][0-9]{1,5}(?:[.@][\w.@-]{1,100})?$")
# rsyslog writes control characters as their octal numbers
_ESCAPED: Final = re.compile(r"#0(11|12|33)")
_CONTROLS: Final = {"11": "\t", "12": "\n", "33": "\x1b"}


class _JsonFile(msgspec.Struct, gc=False):
    """A line of Docker's json-file; a record without a newline at its end is a piece of a longer line."""

    log: str
    time: str = ""
    stream: str = ""


_decode = msgspec.json.Decoder(_JsonFile).decode


class _Prefixed(NamedTuple):
    entry: Entry
    prefix: Prefix


def _read(entry: Entry) -> _Prefixed:
    text = entry.message
    return _Prefixed(entry, NONE if text.startswith(_ORDINARY) else line_prefix.read(text, entry.time))


def _unread(entry: Entry) -> _Prefixed:
    return _Prefixed(entry, NONE)


class PrefixReader:
    """The prefixes of the lines of one log. Used in the thread that reads it, and for lines that are read back."""

    def __init__(self) -> None:
        self._counted: dict[str, int] = {}
        self._shapes: dict[str, str] = {}
        self._learnt: re.Pattern[str] | None = None
        self._numbers: dict[str, int] = {}
        self._ours: set[str] = set()
        self._pieces = Pieces()

    def take(self, entries: Sequence[Entry], pieces: Pieces | None = None) -> Sequence[Entry]:
        """The entries without their prefixes, which give the time, the process and the service.

        A line that cannot be read stays as it is. Lines that are read back have pieces of their own.
        """
        if not any(not entry.message.startswith(_ORDINARY) for entry in entries):
            return entries
        prefixed = list(read_each(_read, entries, _unread))
        for _ in read_each(self._learn, prefixed, lambda _: None):
            pass
        taken = list(read_each(self._without, prefixed, lambda one: one.entry))
        return (pieces or self._pieces).join(taken)

    def _learn(self, one: _Prefixed) -> None:
        entry, prefix = one
        text, end, name = entry.message, prefix.end, prefix.name
        if text.startswith(_ORDINARY):
            return
        if self._learnt is not None and (match := self._learnt.match(text, end)):
            end, name = match.end(), name or _name_in(match[0])
        if name and len(self._ours) < MOST_NAMES and line_prefix.is_litellms(text, end):
            self._ours.add(_base(name))
        if end > prefix.end or len(self._shapes) >= MOST_SHAPES or line_prefix.begins_record(text, end):
            return
        begin, enough = _INSIDE.search(text, end, end + LONGEST_SHAPE + 100), _ENOUGH
        if begin is not None:
            words = text[end : begin.start()]
        elif named := _BARRED.match(text, end) or (_TAGGED.match(text, end) if end else None):
            # a start that is refused has no record
            words, enough = named[0], _ENOUGH_OF_NAMES
        else:
            return
        if not 2 <= len(words) <= LONGEST_SHAPE or _NO_SHAPE.search(words) or words[:1].isspace():
            return
        shape = _DIGITS.sub("0", words)
        self._counted[shape] = self._counted.get(shape, 0) + 1
        if self._counted[shape] >= enough:
            self._adopt(shape)
        elif len(self._counted) > MOST_COUNTED:
            del self._counted[next(iter(self._counted))]

    def _adopt(self, shape: str) -> None:
        # where one name stands before a bar, or behind a host, others may
        if _BARRED.fullmatch(shape):
            pattern = _ANY_NAME
        elif tagged := _TAGGED.fullmatch(shape):
            pattern = rf"{_of_digits(tagged[1])} {_ANY_TAG}"
        else:
            pattern = _of_digits(shape.rstrip())
        # a blank at the end of an empty line may be gone
        self._shapes[shape] = rf"{pattern}(?: |$)" if shape[-1].isspace() else pattern
        self._learnt = re.compile("|".join(sorted(self._shapes.values(), key=len, reverse=True)))

    def _without(self, one: _Prefixed) -> Entry:
        entry, prefix = one
        text = entry.message
        if text.startswith(_ORDINARY) or entry.gap or entry.unread or entry.identifier == "systemd":
            return entry
        if text.startswith('{"log":'):
            return self._from_json_file(entry)
        end, name, time, pid = prefix.end, prefix.name, prefix.time, prefix.pid
        if self._learnt is not None and (match := self._learnt.match(text, end)):
            name = name or _name_in(match[0])
            inner = line_prefix.read(text, entry.time, match.end())
            end, time, pid = inner.end or match.end(), inner.time if time is None else time, pid or inner.pid
        if not end:
            return entry
        rest = text[end:]
        if prefix.pid and "#0" in rest:
            rest = _ESCAPED.sub(lambda found: _CONTROLS[found[1]], rest)
        if time is None or not entry.unstamped:
            time = entry.time
        if name == _MANAGER and "litellm" in rest.lower():
            # in a file of syslog too the service manager says how the unit ended
            priority = 4 if rest.find(_ENDED_BADLY, 0, 300) >= 0 else 6
            return entry._replace(
                message=rest,
                time=min(time, entry.time + _AHEAD),
                pid=pid or 1,
                priority=priority,
                identifier=_MANAGER,
                service=name,
            )
        return entry._replace(
            message=rest,
            time=min(time, entry.time + _AHEAD),
            pid=pid or (self._number(name) if name else entry.pid),
            split=entry.split or prefix.cut,
            service=name,
            foreign=self._is_foreign(name, killed=is_killed_for_memory(rest)),
        )

    def _from_json_file(self, entry: Entry) -> Entry:
        try:
            found = _decode(entry.message)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return entry
        moment = line_prefix.stamp_of(found.time, entry.time) if found.time else None
        time = moment if moment is not None and entry.unstamped else entry.time
        return entry._replace(
            message=found.log.removesuffix("\n"),
            time=min(time, entry.time + _AHEAD),
            split=not found.log.endswith("\n"),
        )

    def _number(self, name: str) -> int:
        """A number in place of that of the process, which is not known: below 0, one for each name."""
        number = self._numbers.get(name)
        if number is None:
            if len(self._numbers) >= MOST_NAMES:
                return -MOST_NAMES - 1
            number = self._numbers[name] = -1 - len(self._numbers)
        return number

    def _is_foreign(self, name: str, killed: bool = False) -> bool:
        """Whether it is another program: where LiteLLM's own lines have a name, one that none of them has."""
        if name in (_KERNEL, _MANAGER):
            # of any process of the machine, or of another unit; of what the kernel ended it says the name
            return not killed
        return bool(name and self._ours) and "litellm" not in name.lower() and _base(name) not in self._ours


def _base(name: str) -> str:
    """The name without the number of a replica; of a pod's container the container."""
    return _REPLICA.sub("", name.rpartition("/")[2])


def _name_in(prefix: str) -> str:
    return " ".join(_LETTERS.findall(prefix))


def _of_digits(shape: str) -> str:
    """A pattern of a shape in which 0 stands for any number."""
    return "[0-9]{1,20}".join(re.escape(part) for part in shape.split("0"))
