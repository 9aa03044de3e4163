"""Which names are taken to hold a secret."""

from __future__ import annotations

import pytest

from litellm_tui.secretnames import may_carry_a_secret, names_a_secret


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
