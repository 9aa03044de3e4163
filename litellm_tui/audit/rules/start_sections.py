"""Sections of the file that LiteLLM makes objects of at its start: an entry that it cannot make ends the start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit import shapes, surroundings
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.shapes import WORDS, Shape, fits, kind_of
from litellm_tui.audit.subject import UNKNOWN, Subject
from litellm_tui.model.edits import Path

_PROXY: Final = "litellm/proxy/proxy_server.py"
_PROMPTS: Final = frozenset({"dotprompt", "bitbucket", "gitlab", "arize_phoenix", "generic_prompt_management"})
# the first release seen that reads agents, search tools and policies from the file is 1.83; 1.77 does not
_LATER: Final = "1.83"
# the releases whose integrations were read
_PROMPTS_READ: Final = ("1.106", "1.109")
_PROMPT_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "bitbucket": ("bitbucket_config",),
    "gitlab": ("gitlab_config",),
    "arize_phoenix": ("api_key", "api_base"),
    "generic_prompt_management": ("api_base",),
}
_PIPELINE_MODES: Final = ("pre_call", "post_call")


@rule(
    "section-entry",
    "fatal",
    "An entry without what LiteLLM takes from it",
    why="LiteLLM makes an object of each entry when it starts, and ends at the first that lacks something or has it in "
    "another form. The last lines of its log then name a class and a field, not the section.",
    source=f"{_PROXY}, load_credential_list, parse_search_tools; litellm/vector_stores/vector_store_registry.py; "
    "litellm/proxy/prompts/prompt_registry.py; litellm/proxy/agent_endpoints/agent_registry.py (1.77.7, 1.106.2)",
    fix="write the entry as LiteLLM reads it",
)
def section_entry(subject: Subject) -> Iterator[Hit | Right]:
    data = subject.data
    # what is no list at all is told by wrong-kind-of-section
    yield from _each(subject, "credential_list", _credential)
    yield from _each(subject, "vector_store_registry", _vector_store)
    if data.get("prompts"):
        yield from _no_list(data["prompts"], "prompts")
        yield from _each(subject, "prompts", _prompt)
    if data.get("mcp_tools"):
        yield from _no_list(data["mcp_tools"], "mcp_tools")
        yield from _each(subject, "mcp_tools", _mcp_tool)
    if not subject.runs(since=_LATER):
        return
    agents = "agents" if "agents" in data else "agent_list"
    # it is gone through unless it is empty: false and 0 are not
    if data.get(agents) or isinstance(data.get(agents), bool | int | float):
        yield from _no_list(data[agents], agents)
        yield from _each(subject, agents, _agent)
    if data.get("search_tools"):
        yield from _no_list(data["search_tools"], "search_tools")
        yield from _each(subject, "search_tools", _search_tool)
    elif tools := subject.section("general_settings").get("search_tools"):
        yield from _other_search_tools(subject, tools)


@rule(
    "policy-refused",
    "fatal",
    "A policy that ends the start",
    why="LiteLLM checks all policies before it starts: their form, the policies that they inherit from, and whether "
    "the guardrails that they add are among those of the file, where it has any.",
    source="litellm/proxy/policy_engine/init_policies.py and policy_validator.py (1.83.0, 1.106.2)",
    fix="write the policy as LiteLLM reads it",
    since=_LATER,
)
def policy_refused(subject: Subject) -> Iterator[Hit | Right]:
    policies = subject.data.get("policies")
    if not policies:
        return
    if not isinstance(policies, dict):
        how = "write each policy as `name:` with its settings below, without `- `"
        yield Hit(f"policies must be a mapping of names, and is {kind_of(policies)}", ("policies",), how)
        return
    built = _guardrail_names(subject)
    for name, policy in policies.items():
        path: Path = ("policies", str(name))
        if not isinstance(policy, dict):
            yield Hit(f"policy {str(name)!r} must be a mapping, and is {kind_of(policy)}", path)
            continue
        yield from _policy(str(name), policy, path, built)
        parent = policy.get("inherit")
        if isinstance(parent, str) and parent not in policies:
            yield Hit(f"policy {str(name)!r} inherits from {parent!r}, which is no policy here", (*path, "inherit"))
        elif isinstance(parent, str) and _circle(str(name), policies):
            yield Hit(f"policy {str(name)!r} inherits from itself in the end", (*path, "inherit"))
    yield from _attachments(subject)


@rule(
    "pass-through-without-path",
    "fatal",
    "A pass-through endpoint without a path",
    why="LiteLLM adds a route for each endpoint when it starts, and ends when one has no path.",
    source="litellm/proxy/pass_through_endpoints/pass_through_endpoints.py (1.77.7, 1.106.2)",
    fix="write `- path: /…` with its target",
)
def pass_through_without_path(subject: Subject) -> Iterator[Hit | Right]:
    listed = subject.section("general_settings").get("pass_through_endpoints")
    # 1.77.7 ends at a text, 1.106.2 passes over it
    if isinstance(listed, str) and listed and subject.runs(until="1.77"):
        where: Path = ("general_settings", "pass_through_endpoints")
        yield Hit("pass_through_endpoints must be a list, and is a text", where)
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        path: Path = ("general_settings", "pass_through_endpoints", index)
        if not isinstance(item, dict):
            yield Hit(f"a pass-through endpoint must be a mapping, and is {kind_of(item)}", path)
        elif shapes.resolved(subject, item.get("path")) is None:
            yield Hit(f"pass-through endpoint {index + 1} has no path", path)


def _mcp_tool(subject: Subject, item: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    # one without these is passed over
    if not (item.get("name") and item.get("description") and item.get("handler")) or not subject.runs(since="1.106"):
        return
    for key in ("name", "description"):
        if not isinstance(item[key], str):
            yield f"{key} must be a text, and is {kind_of(item[key])}", (key,)
    if "input_schema" in item and not isinstance(item["input_schema"], dict):
        yield f"input_schema must be a mapping, and is {kind_of(item['input_schema'])}", ("input_schema",)


def _credential(subject: Subject, item: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    yield from _fields(subject, item, {"credential_name": "text", "credential_info": "mapping"})
    yield from _fields(subject, item, {"credential_values": "mapping"})


def _vector_store(subject: Subject, item: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    params = item.get("litellm_params")
    if params and not isinstance(params, dict):
        yield f"litellm_params is {kind_of(params)}, not a mapping", ("litellm_params",)
        return
    for key in ("vector_store_id", "custom_llm_provider"):
        if shapes.resolved(subject, (params or {}).get(key)) is None:
            where = " (it stands beside litellm_params)" if key in item else ""
            yield f"litellm_params has no {key}{where}", ("litellm_params",) if params else ()


def _prompt(subject: Subject, item: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    yield from _fields(subject, item, {"prompt_id": "text", "litellm_params": "mapping"})
    params = item.get("litellm_params")
    if not isinstance(params, dict):
        return
    for key in ("prompt_id", "dotprompt_content") if subject.runs(since="1.106") else ():
        value = shapes.resolved(subject, params.get(key))
        if value is not None and value is not UNKNOWN and not isinstance(value, str):
            yield f"litellm_params.{key} must be a text, and is {kind_of(value)}", ("litellm_params", key)
    kind = shapes.resolved(subject, params.get("prompt_integration"))
    if kind is not UNKNOWN and not isinstance(kind, str):
        yield (
            f"litellm_params.prompt_integration is {'not set' if kind is None else kind_of(kind)}",
            ("litellm_params",),
        )
    elif isinstance(kind, str) and kind not in _PROMPTS and not subject.runs(since="1.110"):
        yield f"there is no prompt_integration {kind!r}", ("litellm_params", "prompt_integration")
    elif isinstance(kind, str) and subject.runs(*_PROMPTS_READ):
        yield from _prompt_source(subject, kind, params)


def _prompt_source(subject: Subject, kind: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """What each integration asks for when it is made (prompt_initializer in litellm/integrations/*/__init__.py)."""
    base: Path = ("litellm_params",)
    needed = _PROMPT_NEEDS.get(kind, ())
    for key in needed:
        variable = "PHOENIX_API_KEY" if (kind, key) == ("arize_phoenix", "api_key") else ""
        value = shapes.resolved(subject, params.get(key))
        if value is UNKNOWN or value or (variable and surroundings.is_set(subject, variable) is not False):
            continue
        yield f"{kind} needs litellm_params.{key}" + (f", or {variable} in the environment" if variable else ""), base
    if kind == "dotprompt" and params.get("prompt_directory"):
        yield "dotprompt takes a prompt_file here, and no prompt_directory", (*base, "prompt_directory")


def _agent(subject: Subject, item: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    name, card = item.get("agent_name"), item.get("agent_card_params")
    if name and card:
        yield from _fields(subject, item, {"agent_name": "text", "agent_card_params": "mapping"})
        if "litellm_params" in item and subject.runs(since="1.106"):
            yield from _fields(subject, item, {"litellm_params": "mapping"}, optional=True)


def _search_tool(subject: Subject, item: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    if "litellm_params" in item and not isinstance(item["litellm_params"], dict):
        yield f"litellm_params is {kind_of(item['litellm_params'])}, not a mapping", ("litellm_params",)


def _other_search_tools(subject: Subject, tools: Any) -> Iterator[Hit]:
    """Search tools below general_settings, which LiteLLM reads where there are none at the top level."""
    path: Path = ("general_settings", "search_tools")
    if not isinstance(tools, list):
        yield Hit(f"search_tools must be a list, and is {kind_of(tools)}", path)
        return
    for index, item in enumerate(tools):
        if not isinstance(item, dict):
            yield Hit(f"an entry of search_tools must be a mapping, and is {kind_of(item)}", (*path, index))
        else:
            for text, where in _search_tool(subject, item):
                yield Hit(f"search_tools, entry {index + 1}: {text}", (*path, index, *where))


_CHECKS = Any


def _each(subject: Subject, section: str, check: _CHECKS) -> Iterator[Hit]:
    listed = subject.data.get(section)
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(item, dict):
            yield Hit(f"an entry of {section} must be a mapping, and is {kind_of(item)}", (section, index))
            continue
        for text, path in check(subject, item):
            yield Hit(f"{section}, entry {index + 1}: {text}", (section, index, *path))


def _fields(
    subject: Subject, item: Mapping[str, Any], wanted: Mapping[str, Shape], optional: bool = False
) -> Iterator[tuple[str, Path]]:
    for key, shape in wanted.items():
        value = shapes.resolved(subject, item.get(key))
        if value is UNKNOWN or (optional and value is None):
            continue
        if key not in item:
            yield f"{key} is missing", ()
        elif not fits(value, shape):
            yield f"{key} must be {WORDS[shape]}, and is {kind_of(value)}", (key,)


def _no_list(value: Any, section: str) -> Iterator[Hit]:
    if not isinstance(value, list):
        yield Hit(
            f"{section} must be a list, and is {kind_of(value)}", (section,), "begin each of its entries with `- `"
        )


def _policy(name: str, policy: Mapping[str, Any], path: Path, built: frozenset[str]) -> Iterator[Hit]:
    guardrails = policy.get("guardrails", {})
    blocks = guardrails if isinstance(guardrails, dict) else {"add": guardrails or None}
    base = (*path, "guardrails")
    for key in ("add", "remove"):
        value = blocks.get(key)
        if value is not None and not fits(value, "texts"):
            yield Hit(f"policy {name!r}: guardrails.{key} must be a list of names, and is {kind_of(value)}", base)
    added = blocks.get("add")
    for one in added if built and isinstance(added, list) else ():
        if isinstance(one, str) and one not in built:
            yield Hit(f"policy {name!r} adds {one!r}, which is no guardrail of this file", base)
    condition = policy.get("condition")
    if condition and not isinstance(condition, dict):
        yield Hit(f"policy {name!r}: condition must be a mapping, and is {kind_of(condition)}", (*path, "condition"))
    model = condition.get("model") if isinstance(condition, dict) else None
    if model is not None and not fits(model, "text or texts"):
        text = f"policy {name!r}: condition.model must be a text or a list of texts, and is {kind_of(model)}"
        yield Hit(text, (*path, "condition", "model"))
    pipeline = policy.get("pipeline")
    if pipeline and not isinstance(pipeline, dict):
        yield Hit(f"policy {name!r}: pipeline must be a mapping, and is {kind_of(pipeline)}", (*path, "pipeline"))
    elif pipeline:
        yield from _pipeline(name, pipeline, (*path, "pipeline"))
    for key in ("inherit", "description"):
        if policy.get(key) is not None and not isinstance(policy[key], str):
            yield Hit(f"policy {name!r}: {key} must be a text, and is {kind_of(policy[key])}", (*path, key))


def _pipeline(name: str, pipeline: Mapping[str, Any], path: Path) -> Iterator[Hit]:
    """litellm/types/proxy/policy_engine/pipeline_types.py, GuardrailPipeline (1.106.2)."""
    mode, steps = pipeline.get("mode"), pipeline.get("steps")
    if mode not in _PIPELINE_MODES:
        yield Hit(f"policy {name!r}: pipeline.mode must be one of {' and '.join(_PIPELINE_MODES)}", (*path, "mode"))
    if not isinstance(steps, list) or not steps:
        yield Hit(f"policy {name!r}: pipeline.steps must be a list of at least one step", (*path, "steps"))


def _attachments(subject: Subject) -> Iterator[Hit]:
    listed = subject.data.get("policy_attachments")
    if not listed:
        return
    yield from _no_list(listed, "policy_attachments")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        path: Path = ("policy_attachments", index)
        if not isinstance(item, dict):
            yield Hit(f"an entry of policy_attachments must be a mapping, and is {kind_of(item)}", path)
            continue
        wanted: Mapping[str, Shape] = {"policy": "text", "scope": "text"}
        lists: Mapping[str, Shape] = {"teams": "texts", "keys": "texts", "models": "texts"}
        if "policy" in item and item["policy"] is None:
            yield Hit(f"policy_attachments, entry {index + 1}: policy is empty", (*path, "policy"))
        for text, where in _fields(subject, item, {**wanted, **lists}, optional=True):
            yield Hit(f"policy_attachments, entry {index + 1}: {text}", (*path, *where))


def _guardrail_names(subject: Subject) -> frozenset[str]:
    """The names of the file's guardrails."""
    listed = subject.data.get("guardrails")
    names = (
        (item.get("guardrail_name") for item in listed if isinstance(item, dict)) if isinstance(listed, list) else ()
    )
    return frozenset(name for name in names if isinstance(name, str))


def _circle(name: str, policies: Mapping[str, Any]) -> bool:
    seen: set[str] = set()
    current: Any = name
    while isinstance(current, str) and current not in seen:
        seen.add(current)
        policy = policies.get(current)
        current = policy.get("inherit") if isinstance(policy, dict) else None
    return isinstance(current, str)
