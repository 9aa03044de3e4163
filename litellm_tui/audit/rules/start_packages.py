"""Packages that a callback, a cache or a provider imports and that do not come with `litellm[proxy]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from litellm_tui.audit import surroundings
from litellm_tui.audit.asked_at_start import opened_files
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import Subject
from litellm_tui.model.audit import Severity
from litellm_tui.model.edits import Path

_SDK: Final = ("opentelemetry-sdk",)
_OTLP: Final = ("opentelemetry-exporter-otlp-proto-http", "opentelemetry-exporter-otlp-proto-grpc")
# the imports of each class in litellm/integrations (1.77.7, 1.106.2, 1.109.3): one of the packages is enough
_CALLBACKS: Final[Mapping[str, tuple[str, ...]]] = {
    "langfuse": ("langfuse",),
    "mlflow": ("mlflow",),
    "otel": _SDK,
    "signoz": _SDK,
    "agentops": _OTLP,
    "arize": _OTLP,
    "arize_phoenix": _OTLP,
    "langfuse_otel": _OTLP,
}
# in the folder `enterprise` of the repository and the Docker image, in no package
_IMAGE_ONLY: Final = ("openai_moderations", "google_text_moderation", "blocked_user_check", "banned_keywords")
_CACHES: Final[Mapping[str, tuple[str, ...]]] = {
    "redis-semantic": ("redisvl",),
    "disk": ("diskcache",),
    "azure-blob": ("azure-storage-blob",),
    "s3": ("boto3",),
}
_PROVIDERS: Final[Mapping[str, str]] = {
    "bedrock": "boto3",
    "sagemaker": "boto3",
    "sagemaker_chat": "boto3",
    "vertex_ai": "google-auth",
    "auto_router": "semantic-router",
}
_OWN_ROUTERS: Final = ("complexity_router", "adaptive_router", "quality_router")
# the first release seen that lets a missing package of a callback end the start; 1.106 only logs it
_FATAL_SINCE: Final = "1.108"


@rule(
    "callback-package-missing",
    "error",
    "A callback without its package",
    why="LiteLLM builds the callbacks at its start. Until 1.106 one whose package is missing is only logged "
    "(`[Non-Blocking Error]`) and never called; since 1.108 at the latest LiteLLM does not start.",
    source="litellm/litellm_core_utils/litellm_logging.py, _init_custom_logger_compatible_class (1.77.7, 1.106.2, "
    "1.108.0, 1.109.3)",
    fix="install the package beside LiteLLM, into the same environment",
)
def callback_package_missing(subject: Subject) -> Iterator[Hit | Right]:
    packages = subject.packages
    if packages is None:
        yield from _unknown_packages(subject)
        return
    for path, name in surroundings.named_callbacks(subject):
        needed = _CALLBACKS.get(name, ())
        if path[1] == "service_callback" or not needed or packages.intersection(needed):
            continue
        fatal = subject.runs(since=_FATAL_SINCE)
        what = "LiteLLM does not start" if fatal else "the callback is never called"
        severity: Severity | None = "fatal" if fatal else None
        yield Hit(f"{name} needs {needed[0]}, which is not installed: {what}", path, severity=severity)


def _unknown_packages(subject: Subject) -> Iterator[Hit]:
    """What no `litellm[proxy]` brings. It would end the start of a file alone, for a version that was named.

    In a container the image may have it, and of the newest version nobody has said that it is the one.
    """
    if subject.runtime is not None:
        return
    ends = subject.runs(since=_FATAL_SINCE)
    named = subject.catalogue.source != "newest"
    for path, name in surroundings.named_callbacks(subject):
        needed = _CALLBACKS.get(name, ())
        if path[1] == "service_callback" or not needed:
            continue
        what = "LiteLLM does not start" if ends else "the callback is never called"
        text = f"{name} needs {needed[0]}, which `litellm[proxy]` does not bring: without it {what}"
        # OpenTelemetry's own SDK comes with other packages too
        sure = named and needed != _SDK
        yield Hit(text, path, severity="advice" if not ends else "fatal" if sure else "warning")


@rule(
    "callback-of-the-image",
    "fatal",
    "A callback that only the Docker image has",
    why="Its code lies in the folder `enterprise` of the Docker image and belongs to no package; it needs a licence "
    "besides. LiteLLM does not start without either.",
    source="litellm/proxy/common_utils/callback_utils.py, initialize_callbacks_on_proxy (1.77.7, 1.106.2, 1.109.3)",
    fix="take it out, or use a guardrail of that kind",
)
def callback_of_the_image(subject: Subject) -> Iterator[Hit | Right]:
    libraries = subject.modules.libraries if subject.modules is not None else None
    for path, name in (*surroundings.named_callbacks(subject), *surroundings.default_callbacks(subject)):
        if path[1] not in ("callbacks", "guardrails") or name not in _IMAGE_ONLY:
            continue
        if libraries is not None and "enterprise" not in libraries:
            yield Hit(f"{name} is not in LiteLLM's libraries, only in the Docker image", path)
        else:
            yield from surroundings.unlicensed(subject, name, path)


@rule(
    "cache-package-missing",
    "fatal",
    "A cache without its package",
    why="LiteLLM makes the cache at its start, which imports the package, and ends when it is not installed.",
    source="litellm/caching/redis_semantic_cache.py, disk_cache.py, azure_blob_cache.py, s3_cache.py (1.77.7, 1.106.2)",
    fix="install the package beside LiteLLM, into the same environment",
)
def cache_package_missing(subject: Subject) -> Iterator[Hit | Right]:
    packages = subject.packages
    kind = surroundings.cache_type(subject)
    needed = _CACHES.get(kind or "", ())
    if packages is not None and needed and not packages.intersection(needed):
        yield Hit(
            f"a cache of type {kind} needs {needed[0]}, which is not installed", ("litellm_settings", "cache_params")
        )


@rule(
    "provider-package-missing",
    "error",
    "A provider without its package",
    why="The package that signs the requests is imported with the first request, and each one fails without it. "
    "That of an auto router is imported at the start, and without it LiteLLM leaves the deployment out.",
    source="litellm/llms/bedrock/base_aws_llm.py; litellm/llms/vertex_ai/vertex_llm_base.py (1.77.7, 1.106.2)",
    fix="install the package beside LiteLLM, into the same environment",
)
def provider_package_missing(subject: Subject) -> Iterator[Hit | Right]:
    packages = subject.packages
    for entry in subject.entries:
        provider, _, model = entry.model.partition("/")
        # routers of three kinds have no need of it
        own = provider == "auto_router" and model.startswith(_OWN_ROUTERS)
        needed = "" if own else _PROVIDERS.get(provider, "")
        if needed == "semantic-router" and (packages is None or needed not in packages):
            what = "which is not installed beside LiteLLM" if packages is not None else "which `litellm[proxy]` lacks"
            text = f"{entry.model} needs {needed}, {what}: LiteLLM starts without this deployment"
            unsure = packages is None and subject.runtime is not None
            yield Hit(text, entry.at("model"), severity="warning" if unsure else None)
            continue
        if packages is None:
            continue
        if needed and needed not in packages and not entry.params.get("api_key"):
            yield Hit(f"{entry.model} needs {needed}, which is not installed beside LiteLLM", entry.at("model"))


@rule(
    "cache-asked-at-start",
    "advice",
    "A cache that must answer while LiteLLM starts",
    why="A Redis cluster and Qdrant are asked when the cache is made: when they do not answer, LiteLLM does not start. "
    "A single Redis may be away.",
    source="docs.litellm.ai/docs/proxy/caching; litellm/_redis.py, init_redis_cluster; "
    "litellm/caching/qdrant_semantic_cache.py, __init__ (1.106.2)",
    fix="have it answer before LiteLLM starts: let the unit or the container wait for it",
)
def cache_asked_at_start(subject: Subject) -> Iterator[Hit | Right]:
    params = subject.section("litellm_settings").get("cache_params")
    kind = surroundings.cache_type(subject)
    path: Path = ("litellm_settings", "cache_params")
    if kind == "qdrant-semantic":
        what = "Qdrant"
    elif kind == "redis" and isinstance(params, dict) and params.get("redis_startup_nodes"):
        what, path = "a node of the Redis cluster", (*path, "redis_startup_nodes")
    else:
        return
    text = f"{what} must answer, or LiteLLM does not start"
    if subject.cache_refuses:
        yield Hit(f"{text}, and nothing listens there now", path, severity="fatal")
    else:
        yield Hit(text, path)


@rule(
    "start-file-missing",
    "fatal",
    "A file that LiteLLM opens at its start is not there",
    why="LiteLLM reads the OpenAPI description of an MCP server and the recognizers of Presidio while it starts, and "
    "ends when there is no such file. A relative path counts from the folder that LiteLLM is started in.",
    source="litellm/proxy/_experimental/mcp_server/mcp_server_manager.py, _register_openapi_tools; "
    "litellm/proxy/guardrails/guardrail_hooks/presidio.py, __init__ (1.106.2, 1.109.3)",
    fix="put the file there, or write the path that LiteLLM sees",
)
def start_file_missing(subject: Subject) -> Iterator[Hit | Right]:
    for path, value in opened_files(subject.data):
        found = surroundings.resolve(subject, value)
        # the first release seen that reads a description is 1.97
        early = path[0] == "mcp_servers" and not subject.runs(since="1.97")
        if early or not isinstance(found, str) or found not in subject.absent_files:
            continue
        # what another machine or a container has at such a path is not known here
        elsewhere = subject.runtime is None and found.startswith(("/", "~"))
        where = "on this machine" if elsewhere else "where LiteLLM looks for it"
        whose = path[1] if path[0] == "mcp_servers" else "a guardrail"
        yield Hit(
            f"{path[-1]} of {whose} names a file that is not {where}",
            path,
            severity="warning" if elsewhere else None,
        )
