"""Two recorders of the real gateway tell one receiver, each event once; Prometheus gets what they see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.lab import Lab
from tests.lab.core import free_ports
from tests.notify.loopback import Loopback

COMMAND = (sys.executable, "-m", "litellm_tui.cli")
SETTINGS = """\
notify:
  receivers:
    own: {{webhook: {{url: "{url}"}}}}
    paged: {{command: [sh, -c, 'cat >> "$1"; echo >> "$1"', sh, {paged}]}}
  rules:
    - {{to: [own]}}
    - {{to: [paged], severity: bad, groups: ["qwen-coder*"]}}
"""


@pytest.fixture
def hook() -> Iterator[Loopback]:
    with Loopback() as found:
        yield found


def test_two_recorders_tell_each_event_once_and_serve_what_they_see(lab: Lab, hook: Loopback) -> None:
    lab.wait_health_round()
    folder = lab.home / "notify"
    (folder / "settings" / "litellm-tui").mkdir(parents=True)
    paged = folder / "paged"
    (folder / "settings" / "litellm-tui" / "config.yaml").write_text(
        SETTINGS.format(url=hook.url, paged=paged), encoding="utf-8"
    )
    for path in (folder, *folder.rglob("*")):
        os.chown(path, lab.uid, lab.gid)
    (port,) = free_ports(1)
    env = {
        "LANG": "C.UTF-8", "XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "settings"),
    }  # fmt: skip
    recorders = [
        subprocess.Popen(
            lab.argv([*COMMAND, "record", *more], env=env), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for more in ((), ("--listen", f"127.0.0.1:{port}"))
    ]  # fmt: skip
    try:
        expected = {("qwen-coder-vllm", "refused"), ("kimi-k2:1t-cloud", "ghost fallback")}
        lab.wait("they are told", lambda: expected <= {(got.body["title"], got.body["cause"]) for got in hook.got})
        lab.wait("the command has it", lambda: paged.exists() and '"refused"' in paged.read_text(encoding="utf-8"))

        def scraped() -> dict[tuple[str, str], float]:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                    text = answer.read().decode()
            except OSError:
                return {}
            return {
                (sample.name, sample.labels.get("state") or sample.labels.get("litellm_version") or ""): sample.value
                for family in text_string_to_metric_families(text)
                for sample in family.samples
                if sample.labels.get("group", "qwen-coder-vllm") == "qwen-coder-vllm"
            }

        expect = {
            ("litellm_tui_group_state", "failing"): 1.0,
            ("litellm_tui_gateway_info", lab.litellm.version): 1.0,
            ("litellm_tui_gateway_up", ""): 1.0,
            ("litellm_tui_service_running", ""): 1.0,
        }
        lab.wait("what they see is served", lambda: expect.items() <= scraped().items())
        found = scraped()
    finally:
        for recorder in recorders:
            os.killpg(recorder.pid, signal.SIGTERM)
        for recorder in recorders:
            recorder.wait()
    assert found["litellm_tui_service_memory_bytes", ""] > 50e6
    events = Counter((got.body["event"], got.body["key"]) for got in hook.got)
    assert set(events.values()) == {1}
    assert {event for event, _ in events} <= {"began", "worse"}
    assert len(paged.read_text(encoding="utf-8").splitlines()) == 1
    assert lab.key() not in str(hook.got)
