"""Where the environment of a container that `docker run` made is written, and what brings a change of it in."""

from __future__ import annotations

from litellm_tui.model.service_words import ServiceWords


def docker_words(client: str, name: str) -> ServiceWords:
    """In the words of this container: what it was made with stays until it is recreated."""
    return ServiceWords(
        environment=f"the docker run that makes {name or 'the container'} (-e NAME=value, or --env-file)",
        apply=f"recreate the container with it ({client} inspect {name} shows how it was made)",
        recreates=True,
        service=f"the container {name}".rstrip(),
        limits=f"docker run of {name or 'the container'} (or {client} update)",
        definition=f"the command of docker run of {name or 'the container'}",
    )
