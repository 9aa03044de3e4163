"""The price map of a LiteLLM, as far as health checks need it: US dollars by token, by model."""

from __future__ import annotations

import msgspec


class Price(msgspec.Struct, frozen=True):
    """What one model costs: dollars by token in and out, and by request; None where the map does not say."""

    mode: str | None = None
    provider: str | None = msgspec.field(name="litellm_provider", default=None)
    input: float | None = msgspec.field(name="input_cost_per_token", default=None)
    output: float | None = msgspec.field(name="output_cost_per_token", default=None)
    query: float | None = msgspec.field(name="input_cost_per_query", default=None)
    request: float | None = msgspec.field(name="input_cost_per_request", default=None)
    reasons: bool | None = msgspec.field(name="supports_reasoning", default=None)


class PriceMap(msgspec.Struct, frozen=True):
    """The prices by the names of the map; `basis` says in words which LiteLLM's it is."""

    models: dict[str, Price]
    basis: str
