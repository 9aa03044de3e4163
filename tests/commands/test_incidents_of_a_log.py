"""`litellm-tui incidents --json` on a log file: whose failures it tells of, each event once, with the next step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.cli import main

AUTH = "LiteLLM Proxy:ERROR: auth_exception_handler.py:157 - litellm.proxy.proxy_server.user_api_key_auth(): "
SETTINGS = """profile: here
profiles:
  here:
    url: http://127.0.0.1:9
    process: {{start: [/bin/litellm-here], folder: {0}, pid_file: {0}/pid, log_file: {0}/log}}
"""


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile of a process whose log is a file, and folders of the test's own."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("LITELLM_URL", "CONFIG_FILE_PATH", "LITELLM_TUI_UNIT", "LITELLM_TUI_PROFILE", "LITELLM_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "litellm-tui").mkdir()
    (tmp_path / "litellm-tui" / "config.yaml").write_text(SETTINGS.format(tmp_path), encoding="utf-8")


def found(tmp_path: Path, capsys: pytest.CaptureFixture[str], *lines: str) -> list[dict[str, Any]]:
    """The incidents of a log of these lines."""
    (tmp_path / "log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(["incidents", "--json"]) in (1, 2)
    incidents: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["incidents"]
    for one in incidents:
        if one["failure_of"] not in ("upstream", ""):
            assert "api_base" not in one["do"], one
            assert "model name" not in one["do"], one
    return incidents


def named(incidents: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(one["failure_of"], one["cause"], one["subject"]) for one in incidents}


def _json(message: str, **more: Any) -> str:
    return json.dumps({"message": message, "level": "ERROR", "timestamp": "2026-03-04T05:06:07.1", **more})


def _request(words: str, group: str = "") -> str:
    place = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
    behind = f". Received Model Group={group}\nAvailable Model Group Fallbacks=None" if group else ""
    return _json(place + words + behind, component="LiteLLM Proxy", logger="common_request_processing.py:11")


def test_budgets_are_the_gateways_own_and_each_holder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    incidents = found(
        tmp_path,
        capsys,
        f"08:00:01 - {AUTH}Exception occured - Budget has been exceeded! Team=red Current cost: 7.5, Max budget: 7.0",
        'INFO:     10.1.0.4:50112 - "POST /v1/chat/completions HTTP/1.1" 429 Too Many Requests',
        f"08:00:01 - {AUTH}Exception occured - ExceededBudget: User=u9 over budget. Spend=2.0, Budget=1.5",
        'INFO:     10.1.0.5:50113 - "POST /v1/chat/completions HTTP/1.1" 429 Too Many Requests',
        f"08:00:02 - {AUTH}Exception occured - Budget has been exceeded! Team=red Current cost: 7.5, Max budget: 7.0",
    )
    assert named(incidents) == {
        ("gateway", "team budget used up", "gateway"),
        ("gateway", "user budget used up", "gateway"),
    }
    team = next(one for one in incidents if one["cause"].startswith("team"))
    assert team["count"] == 2
    assert team["callers"] == [["10.1.0.4", 1]]
    assert team["place"]["kind"] == "gateway"
    assert "max_budget" in team["do"]
    assert "the gateway refuses by itself" in team["means"]


def test_a_virtual_key_without_a_database_is_told_as_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = found(tmp_path, capsys, f"08:00:01 - {AUTH}Exception occured - No connected db.")
    assert (one["failure_of"], one["cause"], one["place"]["kind"]) == ("database", "no database", "database")
    assert "DATABASE_URL" in one["do"]
    assert "master key" in one["means"]


def test_a_lost_query_engine_is_one_incident_whoever_tells_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = "Client is not connected to the query engine, you must call `connect()` before attempting to query data."
    (one,) = found(
        tmp_path,
        capsys,
        f"08:00:01 - LiteLLM Proxy:ERROR: proxy_server.py:49 - litellm.proxy_server.py::add_deployment() - {lost}",
        "Traceback (most recent call last):",
        '  File "/x/site-packages/prisma/client.py", line 70, in _engine',
        f"prisma.errors.ClientNotConnectedError: {lost}",
        f"08:00:02 - {AUTH}Exception occured - All connection attempts failed",
        "Traceback (most recent call last):",
        '  File "/x/site-packages/prisma/engine/http.py", line 14, in request',
        "httpx.ConnectError: All connection attempts failed",
        'INFO:     10.1.0.4:50112 - "POST /v1/chat/completions HTTP/1.1" 401 Unauthorized',
    )
    assert (one["failure_of"], one["cause"], one["count"]) == ("database", "database client lost", 1)
    assert "keys are not at fault" in one["do"]
    assert one["also"] == ["refused, 1 time"]


def test_a_start_that_finds_no_database_is_one_incident_with_its_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = found(
        tmp_path,
        capsys,
        "INFO:     Started server process [9]",
        "INFO:     Waiting for application startup.",
        "08:00:01 - LiteLLM Proxy:ERROR: utils.py:31 - LiteLLM Prisma Client Exception connect(): "
        "Can't reach database server at `store`:`5433`",
        "",
        "Please make sure your database server is running at `store`:`5433`.",
        "ERROR:    Traceback (most recent call last):",
        '  File "/x/starlette/routing.py", line 694, in lifespan',
        "prisma.errors.ClientNotConnectedError: Client is not connected to the query engine, you must call `connect()`",
        "",
        "ERROR:    Application startup failed. Exiting.",
    )
    assert (one["failure_of"], one["cause"]) == ("database", "database unreachable")
    assert "`store`:`5433`" in one["words"]
    assert "start did not complete, 1 time" in one["also"]


def test_a_missing_prisma_is_one_incident(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = found(
        tmp_path,
        capsys,
        "08:00:01 - LiteLLM Proxy:ERROR: utils.py:28 - Failed to import Prisma client: No module named 'prisma'",
        "08:00:01 - LiteLLM Proxy:ERROR: utils.py:29 - This usually means 'prisma generate' hasn't been run yet.",
        "08:00:01 - LiteLLM Proxy:ERROR: utils.py:30 - Please run 'prisma generate' to generate the Prisma client.",
        "ERROR:    Application startup failed. Exiting.",
    )
    assert (one["failure_of"], one["cause"], one["count"]) == ("database", "Prisma missing", 1)
    assert "pip install prisma" in one["do"]
    assert "prisma generate" in one["do"]


def test_packages_of_callbacks_are_told_by_their_service_and_requests_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    incidents = found(
        tmp_path,
        capsys,
        _json(
            "LiteLLM.LoggingError: [Non-Blocking] Exception occurred while success logging Traceback (most recent call "
            'last):\n  File "/x/litellm/litellm_core_utils/litellm_logging.py", line 15, in async_success_handler\n'
            "ModuleNotFoundError: No module named 'opentelemetry'\n"
        ),
        _json("[Non-Blocking Error] Error initializing custom logger: No module named 'opentelemetry'"),
        _json("Langfuse not installed, try running 'pip install langfuse' to fix this error: no"),
    )
    assert named(incidents) == {
        ("side service", "callback's package missing", "OpenTelemetry"),
        ("side service", "callback's package missing", "Langfuse"),
    }
    assert all("requests go on" in one["means"] for one in incidents)


def test_a_module_file_that_is_missing_ends_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = found(
        tmp_path,
        capsys,
        "INFO:     Waiting for application startup.",
        "ERROR:    Traceback (most recent call last):",
        '  File "/x/starlette/routing.py", line 694, in lifespan',
        '  File "/x/litellm/proxy/types_utils/utils.py", line 32, in get_instance_fn',
        "FileNotFoundError: [Errno 2] No such file or directory: '/srv/llm/my_guard.py'",
        "",
        "ERROR:    Application startup failed. Exiting.",
    )
    assert (one["failure_of"], one["cause"], one["place"]["kind"]) == ("start-up", "module file missing", "service")
    assert "/srv/llm/my_guard.py" in one["words"]


def test_a_traceback_in_one_message_is_named_by_its_last_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = '  File "/x/fastapi/routing.py", line 13, in merged_lifespan\n    yield state\n' * 400
    begins = 'Traceback (most recent call last):\n  File "/x/starlette/routing.py", line 6, in lifespan\n'
    ends = "ModuleNotFoundError: No module named 'my_guards'\n"
    (one,) = found(tmp_path, capsys, _json(begins + frames + ends), _json("Application startup failed. Exiting."))
    assert (one["failure_of"], one["cause"]) == ("start-up", "package missing")
    assert one["words"] == "No module named 'my_guards'"


def test_a_start_that_ends_in_words_of_its_own_is_one_incident_with_these(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = found(
        tmp_path,
        capsys,
        "ERROR:    Traceback (most recent call last):",
        '  File "/x/starlette/routing.py", line 694, in lifespan',
        "ValueError: an odd thing that nobody has seen",
        "",
        "ERROR:    Application startup failed. Exiting.",
    )
    assert one["failure_of"] == "start-up"
    assert one["cause"] == "an odd thing that nobody has seen"


@pytest.mark.parametrize(
    ("said", "cause", "step"),
    [
        ("MOVED 1234 10.0.0.9:6379", "Redis is a cluster", "redis_startup_nodes"),
        ("CROSSSLOT Keys in request don't hash to the same slot", "Redis is a cluster", "redis_startup_nodes"),
        ("NOAUTH Authentication required.", "Redis wants a password", "REDIS_PASSWORD"),
        ("invalid username-password pair or user is disabled.", "Redis refuses the password", "REDIS_PASSWORD"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "Redis is full", "maxmemory"),
    ],
)
def test_what_redis_refuses_is_about_the_cache(
    said: str, cause: str, step: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = "LiteLLM:ERROR: redis_cache.py:40 - LiteLLM Redis Caching: async set() - Got exception from REDIS"
    line = f"08:00:01 - {place} {said}"
    (one,) = found(tmp_path, capsys, line)
    assert (one["failure_of"], one["cause"], one["place"]["kind"]) == ("cache", cause, "cache")
    assert step in one["do"]


def test_money_credentials_and_memory_are_the_upstreams_and_name_their_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {
        "a": (
            "litellm.RateLimitError: RateLimitError: OpenAIException - You exceeded your current quota",
            "out of credit",
        ),
        "b": ("litellm.BadRequestError: AnthropicException - Your credit balance is too low", "out of credit"),
        "c": ("litellm.APIConnectionError: Unable to locate credentials", "AWS credentials missing"),
        "d": ("litellm.NotFoundError: OllamaException - model 'x' not found, try pulling it first", "model not pulled"),
        "e": ("litellm.InternalServerError: AnthropicException - overloaded_error", "provider overloaded"),
    }
    incidents = found(tmp_path, capsys, *(_request(words, group) for group, (words, _) in said.items()))
    assert named(incidents) == {("upstream", cause, group) for group, (_, cause) in said.items()}
    steps = {one["subject"]: one["do"] for one in incidents}
    assert steps["a"].startswith("pay")
    assert "ollama pull" in steps["d"]


def test_the_gateways_own_refusals_are_none_of_an_upstream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cooled = "Try again in 5 seconds. Passed model=m. pre-call-checks=True, cooldown_list=[]"
    incidents = found(
        tmp_path,
        capsys,
        _request("litellm.UnsupportedParamsError: openai does not support parameters: ['n'], for model=x", "q"),
        _request(f"No deployments available for selected model, {cooled}"),
        _request("Not allowed to access model due to tags configuration. Passed model=t and tags=['free']"),
        _request("No deployments available - crossed budget: Exceeded budget for provider openai: 2.1 >= 2.0"),
        _request("400: {'error': 'Violated guardrail policy', 'guard_response': 'no'}"),
    )
    assert {(one["failure_of"], one["cause"]) for one in incidents} == {
        ("gateway", "unsupported parameter"),
        ("gateway", "own deployment limit"),
        ("gateway", "tags not allowed"),
        ("gateway", "provider budget used up"),
        ("gateway", "guardrail blocked"),
    }


def test_an_mcp_server_that_cannot_be_reached_is_named_though_it_is_only_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = found(
        tmp_path,
        capsys,
        "08:00:01 - LiteLLM:WARNING: mcp_server_manager.py:77 - Failed to get tools from server files: "
        "All connection attempts failed",
        "08:00:09 - LiteLLM:WARNING: mcp_server_manager.py:77 - Failed to get tools from server files: "
        "All connection attempts failed",
    )
    assert (one["failure_of"], one["cause"], one["subject"]) == ("mcp", "MCP server unreachable", "files")
    assert one["count"] == 2
    assert "mcp_servers" in one["do"]


def test_workers_that_die_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = found(
        tmp_path,
        capsys,
        "INFO:     Child process [17] died",
        "INFO:     Waiting for child process [17]",
        "INFO:     Started server process [21]",
        "INFO:     Child process [21] died",
    )
    assert (one["failure_of"], one["cause"], one["count"]) == ("worker", "worker died", 2)
    assert "memory" in one["do"]


def test_warnings_of_settings_and_healthy_lines_are_no_incidents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_text(
        "\n".join(
            (
                "INFO:     Application startup complete.",
                "08:00:01 - LiteLLM Router:WARNING: router.py:9 - model x: cost map has no entry",
                "08:00:01 - LiteLLM:WARNING: mcp_server_manager.py:9 - MCP tool prefix separator '.' violates SEP-986.",
                "08:00:01 - LiteLLM Proxy:WARNING: utils.py:9 - A proxy-wide budget is configured but no database is "
                "connected, so the budget will NOT be enforced",
                'INFO:     10.1.0.4:50112 - "POST /v1/chat/completions HTTP/1.1" 200 OK',
            )
        ),
        encoding="utf-8",
    )
    assert main(["incidents", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["incidents"] == []


CACHE_TRACE = (
    "Traceback (most recent call last):",
    '  File "/app/litellm/router.py", line 8071, in async_function_with_retries',
    "    response = await self.make_call(original_function, *args, **kwargs)",
    '  File "/app/litellm/caching/caching_handler.py", line 273, in __init__',
    "    if litellm.cache is not None and isinstance(litellm.cache.cache, RedisCache):",
    "AttributeError: 'dict' object has no attribute 'cache'",
)


def test_a_cache_that_is_no_switch_is_no_dead_redis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = "LiteLLM Proxy:ERROR: common_request_processing.py:1687 - "
    where = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - "
    incidents = found(
        tmp_path, capsys, f"10:44:03 - {place}{where}'dict' object has no attribute 'cache'", *CACHE_TRACE,
        'INFO:     10.0.0.9:39822 - "POST /v1/chat/completions HTTP/1.1" 400 Bad Request',
        "10:44:05 - LiteLLM Proxy:ERROR: caching_routes.py:90 - Cache health check failed",
    )  # fmt: skip
    assert named(incidents) == {("cache", "cache is no switch", "cache")}
    assert "cache: true" in incidents[0]["do"]
    assert "Redis" not in incidents[0]["do"]


def test_what_fails_at_the_end_is_no_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    incidents = found(
        tmp_path, capsys, "ERROR:    Traceback (most recent call last):",
        '  File "/app/starlette/routing.py", line 690, in lifespan',
        "    async with self.lifespan_context(app) as maybe_state:",
        '  File "/app/litellm/proxy/proxy_server.py", line 1834, in proxy_startup_event',
        "    await proxy_shutdown_event(worker_heartbeat=worker_heartbeat)",
        '  File "/app/litellm/proxy/proxy_server.py", line 1225, in proxy_shutdown_event',
        "    await litellm.cache.disconnect()",
        "AttributeError: 'dict' object has no attribute 'disconnect'", "",
        "ERROR:    Application shutdown failed. Exiting.", "INFO:     Finished server process [7]",
    )  # fmt: skip
    (one,) = incidents
    assert one["failure_of"] != "start-up"
    assert one["words"] == "'dict' object has no attribute 'disconnect'"


def test_a_value_of_a_wrong_kind_at_the_start_is_no_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    incidents = found(
        tmp_path, capsys, "ERROR:    Traceback (most recent call last):",
        '  File "/app/starlette/routing.py", line 690, in lifespan',
        "    async with self.lifespan_context(app) as maybe_state:",
        '  File "/app/litellm/proxy/proxy_server.py", line 800, in proxy_startup_event',
        "    await initialize(**worker_config)",
        '  File "/app/litellm/router.py", line 500, in __init__',
        "    for name, to in model_group_alias.items():",
        "AttributeError: 'list' object has no attribute 'items'", "",
        "ERROR:    Application startup failed. Exiting.",
    )  # fmt: skip
    assert named(incidents) == {("start-up", "value of a wrong kind", "start-up")}
