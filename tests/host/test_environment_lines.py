"""Lines of environment files that programs take in other ways than they are meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.host.environment_file import parse_systemd
from litellm_tui.host.environment_lines import lines_not_taken


def _said(folder: Path, text: str, **more: str) -> list[tuple[int, str, str]]:
    path = folder / "llm.env"
    path.write_bytes(text.encode())
    return [(one.mark.line, one.severity, one.text) for one in lines_not_taken([str(path)], **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "severity", "words"),
    [
        ("export A=b", "error", "systemd leaves A out"),
        ("  export A='b'", "error", "docker --env-file refuses the file"),
        ("A =b", "warning", "docker --env-file refuses the file, and a shell runs A as a command"),
        ("A='b' # prod", "error", "take what stands behind # for a part of the value of A"),
        ("A=b # prod", "error", "take what stands behind #"),
        ('A="b c"', "warning", "docker --env-file keeps the quotes in the value of A"),
        ("A=b\r", "warning", "keeps the carriage return at the end of A"),
    ],
)
def test_a_line_that_is_not_taken_is_named(tmp_path: Path, line: str, severity: str, words: str) -> None:
    said = _said(tmp_path, f"# head\n{line}\n")
    assert any((2, severity) == (number, worst) and words in text for number, worst, text in said), said


@pytest.mark.parametrize("line", ["A=b", "A=b#c", "# A = 'b' # c", "A=", "", "A=http://h/#x", "A= b"])
def test_a_plain_line_is_not(tmp_path: Path, line: str) -> None:
    assert _said(tmp_path, f"{line}\n") == []


def test_what_systemd_takes_is_not_named_where_it_reads_the_file(tmp_path: Path) -> None:
    text = "A =b\r\nB='c'\r\nexport C=d\r\nD=e # f\r\n"
    said = _said(tmp_path, text, runner="systemd")
    assert [number for number, *_ in said] == [3, 4]
    taken = parse_systemd(text.encode())
    assert (taken["A"], taken["B"], "C" in taken, taken["D"]) == ("b", "c", False, "e # f")


def test_what_all_lines_have_is_said_once(tmp_path: Path) -> None:
    said = _said(tmp_path, "".join(f"A{n}='b'\r\n" for n in range(50)))
    assert len(said) == 2
    assert all("and 44 more" in text for _, _, text in said)


def test_no_value_is_in_the_words(tmp_path: Path) -> None:
    said = _said(tmp_path, "export A=sk-never # sk-never\r\nB='sk-never'\n")
    assert said
    assert "sk-never" not in str(said)


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert lines_not_taken([str(tmp_path / "gone")]) == ()
