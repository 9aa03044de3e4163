"""The subject of an audit: the configuration, its environment and unit, and the LiteLLM version that reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from litellm_tui.audit.catalogue.records import Catalogue, Spans, parse_version
from litellm_tui.model.configuration import ConfigFile, Mark
from litellm_tui.model.edits import Path
from litellm_tui.model.embedded import NOTHING_WITHHELD, Asked, Withheld
from litellm_tui.model.environment_lines import EnvironmentLine
from litellm_tui.model.prices import PriceMap
from litellm_tui.model.python_modules import PythonModules
from litellm_tui.model.release import Advisory, Release

REFERENCE: Final = "os.environ/"


class Unknown:
    """The value of an environment variable when the environment is not known."""

    def __bool__(self) -> bool:
        raise TypeError("whether it is set is not known: compare with UNKNOWN first")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


class Entry(msgspec.Struct, frozen=True):
    """One entry of `model_list` that is a mapping with a mapping of `litellm_params`."""

    index: int
    name: str
    model: str
    params: Mapping[str, Any]
    info: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """Its path in the merged configuration."""
        return ("model_list", self.index)

    def at(self, *path: str | int) -> Path:
        """A path below its `litellm_params`."""
        return (*self.path, "litellm_params", *path)


class Runtime(msgspec.Struct, frozen=True):
    """The unit that runs LiteLLM, as far as it could be read.

    `arguments` is the command line. `fragment` is the unit's file, `marks` the places of its directives by name
    (`ExecReload`, `Environment`), if it is readable. `sources` maps a variable's name to what sets it.
    `packages` are the distributions beside LiteLLM, by their normalised names. For a manifest, `replicas` is how many
    there are, `most` how many an autoscaler may make of them, `health` what asks them, and `contained` says that they
    run in containers.
    """

    unit: str
    arguments: tuple[str, ...] = ()
    exec_reload: str = ""
    stop_seconds: float | None = None
    fragment: str = ""
    marks: Mapping[str, Mark] = {}
    sources: Mapping[str, str] = {}
    packages: frozenset[str] | None = None
    replicas: int | None = None
    most: int | None = None
    health: tuple[Asked, ...] = ()
    contained: bool = False

    def option(self, *names: str) -> str | None:
        """The value of an option of the command line (`--name value` and `--name=value`), `""` for a flag."""
        words = list(self.arguments)
        for place, word in enumerate(words):
            name, equals, value = word.partition("=")
            if name in names:
                if equals:
                    return value
                following = words[place + 1] if place + 1 < len(words) else ""
                return "" if following.startswith("-") else following
        return None


class Subject:
    """One configuration, as the rules see it.

    `environment` is LiteLLM's environment, None when it is not known (a file alone): a rule that depends on it then
    reports nothing. `runtime` is None when no unit was found. `modules` are the Python modules that the file names;
    None where nobody looked for them. `withheld` are variables that are set, to values that are not known here;
    `prices` is the price map of a LiteLLM. `lines` are lines of environment files that are not taken as they are meant,
    `absent_files` files that the configuration names and that are not there. `release` is what is known of the LiteLLM
    itself, None where nobody looked, and `advisories` is the table that it is held against. `cache_refuses` says that
    every server of a cache that a start asks refuses connections. `packages` are the distributions beside LiteLLM, as
    those of `runtime`, which they stand in for; None where nobody could look.
    """

    def __init__(
        self,
        file: ConfigFile,
        catalogue: Catalogue,
        spans: Spans,
        environment: Mapping[str, str] | None = None,
        runtime: Runtime | None = None,
        modules: PythonModules | None = None,
        *,
        withheld: Withheld = NOTHING_WITHHELD,
        prices: PriceMap | None = None,
        lines: tuple[EnvironmentLine, ...] = (),
        absent_files: frozenset[str] = frozenset(),
        release: Release | None = None,
        advisories: Sequence[Advisory] = (),
        cache_refuses: bool = False,
        packages: frozenset[str] | None = None,
    ) -> None:
        self.file = file
        self.data = file.data
        self.catalogue = catalogue
        self.spans = spans
        self.environment = environment
        self.runtime = runtime
        self.modules = modules
        self.withheld = withheld
        self.prices = prices
        self.lines = lines
        self.absent_files = absent_files
        self.release = release
        self.advisories = advisories
        self.cache_refuses = cache_refuses
        self.packages = packages if runtime is None or runtime.packages is None else runtime.packages

    def section(self, name: str) -> Mapping[str, Any]:
        """A top-level mapping such as `router_settings`; empty when absent or not a mapping."""
        return self.file.section(name)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The well-formed entries of `model_list`."""
        listed = self.data.get("model_list")
        return tuple(_entries(listed)) if isinstance(listed, list) else ()

    @cached_property
    def groups(self) -> frozenset[str]:
        """Every `model_name`."""
        return frozenset(entry.name for entry in self.entries)

    @cached_property
    def aliases(self) -> Mapping[str, Any]:
        """`model_group_alias` of the file; empty when it is not a mapping."""
        found = self.section("router_settings").get("model_group_alias")
        return found if isinstance(found, dict) else {}

    def resolve(self, value: Any) -> Any:
        """`os.environ/NAME` as LiteLLM resolves it: its value, None when unset, `UNKNOWN` without an environment."""
        name = reference(value)
        if name is None:
            return value
        return self.variable(name)

    def variable(self, name: str) -> str | Unknown | None:
        """An environment variable; None when unset, `UNKNOWN` without an environment and where it is withheld."""
        if self.environment is None:
            return UNKNOWN
        found = self.environment.get(name)
        return UNKNOWN if found is None and self.withheld.covers(name) else found

    def runs(self, since: str = "", until: str = "") -> bool:
        """Whether the version of LiteLLM is in this range, both ends included; `1.79` includes all of its patches."""
        version = parse_version(self.catalogue.version)
        first, last = parse_version(since), parse_version(until)
        return (not since or version >= first) and (not until or version[: len(last)] <= last)


def reference(value: Any) -> str | None:
    """The NAME of `os.environ/NAME`."""
    return value.removeprefix(REFERENCE) if isinstance(value, str) and value.startswith(REFERENCE) else None


def _entries(listed: list[Any]) -> Iterator[Entry]:
    for index, item in enumerate(listed):
        params = item.get("litellm_params") if isinstance(item, dict) else None
        if isinstance(item, dict) and isinstance(params, dict):
            info = item.get("model_info")
            name, model = item.get("model_name"), params.get("model")
            yield Entry(
                index,
                name if isinstance(name, str) else "",
                model if isinstance(model, str) else "",
                params,
                info if isinstance(info, dict) else {},
            )
