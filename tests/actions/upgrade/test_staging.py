"""The new release beside the old one: a copy in which an installer was at work, or nothing at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from litellm_tui.actions.upgrade import staging
from litellm_tui.actions.upgrade.tools import Tools
from litellm_tui.collectors.litellm_source.catalogues import script_interpreter
from litellm_tui.collectors.litellm_source.installation import installation_of
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.installation import Installation
from litellm_tui.model.upgrade import PackageChange
from tests.actions.upgrade.made import distribution, environment


class Installer:
    """Stands in for pip and uv: it writes what they would."""

    def __init__(self, version: str = "2.0", planted: str = "", loses: str = "") -> None:
        self.version, self.planted, self.loses = version, planted, loses
        self.asked: list[tuple[str, ...]] = []
        self.refuses = ""

    async def install(self, tools: Tools, root: Path, wanted: Sequence[str]) -> Failure | None:
        self.asked.append(tuple(wanted))
        library = root / "lib" / "python3.12" / "site-packages"
        for info in library.glob("litellm-*.dist-info"):
            shutil.rmtree(info)
        if self.refuses:
            return NotAvailable(self.refuses)
        distribution(library, "litellm", self.version, requested=True, script="litellm", extras=("proxy",),
                     requires=("uvicorn; extra == 'proxy'",))  # fmt: skip
        shutil.rmtree(library / "httpx-1.0.dist-info")
        distribution(library, "httpx", "1.1")
        distribution(library, "orjson", "3")
        if self.planted:
            (library / self.planted).write_text("import os; os.abort()\n")
        for info in library.glob(f"{self.loses}-*.dist-info") if self.loses else ():
            shutil.rmtree(info)
        return None


async def _no_conflicts(tools: Tools, root: Path) -> tuple[str, ...]:
    return ()


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Installer:
    found = Installer()
    monkeypatch.setattr(staging, "install", found.install)
    monkeypatch.setattr(staging, "conflicts", _no_conflicts)
    return found


def _installed(root: Path) -> Installation:
    found = installation_of(str(root / "bin" / "litellm"))
    assert isinstance(found, Installation)
    return found


def _contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*"))
            if path.is_file() and path.name != staging.NOTE}  # fmt: skip


async def test_a_copy_gets_the_release_and_the_old_one_stays_as_it_is(tmp_path: Path, installer: Installer) -> None:
    library = environment(tmp_path / "venv", "1.0")
    distribution(library, "plugin", "7", requested=True)
    before, installed = _contents(tmp_path / "venv"), _installed(tmp_path / "venv")

    made = await staging.make(installed, "2.0", Tools())

    assert isinstance(made, staging.Staged), made
    assert installer.asked == [("litellm[proxy]==2.0", "plugin")]
    assert made.path == f"{tmp_path}/venv.litellm-2.0"
    assert made.packages == (PackageChange("httpx", "1.0", "1.1"), PackageChange("orjson", "", "3"))
    assert script_interpreter(Path(made.script)) == Path(made.path, "bin", "python")
    assert _contents(tmp_path / "venv") == before
    assert staging.ready(installed, "2.0") == made
    assert staging.unfinished(installed.folder) == []
    # it is no release that stood there before
    assert staging.kept(installed.folder) == []

    assert staging.seal(made.path, installed) is None
    assert script_interpreter(Path(made.script)) == tmp_path / "venv" / "bin" / "python"
    assert staging.unseal(made.path, installed) is None
    assert script_interpreter(Path(made.script)) == Path(made.path, "bin", "python")

    distribution(library, "plugin-two", "1", requested=True)
    assert staging.ready(_installed(tmp_path / "venv"), "2.0") is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"refuses": "no solution found"}, "no solution found"),
        ({"version": "1.9"}, "holds LiteLLM 1.9"),
        ({"loses": "plugin"}, "plugin is not in it any more"),
        ({"planted": "litellm_init.pth"}, "was planted by a compromised release"),
    ],
)
async def test_what_is_not_right_leaves_nothing_behind(
    tmp_path: Path, installer: Installer, wrong: dict[str, str], says: str
) -> None:
    library = environment(tmp_path / "venv", "1.0")
    distribution(library, "plugin", "7", requested=True)
    for name, value in wrong.items():
        setattr(installer, name, value)
    made = await staging.make(_installed(tmp_path / "venv"), "2.0", Tools())
    assert isinstance(made, Failure)
    assert says in made.why
    assert [path.name for path in tmp_path.iterdir()] == ["venv"]


async def test_one_that_was_interrupted_is_made_anew_and_another_folder_is_left_alone(
    tmp_path: Path, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(tmp_path / "venv", "1.0")
    installed = _installed(tmp_path / "venv")

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(staging, "install", killed)
        with pytest.raises(KeyboardInterrupt):
            await staging.make(installed, "2.0", Tools())
    assert staging.unfinished(installed.folder) == [f"{tmp_path}/venv.litellm-2.0"]
    assert staging.ready(installed, "2.0") is None
    assert isinstance(await staging.make(installed, "2.0", Tools()), staging.Staged)
    assert staging.unfinished(installed.folder) == []

    (tmp_path / "venv.litellm-3.0").mkdir()
    (tmp_path / "venv.litellm-3.0" / "own").write_text("")
    refused = await staging.make(installed, "3.0", Tools())
    assert isinstance(refused, Failure)
    assert "was not made by litellm-tui" in refused.why
    assert (tmp_path / "venv.litellm-3.0" / "own").is_file()
    # whoever was killed before there was a note in it
    (tmp_path / "venv.litellm-4.0").mkdir()
    assert staging.cleared(f"{tmp_path}/venv.litellm-4.0", installed.folder) is None
    assert not (tmp_path / "venv.litellm-4.0").exists()


async def test_receipts_name_the_new_release(tmp_path: Path, installer: Installer) -> None:
    environment(tmp_path / "venv", "1.0")
    receipt = {"main_package": {"package_or_url": "litellm[proxy]==1.0", "package_version": "1.0"}}
    (tmp_path / "venv" / "pipx_metadata.json").write_text(json.dumps(receipt))
    made = await staging.make(_installed(tmp_path / "venv"), "2.0", Tools())
    assert isinstance(made, staging.Staged)
    noted = json.loads(Path(made.path, "pipx_metadata.json").read_bytes())
    assert noted["main_package"] == {"package_or_url": "litellm[proxy]==2.0", "package_version": "2.0"}


def test_the_latest_that_left_its_place_is_gone_back_to(tmp_path: Path) -> None:
    for version, left in (("1.0", 5.0), ("2.0", 9.0), ("3.0", 0.0)):
        folder = tmp_path / f"venv.litellm-{version}"
        folder.mkdir()
        staging.write_note(folder, staging.Note(f"{tmp_path}/venv", version, ready=True, left_at=left))
    (tmp_path / "venv.litellm-other").mkdir()
    os.mkdir(tmp_path / "venv")
    assert [note.version for _, note in staging.kept(f"{tmp_path}/venv")] == ["2.0", "1.0"]
    staging.leaves(f"{tmp_path}/venv", "4.0")
    noted = staging.read_note(tmp_path / "venv")
    assert noted is not None
    assert (noted.version, noted.ready, noted.left_at > 9) == ("4.0", True, True)
