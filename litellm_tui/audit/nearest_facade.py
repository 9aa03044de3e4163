"""Which known name a mistyped one stands for; it lies lower down, where the catalogue uses it too."""

from __future__ import annotations

from litellm_tui.audit.catalogue.nearest import nearest

__all__ = ["nearest"]
