"""Every way in which an ssh fails has a name, by what OpenSSH's client writes."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.fleet.link_states import failure, link_failure

# as OpenSSH 9.2 writes them, names and addresses apart
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Host key verification failed.
"""


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (CHANGED, "host key changed"),
        ("Host key verification failed.\r\n", "host key unknown"),
        ("No ED25519 host key is known for web and you have requested strict checking.\n", "host key unknown"),
        ("ssh: Could not resolve hostname web: Name or service not known\n", "no such host"),
        ("ops@web: Permission denied (publickey,password).\n", "key refused"),
        ("Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\n", "key refused"),
        ("Connection timed out during banner exchange\nConnection to 10.0.0.1 port 22 timed out\n", "slow link"),
        ("ssh: connect to host web port 22: Connection refused\n", "host down"),
        ("ssh: connect to host web port 22: Connection timed out\n", "host down"),
        ("ssh: connect to host web port 22: No route to host\n", "host down"),
        ("kex_exchange_identification: Connection closed by remote host\n", "link lost"),
        ("command-line: line 0: Bad configuration option: x\n", "link failed"),
        ("", "link failed"),
    ],
)
def test_what_ssh_says_has_a_name_and_something_to_do(said: str, state: str) -> None:
    found = link_failure("web", 255, said, connected=False)
    assert found.state == state
    assert "web" in found.why
    assert found.do


@pytest.mark.parametrize(
    ("status", "said", "state"),
    [
        (127, "litellm-tui: not found\n", "missing program"),
        (64, "litellm-tui: unrecognized arguments: --follow\n", "program too old"),
        (64, "litellm-tui: argument COMMAND: invalid choice: 'x'\n", "program too old"),
        (64, "litellm-tui: no profile 'x' in the settings file\n", "program failed"),
        (70, "litellm-tui: status failed, by a fault of litellm-tui\n", "program failed"),
        (255, "Timeout, server web not responding.\n", "link lost"),
    ],
)
def test_how_the_other_side_ended_has_a_name(status: int, said: str, state: str) -> None:
    assert link_failure("web", status, said, connected=True).state == state


def test_a_key_in_the_words_of_the_other_side_is_masked() -> None:
    found = failure("program failed", "web", "refused: Bearer sk-proj-abcdefghijklmnopqrstuvwx1234567890")
    assert "abcdefghijklmnop" not in found.why
