"""Words for the lines of a unit file, quoted by systemd's rules (systemd.syntax(7), systemd.service(5))."""

from __future__ import annotations

from collections.abc import Iterable


def exec_words(words: Iterable[str]) -> str:
    """A command for ExecStart=: no word of it is expanded, split or joined with another."""
    return " ".join(_quoted(word.replace("$", "$$")) for word in words)


def assignment(name: str, value: str) -> str:
    """NAME=VALUE for Environment=."""
    return _quoted(f"{name}={value}")


def _quoted(word: str) -> str:
    # a percent sign begins a specifier, whatever stands around it
    inner = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n").replace("\t", "\\t")
    return f'"{inner}"'
