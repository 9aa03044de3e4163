"""Finds the names that LiteLLM knows outside its sections: variables, providers, callbacks, models, constants."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.audit.catalogue.records import Value
from litellm_tui.collectors.litellm_source.litellm_package import Package, assigned
from litellm_tui.host.bounded import read_bytes

# constants of constants.py that matter to operators
_DEFAULTS: Final = (
    "ROUTER_MAX_FALLBACKS",
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_ALLOWED_FAILS",
    "DEFAULT_COOLDOWN_TIME_SECONDS",
    "DEFAULT_FAILURE_THRESHOLD_PERCENT",
    "DEFAULT_FAILURE_THRESHOLD_MINIMUM_REQUESTS",
    "SINGLE_DEPLOYMENT_TRAFFIC_FAILURE_THRESHOLD",
    "DEFAULT_HEALTH_CHECK_INTERVAL",
    "request_timeout",
)
# the most steps from a constant to one that it is computed from; five were seen
_DEEP: Final = 10
# modes that a model's prefix does not show, and without which its health check sends the wrong request
_PLAIN_MODES: Final = {"chat", "completion"}

_VARIABLE: Final = re.compile(
    rb"""(?:(?:env|secret|ENV)(?:(?!env|secret|ENV)\w)*+\(\s*(?:\w+\s*=\s*)?
           |environ\.(?:get|pop|setdefault)\(\s*|environ\[\s*|envvar\s*=\s*)
         ["']([A-Z][A-Z0-9_]+)["']""",
    re.VERBOSE,
)
_CAPITALS: Final = re.compile(rb"""["']([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)["']""")


def environment(package: Package) -> frozenset[str]:
    """Variables that are read by name, and every name of that form in a file that reads the environment.

    The second kind covers loops over lists of names and names in constants. Patterns find them ten times as fast as
    syntax trees.
    """
    found: set[bytes] = set()
    for source in package.sources.values():
        found.update(_VARIABLE.findall(source))
        if b"environ" in source or b"getenv" in source or b"get_secret" in source:
            found.update(_CAPITALS.findall(source))
    return frozenset(name.decode() for name in found if len(name) > 2)


def providers(package: Package) -> frozenset[str]:
    """Prefixes of models: the enumeration, the lists of constants.py, and the providers that exist only as data."""
    lists = ("LITELLM_CHAT_PROVIDERS", "openai_compatible_providers", "openai_text_completion_compatible_providers")
    found = set(package.enum_values("LlmProviders"))
    for name in lists:
        for value in assigned(package.tree("constants.py"), name):
            found |= package.strings(value)
    return frozenset(found | set(_json(package.folder / "llms/openai_like/providers.json")))


def callbacks(package: Package) -> frozenset[str]:
    """Names for callbacks, success_callback, failure_callback and service_callback."""
    found = set(package.constant("CALLBACK_CLASS_STR_TO_CLASS_TYPE"))
    for value in assigned(package.tree("__init__.py"), "_custom_logger_compatible_callbacks_literal"):
        found |= package.strings(value)
    for place in package.holding("callback"):
        if not place.startswith(("litellm_core_utils/", "proxy/common_utils/callback_utils", "utils.py")):
            continue
        for node in ast.walk(package.tree(place)):
            match node:
                case ast.Compare(
                    left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant(value=str(text))]
                ) if name.endswith(("callback", "callback_name", "logging_integration")):
                    found.add(text)
    generic = _json(package.folder / "integrations/generic_api/generic_api_compatible_callbacks.json")
    return frozenset(found | set(generic))


def _json(path: Path) -> Mapping[str, object]:
    """A JSON object of the package; an empty one where it is missing or something else."""
    try:
        return msgspec.json.decode(read_bytes(path), type=dict[str, object])
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return {}


class _Priced(msgspec.Struct):
    mode: str | None = None


def models(folder: Path) -> dict[str, str]:
    path = folder / "model_prices_and_context_window_backup.json"
    try:
        entries = msgspec.json.decode(read_bytes(path), type=dict[str, _Priced])
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return {
        name: entry.mode or ""
        for name, entry in sorted(entries.items())
        if name != "sample_spec" and ("/" not in name or entry.mode not in _PLAIN_MODES)
    }


def defaults(package: Package) -> dict[str, Value]:
    """Constants by name; one that an environment variable sets has its default."""
    tree = package.tree("constants.py")
    found = {name: _value(tree, next(assigned(tree, name), None)) for name in _DEFAULTS}
    return {name: value for name, value in found.items() if value is not None}


def _value(tree: ast.Module, node: ast.expr | None, depth: int = 0) -> Value | None:
    match node:
        case ast.Constant(value=str() | int() | float() as plain):
            return plain
        case ast.Name(id=name) if depth < _DEEP:
            return _value(tree, next(assigned(tree, name), None), depth + 1)
        case ast.IfExp(body=body, orelse=orelse):
            found = _value(tree, body, depth + 1)
            return _value(tree, orelse, depth + 1) if found is None else found
        case ast.Call(func=ast.Name(id=("int" | "float" | "str") as kind), args=[inner]):
            value = _value(tree, inner, depth + 1)
            convert: Callable[[str | float], Value] = {"int": int, "float": float, "str": str}[kind]
            try:
                return None if value is None else convert(value)
            except ValueError:
                return None
        case ast.Call(args=[_, default]):
            return _value(tree, default, depth + 1)
    return None
