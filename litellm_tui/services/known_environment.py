"""Whether it is known which variables LiteLLM has: what is not known is not said to be unset."""

from __future__ import annotations

import errno
import os

from litellm_tui.model.service import Unit
from litellm_tui.model.service_kinds import Compose, Custom, Docker, Kubernetes
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.model.service_words import UNIT_WORDS, UNKNOWN_WORDS, ServiceWords
from litellm_tui.services.capabilities import Speaks
from litellm_tui.services.driver import Driver
from litellm_tui.services.litellm_command import PROCESS_SOURCE, is_litellm


def why_unknown(target: ServiceTarget) -> str:
    """Why the environment of this service is not known; empty where it is.

    A container tells its own. A process that runs is believed alone: what its unit or its script sets is not all that
    it may have got. Only where systemd itself starts LiteLLM, from files that can be read, is the process not needed.
    """
    unit = target.unit
    if isinstance(target.settings, Custom):
        return "a service of the kind custom does not tell its environment"
    if unit is None:
        return "no service of this machine is known to run it" if not target.name else f"{target.name} was not found"
    # an optional file that is not there sets nothing
    for path, why in unit.unread:
        if why != os.strerror(errno.ENOENT):
            return f"{path} cannot be read: {why}"
    if isinstance(target.settings, Compose | Docker | Kubernetes) or not unit.active:
        return ""
    if any(variable.source.startswith((PROCESS_SOURCE, "the container ")) for variable in unit.environment.values()):
        return ""
    if target.settings is None and _starts_litellm(unit):
        return ""
    return "its process does not show its environment to this user"


def _starts_litellm(unit: Unit) -> bool:
    return any(is_litellm(word) for word in unit.arguments)


def words_of(driver: Driver, target: ServiceTarget) -> ServiceWords:
    """The words of this service for where its environment is written."""
    if isinstance(driver, Speaks):
        return driver.words
    return UNIT_WORDS if target.settings is None and target.name else UNKNOWN_WORDS
