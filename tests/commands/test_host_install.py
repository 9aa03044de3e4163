"""`litellm-tui host install`: by the installer that is there, shown first, and judged by what answers afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from litellm_tui import __version__
from litellm_tui.cli import main
from litellm_tui.commands.host_install import way_of
from litellm_tui.host.wheels import python_target
from tests.standins.ssh import install

# it takes the wheels apart by their names, as an installer finds them, and then is there
UV = """\
#!/bin/sh
echo "$*" > "{folder}/uv-called"
for last; do :; done
ls "$(dirname "$last")" > "{folder}/uv-found"
[ ! -e "{folder}/uv-fails" ] || {{ echo "no solution found" >&2; exit 1; }}
mkdir -p "$HOME/.local/bin"
P="$HOME/.local/bin/litellm-tui"
printf '#!/bin/sh\\n[ "$1" = status ] && echo --follow || echo litellm-tui {version}\\n' > "$P"
chmod +x "$HOME/.local/bin/litellm-tui"
"""


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host whose home and programs are of their own; it has a Python as here, and uv."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    programs = tmp_path / "programs"
    programs.mkdir()
    (tmp_path / "home").mkdir()
    _program(programs / "python3.11", f'exec "$(cat {tmp_path}/python)" "$@"')
    (tmp_path / "python").write_text(sys.executable)
    path = f"{programs}:/usr/bin:/bin"
    install(tmp_path, f'for last; do :; done\nHOME={tmp_path}/home PATH={path} exec sh -c "$last"', monkeypatch)
    (programs / "uv").write_text(UV.format(folder=tmp_path, version=__version__))
    (programs / "uv").chmod(0o755)
    return tmp_path


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_it_is_shown_sent_installed_and_answers(far: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["host", "check", "web"]) == 1
    assert "litellm-tui host install web puts version" in capsys.readouterr().out
    assert main(["host", "install", "web", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "with uv" in said
    assert "never with sudo" in said
    assert said.splitlines()[-1] == f"installed: litellm-tui {__version__} answers on web"
    called = (far / "uv-called").read_text()
    assert "--offline --no-index" in called
    assert f"--python {far}/programs/python3.11" in called
    found = (far / "uv-found").read_text().split()
    assert f"litellm_tui-{__version__}-py3-none-any.whl" in found
    assert any(name.startswith("textual-") for name in found)
    assert main(["host", "check", "web"]) == 0


def test_another_python_gets_what_it_needs_from_its_own_index(
    far: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(
        far / "programs" / "python3.11",
        'case "$*" in *cache_tag*) echo "cpython-311 linux-mips";; *--version*) echo "Python 3.11.9";; esac',
    )
    assert main(["host", "install", "web", "--yes"]) == 0
    assert "it comes from the index of that host" in capsys.readouterr().out
    assert "--no-index" not in (far / "uv-called").read_text()
    assert (far / "uv-found").read_text().split() == [f"litellm_tui-{__version__}-py3-none-any.whl"]


def test_what_fails_is_told_with_the_words_of_the_installer(far: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (far / "uv-fails").touch()
    assert main(["host", "install", "web", "--yes"]) == 1
    said = capsys.readouterr()
    assert "no solution found" in said.out
    assert "not installed: it ended with 1" in said.err
    assert not list((far / "home").rglob("litellm-tui"))


def test_nobody_is_asked_where_nobody_can_answer(
    far: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["host", "install", "web"]) == 64
    assert main(["host", "install", "--yes", "--", "-oProxyCommand=x"]) == 64
    assert not (far / "uv-called").exists()


def test_without_a_python_nothing_is_sent(far: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _program(far / "programs" / "python3.11", 'case "$*" in *--version*) echo "Python 3.9.2";; esac')
    assert main(["host", "install", "web", "--yes"]) == 1
    assert "has no Python 3.11 or newer" in capsys.readouterr().err
    assert not (far / "uv-called").exists()


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ({"installer": "/usr/bin/uv", "pip": "pip 23"}, "uv"),
        ({"installer": "/usr/bin/pipx"}, "pipx"),
        ({"installer": "/usr/bin/pip3", "pip": "pip 23", "managed": "False"}, "pip"),
        ({"installer": "", "pip": "pip 23", "managed": "True"}, "venv"),
        ({"installer": "/usr/bin/pip3", "pip": ""}, None),
    ],
)
def test_the_way_is_what_is_there(said: dict[str, str], way: str | None) -> None:
    assert way_of(said) == way


def test_the_target_names_python_and_machine() -> None:
    assert python_target().startswith("cpython-3")
