"""The command line of `docker run` or `podman run`, as units have it: which container it makes, out of what."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import msgspec

from litellm_tui.services.docker.litellm_image import is_litellm_image, runs_litellm

CLIENTS: Final = frozenset({"docker", "podman", "nerdctl", "docker.io"})
# options without a word behind them; every other one has one, unless it is written with `=` (docker run --help, 28)
_FLAGS: Final = frozenset({
    "d", "i", "t", "P", "q", "detach", "interactive", "tty", "rm", "init", "privileged", "read-only", "publish-all",
    "quiet", "no-healthcheck", "oom-kill-disable", "sig-proxy", "disable-content-trust", "use-api-socket",
    # Podman's own
    "replace", "tls-verify", "rmi", "no-hosts", "no-hostname", "http-proxy", "env-host", "read-only-tmpfs", "passwd",
    "systemd-activated",
})  # fmt: skip
# the client's own options before `run` that have a word behind them
_CLIENT_OPTIONS: Final = frozenset({"-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--root",
                                    "--runroot", "--url", "--connection"})  # fmt: skip


class RunCommand(msgspec.Struct, frozen=True):
    """What a unit runs: the client, the container's name, the image and the command in it; empty where not named."""

    client: str
    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    environment_files: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    entrypoint: str = ""

    @property
    def is_litellm(self) -> bool:
        """Whether image and command are LiteLLM's, or nothing but the name is known and it says so."""
        if not self.image:
            return "litellm" in self.name.casefold()
        words = [self.entrypoint, *self.command] if self.entrypoint else list(self.command)
        return runs_litellm(words) if words and not words[0].startswith("-") else is_litellm_image(self.image)


def parse_run(words: Sequence[str]) -> RunCommand | None:
    """The container of `docker run …`, `docker start …` or `podman run …`; None for any other command."""
    if not words or os.path.basename(words[0]) not in CLIENTS:
        return None
    place = _verb(words)
    if words[place : place + 1] == ["container"]:
        place += 1
    verb, rest = (words[place], list(words[place + 1 :])) if place < len(words) else ("", [])
    if verb == "start":
        named = [word for word in rest if not word.startswith("-")]
        return RunCommand(words[0], named[-1]) if named else None
    return _parse_made(words[0], rest) if verb == "run" else None


def is_compose(words: Sequence[str]) -> bool:
    """Whether this is `docker compose …`, or its older form of one word."""
    if not words:
        return False
    program = os.path.basename(words[0])
    place = _verb(words)
    return program in ("docker-compose", "podman-compose") or (
        program in CLIENTS and place < len(words) and words[place] == "compose"
    )


def _verb(words: Sequence[str]) -> int:
    """The place of the client's command, behind its own options."""
    place = 1
    while place < len(words) and words[place].startswith("-"):
        place += 2 if words[place] in _CLIENT_OPTIONS else 1
    return place


def _parse_made(client: str, words: list[str]) -> RunCommand:
    given: dict[str, list[str]] = {}
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] != "--":
        name, equals, value = words[place].partition("=")
        short = not name.startswith("--")
        name = name.lstrip("-")
        if short and len(name) > 1 and not equals:
            # `-it`, `-p4000:4000`
            if set(name) <= _FLAGS:
                place += 1
                continue
            name, value, equals = name[0], name[1:], "="
        if name not in _FLAGS and not equals:
            place += 1
            value = words[place] if place < len(words) else ""
        given.setdefault(_LONG.get(name, name), []).append(value)
        place += 1
    rest = [word for word in words[place:] if word != "--"]
    return RunCommand(
        client=client,
        name=(given.get("name") or [""])[-1],
        image=rest[0] if rest else "",
        command=tuple(rest[1:]),
        environment=tuple(given.get("env", ())),
        environment_files=tuple(given.get("env-file", ())),
        mounts=(*given.get("volume", ()), *(found for text in given.get("mount", ()) if (found := _bind(text)))),
        ports=tuple(given.get("publish", ())),
        entrypoint=(given.get("entrypoint") or [""])[-1],
    )


_LONG: Final = {"e": "env", "v": "volume", "p": "publish"}


def _bind(text: str) -> str:
    """`type=bind,source=A,target=B` in the form of `-v A:B`; empty for another type."""
    fields = dict(part.partition("=")[::2] for part in text.split(","))
    source = fields.get("source") or fields.get("src") or ""
    target = fields.get("target") or fields.get("destination") or fields.get("dst") or ""
    return f"{source}:{target}" if fields.get("type", "volume") == "bind" and source and target else ""
