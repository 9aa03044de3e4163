"""Finds the keys of `litellm_params` that LiteLLM knows, and words of its source that are not to be taken for slips.

A deployment takes any key: what LiteLLM does not know goes to the provider, in the body of each request. Which of these
keys a provider understands only its own interface says, so two sets are read: the names that LiteLLM has, and names of
its source that resemble one of them or a secret's. A key in neither is no name that any code of LiteLLM has.
"""

from __future__ import annotations

import re
from typing import Final

from litellm_tui.analysis.redaction.secret_names import names_a_secret
from litellm_tui.audit.catalogue.nearest import nearest
from litellm_tui.collectors.litellm_source.litellm_package import Package

_LISTS: Final = (
    "all_litellm_params",
    "OWNED_KWARG_NAMES",
    "OPENAI_CHAT_COMPLETION_PARAMS",
    "OPENAI_TRANSCRIPTION_PARAMS",
    "OPENAI_EMBEDDING_PARAMS",
    "DEFAULT_CHAT_COMPLETION_PARAM_VALUES",
    "DEFAULT_EMBEDDING_PARAM_VALUES",
)
_CLASSES: Final = ("LiteLLM_Params", "CustomPricingLiteLLMParams", "StandardCallbackDynamicParams")
# since 1.10x LiteLLM declares its own parameters as fields of the classes in this file
_DECLARED: Final = "types/litellm_params.py"
# what is called with the keys of a deployment
_CALLS: Final = ("completion", "embedding", "image_generation", "transcription", "speech")
# the parts that read what a deployment holds, or hand it to a provider; fields there are what a provider takes
_PARTS: Final = (
    "llms/",
    "litellm_core_utils/",
    "router",
    "images/",
    "responses/",
    "rerank_api/",
    "main.py",
    "utils.py",
)
_FIELDS: Final = ("llms/", "types/llms/", "types/router.py", "types/utils.py", "types/litellm_params.py")
# it takes the keys of single providers out for them, so what one of their folders has too is that one's
_DISPATCH: Final = "main.py"
# these folders serve every provider
_SHARED: Final = frozenset({"base_llm", "custom_httpx", "openai_like", "openai"})
_READ: Final = re.compile(
    rb"""(?:param|kwarg|data|settings)\w{0,20}(?:\.(?:get|pop|setdefault)\(|\[)\s{0,40}["']([a-z][a-z0-9_]{2,60})["']
       |["']([a-z][a-z0-9_]{2,60})["'][ ](?:not[ ])?in[ ]\w{0,40}(?:param|kwarg)""",
    re.VERBOSE,
)
_FIELD: Final = re.compile(rb"^[ ]{4,8}([a-z][a-z0-9_]{2,60})[ ]?:[^=\n]", re.MULTILINE)


def params(package: Package) -> frozenset[str]:
    """The names of LiteLLM's own: fields of LiteLLM_Params, its lists of parameters, parameters of its calls."""
    found = {name for owner in _CLASSES for name in package.fields(owner, within="types/router.py")}
    found.update(field.decode() for field in _FIELD.findall(package.sources.get(_DECLARED, b"")))
    for name in _LISTS:
        found |= package.constant(name)
    for name in _CALLS:
        if function := package.function("main.py", name):
            found.update(item.arg for item in (*function.args.args, *function.args.kwonlyargs))
    return frozenset(name for name in found if re.fullmatch(r"[a-z]\w*", name))


def param_words(package: Package, known: frozenset[str]) -> frozenset[str]:
    """Names of the source beside the known ones, as far as they resemble one of these or a secret's.

    A name that only the folder of one provider has is `FOLDER/NAME`: others do not understand it.
    """
    words: set[tuple[str, bytes]] = set()
    for place, source in package.sources.items():
        if not place.startswith((*_PARTS, *_FIELDS)):
            continue
        parts = place.split("/")
        folder = f"{parts[1]}/" if parts[0] == "llms" and len(parts) > 2 and parts[1] not in _SHARED else ""
        folder = _DISPATCH if place == _DISPATCH else folder
        if place.startswith(_PARTS):
            words.update((folder, taken or asked) for taken, asked in _READ.findall(source))
        if place.startswith(_FIELDS):
            words.update((folder, field) for field in _FIELD.findall(source))
    near: dict[bytes, bool] = {}
    for _, word in words:
        name = word.decode()
        near[word] = name not in known and (names_a_secret(name) or bool(nearest(name, known)))
    general = {word for folder, word in words if not folder}
    special = {word for folder, word in words if folder not in ("", _DISPATCH)}
    return frozenset(
        ("" if folder == _DISPATCH else folder) + word.decode()
        for folder, word in words
        if near[word] and (not folder or word not in (special | general if folder == _DISPATCH else general))
    )
