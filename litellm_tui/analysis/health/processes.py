"""Verdicts on a service that serves and is not well: its workers end, or Docker calls its container unhealthy."""

from __future__ import annotations

from typing import Final

from litellm_tui.analysis.container_health import bills, explain_health, shown
from litellm_tui.analysis.phrases import age, count
from litellm_tui.model.diagnosis import Verdict
from litellm_tui.model.service import Service

# how long the end of a worker is told, in seconds
RECENT: Final = 600.0


def unhealthy(service: Service) -> Verdict | None:
    """The verdict on a container that runs, and that its own check calls unhealthy, or whose check is billed."""
    test = service.health_test
    if test is None:
        return None
    cause = explain_health(test)
    if service.health != "unhealthy":
        if not bills(test.command):
            return None
        return Verdict("health test is billed", "warn", cause.text, do=cause.do, brief=cause.brief)
    because = f": {cause.text}" if cause.text else ""
    return Verdict(
        "unhealthy",
        "warn",
        f"Docker says unhealthy{because}; {shown(test)}",
        do=cause.do or "run the test in the container (docker exec), and see what it says; the log (2) tells the rest",
        brief=cause.brief or "unhealthy",
    )


def workers_lost(service: Service, now: float) -> Verdict | None:
    """The verdict on a service that runs, and whose workers ended lately or were killed for memory."""
    lately = [at for at in service.lost if now - at < RECENT]
    if not lately and not service.oom_kills:
        return None
    words = [f"{count(len(lately), 'worker')} ended in the last {age(RECENT)}"] if lately else []
    if service.oom_kills:
        words.append(f"the kernel killed {count(service.oom_kills, 'process', 'processes')} of it for lack of memory")
    if service.workers:
        words.append(f"{count(len(service.workers), 'worker')} now")
    memory = bool(service.oom_kills)
    return Verdict(
        "worker lost",
        "warn",
        f"{'; '.join(words)}; the requests in it were lost",
        do="give it more memory (MemoryMax=), or run fewer workers"
        if memory
        else "the log (2) says why it ended; memory and processes are in the service (5)",
        brief="worker out of memory" if memory else "worker lost",
        since=lately[0] if lately else None,
    )
