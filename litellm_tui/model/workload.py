"""The pods that run LiteLLM in Kubernetes, and what the cluster says of them.

Times are seconds since the epoch. Records are frozen.
"""

from __future__ import annotations

from typing import Literal

import msgspec

PodTrouble = Literal[
    "", "pending", "image", "configuration", "crash loop", "out of memory", "failed", "evicted", "not ready", "silent",
    "node",
]  # fmt: skip


class PodState(msgspec.Struct, frozen=True):
    """One pod. `state` is Kubernetes' own word for it, such as Running, Pending or CrashLoopBackOff.

    `trouble` is what is wrong with it, empty for a pod that serves or starts; `why` says it in a sentence. `current`
    says whether it is of the Deployment's newest template. `last_end` is how the run before ended, at `last_end_at`.
    `answer` is what LiteLLM in it says when it is asked for itself, past the service: `ok`, a failure's text, or empty
    where nobody could ask.
    """

    name: str
    state: str
    ready: bool
    trouble: PodTrouble = ""
    why: str = ""
    restarts: int = 0
    current: bool = True
    started_at: float | None = None
    made_at: float | None = None
    last_end: str = ""
    last_end_at: float | None = None
    node: str = ""
    answer: str = ""
    version: str = ""
    ending: bool = False


class Workload(msgspec.Struct, frozen=True):
    """The Deployment: where it is, how many pods are wanted, how many serve, and of which template.

    `stuck` says why a rollout does not go on; `paused` that it was stopped by an order. `revision` is the newest
    template's number. `forbidden` are the parts that the cluster's rights hide, each as a sentence, `billed` the probes
    that ask /health itself.
    """

    context: str
    namespace: str
    wanted: int = 0
    ready: int = 0
    updated: int = 0
    revision: int = 0
    pods: tuple[PodState, ...] = ()
    stuck: str = ""
    paused: bool = False
    forbidden: tuple[str, ...] = ()
    billed: tuple[str, ...] = ()
