"""The file compared with the running router: deployments are matched, and differences become texts."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from litellm_tui.analysis.nested import COLLECTIONS, are_equal, python_text
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.analysis.redaction.secret_names import names_a_secret
from litellm_tui.model.configuration import ConfigFile, FileDeployment
from litellm_tui.model.gateway import LoadedDeployment

Running = TypeVar("Running", FileDeployment, LoadedDeployment)
Path = tuple[str | int, ...]
_redact: Final = Redactor()

# router keys in GET /get/config/callbacks, each with the places that may set it, in LiteLLM's order
ROUTER_KEYS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
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
    "model_group_retry_policy": (("router_settings", "model_group_retry_policy"),),
    "retry_after": (("router_settings", "retry_after"),),
    # since 1.106 or somewhat earlier
    "enable_tag_filtering": (("router_settings", "enable_tag_filtering"),),
    "tag_routing_prefix": (("router_settings", "tag_routing_prefix"),),
    "enable_weighted_failover": (("router_settings", "enable_weighted_failover"),),
}
DEFAULT_FALLBACKS: Final = (("router_settings", "default_fallbacks"), ("litellm_settings", "default_fallbacks"))
# words by which LiteLLM masks values, beside those in `secret_names`
_MASKED_WORDS: Final = ("auth", "access", "private", "certificate", "fingerprint", "tenancy")
# parameters that only the file sets; for others the proxy adds defaults of its own
_GONE_COUNTS: Final = (
    "rpm", "tpm", "timeout", "stream_timeout", "max_retries", "max_parallel_requests", "weight", "order",
    "temperature", "max_tokens", "api_version", "organization", "region_name", "drop_params", "max_budget",
)  # fmt: skip
# these differ also when the file no longer has them
_ABSENT_COUNTS: Final = ("fallbacks", "context_window_fallbacks", "model_group_alias")


def match_deployments(
    file: Iterable[FileDeployment], loaded: Iterable[Running]
) -> list[tuple[FileDeployment | None, Running | None]]:
    """Pair the file's deployments with the loaded ones, in the file's order, the unpaired loaded ones last.

    They match by group, model and api_base; then by group and model, for an edited api_base; then by group and
    api_base, for an edited model. Equal ones are paired in their order. `loaded` can also be the deployments of another
    version of the file.
    """
    deployments = list(file)
    free = list(loaded)
    found: dict[int, Running] = {}
    passes: tuple[Callable[[Any], tuple[Any, ...]], ...] = (
        lambda d: (d.group, d.model, _address(d.api_base)),
        lambda d: (d.group, d.model),
        lambda d: (d.group, _address(d.api_base)),
    )
    for identity in passes:
        waiting: defaultdict[tuple[Any, ...], deque[Running]] = defaultdict(deque)
        for candidate in free:
            waiting[identity(candidate)].append(candidate)
        for position, entry in enumerate(deployments):
            if position not in found and (same := waiting[identity(entry)]):
                found[position] = same.popleft()
        taken = {id(candidate) for candidate in found.values()}
        free = [candidate for candidate in free if id(candidate) not in taken]
    pairs: list[tuple[FileDeployment | None, Running | None]] = [
        (entry, found.get(position)) for position, entry in enumerate(deployments)
    ]
    return pairs + [(None, candidate) for candidate in free]


class Difference(NamedTuple):
    """One value that differs: what runs and what the file has, None without a value.

    `name` is a parameter or a router key, `entry` the model group, alias or error of a mapping's entry. `path` is a
    path into the file's data, or its nearest existing parent.
    """

    name: str
    runs: Any
    wanted: Any
    path: Path
    entry: str | None = None


def shown_by_the_proxy(name: str) -> bool:
    """Whether GET /v1/model/info shows a parameter of this name unchanged; it omits or masks others by their name.

    Seen on 1.77.7 and 1.106.2, which mask by the same words (litellm_core_utils/sensitive_data_masker.py).
    """
    return not names_a_secret(name) and not any(word in name.lower() for word in _MASKED_WORDS)


def parameter_differences(file: FileDeployment, loaded: LoadedDeployment) -> Iterator[Difference]:
    """Every parameter that differs and that the proxy shows, without collections, which it writes in two ways.

    A parameter that only the file has is new: both tested versions show any parameter, known or not.
    """
    place: Path = ("model_list", file.index, "litellm_params")
    for key, wanted in file.params.items():
        runs = loaded.params.get(key)
        if isinstance(wanted, dict | list) or isinstance(runs, dict | list) or not shown_by_the_proxy(key):
            continue
        if wanted is None and key not in _GONE_COUNTS:
            continue
        same = (
            _address(scalar_text(wanted)) == _address(scalar_text(runs)) if key == "api_base" else _equal(wanted, runs)
        )
        if not same:
            yield Difference(key, runs, wanted, (*place, key))
    for key in _GONE_COUNTS:
        if (
            key not in file.params
            and (runs := loaded.params.get(key)) is not None
            and not isinstance(runs, dict | list)
        ):
            yield Difference(key, runs, None, place)


def router_changes(file: ConfigFile, router: Mapping[str, Any]) -> Iterator[Difference]:
    """The differing router settings that the running proxy shows; mappings and fallbacks entry by entry."""
    for key, places in ROUTER_KEYS.items():
        if key not in router:
            continue
        path, wanted = _wanted(file, places)
        if key == "fallbacks" and (default := _wanted(file, DEFAULT_FALLBACKS)[1]):
            # LiteLLM keeps default_fallbacks as the fallbacks of "*" (litellm/router.py)
            wanted = [*(wanted if isinstance(wanted, list) else []), {"*": default}]
        runs = router[key]
        if wanted is None and (key not in _ABSENT_COUNTS or not runs):
            continue
        if isinstance(wanted, str) and wanted.startswith("os.environ/"):
            continue
        if _equal(_comparable(wanted), _comparable(runs)):
            continue
        if not isinstance(runs, list | dict) and not isinstance(wanted, list | dict):
            yield Difference(key, runs, wanted, path)
            continue
        before, after = entries_of(runs), entries_of(wanted)
        for name in {**before, **after}:
            if not are_equal(before.get(name), after.get(name)):
                yield Difference(key, before.get(name), after.get(name), path, str(name))


def deployment_differences(file: FileDeployment, loaded: LoadedDeployment) -> tuple[str, ...]:
    """`key: running → file` for each of `parameter_differences`."""
    return tuple(
        f"{found.name}: {scalar_text(found.runs)} → {scalar_text(found.wanted)}"
        for found in parameter_differences(file, loaded)
    )


def router_differences(file: ConfigFile, router: Mapping[str, Any]) -> tuple[str, ...]:
    """`key: running → file`, or `key of entries`, for each router setting that differs."""
    words: dict[str, str] = {}
    for found in router_changes(file, router):
        if found.entry is None:
            words[found.name] = f"{found.name}: {scalar_text(found.runs)} → {scalar_text(found.wanted)}"
        else:
            known = words.get(found.name)
            words[found.name] = f"{known}, {found.entry}" if known else f"{found.name} of {found.entry}"
    return tuple(words.values())


def scalar_text(value: Any) -> str:
    """A scalar as text, `none` for None, with secrets masked: an address can hold a password."""
    if value is None:
        return "none"
    return _redact(python_text(value))


def _wanted(file: ConfigFile, places: Sequence[tuple[str, str]]) -> tuple[Path, Any]:
    """The first place that sets a value, with the value; without one, the first place and None."""
    return next(
        (((s, k), file.section(s)[k]) for s, k in places if file.section(s).get(k) is not None), (places[0], None)
    )


def _comparable(value: Any) -> Any:
    """A list of single-key mappings as one mapping, as the order of the groups makes no difference."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return entries_of(value)
    return value or None


def entries_of(value: Any) -> dict[Any, Any]:
    """A list of single-key mappings, as fallbacks are written, as one mapping."""
    if isinstance(value, dict):
        return value
    merged: dict[Any, Any] = {}
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            merged |= item
    return merged


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, COLLECTIONS) or isinstance(other, COLLECTIONS):
        return are_equal(one, other)
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
