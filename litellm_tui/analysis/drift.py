"""What the file says against what the router runs: the deployments paired, and the differences in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

from litellm_tui.snapshot import ConfigFile, FileDeployment, LoadedDeployment

Pair = tuple[FileDeployment | None, LoadedDeployment | None]

# router keys that GET /get/config/callbacks shows, each with the sections that may set it, in the order LiteLLM asks
_ROUTER_KEYS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "routing_strategy": (("router_settings", "routing_strategy"),),
    "fallbacks": (("router_settings", "fallbacks"), ("litellm_settings", "fallbacks")),
    "context_window_fallbacks": (
        ("router_settings", "context_window_fallbacks"),
        ("litellm_settings", "context_window_fallbacks"),
    ),
    "model_group_alias": (("router_settings", "model_group_alias"),),
    "num_retries": (("router_settings", "num_retries"), ("litellm_settings", "num_retries")),
    "allowed_fails": (("router_settings", "allowed_fails"), ("litellm_settings", "allowed_fails")),
    "cooldown_time": (("router_settings", "cooldown_time"),),
    "timeout": (("router_settings", "timeout"), ("litellm_settings", "request_timeout")),
    "retry_policy": (("router_settings", "retry_policy"),),
}
_DEFAULT_FALLBACKS: Final = (("router_settings", "default_fallbacks"), ("litellm_settings", "default_fallbacks"))
# these are differences also when the file has none of them any more
_ABSENT_COUNTS: Final = ("fallbacks", "context_window_fallbacks", "model_group_alias")


def pair(file: Iterable[FileDeployment], loaded: Iterable[LoadedDeployment]) -> list[Pair]:
    """Pair the file's deployments with the loaded ones, in the file's order, the unpaired loaded ones last.

    By group, model and api_base first; then by group and model, for one whose api_base was edited; then by group
    alone, for one whose model was. Equal ones are paired in their order.
    """
    entries = list(file)
    free = list(loaded)
    found: dict[int, LoadedDeployment] = {}
    passes: tuple[Callable[[Any], tuple[Any, ...]], ...] = (
        lambda d: (d.group, d.model, _address(d.api_base)),
        lambda d: (d.group, d.model),
        lambda d: (d.group, _address(d.api_base)),
    )
    for identity in passes:
        waiting: defaultdict[tuple[Any, ...], list[LoadedDeployment]] = defaultdict(list)
        for candidate in free:
            waiting[identity(candidate)].append(candidate)
        for position, entry in enumerate(entries):
            if position not in found and (same := waiting[identity(entry)]):
                found[position] = same.pop(0)
        taken = {id(candidate) for candidate in found.values()}
        free = [candidate for candidate in free if id(candidate) not in taken]
    pairs: list[Pair] = [(entry, found.get(position)) for position, entry in enumerate(entries)]
    return pairs + [(None, candidate) for candidate in free]


def deployment_differences(file: FileDeployment, loaded: LoadedDeployment) -> tuple[str, ...]:
    """`key: running → file` for every parameter that both sides show and that differs. Secrets are on neither side."""
    words = []
    for key, wanted in file.params.items():
        if key not in loaded.params or isinstance(wanted, dict | list):
            continue
        runs = loaded.params[key]
        same = _address(str(wanted)) == _address(str(runs)) if key == "api_base" else _equal(wanted, runs)
        if not same:
            words.append(f"{key}: {runs} → {wanted}")
    gone = [key for key in ("rpm", "tpm") if key not in file.params and loaded.params.get(key) is not None]
    return (*words, *(f"{key}: {loaded.params[key]} → none" for key in gone))


def router_differences(file: ConfigFile, router: dict[str, Any]) -> tuple[str, ...]:
    """`key: running → file` for the router settings that the running proxy shows."""
    words = []
    for key, places in _ROUTER_KEYS.items():
        if key not in router:
            continue
        wanted = _wanted(file, places)
        if key == "fallbacks" and (default := _wanted(file, _DEFAULT_FALLBACKS)):
            # LiteLLM keeps default_fallbacks as the fallbacks of "*" (litellm/router.py)
            wanted = [*(wanted if isinstance(wanted, list) else []), {"*": default}]
        runs = router[key]
        if wanted is None and (key not in _ABSENT_COUNTS or not runs):
            continue
        if isinstance(wanted, str) and wanted.startswith("os.environ/"):
            continue
        if not _equal(_comparable(wanted), _comparable(runs)):
            words.append(_describe(key, runs, wanted))
    return tuple(words)


def _wanted(file: ConfigFile, places: Iterable[tuple[str, str]]) -> Any:
    return next((file.section(s)[k] for s, k in places if file.section(s).get(k) is not None), None)


def _comparable(value: Any) -> Any:
    """A list of single-key mappings as one mapping: in which order the groups stand makes no difference."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return _entries(value)
    return value or None


def _describe(key: str, runs: Any, wanted: Any) -> str:
    if isinstance(runs, list | dict) or isinstance(wanted, list | dict):
        before, after = _entries(runs), _entries(wanted)
        changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        return f"{key} of {', '.join(map(str, changed))}"
    return f"{key}: {runs} → {wanted}"


def _entries(value: Any) -> dict[Any, Any]:
    if isinstance(value, dict):
        return value
    merged: dict[Any, Any] = {}
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            merged |= item
    return merged


def _equal(one: Any, other: Any) -> bool:
    if one == other:
        return True
    if isinstance(one, bool) or isinstance(other, bool):
        return str(one).lower() == str(other).lower()
    try:
        return float(one) == float(other)
    except (TypeError, ValueError, OverflowError):
        return False


def _address(value: str | None) -> str:
    return (value or "").rstrip("/")
