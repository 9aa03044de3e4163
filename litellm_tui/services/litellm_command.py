"""What LiteLLM's command line and environment say of its configuration, its address and its interpreter."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping

from litellm_tui.model.service import ServicePlace, Unit, Variable

# defaults of `litellm --host --port` (litellm/proxy/proxy_cli.py)
DEFAULT_PORT = 4000
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "[::]": "[::1]", "": "127.0.0.1"}
_LONGEST_SCRIPT = 4096
# begins the source of a value that only /proc of the running process shows
PROCESS_SOURCE = "the running process"


def unit_from_command(
    name: str, place: ServicePlace, arguments: list[str], folder: str | None, environment: dict[str, Variable]
) -> Unit:
    """A `Unit` with the configuration and the address that LiteLLM's command line and environment name."""
    plain = {key: variable.value for key, variable in environment.items()}
    options = _options(_own_words(arguments, plain))
    config = options.get("--config") or plain.get("CONFIG_FILE_PATH")
    if config and not os.path.isabs(config):
        config = os.path.normpath(os.path.join(folder or "/", config))
    return Unit(
        name=name,
        scope=place,
        active=False,
        arguments=tuple(arguments),
        folder=folder,
        environment=environment,
        config=config,
        url=_address(options, plain),
    )


def _address(options: Mapping[str, str], environment: Mapping[str, str]) -> str:
    host = options.get("--host") or environment.get("HOST") or "0.0.0.0"
    port = options.get("--port") or environment.get("PORT") or str(DEFAULT_PORT)
    certificate = options.get("--ssl_certfile_path") or environment.get("SSL_CERTFILE_PATH")
    host = _WILDCARDS.get(host, f"[{host}]" if ":" in host and not host.startswith("[") else host)
    root = environment.get("SERVER_ROOT_PATH", "").rstrip("/")
    return f"{'https' if certificate else 'http'}://{host}:{port}{root}"


_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"})
_ENDS_COMMAND = re.compile(r"[;&|<>()]")


def _own_words(arguments: list[str], environment: Mapping[str, str]) -> list[str]:
    """The words that are LiteLLM's own: of `sh -c 'export A=1 && litellm --port 4000'` those behind its name.

    A shell's `-c` is not LiteLLM's. A word with a variable that is not known says nothing.
    """
    # what starts it may stand before the shell: `tini -- sh -c …`, `env A=1 sh -c …`
    names = [word for word in arguments if is_litellm(word) or os.path.basename(word) in _SHELLS]
    shell = bool(names) and not is_litellm(names[0])
    options = arguments[arguments.index(names[0]) + 1 :] if shell else []
    place = next((n for n, word in enumerate(options) if re.fullmatch(r"-[a-z]{0,8}c[a-z]{0,8}", word)), None)
    if place is None:
        return arguments
    script = options[place + 1] if place + 1 < len(options) else ""
    script = script[:_LONGEST_SCRIPT].replace("\\\n", " ").replace("\n", " ; ")
    lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        return []
    begin = next((n for n, word in enumerate(words) if is_litellm(word)), len(words))
    end = next((n for n in range(begin, len(words)) if _ENDS_COMMAND.match(words[n])), len(words))
    known = [re.sub(r"\$(?:\{(\w{1,100})\}|(\w{1,100}))", lambda m: environment.get(m[1] or m[2], m[0]), word)
             for word in words[begin:end]]  # fmt: skip
    return ["" if "$" in word else word for word in known]


_LONG_NAMES = {"-c": "--config"}


def _options(arguments: list[str]) -> dict[str, str]:
    """The options of `litellm` for its address and its configuration; `--name value` and `--name=value`."""
    options: dict[str, str] = {}
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        name = _LONG_NAMES.get(name, name)
        if name in ("--config", "--port", "--host", "--ssl_certfile_path"):
            options[name] = value if equals else next(words, "")
    return options


def is_litellm(word: str) -> bool:
    return os.path.basename(word) in ("litellm", "litellm-proxy") or word.startswith("litellm.proxy.")


def interpreter_of(arguments: list[str]) -> str | None:
    """The Python that runs LiteLLM: named in the command line, or beside the `litellm` script."""
    for word in arguments:
        if is_litellm(word) and os.path.isabs(word):
            beside = os.path.join(os.path.dirname(word), "python")
            return beside if os.path.exists(beside) else None
        if os.path.basename(word).startswith("python") and os.path.isabs(word):
            return word
    return None
