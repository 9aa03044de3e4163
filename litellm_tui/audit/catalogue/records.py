"""What LiteLLM reads of a configuration, per version: which keys have an effect, since when and until when.

A key that no code reads is silently ignored by the proxy, and which keys are read changes from release to release. A
`Catalogue` is what one version reads; `Spans` is the shipped table of many versions, made by
`python -m tools.catalogue` from the releases' own source (`litellm_tui.collectors.litellm_source.reader` reads one).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal, get_args

import msgspec

from litellm_tui.audit.catalogue.nearest import nearest

CatalogueKind = Literal[
    "sections",
    "router",
    "router_managed",
    "general",
    "litellm",
    "litellm_special",
    "strategies",
    "cache_types",
    "cache_params",
    "redis_params",
    "retry_policy",
    "allowed_fails_policy",
    "environment",
    "providers",
    "callbacks",
    "params",
    "param_words",
]
Source = Literal["installed", "shipped", "newest"]
Value = str | int | float | bool | None

KINDS: Final[tuple[CatalogueKind, ...]] = get_args(CatalogueKind)
# the kinds that are places in a configuration, with their names for the operator
PLACES: Final[Mapping[CatalogueKind, str]] = {
    "sections": "the top level",
    "router": "router_settings",
    "general": "general_settings",
    "litellm": "litellm_settings",
    "cache_params": "litellm_settings.cache_params",
    "environment": "the environment",
}

_VERSION: Final = re.compile(r"(\d+(?:\.\d+)+|\d+)(?:[.-]?post\.?(\d+))?")


@lru_cache(maxsize=1024)
def parse_version(text: str) -> tuple[int, ...]:
    """The numbers of a version, for comparison: `1.74.9.post2` is (1, 74, 9, 2).

    Words of a tag (`v`, `main-`, `-stable`, `rc1`) do not count. () for a text without a version.
    """
    found = _VERSION.search(text)
    if found is None:
        return ()
    numbers = tuple(int(part) for part in found[1].split("."))
    return (*numbers, int(found[2])) if found[2] else numbers


class Catalogue(msgspec.Struct, frozen=True):
    """What one version of LiteLLM reads.

    `source` says where this is known from: the operated LiteLLM's own source, the shipped table, or the newest entry of
    that table because the version is not known. `asked` is the version that was asked for where `version` is only the
    nearest to it that the table has. Every set holds names as they are written in a configuration:

    - `sections`: keys of the top level
    - `router`: what router_settings may set; `router_managed`: parameters of the Router that it may not
    - `general`: keys of general_settings
    - `litellm`: keys of litellm_settings, among them `litellm_special`, which the proxy handles itself
    - `strategies`: values of routing_strategy
    - `cache_types`, `cache_params`: values of cache_params.type, and the other keys beside it; with a Redis also
      `redis_params`
    - `retry_policy`, `allowed_fails_policy`: their fields
    - `environment`: variables read by name. Names made while running, such as PROVIDER_API_KEY, are not among them
    - `providers`: prefixes of a model; `callbacks`: names for the callback lists
    - `params`: names that LiteLLM has for keys of litellm_params; `param_words`: other names of its source that
      resemble one of them or a secret's, as `FOLDER/NAME` where only the folder of one provider has them
    - `models`: the bundled cost map, name to mode ("" where it has none), without the prefixed names of chat and
      completion models, which are told by their prefix
    - `defaults`: constants of the router and the proxy that an operator may meet, and as `SECTION.KEY` what a key of
      router_settings, litellm_settings or cache_params has where the file has none; a key without an entry has no plain
      value
    - `compiled`: the parts of an installed LiteLLM that are no Python source, and so were not read
    """

    version: str
    source: Source = "shipped"
    asked: str = ""
    sections: frozenset[str] = frozenset()
    router: frozenset[str] = frozenset()
    router_managed: frozenset[str] = frozenset()
    general: frozenset[str] = frozenset()
    litellm: frozenset[str] = frozenset()
    litellm_special: frozenset[str] = frozenset()
    strategies: frozenset[str] = frozenset()
    cache_types: frozenset[str] = frozenset()
    cache_params: frozenset[str] = frozenset()
    redis_params: frozenset[str] = frozenset()
    retry_policy: frozenset[str] = frozenset()
    allowed_fails_policy: frozenset[str] = frozenset()
    environment: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    callbacks: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()
    param_words: frozenset[str] = frozenset()
    models: Mapping[str, str] = {}
    defaults: Mapping[str, Value] = {}
    compiled: tuple[str, ...] = ()

    def keys(self, kind: CatalogueKind) -> frozenset[str]:
        """The names of a kind."""
        names: frozenset[str] = getattr(self, kind)
        return names

    def elsewhere(self, key: str, but: CatalogueKind | None = None) -> tuple[str, ...]:
        """The places where this version reads a key, by their names for the operator, without `but`."""
        return tuple(place for kind, place in PLACES.items() if kind != but and key in self.keys(kind))

    def close(self, kind: CatalogueKind, key: str) -> tuple[str, ...]:
        """The nearest names of the kind, at most three; empty when nothing is near."""
        return nearest(key, self.keys(kind))


class Spans(msgspec.Struct, frozen=True):
    """What the scanned releases read, oldest first.

    `kinds` maps a kind and a name to where it is read: indexes into `releases` in pairs, first and last, both included;
    more than one pair for a name that went away and came back. `models` maps a name to its mode in the newest release
    that knows it, and its pairs; `defaults` maps a name to its values, each with its pairs.
    """

    releases: tuple[str, ...]
    kinds: Mapping[CatalogueKind, Mapping[str, tuple[int, ...]]]
    models: Mapping[str, tuple[str, tuple[int, ...]]] = {}
    defaults: Mapping[str, tuple[tuple[Value, tuple[int, ...]], ...]] = {}

    def at(self, version: str) -> Catalogue:
        """The catalogue of a version, or of the nearest release before it, or of the oldest.

        A text without a version gives the newest, with `source` `newest`.
        """
        asked = parse_version(version)
        source: Source = "shipped" if asked else "newest"
        index = len(self.releases) - 1
        if asked:
            index = max(0, bisect_right(self.releases, asked, key=parse_version) - 1)
        sets: dict[str, Any] = {
            kind: frozenset(name for name, pairs in names.items() if _includes(pairs, index))
            for kind, names in self.kinds.items()
        }
        return Catalogue(
            version=self.releases[index],
            source=source,
            asked=version if asked and parse_version(self.releases[index]) != asked else "",
            models={name: mode for name, (mode, pairs) in self.models.items() if _includes(pairs, index)},
            defaults={
                name: value
                for name, values in self.defaults.items()
                for value, pairs in values
                if _includes(pairs, index)
            },
            **sets,
        )

    def span(self, kind: CatalogueKind, key: str) -> tuple[str, str] | None:
        """The first and the last scanned release that reads a key; None when none does."""
        pairs = self.kinds.get(kind, {}).get(key)
        return (self.releases[pairs[0]], self.releases[pairs[-1]]) if pairs else None

    def words(self, kind: CatalogueKind, key: str) -> str:
        """The span for a sentence: `since 1.80`, `until 1.79`, `1.77 to 1.84`, `1.80 only`; "" when all releases read
        the key, or none does.
        """
        pairs = self.kinds.get(kind, {}).get(key)
        if not pairs:
            return ""
        first, last = pairs[0], pairs[-1]
        begins, ends = first > 0, last < len(self.releases) - 1
        since, until = self._since(first), self._until(last)
        if begins and ends:
            return f"{since} only" if since == until else f"{since} to {until}"
        return f"since {since}" if begins else f"until {until}" if ends else ""

    def elsewhere(self, key: str, but: CatalogueKind | None = None) -> tuple[str, ...]:
        """As `Catalogue.elsewhere`, over all releases."""
        return tuple(place for kind, place in PLACES.items() if kind != but and key in self.kinds.get(kind, {}))

    def close(self, kind: CatalogueKind, key: str) -> tuple[str, ...]:
        """As `Catalogue.close`, over all releases."""
        return nearest(key, frozenset(self.kinds.get(kind, {})))

    def _since(self, index: int) -> str:
        """The short form of a release: only its minor version when no earlier release of that minor was scanned."""
        return self._short(index, self.releases[index - 1] if index else "")

    def _until(self, index: int) -> str:
        return self._short(index, self.releases[index + 1] if index + 1 < len(self.releases) else "")

    def _short(self, index: int, neighbour: str) -> str:
        version = self.releases[index]
        minor = parse_version(version)[:2]
        return version if parse_version(neighbour)[:2] == minor else ".".join(str(number) for number in minor)


def _includes(pairs: tuple[int, ...], index: int) -> bool:
    return any(first <= index <= last for first, last in zip(pairs[::2], pairs[1::2], strict=True))


def merge_catalogues(catalogues: Iterable[Catalogue]) -> Spans:
    """The table of several versions, given in any order."""
    ordered = sorted(catalogues, key=lambda catalogue: parse_version(catalogue.version))
    kinds: dict[CatalogueKind, dict[str, tuple[int, ...]]] = {}
    for kind in KINDS:
        names = sorted(frozenset().union(*(catalogue.keys(kind) for catalogue in ordered)))
        kinds[kind] = {name: _pairs([name in catalogue.keys(kind) for catalogue in ordered]) for name in names}
    modes = {name: mode for catalogue in ordered for name, mode in catalogue.models.items()}
    models = {
        name: (modes[name], _pairs([name in catalogue.models for catalogue in ordered])) for name in sorted(modes)
    }
    defaults: dict[str, tuple[tuple[Value, tuple[int, ...]], ...]] = {}
    for name in sorted({name for catalogue in ordered for name in catalogue.defaults}):
        values = dict.fromkeys(catalogue.defaults[name] for catalogue in ordered if name in catalogue.defaults)
        defaults[name] = tuple(
            (value, _pairs([catalogue.defaults.get(name, ...) == value for catalogue in ordered])) for value in values
        )
    return Spans(tuple(catalogue.version for catalogue in ordered), kinds, models, defaults)


def _pairs(holds: list[bool]) -> tuple[int, ...]:
    """First and last index of each run of True."""
    pairs: list[int] = []
    for index, held in enumerate(holds):
        if held and (index == 0 or not holds[index - 1]):
            pairs += [index, index]
        elif held:
            pairs[-1] = index
    return tuple(pairs)
