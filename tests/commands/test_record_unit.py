"""The unit that records, as it is shown before it is written."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.commands import record_unit
from litellm_tui.host.unit_words import assignment, exec_words
from litellm_tui.model.found import Found
from litellm_tui.model.service_kinds import Scope, Tools
from litellm_tui.storage.state import state_folder
from litellm_tui.target.profile import Options, Profile

NOTHING = Options()
UNIT = Found("litellm.service", "discovered")
PROFILE = Profile("discovered", "h", Found("http://127.0.0.1:4000", "unit"), Tools(), unit=UNIT, scope="user")


def plan(
    of: Profile = PROFILE,
    options: Options = NOTHING,
    scope: Scope = "user",
) -> record_unit.RecorderUnit:
    return record_unit.plan(of, options, scope, {"HOME": "/home/ops", "SECRET_KEY": "sk-of-a-test"})


def test_the_same_gateway_is_chosen_again_and_nothing_is_changed_on_it() -> None:
    assert '"record" "--unit=litellm.service" "--user" "--read-only"' in plan().text
    assert (
        '"record" "--profile=west" "--read-only"' in plan(replace(PROFILE, name="west"), Options(profile="west")).text
    )


def test_it_has_limits_and_names_nothing_of_the_environment_but_its_folders() -> None:
    scopes: tuple[Scope, ...] = ("user", "system")
    for scope in scopes:
        text = plan(scope=scope).text
        assert {"MemoryMax=400M", "CPUQuota=25%", "NoNewPrivileges=yes", "Restart=always"} <= set(text.splitlines())
        assert "sk-of-a-test" not in text


def test_one_of_the_machine_may_write_its_state_and_nothing_else() -> None:
    text = plan(scope="system").text
    assert "ProtectSystem=strict" in text
    assert f'ReadWritePaths="{state_folder()}"' in text
    assert "WantedBy=multi-user.target" in text
    # what needs namespaces fails in a user's manager
    assert "Protect" not in plan().text


@pytest.mark.parametrize("word", ["a b", 'a"b', "50%", "$HOME", "back\\slash", "line\nbreak", "ümlaut"])
def test_a_word_reaches_the_program_as_it_is(word: str) -> None:
    quoted = exec_words([word])
    assert quoted.startswith('"')
    assert "\n" not in quoted
    assert quoted.count("%") == 2 * word.count("%")
    assert quoted.count("$") == 2 * word.count("$")
    assert "\n" not in assignment("NAME", word)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
@pytest.mark.parametrize("scope", ["user", "system"])
def test_systemd_takes_the_unit_as_it_is(scope: Scope, tmp_path: Path) -> None:
    unit = plan(scope=scope)
    file = tmp_path / unit.name
    file.write_text(unit.text)
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True, check=False
    )
    assert [line for line in told.stderr.splitlines() if unit.name in line] == []
