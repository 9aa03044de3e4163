"""Variables and references to them."""

from __future__ import annotations

from tests.proving.case import Case, both, fails, logs, runs
from tests.proving.cases_litellm import router_says
from tests.proving.run import Run


def sends_none(run: Run) -> None:
    run.chat("m")
    [call] = [call for call in run.upstream_calls() if call.model == "from-environment"]
    assert call.headers["authorization"] == "Bearer None"


def sends_quotes(run: Run) -> None:
    run.chat("quoted")
    [call] = [call for call in run.upstream_calls() if call.model == "quoted-key"]
    assert call.headers["authorization"] == 'Bearer "sk-quoted"'


def keeps_the_tag(run: Run) -> None:
    runs(run)
    [entry] = run.models()
    assert "os.environ/TAG" in str(entry["litellm_params"]["tags"])


CASES: tuple[Case, ...] = (
    Case(
        "variables-in-vain",
        """\
model_list:
  - model_name: m
    litellm_params:
      {model: openai/from-environment, api_base: "{upstream}", tags: [os.environ/TAG]}
router_settings:
  num_retries: os.environ/RETRIES
  retry_after: os.environ/NOT_SET
environment_variables:
  RETRIES: 7
  OPENAI_API_KEY: os.environ/NOT_SET
  SEPARATE_HEALTH_PORT: 4001
""",
        finds={
            "reference-in-list": 4,
            "reference-to-own-variable": 6,
            "empty-setting": 7,
            "exported-none": 10,
            "variable-of-the-image": 11,
        },
        proof=both(router_says(num_retries=2), keeps_the_tag, sends_none),
        env={"TAG": "free"},
    ),
    Case(
        "variables-not-clean",
        """\
model_list:
  - model_name: quoted
    litellm_params: {model: openai/quoted-key, api_base: "{upstream}", api_key: os.environ/QUOTED}
  - model_name: returned
    litellm_params: {model: openai/returned, api_base: "{upstream}", api_key: os.environ/RETURNED}
router_settings: {num_retries: 0}
""",
        finds={"unclean-variable": 3},
        proof=both(sends_quotes, fails("returned")),
        env={"QUOTED": '"sk-quoted"', "RETURNED": "sk-returned\r"},
    ),
    Case(
        "variable-blocked",
        "environment_variables:\n  NO_PROXY: localhost\n",
        finds={"blocked-variable": 2},
        proof=logs("Skipping blocked environment variable key: NO_PROXY"),
        since="1.83",
    ),
)
