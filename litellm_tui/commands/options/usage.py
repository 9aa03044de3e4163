"""What the end of a command means, by its exit status, and an example of each command: the only place for both.

`--help`, the man page and docs/exit-codes.md are made from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

Codes = Mapping[int, str]

# of every command
EVERYWHERE: Final[Codes] = {
    64: "a wrong command line or settings file",
    69: "the host of the profile (ssh:) was not reached",
    70: "a fault of litellm-tui itself, told by class and place",
    130: "interrupted",
    141: "the reader of the output went away",
}
_HEALTH: Final[Codes] = {
    0: "all is well",
    1: "warnings",
    2: "something is broken",
    3: "the gateway cannot be reached",
}
_CHANGE: Final[Codes] = {
    0: "applied",
    1: "rolled back",
    2: "refused, nothing was changed",
    3: "failed and not rolled back",
}
_ORDER: Final[Codes] = {0: "carried out, or already so", 2: "refused, nothing was changed"}
# by command; a verb stands behind its command
EXIT_CODES: Final[Mapping[str, Codes]] = {
    "console": {0: "left"},
    "status": _HEALTH,
    "check": _HEALTH,
    "history": {0: "it was told", 3: "nothing is recorded, or the record cannot be read"},
    "incidents": {
        0: "nothing failed",
        1: "something did and does no more",
        2: "something fails now",
        3: "the log cannot be read, or most of its lines are of no known form",
    },
    "audit": {
        0: "nothing is as bad as --fail-on (error)",
        1: "something is; with --against: the other release breaks or worsens something",
        2: "a file without a configuration of LiteLLM",
        65: "with --against: LiteLLM cannot load the file",
        66: "a file cannot be read",
        73: "a fix could not be written",
    },
    "diff": {
        0: "no difference",
        1: "differences, or a file that cannot be used",
        3: "the gateway cannot be reached",
    },
    "rehearse": {
        0: "it starts and is proved",
        1: "it is refused",
        2: "it could not be rehearsed, or not be judged in time",
    },
    "restart": _CHANGE,
    "upgrade": {
        0: "planned with nothing against it, tried out well, or applied",
        1: "taken back by itself",
        2: "refused, nothing was changed",
        3: "failed and not taken back",
    },
    "start": _ORDER,
    "stop": _ORDER,
    "service": {0: "told, also of one that is down: check judges"},
    "rollback": {
        0: "restored or listed",
        2: "refused, nothing was changed",
        3: "the disk holds files of two sets",
        66: "no such backup",
    },
    "bundle": {0: "written", 1: "not agreed to", 73: "the archive cannot be written"},
    "where": {0: "everything was found", 1: "something is missing"},
    "probe": {
        0: "all that were asked answered",
        2: "one failed, or none could be asked",
        3: "the gateway cannot be reached",
    },
    "fleet": {
        0: "all is well on all",
        1: "warnings or differences",
        2: "something is broken",
        3: "one cannot be reached",
    },
    "fleet diff": {0: "equal", 1: "different", 3: "one of them is not known"},
    **{f"fleet {verb}": {
        0: "applied on all",
        1: "one was rolled back, or the rest was left after others were applied",
        2: "refused, nothing was changed",
        3: "one failed and was not rolled back, or what came of it is not known",
        66: "no such file",
    } for verb in ("restart", "apply", "upgrade", "resume", "forget")},
    "record": {
        0: "ended by a signal; installed or removed",
        2: "refused, nothing was changed",
        3: "systemd failed at it",
    },
    "notify": {0: "all is well", 1: "a receiver cannot be reached, or something was not sent", 2: "not agreed to"},
    "host": {0: "all is there, or installed", 1: "something is missing", 2: "nothing was changed"},
    "apply": {**_CHANGE, 66: "no such file"},
    "turn": {**_CHANGE, 75: "what came of it is not known yet: ask again"},
    "config": {0: "it can be used, or there is none", 2: "the editor failed"},
    "completion": {0: "printed"},
    "serve": {0: "ended by a signal"},
    "tour": {0: "left"},
    "demo": {0: "left"},
}  # fmt: skip
EXAMPLES: Final[Mapping[str, str]] = {
    "": "litellm-tui --unit litellm.service --user",
    "console": "litellm-tui console --profile home",
    "status": "litellm-tui status --since 12h",
    "check": "litellm-tui check --quiet || mail -s 'gateway' ops@example.org",
    "history": "litellm-tui history --since night",
    "incidents": "litellm-tui incidents --since 1h",
    "audit": "litellm-tui audit config.yaml --litellm 1.109.3",
    "diff": "litellm-tui diff",
    "rehearse": "litellm-tui rehearse new.yaml --probe llama3.1:latest",
    "restart": "litellm-tui restart --yes",
    "upgrade": "litellm-tui upgrade 1.109.3 --plan",
    "start": "litellm-tui start --yes",
    "stop": "litellm-tui stop",
    "service": "litellm-tui service --json",
    "rollback": "litellm-tui rollback --list",
    "bundle": "litellm-tui bundle --minutes 60",
    "where": "litellm-tui where --write home",
    "probe": "litellm-tui probe llama3.1:latest --stream",
    "fleet": "litellm-tui fleet --json",
    "fleet diff": "litellm-tui fleet diff web",
    "fleet restart": "litellm-tui fleet restart web",
    "fleet apply": "litellm-tui fleet apply config.yaml web",
    "fleet upgrade": "litellm-tui fleet upgrade 1.109.3 web",
    "fleet resume": "litellm-tui fleet resume web",
    "fleet forget": "litellm-tui fleet forget web",
    "record": "litellm-tui record --install",
    "notify": "litellm-tui notify --test",
    "host": "litellm-tui host check ops@web-1",
    "apply": "litellm-tui apply new.yaml --rehearse",
    "turn": "litellm-tui turn 4f1c restart",
    "config": "litellm-tui config --edit",
    "completion": "litellm-tui completion bash > ~/.local/share/bash-completion/completions/litellm-tui",
    "serve": "litellm-tui serve --listen 127.0.0.1:8019",
    "tour": "litellm-tui tour",
    "demo": "litellm-tui demo",
}


def codes_of(name: str) -> Codes:
    """What each exit status of a command means, those of every command too."""
    return {**EXIT_CODES.get(name, {}), **EVERYWHERE}


def epilog(name: str) -> str:
    """The end of `--help`: the exit statuses of a command, and an example; of the program itself for an empty name."""
    return "\n".join(_epilog(name))


def _epilog(name: str) -> Iterator[str]:
    if name:
        yield "exit status:"
        yield from (f"  {code:<4}{words}" for code, words in EXIT_CODES.get(name, {}).items())
        yield f"  64  {EVERYWHERE[64]}; 69, 70, 130, 141: man litellm-tui"
    else:
        yield "Without a command the console starts. What is not given is found by itself: see `litellm-tui where`."
        yield "`litellm-tui COMMAND --help` has the exit statuses and an example of each."
    if name in EXAMPLES:
        yield ""
        yield "example:"
        yield f"  {EXAMPLES[name]}"


def page() -> str:
    """docs/exit-codes.md."""
    lines = [
        "# Exit statuses",
        "",
        "This page is made from `litellm_tui/commands/options/usage.py`, as the end of each `--help` is "
        "(`LITELLM_TUI_WRITE_DOCS=1` writes it anew).",
        "",
        "| status | of every command |",
        "|---|---|",
        *(f"| {code} | {words} |" for code, words in EVERYWHERE.items()),
    ]
    for name, codes in EXIT_CODES.items():
        lines += ["", f"## {name}", "", "| status | means |", "|---|---|"]
        lines += [f"| {code} | {words} |" for code, words in codes.items()]
        lines += ["", f"    {EXAMPLES[name]}"]
    return "\n".join(lines) + "\n"
