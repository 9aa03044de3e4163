"""A LiteLLM of a few lines, laid out as the real one: each way of reading a setting once."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

FILES = {
    "__init__.py": """
        from typing import TYPE_CHECKING, Literal
        drop_params = False
        num_retries: int | None = None
        if TYPE_CHECKING:
            only_for_types: int
        _custom_logger_compatible_callbacks_literal = Literal["langfuse", "prometheus"]
        class NotASetting: ...
        def completion(): inside = 1
    """,
    "main.py": """
        import litellm
        def run():
            "a comment about litellm.commented"
            if litellm.read_elsewhere or getattr(litellm, "asked_for", None):
                litellm.completion()
    """,
    "router.py": """
        class Router:
            def __init__(self, model_list=None, routing_strategy: Literal["simple-shuffle", "least-busy"] = "a",
                         timeout=None, *, only_by_name=None, **kwargs): ...
            def pick(self):
                if self.routing_strategy == "lar1": ...
    """,
    "constants.py": """
        import os
        ROUTER_SETTINGS_MANAGED_OUTSIDE_CONFIG = frozenset({"model_list"})
        ROUTER_MAX_FALLBACKS: int = int(os.getenv("ROUTER_MAX_FALLBACKS", 5))
        DEFAULT_REQUEST_TIMEOUT_SECONDS: float = 6000.0
        request_timeout = float(os.getenv("REQUEST_TIMEOUT", str(int(DEFAULT_REQUEST_TIMEOUT_SECONDS))))
    """,
    "types/router.py": """
        class RoutingStrategy(Enum):
            COST = "cost-based-routing"
        class RetryPolicy(Base):
            TimeoutErrorRetries: int | None = None
        class AllowedFailsPolicy(Base):
            TimeoutErrorAllowedFails: int | None = None
    """,
    "types/utils.py": """
        class LlmProviders(str, Enum):
            OPENAI = "openai"
    """,
    "types/caching.py": """
        class LiteLLMCacheType(str, Enum):
            REDIS = "redis"
    """,
    "caching/caching.py": """
        class Cache:
            def __init__(self, type="local", ttl=None, _backend=None, **kwargs): ...
    """,
    "_redis.py": """
        def client(**env_overrides):
            redis_kwargs = {**env_overrides}
            if "sentinel_nodes" in redis_kwargs: ...
    """,
    "proxy/_types.py": """
        class ConfigGeneralSettings(Base):
            documented: str = Field(None, alias="also_documented")
            by_named_constant: int = 0
    """,
    "proxy/proxy_server.py": """
        from litellm.proxy.checks import wants, handed
        general_settings = {}
        FLAG = "by_constant"
        SETTING: Final = "by_named_constant"
        class ProxyConfig:
            async def get_config(self, path): ...
            def _warn_on_misplaced(self, config):
                return [key for key in ("misplaced",) if key in config]
            def credentials(self, config):
                return config.get("credential_list")
            async def load_config(self, path):
                config = await self.get_config(path)
                self._warn_on_misplaced(config=config)
                self.credentials(config=config)
                litellm_settings = config.get("litellm_settings")
                for key, value in litellm_settings.items():
                    if key == "cache": ...
                    elif key in {"success_callback", "failure_callback"}: ...
                    else: setattr(litellm, key, value)
                general_settings = config["general_settings"]
                general_settings.get("by_get", None)
                general_settings["by_index"]
                if "by_in" in general_settings and general_settings.get(FLAG): ...
                handed(general_settings)
                wants(general_settings, "members")
        def other(config):
            return config.get("not_a_section")
    """,
    "proxy/checks.py": """
        import os
        from pydantic import TypeAdapter
        TABLE = (("by_loop", int), ("by_loop_too", str))
        class Fields(BaseModel):
            by_field: int = 0
        ADAPTER = TypeAdapter(Fields)
        def handed(settings):
            mine = settings or {}
            for name, kind in TABLE: mine.get(name)
            for name in ("by_tuple", "by_tuple_too"): mine.get(name)
            ADAPTER.validate_python(settings)
            further(rules=dict(settings))
        def further(rules):
            match_one = {name: rules[name] for name in ("by_comprehension",) if name in rules}
            return _number(rules, "by_helper") or os.environ.get("SMALL_FLAG") or get_secret_str("SMALL_SECRET")
        def _number(rules, setting): return rules.get(setting)
        def wants(settings, feature):
            flag = f"disable_{feature}_for_users"
            return settings.get(flag)
    """,
    "llms/openai_like/providers.json": '{"publicai": {}}',
    "model_prices_and_context_window_backup.json": """
        {"sample_spec": {"mode": "chat"}, "gpt-4o": {"mode": "chat"}, "azure/gpt-4o": {"mode": "chat"},
         "cohere/embed": {"mode": "embedding"}, "bare": {}}
    """,
}


def write(library: Path, version: str = "1.99.1", without: str = "", **changed: str) -> Path:
    """Write it below a library folder; returns the package folder. `changed` replaces files by their name without
    extension and folder, `without` leaves one out.
    """
    folder = library / "litellm"
    for name, text in FILES.items():
        stem = Path(name).stem.strip("_")
        if stem != without:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(changed.get(stem, text)), encoding="utf-8")
    info = library / f"litellm-{version}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: litellm\nVersion: {version}\n", encoding="utf-8")
    (info / "RECORD").write_text("", encoding="utf-8")
    return folder
