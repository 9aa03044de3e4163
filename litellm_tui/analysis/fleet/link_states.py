"""What became of an ssh to a host, by the words of OpenSSH's client and the exit status: a state with what to do.

The words are those of OpenSSH 9.2 in the locale C (ssh.c, sshconnect.c, sshconnect2.c, readconf.c, misc.c).
"""

from __future__ import annotations

from typing import Final

from litellm_tui.analysis.phrases import shortened
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.model.fleet import LinkFailure, LinkState

# of ssh itself; everything else is of the command on the other side
SSH_FAILED: Final = 255
# of a shell, for a program that is not there
NOT_FOUND: Final = 127
# of litellm-tui, for a command line that it does not understand
_USAGE: Final = 64
_TOO_OLD: Final = ("unrecognized arguments", "invalid choice")
_LONGEST: Final = 200

_BY_WORDS: Final[tuple[tuple[LinkState, tuple[str, ...]], ...]] = (
    ("host key changed", ("REMOTE HOST IDENTIFICATION HAS CHANGED", "POSSIBLE DNS SPOOFING DETECTED",
                          "REVOKED HOST KEY DETECTED")),
    ("host key unknown", ("Host key verification failed", "host key is known for")),
    ("no such host", ("Could not resolve hostname",)),
    ("key refused", ("Permission denied (", "Too many authentication failures", "no such identity")),
    ("slow link", ("Connection timed out during banner exchange", "Timeout, server")),
    ("host down", ("Connection refused", "Connection timed out", "No route to host", "Network is unreachable",
                   "Host is down", "Operation timed out")),
    ("link lost", ("Connection reset by", "Broken pipe", "closed by remote host", "Connection closed by",
                   "Connection to")),
)  # fmt: skip


def link_failure(host: str, status: int, said: str, *, connected: bool) -> LinkFailure:
    """Why a command of another host has ended with `status`, other than by its own doing.

    `said` is what came on stderr. `connected` tells whether the other side had begun: then ssh's own status is a link
    that was lost.
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if status == NOT_FOUND:
        return failure("missing program", host)
    if status != SSH_FAILED:
        if status == _USAGE and any(word in said for word in _TOO_OLD):
            return failure("program too old", host)
        return failure("program failed", host, lines[-1] if lines else f"it ended with {status}")
    if connected:
        return failure("link lost", host, lines[-1] if lines else "")
    for state, words in _BY_WORDS:
        for word in words:
            if any(word in line for line in lines):
                told = next(line for line in lines if word in line)
                return failure(state, host, "" if state in ("host key changed", "host key unknown") else told)
    return failure("link failed", host, lines[-1] if lines else "ssh ended without a word")


def failure(state: LinkState, host: str, said: str = "") -> LinkFailure:
    """The state in a sentence, with the words that ssh or the other side has for it."""
    words = f": {shortened(Redactor()(said), _LONGEST)}" if said else ""
    why, do = _SENTENCES[state]
    return LinkFailure(state, why.format(host=host) + words, do.format(host=host))


_SENTENCES: Final[dict[LinkState, tuple[str, str]]] = {
    "no ssh": (
        "there is no ssh on this machine",
        "install OpenSSH's client (Debian: openssh-client)",
    ),
    "no such host": (
        "the name {host} cannot be resolved",
        "see the profile's ssh:, and Host and HostName in ~/.ssh/config",
    ),
    "host down": (
        "{host} does not answer on ssh",
        "see whether it runs, and whether sshd does; ssh {host} shows the same",
    ),
    "host key unknown": (
        "the host key of {host} is not known here",
        "run ssh {host} once by hand, and compare the fingerprint with the host's own (ssh-keygen -lf there)",
    ),
    "host key changed": (
        "{host} has another host key than the one that is known here",
        "find out why before anything else: a new installation, or somebody in between; "
        "ssh-keygen -R HOSTNAME then forgets the old key",
    ),
    "key refused": (
        "{host} lets none of your keys in",
        "ssh {host} must work without a question: ssh-add loads a key, ssh-copy-id {host} puts it there",
    ),
    "slow link": (
        "{host} has not answered in time",
        "try ssh {host} by hand: a slow line, a slow look-up of names, or a host under load",
    ),
    "link lost": (
        "the link to {host} was lost",
        "nothing but the view has ended: what runs there goes on; it is tried again",
    ),
    "missing program": (
        "there is no litellm-tui on {host}, on the PATH of a command by ssh or in ~/.local/bin",
        "litellm-tui host install {host} puts it there; litellm-tui host check {host} says what is missing",
    ),
    "program too old": (
        "the litellm-tui on {host} is too old for this",
        "litellm-tui host install {host} puts the version of this machine there; host check {host} shows both",
    ),
    "program failed": (
        "litellm-tui on {host} failed",
        "run litellm-tui status there, by ssh {host}",
    ),
    "link failed": (
        "ssh to {host} failed",
        "ssh {host} by hand shows the same",
    ),
}  # fmt: skip
