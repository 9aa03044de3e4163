"""The command line of a rehearsal: that of the service, with another configuration, address, and number of workers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.services.litellm_command import is_litellm

_PYTHON: Final = re.compile(r"python[0-9.]{0,8}")
# servers that are given LiteLLM's application, and get its configuration by CONFIG_FILE_PATH
_UVICORN: Final = "uvicorn"
_OTHER_SERVERS: Final = ("gunicorn", "hypercorn", "granian")
# what they start is not here, or not under the rights that are known
_ELSEWHERE: Final = (
    "docker", "podman", "nerdctl", "ctr", "kubectl", "ssh", "sudo", "su", "runuser", "doas", "machinectl",
    "systemd-run", "systemd-nspawn", "chroot", "nsenter", "bwrap", "flatpak", "apptainer", "singularity",
)  # fmt: skip
# the entry point of LiteLLM's own images, which hands its words on to it
_ENTRY_POINT: Final = "prod_entrypoint.sh"
_REPLACED: Final = ("--config", "-c", "--port", "--host", "--num_workers", "--workers")
# each of them writes into the database, or asks for a password of it
_OF_DATABASE: Final = ("--iam_token_db_auth", "--azure_postgresql_auth", "--use_prisma_db_push")
# it opens a port of its own
_METRICS_OPTION: Final = "--prometheus_metrics_port"
_METRICS_PORT: Final = "PROMETHEUS_METRICS_PORT"
_WORKERS: Final = "NUM_WORKERS"


class RehearsalCommand(msgspec.Struct, frozen=True):
    """An argument vector, the variables that belong to it, and what it does otherwise than the service."""

    words: tuple[str, ...]
    environment: dict[str, str | None]
    left_out: tuple[str, ...] = ()


def starts_litellm(words: Sequence[str]) -> bool:
    """Whether these words start LiteLLM themselves, here, so that its options are among them."""
    if not words or os.path.basename(words[0]) in _ELSEWHERE:
        return False
    place = _place(words)
    return place is not None and not any(os.path.basename(word) in _ELSEWHERE for word in words[:place])


def rehearsal_command(
    words: Sequence[str],
    variables: Mapping[str, str],
    *,
    config: str,
    port: int,
    program: str = "",
    database: bool = True,
    host: str = "127.0.0.1",
) -> RehearsalCommand | Failure:
    """The words that start LiteLLM with this configuration on `host`:`port`.

    `variables` are those of the service. `program` is another `litellm` script. Without a `database` the options that
    concern one are left out.
    """
    place = _place(words)
    if place is None or not starts_litellm(words):
        return NotAvailable(f"{words[0] if words else 'its command'} does not start LiteLLM by itself")
    server = next((os.path.basename(word) for word in words[:place]
                   if os.path.basename(word) in (_UVICORN, *_OTHER_SERVERS)), "")  # fmt: skip
    if server in _OTHER_SERVERS or (server and program):
        return NotAvailable(f"LiteLLM is started by {server}, whose options are not known here")
    kept, options, dropped = _options(words[place + 1 :], database)
    # an empty variable is no option for click, and none that `.env` of the working directory could set again
    environment: dict[str, str | None] = {
        "PORT": str(port), "HOST": host, "CONFIG_FILE_PATH": config, _WORKERS: "1", _METRICS_PORT: "",
    }  # fmt: skip
    head = [*_head(words[:place]), program] if program else [*words[: place + 1]]
    address = ["--host", host, "--port", str(port)]
    left_out = [f"{name} is not given to it" for name in dropped]
    if server:
        made = [*head, *kept, *address]
        workers = options.get("--workers", "")
    else:
        made = [*head, *kept, "--config", config, *address, "--num_workers", "1"]
        workers = options.get("--num_workers") or variables.get(_WORKERS, "")
    if workers not in ("", "1"):
        left_out.append(f"it has one worker, in place of {workers[:20]}")
    return RehearsalCommand(tuple(made), environment, tuple(left_out))


def _place(words: Sequence[str]) -> int | None:
    """Where LiteLLM is named: the script, the module, or the application that a server is given."""
    for place, word in enumerate(words):
        if place and words[place - 1] == "-c":
            # a text for an interpreter or a shell: whatever it names is started by it
            return None
        name = os.path.basename(word)
        if is_litellm(word) or (name == "proxy_cli.py" and "litellm" in word) or name == _ENTRY_POINT:
            return place
    return None


def _head(before: Sequence[str]) -> list[str]:
    """What stands before LiteLLM, without the interpreter that runs it and the options of that."""
    for place, word in enumerate(before):
        if _PYTHON.fullmatch(os.path.basename(word)):
            return list(before[:place])
    return list(before)


def _options(words: Sequence[str], database: bool) -> tuple[list[str], dict[str, str], list[str]]:
    """The words that stay, those of the options that are replaced, and the names of those that are left out."""
    kept: list[str] = []
    replaced: dict[str, str] = {}
    dropped: list[str] = []
    given = iter(words)
    for word in given:
        name, equals, value = word.partition("=")
        if name in _REPLACED:
            replaced[name] = value if equals else next(given, "")
        elif name in _OF_DATABASE and not database:
            dropped.append(name)
        elif name == _METRICS_OPTION:
            dropped.append(name)
            if not equals:
                next(given, "")
        else:
            kept.append(word)
    return kept, replaced, dropped
