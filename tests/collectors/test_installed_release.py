"""The release of an environment and what was planted in it are read as files: its Python never starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from litellm_tui.collectors.litellm_source.advisories import read_advisories, shipped_advisories
from litellm_tui.collectors.litellm_source.catalogues import libraries_at, package_at
from litellm_tui.collectors.litellm_source.installed_release import release_of
from litellm_tui.model.failures import Failure
from litellm_tui.model.release import Release
from tests.collectors.environments import distribution, environment

TABLE = shipped_advisories()


def looked_at(folder: Path, home: Path | None = None) -> Release:
    return release_of(libraries_at(str(folder)), TABLE, environment={"HOME": str(home or folder / "nobody")})


def names(release: Release) -> list[str]:
    return [os.path.basename(file.path) for file in release.planted]


def test_the_version_is_that_of_the_metadata(tmp_path: Path) -> None:
    release = looked_at(environment(tmp_path / "e", "1.83.3"))
    assert (release.installed, names(release), release.unseen) == ("1.83.3", [], ())
    assert release.metadata.endswith("site-packages/litellm-1.83.3.dist-info/METADATA")


@pytest.mark.parametrize("name", ["litellm_init.pth", "cook.pth", "remote_code_loader.lock"])
def test_a_planted_file_is_found_whatever_release_is_there_now(tmp_path: Path, name: str) -> None:
    release = looked_at(environment(tmp_path / "e", "1.106.2", beside=[name]))
    assert names(release) == [name]
    assert release.planted[0].advisories


def test_a_file_in_the_users_home_is_found(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".config/sysmon").mkdir(parents=True)
    (home / ".config/sysmon/sysmon.py").write_text("")
    (home / ".config/systemd/user").mkdir(parents=True)
    (home / ".config/systemd/user/sysmon.service").write_text("")
    assert names(looked_at(environment(tmp_path / "e", "1.106.2"), home)) == ["sysmon.py", "sysmon.service"]


def test_a_name_that_honest_software_has_too_counts_beside_another_sign_only(tmp_path: Path) -> None:
    assert names(looked_at(environment(tmp_path / "a", "1.106.2", beside=["sitecustomize.py", "cook.py"]))) == []
    beside = ["cook.py", "cook.pth", "sitecustomize.py"]
    assert sorted(names(looked_at(environment(tmp_path / "b", "1.106.2", beside=beside)))) == sorted(beside)
    assert names(looked_at(environment(tmp_path / "c", "1.107.0", beside=["sitecustomize.py"]))) == ["sitecustomize.py"]
    assert names(looked_at(environment(tmp_path / "d", "1.108.0", recorded=["sitecustomize.py"]))) == [
        "sitecustomize.py"
    ]


def test_a_path_file_with_code_that_litellms_own_list_names_is_found_by_its_form(tmp_path: Path) -> None:
    release = looked_at(environment(tmp_path / "e", "1.120.0", beside=["other.pth"], recorded=["unheard_of.pth"]))
    assert [(os.path.basename(file.path), file.advisories) for file in release.planted] == [("unheard_of.pth", ())]


def test_a_path_file_that_only_leads_to_a_folder_is_none(tmp_path: Path) -> None:
    folder = environment(tmp_path / "e", "1.120.0", recorded=["editable.pth"])
    (folder / "lib/python3.11/site-packages/editable.pth").write_text("/srv/source\n")
    assert names(looked_at(folder)) == []


def test_a_dangling_link_under_a_planted_name_is_found_and_not_followed(tmp_path: Path) -> None:
    folder = environment(tmp_path / "e", "1.106.2")
    (folder / "lib/python3.11/site-packages/cook.pth").symlink_to("/nowhere/at/all")
    assert names(looked_at(folder)) == ["cook.pth"]


def test_a_container_is_looked_at_through_the_root_of_its_files(tmp_path: Path) -> None:
    root = tmp_path / "root"
    packages = root / "usr/lib/python3.13/site-packages"
    (packages / "litellm-1.82.8.dist-info").mkdir(parents=True)
    (packages / "litellm-1.82.8.dist-info/METADATA").write_text("Name: litellm\nVersion: 1.82.8\n")
    (packages / "litellm_init.pth").write_text("import os\n")
    (root / "tmp").mkdir()
    (root / "tmp/remote_code_loader.lock").write_text("")
    release = release_of((), TABLE, root=str(root), image="ghcr.io/berriai/litellm:main-latest")
    assert (release.installed, release.image) == ("1.82.8", "ghcr.io/berriai/litellm:main-latest")
    assert sorted(names(release)) == ["litellm_init.pth", "remote_code_loader.lock"]


def test_a_container_that_cannot_be_looked_into_is_said(tmp_path: Path) -> None:
    release = release_of((), TABLE, root=str(tmp_path / "not" / "mine"), image="litellm:1")
    assert (release.installed, release.planted) == ("", ())
    assert "the container's files cannot be looked at" in release.unseen[0]


def test_what_lies_under_the_planted_name_never_runs(tmp_path: Path) -> None:
    """The environment is a real one: its Python would write the file, as the last step shows."""
    folder = environment(tmp_path / "e", "1.82.8")
    (folder / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix, 'bin')}\ninclude-system-site-packages = false\n")
    python = folder / "bin" / "python3.11"
    python.symlink_to(os.path.realpath(sys.executable))
    written = tmp_path / "it-ran"
    line = f"import pathlib; pathlib.Path({str(written)!r}).touch()\n"
    packages = folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    packages.mkdir(parents=True, exist_ok=True)
    (packages / "litellm_init.pth").write_text(line)

    release = looked_at(folder)
    assert "litellm_init.pth" in names(release)
    assert not written.exists()
    subprocess.run([str(python), "-c", ""], check=True, env={"PATH": os.environ["PATH"]})
    assert written.exists(), "the bait is no bait: its Python does not run it"


def test_the_packages_that_some_releases_do_not_start_with_are_read(tmp_path: Path) -> None:
    folder = environment(tmp_path / "e", "1.97.0")
    distribution(folder, "fastapi", "0.141.1")
    distribution(folder, "fastapi_sso", "0.16.0")
    assert dict(looked_at(folder).companions) == {"fastapi": "0.141.1"}


def test_a_release_is_named_by_an_environment_a_script_or_a_folder(tmp_path: Path) -> None:
    folder = environment(tmp_path / "e", "1.83.3")
    (folder / "bin/python").write_text("")
    script = folder / "bin/litellm"
    script.write_text(f"#!{folder}/bin/python\n")
    packages = folder / "lib/python3.11/site-packages"
    for place in (folder, folder / "bin/python", script, packages, packages / "litellm"):
        assert package_at(str(place)) == packages / "litellm", place
        assert libraries_at(str(place)) == (packages,), place
    assert isinstance(package_at(str(tmp_path)), Failure)
    assert isinstance(package_at(str(tmp_path / "nothing")), Failure)


def test_advisories_come_as_a_file_a_folder_or_a_zip(tmp_path: Path) -> None:
    import zipfile

    mine = (
        b'{"id":"GHSA-7","affected":[{"package":{"name":"litellm","ecosystem":"PyPI"},'
        b'"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.109.0"}]}]}]}'
    )
    other = b'{"id":"GHSA-8","affected":[{"package":{"name":"flask","ecosystem":"PyPI"}}]}'
    folder = tmp_path / "osv"
    folder.mkdir()
    (folder / "GHSA-7.json").write_bytes(mine)
    (folder / "GHSA-8.json").write_bytes(other)
    (folder / "README.md").write_text("litellm")
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("GHSA-7.json", mine)
        packed.writestr("GHSA-8.json", other)
    for path in (folder / "GHSA-7.json", folder, archive):
        found = read_advisories(path)
        assert not isinstance(found, Failure), path
        assert len(found) == len(TABLE) + 1


@pytest.mark.parametrize("content", [b"", b"{", b'{"id":"GHSA-8","affected":[]}', b"PK\x03\x04 litellm", b"litellm"])
def test_a_file_without_an_advisory_is_a_failure(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(content)
    assert isinstance(read_advisories(path), Failure)
    assert isinstance(read_advisories(tmp_path / "nothing.json"), Failure)
