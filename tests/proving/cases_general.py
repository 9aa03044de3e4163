"""general_settings."""

from __future__ import annotations

import time

from tests.proving.case import Case, Proof, both, refused, runs, serves
from tests.proving.cases_litellm import MODEL
from tests.proving.run import Run
from tests.waiting import DEADLINE


def checked(expected: bool) -> Proof:
    """Whether the background checks ask the upstream."""

    def proof(run: Run) -> None:
        runs(run)
        deadline = time.monotonic() + (DEADLINE if expected else 3)
        while not run.upstream_calls() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert bool(run.upstream_calls()) is expected, run.upstream_calls()

    return proof


def health_is_empty(run: Run) -> None:
    time.sleep(3)
    assert run.get("/health").body == {}


def health_fills(run: Run) -> None:
    deadline = time.monotonic() + DEADLINE
    while not (body := run.get("/health").body) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert body["healthy_count"] == 1, body


def the_dead_is_listed(run: Run) -> None:
    assert run.get("/health").body["unhealthy_count"] == 1
    assert run.groups() == ["err500"]


CASES: tuple[Case, ...] = (
    Case(
        "no-key",
        "model_list: []\n",
        finds={"unsafe-master-key": 1},
        proof=refused("refused to start"),
        bare=True,
        since="1.104",
    ),
    Case(
        "known-key",
        "general_settings:\n  master_key: sk-1234\n",
        finds={"unsafe-master-key": 2},
        proof=refused("refused to start"),
        bare=True,
        since="1.104",
    ),
    Case(
        "open-gateway",
        f"{MODEL}general_settings:\n  dangerously_permit_weak_or_unset_master_key: true\n",
        finds={"open-gateway": 4},
        proof=serves("m"),
        bare=True,
        until="1.103",
    ),
    Case(
        "open-on-purpose",
        f"{MODEL}general_settings:\n  dangerously_permit_weak_or_unset_master_key: true\n",
        finds={"unsafe-master-key": 4},
        proof=serves("m"),
        bare=True,
        since="1.104",
    ),
    Case(
        "key-of-digits",
        "general_settings:\n  master_key: 123456\n",
        finds={"setting-not-text": 2},
        proof=refused("'int' object has no attribute 'startswith'"),
    ),
    Case(
        "checks-quoted-off",
        f'{MODEL}general_settings:\n  background_health_checks: "false"\n',
        finds={"quoted-false": 5},
        proof=checked(True),
        fixed=checked(False),
    ),
    Case(
        "interval-in-quotes",
        f'{MODEL}general_settings:\n  background_health_checks: true\n  health_check_interval: "60"\n',
        finds={"health-interval": 6},
        proof=health_is_empty,
        fixed=health_fills,
    ),
    Case(
        "only-healthy-ones",
        """\
model_list:
  - model_name: err500
    litellm_params: {model: openai/err500, api_base: "{upstream}", api_key: k}
general_settings:
  model_list_healthy_only: true
""",
        finds={"healthy-list-unchecked": 5},
        proof=both(runs, the_dead_is_listed),
        since="1.106",
    ),
    Case(
        "ips-for-money",
        "general_settings:\n  allowed_ips: []\n",
        finds={"needs-licence": 2},
        proof=refused("allowed_ips is an Enterprise Feature"),
    ),
)
