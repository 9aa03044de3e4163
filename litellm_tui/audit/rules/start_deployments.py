"""What LiteLLM checks of a deployment before its router does: there it ends the start, and leaves nothing out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.analysis.phrases import first_of
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.shapes import fits, kind_of
from litellm_tui.audit.subject import Entry, Subject, reference
from litellm_tui.model.edits import Path

_COMPLEXITY: Final = ("complexity_router_config", "complexity_router_default_model")
_NAMES: Final = """
tiers tier_model_configs enable_non_reasoning_tier tier_definitions fallback_tier classification_prompt
classification_examples tier_labels tier_boundaries reasoning_override_min_score token_thresholds dimension_weights
custom_dimensions code_keywords reasoning_keywords technical_keywords custom_technical_keywords simple_keywords
default_model return_raw_model_name classifier_type llm_v2_config local_heuristic heuristic_v2_artifact
heuristic_v2_success_threshold classifier_llm_config capability_classifier_config opensource_classifier_config
heuristic_first_max_tier hybrid_boundary_margin classifier_plugin classifier_plugin_timeout_ms classifier_fallback
classifier_context_window_size classifier_context_budget_chars classifier_context_per_turn_chars
classifier_context_include_assistant_turns adaptive adaptive_weights tier_distance_penalty adaptive_eligible
escalation_keywords keyword_tier_rules stall_escalation_enabled stall_escalation_window
stall_escalation_repeat_threshold plan_mode_min_tier plan_mode_patterns max_tokens_from_tier_model
route_housekeeping_to_cheapest_tier housekeeping_patterns context_compaction enable_context_window_escalation
context_window_escalation_buffer modality_routing modality_pin_override semantic_keyword_matching embedding_model
match_threshold classification_mode cache_aware_routing cache_aware_routing_output_tokens
cache_aware_routing_timeout_ms session_affinity deployment_affinity session_affinity_ttl_seconds plugins
reminder_markers jev_classifier_config
"""
_SETTINGS: Final = frozenset(_NAMES.split())
"""Fields of ComplexityRouterConfig in router_strategy/complexity_router/config.py of 1.106.2 and 1.109.3."""
_WINDOW: Final = frozenset({"start", "end", "timezone", "team_ids"})
_ZONE: Final = re.compile(r"[A-Za-z0-9_+\-/]{1,64}")
_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?")


@rule(
    "deployment-refused",
    "fatal",
    "A deployment that ends the start",
    why="Most of what is wrong with a deployment makes LiteLLM leave it out. These are checked before: LiteLLM does "
    "not start.",
    source="litellm/proxy/proxy_server.py, validate_deployment_max_agentic_loops, "
    "validate_deployment_complexity_router_placement and validate_deployment_access_windows (1.106.2, 1.109.3)",
    fix="write it as LiteLLM reads it, or take it out",
    since="1.106",
)
def deployment_refused(subject: Subject) -> Iterator[Hit | Right]:
    for entry in subject.entries:
        name = entry.name or f"entry {entry.index + 1}"
        if "max_agentic_loops" in entry.params and (text := _loops(entry.params["max_agentic_loops"])):
            yield Hit(f"max_agentic_loops of {name} {text}", entry.at("max_agentic_loops"))
        if misplaced := _misplaced(entry):
            yield Hit(
                f"{first_of(misplaced, 3)} of {name} {'are settings' if len(misplaced) > 1 else 'is a setting'} of the "
                "complexity router, which reads them below complexity_router_config only",
                entry.at(misplaced[0]),
                f"move {first_of(misplaced, 3)} below complexity_router_config",
            )
        windows = entry.info.get("access_windows")
        if windows is not None and (text := _windows(windows)):
            path: Path = (*entry.path, "model_info", "access_windows")
            yield Hit(f"access_windows of {name} {text}", path)


def _loops(value: Any) -> str:
    if value is None or reference(value) is not None:
        return ""
    # whether a text is read as a number is not decided here
    if isinstance(value, bool | list | dict) or (isinstance(value, str) and not fits(value, "whole")):
        return f"must be a whole number, and is {kind_of(value)}"
    if isinstance(value, float) and not value.is_integer():
        return "must be a whole number, and is a fraction"
    return "must be at least 1" if isinstance(value, int | float) and value < 1 else ""


def _misplaced(entry: Entry) -> list[str]:
    router = entry.model.startswith("auto_router/complexity_router")
    if not router and all(entry.params.get(key) is None for key in _COMPLEXITY):
        return []
    return sorted(key for key in entry.params if isinstance(key, str) and key in _SETTINGS)


def _windows(value: Any) -> str:
    if not isinstance(value, list):
        return f"must be a list, and is {kind_of(value)}"
    return next(filter(None, map(_window, value)), "")


def _window(window: Any) -> str:
    if not isinstance(window, dict):
        return f"has {kind_of(window)} where a window must be a mapping"
    lacking = sorted(_WINDOW - window.keys())
    unknown = sorted(str(key) for key in window.keys() - _WINDOW)
    if lacking or unknown:
        return (
            f"has a window without {lacking[0]}"
            if lacking
            else f"has a window with {unknown[0]}, which is no key of it"
        )
    return _times(window) or _zone(window["timezone"]) or _teams(window["team_ids"])


def _times(window: Mapping[str, Any]) -> str:
    for key in ("start", "end"):
        value = window[key]
        # YAML makes a number of 12:30, which LiteLLM reads as seconds
        if isinstance(value, str) and not _CLOCK.fullmatch(value):
            return f"has {key} {value[:20]!r}, which is no time such as '09:00'"
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            return f"has {kind_of(value)} as {key}, where a time belongs"
    return "has a window whose start is its end" if window["start"] == window["end"] else ""


def _zone(value: Any) -> str:
    # which zones there are is not decided here
    if isinstance(value, str) and _ZONE.fullmatch(value):
        return ""
    return (
        f"has {repr(value[:40]) if isinstance(value, str) else kind_of(value)} as timezone, where a zone's name belongs"
    )


def _teams(value: Any) -> str:
    if not fits(value, "texts") or not value or not all(value):
        return "has no list of team ids in team_ids"
    return ""
