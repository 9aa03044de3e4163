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
        "name-that-litellm-does-not-have",
        "litellm_settings:\n  callbacks: [tally.mine]\n",
        files={"tally.py": "from litellm.integrations.custom_logger import CustomLoger\n\nmine = CustomLoger()\n"},
        finds={"module-unusable": 2},
        proof=refused("Could not import mine from tally"),
    ),
    Case(
        "module-that-litellm-does-not-have",
        "litellm_settings:\n  callbacks: [tally.mine]\n",
        files={"tally.py": f"import litellm.integrations.custom_loger\n{_LOGGER}mine = Mine()\n"},
        finds={"module-unusable": 2},
        proof=refused("Could not import mine from tally"),
    ),
    Case(
        "names-that-litellm-makes-when-they-are-asked-for",
        "litellm_settings:\n  callbacks: [tally.mine]\n",
        files={
            "tally.py": "from litellm import *\nfrom litellm import ModelResponse, Router, acompletion\n"
            f"from litellm.proxy.proxy_server import DualCache, UserAPIKeyAuth\n{_LOGGER}mine, other = Mine(), 2\n"
        },
        finds={},
        proof=runs,
    ),
    Case(
        "name-of-a-star",
        "litellm_settings:\n  callbacks: [tally.CustomLogger]\n",
        files={"tally.py": "from litellm.integrations.custom_logger import *\n"},
        finds={"module-unusable": 2},
        proof=refused("resolved to the class"),
        since="1.103",
        otherwise=runs,
    ),
    *(
        Case(
            f"callback-of-{name}",
            "litellm_settings:\n  callbacks: [tally.mine]\n",
            files={"tally.py": f"{_LOGGER}{text}"},
            finds={"module-unusable": 2},
            proof=refused(said),
            # before, what is no logger is taken all the same
            since="1.103" if said.startswith("resolved") else "",
        )
        for name, text, said in (
            ("a-tuple", "other, mine = Mine(), 2\n", "resolved to int 2"),
            ("a-loop", "for mine in (Mine(), Mine):\n    pass\n", "resolved to the class"),
            ("a-with", "with open('/dev/null') as mine:\n    pass\n", "resolved to TextIOWrapper"),
            ("a-class-of-no-use", "class Other:\n    pass\n\n\nmine = Other()\n", "resolved to Other"),
            ("a-script-alone", "if __name__ == '__main__':\n    mine = Mine()\n", "has no attribute 'mine'"),
            ("a-name-that-is-nowhere", "mine = Mien()\n", "name 'Mien' is not defined"),
        )
    ),
    Case(
        "module-that-wants-a-variable",
        "litellm_settings:\n  callbacks: [tally.mine]\n",
        files={"tally.py": f"import os\n\nKEY = os.environ['TALLY_KEY']\n{_LOGGER}mine = Mine()\n"},
        finds={"module-unusable": 2},
        proof=refused("KeyError: 'TALLY_KEY'"),
    ),
    Case(
        "callbacks-reached-in-other-ways",
        "litellm_settings:\n  callbacks: [tally.a, tally.b, tally.c, tally.d, tally.e]\n",
        files={
            "inner.py": f"{_LOGGER}e = Mine()\n",
            "tally.py": f"{_LOGGER}from inner import *\na = b = Mine()\n"
            "try:\n    from litellm.nowhere import c\nexcept ImportError:\n    c = Mine()\n"
            "for d in [Mine()]:\n    pass\n",
        },
        finds={},
        proof=runs,
    ),
    Case(
        "instance-among-the-callbacks",
        "litellm_settings:\n  callbacks: [tally.mine]\n",
        files={"tally.py": f"{_LOGGER}mine = Mine()\n"},
        finds={},
        proof=runs,
    ),
)
