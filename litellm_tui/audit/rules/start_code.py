"""Code and patterns that stand in the file: LiteLLM compiles them at its start, and ends when that fails."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit import guardrail_needs, shapes
from litellm_tui.audit.python_names import Names
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import Subject
from litellm_tui.model.edits import Path

_FUNCTION: Final = "apply_guardrail"
# get_custom_code_primitives in custom_code/primitives.py, and what RestrictedPython's utility_builtins bring
_GIVEN: Final = frozenset(
    {
        *("allow", "block", "flag", "modify", "regex_match", "regex_match_all", "regex_replace", "regex_find_all"),
        *("json_parse", "json_stringify", "json_schema_valid", "extract_urls", "is_valid_url", "all_urls_valid"),
        *("get_url_domain", "http_request", "http_get", "http_post", "detect_code", "detect_code_languages"),
        *("contains_code_language", "contains", "contains_any", "contains_all", "word_count", "char_count", "lower"),
        *("upper", "trim", "string", "math", "random", "whrandom", "sets", "same_type", "test", "reorder"),
    }
)
# what RestrictedPython has no place for
_REFUSED: Final[tuple[tuple[type[ast.AST], str], ...]] = (
    (ast.AnnAssign, "a variable with a type"),
    (ast.Nonlocal, "nonlocal"),
    (ast.Match, "match"),
)
# longer ones are not judged
_LONGEST: Final = 100_000


@rule(
    "guardrail-code-refused",
    "fatal",
    "Code or a pattern of a guardrail that cannot be compiled",
    why="LiteLLM compiles custom_code in a sandbox that takes no import, no exec and no name with an underscore before "
    "it, and the patterns of its content filter. It does not start when that fails.",
    source="litellm/proxy/guardrails/guardrail_hooks/custom_code/custom_code_guardrail.py, _compile_custom_code; "
    "litellm_content_filter/content_filter.py, _add_pattern (1.106.2, 1.109.3)",
    fix="mend the code or the pattern",
    since=guardrail_needs.READ[0],
    until=guardrail_needs.READ[1],
)
def guardrail_code_refused(subject: Subject) -> Iterator[Hit | Right]:
    listed = subject.data.get("guardrails")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        params = item.get("litellm_params") if isinstance(item, dict) else None
        if not isinstance(params, dict) or not params.get("mode"):
            continue
        path: Path = ("guardrails", index, "litellm_params")
        kind = shapes.resolved(subject, params.get("guardrail"))
        code = shapes.resolved(subject, params.get("custom_code"))
        if kind == "custom_code" and isinstance(code, str) and (fault := _fault_of_code(code)):
            yield Hit(f"custom_code: {fault}", (*path, "custom_code"))
        elif kind == "litellm_content_filter":
            yield from _patterns(params, path)


def _patterns(params: Mapping[str, Any], path: Path) -> Iterator[Hit]:
    listed = params.get("patterns")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        pattern = item.get("pattern") if isinstance(item, dict) and item.get("pattern_type") == "regex" else None
        if isinstance(pattern, str) and (fault := shapes.fault_of_pattern(pattern)):
            yield Hit(f"pattern {index + 1} is no regular expression: {fault}", (*path, "patterns", index))


def _fault_of_code(code: str) -> str:
    """Why the sandbox refuses the code, or "" where it does not for what is known here."""
    if not code or len(code) > _LONGEST:
        return ""
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        return f"line {error.lineno or 1} of it is not Python"
    except (ValueError, RecursionError, MemoryError):
        return ""
    for node in ast.walk(tree):
        if refused := _refused(node):
            return f"line {getattr(node, 'lineno', 1)} of it has {refused}, which is not allowed there"
    for line in tree.body:
        if isinstance(line, ast.Import | ast.ImportFrom):
            return f"line {line.lineno} of it imports, which is not allowed there"
    names = Names(tree, lambda module: None, _GIVEN)
    if names.fault:
        return names.fault
    match names.thing(_FUNCTION):
        case "absent":
            return f"it does not define {_FUNCTION}(inputs, request_data, input_type)"
        case "value":
            return f"{_FUNCTION} must be a function"
    return ""


def _refused(node: ast.AST) -> str:
    for kind, words in _REFUSED:
        if isinstance(node, kind):
            return words
    match node:
        case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return f"the name {name}" if re.match(r"_\w", name) else ""
        case ast.Attribute(attr=name):
            return f"the attribute {name}" if name.startswith("_") else ""
        case ast.Call(func=ast.Name(id="exec" | "eval" as name)):
            return f"a call of {name}"
    return ""
