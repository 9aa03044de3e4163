"""docs/diagnosis.md: what came of each fault, as a page for operators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tests.lab.faults import RATE, Fault
from tests.lab.faults_config import HEALTH_SECONDS
from tests.lab.faults_lines import HELD
from tests.lab.faults_seen import Outcome

HEAD = """\
# What is said of a fault, and how soon

What the console says of {total} faults: of {real} that a real LiteLLM was brought to, and of {held} that are held by
the lines which LiteLLM writes of them. While one lasts, `status` does not say `OK`, but for those that nobody fails
by.

The first table is made by `tests/lab/test_faults.py` (`LITELLM_TUI_WRITE_DOCS=1` writes it anew). It breaks a real
LiteLLM in each of these ways: a systemd user service with `LITELLM_LOG=INFO` and background health checks every
{health} s, each model asked about every {every:g} s, dozens of faults side by side. A row passes when the fault is
named, is still named when it has lasted for a while, would by itself keep `status` from `OK`, and is taken back after
its end. Beside what the console says stands what LiteLLM's own `/health` and `/v1/models` said of the model
meanwhile. Seconds count from the moment when there is something to see: where requests fail from the first that
failed, for the red `/health` from its first red report, for the port and the module from LiteLLM's own word about it,
for the crash loop from its second death. They are those of a run of each on a busy machine; a test holds that a fault
is named, not when. Where versions of LiteLLM differ, the cell names each.

"""

LINES = """
## Held by lines

No LiteLLM can be brought to these where the tests run: a database needs Prisma, whose engine is fetched then, and
providers' sign-in, side services and the kernel's memory killer are others'. Each row is held by the lines that LiteLLM
or its server writes, from the log to the incident and to the state (`tests/analysis/test_faults_by_lines.py`). What
Postgres says of itself is asked of a real one (`tests/lab/test_postgres.py`), and an end for lack of memory is read
from the kernel's lines and the unit's result (`tests/analysis/test_end_causes.py`).

"""

TAIL = """
## When it is over

With `LITELLM_LOG=INFO` three answers in a row end an outage: the deployments above are well again within 10 s of the
first request that is answered. Where answers and failures are mixed, and where streams break, it is said for a minute
after the last failure.

At the default log level LiteLLM writes no answers. An outage then ends with a health check that succeeds (background
checks: their interval and up to 15 s more), with a probe, or five minutes after the last failure; two minutes after
it the deployment is no more than degraded.

## What cannot be seen

- **Broken streams on LiteLLM 1.77.7.** It passes a stream whose connection broke off as a finished one: status 200,
  `finish_reason` "stop", `[DONE]`, and not a word in its log. Its callers cannot tell, and no probe can.
- **Whose stream broke on LiteLLM 1.106.2 and 1.109.3.** Once the first words have been delivered its log names no
  model: the problem stands at the log. `litellm-tui probe --stream` finds the deployment.
- **Failures behind a fallback, at the default log level.** The caller is served, and nothing is written. Only a red
  `/health` (or `/metrics`) tells that the primary is dead.
- **A wrong `/health`, at the default log level.** Where no answer is written, nothing speaks against a health check
  that fails: the deployment is called failing until a probe answers.
- **One failure from an outage, at the default log level.** Its first failed requests make a deployment degraded; it is
  called failing with the third.

`LITELLM_LOG=INFO` in the unit's environment shows all of this but the streams; so does `callbacks: ["prometheus"]` on
LiteLLM 1.80 or newer.
"""


def table(outcomes: Mapping[str, Mapping[str, Outcome]], matrix: Sequence[Fault]) -> str:
    """The page; `outcomes` by version and by the fault's key, the faults in the matrix's order."""
    order = sorted(outcomes, key=lambda version: [int(part) for part in version.split(".")], reverse=True)
    lines = [_row(["fault", "/health", "/v1/models", "console", f"seconds on {' / '.join(order)}"]), _row(["---"] * 5)]
    for fault in matrix:
        found = {version: outcomes[version][fault.key] for version in order}
        health = _both({version: outcome.health for version, outcome in found.items()})
        listed = _both({version: outcome.listed for version, outcome in found.items()})
        console = _both({version: _console(outcome, version) for version, outcome in found.items()})
        seconds = " / ".join("–" if o.named is None else f"{o.named:.0f}" for o in found.values())
        lines.append(_row([fault.title, health, listed, console, seconds]))
    held = [_row(["fault", "whose failure", "cause"]), _row(["---"] * 3)]
    held += [_row([row.title, row.whose, row.cause]) for row in HELD]
    counts = {"total": len(matrix) + len(HELD), "real": len(matrix), "held": len(HELD)}
    head = HEAD.format(**counts, health=HEALTH_SECONDS, every=1 / RATE)
    return head + "\n".join(lines) + "\n" + LINES + "\n".join(held) + "\n" + TAIL


def _console(outcome: Outcome, version: str) -> str:
    return outcome.words if outcome.fault.expected(version) else outcome.fault.hidden


def _both(cells: Mapping[str, str]) -> str:
    if len(set(cells.values())) == 1:
        return next(iter(cells.values()))
    return "<br>".join(f"{version}: {cell}" for version, cell in cells.items())


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
