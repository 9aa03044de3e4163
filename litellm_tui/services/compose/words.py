"""Where an operator of a Compose service writes its environment, and the order that brings it in."""

from __future__ import annotations

from litellm_tui.model.service import Unit
from litellm_tui.model.service_kinds import Compose
from litellm_tui.model.service_words import ServiceWords


def compose_words(compose: Compose, unit: Unit | None) -> ServiceWords:
    """In the words of this service: its `env_file` where it has one, else `environment:` of its compose file."""
    name = compose.service or (unit.name if unit else "")
    service = name or "the service"
    file = unit.fragment if unit and unit.fragment else "the compose file"
    if unit and unit.variables_in:
        place = f"{unit.variables_in[-1]} (env_file of {service}), or under environment: in {file}"
    else:
        place = f"environment: of {service} in {file} (a value in .env reaches it only through a reference there)"
    return ServiceWords(
        environment=place,
        apply=f"{compose.docker} compose up -d {name}".rstrip(),
        recreates=True,
        service=f"the service {name}" if name else "the service",
        limits=f"{service} in {file}",
        definition=f"command: of {service} in {file}",
    )
