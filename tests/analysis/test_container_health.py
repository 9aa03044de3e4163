"""What is wrong with a container's own check, from tests and outputs as Docker keeps them."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.container_health import bills, explain_health, masked, shown
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.model.service import HealthTest, Service

LIVE = "http://localhost:4000/health/liveliness"


@pytest.mark.parametrize(("command", "output", "brief"), [
    (("CMD", "curl", "-f", LIVE, "||", "exit", "1"), "curl: (3) URL using bad format", "health test without shell"),
    (("CMD", "curl", "-f", LIVE),
     'OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not '
     "found in $PATH: unknown", "no curl in the image"),
    (("CMD-SHELL", f"curl -f {LIVE} || exit 1"), "/bin/sh: curl: not found", "no curl in the image"),
    (("CMD-SHELL", f"wget -q {LIVE}"), "sh: 1: wget: not found", "no wget in the image"),
    (("CMD-SHELL", "curl -f http://localhost:4000/health || exit 1"), "", "health test is billed"),
    (("CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://localhost:4000/health')"), "",
     "health test is billed"),
    (("CMD-SHELL", "curl -f http://localhost:4000/v1/models"), "curl: (22) The requested URL returned error: 401",
     "health test needs a key"),
    (("CMD", "curl", "-f", "http://localhost:8000/health/liveliness"), "curl: (7) Failed to connect to localhost",
     "health test asks elsewhere"),
    (("CMD", "curl", "-f", LIVE), "Health check exceeded timeout (2s)", "health test too slow"),
    (("CMD", "curl", "-f", LIVE), "something that nobody knows", ""),
])  # fmt: skip
def test_what_is_wrong_with_a_test_is_named(command: tuple[str, ...], output: str, brief: str) -> None:
    cause = explain_health(HealthTest(command, 1, output, failing=3))
    assert cause.brief == brief
    assert bool(cause.text) == bool(cause.do) == bool(brief)


def test_a_shell_may_have_operators_and_a_sound_test_passes() -> None:
    sound = HealthTest(("CMD-SHELL", f"curl -f {LIVE} || exit 1"), 0, "alive", failing=0)
    assert explain_health(sound).brief == ""
    # what an earlier run printed says nothing of a test that passes
    assert explain_health(HealthTest(("CMD", "curl", LIVE), 0, "HTTP 401", failing=0)).brief == ""


@pytest.mark.parametrize(("word", "billed"), [
    ("http://localhost:4000/health", True), ("http://localhost:4000/health/", True),
    ("curl http://localhost:4000/health?x=1", True), ("r.urlopen('http://l:4000/health')", True),
    (LIVE, False), ("http://localhost:4000/health/readiness", False), ("http://localhost:4000/healthy", False),
])  # fmt: skip
def test_only_health_itself_is_billed(word: str, billed: bool) -> None:
    assert bills(("CMD-SHELL", word)) == billed


def test_the_test_and_its_output_are_shown_without_secrets_and_short() -> None:
    test = HealthTest(("CMD-SHELL", "curl -H 'Authorization: Bearer sk-planted-0123456789abcdef'"), 22, "x" * 4000, 1)
    service = Service("litellm", "compose", "loaded", "active", "running", health="unhealthy", health_test=test)
    said = masked(service, Redactor()).health_test
    assert said is not None
    assert "planted" not in shown(said)
    assert len(shown(said)) < 500
    assert "status 22" in shown(said)
    assert "printed: nothing" in shown(HealthTest(("CMD", "true")))
