"""What came of a fault: what the console said of its place, and what LiteLLM itself said."""

from __future__ import annotations

import http.client
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.lab.core import Lab
from tests.lab.faults import Fault, Shown
from tests.lab.watch import Said

CALM = ("ok", "quiet")
NOTHING = "nothing of it"
LONGEST_ERROR = 50
# The verdicts that are not in a list of rows.
WHOLE = ("gateway", "service", "cache")


@dataclass
class Outcome:
    """One row: seconds until the fault was named and until that was taken back, None where it was not.

    `well` says that all could be called well while it lasted, `lasts` that it was still named when it had lasted for a
    while, `recovered` the seconds from the first request that was answered again until all was said to be well, without
    those in which nothing could run.
    """

    fault: Fault
    before: bool = False
    well: bool = False
    named: float | None = None
    lasts: bool = False
    gone: float | None = None
    recovered: float | None = None
    said: str = ""
    words: str = ""
    after: str = ""
    health: str = ""
    listed: str = ""
    statuses: set[int] = field(default_factory=set)


def incidents_at(shown: Shown, line: Said) -> list[dict[str, Any]]:
    """The incidents of whom they are, and at the subject where one is asked for."""
    return [
        one
        for one in line.get("incidents", ())
        if one["failure_of"] in shown.states and (not shown.key or one["subject"] == shown.key)
    ]


def keeps_from_ok(shown: Shown, line: Said) -> bool:
    """Whether what is said at the place is enough that not all is called well, were there nothing else."""
    if shown.kind in WHOLE[:1] and any(verdict["severity"] == "bad" for verdict in verdicts_at(shown, line)):
        return True
    at = Shown("log", "", (), "") if shown.kind == "incident" else shown
    return any(
        problem["severity"] in ("bad", "warn") or any(mark in problem["cause"] for mark in ("callers' own", "refused"))
        for problem in problems_at(at, line)
    )


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
    if shown.kind == "incident":
        return any(one["cause"] == shown.cause for one in incidents_at(shown, line))
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
    """All that is said at the place, for a test that failed."""
    words = [": ".join(dict.fromkeys(filter(None, (v["state"], v.get("brief"))))) for v in verdicts_at(shown, line)]
    words += [f"{problem['severity']} {problem['cause']}" for problem in problems_at(shown, line)]
    words += [f"{one['failure_of']}: {one['cause']}" for one in line.get("incidents", ()) if shown.kind == "incident"]
    return ", ".join(dict.fromkeys(words)) or "nothing"


def in_words(shown: Shown, line: Said) -> str:
    """The same for a reader: each state with its cause, then the problems that say something else."""
    verdicts = verdicts_at(shown, line)
    words = [v["state"] if v["brief"] in ("", v["state"]) else f"{v['state']}: {v['brief']}" for v in verdicts]
    told = {word for v in verdicts for word in (v["state"], v["brief"])}
    words += [problem["cause"] for problem in problems_at(shown, line) if problem["cause"] not in told]
    if shown.kind == "incident":
        words = [f"{one['failure_of']}: {one['cause']}" for one in incidents_at(shown, line)]
        words = [word for word in words if word.endswith(shown.cause)]
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
        error = str(red[0].get("error") or "no reason given").split("\n", 1)[0].rpartition("Exception - ")[2]
        return "unhealthy: " + textwrap.shorten(error.replace("|", "/"), LONGEST_ERROR, placeholder=" …")

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
