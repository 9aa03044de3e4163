"""A lab of real parts in private namespaces: systemd, journald, Redis, LiteLLM, an upstream that fails at will.

From Python: ``with Lab.boot() as lab: ...``. From a shell, as root: ``python -m tests.lab --help``.
"""

from tests.lab.core import Answer, Lab, Ports, missing, required
from tests.lab.environments import Environment, LabError, environments

__all__ = ["Answer", "Environment", "Lab", "LabError", "Ports", "environments", "missing", "required"]
