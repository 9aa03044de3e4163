"""What is published: wheel, source archive, Debian package, list of parts. They are made twice, and are the same."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.metadata import Metadata

from litellm_tui import __version__
from tests.docs.pages import ROOT

# a commit's time, of which everything in the packages is
COMMITTED = "1790000000"


def _uv() -> str:
    found = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    if not os.access(found, os.X_OK):
        pytest.skip("there is no uv: ./test puts one into .tools")
    return found


def _run(*command: str) -> str:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": COMMITTED, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _sums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and source archive of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    _run(_uv(), "build", "--quiet", "--out-dir", str(folder), ".")
    (folder / ".gitignore").unlink(missing_ok=True)
    return folder


def test_the_same_is_built_twice(dist: Path, tmp_path: Path) -> None:
    _run(_uv(), "build", "--quiet", "--out-dir", str(tmp_path / "again"), ".")
    (tmp_path / "again" / ".gitignore").unlink(missing_ok=True)
    assert _sums(dist) == _sums(tmp_path / "again")
    assert set(_sums(dist)) == {f"litellm_tui-{__version__}-py3-none-any.whl", f"litellm_tui-{__version__}.tar.gz"}


def test_the_wheel_has_the_package_and_nothing_else(dist: Path) -> None:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        names = wheel.namelist()
        metadata = Metadata.from_email(wheel.read(f"litellm_tui-{__version__}.dist-info/METADATA"), validate=True)
    own = f"litellm_tui-{__version__}"
    assert {name.split("/")[0] for name in names} == {"litellm_tui", f"{own}.dist-info", f"{own}.data"}
    # completions and man pages, where a system's shells and man look
    shared = {name.removeprefix(f"{own}.data/data/") for name in names if name.startswith(f"{own}.data/")}
    assert shared == {
        "share/bash-completion/completions/litellm-tui",
        "share/zsh/site-functions/_litellm-tui",
        "share/fish/vendor_completions.d/litellm-tui.fish",
        "share/man/man1/litellm-tui.1",
        "share/man/man5/litellm-tui-config.5",
    }
    wanted = {str(path.relative_to(ROOT)) for path in ROOT.glob("litellm_tui/**/*.py")}
    wanted |= {f"litellm_tui/themes/{path.name}" for path in (ROOT / "themes").iterdir()}
    assert wanted - set(names) == set()
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []
    assert metadata.license_expression == "MIT"
    assert metadata.description_content_type == "text/markdown"
    assert str(metadata.requires_python) == ">=3.11"


def test_the_source_archive_can_be_tested_and_has_nothing_of_this_machine(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        [info] = [member for member in archive.getmembers() if member.name.endswith("/PKG-INFO")]
        file = archive.extractfile(info)
        assert file is not None
        assert message_from_bytes(file.read())["Version"] == __version__
        assert {member.uid for member in archive.getmembers()} == {0}
    for wanted in ("run", "test", "uv.lock", "mkdocs.yml", "docs/first-hour.md", "tests/conftest.py", "scripts/uv.sh"):
        assert wanted in names, wanted
    assert [name for name in names if name.startswith((".venv", ".lab", ".tools", ".git/", "site/", "dist/"))] == []


def test_the_list_of_parts_has_what_is_installed_and_no_tool_of_the_tests() -> None:
    printed = _run(
        _uv(), "export", "--quiet", "--frozen", "--no-default-groups", "--format", "cyclonedx1.5", "--preview"
    )
    parts = {part["name"]: part for part in json.loads(printed)["components"]}
    assert {"textual", "httpx", "msgspec", "watchfiles"} <= set(parts)
    assert not {"pytest", "mypy", "mkdocs"} & set(parts)
    assert all(part["purl"].startswith("pkg:pypi/") for part in parts.values())


def test_the_debian_package_is_the_same_twice_and_runs_unpacked(dist: Path, tmp_path: Path) -> None:
    if not shutil.which("dpkg-deb"):
        pytest.skip("this is no Debian: there is no dpkg-deb")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    wheel = str(next(dist.glob("*.whl")))
    made = [_run("scripts/debian-package.sh", wheel, str(tmp_path / n), version).strip() for n in ("one", "two")]
    assert Path(made[0]).read_bytes() == Path(made[1]).read_bytes()
    fields = _run("dpkg-deb", "--field", made[0], "Package", "Version", "Depends")
    assert f"Package: litellm-tui\nVersion: {__version__}\nDepends: python3 (>= {version})" in fields
    _run("dpkg-deb", "--extract", made[0], str(tmp_path / "unpacked"))
    program = tmp_path / "unpacked" / "usr" / "bin" / "litellm-tui"
    # unpacked elsewhere than it will be installed, under the Python that it was made for
    text = program.read_text(encoding="utf-8").replace("/usr/lib", str(tmp_path / "unpacked" / "usr" / "lib"))
    program.write_text(text, encoding="utf-8")
    assert _run(sys.executable, "-I", str(program), "--version") == f"litellm-tui {__version__}\n"
    assert "unknown-section" in _run(sys.executable, "-I", str(program), "audit", "--explain", "unknown-section")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ((), 64, "usage: ./release VERSION"),
        (("1.2",), 64, "usage: ./release VERSION"),
        (("1.2.3", "--relly"), 64, "--relly is not known"),
    ],
)
def test_a_release_wants_a_version(arguments: tuple[str, ...], status: int, told: str) -> None:
    done = subprocess.run([str(ROOT / "release"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert told in done.stderr
