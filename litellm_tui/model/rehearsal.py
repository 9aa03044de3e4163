"""A rehearsal: a configuration started for real on a spare port while the gateway goes on serving, and its result.

How the parts work together:

- `actions.rehearse.derived.derive` makes the `Derived` copy of a configuration: whatever would do harm is off in it.
- `actions.rehearse.run.rehearse` writes that copy into a folder of its own, gives a `RehearsalOrder` to the driver of
  the service (`services.capabilities.Rehearses`), and looks at what was started with the monitor, the diagnosis and
  the proof of a restart: a `RehearsalRun` therefore names the started gateway as a `ServiceTarget`, whose own driver
  looks at it and follows its log.
- The runner of each kind starts it as its service would: a transient unit with the unit's own properties (systemd), a
  child in a session of its own (process, custom), a container of the same image and mounts (docker, compose).

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from litellm_tui.model.configuration import Mark
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.service_target import ServiceTarget

RehearsalOutcome = Literal["passed", "refused", "not judged", "not possible"]
"""`passed`: it starts and is proved. `refused`: it does not. `not judged`: its time was over before either was seen,
and `cause` says what was still waited for. `not possible`: nothing was started, or what was started could not be had
beside the gateway; `cause` says why, and nothing is said of the configuration."""


class Derived(msgspec.Struct, frozen=True):
    """The copy of a configuration that a rehearsal starts with.

    `text` is one YAML file in UTF-8: the includes are merged as LiteLLM merges them, and the entries of `model_list`
    keep their order. `environment` are the changed variables; None takes one away (where `.env` of the working
    directory could give it again, an empty value is wanted instead). `left_out` says what is switched off, each in a
    sentence.
    """

    text: bytes
    environment: dict[str, str | None] = {}
    left_out: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Derived(left_out={self.left_out!r})"


class RehearsalOrder(msgspec.Struct, frozen=True):
    """What a runner starts.

    `config` is the path of the configuration as the service is given it, None where that is not known; `derived` the
    path of the derived copy, which stands alone in `folder` beside links to whatever stands beside `config`. The
    folder belongs to this rehearsal and is deleted after it; only the user who owns it may read it, which has to be
    the user of the service. `port` is free on 127.0.0.1. `environment` are changed variables, None takes one away;
    they win over everything that the service sets. `program` is another `litellm` to start in place of the service's
    own: the path of the script in its environment, or the name of an image for a container; empty for the service's
    own. `seconds` is the time after which whatever was started must be ended, whoever is still there to do it.
    """

    name: str
    config: str | None
    derived: str
    folder: str
    port: int
    environment: Mapping[str, str | None]
    program: str = ""
    seconds: float = 300.0

    def __repr__(self) -> str:
        return f"RehearsalOrder(name={self.name!r}, port={self.port})"


class RehearsalRun(msgspec.Struct, frozen=True):
    """A rehearsal that was started.

    `target` is what was started, for the driver of its kind: a unit, a process with a PID file and a log file, a
    container. `url` is its address as it is reached from here. `left_out` says what its runner could not do as the
    service does, each in a sentence.
    """

    target: ServiceTarget
    url: str
    left_out: tuple[str, ...] = ()


class Rehearsal(msgspec.Struct, frozen=True):
    """What a rehearsal has shown.

    `cause` is the reason of a refusal, or why nothing could be said, and `mark` the place in the operator's own
    file that it comes from. `ready` is the time from the start to the first answer, `memory` the most that was held,
    as far as it was seen. `loaded` and `dropped` are deployments (`group (model)`). `warnings` are of its log,
    `differs` says what it has otherwise than what runs, `left_out` what was not rehearsed. `log` is the last that it
    wrote, where it has not passed. `version` is the LiteLLM that was started, `digest` that of the configuration
    (`ConfigFile.digest`).
    """

    outcome: RehearsalOutcome
    cause: str = ""
    mark: Mark | None = None
    took: float = 0.0
    ready: float | None = None
    memory: int | None = None
    loaded: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    probes: tuple[ProbeResult, ...] = ()
    left_out: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    version: str = ""
    digest: str = ""

    @property
    def refused(self) -> bool:
        """Whether what was rehearsed must not be applied."""
        return self.outcome == "refused"

    @property
    def stops(self) -> bool:
        """Whether what was rehearsed is applied only where somebody insists."""
        return self.outcome in ("refused", "not judged")
