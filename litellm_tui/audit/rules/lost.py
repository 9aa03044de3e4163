"""Secrets and callbacks that are lost: credentials nobody can read, variables that do not arrive, callbacks without."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit import surroundings
from litellm_tui.audit.rule import Hit, rule
from litellm_tui.audit.subject import Subject, reference
from litellm_tui.model.edits import Path

_KEYS: Final = ("vertex_credentials", "vertex_ai_credentials")
_PATH: Final = re.compile(r"[/\\~]|\.json$", re.IGNORECASE)
# what each raises when it is made, where the variable is missing (litellm/integrations, 1.77.7 and 1.106.2)
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "braintrust": ("BRAINTRUST_API_KEY",),
    "deepeval": ("CONFIDENT_API_KEY",),
    "lago": ("LAGO_API_KEY", "LAGO_API_BASE", "LAGO_API_EVENT_CODE"),
    "posthog": ("POSTHOG_API_KEY",),
    "datadog": ("DD_API_KEY", "DD_SITE"),
}
_AGENT: Final = "LITELLM_DD_AGENT_HOST"
# variables that LiteLLM asks for by itself
_ASKED: Final = re.compile(r"(?:LITELLM|DATABASE|REDIS|OPENAI|ANTHROPIC|AZURE|AWS|GEMINI|LANGFUSE|SLACK)_\w{1,80}")
_LONGEST: Final = 20_000


@rule(
    "unreadable-vertex-credentials",
    "error",
    "Vertex credentials that are neither JSON nor a file",
    why="LiteLLM takes vertex_credentials for the path of a file where there is one, and else for JSON. With what is "
    "neither every request fails.",
    source="litellm/llms/vertex_ai/vertex_llm_base.py, VertexBase.load_auth (1.106.2, 1.77.7)",
    fix="name the file of the service account as LiteLLM sees it, or write its JSON, in one line, into a variable",
)
def unreadable_vertex_credentials(subject: Subject) -> Iterator[Hit]:
    for path, value in _credentials(subject):
        found = surroundings.resolve(subject, value)
        if not isinstance(found, str) or not found or len(found) > _LONGEST:
            continue
        is_path = bool(_PATH.search(found)) and not found.lstrip().startswith("{")
        lost = found in subject.absent_files
        if not lost and (is_path or _is_json(found)):
            continue
        name = reference(value)
        whose = f"{path[-1]} {f'(from {name}) ' if name else ''}".rstrip()
        if lost and is_path and subject.runtime is None:
            # another machine or a container may have it
            text = f"{whose} names a file that is not on this machine: every request fails where LiteLLM has none"
            yield Hit(text, path, severity="warning")
        else:
            what = "names a file that is not there" if lost and is_path else "is neither JSON nor the path of a file"
            yield Hit(f"{whose} {what}: every request fails", path)


def vertex_credentials(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every value of Vertex credentials in a configuration, with its path."""
    listed = data.get("model_list")
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        params = entry.get("litellm_params") if isinstance(entry, dict) else None
        for key in _KEYS:
            if isinstance(params, dict) and key in params:
                yield ("model_list", index, "litellm_params", key), params[key]
    listed = data.get("credential_list")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        values = item.get("credential_values") if isinstance(item, dict) else None
        for key in _KEYS:
            if isinstance(values, dict) and key in values:
                yield ("credential_list", index, "credential_values", key), values[key]


def _credentials(subject: Subject) -> Iterator[tuple[Path, Any]]:
    yield from vertex_credentials(subject.data)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


@rule(
    "callback-without-variables",
    "error",
    "A callback that will not be called",
    why="The callback looks for its variables when it is made. Where one is missing that fails with `[Non-Blocking "
    "Error] Error initializing custom logger`, LiteLLM goes on, and nothing is sent.",
    source="litellm/litellm_core_utils/litellm_logging.py, _init_custom_logger_compatible_class (1.106.2, 1.77.7)",
    fix="set the variable in the environment of LiteLLM, or take the callback out",
)
def callback_without_variables(subject: Subject) -> Iterator[Hit]:
    for path, name in surroundings.named_callbacks(subject):
        if path[1] == "service_callback" or name not in _NEEDED:
            continue
        if name == "datadog" and surroundings.is_set(subject, _AGENT) is not False:
            continue
        missing = [variable for variable in _NEEDED[name] if surroundings.variable(subject, variable) is None]
        if missing:
            yield Hit(f"{name} needs {' and '.join(missing)}, which is not set: it is never called", path)


@rule(
    "environment-line-lost",
    "error",
    "A line of an environment file that is not taken as it is meant",
    why="Files of variables look like a shell's, and are read by other programs: each has rules of its own for export, "
    "quotes, blanks, comments and line ends. What it does not take is left out, or comes in with the value.",
    source="systemd.exec(5), EnvironmentFile=; docs.docker.com/reference/cli/docker/container/run, --env-file",
    fix="write NAME=value, with plain line ends and without export, quotes, blanks around the = and comments behind it",
)
def environment_line_lost(subject: Subject) -> Iterator[Hit]:
    if not subject.lines:
        return
    used = set(_names(subject.data))
    for line in subject.lines:
        if any(name in used or _ASKED.fullmatch(name) for name in line.names):
            yield Hit(line.text, mark=line.mark, severity=line.severity)


def _names(data: Any) -> Iterator[str]:
    """Every variable that the file refers to."""
    pending, seen = [data], set[int]()
    while pending:
        value = pending.pop()
        if isinstance(value, dict | list):
            if id(value) not in seen:
                seen.add(id(value))
                pending.extend(value.values() if isinstance(value, dict) else value)
        elif (name := reference(value)) is not None:
            yield name
