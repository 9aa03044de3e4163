"""How the gateway, its file, its unit and its key are found, and which of two answers wins."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.model.service_kinds import Tools
from litellm_tui.target.profile import Options, Profile, Secret, findings
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import ProfileSettings, Settings, SettingsError
from tests.machine import Machine

Found = Callable[..., Profile]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_health_url_of_its_own_is_taken_as_it_is(machine: Machine) -> None:
    settings = Settings(profile="a", profiles={"a": ProfileSettings(health_url="10.0.0.1:4002/health/readiness")})
    found = machine.resolve(settings)
    assert found.health_url == "http://10.0.0.1:4002/health/readiness"
    assert ("health URL", found.health_url, "profile a") in findings(found)


def test_a_health_url_that_would_be_billed_is_refused(machine: Machine) -> None:
    settings = Settings(profile="a", profiles={"a": ProfileSettings(health_url="http://10.0.0.1:4002/health")})
    with pytest.raises(SettingsError, match="is billed"):
        machine.resolve(settings)


def _key(profile: Profile) -> str | None:
    return profile.key.reveal() if profile.key else None


# --- discovery ---------------------------------------------------------------------------------------------------


def test_everything_is_found_through_the_unit(machine: Machine) -> None:
    machine.config("general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n")
    (machine.folder / "litellm.env").write_text("LITELLM_MASTER_KEY=sk-from-file\nOTHER=1\n")
    machine.unit(
        "/opt/bin/litellm --config config.yaml --host 0.0.0.0 --port 4321",
        WorkingDirectory=str(machine.folder),
        Environment="A=1 B=2",
        EnvironmentFiles=f"{machine.folder}/litellm.env (ignore_errors=no)",
    )
    found = machine.resolve()
    assert (found.url.value, found.url.source) == ("http://127.0.0.1:4321", "ExecStart of litellm.service (user)")
    assert found.config
    assert found.config.value == str(machine.folder / "config.yaml")
    assert found.unit
    assert (found.unit.value, found.unit.source, found.scope) == (
        "litellm.service",
        "found (the only one here): its ExecStart runs litellm",
        "user",
    )
    assert _key(found) == "sk-from-file"
    assert found.key_source == f"LITELLM_MASTER_KEY from {machine.folder}/litellm.env"
    assert {name: variable.value for name, variable in found.environment.items()} == {
        "A": "1", "B": "2", "LITELLM_MASTER_KEY": "sk-from-file", "OTHER": "1",
    }  # fmt: skip
    assert found.missing == ()


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ("", "http://127.0.0.1:4000"),
        ("--port=5000", "http://127.0.0.1:5000"),
        ("--host 10.0.0.5 --port 80", "http://10.0.0.5:80"),
        ("--host ::", "http://[::1]:4000"),
        ("--host fe80::1", "http://[fe80::1]:4000"),
        ("--port ${PORT_SET}", "http://127.0.0.1:4999"),
        ("--ssl_certfile_path /c.pem", "https://127.0.0.1:4000"),
    ],
)
def test_the_address_is_that_of_the_command_line(machine: Machine, words: str, url: str) -> None:
    machine.unit(f"/opt/bin/litellm {words}", Environment="PORT_SET=4999")
    assert machine.resolve().url.value == url


def test_the_address_may_stand_in_the_units_environment(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm", Environment="PORT=4100 HOST=127.0.0.2 SERVER_ROOT_PATH=/llm/")
    assert machine.resolve().url.value == "http://127.0.0.2:4100/llm"


@pytest.mark.parametrize("words", ["--config /etc/l.yaml", "--config=/etc/l.yaml", "-c /etc/l.yaml"])
def test_the_spellings_of_the_configuration(machine: Machine, words: str) -> None:
    machine.unit(f"/opt/bin/litellm {words}")
    config = machine.resolve().config
    assert config
    assert config.value == "/etc/l.yaml"


def test_a_user_unit_goes_before_a_system_unit_and_the_other_is_told(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 1", scope="system")
    machine.unit("/opt/bin/litellm --port 2", scope="user")
    found = machine.resolve()
    assert (found.scope, found.url.value) == ("user", "http://127.0.0.1:2")
    assert found.also_found == ("litellm.service (system)",)
    assert machine.resolve(scope="system").url.value == "http://127.0.0.1:1"


def test_a_unit_of_another_name_is_found_by_what_it_runs(machine: Machine) -> None:
    machine.unit("/usr/bin/nginx", name="nginx.service", scope="system")
    machine.unit("/opt/venv/bin/litellm --port 7", name="gateway.service", scope="system")
    found = machine.resolve()
    assert found.unit
    assert (found.unit.value, found.scope) == ("gateway.service", "system")


def test_a_unit_of_the_right_name_that_runs_something_else_is_named_only_by_hand(machine: Machine) -> None:
    machine.unit("/opt/bin/start-gateway.sh", name="llm.service")
    assert machine.resolve().unit is None
    found = machine.resolve(unit="llm")
    assert found.unit
    assert (found.unit.value, found.unit.source) == ("llm.service", "--unit")


def test_nothing_at_all_leaves_litellms_default_and_says_what_is_missing(machine: Machine) -> None:
    found = machine.resolve()
    assert (found.url.value, found.unit, found.config, found.key) == ("http://127.0.0.1:4000", None, None, None)
    assert [missing.what for missing in found.missing] == ["service", "configuration file"]
    assert all(missing.why and missing.mend for missing in found.missing)


def test_a_bus_that_cannot_be_reached_is_told(machine: Machine) -> None:
    (machine.folder / "user").rmdir()
    (machine.folder / "system").rmdir()
    (missing, _) = machine.resolve().missing
    assert "Failed to connect to bus: No medium found" in missing.why


def test_without_systemctl_there_is_no_unit(tmp_path: Path) -> None:
    found = resolve(Options(), Settings(), Tools(systemctl=("/nonexistent/systemctl",)), {})
    assert found.unit is None
    assert "No such file" in found.missing[0].why


def test_an_unreadable_environment_file_is_told(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --config /c.yaml", EnvironmentFiles="/nonexistent/l.env (ignore_errors=no)")
    (missing,) = machine.resolve().missing
    assert missing.what == "environment file /nonexistent/l.env"


# --- the order: command line, environment, settings, discovery ---------------------------------------------------


def test_the_address_from_each_source_in_their_order(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 4")
    settings = Settings(profile="p", profiles={"p": ProfileSettings(url="http://127.0.0.1:3")})
    environ = {"LITELLM_PROXY_URL": "http://127.0.0.1:2/"}
    assert machine.resolve(settings, environ, url="http://127.0.0.1:1").url.value == "http://127.0.0.1:1"
    assert machine.resolve(settings, environ, url="http://127.0.0.1:1").url.source == "--url"
    assert machine.resolve(settings, environ).url.value == "http://127.0.0.1:2"
    assert machine.resolve(settings, environ).url.source == "LITELLM_PROXY_URL"
    assert machine.resolve(settings).url.value == "http://127.0.0.1:3"
    assert machine.resolve(settings).url.source == "profile p"
    assert machine.resolve().url.value == "http://127.0.0.1:4"


def test_the_configuration_from_each_source_in_their_order(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --config /4.yaml")
    settings = Settings(profile="p", profiles={"p": ProfileSettings(config="/3.yaml")})
    environ = {"CONFIG_FILE_PATH": "/2.yaml"}

    def value(*given: Any, **options: Any) -> str:
        config = machine.resolve(*given, **options).config
        assert config
        return config.value

    assert value(settings, environ, config="/1.yaml") == "/1.yaml"
    assert value(settings, environ) == "/2.yaml"
    assert value(settings) == "/3.yaml"
    assert value() == "/4.yaml"
    assert value(config="rel.yaml") == os.path.abspath("rel.yaml")
    assert value(config="~/l.yaml") == os.path.expanduser("~/l.yaml")


def test_the_unit_from_each_source_in_their_order(machine: Machine) -> None:
    for number in range(1, 4):
        machine.unit(f"/opt/bin/litellm --port {number}", name=f"u{number}.service")
    machine.unit("/opt/bin/litellm --port 4")
    settings = Settings(profile="p", profiles={"p": ProfileSettings(unit="u3")})
    environ = {"LITELLM_TUI_UNIT": "u2"}
    assert machine.resolve(settings, environ, unit="u1").url.value.endswith(":1")
    assert machine.resolve(settings, environ).url.value.endswith(":2")
    assert machine.resolve(settings).url.value.endswith(":3")
    assert machine.resolve().url.value.endswith(":4")


def test_the_scope_of_the_command_line_goes_before_that_of_the_profile(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 1", scope="user")
    machine.unit("/opt/bin/litellm --port 2", scope="system")
    settings = Settings(profile="p", profiles={"p": ProfileSettings(scope="system")})
    assert machine.resolve(settings).scope == "system"
    assert machine.resolve(settings, scope="user").scope == "user"


def test_the_key_from_each_source_in_their_order(machine: Machine, tmp_path: Path) -> None:
    machine.unit(f"/opt/bin/litellm --config {machine.config('general_settings: {master_key: sk-config}')}")
    (tmp_path / "one.key").write_text("sk-file\n")
    (tmp_path / "two.key").write_text("sk-profile-file\n")
    settings = Settings(profile="p", profiles={"p": ProfileSettings(key_file=str(tmp_path / "two.key"))})
    named = Settings(profile="p", profiles={"p": ProfileSettings(key_env="MINE")})
    environ = {"MINE": "sk-mine", "LITELLM_PROXY_API_KEY": "sk-api", "LITELLM_MASTER_KEY": "sk-master"}
    assert _key(machine.resolve(settings, environ, key_env="MINE")) == "sk-mine"
    assert _key(machine.resolve(settings, environ, key_file=str(tmp_path / "one.key"))) == "sk-file"
    assert _key(machine.resolve(settings, environ)) == "sk-api"
    del environ["LITELLM_PROXY_API_KEY"]
    assert _key(machine.resolve(settings, environ)) == "sk-master"
    del environ["LITELLM_MASTER_KEY"]
    assert _key(machine.resolve(settings, environ)) == "sk-profile-file"
    assert _key(machine.resolve(named, environ)) == "sk-mine"
    assert _key(machine.resolve(None, environ)) == "sk-config"


def test_a_literal_master_key_and_one_that_nothing_sets(machine: Machine) -> None:
    config = machine.config("general_settings: {master_key: os.environ/ELSEWHERE}\n")
    machine.unit(f"/opt/bin/litellm --config {config}")
    found = machine.resolve()
    assert found.key is None
    assert [(m.what, "ELSEWHERE" in m.why) for m in found.missing] == [("gateway key", True)]
    machine.unit(f"/opt/bin/litellm --config {config}", Environment="ELSEWHERE=sk-else")
    assert _key(machine.resolve()) == "sk-else"


def test_the_masters_name_alone_is_enough_and_a_keyless_gateway_needs_none(machine: Machine) -> None:
    machine.unit(f"/opt/bin/litellm --config {machine.config()}", Environment="LITELLM_MASTER_KEY=sk-unit")
    assert _key(machine.resolve()) == "sk-unit"
    machine.unit(f"/opt/bin/litellm --config {machine.config()}")
    found = machine.resolve()
    assert (found.key, found.missing) == (None, ())


def test_a_profile_is_named_on_the_command_line_in_the_environment_or_in_the_settings(machine: Machine) -> None:
    profiles = {name: ProfileSettings(url=f"http://127.0.0.1:{n}") for n, name in enumerate("abc", start=1)}
    settings = Settings(profile="a", profiles=profiles)
    environ = {"LITELLM_TUI_PROFILE": "b"}
    assert machine.resolve(settings, environ, profile="c").name == "c"
    assert machine.resolve(settings, environ).name == "b"
    assert machine.resolve(settings).name == "a"
    assert machine.resolve(Settings(profiles=profiles)).name == "discovered"


def test_an_address_elsewhere_has_no_unit_here(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 4000")
    found = machine.resolve(url="http://gateway.example:4000")
    assert found.unit is None
    assert found.missing[0].what == "service and log"
    # unless it is named: a proxy in front of this machine
    named = machine.resolve(url="http://gateway.example:4000", unit="litellm")
    assert named.unit
    assert named.url.value == "http://gateway.example:4000"


def test_an_address_here_is_that_of_the_unit_on_its_port(machine: Machine) -> None:
    machine.unit("/opt/bin/litellm --port 4000", name="litellm.service")
    assert machine.resolve(url="http://localhost:4000").unit
    other = machine.resolve(url="http://localhost:4001")
    assert other.unit is None
    assert (
        "nothing found here listens on port 4001 (found: litellm.service (user) on port 4000)" in other.missing[0].why
    )


# --- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "http://", "http://x:port", "http://x:99999", "http://[::1", "file:///etc/passwd", "http://:4000"],
)
def test_an_address_that_is_none_names_where_it_was_given(machine: Machine, url: str) -> None:
    with pytest.raises(SettingsError, match="--url: not a usable address: expected http://HOST:PORT"):
        machine.resolve(url=url)
    with pytest.raises(SettingsError, match="LITELLM_PROXY_URL"):
        machine.resolve(environ={"LITELLM_PROXY_URL": url})


def test_an_address_without_a_scheme_is_plain_http(machine: Machine) -> None:
    assert machine.resolve(url="127.0.0.1:4000/").url.value == "http://127.0.0.1:4000"


def test_a_profile_that_does_not_exist_names_those_that_do(machine: Machine) -> None:
    with pytest.raises(SettingsError, match=r"no profile 'x' in the settings file \(there: a, b\)"):
        machine.resolve(Settings(profiles={"a": ProfileSettings(), "b": ProfileSettings()}), profile="x")
    with pytest.raises(SettingsError, match=r"\(there: none\)"):
        machine.resolve(profile="x")


def test_a_key_that_was_named_and_is_not_there_is_an_error(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the variable MINE that should hold the key is not set"):
        machine.resolve(key_env="MINE")
    with pytest.raises(SettingsError, match="No such file"):
        machine.resolve(key_file=str(tmp_path / "none"))
    for text in ("", "\n", "one\ntwo\n"):
        (tmp_path / "key").write_text(text)
        with pytest.raises(SettingsError, match="expected the key alone, on one line"):
            machine.resolve(key_file=str(tmp_path / "key"))
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="key file"):
        machine.resolve(key_file=str(tmp_path / "key"))


# --- secrets -----------------------------------------------------------------------------------------------------


def test_a_secret_shows_itself_nowhere(machine: Machine) -> None:
    machine.unit(
        f"/opt/bin/litellm --config {machine.config()}",
        Environment="AZURE_API_KEY=az-12345678 LITELLM_MASTER_KEY=sk-unit1234",
    )
    found = machine.resolve()
    for text in (repr(found), str(found), repr(findings(found)), repr(found.environment)):
        assert "sk-unit1234" not in text
        assert "az-12345678" not in text
    assert set(found.secrets) == {"sk-unit1234", "az-12345678"}
    assert f"{Secret('x')} {Secret('x')!r}" == "Secret(…) Secret(…)"


def test_the_header_shows_the_address_without_its_credentials(machine: Machine) -> None:
    found = machine.resolve(url="http://user:hunter22@127.0.0.1:4000")
    assert found.address == "127.0.0.1:4000"


def test_what_was_found_is_listed_without_credentials_of_the_address(machine: Machine) -> None:
    found = machine.resolve(url="http://user:hunter22@127.0.0.1:4000")
    assert "hunter22" not in repr(findings(found))
