"""The base score of CVSS 3 (first.org/cvss/v3.1/specification-document, section 7.1), from its vector."""

from __future__ import annotations

import math
from typing import Final

_WEIGHTS: Final[dict[str, dict[str, float]]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
# with a changed scope a privilege weighs less against the attacker
_CHANGED: Final = {"N": 0.85, "L": 0.68, "H": 0.5}
_LONGEST: Final = 300


def base_score(vector: str) -> float | None:
    """The base score, 0 to 10; None for another version of CVSS or a text that is no vector."""
    if len(vector) > _LONGEST or not vector.startswith(("CVSS:3.0/", "CVSS:3.1/")):
        return None
    told = dict(part.split(":", 1) for part in vector.split("/")[1:] if ":" in part)
    try:
        weights = {name: values[told[name]] for name, values in _WEIGHTS.items()}
        changed = {"C": True, "U": False}[told["S"]]
    except KeyError:
        return None
    if changed:
        weights["PR"] = _CHANGED[told["PR"]]
    lost = 1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"])
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if changed else 6.42 * lost
    if impact <= 0:
        return 0.0
    reach = 8.22 * weights["AV"] * weights["AC"] * weights["PR"] * weights["UI"]
    return _up(min((1.08 if changed else 1.0) * (impact + reach), 10.0))


def _up(value: float) -> float:
    """One decimal, rounded up, as appendix A of the specification does it."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (math.floor(whole / 10_000) + 1) / 10
