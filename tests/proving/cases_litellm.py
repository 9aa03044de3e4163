"""litellm_settings, and what nothing reads in either section of settings."""

from __future__ import annotations

import time

from tests.proving.case import Case, Proof, both, fails, refused, runs, serves
from tests.proving.run import Run
from tests.waiting import DEADLINE

MODEL = """\
model_list:
  - model_name: m
    litellm_params: {model: openai/m, api_base: "{upstream}", api_key: k}
"""


ASK_BUDGET = """\
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy import proxy_server

instance = CustomLogger()
ask = proxy_server.ProxyStartupEvent._add_proxy_budget_to_db
try:
    ask(*([\"it\"] if ask.__code__.co_argcount > 1 else []))
except Exception as refusal:
    print(refusal)
"""


def router_says(**wanted: object) -> Proof:
    """The running router has these settings."""

    def proof(run: Run) -> None:
        runs(run)
        settings = run.get("/get/config/callbacks").body["router_settings"]
        assert {key: settings.get(key) for key in wanted} == wanted

    return proof


def as_json(expected: bool) -> Proof:
    """Whether a failed request is logged as JSON."""

    def proof(run: Run) -> None:
        run.chat("no-such-model")
        deadline = time.monotonic() + (DEADLINE if expected else 1)
        while not (found := any(line.startswith("{") for line in run.log.splitlines())):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        assert found is expected, run.log[-2000:]

    return proof


def asked(path: str, wanted: int, words: str) -> Proof:
    """The answer to GET this path."""

    def proof(run: Run) -> None:
        status, body, _ = run.get(path)
        assert status == wanted, (status, body)
        assert words in str(body), body

    return proof


def no_model_is_stored(run: Run) -> None:
    body = {"model_name": "added", "litellm_params": {"model": "openai/added"}}
    answer = run.post("/model/new", body)
    assert answer.status == 500, answer
    assert "No DB Connected" in str(answer.body)


def health_calls_all(run: Run) -> None:
    before = len(run.upstream_calls())
    run.get("/health")
    run.get("/health")
    assert len(run.upstream_calls()) - before == 2


def the_check_refuses(run: Run) -> None:
    """LiteLLM's own check, called with the settings of the file, ends with its exception."""
    assert "budget_duration not set on Proxy" in run.log, run.log[-3000:]


CASES: tuple[Case, ...] = (
    Case(
        "settings-in-vain",
        """\
model_list:
  - model_name: m
    litellm_params: {model: openai/m, api_base: "{upstream}", api_key: k, input_cost_per_token: 1.0}
litellm_settings:
  cooldown_time: 30
  num_retires: 4
  json_logs: "true"
  max_budget: 0.000001
  cache_params: {type: local}
general_settings:
  retry_after: 3
  store_model_in_db: true
  alerting: [slack]
""",
        finds={
            "unknown-litellm-key": 6,
            "json-logs-as-text": 7,
            "budget-without-database": 8,
            "cache-params-idle": 9,
            "health-calls-providers": 10,
            "unknown-general-key": 11,
            "store-models-without-database": 12,
            "alerting-without-webhook": 13,
        },
        proof=both(
            router_says(cooldown_time=5, num_retries=2, retry_after=0),
            as_json(False),
            serves("m", "m"),
            asked("/cache/ping", 503, "Cache not initialized"),
            no_model_is_stored,
            asked("/health/services?service=slack", 500, "Missing SLACK_WEBHOOK_URL"),
            health_calls_all,
        ),
        fixed=both(router_says(cooldown_time=30, num_retries=4, retry_after=3), as_json(True)),
    ),
    Case(
        "request-timeout-shadowed",
        """\
model_list:
  - model_name: slow
    litellm_params: {model: openai/slow, api_base: "{upstream}", api_key: k}
litellm_settings:
  request_timeout: 1
router_settings: {timeout: 30, num_retries: 0}
""",
        finds={"shadowed-request-timeout": 5},
        proof=serves("slow"),
        otherwise=fails("slow", "timed out"),
        until="1.90",
    ),
    Case(
        "budget-without-duration",
        """\
litellm_settings:
  max_budget: 100
  callbacks: [ask_budget.instance]
environment_variables:
  DATABASE_URL: postgresql://nobody:none@127.0.0.1:9/none
""",
        # the ground has no Prisma, so there LiteLLM never comes to the budget: a module that it loads asks the check
        finds={"budget-without-duration": 2},
        proof=the_check_refuses,
        files={"ask_budget.py": ASK_BUDGET},
    ),
    Case(
        "budget-of-words",
        "litellm_settings:\n  max_budget: a hundred\n",
        finds={"budget-not-a-number": 2},
        proof=refused("could not convert string to float"),
        otherwise=runs,
        since="1.90",
    ),
)
