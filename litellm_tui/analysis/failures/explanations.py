"""The meaning of each cause in plain words, and the next step."""

from __future__ import annotations

from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import MEANINGS, NETWORK_NAMES, NEXT_STEPS, PARTS_DO, PARTS_MEAN
from litellm_tui.model.traffic import Subject


class Explanation(NamedTuple):
    """The meaning and the next step, a sentence each; the meaning is empty for an unknown cause."""

    means: str
    do: str


_MEANS: Final = {
    "no key": "LiteLLM has no key for this provider: the variable that should hold it is not set for the service",
    "refused": "nothing listens at the address of api_base: the upstream does not run, or has another port",
    "no such host": "the name in api_base leads to no address: it is misspelt, or this machine's DNS does not know it",
    "TLS": "the connection is encrypted in a way that one side does not accept, such as https to a plain port",
    "no route": "the network knows no way to the upstream",
    "cooling down": "after failures the router leaves this group's deployments alone for a while, and answers 429",
    "stream breaks": "the upstream ended a stream in the middle of its answer; its callers have half an answer",
    "429 rate limit": "the provider takes no more requests for now: its limit, or a quota, is used up",
    "401 key refused": "the provider does not accept the key that LiteLLM sends",
    "403 forbidden": "the provider knows the key and does not allow it this model",
    "404 not found": "the upstream does not know the model, or the path of api_base is wrong",
    "timeout": "the upstream took longer than LiteLLM's timeout",
    "no provider": "LiteLLM left this deployment out when it started, as its model names no provider",
    "no connection": "the connection to the upstream failed, and the log does not say why",
    "503 unavailable": "the upstream says that it cannot serve now",
    "502 bad gateway": "what stands in front of the upstream gets no answer from it",
    "400 bad request": "the upstream does not take the request as LiteLLM sends it",
    "500": "the upstream took the request and failed at it",
    "alias is a list": "router_settings.model_group_alias maps a name to a list, and LiteLLM wants one name",
    "ghost fallback": "a fallback leads to a group that does not exist: who needs it gets an error",
    "service ended": "the service manager says that LiteLLM ended, or did not start",
    "start did not complete": "LiteLLM began to start and did not come to serve; these are its last words",
}
_DO: Final = {
    "alias is a list": "name one group in the alias; use a fallback for more than one",
    "ghost fallback": "correct the name in the fallback, or add the group",
    "service ended": "see the service (5) and the last lines before it in the log",
    "start did not complete": "mend what the last lines name; the incidents of the same time say more",
}
_UNKNOWN: Final = Explanation("", "read an example in the log (Enter)")


def explain_cause(cause: str, subject: Subject = "upstream") -> Explanation:
    """The explanation of `cause` for whose failure it is."""
    if known := MEANINGS.get((subject, cause)):
        return Explanation(known.means, known.do)
    if subject in PARTS_MEAN:
        # only what the network says is answered by looking whether it runs
        return Explanation(PARTS_MEAN[subject], PARTS_DO[subject] if cause in NETWORK_NAMES else _UNKNOWN.do)
    if cause not in _MEANS:
        return _UNKNOWN
    return Explanation(_MEANS[cause], _DO.get(cause) or NEXT_STEPS.get(cause, ""))
