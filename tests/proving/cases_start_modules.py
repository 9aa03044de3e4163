"""Python modules that the file names."""

from __future__ import annotations

from tests.proving.case import Case, refused, runs

_LOGGER = "from litellm.integrations.custom_logger import CustomLogger\n\n\nclass Mine(CustomLogger):\n    pass\n\n\n"

CASES: tuple[Case, ...] = (
    Case(
        "callbacks-module-missing",
        "litellm_settings:\n  callbacks: tally.counter\n",
        finds={"module-not-found": 2},
        proof=refused("Could not import counter from tally"),
    ),
    Case(
        "failure-callback-module-missing",
        "litellm_settings:\n  failure_callback:\n    - sentry\n    - pack.tally.counter\n",
        finds={"module-not-found": 4},
        proof=refused("Could not import counter from pack.tally"),
    ),
    Case(
        "rules-module-missing",
        "litellm_settings:\n  post_call_rules: answers.polite\n",
        finds={"module-not-found": 2},
        proof=refused("Could not import polite from answers"),
    ),
    Case(
        "key-generator-missing",
        "general_settings:\n  custom_key_generate: keys.make\n",
        finds={"module-not-found": 2},
        proof=refused("Could not import make from keys"),
    ),
    Case(
        "guardrail-module-missing",
        "guardrails:\n  - guardrail_name: g\n    litellm_params: {guardrail: watch.Guard, mode: pre_call}\n",
        finds={"module-not-found": 3},
        proof=refused("watch"),
    ),
    Case(
        "module-in-the-libraries",
        "general_settings:\n  custom_auth: litellm.proxy.custom_sso.custom_sso_handler\n",
        finds={"module-not-found": 2},
        proof=refused("Could not import custom_sso_handler"),
        until="1.90",
        otherwise=runs,
    ),
    Case(
        "name-not-in-the-module",
        "general_settings:\n  custom_auth: door.check\n",
        files={"door.py": "async def chek(request, api_key):\n    return None\n"},
        finds={"module-unusable": 2},
        proof=refused("check"),
    ),
    Case(
        "module-without-a-dot",
        "litellm_settings:\n  custom_provider_map:\n    - {provider: own, custom_handler: own}\n",
        finds={"module-unusable": 3},
        proof=refused(""),
    ),
    Case(
        "module-that-is-not-python",
        "litellm_settings:\n  callbacks: [tally.counter]\n",
        files={"tally.py": "def counter(:\n"},
        finds={"module-unusable": 2},
        proof=refused("SyntaxError"),
    ),
    Case(
        "class-among-the-callbacks",
        "litellm_settings:\n  callbacks: [tally.Mine]\n",
        files={"tally.py": _LOGGER},
        finds={"module-unusable": 2},
        proof=refused("resolved to the class"),
        since="1.103",
        otherwise=runs,
    ),
    Case(
        "instance-among-the-callbacks",
        "litellm_settings:\n  callbacks: [tally.mine]\n",
        files={"tally.py": f"{_LOGGER}mine = Mine()\n"},
        finds={},
        proof=runs,
    ),
)
