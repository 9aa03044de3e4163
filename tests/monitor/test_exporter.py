"""What was seen as metrics: what a scrape gets, what docs/metrics.md says, and what alerts and dashboard ask for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from litellm_tui import __version__
from litellm_tui.analysis.exported import METRICS, PREFIX, Totals, count_up, families, page
from litellm_tui.model.diagnosis import Deployment, Diagnosis, Group, Headline, Verdict
from litellm_tui.model.failures import NotAvailable, Unreachable
from litellm_tui.model.gateway import (
    CacheCount,
    CacheCounts,
    DeploymentCounters,
    Gateway,
    LoadedDeployment,
    Metrics,
    Readiness,
    RedisInfo,
)
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service, Worker
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import FailedRequests, Step, Traffic
from litellm_tui.monitor.exporter import Exporter, Listen, parse_listen
from tests.notify.loopback import NOW, problem

DOCS = Path(__file__).parents[2] / "docs"
PAGE, ALERTS, DASHBOARD = DOCS / "metrics.md", DOCS / "alerts.yml", DOCS / "dashboard.json"
MARKS = "<!-- metrics -->\n", "\n<!-- /metrics -->"
UNITS = ("_seconds", "_bytes", "_total", "_info")
AT = int(NOW)


def whole(steps: tuple[Step, ...] = ((AT, 7, 3),), *, up: bool = True) -> tuple[Snapshot, Diagnosis]:
    """A look that gives every metric there is."""
    probe = ProbeResult("d1", "qwen", "openai/qwen", True, NOW, took=0.25)
    counters = DeploymentCounters(
        "id1", latency=((0.5, 3.0), (1.0, 6.0), (float("inf"), 7.0)), first_token=((0.1, 2.0), (float("inf"), 2.0)),
        tokens_in=70.0, tokens_out=35.0, cost=0.25,
    )  # fmt: skip
    row = Deployment(
        "d1", "qwen", "openai/qwen", Verdict("serving", "ok"), ok=7, failed=3, steps=steps, probe=probe,
        loaded=LoadedDeployment("id1", "qwen", "openai/qwen"),
    )  # fmt: skip
    other = Deployment("d2", "llama", 'openai/"l"\n', Verdict("failing", "bad"))
    alive: Reading[str] = (
        Reading(value="alive", seen_at=NOW, tried_at=NOW, took=0.004)
        if up
        else Reading(value="alive", seen_at=NOW - 9, tried_at=NOW, failure=Unreachable("refused"))
    )
    gateway = Gateway(
        liveliness=alive,
        metrics=Reading(value=Metrics((counters,))),
        readiness=Reading(value=Readiness("healthy", version="1.106.2")),
        redis=Reading(value=RedisInfo("7", 5, 4096, 0, "", 1, 2, 3, 0, 1, 1)),
    )
    service = Service(
        "litellm.service", "system", "loaded", "active", "running", main_pid=7, restarts=2, started_at=NOW - 50,
        memory=1 << 20, cpu_seconds=12.5, workers=(Worker(8, 1, NOW), Worker(9, 1, NOW)),
    )  # fmt: skip
    traffic = Traffic(
        steps=steps, access_lines=True,
        failed=(FailedRequests("group", "qwen", 3, steps=tuple((at, 0, failed) for at, _, failed in steps)),),
    )  # fmt: skip
    snapshot = Snapshot(
        NOW, gateway=gateway, service=Reading(value=service), traffic=traffic, address="127.0.0.1:4000",
        cache_counts=CacheCounts("redis", (CacheCount(NOW, 34, 99),)),
    )  # fmt: skip
    diagnosis = Diagnosis(
        Headline("OK", "ok"), Verdict("answering", "ok"), Verdict("running", "ok"), Verdict("healthy", "ok"),
        deployments=(row, other), groups=(Group("qwen", Verdict("serving", "ok")),),
        problems=(problem(), problem("cache:", "warn"), problem("group:gone", solved_at=NOW)),
    )  # fmt: skip
    return snapshot, diagnosis


@contextmanager
def listening(exporter: Exporter) -> Iterator[str]:
    at = exporter.start()
    assert isinstance(at, Listen)
    try:
        yield f"http://{at}/metrics"
    finally:
        exporter.stop()


def scraped(url: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text = answer.read().decode()
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_a_scrape_gets_what_was_seen_last() -> None:
    exporter = Exporter(Listen("127.0.0.1", 0), "prod")
    with listening(exporter) as url:
        assert scraped(url) == {}
        exporter.take(*whole(), NOW)
        found = scraped(url)
        assert {name.removesuffix("_bucket").removesuffix("_count") for name in found} == {one.name for one in METRICS}
        assert found["litellm_tui_build_info"] == {(("version", __version__),): 1.0}
        assert found["litellm_tui_gateway_up"] == {(): 1.0}
        assert found["litellm_tui_last_look_timestamp_seconds"] == {(): NOW}
        row = (("deployment", "d1"), ("group", "qwen"), ("model", "openai/qwen"))
        states = {dict(labels)["state"]: value for labels, value in found["litellm_tui_deployment_state"].items()
                  if ("deployment", "d1") in labels}  # fmt: skip
        assert (states.pop("serving"), set(states.values())) == (1.0, {0.0})
        assert found["litellm_tui_deployment_attempts_total"] == {
            (*row, ("result", "answered")): 7.0, (*row, ("result", "failed")): 3.0,
        }  # fmt: skip
        assert found["litellm_tui_problems"] == {
            (("severity", "bad"),): 1.0, (("severity", "warn"),): 1.0, (("severity", "quiet"),): 0.0,
        }  # fmt: skip
        assert found["litellm_tui_failed_requests_total"] == {(("by", "group"),): 3.0}
        assert found["litellm_tui_service_processes"] == {(): 2.0}
        buckets = (("0.5", 3.0), ("1.0", 6.0), ("+Inf", 7.0))
        assert found["litellm_tui_deployment_latency_seconds_bucket"] == {
            tuple(sorted((*row, ("le", bound)))): number for bound, number in buckets
        }
        assert found["litellm_tui_deployment_cost_dollars_total"] == {row: 0.25}
        exporter.take(*whole(up=False), NOW + 5)
        found = scraped(url)
        assert found["litellm_tui_gateway_up"] == {(): 0.0}
        assert "litellm_tui_gateway_answer_seconds" not in found


def test_counters_only_grow_and_count_a_step_once() -> None:
    totals = Totals()
    for at, steps in (
        (0, ((AT, 1, 0),)),
        (2, ((AT, 4, 1),)),
        (4, ((AT, 4, 1),)),
        # attributed anew, the failure is no failure of it
        (6, ((AT, 4, 0), (AT + 10, 2, 0))),
        (400, ((AT + 390, 5, 5),)),
        (9000, ((AT + 8990, 1, 0),)),
    ):
        count_up(totals, *whole(steps), NOW + at)
    assert totals.of(("requests",)) == (12.0, 6.0)
    assert totals.of(("deployment", "d1")) == (12.0, 6.0)
    assert totals.of(("failed", "group")) == (0.0, 6.0)
    assert len(totals._seen) == 3


def test_what_is_not_known_has_no_sample() -> None:
    diagnosis = Diagnosis(
        Headline("OK", "ok"), Verdict("unknown", "unknown"), Verdict("unknown", "unknown"), Verdict("off", "quiet")
    )
    found = {one.name for one in families(Snapshot(NOW), diagnosis, Totals(), __version__, "g")}
    assert found == {
        PREFIX + name
        for name in (
            "build_info", "gateway_info", "last_look_timestamp_seconds", "part_severity", "problems",
            "unreadable_sources",
        )
    }  # fmt: skip


def test_labels_are_masked_bounded_and_never_twice() -> None:
    snapshot, diagnosis = whole()
    rows = tuple(Deployment(f"zq9-{n}", "g\x00" + "x" * 500, "m", Verdict("serving", "ok")) for n in range(2))
    exporter = Exporter(Listen("127.0.0.1", 0), "prod")
    mask = re.compile("zq9-[0-9]")
    changed = Diagnosis(diagnosis.headline, diagnosis.gateway, diagnosis.service, diagnosis.cache, deployments=rows)
    with listening(exporter) as url:
        exporter.take(snapshot, changed, NOW, lambda text: mask.sub("•••", text))
        states = scraped(url)["litellm_tui_deployment_state"]
    assert len(states) == 11
    assert {dict(labels)["deployment"] for labels in states} == {"•••"}
    assert {len(dict(labels)["group"]) for labels in states} == {200}


def test_names_follow_the_conventions() -> None:
    for one in METRICS:
        assert re.fullmatch(r"litellm_tui_[a-z][a-z_]*[a-z]", one.name), one.name
        assert one.name.endswith("_total") == (one.kind == "counter"), one.name
        assert not re.search("_ms|milli|micro|_mb|_kb|percent", one.name), one.name
        assert one.help.endswith("."), one.name
    assert any(one.name.endswith(UNITS) for one in METRICS)


def test_the_page_is_made_from_the_metrics() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    made = f"{before}{MARKS[0]}{page()}{MARKS[1]}{after}"
    if os.environ.get("LITELLM_TUI_WRITE_DOCS"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made


def _named(expression: str) -> set[str]:
    return {name.removesuffix("_bucket") for name in re.findall(r"litellm_tui_\w+", expression)}


def _labels(expression: str) -> Iterator[tuple[str, str]]:
    """Each metric with the labels that are asked of it."""
    for name, inside in re.findall(r"(litellm_tui_\w+)\{([^}]*)\}", expression):
        for label in re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", inside):
            yield name.removesuffix("_bucket"), label


def _expressions() -> Iterator[str]:
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def test_alerts_and_dashboard_ask_for_what_there_is() -> None:
    known = {one.name: set(one.labels) for one in METRICS}
    asked = list(_expressions())
    assert len(asked) >= 15
    for expression in asked:
        assert _named(expression), expression
        assert _named(expression) <= set(known), expression
        assert expression.count("(") == expression.count(")")
        for name, label in _labels(expression):
            assert label in known[name] | {"instance", "job"}, expression


def test_alerts_have_what_prometheus_wants_of_them() -> None:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    names = []
    for group in groups:
        assert set(group) == {"name", "rules"}
        for rule in group["rules"]:
            assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
            assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
            assert rule["labels"]["severity"] in ("critical", "warning")
            assert set(rule["annotations"]) == {"summary", "description"}
            # every label that a text shows is one of its metric
            known: set[str] = {"instance", "job"}
            known.update(*(one.labels for one in METRICS if one.name in _named(rule["expr"])))
            shown = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
            assert shown <= known, rule["alert"]
            names.append(rule["alert"])
    assert len(names) == len(set(names))


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert board["schemaVersion"] >= 36
    assert {one["name"] for one in board["templating"]["list"]} == {"datasource", "instance"}
    identities = [panel["id"] for panel in board["panels"]]
    assert len(identities) == len(set(identities))
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("127.0.0.1:9419", Listen("127.0.0.1", 9419)),
        ("localhost", Listen("127.0.0.1", 9419)),
        ("[::1]:80", Listen("::1", 80)),
        ("::1", Listen("::1", 9419)),
        ("127.3.2.1:0", Listen("127.3.2.1", 0)),
    ],
)
def test_it_listens_on_loopback(text: str, listen: Listen) -> None:
    assert parse_listen(text) == listen


@pytest.mark.parametrize("text", ["0.0.0.0:9419", "[::]:9419", "10.0.0.7", "192.168.1.2:1"])
def test_another_address_wants_a_word(text: str) -> None:
    with pytest.raises(ValueError, match="--listen-anywhere"):
        parse_listen(text)
    assert parse_listen(text, anywhere=True).port in (9419, 1)


@pytest.mark.parametrize("text", ["", "gw-01:9419", "127.0.0.1:x", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:²"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_listen(text, anywhere=True)


def test_a_port_that_is_taken_is_told() -> None:
    first = Exporter(Listen("127.0.0.1", 0), "prod")
    at = first.start()
    assert isinstance(at, Listen)
    second = Exporter(at, "prod").start()
    first.stop()
    assert isinstance(second, NotAvailable)
    assert f"cannot listen at {at}: Address already in use" in second.why


def test_the_library_is_loaded_when_it_is_needed() -> None:
    code = "import sys, litellm_tui.monitor.exporter; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
