"""Many faults at once in a real gateway: each is one incident, with as many failures as its callers saw."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.lab import Lab
from tests.lab.faults import of_step
from tests.lab.faults_config import broken_config
from tests.lab.traffic import Traffic

SECONDS = 10.0
COMMAND = (sys.executable, "-m", "litellm_tui.cli", "incidents")
ENV = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}
# what is wrong with the upstreams, and what with the file
CAUSES = {
    "refuses": "refused",
    "fails": "500",
    "badkey": "401 key refused",
    "absent": "404 not found",
    "limited": "429 rate limit",
    "sleepy": "timeout",
    "front": "500",
    "pool": "429 rate limit",
    "only-requests": "500",
    "keyed": "no key",
    "untyped": "no provider",
    "ciphered": "TLS",
    "nowhere": "no such host",
    "nickname": "alias is a list",
}
# their cooldown, or their fallback, keeps the failures from their callers
NOT_ALL_SEEN = ("badkey", "absent", "pool", "front", "untyped")


def _incidents(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    return lab.run([*COMMAND, *arguments], user=True, check=False, env=ENV)


def test_under_many_faults_each_cause_is_named_once(boot_lab: Callable[..., Lab]) -> None:
    lab = boot_lab(config=broken_config(), env={"LITELLM_LOG": "INFO"})
    faults = [*of_step("upstream"), *of_step("broken")]
    for fault in of_step("upstream"):
        fault.inject(lab)
    with Traffic(lab, [flow for fault in faults for flow in fault.flows]) as traffic:
        time.sleep(SECONDS)
    done = _incidents(lab, "--json")
    assert done.returncode == 2, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["incidents"]
    told = [(one["subject"], one["cause"]) for one in found]
    named = [pair for pair in told if pair[1] != "stream breaks"]
    assert dict(named) == CAUSES
    assert len(named) == len(CAUSES)
    # whose stream broke this LiteLLM seldom says, but how: one has an error in it, the other's connection broke
    broken = [one for one in found if one["cause"] == "stream breaks"]
    assert len({one["words"] for one in broken}) == len(broken) == 2
    assert {one["subject"] for one in broken} <= {"", "garbled", "torn"}
    for one in found:
        if one["subject"] in CAUSES and one["subject"] not in NOT_ALL_SEEN:
            statuses = traffic.counts[one["subject"], "chat"]
            # the last one may not be answered, and its line not written yet
            assert abs(one["count"] - sum(statuses.values())) <= 1, (one["subject"], one["count"], statuses)
        assert one["means"]
        assert one["do"]
        assert one["going_on"]
    places = {one["subject"]: one["place"]["kind"] for one in found}
    assert (places["refuses"], places["pool"], places["nickname"]) == ("deployment", "group", "chain")
    callers = {client for one in found for client, _ in one["callers"]}
    assert callers == {"127.0.0.1"}
    text = _incidents(lab, "--since", "restart").stdout
    assert text.count("refused: refuses") == 1
    assert lab.key() not in text + done.stdout
