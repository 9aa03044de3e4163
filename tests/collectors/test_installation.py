"""How a LiteLLM is installed, told from files: what lies there would end whoever started or imported it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from litellm_tui.collectors.litellm_source.installation import installation_of
from litellm_tui.model.failures import Failure
from litellm_tui.model.installation import Installation
from tests.actions.upgrade.made import PLANTED, distribution, environment


def _found(root: Path) -> Installation:
    found = installation_of(str(root / "bin" / "litellm"))
    assert isinstance(found, Installation), found
    return found


def test_a_virtual_environment_with_its_extras_and_what_is_beside(tmp_path: Path) -> None:
    root = tmp_path / "venv"
    library = environment(root, "1.77.7")
    (library / "planted.pth").write_text(PLANTED)
    distribution(library, "uvloop", "0.21")
    distribution(library, "Prometheus_Client", "0.20", requested=True)
    distribution(library, "depends", "3.0")

    found = _found(root)

    assert (found.how, found.version, found.python, found.made_by) == ("venv", "1.77.7", "3.12.4", "uv 0.9.1")
    assert (found.path, found.folder, found.installer) == (str(root), str(root), "uv")
    assert found.requirement == "litellm[proxy]"
    assert not found.extras_known
    assert (found.beside, found.programs) == (("prometheus-client",), ())
    assert found.packages["prometheus-client"] == "0.20"
    assert found.words == "virtual environment made by uv 0.9.1"


def test_an_extra_is_told_by_what_it_needs_in_any_case(tmp_path: Path) -> None:
    library = environment(tmp_path / "venv", "1.0", made_by="")
    assert _found(tmp_path / "venv").extras == ("proxy",)
    distribution(library, "diskcache", "1")
    assert _found(tmp_path / "venv").extras == ("proxy", "caching")
    assert _found(tmp_path / "venv").made_by == "venv"


def test_another_program_shares_the_environment_and_a_tool_does_not(tmp_path: Path) -> None:
    library = environment(tmp_path / "venv", "1.0")
    distribution(library, "open-webui", "1", requested=True, script="open-webui", requires=("ctl>=1",))
    # it came with the program, and is none of its own
    distribution(library, "ctl", "1", requested=True, script="ctl")
    distribution(library, "pip", "24", requested=True, script="pip")
    assert _found(tmp_path / "venv").programs == ("open-webui (open-webui)",)


def test_a_tool_of_uv_and_one_of_pipx_by_their_receipts(tmp_path: Path) -> None:
    environment(tmp_path / "uv", "1.0")
    (tmp_path / "uv" / "uv-receipt.toml").write_text(
        '[tool]\nrequirements = [{ name = "litellm", extras = ["proxy", "caching"], specifier = "==1.0" }, '
        '{ name = "Boto3" }]\n'
    )
    found = _found(tmp_path / "uv")
    assert (found.how, found.extras, found.extras_known, found.beside) == ("uv tool", ("proxy", "caching"), True,
                                                                           ("boto3",))  # fmt: skip
    environment(tmp_path / "pipx", "1.0")
    receipt = {"main_package": {"package_or_url": "litellm[proxy]==1.0"}, "injected_packages": {"Redis_Py": {}}}
    (tmp_path / "pipx" / "pipx_metadata.json").write_text(json.dumps(receipt))
    found = _found(tmp_path / "pipx")
    assert (found.how, found.extras, found.beside) == ("pipx", ("proxy",), ("redis-py",))
    (tmp_path / "pipx" / "pipx_metadata.json").write_text("[1")
    assert not _found(tmp_path / "pipx").extras_known


def test_what_is_no_environment_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    environment(tmp_path / "usr", "1.0")
    (tmp_path / "usr" / "pyvenv.cfg").unlink()
    assert _found(tmp_path / "usr").how == "system"
    environment(tmp_path / "home" / ".local", "1.0")
    (tmp_path / "home" / ".local" / "pyvenv.cfg").unlink()
    assert _found(tmp_path / "home" / ".local").how == "user"
    environment(tmp_path / "conda", "1.0")
    (tmp_path / "conda" / "conda-meta").mkdir()
    assert _found(tmp_path / "conda").how == "conda"
    environment(tmp_path / "project" / ".venv", "1.0")
    (tmp_path / "project" / "uv.lock").write_text("")
    found = _found(tmp_path / "project" / ".venv")
    assert (found.how, found.locked) == ("project", str(tmp_path / "project" / "uv.lock"))
    environment(tmp_path / "archive-v0" / "x1", "1.0")
    assert _found(tmp_path / "archive-v0" / "x1").how == "cache"


def test_a_link_to_an_environment_and_an_installation_from_a_folder(tmp_path: Path) -> None:
    library = environment(tmp_path / "real", "1.0")
    (tmp_path / "current").symlink_to(tmp_path / "real")
    script = tmp_path / "real" / "bin" / "litellm"
    script.write_text(script.read_text().replace("/real/", "/current/"))
    (library / "litellm-1.0.dist-info" / "direct_url.json").write_text('{"url": "file:///src/litellm"}')
    found = _found(tmp_path / "current")
    assert (found.path, found.folder) == (str(tmp_path / "current"), str(tmp_path / "real"))
    assert found.source == "file:///src/litellm"


def test_an_environment_without_litellm_is_told(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    assert isinstance(installation_of(str(tmp_path / "bin" / "python")), Failure)
