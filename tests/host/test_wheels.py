"""Wheels made again of what is installed: whole, with a record that is true, and enough to run elsewhere."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

from litellm_tui import __version__
from litellm_tui.host.wheels import Wheel, needed_wheels, own_wheel


def _own() -> Wheel:
    found = own_wheel()
    assert isinstance(found, Wheel), found
    return found


def _needed() -> tuple[Wheel, ...]:
    found = needed_wheels()
    assert isinstance(found, tuple), found
    return found


def test_ours_is_of_this_version_with_its_themes_and_its_script() -> None:
    wheel = _own()
    assert wheel.name == f"litellm_tui-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        names = archive.namelist()
        folder = f"litellm_tui-{__version__}.dist-info"
        assert {"litellm_tui/cli.py", "litellm_tui/ui/console.tcss", f"{folder}/METADATA"} <= set(names)
        assert any(name.startswith("litellm_tui/themes/") for name in names)
        assert not any("__pycache__" in name for name in names)
        assert f"Version: {__version__}\n" in archive.read(f"{folder}/METADATA").decode()
        assert b"litellm-tui = litellm_tui.cli:main" in archive.read(f"{folder}/entry_points.txt")
    assert _own().content == wheel.content


def test_a_record_tells_the_truth_of_every_file() -> None:
    for wheel in (_own(), *_needed()):
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            record = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
            told = {}
            for line in archive.read(record).decode().splitlines():
                name, digest, size = line.rsplit(",", 2)
                told[name] = (digest, size)
            assert set(told) == set(archive.namelist())
            for name, (digest, size) in told.items():
                if name != record:
                    content = archive.read(name)
                    expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                    assert (digest, size) == (f"sha256={expected}", str(len(content))), name


def test_unpacked_they_run_where_nothing_else_is_installed(tmp_path: Path) -> None:
    names = {wheel.name.partition("-")[0].lower() for wheel in _needed()}
    assert {"textual", "msgspec", "httpx", "pyyaml", "linkify_it_py"} <= names
    for wheel in (_own(), *_needed()):
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            archive.extractall(tmp_path / "site")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import litellm_tui.ui.app, httpx, asyncpg, watchfiles\n"
        "from litellm_tui.ui.themes import load_themes; assert len(load_themes()) >= 3\n"
        "from litellm_tui.cli import main; main(['--version'])"
    )
    # -S: without the site-packages of this environment
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=120,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"litellm-tui {__version__}\n"), done.stderr
