"""What came of a fault: what the console said of its place, what LiteLLM itself said, and the table of both."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lab.core import Lab
from tests.lab.faults import Fault, Shown
from tests.lab.watch import Said

CALM = ("ok", "quiet")
NOTHING = "nothing of it"
# The verdicts that are not in a list of rows.
WHOLE = ("gateway", "service", "cache")


@dataclass
class Outcome:
    """One row: seconds until the fault was named and until that was taken back, None where it was not.

    `lasts` says that it was still named when it had lasted for a while, `recovered` the seconds from the first request
    that was answered again until all was said to be well.
    """

    fault: Fault
    before: bool = False
    named: float | None = None
    lasts: bool = False
    gone: float | None = None
    recovered: float | None = None
    said: str = ""
    after: str = ""
    health: str = ""
    listed: str = ""
    statuses: set[int] = field(default_factory=set)


def verdicts_at(shown: Shown, line: Said) -> list[dict[str, Any]]:
    """The verdicts of the place: one, or one per deployment of the group; none for places that are only problems."""
    if shown.kind in WHOLE:
        return [line[shown.kind]] if line.get(shown.kind) else []
    if shown.kind == "deployment":
        return [row["verdict"] for row in line.get("deployments", ()) if row["group"] == shown.key]
    if shown.kind == "group":
        return [row["verdict"] for row in line.get("groups", ()) if row["name"] == shown.key]
    return []


def problems_at(shown: Shown, line: Said) -> list[dict[str, Any]]:
    """The unsolved problems of the place; a deployment's or group's may stand at either."""
    models = ("deployment", "group")
    kinds = models if shown.kind in models else WHOLE[:2] if shown.kind in WHOLE[:2] else (shown.kind,)

    def concerns(problem: dict[str, Any]) -> bool:
        place, key = problem["place"], shown.key
        if place["kind"] not in kinds or problem.get("solved_at") is not None:
            return False
        return (
            not key
            or place["key"].split("|")[0] == key
            or problem["key"].endswith(f":{key}")
            or problem["title"] == key
        )

    return [problem for problem in line.get("problems", ()) if concerns(problem)]


def shows(shown: Shown, line: Said) -> bool:
    """Whether the expected state stands at the place, and the expected cause among its problems."""
    verdicts, problems = verdicts_at(shown, line), problems_at(shown, line)
    caused = [problem for problem in problems if problem["cause"] == shown.cause]
    if not verdicts and shown.kind in (*WHOLE, "deployment", "group"):
        return False
    stated = all(verdict["state"] in shown.states for verdict in verdicts)
    if shown.contradiction and not all(verdict.get("contradiction") for verdict in verdicts):
        return False
    if not verdicts:
        return any(problem["severity"] in shown.states for problem in caused)
    # What only cannot be judged is no problem: its verdict is the place where it is said.
    named = bool(caused) or (not problems and all(verdict.get("brief") == shown.cause for verdict in verdicts))
    return stated and (named or all(verdict["state"] == shown.cause for verdict in verdicts))


def calm_at(shown: Shown, line: Said) -> bool:
    """Whether the fault is not said of the place any more, nor anything else that is wrong."""
    if shows(shown, line) or any(problem["cause"] == shown.cause for problem in problems_at(shown, line)):
        return False
    # A unit that was started again after its death is said to have been, and rightly.
    verdicts = [] if shown.kind == "service" else verdicts_at(shown, line)
    return all(verdict["severity"] in CALM for verdict in verdicts)


def what_shows(shown: Shown, line: Said) -> str:
    """The words at the place, for the table and for a test that failed."""
    words = [": ".join(dict.fromkeys(filter(None, (v["state"], v.get("brief"))))) for v in verdicts_at(shown, line)]
    words += [f"{problem['severity']} {problem['cause']}" for problem in problems_at(shown, line)]
    return ", ".join(dict.fromkeys(words)) or "nothing"


# -- what LiteLLM itself says


def _asked(lab: Lab, path: str) -> Any:
    try:
        answer = lab.request("GET", path, timeout=3)
        return answer.json() if answer.status == 200 else f"status {answer.status}"
    except (OSError, http.client.HTTPException):
        return "no answer"
    except ValueError:
        return "not JSON"


def health_words(lab: Lab) -> Callable[[Fault], str]:
    """What GET /health says of a fault's group at this moment."""
    found = _asked(lab, "/health")
    models = _asked(lab, "/v1/model/info")
    names = (
        {entry["model_info"]["id"]: entry["model_name"] for entry in models["data"]} if isinstance(models, dict) else {}
    )
    upstream = {entry["litellm_params"].get("model"): entry["model_name"] for entry in models["data"]} if names else {}

    def group(entry: Mapping[str, Any]) -> str:
        return names.get(entry.get("model_id")) or upstream.get(entry.get("model")) or ""

    def words(fault: Fault) -> str:
        if not isinstance(found, dict):
            return str(found)
        if not fault.listed:
            return NOTHING
        green = [entry for entry in found.get("healthy_endpoints", ()) if group(entry) == fault.listed]
        red = [entry for entry in found.get("unhealthy_endpoints", ()) if group(entry) == fault.listed]
        if not green and not red:
            return "absent"
        if not red:
            return "healthy"
        error = str(red[0].get("error") or "no reason given").split("\n", 1)[0]
        return "unhealthy: " + error.rpartition("Exception - ")[2][:60].replace("|", "/")

    return words


def listed_words(lab: Lab) -> Callable[[Fault], str]:
    """Whether GET /v1/models lists a fault's group at this moment."""
    found = _asked(lab, "/v1/models")

    def words(fault: Fault) -> str:
        if not isinstance(found, dict):
            return str(found)
        names = {entry["id"] for entry in found["data"]}
        return NOTHING if not fault.listed else "listed" if fault.listed in names else "absent"

    return words


# -- the table

HEAD = """\
# What is said of a fault, and how soon

Made by `tests/lab/test_faults.py`: each fault injected into a real LiteLLM (systemd user service, LITELLM_LOG=INFO,
background health checks every 5 s) and healed again. Seconds are from the fault until the console named it.
"""


def table(outcomes: Mapping[str, Mapping[str, Outcome]], matrix: Sequence[Fault]) -> str:
    """The document: a table per LiteLLM, newest first, the faults in the matrix's order."""
    order = sorted(outcomes, key=lambda version: [int(part) for part in version.split(".")], reverse=True)
    columns = [column for version in order for column in (f"/health {version}", "/v1/models", "console", "s")]
    lines = [_row(["fault", *columns]), _row(["---"] * (1 + len(columns)))]
    lines += [
        _row([fault.title, *(cell for v in order for cell in _cells(outcomes[v][fault.key], v))]) for fault in matrix
    ]
    return HEAD + "\n" + "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(outcome: Outcome, version: str) -> tuple[str, str, str, str]:
    if outcome.fault.expected(version) is None:
        return outcome.health, outcome.listed, "cannot be seen: this LiteLLM tells nobody, its client included", "–"
    seconds = "–" if outcome.named is None else f"{outcome.named:.0f}"
    return outcome.health, outcome.listed, outcome.said, seconds
