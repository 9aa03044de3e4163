"""A lab of real parts: systemd, journald, Redis, LiteLLM and an upstream, in namespaces of their own.

From Python: ``with Lab.boot() as lab: ...``. From a shell, as root: ``python -m tests.lab --help``.
"""

from tests.lab.core import Answer, Lab, Ports, missing, required
from tests.lab.environments import Environment, LabError, environments

__all__ = ["Answer", "Environment", "Lab", "LabError", "Ports", "environments", "missing", "required"]
