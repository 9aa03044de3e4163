"""Which catalogue is taken, and how an installed LiteLLM is found without running it."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import pytest

from litellm_tui.audit.catalogue.records import KINDS, Catalogue, CatalogueKind, parse_version
from litellm_tui.collectors.litellm_source import catalogues
from litellm_tui.collectors.litellm_source.catalogues import choose, installed, package_folder, shipped
from litellm_tui.model.failures import Failure, NotAvailable
from tests.collectors.small_litellm import write
from tools.catalogue import wanted, written


def environment(folder: Path, packages: str = "lib/python3.11/site-packages", **settings: str) -> Path:
    """A virtual environment's outline; returns its interpreter, a link out of it as the real ones are."""
    (folder / packages).mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to("/usr/bin/python3")
    lines = [f"{key.replace('_', '-')} = {value}" for key, value in settings.items()]
    (folder / "pyvenv.cfg").write_text("\n".join(["home = /usr/bin", *lines]), encoding="utf-8")
    return folder / "bin" / "python"


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no LiteLLM is read: what comes back was kept."""

    def refuse(folder: Path, _: object) -> Failure:
        return NotAvailable(f"{folder} was read again")

    monkeypatch.setattr(catalogues, "_read_apart", refuse)


def test_the_table_spans_many_releases_from_1_70_on() -> None:
    releases = shipped().releases
    assert len(releases) >= 25
    assert [parse_version(release) for release in releases] == sorted({parse_version(release) for release in releases})
    assert parse_version(releases[0])[:2] == (1, 70)
    assert {"1.77.7", "1.80.0", "1.106.2"} <= set(releases)


def test_the_table_is_whole_for_every_release() -> None:
    for release in shipped().releases:
        catalogue = shipped().at(release)
        # the list of what the router is not to be told is short, and every other kind has long had its names
        assert {kind: len(catalogue.keys(kind)) for kind in KINDS if len(catalogue.keys(kind)) < 5} == {
            kind: len(catalogue.keys(kind))
            for kind in KINDS
            if kind == "router_managed" and len(catalogue.keys(kind)) < 5
        }
        assert "model_list" in catalogue.router_managed
        assert {
            "model_list",
            "litellm_settings",
            "router_settings",
            "general_settings",
            "include",
        } <= catalogue.sections
        assert {"master_key", "database_url", "background_health_checks"} <= catalogue.general
        assert {"drop_params", "cache", "cache_params", "callbacks", "success_callback"} <= catalogue.litellm
        assert {"routing_strategy", "fallbacks", "model_group_alias", "redis_host"} <= catalogue.router
        assert {"simple-shuffle", "usage-based-routing-v2"} <= catalogue.strategies
        assert {"openai", "ollama", "hosted_vllm"} <= catalogue.providers
        assert catalogue.models["gpt-4o"] == "chat"
        assert catalogue.models["text-embedding-3-small"] == "embedding"


def test_what_no_release_reads_is_not_in_the_table() -> None:
    table = shipped()
    unread: list[tuple[CatalogueKind, str]] = [
        ("sections", "server_settings"),
        ("sections", "rate_limit_settings"),
        ("sections", "enable_jwt_auth"),
        ("router", "context_window_fallback_dict"),
        ("router", "enable_pre_call_check"),
        ("litellm", "service_callbacks"),
        ("litellm", "routing_strategy"),
        ("cache_params", "connection_pool_kwargs"),
        ("environment", "SEPARATE_HEALTH_PORT"),
    ]
    for kind, key in unread:
        assert table.span(kind, key) is None, key


def test_routers_have_the_parameters_that_the_real_ones_named() -> None:
    # Router.get_valid_args() of each, without self
    counted = {version: shipped().at(version) for version in ("1.77.7", "1.106.2")}
    assert {version: len(found.router | found.router_managed) for version, found in counted.items()} == {
        "1.77.7": 41,
        "1.106.2": 58,
    }


def test_the_file_is_as_the_command_writes_it_and_small() -> None:
    content = resources.files("litellm_tui.audit.catalogue").joinpath("catalogue.json").read_bytes()
    assert written(shipped()) == content
    assert len(content) < 400_000


def test_the_newest_release_of_each_minor_version_is_wanted_first() -> None:
    listed = ["1.81.0", "1.80.17", "1.80.0", "1.77.7", "1.69.9"]
    assert wanted(listed, "1.70") == [["1.81.0"], ["1.80.17", "1.80.0"], ["1.77.7"], ["1.77.7"], ["1.80.0"]]


def test_an_interpreter_leads_to_the_package_of_its_environment(tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    folder = write(tmp_path / "venv/lib/python3.11/site-packages")
    assert package_folder(str(python)) == folder


def test_a_script_leads_to_its_interpreter(tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    folder = write(tmp_path / "venv/lib/python3.11/site-packages")
    script = tmp_path / "elsewhere"
    script.write_text(f"#!{python} -sP\nimport litellm\n", encoding="utf-8")
    assert package_folder(str(script)) == folder


def test_an_environment_that_sees_the_systems_packages_is_followed(tmp_path: Path) -> None:
    folder = write(tmp_path / "usr/lib/python3.11/site-packages")
    home = str(tmp_path / "usr/bin")
    closed = environment(tmp_path / "closed", home=home)
    found = package_folder(str(closed))
    assert isinstance(found, Failure)
    opened = environment(tmp_path / "open", home=home, include_system_site_packages="true")
    assert package_folder(str(opened)) == folder


def test_editable_installations_are_followed(tmp_path: Path) -> None:
    noted, listed = tmp_path / "noted/lib/python3.11/site-packages", tmp_path / "listed/lib/python3.11/site-packages"
    pythons = [environment(tmp_path / name) for name in ("noted", "listed")]
    folder = write(tmp_path / "source tree")
    (noted / "litellm-1.99.1.dist-info").mkdir()
    url = (tmp_path / "source tree").as_uri()
    (noted / "litellm-1.99.1.dist-info/direct_url.json").write_text(
        f'{{"url": "{url}", "dir_info": {{"editable": true}}}}'
    )
    (listed / "__editable__.pth").write_text(f"import sys\n{tmp_path / 'source tree'}\n")
    assert [package_folder(str(python)) for python in pythons] == [folder, folder]


def test_an_interpreter_without_litellm_is_a_failure_that_names_it(tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    for interpreter in (str(python), str(tmp_path / "nowhere/bin/python"), ""):
        found = package_folder(interpreter)
        assert isinstance(found, Failure)
        assert "no litellm package" in found.why


def test_an_installed_litellm_is_read_once_and_again_after_an_upgrade(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    python, cache = str(environment(tmp_path / "venv")), tmp_path / "cache"
    library = tmp_path / "venv/lib/python3.11/site-packages"
    write(library)
    first = installed(python, cache)
    assert isinstance(first, Catalogue)
    assert (first.version, first.source, "by_get" in first.general) == ("1.99.1", "installed", True)
    request.getfixturevalue("unread")
    assert installed(python, cache) == first
    record = library / "litellm-1.99.1.dist-info/RECORD"
    os.utime(record, (1, 1))
    again = installed(python, cache)
    assert isinstance(again, Failure)
    assert "read again" in again.why


def test_a_cache_that_is_damaged_or_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    python = str(environment(tmp_path / "venv"))
    write(tmp_path / "venv/lib/python3.11/site-packages")
    cache = tmp_path / "cache"
    installed(python, cache)
    for kept in cache.iterdir():
        kept.write_bytes(b"{half")
    assert isinstance(installed(python, cache), Catalogue)
    (tmp_path / "file").write_text("")
    assert isinstance(installed(python, tmp_path / "file" / "below"), Catalogue)


def test_reading_a_broken_installation_fails_with_its_reason(tmp_path: Path) -> None:
    python = str(environment(tmp_path / "venv"))
    write(tmp_path / "venv/lib/python3.11/site-packages", without="router")
    found = installed(python, tmp_path / "cache")
    assert isinstance(found, Failure)
    assert "router.py missing" in found.why
    assert not (tmp_path / "cache").exists()


def test_what_was_asked_for_wins_then_the_source_then_the_gateways_word(tmp_path: Path) -> None:
    python, cache = str(environment(tmp_path / "venv")), tmp_path / "cache"
    write(tmp_path / "venv/lib/python3.11/site-packages")
    nobody = str(tmp_path / "nowhere/bin/python")

    def chosen(interpreter: str = "", reported: str = "", asked: str = "") -> tuple[str, str]:
        found = choose(interpreter, reported, asked, cache)
        return found.version, found.source

    assert chosen(python, "1.106.2", "1.77.7") == ("1.77.7", "shipped")
    assert chosen(python, "1.106.2") == ("1.99.1", "installed")
    assert chosen(nobody, "1.106.2") == ("1.106.2", "shipped")
    assert chosen(nobody) == (shipped().releases[-1], "newest")
    assert chosen() == (shipped().releases[-1], "newest")
