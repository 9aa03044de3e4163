"""A profile for what was found: what it says, and that the rest of the settings file keeps its bytes."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from litellm_tui.model.service_kinds import Compose, Docker, Process, ServiceSettings
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import SettingsError, load_settings
from litellm_tui.target.write_profile import profile_fields, write_profile
from tests.machine import Machine

UNIT = {"unit": "litellm.service", "scope": "user"}


def test_a_new_file_has_it_as_the_profile_that_is_used(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.yaml"
    written, block = write_profile("home", UNIT, file)
    assert written == file
    assert block == "home:\n  unit: litellm.service\n  scope: user\n"
    found = load_settings(file)
    assert found.profile == "home"
    assert (found.profiles["home"].unit, found.profiles["home"].scope) == ("litellm.service", "user")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "before",
    [
        "theme: light   # mine\n",
        "theme: light",
        "# all of them\nprofile: a\nprofiles:\n    # the first\n    a: {url: 'http://a:1'}\n    b:\n        unit: u\n",
        "profiles:\n  a: {}\ntheme: light\n",
        "profiles: {}\nutc: true\n",
        "# nothing yet\n",
    ],
)
def test_what_stands_there_stays(tmp_path: Path, before: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(before)
    file.chmod(0o640)
    settings = load_settings(file)
    write_profile("home", UNIT, file)
    found = load_settings(file)
    assert found.profiles.pop("home").unit == "litellm.service"
    assert msgspec.structs.replace(found, profile=settings.profile) == settings
    # what is empty may be written otherwise
    kept = [line for line in before.splitlines() if not line.startswith("profiles:")]
    text = file.read_text()
    assert all(line in text for line in kept)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize("before", ["{theme: light}\n", "profiles: {a: {}}\n"])
def test_a_form_without_a_place_for_it_is_told_with_what_to_add(tmp_path: Path, before: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(before)
    with pytest.raises(SettingsError, match="add by hand, below profiles:\nhome:\n"):
        write_profile("home", UNIT, file)
    assert file.read_text() == before


def test_a_name_that_is_taken_or_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("profiles: {home: {}}\n")
    with pytest.raises(SettingsError, match="has a profile of this name already"):
        write_profile("home", UNIT, file)
    for name in ("", "-x", "a b", "a:\n", "x" * 99):
        with pytest.raises(SettingsError, match="expected a name"):
            write_profile(name, UNIT, file)


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError):
        write_profile("home", UNIT, tmp_path / "file" / "config.yaml")


@pytest.mark.parametrize(
    ("service", "fields"),
    [
        (Compose(project="box", service="litellm"), {"compose": {"project": "box", "service": "litellm"}}),
        (Docker(container="gw"), {"docker": {"container": "gw"}}),
        (Docker(container="gw", client="podman"), {"docker": {"container": "gw", "client": "podman"}}),
        (Process(port=4321, log_file="/l"), {"process": {"port": 4321, "log_file": "/l"}}),
    ],
)
def test_each_kind_is_written_as_it_is_read(
    tmp_path: Path, service: ServiceSettings, fields: dict[str, object]
) -> None:
    machine = Machine(tmp_path)
    machine.unit("/opt/bin/litellm")
    profile = msgspec.structs.replace(machine.resolve(), service=service)
    assert profile_fields(profile, Options()) == fields
    file = tmp_path / "config.yaml"
    write_profile("home", fields, file)
    assert load_settings(file).profiles["home"].service == service


def test_a_unit_and_what_was_given_beside_it(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.unit("/opt/bin/litellm")
    assert profile_fields(machine.resolve(), Options()) == UNIT
    options = Options(url="http://127.0.0.1:4000", key_env="MINE", config="/c.yaml")
    profile = machine.resolve(None, {"MINE": "sk-1"}, url=options.url, key_env="MINE", config="/c.yaml")
    assert profile_fields(profile, options) == {
        "url": "http://127.0.0.1:4000", "config": "/c.yaml", **UNIT, "key_env": "MINE",
    }  # fmt: skip


def test_a_gateway_elsewhere_is_its_address(tmp_path: Path) -> None:
    profile = Machine(tmp_path).resolve(url="http://gateway.example:4000")
    assert profile_fields(profile, Options(url="http://gateway.example:4000")) == {"url": "http://gateway.example:4000"}
