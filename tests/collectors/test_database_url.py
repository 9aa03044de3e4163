"""Which database LiteLLM is given, in its own order, and what stands in the URL."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.collectors.database_url import Found, Login, find, read_url, tolerated
from tests.recorded import made_file

URL = "postgresql://me:s%40fe%2Fword@db.example:6000/litellm"
OTHER = "postgresql://you:other@elsewhere/x"


def _find(environment: dict[str, str] | None = None, own: dict[str, str] | None = None, **general: Any) -> Found | None:
    section = general.pop("environment_variables", {})
    file = made_file(general_settings=general, environment_variables=section)
    own = own or {}
    return find(file, {**(environment or {}), **own}, own)


def _place(found: Found | None) -> str:
    assert found is not None
    assert found.login is not None, found
    return found.login.place


def test_the_sources_in_litellms_order() -> None:
    assert _find() is None
    assert _place(_find(own={"DATABASE_URL": URL})) == "db.example:6000"
    assert _place(_find(own={"DATABASE_URL": OTHER}, database_url=URL)) == "db.example:6000"
    assert _place(_find({"MINE": URL}, {"DATABASE_URL": OTHER}, database_url="os.environ/MINE")) == "db.example:6000"
    section = {"DATABASE_URL": URL}
    assert _place(_find(own={"DATABASE_URL": OTHER}, database_url=OTHER, environment_variables=section)) == (
        "db.example:6000"
    )
    found = find(None, {"DATABASE_URL": URL}, {"DATABASE_URL": URL})
    assert _place(found) == "db.example:6000"


def test_a_reference_that_nothing_sets_leaves_the_variable_and_is_said_without_it() -> None:
    assert _place(_find(own={"DATABASE_URL": OTHER}, database_url="os.environ/UNSET")) == "elsewhere:5432"
    found = _find(database_url="os.environ/UNSET")
    assert found is not None
    assert found.login is None
    assert "os.environ/UNSET" in found.unasked


def test_a_variable_of_the_operators_shell_is_no_evidence_unless_the_file_refers_to_it() -> None:
    assert _find({"DATABASE_URL": URL}) is None
    assert _place(_find({"DATABASE_URL": URL}, database_url="os.environ/DATABASE_URL")) == "db.example:6000"


def test_its_parts_in_variables_of_their_own() -> None:
    parts = {"DATABASE_HOST": "h:7000", "DATABASE_USERNAME": "u@x", "DATABASE_NAME": "n", "DATABASE_PASSWORD": "p/w"}
    found = _find(own={**parts, "DATABASE_SCHEMA": "s"})
    assert found is not None
    assert found.login == Login("h", 7000, "u@x", "p/w", "n", "s")
    assert _find(own={"DATABASE_HOST": "h", "DATABASE_USERNAME": "u"}) is None


@pytest.mark.parametrize("name", ["IAM_TOKEN_DB_AUTH", "AZURE_POSTGRESQL_AUTH"])
def test_a_token_in_place_of_a_password_is_not_had(name: str) -> None:
    found = _find(own={name: "True", "DATABASE_URL": URL})
    assert found is not None
    assert found.login is None
    assert name in found.unasked
    assert _place(_find(own={name: "False", "DATABASE_URL": URL})) == "db.example:6000"


@pytest.mark.parametrize(
    ("url", "login"),
    [
        (URL, Login("db.example", 6000, "me", "s@fe/word", "litellm")),
        ("postgres://me:pw@h/x?schema=s&connection_limit=5&pool_timeout=9", Login("h", 5432, "me", "pw", "x", "s")),
        ("postgresql://me@h/x", Login("h", 5432, "me", "", "x")),
        ("postgresql://me:pw@h", Login("h", 5432, "me", "pw", "me")),
        ("postgresql://me:pw@h?schema=s", Login("h", 5432, "me", "pw", "me", "s")),
        ("postgresql://me:p:w@h:5433/x", Login("h", 5433, "me", "p:w", "x")),
        ("postgresql://me:pw@[::1]:5433/x", Login("::1", 5433, "me", "pw", "x")),
        ("postgresql://me:pw@localhost/x?host=/run/Postgres", Login("/run/Postgres", 5432, "me", "pw", "x")),
        ("postgresql://me:pw@%2Frun%2FPostgres/x", Login("/run/Postgres", 5432, "me", "pw", "x")),
        ("postgresql://me:pw@h/x?sslmode=disable", Login("h", 5432, "me", "pw", "x", tls="disable")),
        ("postgresql://me:pw@h/x?sslmode=require", Login("h", 5432, "me", "pw", "x", tls="require")),
        ("postgresql://me:pw@h/x?sslmode=require&sslaccept=strict", Login("h", 5432, "me", "pw", "x", tls="verify")),
        ("postgresql://me:pw@h/x?sslmode=verify-full&sslrootcert=/ca.pem",
         Login("h", 5432, "me", "pw", "x", tls="verify", root="/ca.pem")),
        ("'postgresql://me:pw@h/x'", Login("h", 5432, "me", "pw", "x")),
    ],
)  # fmt: skip
def test_the_forms_of_a_url(url: str, login: Login) -> None:
    assert read_url(url) == login


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://me:hunter22@h/x", "scheme mysql"),
        ("prisma://h/?api_key=hunter22", "scheme prisma"),
        ("me:hunter22@h/x", "no scheme"),
        ("postgresql://me:hunter22/x@h/x", "percent-encoded"),
        ("postgresql://me:hunter22@x@h/x", "percent-encoded"),
        ("postgresql://me:hunter22#x@h/x", "percent-encoded"),
        ("postgresql://me:hunter22@h:port/x", "percent-encoded"),
        ("postgresql://me:hunter22@h:70000/x", "percent-encoded"),
        ("postgresql://me:hunter22@h\n/x", "percent-encoded"),
        ("postgresql://me:hunter22@h1,h2/x", "several hosts"),
        ("postgresql:///hunter22", "no host"),
        ("postgresql://h/hunter22", "no user"),
        ("postgresql://me:hunter22@h/" + "x" * 5000, "percent-encoded"),
    ],
)
def test_what_cannot_be_read_is_said_without_a_word_of_it(url: str, why: str) -> None:
    found = _find(own={"DATABASE_URL": url})
    assert found is not None
    assert found.login is None
    assert why in found.unasked
    assert "hunter22" not in found.unasked
    assert "hunter22" not in repr(found)
    assert url in found.secrets


def test_the_login_shows_nothing_of_itself() -> None:
    found = _find(own={"DATABASE_URL": URL})
    assert found is not None
    assert set(found.secrets) >= {URL, "s@fe/word", "s%40fe%2Fword"}
    for text in (repr(found), repr(found.login), str(found)):
        assert "s@fe" not in text
        assert "s%40fe" not in text
        assert "me:" not in text


@pytest.mark.parametrize(("given", "so"), [(True, True), ("True", True), (False, False), (None, False), ("no", False)])
def test_whether_requests_are_let_through_without_it(given: Any, so: bool) -> None:
    assert tolerated(made_file(general_settings={"allow_requests_on_db_unavailable": given})) is so
    assert tolerated(None) is False


@given(st.text(max_size=60), st.sampled_from(["", "postgresql://", "postgres://u:", "postgresql://u:p@[", "://"]))
def test_whatever_stands_there_is_a_login_or_a_reason_in_the_consoles_own_words(text: str, before: str) -> None:
    found, why = None, ""
    try:
        found = read_url(before + text)
    except ValueError as error:
        why = str(error)
    assert len(why) < 100
    assert (found is None) == bool(why)
    assert found is None or 0 < found.port < 65536
