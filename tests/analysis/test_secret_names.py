"""Which names are taken to hold a secret."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.redaction.secret_names import may_carry_a_secret, names_a_secret, secret_parts


@pytest.mark.parametrize(
    "name", ["api_key", "AZURE_API_KEY", "hf_token", "token", "redis_password", "REDIS_PASSWD", "CLIENT_SECRET",
             "aws_secret_access_key", "vertex_credentials"],
)  # fmt: skip
def test_names_that_hold_a_secret(name: str) -> None:
    assert names_a_secret(name)
    assert may_carry_a_secret(name)


@pytest.mark.parametrize(
    "name", ["max_tokens", "model", "api_base", "rpm", "input_cost_per_token", "keyword", "key_management_system"]
)
def test_names_that_hold_none(name: str) -> None:
    assert not names_a_secret(name)
    assert not may_carry_a_secret(name)


@pytest.mark.parametrize("name", ["Authorization", "SENTRY_DSN", "slack_webhook_url", "cookie"])
def test_names_whose_values_may_hold_one_within(name: str) -> None:
    assert not names_a_secret(name)
    assert may_carry_a_secret(name)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("OPENAI_API_KEY", "abcd1234", {"abcd1234"}),
        ("Authorization", "Bearer abcd1234", {"Bearer abcd1234", "abcd1234"}),
        ("DATABASE_URL", "postgresql://me:p%40ss@db/x", {"postgresql://me:p%40ss@db/x", "p%40ss", "p@ss"}),
        ("REDIS_URL", "redis://:hunter22@cache:6379", {"hunter22"}),
        ("api_base", "https://token42@host/v1", {"token42"}),
        ("api_base", "https://host/v1?a=1&key=abcd1234", {"abcd1234"}),
        ("SENTRY_DSN", "https://k1@o1.ingest/2", {"https://k1@o1.ingest/2", "k1"}),
        ("api_base", "https://host:8000/v1", set()),
        ("LITELLM_LOG", "INFO", set()),
    ],
)
def test_of_a_value_the_secret_parts_are_known(name: str, value: str, secret: set[str]) -> None:
    assert set(secret_parts(name, value)) == secret
