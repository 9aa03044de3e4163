"""How the operator changes what LiteLLM gets from its service, in the words of each kind of service."""

from __future__ import annotations

from typing import Final

import msgspec


class ServiceWords(msgspec.Struct, frozen=True):
    """The place of LiteLLM's environment and the orders of one service.

    `environment` is where its variables are written, `apply` the order that brings a changed variable in, an
    imperative. With `recreates` that is more than a restart. `service` is what it is called, `limits` where its memory
    and its open files are limited, `definition` where its command line is written.
    """

    environment: str
    apply: str = "restart"
    recreates: bool = False
    service: str = "the service"
    limits: str = "where it is started"
    definition: str = "where it is started"

    @property
    def then(self) -> str:
        """What follows a change of a variable: `and restart`, or the order that a restart does not replace."""
        return f"then {self.apply} (a restart alone keeps the old environment)" if self.recreates else "and restart"

    def set_variable(self, name: str) -> str:
        """The advice for a variable that is not set."""
        comma = "," if self.recreates else ""
        return f"set {name} in {self.environment}{comma} {self.then}"


UNIT_WORDS: Final = ServiceWords("the unit's environment file", service="the unit")
UNKNOWN_WORDS: Final = ServiceWords("the environment of LiteLLM, where it is started", service="what runs it")
