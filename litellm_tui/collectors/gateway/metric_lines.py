"""Reads the histograms of GET /metrics: most of its lines. The client's own parser takes ten times as long for them.

Labels are those of LiteLLM 1.106.2 and 1.109.3: a line per combination of caller, deployment and bucket.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from litellm_tui.model.gateway import Histogram

LATENCY: Final = "litellm_request_total_latency_metric_bucket"
UPSTREAM: Final = "litellm_llm_api_latency_metric_bucket"
FIRST_TOKEN: Final = "litellm_llm_api_time_to_first_token_metric_bucket"
HISTOGRAMS: Final = (LATENCY, UPSTREAM, FIRST_TOKEN)

# in the values of labels quotes are escaped
_LABEL: Final = re.compile(r'([a-zA-Z_]\w{0,80})="((?:[^"\\]|\\.){0,2000})"')
# longer ones are not LiteLLM's
_LONGEST: Final = 8000
MOST_DEPLOYMENTS: Final = 10_000


def read_histograms(lines: Iterable[str], without: str) -> dict[tuple[str, str], Histogram]:
    """`{(name, id of the deployment): histogram}` of all callers together, but the one with the alias `without`."""
    sums: dict[tuple[str, str], defaultdict[float, float]] = {}
    for line in lines:
        name, brace, rest = line[:_LONGEST].partition("{")
        labels, end, number = rest.rpartition("} ")
        if not (brace and end) or name not in HISTOGRAMS:
            continue
        found = dict(_LABEL.findall(labels))
        identity = found.get("model_id", "")
        bound, value = _number(found.get("le", "")), _number(number.split(" ")[0])
        if identity in ("", "None") or found.get("api_key_alias") == without or bound is None or value is None:
            continue
        if (name, identity) not in sums and len(sums) >= len(HISTOGRAMS) * MOST_DEPLOYMENTS:
            continue
        if math.isfinite(value):
            sums.setdefault((name, identity), defaultdict(float))[bound] += value
    return {key: tuple(sorted(buckets.items())) for key, buckets in sums.items()}


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number
