"""Guardrails of the file: what ends the start, and what LiteLLM leaves out without which it starts unprotected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit import declared, guardrail_needs, shapes, surroundings
from litellm_tui.audit.catalogue.nearest import nearest as close_names
from litellm_tui.audit.guardrail_needs import MODES
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.shapes import fits, kind_of
from litellm_tui.audit.subject import UNKNOWN, Subject
from litellm_tui.model.edits import Path, SetValue

_INIT: Final = "litellm/proxy/guardrails/guardrail_registry.py, initialize_guardrail (1.77.7, 1.106.2, 1.109.3)"
_OLD: Final = "litellm/proxy/guardrails/init_guardrails.py, initialize_guardrails (1.77.7, 1.106.2)"
# until 1.97 whatever a guardrail raises ends the start; the first release seen that skips a ValueError is 1.103
_ALL_FATAL_UNTIL: Final = "1.97"
# SupportedGuardrailIntegrations in types/guardrails.py of 1.77.7, 1.106.2 and 1.109.3
_KINDS: Final = frozenset(
    {
        *("aporia", "bedrock", "dynamoai", "guardrails_ai", "lakera", "lakera_v2", "presidio", "hide-secrets"),
        *("hiddenlayer", "aim", "cato_networks", "pangea", "crowdstrike_aidr", "lasso", "pillar", "grayswan"),
        *("panw_prisma_airs", "cisco_ai_defense", "azure/prompt_shield", "azure/text_moderations", "model_armor"),
        *("openai_moderation", "noma", "noma_v2", "tool_permission", "zscaler_ai_guard", "javelin", "enkryptai"),
        *("ibm_guardrails", "litellm_content_filter", "mcp_security", "onyx", "promptguard", "xecguard"),
        *("prompt_security", "generic_guardrail_api", "qualifire", "custom_code", "ovalix", "microsoft_purview"),
        *("semantic_guard", "mcp_end_user_permission", "block_code_execution", "akto", "mcp_jwt_signer"),
        *("llm_as_a_judge", "deepkeep", "qostodian_nexus", "rubrik", "vigil_guard", "repelloai", "singulr"),
        *("headroom", "compresr", "typesafe", "straiker", "alice", "agent_365", "llm_shield_proxy", "conduct"),
        "decision_model",
    }
)
_LATER_KINDS: Final = frozenset({"reco", "airia", "wingback"})
"""What 1.109.3 has besides; 1.106.2 has none of them."""
_OLD_KEYS: Final = ("callbacks", "default_on", "logging_only", "enabled_roles", "callback_args")


@rule(
    "guardrail-shape",
    "fatal",
    "A guardrail that ends the start",
    why="LiteLLM takes guardrail_name and litellm_params from each entry, and does not start when one is not there. "
    "Below litellm_settings the old form is read: `- NAME: {callbacks: [...]}`.",
    source=f"{_INIT}; {_OLD}",
    fix="write `- guardrail_name: NAME` and litellm_params with guardrail and mode, at the top level",
)
def guardrail_shape(subject: Subject) -> Iterator[Hit | Right]:
    listed = subject.data.get("guardrails")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        path: Path = ("guardrails", index)
        if not isinstance(item, dict):
            yield Hit(f"a guardrail must be a mapping, and is {kind_of(item)}", path)
            continue
        name = shapes.resolved(subject, item.get("guardrail_name"))
        if name is not UNKNOWN and not isinstance(name, str):
            what = "has no guardrail_name" if name is None else f"has {kind_of(name)} as guardrail_name"
            yield Hit(f"guardrail {index + 1} {what}", path, "give it a guardrail_name")
        if "litellm_params" not in item:
            yield Hit(
                f"{_called(item, index)} has no litellm_params", path, "put guardrail and mode below litellm_params"
            )
        elif not isinstance(item["litellm_params"], dict | None) and not _skipped(subject, item["litellm_params"]):
            yield Hit(
                f"litellm_params of {_called(item, index)} is {kind_of(item['litellm_params'])}, not a mapping",
                (*path, "litellm_params"),
            )
    yield from _old_form(subject)


@rule(
    "guardrail-prerequisite",
    "fatal",
    "A guardrail without what its class needs",
    why="The class of the guardrail raises when neither litellm_params nor a variable gives it what it needs, and "
    "LiteLLM does not start.",
    source="litellm/proxy/guardrails/guardrail_hooks (1.77.7, 1.106.2, 1.109.3)",
    fix="set it in litellm_params, or the variable in LiteLLM's environment",
)
def guardrail_prerequisite(subject: Subject) -> Iterator[Hit | Right]:
    for path, item, params in _entries(subject):
        kind = shapes.resolved(subject, params.get("guardrail"))
        for need in guardrail_needs.needs(guardrail_needs.ENDS, subject, kind, params):
            if need.package:
                if subject.packages is not None and need.package not in subject.packages:
                    called = f"{_called(item, int(path[1]))} ({kind})"
                    yield Hit(f"{called}: {need.package} is not installed: LiteLLM does not start", path)
                continue
            given = guardrail_needs.given(subject, need, params)
            if given:
                continue
            text = f"{_called(item, int(path[1]))} ({kind}): {need.key} is not set"
            if given is False:
                named = f" nor is {' or '.join(need.variables)}" if need.variables else ""
                yield Hit(f"{text}{named}: LiteLLM does not start", path)
            elif given is None:
                wanted = " or ".join(need.variables)
                yield Hit(f"{text} here: LiteLLM starts only with {wanted} set", path, severity="warning")
    for path, name in (*surroundings.named_callbacks(subject), *surroundings.default_callbacks(subject)):
        if path[1] in ("callbacks", "guardrails") and name == "presidio":
            own = subject.section("callback_settings").get("presidio")
            params = own if isinstance(own, dict) else {}
            for need in guardrail_needs.ENDS["presidio"]:
                given = surroundings.is_set(subject, *need.variables)
                if not params.get(need.key) and not given:
                    yield Hit(
                        f"the callback presidio needs {need.variables[0]} in the environment",
                        path,
                        severity=None if given is False else "warning",
                    )


@rule(
    "guardrail-left-out",
    "error",
    "A guardrail that LiteLLM leaves out",
    why="Since 1.103 at the latest LiteLLM skips a guardrail whose settings it refuses, and starts WITHOUT it: "
    "requests pass unchecked. Until 1.97 it did not start.",
    source="litellm/proxy/guardrails/init_guardrails.py, init_guardrails_v2 (1.97.0, 1.103.0, 1.106.2)",
    fix="write a guardrail and a mode that LiteLLM has",
)
def guardrail_left_out(subject: Subject) -> Iterator[Hit | Right]:
    fatal = subject.runs(until=_ALL_FATAL_UNTIL)
    what = "LiteLLM does not start" if fatal else "LiteLLM starts WITHOUT this guardrail"
    for path, item, params in _entries(subject):
        called = _called(item, int(path[1]))
        for text, place, near in _refused(subject, params, (*path, "litellm_params")):
            edits = (SetValue(place, near),) if near else ()
            yield Hit(
                f"{called}: {text}: {what}",
                place,
                f"write {near}" if near else "",
                edits,
                f"whether {near} is what is meant" if near else "",
                severity="fatal" if fatal else None,
            )
        # which of the older releases ask for what is not known here
        for need, sure in _lacking(subject, params) if subject.runs(since=guardrail_needs.READ[0]) else ():
            keys, variables = " or ".join((need.key, *need.others)), " or ".join(need.variables)
            text = f"{called}: {keys} is not set" + (f" nor is {variables}" if sure and variables else "")
            then = f": {what}" if sure else f" here: LiteLLM starts WITHOUT this guardrail unless {variables} is set"
            do = f"set {keys} in litellm_params" + (f", or {variables} in LiteLLM's environment" if variables else "")
            yield Hit(text + then, path, do, severity=None if sure else "warning")
    listed = subject.data.get("guardrails")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict) and "litellm_params" in item and _skipped(subject, item["litellm_params"]):
            yield Hit(
                f"{_called(item, index)}: litellm_params is {kind_of(item['litellm_params'])}: {what}",
                ("guardrails", index, "litellm_params"),
                severity="fatal" if fatal else None,
            )


def _skipped(subject: Subject, params: Any) -> bool:
    """Whether the settings are of a kind that LiteLLM refuses with a TypeError, for which it skips the guardrail."""
    return params is None or (isinstance(params, bool | int | float) and not subject.runs(until=_ALL_FATAL_UNTIL))


def _known(subject: Subject) -> frozenset[str]:
    """The kinds of guardrails that the version may have: those of a release between two that were read are taken in."""
    return _KINDS if subject.runs(until="1.106") else _KINDS | _LATER_KINDS


def _refused(subject: Subject, params: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Path, str]]:
    """What LiteLLM refuses in the settings of a guardrail, the place, and what may be meant instead."""
    kind = shapes.resolved(subject, params.get("guardrail"))
    if kind is not UNKNOWN and not isinstance(kind, str):
        yield f"guardrail is {'not set' if kind is None else kind_of(kind)}", (*path, "guardrail"), ""
    elif isinstance(kind, str) and "." not in kind and kind not in _known(subject) and not subject.runs(since="1.110"):
        yield (
            f"there is no guardrail {kind!r}",
            (*path, "guardrail"),
            next(iter(close_names(kind, _known(subject))), ""),
        )
    yield from _wrong_mode(subject, guardrail_needs.kind_of_guardrail(subject, params), params, path)
    for where, text in guardrail_needs.wrong_fields(subject, params, path):
        yield text, where, ""


def _wrong_mode(subject: Subject, kind: Any, params: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Path, str]]:
    mode = shapes.resolved(subject, params.get("mode"))
    where: Path = (*path, "mode")
    if mode is None:
        yield "mode is not set", where if "mode" in params else path, ""
    elif isinstance(mode, dict) and not isinstance(mode.get("tags"), dict):
        yield "mode is a mapping without tags, a mapping of their modes", where, ""
    elif mode is not UNKNOWN and not isinstance(mode, dict) and not fits(mode, "text") and not fits(mode, "texts"):
        yield f"mode is {kind_of(mode)}", where, ""
    able = guardrail_needs.modes_of(kind, subject) if isinstance(kind, str) else MODES
    for one in dict.fromkeys(_modes(mode)):
        if one not in MODES:
            near = next(iter(close_names(one, MODES)), "") if isinstance(mode, str) else ""
            yield f"there is no mode {one!r}", where, near
        elif one not in able:
            others = ", ".join(sorted(able))
            yield f"{kind} has no mode {one}, only {others}", where, ""


def _modes(mode: Any) -> Iterator[str]:
    """The modes that are named: one, a list, or those of tags."""
    listed: list[Any] = mode if isinstance(mode, list) else [mode]
    if isinstance(mode, dict):
        tags = mode.get("tags")
        listed = [mode.get("default"), *(tags.values() if isinstance(tags, dict) else ())]
    for one in listed:
        yield from (inside for inside in (one if isinstance(one, list) else [one]) if isinstance(inside, str))


def _lacking(subject: Subject, params: Mapping[str, Any]) -> Iterator[tuple[guardrail_needs.Need, bool]]:
    """What the class of the guardrail refuses to go without, and whether it is known to be missing."""
    kind = guardrail_needs.kind_of_guardrail(subject, params)
    for need in guardrail_needs.needs(guardrail_needs.LEFT_OUT, subject, kind, params):
        if not (given := guardrail_needs.given(subject, need, params)):
            yield need, given is False


def _old_form(subject: Subject) -> Iterator[Hit]:
    """litellm_settings.guardrails, the form before 1.50."""
    listed = subject.section("litellm_settings").get("guardrails")
    path: Path = ("litellm_settings", "guardrails")
    if listed is None and "guardrails" not in subject.section("litellm_settings"):
        return
    if not isinstance(listed, list):
        if not (isinstance(listed, str) and not listed) and listed != {}:
            yield Hit(f"litellm_settings.guardrails must be a list, and is {kind_of(listed)}", path)
        return
    for index, item in enumerate(listed):
        if not isinstance(item, dict):
            yield Hit(f"an item of litellm_settings.guardrails is {kind_of(item)}, not a mapping", (*path, index))
        elif "guardrail_name" in item or "litellm_params" in item:
            yield Hit(
                "this form of a guardrail is read at the top level, not below litellm_settings",
                (*path, index),
                "move `guardrails:` to the top level of the file",
            )
        else:
            for name, block in item.items():
                if text := _old_fault(subject, block):
                    yield Hit(f"guardrail {name!r}: {text}", (*path, index, str(name)))


def _old_fault(subject: Subject, block: Any) -> str:
    if not isinstance(block, dict):
        return f"it must be a mapping, and is {kind_of(block)}"
    if unknown := [str(key) for key in block if key not in _OLD_KEYS]:
        return f"{unknown[0]} is none of {', '.join(_OLD_KEYS)}"
    where, text = next(declared.faults(subject, block, declared.OLD_GUARDRAIL, ()), ((), ""))
    return f"{'.'.join(map(str, where))} {text}".strip()


def _entries(subject: Subject) -> Iterator[tuple[Path, Mapping[str, Any], Mapping[str, Any]]]:
    """The guardrails of the top level that are mappings with a mapping of litellm_params."""
    listed = subject.data.get("guardrails")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        params = item.get("litellm_params") if isinstance(item, dict) else None
        if isinstance(item, dict) and isinstance(params, dict):
            yield ("guardrails", index), item, params


def _called(item: Mapping[str, Any], index: int) -> str:
    name = item.get("guardrail_name")
    return f"guardrail {name!r}" if isinstance(name, str) else f"guardrail {index + 1}"
