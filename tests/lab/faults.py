"""The faults of the matrix as data: how each is injected into a real gateway, healed, and what must be said of it.

One gateway serves them all: a fault of an upstream has a model group of its own, so that many last at the same time and
none is another's evidence; the faults of a file stand together in one broken file, read by one restart. What ends the
gateway, or keeps it from starting, follows one upon the other, and is healed once, by the start after the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.lab.core import Lab
from tests.lab.traffic import Flow

# Faults of one step last at the same time; the steps run in this order.
Step = Literal[
    "upstream", "health", "redis stopped", "redis hung", "redis full", "redis read-only", "redis replicas",
    "redis rights", "redis password", "redis cluster", "file", "key", "front", "login", "stopped", "killed",
    "environment file", "interpreter", "crash", "port", "module", "worker", "broken",
]  # fmt: skip
STEPS: tuple[Step, ...] = Step.__args__  # type: ignore[attr-defined]  # what a Literal holds
# Each of these takes the place of the one before; the start after the last heals them all, and what the file held.
ENDS: tuple[Step, ...] = ("killed", "environment file", "interpreter", "crash", "port", "module")
# Another watch looks at these, as an operator would who is set up so.
ASIDE: tuple[Step, ...] = ("key", "front", "login")

# Slow enough that LiteLLM's stack traces leave a small machine time for everything else.
RATE = 0.4


@dataclass(frozen=True)
class Shown:
    """What must be said: at which place (kind and key, a deployment by its group), in one of which states, why.

    Of an `incident` the key is its subject, and the states are whose failure it is; of a `log` or a `log:…` problem the
    key is the title. `contradiction` asks that the health report be named as saying the opposite.
    """

    kind: str
    key: str
    states: tuple[str, ...]
    cause: str
    contradiction: bool = False


@dataclass(frozen=True, eq=False)
class Fault:
    """One row of the matrix. `flows` ask while it lasts; `versions` is where something else, or nothing, can be said.

    `inject` and `heal` return when the world is so; of a step whose faults come and go together the first does it.
    `callers` marks what its callers do wrong, `harmless` what nobody fails by; `healed` is the step whose end heals it,
    where that is another one. `hidden` says why nothing is said, in a version where nothing is.
    """

    key: str
    title: str
    step: Step
    shown: Shown
    inject: Callable[[Lab], object]
    heal: Callable[[Lab], object]
    flows: tuple[Flow, ...] = ()
    listed: str = ""
    versions: tuple[tuple[str, Shown | None], ...] = ()
    callers: bool = False
    harmless: bool = False
    healed: Step | None = None
    hidden: str = "cannot be seen"

    def expected(self, version: str) -> Shown | None:
        """What must be said of it on this LiteLLM; None where that LiteLLM hides it from everyone, or has it not."""
        return dict(self.versions).get(version, self.shown)
