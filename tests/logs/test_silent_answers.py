"""Requests refused with 4xx of which no line of LiteLLM's tells: counted by route, with status, caller and onset."""

from __future__ import annotations

import json

import pytest

from litellm_tui.analysis.failures.incidents import Incident, find_incidents
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.logs.silent_answers import MOST_CALLERS, MOST_ROUTES, OTHERS, route_of
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import SilentTally
from tests.logs.test_failed_requests import AUTH, CALL, NOW, PROXY, Fed, access, error

COMPLETIONS = "POST /v1/chat/completions"


def silent(fed: Fed) -> dict[str, SilentTally]:
    return {one.route: one for one in fed.traffic().silent}


def incidents(fed: Fed, since: float = 0.0) -> list[Incident]:
    now = fed.at + 3
    failures, nothing = fed.intake.incidents.failures(now), diagnose(Snapshot(now), now)
    return list(find_incidents(failures, nothing, now, since, traffic=fed.traffic()))


def test_refused_requests_without_a_line_are_one_incident_of_their_route() -> None:
    fed = Fed()
    for number, status in enumerate((401, 401, 400)):
        fed.write(access(status, client=f"10.0.0.{number % 2}:50{number}0"))
    (one,) = incidents(fed)
    assert (one.subject, one.count, one.failure_of) == (COMPLETIONS, 3, "")
    assert one.cause == "refused with 4xx, and no line says why"
    assert (one.statuses, one.callers) == (((400, 1), (401, 2)), (("10.0.0.0", 2), ("10.0.0.1", 1)))
    assert one.words == "400 Bad Request, 401 Unauthorized"
    assert one.first == pytest.approx(NOW)
    assert one.last == pytest.approx(NOW + 0.02)
    assert one.going_on
    record = fed.store.get(one.sequence)
    assert record is not None
    assert "400" in record.text


def test_another_route_is_another_incident_and_paths_that_are_not_there_are_one() -> None:
    fed = Fed()
    fed.write(access(422, "/key/generate"), access(400, "/v1/embeddings"))
    fed.write(*(access(404, path) for path in ("/.env", "/wp-login.php?x=1", "/admin")))
    fed.write(access(405, "/v1/models"))
    found = silent(fed)
    assert set(found) == {"POST /key/generate", "POST /v1/embeddings", OTHERS}
    assert found[OTHERS].statuses == ((404, 3), (405, 1))
    assert found[OTHERS].paths == ("POST /.env", "POST /wp-login.php", "POST /admin", "POST /v1/models")
    (told,) = [one for one in incidents(fed) if one.subject == OTHERS]
    assert (
        told.words
        == "404 Not Found, 405 Method Not Allowed: POST /.env, POST /wp-login.php, POST /admin, POST /v1/models"
    )


@pytest.mark.parametrize(
    "text",
    [PROXY + AUTH + "Authentication Error, Invalid proxy server token passed.", PROXY + CALL + "400: nothing to ask"],
)
@pytest.mark.parametrize("first", ["line", "access"])
def test_a_request_of_which_a_line_tells_is_none_of_them(text: str, first: str) -> None:
    fed, status = Fed(), 401 if AUTH in text else 400
    lines = [error(text), access(status)]
    fed.write(*(lines if first == "line" else reversed(lines)))
    assert silent(fed) == {}


def test_a_request_beside_one_of_which_a_line_tells_is_counted() -> None:
    fed = Fed()
    fed.write(access(401), error(PROXY + CALL + "400: nothing to ask"), access(400))
    assert {name: one.statuses for name, one in silent(fed).items()} == {COMPLETIONS: ((401, 1),)}


def test_the_line_of_an_endpoint_tells_of_its_request() -> None:
    line = "litellm.proxy.proxy_server.generate_key_fn(): Exception occured - 400: {'error': 'no such team'}"
    fed = Fed()
    fed.write(error(line), access(400, "/key/generate"))
    assert silent(fed) == {}
    # and the line about a store beside it does not
    fed = Fed()
    fed.write(
        error("LiteLLM Redis Caching: async set() - Got exception from REDIS Timeout"), access(422, "/key/generate")
    )
    assert set(silent(fed)) == {"POST /key/generate"}


@pytest.mark.parametrize(
    "line",
    [
        access(401, "/health/readiness"),
        access(404, "/v1/models?from=litellm-tui"),
        access(200),
    ],
)
def test_what_is_asked_by_probes_and_what_succeeds_is_none_of_them(line: str) -> None:
    fed = Fed()
    fed.write(line)
    assert silent(fed) == {}


def test_limits_without_a_line_are_told_by_their_status_and_not_as_5xx() -> None:
    fed = Fed()
    fed.write(access(429), access(429), access(503))
    found = {one.cause: (one.count, one.statuses) for one in incidents(fed)}
    assert found == {
        "refused with 4xx, and no line says why": (2, ((429, 2),)),
        "answered with 5xx, and no line says why": (1, ((503, 1),)),
    }
    assert sorted(fed.told()) == [("", "", 1), ("", "429", 2)]


def test_a_line_about_a_part_tells_of_a_5xx_beside_it_and_not_of_a_4xx() -> None:
    lost = error("LiteLLM Redis Caching: async set() - Got exception from REDIS Timeout")
    fed = Fed()
    fed.write(lost, access(500, "/sso/callback"), lost, access(400, "/key/generate"))
    assert set(silent(fed)) == {"POST /key/generate"}
    fed = Fed()
    fed.write(access(500), access(500, "/v1/models/a"))
    (one,) = incidents(fed)
    assert (one.cause, one.count, one.words) == (
        "answered with 5xx, and no line says why", 2, "POST /v1/chat/completions, POST /v1/models/a",
    )  # fmt: skip


def test_a_failure_that_was_long_before_does_not_take_an_access_line() -> None:
    fed = Fed()
    # its client hung up: it has none of its own
    fed.write(error(PROXY + CALL + "400: nothing to ask"))
    fed.at += 60
    fed.write(access(405))
    assert {name: one.statuses for name, one in silent(fed).items()} == {COMPLETIONS: ((405, 1),)}


def test_what_was_before_is_left_out() -> None:
    fed = Fed()
    fed.write(access(401))
    fed.at += 600
    assert [one.count for one in incidents(fed)] == [1]
    assert not incidents(fed)[0].going_on
    fed.write(access(401))
    assert [one.count for one in incidents(fed, since=fed.at - 60)] == [1]


def test_any_number_of_routes_and_callers_stays_within_bounds() -> None:
    fed = Fed()
    fed.write(*(access(403, f"/r{number}/x", client=f"10.0.{number // 200}.{number % 200}:1") for number in range(600)))
    found = silent(fed)
    assert len(found) <= MOST_ROUTES + 1
    assert sum(sum(number for _, number in one.counts) for one in found.values()) == 600
    assert all(len(one.callers) <= MOST_CALLERS for one in found.values())


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/files/file-8d3f0a1b2c3d4e5f", "/v1/files/*"),
        ("/openai/deployments/gpt-4o-mini-2024-07-18/chat/completions", None),
        ("/key/info?key=abc", "/key/info"),
        ("/" + "a" * 300, "/*"),
    ],
)
def test_a_route_has_no_query_and_no_identifiers(path: str, route: str | None) -> None:
    assert route_of(f"GET {path} 404  10.0.0.7:5000") == f"GET {route or path}"


def test_lines_without_access_lines_tell_of_no_refused_request() -> None:
    fed = Fed()
    fed.write(json.dumps({"message": "401: no key", "level": "ERROR"}))
    assert silent(fed) == {}
