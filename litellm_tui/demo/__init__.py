"""A simulated gateway, so that the console runs on a machine that has nothing.

It is reached through the same collectors as a real one: HTTP on loopback, a `systemctl` and a `journalctl` of its
own, a configuration file. What it answers and writes has the shape of a real LiteLLM 1.106.2.
"""

from litellm_tui.demo.simulation import Simulation

__all__ = ["Simulation"]
