"""Problems of a Deployment's pods, and the verdict where none of them serves."""

from __future__ import annotations

import msgspec

from litellm_tui.analysis.end_causes import EndCause
from litellm_tui.analysis.health.operation import judge_gateway, judge_service
from litellm_tui.analysis.health.pods import hidden_parts, no_pod_ready, pod_problems
from litellm_tui.model.failures import Unreachable
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.workload import PodState, Workload

NOW = 1_780_000_000.0
NO_CAUSE = EndCause("", "", "")
GOOD = PodState("litellm-a-1", "Running", True, answer="ok")
LOOP = PodState("litellm-a-2", "CrashLoopBackOff", False, "crash loop", "it ends again and again (Error, status 1)", 5)
SILENT = PodState("litellm-a-3", "Running", True, "silent", "it is ready, and asked for itself it fails: refused")


def _service(*pods: PodState, **more: object) -> Service:
    found = msgspec.structs.replace(Workload("prod", "gw", wanted=2, pods=pods, updated=1), **more)
    return Service("litellm", "kubernetes", "loaded", "active", "running", workload=found)


def _snapshot(service: Service) -> Snapshot:
    return msgspec.structs.replace(Snapshot(taken_at=NOW), service=Reading(value=service, seen_at=NOW))


def test_one_bad_pod_behind_a_good_service_is_a_problem_that_names_it() -> None:
    (found,) = pod_problems(_snapshot(_service(GOOD, LOOP)), NOW)
    assert (found.title, found.cause, found.severity) == ("pod litellm-a-2", "crash loop", "warn")
    assert "CrashLoopBackOff: it ends again and again (Error, status 1); 5 restarts; 1 of 2 serve" in found.reason
    (found,) = pod_problems(_snapshot(_service(GOOD, SILENT)), NOW)
    assert (found.title, found.severity, found.hit) == ("pod litellm-a-3", "bad", "about 1 of 2 requests")


def test_pods_that_serve_are_no_problem() -> None:
    assert list(pod_problems(_snapshot(_service(GOOD, GOOD)), NOW)) == []
    assert no_pod_ready(_service(GOOD, LOOP), NO_CAUSE) is None


def test_where_no_pod_serves_the_service_is_down_by_the_cause_of_its_pods() -> None:
    assert list(pod_problems(_snapshot(_service(LOOP)), NOW)) == []
    verdict = no_pod_ready(_service(LOOP), NO_CAUSE)
    assert verdict is not None
    assert (verdict.severity, verdict.brief) == ("bad", "crash loop")
    assert verdict.reason.startswith("none of 2 pods is ready; litellm-a-2: CrashLoopBackOff")
    starting = PodState("litellm-a-4", "Running", False)
    assert no_pod_ready(_service(starting), NO_CAUSE) is None
    assert no_pod_ready(_service(wanted=0), NO_CAUSE) is None


def test_without_the_api_server_a_port_forward_says_nothing_about_the_gateway() -> None:
    gone = Unreachable("the API server of prod: connection refused", kind="refused")
    refused = Reading[bool](failure=Unreachable("connection refused", kind="refused"), failing_since=NOW, tried_at=NOW)
    snapshot = msgspec.structs.replace(
        _snapshot(_service(GOOD, GOOD)),
        address="127.0.0.1:40123",
        gateway=msgspec.structs.replace(Snapshot(taken_at=NOW).gateway, liveliness=refused),
    )
    silent = msgspec.structs.replace(snapshot, service=msgspec.structs.replace(snapshot.service, failure=gone))
    verdict = judge_gateway(silent, NOW, judge_service(silent, NOW))
    assert (verdict.state, verdict.severity) == ("not read", "unknown")
    assert verdict.reason.endswith("and that is not: the API server of prod: connection refused")
    # an address of its own does not go through the API server
    direct = msgspec.structs.replace(silent, address="gateway.example:4000")
    assert judge_gateway(direct, NOW, judge_service(direct, NOW)).state == "down"
    # and neither is it the API server's fault where that answers
    assert judge_gateway(snapshot, NOW, judge_service(snapshot, NOW)).state == "down"


def test_a_stuck_rollout_and_a_billed_probe_are_told() -> None:
    service = _service(GOOD, stuck='ReplicaSet "litellm-b" has timed out progressing.', billed=("liveness",))
    assert [one.cause for one in pod_problems(_snapshot(service), NOW)] == ["rollout stuck", "probe is billed"]


def test_a_pod_that_was_killed_for_memory_lately_is_told_though_it_serves_again() -> None:
    killed = msgspec.structs.replace(GOOD, restarts=1, last_end="OOMKilled", last_end_at=NOW - 60)
    (found,) = pod_problems(_snapshot(_service(GOOD, killed)), NOW)
    assert (found.cause, found.hit) == ("pod out of memory", "the requests that were in it")
    long_ago = msgspec.structs.replace(killed, last_end_at=NOW - 4000)
    assert list(pod_problems(_snapshot(_service(GOOD, long_ago)), NOW)) == []


def test_what_the_rights_hide_is_a_blind_spot_of_its_own() -> None:
    (spot,) = hidden_parts(_snapshot(_service(GOOD, forbidden=("its revisions: may not list",))))
    assert spot.what == "its revisions: may not list"
