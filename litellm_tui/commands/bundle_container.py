"""What a bundle holds of a container: the files that it is made from, and what its engine says of it.

No value of a variable is in it, whatever its name: compose files, `.env` and `docker inspect` show the names alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from litellm_tui.analysis.redaction.redactor import MASK
from litellm_tui.commands.bundle_part import Ask, Part, read_part, text_part
from litellm_tui.commands.look import Look
from litellm_tui.model.service_kinds import Compose, Docker
from litellm_tui.services.detail import mask_secret_values

_ASSIGNED: Final = re.compile(r"^([^\S\n]*+(?:export[^\S\n]++)?[\w.\-]++[^\S\n]*+[=:])([^\n]*+)")
_DEEPEST: Final = 20


def is_container(seen: Look) -> bool:
    """Whether the service is a container of an engine."""
    return isinstance(seen.profile.service, Compose | Docker)


def container_parts(seen: Look, ask: Ask) -> Iterator[Part]:
    """The files that the container is made from, and what `docker inspect` prints of it."""
    unit = seen.profile.found_unit
    files = unit.definition_files if unit else ()
    if not files and isinstance(seen.profile.service, Compose):
        yield Part("compose", missing="its compose file is not known here")
    for number, path in enumerate(files):
        name = f"compose/{number}-{Path(path).name}"
        text = read_part(path)
        if isinstance(text, Part):
            yield Part(name, missing=f"{path}: {text.missing}")
            continue
        shown = masked_definition(text, seen.redact) if path.endswith((".yaml", ".yml")) else masked_variables(text)
        if shown is None:
            yield Part(name, missing=f"{path}: it is no YAML, so it is not known what of it is a secret")
        else:
            yield text_part(name, shown, seen.redact, shown.count(MASK) - text.count(MASK))
    yield _inspected(seen, ask)


def masked_variables(text: str) -> str | None:
    """A file of variables with its names alone; None where a value goes over several lines."""
    lines = []
    for line in text.split("\n"):
        found = _ASSIGNED.match(line)
        if line.lstrip().startswith("#") or not line.strip():
            lines.append(line)
            continue
        value = found[2].strip() if found else ""
        if value[:1] in ("'", '"') and not (len(value) > 1 and value.endswith(value[0])):
            return None
        lines.append(f"{found[1]}{MASK if value else ''}" if found else MASK)
    return "\n".join(lines)


def masked_definition(text: str, redact: Callable[[str], str]) -> str | None:
    """A compose file with no value of a variable in it; None where it cannot be read."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    spans = sorted(set(_values(root, 0)), reverse=True)
    end = len(text)
    for start, stop in spans:
        if stop <= end:
            text = f"{text[:start]}{MASK}{text[stop:]}"
            end = start
    return mask_secret_values(text, redact)


def _values(node: yaml.Node | None, depth: int) -> Iterator[tuple[int, int]]:
    """Where the values of `environment:` and of build arguments stand."""
    if depth > _DEEPEST:
        return
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _values(item, depth + 1)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        if key.value in ("environment", "args", "x-environment"):
            yield from _assigned(value)
        else:
            yield from _values(value, depth + 1)


def _assigned(node: yaml.Node) -> Iterator[tuple[int, int]]:
    if isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            # a reference says where the value comes from, and not what it is
            if isinstance(value, yaml.ScalarNode) and value.value and not value.value.startswith("$"):
                yield value.start_mark.index, value.end_mark.index
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            name, equals, value = str(item.value).partition("=")
            if equals and value and not value.startswith("$"):
                # the quotes around it, where there are some, are a part of the node
                quote = item.style if item.style in ("'", '"') else ""
                yield item.start_mark.index + len(quote) + len(name) + 1, item.end_mark.index - len(quote)


def _inspected(seen: Look, ask: Ask) -> Part:
    service, settings = seen.snapshot.service.value, seen.profile.service
    container = service.invocation.split(" ")[0] if service else ""
    client = (
        settings.docker if isinstance(settings, Compose) else settings.client if isinstance(settings, Docker) else ""
    )
    if not container:
        return Part("inspect.json", missing="there is no container")
    try:
        said = ask([client, "inspect", "--type", "container", container])
        found = msgspec.json.decode(said, type=list[dict[str, Any]])
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Part("inspect.json", missing=str(error) or "docker inspect printed something else than its JSON")
    masks = 0
    for entry in found:
        config = entry.get("Config")
        variables = config.get("Env") if isinstance(config, dict) else None
        if isinstance(config, dict) and isinstance(variables, list):
            config["Env"] = [f"{str(variable).partition('=')[0]}={MASK}" for variable in variables]
            masks += len(variables)
    shown = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    masked = mask_secret_values(shown, seen.redact)
    return text_part("inspect.json", masked, seen.redact, masks + masked.count(MASK) - shown.count(MASK))
