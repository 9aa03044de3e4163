"""Starting, stopping and restarting the service, whatever kind it is. Orders are lists of words and pass no shell."""

from __future__ import annotations

from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service import Verb
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile


async def order(profile: Profile, verb: Verb) -> Failure | None:
    """Give the order and wait until it is carried out; None when it was.

    That the order was carried out does not mean that LiteLLM serves: a look afterwards tells. See `Driver.order`.
    """
    if profile.unit is None:
        why = next((missing.why for missing in profile.missing if "service" in missing.what), "")
        return NotAvailable(why or "no service is known here: see litellm-tui where")
    return await driver(profile.service_target).order(verb)
