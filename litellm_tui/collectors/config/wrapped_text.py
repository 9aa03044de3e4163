"""Finds texts in a file: YAML documents, block scalars, fenced blocks of Markdown, heredocs of Terraform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from litellm_tui.collectors.config.nesting import too_deep
from litellm_tui.model.edits import Path

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST: Final = 200
_NOT_BREAKS: Final = re.compile(r"[^\n]+")
# sections that no other program's file has at such a place; the others have names that others use too
STRONG: Final = ("model_list", "litellm_settings", "router_settings", "general_settings")
_NAMES: Final = "|".join(STRONG)
_SECTION: Final = re.compile(rf"""(?:^|[{{,\n])[ \t]{{0,200}}["']?(?:{_NAMES})["']?[ \t]{{0,80}}:""")
# every key of the top level that LiteLLM reads
KNOWN: Final = frozenset(
    {
        *STRONG,
        *("environment_variables", "include", "callback_settings", "credential_list", "search_tools", "sandbox_tools"),
        *("guardrails", "policies", "policy_attachments", "prompts", "mcp_servers", "mcp_tools", "mcp_aliases"),
        *("vector_store_registry", "assistant_settings", "finetune_settings", "files_settings", "agents"),
        *("default_vertex_config", "agent_list", "worker_registry", "enable_jwt_auth", "litellm_jwtauth"),
    }
)
_PLAIN: Final = re.compile(rf"""^\ufeff?["']?(?:{_NAMES})["']?[ \t]{{0,80}}:""", re.MULTILINE)
_FIRST: Final = re.compile(r"^([ ]{0,200})(?![ #\r\n])", re.MULTILINE)
_LEFT: Final = re.compile(rf"^([ ]{{0,200}})(?:{_NAMES})[ \t]{{0,80}}:", re.MULTILINE)
_FENCE: Final = re.compile(r"^([ \t>]{0,40})(`{3,20}|~{3,20})[ \t]{0,20}([^\n`]{0,200})$", re.MULTILINE)
_YAML_FENCES: Final = frozenset({"", "yaml", "yml", "litellm", "conf", "config", "text", "txt", "json"})
_HEREDOC: Final = re.compile(r"<<-?[ \t]{0,20}[\"']?([A-Za-z_][\w-]{0,80})[\"']?[ \t]{0,80}\r?\n")
_TERRAFORM: Final = re.compile(
    r"""^[ \t]{0,40}(?:resource|data|module|variable|output|provider|locals|terraform)\b[^\n=:]{0,200}\{""",
    re.MULTILINE,
)


def mentions_section(text: str) -> bool:
    """Whether a section of LiteLLM's stands in the text as a key."""
    return _SECTION.search(text) is not None


def is_plain(text: str) -> bool:
    """Whether a section of LiteLLM's is a key at the very left, as in a configuration itself."""
    return _PLAIN.search(text) is not None


def is_plain_within(text: str) -> bool:
    """As `is_plain`, for a text that is indented as its first line is."""
    first = _FIRST.search(text)
    if first is None:
        return False
    indented = _LEFT.finditer(text)
    return any(found[1] == first[1] for found in indented)


def is_terraform(text: str) -> bool:
    """Whether the text has a block of Terraform's language."""
    return _TERRAFORM.search(text) is not None


def padding(text: str, start: int) -> str:
    """Line breaks and blanks that put what follows where it stands in the text."""
    line = text.rfind("\n", 0, start) + 1
    return _NOT_BREAKS.sub("", text[:line]) + " " * (start - line)


def place(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 1, of a character."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


class Source:
    """A part of a file that holds YAML; the marks of what is parsed are places in the whole text."""

    def __init__(self, text: str, start: int = 0, end: int | None = None) -> None:
        self.text = text
        self.start = start
        self.end = len(text) if end is None else end
        before = padding(text, start)
        self.content = before + text[start : self.end]
        # libyaml's marks do not count a byte order mark
        self._shift = start - len(before) + self.content.startswith("\ufeff")

    def index(self, mark: Any) -> int:
        """The character of the whole text at which a mark stands."""
        return int(mark.index) + self._shift

    def read(self) -> tuple[list[tuple[Any, Any]], str]:
        """Each YAML document's node and value, and what is no YAML behind them; "" where all of it is.

        A value that PyYAML cannot build is None.
        """
        found: list[tuple[Any, Any]] = []
        try:
            if too_deep(self.content.encode("utf-8", "surrogatepass"), _DEEPEST, _Loader):
                return found, "nested too deeply"
            loader = _Loader(self.content)
            try:
                while loader.check_node():
                    node = loader.get_node()
                    found.append((node, _value(loader, node)))
            finally:
                loader.dispose()
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            said = str(getattr(error, "problem", None) or error).splitlines()
            return found, said[0] if said else "not YAML"
        return found, ""


def _value(loader: Any, node: Any) -> Any:
    try:
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError, LookupError, OverflowError, AttributeError, RecursionError):
        # PyYAML's constructors raise more than its own errors on values that do not fit their tags
        return None


def part_at(node: Any, path: Path) -> Any:
    """The node at a path, as PyYAML loads it: of a repeated key the last."""
    for part in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in reversed(node.value) if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            return None
    return node


def literal_bounds(source: Source, node: Any) -> tuple[int, int]:
    """Where the lines of a block scalar begin and end in the whole text; a `---` at its head is left out."""
    text = source.text
    start = text.find("\n", source.index(node.start_mark)) + 1 or source.end
    end = source.index(node.end_mark)
    if end < source.end and text[end - 1 : end] != "\n":
        # the mark stands before what follows the scalar, behind its indentation
        end = text.rfind("\n", start, end) + 1 or start
    at = start
    for line in text[start:end].splitlines(keepends=True):
        at += len(line)
        if line.strip() == "---":
            return at, end
        if line.strip() and not line.lstrip().startswith("#"):
            break
    return start, max(start, end)


def fences(text: str) -> Iterator[tuple[int, int, str]]:
    """The inside of each fenced block of Markdown that may be YAML, with the word behind its fence.

    A block in a quotation (`>`) is left out: its lines are not YAML as they stand.
    """
    opened: re.Match[str] | None = None
    for found in _FENCE.finditer(text):
        if opened is None:
            opened = found
        elif found[2][0] == opened[2][0] and len(found[2]) >= len(opened[2]) and not found[3].strip():
            word = (opened[3].split() or [""])[0].strip("{}.").lower()
            if ">" not in opened[1] and word in _YAML_FENCES:
                yield opened.end() + 1, text.rfind("\n", 0, found.start() + 1) + 1, word
            opened = None


def heredocs(text: str) -> Iterator[tuple[int, int]]:
    """The lines of each heredoc of Terraform's language."""
    at = 0
    while found := _HEREDOC.search(text, at):
        line = found.end()
        while line < len(text):
            stop = text.find("\n", line)
            stop = len(text) if stop < 0 else stop
            if text[line:stop].strip() == found[1]:
                yield found.end(), line
                break
            line = stop + 1
        at = max(line, found.end())


def quoted_places(text: str, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The line and column at which each line of a double-quoted scalar begins: behind its `\\n`."""
    line, column = place(text, start)
    found = [(line, column + 1)]
    at = start + 1
    while at < end:
        letter = text[at]
        if letter == "\\":
            if text[at + 1 : at + 2] == "n":
                found.append((line, column + (at + 2 - start)))
            at += 2 if text[at + 1 : at + 2] != "\n" else 1
            continue
        if letter == "\n":
            line, column, start = line + 1, 1, at + 1
        at += 1
    return tuple(found)
