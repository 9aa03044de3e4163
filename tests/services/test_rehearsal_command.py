"""The command line of a rehearsal: the service's own, at another address and with another file."""

from __future__ import annotations

import pytest

from litellm_tui.model.failures import NotAvailable
from litellm_tui.services.rehearsal_command import RehearsalCommand, rehearsal_command, starts_litellm


def made(words: str, *, program: str = "", database: bool = True, **variables: str) -> RehearsalCommand:
    found = rehearsal_command(
        words.split(), variables, config="/run/copy/config.yaml", port=4711, program=program, database=database
    )
    assert isinstance(found, RehearsalCommand), found
    return found


TAIL = "--config /run/copy/config.yaml --host 127.0.0.1 --port 4711 --num_workers 1"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("/opt/v/bin/litellm --config /etc/c.yaml --port 4000", f"/opt/v/bin/litellm {TAIL}"),
        ("/opt/v/bin/litellm -c /etc/c.yaml --host=0.0.0.0 --port=${PORT}", f"/opt/v/bin/litellm {TAIL}"),
        ("/opt/v/bin/python -m litellm --debug", f"/opt/v/bin/python -m litellm --debug {TAIL}"),
        ("/opt/v/bin/python -I /opt/v/bin/litellm --config c", f"/opt/v/bin/python -I /opt/v/bin/litellm {TAIL}"),
        ("nice -n 5 litellm --detailed_debug --num_workers 4", f"nice -n 5 litellm --detailed_debug {TAIL}"),
        (
            "docker/prod_entrypoint.sh --port 4000 --num_workers 8",
            f"docker/prod_entrypoint.sh {TAIL}",
        ),
        (
            "/opt/v/bin/uvicorn litellm.proxy.proxy_server:app --port 4000 --workers 2",
            "/opt/v/bin/uvicorn litellm.proxy.proxy_server:app --host 127.0.0.1 --port 4711",
        ),
    ],
)
def test_address_and_file_are_its_own_and_the_rest_stays(words: str, wanted: str) -> None:
    found = made(words)
    assert " ".join(found.words) == wanted
    assert found.environment["CONFIG_FILE_PATH"] == "/run/copy/config.yaml"
    assert found.environment["PORT"] == "4711"


@pytest.mark.parametrize(
    "words",
    [
        "docker run --rm ghcr.io/berriai/litellm --config /app/config.yaml",
        "ssh gw-02 litellm --config c.yaml",
        "/usr/local/bin/start-gateway.sh",
        "/bin/sh -c litellm",
        "/usr/bin/python3 -c import_litellm",
        "",
    ],
)
def test_what_starts_litellm_elsewhere_or_in_a_script_is_no_command_line_of_it(words: str) -> None:
    assert not starts_litellm(words.split())
    assert isinstance(rehearsal_command(words.split(), {}, config="c", port=1), NotAvailable)


def test_a_server_whose_options_are_not_known_is_not_rehearsed() -> None:
    found = rehearsal_command(
        ["/v/bin/gunicorn", "litellm.proxy.proxy_server:app", "-b", "0.0.0.0:4000"], {}, config="c", port=1
    )
    assert isinstance(found, NotAvailable)
    assert "gunicorn" in found.why


def test_one_worker_stands_for_all_and_that_is_said() -> None:
    assert "in place of 4" in " ".join(made("litellm --num_workers 4").left_out)
    assert "in place of 8" in " ".join(made("litellm", NUM_WORKERS="8").left_out)
    assert made("litellm", NUM_WORKERS="1").left_out == ()


def test_no_port_beside_its_own_is_opened() -> None:
    found = made("litellm --prometheus_metrics_port 9090 --debug")
    assert "9090" not in found.words
    assert "--debug" in found.words
    assert found.environment["PROMETHEUS_METRICS_PORT"] == ""


def test_without_a_database_nothing_asks_for_one() -> None:
    found = made("litellm --iam_token_db_auth --use_prisma_db_push", database=False)
    assert " ".join(found.words) == f"litellm {TAIL}"
    assert len(found.left_out) == 2
    assert "--use_prisma_db_push" in made("litellm --use_prisma_db_push").words


@pytest.mark.parametrize(
    ("words", "head"),
    [
        ("/old/bin/litellm --debug", "/new/bin/litellm --debug"),
        ("/old/bin/python /old/bin/litellm --debug", "/new/bin/litellm --debug"),
        ("nice -n 5 /old/bin/python -m litellm.proxy.proxy_cli --debug", "nice -n 5 /new/bin/litellm --debug"),
    ],
)
def test_another_litellm_takes_the_place_of_the_services_own(words: str, head: str) -> None:
    assert " ".join(made(words, program="/new/bin/litellm").words) == f"{head} {TAIL}"
