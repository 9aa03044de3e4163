"""Which gateway, found in a unit of another name, is the one that was known."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from litellm_tui.model.found import Found
from litellm_tui.model.service import Unit
from litellm_tui.target.profile import Profile
from litellm_tui.target.renamed import took_its_place
from litellm_tui.target.settings import ProfileSettings, Settings
from tests.machine import Machine

HERE, ELSEWHERE = "http://127.0.0.1:4700", "http://127.0.0.1:4800"


@pytest.fixture
def known(tmp_path: Path) -> Profile:
    """A gateway at HERE that the unit `gw-old.service` runs with `/srv/gw.yaml`."""
    settings = Settings(profile="a", profiles={"a": ProfileSettings(url=HERE)})
    return _as(Machine(tmp_path).resolve(settings))


def _as(
    profile: Profile, unit: str = "gw-old.service", url: str = HERE, file: str = "/srv/gw.yaml", active: bool = True
) -> Profile:
    told = Unit(unit, "system", active, (), None, {}, None, url)
    return msgspec.structs.replace(
        profile, unit=Found(unit, "x"), found_unit=told, url=Found(url, "x"), config=Found(file, "x")
    )


def test_the_same_address_or_the_same_file_is_the_same_gateway(known: Profile) -> None:
    assert took_its_place(known, _as(known, "gw-new.service"))
    assert took_its_place(known, _as(known, "gw-new.service", url=ELSEWHERE))
    assert took_its_place(known, _as(known, "gw-new.service", file="/srv/other.yaml"))


def test_another_gateway_or_one_that_stands_still_is_not(known: Profile) -> None:
    assert not took_its_place(known, known)
    assert not took_its_place(known, _as(known, "gw-new.service", active=False))
    assert not took_its_place(known, _as(known, "gw-new.service", url=ELSEWHERE, file="/srv/other.yaml"))
    assert not took_its_place(msgspec.structs.replace(known, unit=None), _as(known, "gw-new.service"))


def test_two_that_might_be_it_are_none(known: Profile) -> None:
    both = msgspec.structs.replace(_as(known, "gw-new.service"), undecided=True)
    assert not took_its_place(known, both)
