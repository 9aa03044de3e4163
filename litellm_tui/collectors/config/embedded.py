"""Finds LiteLLM's configuration in a file of another kind: manifests, Helm values, Compose, Terraform, Markdown.

A file that is a configuration itself, or may be one that cannot be read, is left to `config_file`.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from litellm_tui.collectors.config.deployed import Manifests, read_manifests
from litellm_tui.collectors.config.embedded_nodes import Walk
from litellm_tui.collectors.config.named_config import named_by_compose
from litellm_tui.collectors.config.wrapped_text import (
    KNOWN,
    STRONG,
    Source,
    fences,
    heredocs,
    is_plain,
    is_plain_within,
    is_terraform,
    mentions_section,
)
from litellm_tui.collectors.config.yaml_problem import is_wide
from litellm_tui.model.embedded import Piece, Wrapped

_MARKDOWN: Final = (".md", ".markdown", ".mdx", ".rst")
_TERRAFORM: Final = (".tf", ".hcl", ".tfvars", ".tofu")
_TEMPLATE: Final = re.compile(r"\{\{-?[ \t]{0,20}(?:\.|if|range|with|include|toYaml|tpl|define|end|\$)")
_ENTRY: Final = re.compile(r"^[ \t-]{0,80}(?:litellm_params|model_name)[ \t]{0,20}:", re.MULTILINE)
_MOST: Final = 50
# the file that was looked into last: it is looked into again for each of its pieces and for each fix
_known: dict[str, tuple[bytes, Wrapped]] = {}


def unwrap(content: bytes, path: str) -> Wrapped | None:
    """What the file is, with the configurations in it; None for a file that is to be read as a configuration.

    `path` decides by its ending, and names the folder of the files that it names. No content raises.
    """
    digest = hashlib.sha256(content).digest()
    if (known := _known.get(path)) is not None and known[0] == digest:
        return known[1]
    found = _unwrap(content, path)
    if found is not None and found.pieces:
        found = msgspec.structs.replace(found, pieces=tuple(_named(found.pieces[:_MOST], path)))
        _known.clear()
        _known[path] = (digest, found)
    return found


def _named(pieces: tuple[Piece, ...], path: str) -> Iterator[Piece]:
    """Every piece in a folder of its own, which is not there: what it includes stands beside it in the file."""
    for number, piece in enumerate(pieces, 1):
        folder = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{number}")
        beside = tuple(
            msgspec.structs.replace(one, name=os.path.join(folder, os.path.basename(one.name))) for one in piece.beside
        )
        name = os.path.join(folder, os.path.basename(piece.name))
        yield msgspec.structs.replace(piece, name=name, beside=beside)


def _unwrap(content: bytes, path: str) -> Wrapped | None:
    if is_wide(content):
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    ending = os.path.splitext(path)[1].lower()
    if ending in _MARKDOWN or text.startswith("```") or "\n```" in text:
        return _labelled(_blocks(text, path, "a Markdown file", fences(text)), "block")
    if ending in _TERRAFORM or (is_terraform(text) and not is_plain(text)):
        return _terraform(text, path)
    if is_plain(text) or not text.strip():
        return None
    return _yaml(text, path)


def _yaml(text: str, path: str) -> Wrapped | None:
    source = Source(text)
    documents, problem = source.read()
    values = [value for _, value in documents]
    if not problem and not documents:
        # an empty file is one that LiteLLM refuses
        return None
    if not problem and len(values) == 1 and _is_configuration(values[0]):
        return None
    kind = kind_of(values, text)
    walk = Walk(path, text, inner=_inner)
    pieces = [piece for node, value in documents for piece in walk.document(source, node, value)]
    manifests = read_manifests(values, text)
    if pieces:
        return Wrapped(kind, tuple(_deployed(piece, manifests) for piece in pieces), remarks=manifests.remarks)
    if named := named_by_compose(values, path):
        files = tuple((file, manifests.of_service(service)) for file, service in named if os.path.isfile(file))
        missing = [file for file, _ in named if not os.path.isfile(file)]
        why = (
            f"it names {os.path.relpath(missing[0], os.path.dirname(path) or '.')}, which is not there"
            if missing and not files
            else ""
        )
        return Wrapped(kind, files=files, why=why, remarks=(*manifests.remarks, *manifests.asking))
    if problem:
        if _TEMPLATE.search(text):
            why = "it is a template, which is no YAML before it is rendered: audit what `helm template` makes of it"
            return Wrapped("a template of a Helm chart", why=why)
        if mentions_section(text) or _ENTRY.search(text):
            return None
        return Wrapped(kind, why=f"it is no YAML ({problem}), and names no section of LiteLLM's")
    if _resembles(values, text):
        return None
    return Wrapped(kind, why=manifests.lacks or "none of its keys is a section of LiteLLM's", remarks=manifests.asking)


def _inner(text: str, path: str, start: int, end: int) -> list[Piece] | None:
    """The configurations in a text that stands in another file; None where the text is one itself."""
    if is_plain_within(text[start:end]):
        return None
    source = Source(text, start, end)
    documents, problem = source.read()
    if problem:
        # what is wrong with it is said when it is loaded
        return None
    values = [value for _, value in documents]
    if any(isinstance(value, dict) and KNOWN & value.keys() for value in values):
        return None
    walk = Walk(path, text, inner=_inner)
    manifests = read_manifests(values, text)
    found = [piece for node, value in documents for piece in walk.document(source, node, value)]
    return [_deployed(piece, manifests) for piece in found]


def _blocks(text: str, path: str, kind: str, blocks: Iterator[tuple[int, int, str]]) -> Wrapped:
    pieces: list[Piece] = []
    looked = 0
    for start, end, _ in blocks:
        if not mentions_section(text[start:end]) or (looked := looked + 1) > _MOST:
            continue
        inner = _inner(text, path, start, end)
        if inner is None:
            pieces.append(Walk(path, text, inner=_inner).whole(start, end, "block"))
        else:
            pieces += inner
    return Wrapped(kind, tuple(pieces), why="" if pieces else "no block of YAML in it has a section of LiteLLM's")


def _labelled(wrapped: Wrapped, word: str) -> Wrapped:
    """Every piece with a label by its line."""
    pieces = tuple(
        msgspec.structs.replace(
            piece,
            label=(f"{word} at line {piece.lines[0]}" + ("" if piece.label == "block" else f", {piece.label}")),
        )
        for piece in wrapped.pieces
    )
    return msgspec.structs.replace(wrapped, pieces=pieces)


def _terraform(text: str, path: str) -> Wrapped:
    kind = "a Terraform file"
    found = _labelled(_blocks(text, path, kind, ((a, b, "") for a, b in heredocs(text))), "heredoc")
    remarks = []
    if "yamlencode(" in text or "jsonencode(" in text:
        remarks.append("what yamlencode makes is not readable here: audit the file that Terraform renders")
    if found.pieces:
        pieces = tuple(_filled_in(piece, "Terraform") for piece in found.pieces)
        return Wrapped(kind, pieces, remarks=tuple(remarks))
    why = "no heredoc in it has a section of LiteLLM's"
    return Wrapped(kind, why=remarks[0] if remarks else why)


def _deployed(piece: Piece, manifests: Manifests) -> Piece:
    """The piece with what the other documents say of its process; Compose fills in variables before."""
    known = piece.deployed or manifests.of_piece(piece.label)
    piece = msgspec.structs.replace(piece, deployed=known, defaults=piece.defaults or manifests.defaults(piece))
    return _filled_in(piece, "Compose") if manifests.compose else piece


_INSERTED: Final = re.compile(r"(?<!\$)\$\{([^{}\n\"']{1,200})\}")
_WHOLE: Final = re.compile(
    r"""((?::|-)[ \t]{1,20}["']?)\$\{([A-Za-z_]\w{0,100})[^{}\n]{0,100}\}(?=["']?[ \t]{0,40}(?:#|\r?$))""", re.M
)


def _filled_in(piece: Piece, by: str) -> Piece:
    """The piece with references in the place of what is filled in before LiteLLM sees it."""
    if "${" not in piece.text:
        return piece
    text = _WHOLE.sub(lambda found: f"{found[1]}os.environ/{found[2]}", piece.text)
    text = _INSERTED.sub(lambda found: "x" * len(found[0]), text)
    why = f"{by} fills in what stands in ${{…}} here, so that --fix does not write into it"
    return msgspec.structs.replace(piece, text=text, unfixable=why)


def _is_configuration(value: Any) -> bool:
    return isinstance(value, dict) and any(key in STRONG for key in value if isinstance(key, str))


def _resembles(values: list[Any], text: str) -> bool:
    """Whether it looks like a configuration whose sections are misspelt, or have none of the well-known names."""
    if len(values) > 1 or not values:
        return False
    value = values[0]
    if not isinstance(value, dict):
        return bool(_ENTRY.search(text))
    keys = [key for key in value if isinstance(key, str)]
    if {"apiVersion", "kind"} <= set(keys) or "services" in keys:
        return False
    if KNOWN & set(keys) or (isinstance(value, dict) and not keys):
        return True
    return bool(_ENTRY.search(text)) or any(difflib.get_close_matches(key, STRONG, 1, 0.8) for key in keys)


def kind_of(values: list[Any], text: str) -> str:
    """What kind of file these documents are, with an article."""
    mappings = [value for value in values if isinstance(value, dict)]
    kinds = [str(value["kind"]) for value in mappings if "apiVersion" in value and isinstance(value.get("kind"), str)]
    if kinds:
        known = [kind for kind in kinds if kind in ("ConfigMap", "Secret", "HelmRelease", "Application")]
        more = f" of {len(kinds)} objects" if len(kinds) > 1 else ""
        if more:
            return f"a Kubernetes manifest{more}"
        return f"a Kubernetes {(known or kinds)[0]}"
    if any(isinstance(value.get("services"), dict) for value in mappings):
        return "a Compose file"
    if any(_is_values(value) for value in mappings):
        return "the values of a Helm chart"
    if any(isinstance(value, dict) for value in values):
        return "a YAML file of another kind"
    return "a file of another kind"


def _is_values(value: dict[Any, Any]) -> bool:
    signs = ("replicaCount", "image", "proxy_config", "gateway", "ingress", "service", "fullnameOverride", "configMaps")
    return any(key in value for key in signs)
