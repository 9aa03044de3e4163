"""Profiles of other hosts: what they may say, when one is chosen, what the other side is called with."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.commands.command_line import build_parser
from litellm_tui.model.fleet import Member
from litellm_tui.target.far_side import chosen_far, far_words, member_words, members, without_profile
from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import ProfileSettings, Settings, SettingsError, load_settings

FAR = ProfileSettings(ssh="web-1")
SETTINGS = Settings(profiles={"home": ProfileSettings(unit="litellm.service"), "web": FAR})


def _loaded(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return load_settings(file)


def test_a_profile_may_name_a_host_a_group_and_a_profile_there(tmp_path: Path) -> None:
    found = _loaded(tmp_path, "profiles:\n  web: {ssh: ops@web-1, profile: main, group: pair}\n")
    assert members(found) == (Member("web", "ops@web-1", "pair"),)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ssh: -oProxyCommand=x", "begins like an option"),
        ("ssh: a;b", "no name of a host holds"),
        ("ssh: ''", "empty"),
        ("profile: main", "expected ssh: HOST"),
        ("{ssh: a, production: true, probes: [b]}", "probes, production: with ssh: HOST this belongs"),
        ("{ssh: a, compose: {}}", "compose: with ssh"),
    ],
)
def test_what_cannot_be_told_the_other_side_is_refused(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        _loaded(tmp_path, f"profiles:\n  web: {line if line.startswith('{') else '{' + line + '}'}\n")


@pytest.mark.parametrize(
    ("command", "options", "given", "environ", "far"),
    [
        ("status", Options(profile="web"), {}, {}, True),
        ("status", Options(profile="home"), {}, {"LITELLM_TUI_PROFILE": "web"}, False),
        ("console", Options(), {}, {"LITELLM_TUI_PROFILE": "web"}, True),
        ("status", Options(), {}, {}, False),
        ("fleet", Options(profile="web"), {}, {}, False),
        ("audit", Options(), {"files": ["a.yaml"]}, {"LITELLM_TUI_PROFILE": "web"}, False),
        ("audit", Options(), {}, {"LITELLM_TUI_PROFILE": "web"}, True),
        ("status", Options(profile="none"), {}, {}, False),
    ],
)
def test_a_command_runs_where_its_profile_is(
    command: str, options: Options, given: dict[str, object], environ: dict[str, str], far: bool
) -> None:
    assert chosen_far(command, options, given, SETTINGS, environ) == (("web", FAR) if far else None)


@pytest.mark.parametrize("way", [["--profile", "web"], ["--profile=web"], ["--prof", "web"]])
def test_the_other_side_gets_the_same_command_without_the_profile(way: list[str]) -> None:
    arguments = [*way, "status", "--json"]
    assert build_parser().parse_args(arguments).profile == "web"
    assert without_profile(arguments) == ["status", "--json"]
    assert without_profile(["--log-file", "here", *arguments, "--log=here"]) == ["status", "--json"]
    assert without_profile(["status", *way, "--json"]) == ["status", "--json"]


def test_what_only_looks_like_it_is_left() -> None:
    assert without_profile(["rehearse", "--probe", "group", "--", "--profile"]) == [
        "rehearse", "--probe", "group", "--", "--profile",
    ]  # fmt: skip


def test_what_the_profile_says_becomes_options_and_the_command_line_goes_before() -> None:
    chosen = ProfileSettings(
        ssh="web-1", profile="-x", unit="a.service", scope="system", key_file="~/key", read_only=True
    )
    assert far_words(chosen, ["status"]) == [
        "--profile=-x", "--unit=a.service", "--key-file=~/key", "--system", "--read-only", "status",
    ]  # fmt: skip
    given = Options(unit="b.service", scope="user", read_only=True)
    arguments = ["--unit", "b.service", "--user", "--read-only", "status"]
    assert far_words(chosen, arguments, given) == ["--profile=-x", "--key-file=~/key", *arguments]


def test_a_member_of_this_machine_is_asked_by_its_profile() -> None:
    here, there = members(SETTINGS)
    assert member_words(here, SETTINGS, "status", "--json") == ["--profile=home", "status", "--json"]
    assert member_words(there, SETTINGS, "status", "--json") == ["status", "--json"]


def test_a_profile_of_another_host_is_not_looked_for_here() -> None:
    with pytest.raises(SettingsError, match="profile web is on web-1"):
        resolve(Options(profile="web"), SETTINGS, environ={})
