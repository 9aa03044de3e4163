"""Callbacks and Prometheus."""

from __future__ import annotations

from tests.proving.case import Case, Proof, logs, refused, runs
from tests.proving.run import Run

_SHADOW = {"prometheus_client.py": "raise ModuleNotFoundError('No module named prometheus_client')\n"}


def refused_for_module(run: Run) -> None:
    """The name is looked for as a module; each version says that in words of its own."""
    assert run.refused, run.log[-2000:]
    assert "Empty module name" in run.log or "Could not find module file" in run.log, run.log[-2000:]


def metrics(expected: bool) -> Proof:
    """Whether /metrics counts requests."""

    def proof(run: Run) -> None:
        runs(run)
        run.chat("no-such-model")
        status, body, _ = run.get("/metrics/")
        assert status == 200
        assert ("litellm_proxy_total_requests_metric_total{" in body) is expected, body[-2000:]
        assert ("litellm_not_a_premium_user_metric" in body) is not expected

    return proof


CASES: tuple[Case, ...] = (
    Case(
        "success-callback-as-text",
        "litellm_settings:\n  success_callback: otel\n",
        finds={"callback-as-text": 2},
        proof=logs("['o', 't', 'e', 'l']"),
        fixed=logs("['otel']"),
    ),
    Case(
        "callbacks-as-text",
        "litellm_settings:\n  callbacks: otel\n",
        finds={"callback-as-text": 2},
        proof=refused_for_module,
    ),
    Case(
        "callback-as-mapping",
        "litellm_settings:\n  callbacks:\n    - otel: {endpoint: here}\n",
        finds={"callback-of-wrong-kind": 3},
        proof=refused("'dict' object has no attribute 'startswith'"),
    ),
    Case(
        "callback-misspelt",
        "litellm_settings:\n  callbacks: [promethues]\n",
        finds={"unknown-callback": 2},
        proof=refused_for_module,
    ),
    Case(
        "callback-of-another-list",
        "litellm_settings:\n  callbacks: [sentry]\n",
        finds={"unknown-callback": 2},
        proof=refused_for_module,
    ),
    Case(
        "callback-for-money",
        "litellm_settings:\n  callbacks: [hide_secrets]\n",
        finds={"callback-needs-licence": 2},
        proof=refused("Trying to use secret hiding"),
    ),
    Case(
        "prometheus-licence",
        "litellm_settings:\n  callbacks: [prometheus]\n",
        finds={"prometheus-needs-licence": 2},
        proof=metrics(False),
        otherwise=metrics(True),
        until="1.79",
    ),
    Case(
        "prometheus-package",
        "litellm_settings:\n  callbacks: [prometheus]\n",
        finds={"prometheus-package-missing": 2},
        proof=refused("No module named prometheus_client"),
        env={"PYTHONPATH": ".", "LITELLM_LICENSE": "a-licence"},
        files=_SHADOW,
        cold=True,
        packages=frozenset({"litellm"}),
    ),
)
