"""Reading from LiteLLM's source what it reads: on a small one, and on the real ones against the shipped table."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from litellm_tui.audit.catalogue.records import KINDS, Catalogue
from litellm_tui.collectors.litellm_source.catalogues import shipped
from litellm_tui.collectors.litellm_source.reader import read, version
from litellm_tui.model.failures import Failure
from tests.collectors.small_litellm import write
from tests.lab.environments import VARIABLE, Environment, environments


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    found = read(write(tmp_path_factory.mktemp("library")))
    assert isinstance(found, Catalogue)
    return found


@pytest.mark.parametrize(
    "key",
    [
        "by_get", "by_index", "by_in", "by_constant", "by_loop", "by_loop_too", "by_tuple", "by_tuple_too", "by_field",
        "by_comprehension", "by_helper", "by_named_constant", "disable_members_for_users",
    ],
)  # fmt: skip
def test_every_way_of_reading_a_general_setting_is_seen(small: Catalogue, key: str) -> None:
    assert key in small.general


def test_nothing_else_is_a_general_setting(small: Catalogue) -> None:
    assert {"TABLE", "settings", "members", "cache", "credential_list"} & small.general == set()


def test_what_a_class_only_declares_is_not_read(small: Catalogue) -> None:
    assert {"documented", "also_documented"} & small.general == set()


def test_sections_are_what_the_loaded_file_is_asked_for(small: Catalogue) -> None:
    assert small.sections == {"litellm_settings", "general_settings", "credential_list"}


def test_the_router_takes_its_parameters_but_for_those_managed_elsewhere(small: Catalogue) -> None:
    assert small.router == {"routing_strategy", "timeout", "only_by_name"}
    assert small.router_managed == {"model_list"}
    assert small.strategies == {"simple-shuffle", "least-busy", "lar1", "cost-based-routing"}


def test_litellm_settings_are_attributes_that_are_read_and_what_the_proxy_looks_at(small: Catalogue) -> None:
    assert small.litellm_special == {"cache", "success_callback", "failure_callback"}
    assert small.litellm >= {"cache", "drop_params", "num_retries", "read_elsewhere", "asked_for"}
    assert small.litellm & {"commented", "completion", "NotASetting", "only_for_types", "inside"} == set()


def test_the_rest_is_read_where_it_is_written(small: Catalogue) -> None:
    assert small.version == "1.99.1"
    assert small.cache_types == {"redis"}
    assert small.cache_params == {"type", "ttl"}
    assert small.redis_params >= {"host", "socket_timeout", "sentinel_nodes"}
    assert small.retry_policy == {"TimeoutErrorRetries"}
    assert small.allowed_fails_policy == {"TimeoutErrorAllowedFails"}
    assert small.environment >= {"SMALL_FLAG", "SMALL_SECRET", "REQUEST_TIMEOUT"}
    assert small.providers == {"openai", "publicai"}
    assert small.callbacks == {"langfuse", "prometheus"}
    assert small.models == {"bare": "", "cohere/embed": "embedding", "gpt-4o": "chat"}
    assert small.compiled == ()


def test_defaults_are_the_plain_values_of_parameters_attributes_and_constants(small: Catalogue) -> None:
    assert small.defaults == {
        "ROUTER_MAX_FALLBACKS": 5,
        "request_timeout": 6000.0,
        "router_settings.model_list": None,
        "router_settings.routing_strategy": "a",
        "router_settings.timeout": None,
        "router_settings.only_by_name": None,
        "litellm_settings.cache_params.type": "local",
        "litellm_settings.cache_params.ttl": None,
        "litellm_settings.drop_params": False,
        "litellm_settings.num_retries": None,
    }


def test_a_default_that_is_no_literal_is_none_of_them(tmp_path: Path) -> None:
    parameters = "self, model_list=[], routing_strategy=PICK, cooldown_time=-1, word='x' * 9"
    found = read(write(tmp_path, router=f"class Router:\n    def __init__({parameters}): ...\n"))
    assert isinstance(found, Catalogue)
    mine = {name: value for name, value in found.defaults.items() if name.startswith("router_settings.")}
    assert mine == {"router_settings.cooldown_time": -1}


def test_before_the_constant_the_proxy_kept_its_own_list_of_managed_parameters(tmp_path: Path) -> None:
    proxy = """
        class ProxyConfig:
            def load(self, config):
                exclude_args = {"self", "model_list"}
                config.get("litellm_settings"); config.get("general_settings")["master_key"]
                litellm_settings.get("cache")
    """
    found = read(write(tmp_path, constants="", proxy_server=proxy))
    assert isinstance(found, Catalogue)
    assert found.router_managed == {"model_list"}
    assert not {name for name in found.defaults if "." not in name}


def test_a_router_that_is_compiled_has_its_parameters_in_a_function_of_the_module(tmp_path: Path) -> None:
    router = """
def _router_init(self: object, model_list=None, routing_strategy: "Names" = "a", newer=1, _host=None) -> None: ...
class Router:
    def __init__(self, *args, **kwargs): ...
"""
    folder = write(tmp_path, router=router)
    (folder / "rust_bridge").mkdir()
    (folder / "rust_bridge/_native.abi3.so").write_bytes(b"ELF")
    found = read(folder)
    assert isinstance(found, Catalogue)
    assert found.router == {"routing_strategy", "newer"}
    assert found.defaults["router_settings.newer"] == 1
    assert found.compiled == ("rust_bridge/_native.abi3.so",)


def test_a_router_that_hands_its_parameters_on_is_read_where_they_are_taken(tmp_path: Path) -> None:
    folder = write(tmp_path, router="class Router:\n    def __init__(self, *args, **kwargs): ...\n")
    core = "class Core:\n    def __init__(self, model_list=None, routing_strategy='a', newer=None, _host=None): ...\n"
    (folder / "router_core.py").write_text(core)
    found = read(folder)
    assert isinstance(found, Catalogue)
    assert found.router == {"routing_strategy", "newer"}


@pytest.mark.parametrize("missing", ["router", "proxy_server", "init"])
def test_a_folder_without_a_part_says_which(tmp_path: Path, missing: str) -> None:
    found = read(write(tmp_path, without=missing))
    assert isinstance(found, Failure)
    assert f"{missing}" in found.why
    assert found.why.endswith("missing")


def test_a_folder_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    found = read(tmp_path / "nowhere")
    assert isinstance(found, Failure)
    assert "is no LiteLLM" in found.why


def test_a_router_without_parameters_is_a_failure_not_an_empty_catalogue(tmp_path: Path) -> None:
    found = read(write(tmp_path, router="class Router: ...\n"))
    assert isinstance(found, Failure)
    assert "router" in found.why


def test_files_that_are_no_python_are_passed_over(tmp_path: Path) -> None:
    folder = write(tmp_path, main="this is ((( not python", model_prices_and_context_window_backup="[1, 2")
    (folder / "blob.py").write_bytes(random.Random(4).randbytes(4000) + b"general_settings")
    (folder / "odd.py").mkdir()
    (folder / "gone.py").symlink_to(tmp_path / "nowhere")
    found = read(folder)
    assert isinstance(found, Catalogue)
    assert "by_get" in found.general
    assert not found.models


def test_the_version_comes_from_what_lies_beside_the_package(tmp_path: Path) -> None:
    assert version(write(tmp_path / "a", "1.77.7.post1")) == "1.77.7.post1"
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "pyproject.toml").write_text('[project]\nname = "litellm"\nversion = "1.81.0"\n')
    assert version(tmp_path / "b" / "litellm") == "1.81.0"
    assert version(tmp_path / "c" / "litellm") == ""


@pytest.mark.parametrize("environment", environments() or [None], ids=lambda found: found.version if found else "none")
def test_the_shipped_table_is_what_the_installed_source_says(environment: Environment | None) -> None:
    if environment is None:
        pytest.skip(f"{VARIABLE} names no LiteLLM")
    if environment.version not in shipped().releases:
        pytest.skip(f"the table does not hold {environment.version}")
    found = read(environment.packages / "litellm")
    assert isinstance(found, Catalogue)
    table = shipped().at(environment.version)
    assert table.version == found.version
    for kind in KINDS:
        if kind == "redis_params":
            # redis-py lies beside an installed LiteLLM only, and may be newer than what the table knows of it
            assert table.keys(kind) <= found.keys(kind)
        else:
            assert (kind, table.keys(kind) ^ found.keys(kind)) == (kind, frozenset())
    assert set(table.models) == set(found.models)
    assert table.defaults == found.defaults
