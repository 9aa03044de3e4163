"""Whether it is known which variables LiteLLM has: where it is not, nothing is said to be unset."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from litellm_tui.model.service import Unit, Variable
from litellm_tui.model.service_kinds import Compose, Custom, Docker, Process, ServiceSettings, Tools
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.known_environment import why_unknown

UNIT = Unit(
    name="gw", scope="user", active=True, arguments=("/opt/bin/litellm", "--port", "4000"), folder=None,
    environment={"KEY": Variable("x", "/srv/gw.env")}, config=None, url="http://127.0.0.1:4000",
)  # fmt: skip
OF_PROCESS = {"KEY": Variable("x", "the running process 31")}
PROCESS = Process(start=("/srv/gw.sh",), pid_file="/run/gw.pid")


def _why(unit: Unit | None, settings: ServiceSettings | None = None, name: str = "gw") -> str:
    return why_unknown(ServiceTarget(name, Tools(), settings=settings, unit=unit))


@pytest.mark.parametrize(("unit", "settings", "why"), [
    (None, None, "was not found"),
    (UNIT, Custom(status=("true",)), "does not tell its environment"),
    (replace(UNIT, unread=(("/etc/gw.env", "Permission denied"),)), None, "/etc/gw.env cannot be read"),
    (UNIT, PROCESS, "does not show its environment"),
    (replace(UNIT, arguments=("/srv/start.sh",)), None, "does not show its environment"),
])  # fmt: skip
def test_it_is_not_known(unit: Unit | None, settings: ServiceSettings | None, why: str) -> None:
    assert why in _why(unit, settings)


def test_an_address_alone_says_nothing_of_an_environment() -> None:
    assert _why(None, name="") == "no service of this machine is known to run it"


@pytest.mark.parametrize(("unit", "settings"), [
    (UNIT, None),
    (UNIT, Compose()),
    (UNIT, Docker()),
    (replace(UNIT, environment=OF_PROCESS), PROCESS),
    (replace(UNIT, environment=OF_PROCESS, arguments=("/srv/start.sh",)), None),
    # what does not run will get what is written
    (replace(UNIT, active=False), PROCESS),
    # an optional file that is not there
    (replace(UNIT, unread=(("/etc/default/gw", "No such file or directory"),)), None),
])  # fmt: skip
def test_it_is_known(unit: Unit, settings: ServiceSettings | None) -> None:
    assert _why(unit, settings) == ""
