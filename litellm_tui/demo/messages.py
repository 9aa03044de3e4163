"""What LiteLLM 1.106.2 and systemd write to the journal, as it was recorded with `json_logs: true`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from litellm_tui.demo.faults import Failed
from litellm_tui.demo.files import DESCRIPTION, UNIT
from litellm_tui.demo.running import Deployment, Running, StartError

_BANNER = """\
   ██╗     ██╗████████╗███████╗██╗     ██╗     ███╗   ███╗
   ██║     ██║╚══██╔══╝██╔════╝██║     ██║     ████╗ ████║
   ██║     ██║   ██║   █████╗  ██║     ██║     ██╔████╔██║
   ██║     ██║   ██║   ██╔══╝  ██║     ██║     ██║╚██╔╝██║
   ███████╗██║   ██║   ███████╗███████╗███████╗██║ ╚═╝ ██║
   ╚══════╝╚═╝   ╚═╝   ╚══════╝╚══════╝╚══════╝╚═╝     ╚═╝"""
_BOX = (
    "#------------------------------------------------------------#",
    "#                                                            #",
    "#       'This feature doesn't meet my needs because...'       #",
    "#        https://github.com/BerriAI/litellm/issues/new        #",
    "#                                                            #",
    "#------------------------------------------------------------#",
)
_PACKAGES = "/opt/litellm/lib/python3.11/site-packages"


class Words:
    """Turns what happens into lines. `at` is the time the line is written, in seconds since the epoch."""

    def __init__(self, at: float) -> None:
        self._timestamp = datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat()

    def json(self, level: str, component: str, place: str, message: str, *, stack: str = "", **extra: str) -> str:
        """One JSON object a line, its keys in LiteLLM's order."""
        entry = {"message": message, "level": level, "timestamp": self._timestamp, **extra}
        entry |= {"component": component, "logger": place}
        if stack:
            entry["stacktrace"] = stack
        return json.dumps(entry)

    def access(self, client: str, method: str, path: str, status: int) -> str:
        """uvicorn's line for one request."""
        text = f'{client} - "{method} {path} HTTP/1.1" {status}'
        return self.json("INFO", "uvicorn.access", "h11_impl.py:477", text)

    def uvicorn(self, text: str, place: str, colour: str = "") -> str:
        """A line of the server itself; `colour` is what it would show on a terminal."""
        extra = {"color_message": colour} if colour else {}
        return self.json("INFO", "uvicorn.error", place, text, **extra)

    def proxy(self, level: str, place: str, text: str) -> str:
        """A line of the proxy."""
        return self.json(level, "LiteLLM Proxy", place, text)

    def router(self, level: str, place: str, text: str) -> str:
        """A line of the router."""
        return self.json(level, "LiteLLM Router", place, text)

    def library(self, level: str, place: str, text: str) -> str:
        """A line of the library below both."""
        return self.json(level, "LiteLLM", place, text)

    def begun(self) -> str:
        """The line with which a request is handed to the router."""
        text = "SESSION REUSE: Attached shared aiohttp session to request (ID: 140315901071696)"
        return self.proxy("INFO", "route_llm_request.py:421", text)

    def chosen(self, group: str, deployment: Deployment) -> str:
        """The line of a choice by weights; where no deployment of a group has any, LiteLLM writes none."""
        info = {"id": deployment.id, "db_model": False}
        return self.router("INFO", "simple_shuffle.py:65", f"Selected deployment for model {group}: {info}")

    def from_cache(self, deployment: Deployment) -> str:
        """The only line of the router about an answer that the cache has given."""
        return self.called(deployment, None, "acompletion")[1]

    def called(self, deployment: Deployment, failure: Failed | None, call: str) -> list[str]:
        """The two INFO lines that a call of a deployment leaves."""
        outcome = "\x1b[32m 200 OK\x1b[0m" if failure is None else f"\x1b[31m Exception {failure.message}\x1b[0m"
        return [
            self.library(
                "INFO",
                "utils.py:4706",
                f"\nLiteLLM completion() model= {deployment.upstream}; provider = {deployment.provider}",
            ),
            self.router(
                "INFO", "router.py:3993" if failure is None else "router.py:4023", f"litellm.{call}"
                f"(model={deployment.model}){outcome}",
            ),
        ]  # fmt: skip

    def gave_up(self, message: str, failure: Failed, call_id: str) -> list[str]:
        """The two ERROR lines of a request that no deployment could serve."""
        tried = "litellm.router.py::async_function_with_fallbacks() - Error occurred while trying to do fallbacks"
        handled = "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured"
        return [
            self.router("ERROR", "router.py:7881", f"{tried} - {message}\nDebug Information:\nCooldown Deployments=[]"),
            self.json(
                "ERROR",
                "LiteLLM Proxy",
                "common_request_processing.py:1687",
                f"{handled} - litellm_call_id={call_id} - {message} LiteLLM Retried: 1 times, LiteLLM Max Retries: 1",
                stack=failure.trace,
                litellm_call_id=call_id,
            ),
        ]

    def key_refused(self, reason: str, client: str) -> str:
        """The ERROR line of a request without a usable key."""
        host = client.partition(":")[0]
        stack = ""
        if reason == "No api key passed in.":
            stack = (
                "Traceback (most recent call last):\n"
                f'  File "{_PACKAGES}/litellm/proxy/auth/user_api_key_auth.py", line 1964, in '
                f'user_api_key_auth_builder\n    raise Exception("{reason}")\nException: {reason}'
            )
        return self.json(
            "ERROR",
            "LiteLLM Proxy",
            "auth_exception_handler.py:197",
            f"litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - {reason}\n"
            f"Requester IP Address:{host}",
            stack=stack,
            requester_ip=host,
        )

    def starting(self, pid: int) -> list[str]:
        """Everything from the first line up to the configuration."""
        coloured = f"Started server process [\x1b[36m{pid}\x1b[0m]"
        return [
            self.uvicorn(f"Started server process [{pid}]", "server.py:103", coloured),
            self.uvicorn("Waiting for application startup.", "on.py:48"),
            *_BANNER.splitlines(),
            *(f"\x1b[1;37m{line}\x1b[0m" for line in _BOX),
            " Thank you for using LiteLLM! - Krrish & Ishaan",
            "\x1b[1;31mGive Feedback / Get Help: https://github.com/BerriAI/litellm/issues/new\x1b[0m",
        ]

    def started(self, running: Running, url: str) -> list[str]:
        """The rest of a start that succeeded."""
        cache = ["\x1b[94m", "Setting Cache on Proxy"] if running.settings.get("cache") is True else []
        return [
            *cache,
            self.proxy(
                "WARNING",
                "login_throttle.py:126",
                "trusted_proxy_ranges is not set or not a valid list of ranges, so failed Admin UI sign-in attempts "
                "are limited per source address and username only. Set it to the address ranges of the proxies in "
                "front of LiteLLM, or to an empty list when clients connect directly, to also limit each source "
                "address across usernames.",
            ),
            "\x1b[32mLiteLLM: Proxy initialized with Config, Set models:\x1b[0m",
            *(f"\x1b[32m    {deployment.group}\x1b[0m" for deployment in running.deployments),
            *(
                self.proxy(
                    "WARNING",
                    "proxy_server.py:7248",
                    f"Key '{name}' is not a valid argument for Router.__init__(). Ignoring this key.",
                )
                for name in running.ignored
            ),
            self.router("INFO", "router.py:1601", f"Routing strategy: {running.router['routing_strategy']}"),
            self.uvicorn("Application startup complete.", "on.py:62"),
            self.uvicorn(
                f"Uvicorn running on {url} (Press CTRL+C to quit)",
                "server.py:234",
                f"Uvicorn running on \x1b[1m{url}\x1b[0m (Press CTRL+C to quit)",
            ),
        ]

    def died_starting(self, error: StartError, pid: int) -> list[str]:
        """All lines of a start that ends with `error`."""
        if error.kind == "parse":
            # before logging is set up: plain lines, which the journal keeps one by one
            return _parse_traceback(error)
        if error.kind == "key":
            name = error.text
            refusal = (
                "LiteLLM proxy refused to start: no master key is set, so every request would be accepted without "
                f"authentication.\ngeneral_settings.master_key in {name} is blank, or points at an environment "
                "variable that is not set."
            )
            return [*self.starting(pid), self._startup_failed(f"{error.name}: {name}"), self._exiting(),
                    *refusal.splitlines()]  # fmt: skip
        trace = (
            "Traceback (most recent call last):\n"
            f'  File "{_PACKAGES}/starlette/routing.py", line 661, in lifespan\n'
            "    async with self.lifespan_context(app) as maybe_state:\n"
            f'  File "{_PACKAGES}/litellm/proxy/proxy_server.py", line 9534, in initialize\n'
            "    ) = await proxy_config.load_config(router=llm_router, config_file_path=config)\n"
            f"        {'^' * 74}\n{error.name}: {error.text}\n"
        )
        return [*self.starting(pid), self._startup_failed(trace), self._exiting()]

    def _startup_failed(self, trace: str) -> str:
        return self.json("ERROR", "uvicorn.error", "on.py:121", trace)

    def _exiting(self) -> str:
        return self.json("ERROR", "uvicorn.error", "on.py:59", "Application startup failed. Exiting.")

    def stopping(self, pid: int) -> list[str]:
        """A shutdown on SIGTERM."""
        finished = f"Finished server process [\x1b[36m{pid}\x1b[0m]"
        return [
            self.uvicorn("Shutting down", "server.py:282"),
            self.uvicorn("Waiting for application shutdown.", "on.py:67"),
            self.proxy("INFO", "graceful_shutdown_manager.py:82", "graceful_shutdown_started in_flight_requests=0"),
            self.proxy(
                "INFO",
                "graceful_shutdown_manager.py:141",
                "graceful_shutdown_complete drained_requests=0 elapsed_s=0.00",
            ),
            self.proxy("INFO", "proxy_server.py:1211", "Shutting down LiteLLM Proxy Server"),
            self.uvicorn("Application shutdown complete.", "on.py:76"),
            self.uvicorn(f"Finished server process [{pid}]", "server.py:113", finished),
        ]

    def cache_unreachable(self, server: str, *, pinged: bool) -> list[str]:
        """What a call that needed Redis leaves while it is down; `pinged` for GET /cache/ping."""
        refused = f"Error 111 connecting to {server}. Connection refused."
        if not pinged:
            return [
                self.library(
                    "ERROR",
                    "redis_cache.py:1237",
                    f"LiteLLM Redis Caching: async set() - Got exception from REDIS: {refused}",
                ),
                self.proxy(
                    "WARNING",
                    "parallel_request_limiter_v3.py:4477",
                    f"TTL preservation failed, falling back to regular pipeline: {refused}",
                ),
            ]
        stack = (
            "Traceback (most recent call last):\n"
            f'  File "{_PACKAGES}/litellm/proxy/caching_routes.py", line 81, in cache_ping\n'
            f"    ping_response: Final = await litellm.cache.ping()\n{' ' * 27}{'^' * 26}\n"
            f'  File "{_PACKAGES}/litellm/caching/redis_cache.py", line 1910, in ping\n    raise e\n'
            f"redis.exceptions.ConnectionError: {refused}"
        )
        return [
            self.library(
                "ERROR",
                "redis_cache.py:1909",
                f"LiteLLM Redis Cache PING: - Got exception from REDIS : {refused}",
            ),
            self.json("ERROR", "LiteLLM Proxy", "caching_routes.py:108", "Cache health check failed", stack=stack),
        ]


# --- systemd's own lines ---------------------------------------------------------------------------------------

STARTED = f"Started {UNIT} - {DESCRIPTION}."
STOPPING = f"Stopping {UNIT} - {DESCRIPTION}..."
STOPPED = f"Stopped {UNIT} - {DESCRIPTION}."
DEACTIVATED = f"{UNIT}: Deactivated successfully."
_EXITS = {1: "FAILURE", 3: "NOTIMPLEMENTED", 9: "KILL"}


def main_exited(code: str, status: int) -> str:
    """The line about a main process that ended by itself; `code` is `exited` or `killed`."""
    return f"{UNIT}: Main process exited, code={code}, status={status}/{_EXITS.get(status, 'n/a')}"


def failed_with(result: str) -> str:
    """The line that names the unit's result."""
    return f"{UNIT}: Failed with result '{result}'."


def restart_scheduled(count: int) -> str:
    """The line before an automatic restart."""
    return f"{UNIT}: Scheduled restart job, restart counter is at {count}."


GIVEN_UP: Sequence[str] = (
    f"{UNIT}: Start request repeated too quickly.",
    failed_with("exit-code"),
    f"Failed to start {UNIT} - {DESCRIPTION}.",
)


def _parse_traceback(error: StartError) -> list[str]:
    frames = (
        ("/opt/litellm/bin/litellm", 10, "<module>", "sys.exit(run_server())"),
        (
            f"{_PACKAGES}/litellm/proxy/proxy_cli.py", 1247, "run_server",
            "_config: Final = asyncio.run(proxy_config.get_config(config_file_path=config))",
        ),
        (
            f"{_PACKAGES}/litellm/proxy/proxy_server.py", 6289, "get_config",
            "config = await self._get_config_from_file(config_file_path=config_file_path)",
        ),
        (
            f"{_PACKAGES}/litellm/proxy/proxy_server.py", 5728, "_get_config_from_file",
            "config = yaml.safe_load(config_file)",
        ),
    )  # fmt: skip
    lines = ["Traceback (most recent call last):"]
    for path, number, name, source in frames:
        lines += [f'  File "{path}", line {number}, in {name}', f"    {source}"]
    return [*lines, *f"{error.name}: {error.text}".splitlines()]
