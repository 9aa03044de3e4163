"""What LiteLLM reads, per version, as the rules look it up. The records lie lower down, where collectors fill them."""

from __future__ import annotations

from litellm_tui.audit.catalogue.records import (
    KINDS,
    PLACES,
    Catalogue,
    Kind,
    Source,
    Spans,
    Value,
    parse_version,
    spans,
)

__all__ = ["KINDS", "PLACES", "Catalogue", "Kind", "Source", "Spans", "Value", "parse_version", "spans"]
