"""The corpus: configurations made from what LiteLLM's source says of each section, refused and starting ones.

A `Fragment` is one thing to try: a key with a value of a kind, an entry of a list, a callback, a guardrail. What the
audit says of it decides how it is tried: one that it calls fatal is started alone, so that every refusal is seen to be
one; those that it lets through are started many to a file, in `packed` configurations, so that a whole section costs
one start. A pack that is refused is a miss, and is taken apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

MODEL = {
    "model_name": "base",
    "litellm_params": {"model": "openai/base", "api_base": "http://127.0.0.1:9/v1", "api_key": "k"},
}
# lists that LiteLLM goes through entry by entry: those of two fragments make one
_JOINED = frozenset(
    {
        *("model_list", "guardrails", "credential_list", "vector_store_registry", "prompts", "agents", "search_tools"),
        *("mcp_tools", "files_settings", "finetune_settings", "sandbox_tools", "policy_attachments", "callbacks"),
        *("success_callback", "failure_callback", "pass_through_endpoints", "worker_registry"),
    }
)


class Fragment(msgspec.Struct, frozen=True):
    """One thing to try, of a section as docs/audit.md has them.

    `data` is a part of a configuration, without which a plain one stays. `env` and `files` are what stands around it.
    `alone` is one that cannot share a file with another. `bare` has no master key in the environment.
    """

    section: str
    id: str
    data: Mapping[str, Any] | str
    env: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    alone: bool = False
    bare: bool = False


class Pack(msgspec.Struct, frozen=True):
    """A configuration of one fragment or of several that do not meet."""

    fragments: tuple[Fragment, ...]
    data: Mapping[str, Any] | str
    env: Mapping[str, str] = {}
    files: Mapping[str, str] = {}

    @property
    def bare(self) -> bool:
        return self.fragments[0].bare


class _Meets(Exception):
    """Two fragments say different things of one place."""


def alone(fragment: Fragment) -> Pack:
    """The configuration of one fragment."""
    data = fragment.data if isinstance(fragment.data, str) else _with_model(fragment.data)
    return Pack((fragment,), data, fragment.env, fragment.files)


def packed(fragments: Iterable[Fragment], most: int = 150) -> Iterator[Pack]:
    """Configurations of as many fragments as go together; the order of fragments is kept within each."""
    open_packs: list[Pack] = []
    for fragment in fragments:
        if fragment.alone or fragment.bare or isinstance(fragment.data, str):
            yield alone(fragment)
            continue
        for place, pack in enumerate(open_packs):
            if len(pack.fragments) < most and (more := _joined(pack, fragment)):
                open_packs[place] = more
                break
        else:
            open_packs.append(Pack((fragment,), fragment.data, fragment.env, fragment.files))
    for pack in open_packs:
        assert not isinstance(pack.data, str)
        yield msgspec.structs.replace(pack, data=_with_model(pack.data))


def _joined(pack: Pack, fragment: Fragment) -> Pack | None:
    try:
        return Pack(
            (*pack.fragments, fragment),
            _merged(pack.data, fragment.data, ""),
            _merged(pack.env, fragment.env, ""),
            _merged(pack.files, fragment.files, ""),
        )
    except _Meets:
        return None


def _merged(one: Any, other: Any, key: str) -> Any:
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one and other:
        both = {name: _merged(one[name], other[name], str(name)) for name in one if name in other}
        return {**one, **other, **both}
    if isinstance(one, Mapping) and isinstance(other, Mapping) and key == "":
        return {**one, **other}
    if isinstance(one, list) and isinstance(other, list) and key in _JOINED and one and other:
        return [*one, *other]
    raise _Meets


def _with_model(data: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = data.get("model_list")
    if "model_list" not in data:
        return {"model_list": [MODEL], **data}
    return {**data, "model_list": [MODEL, *listed]} if isinstance(listed, list) and listed else data
