"""Keys of deployments that LiteLLM sends on, and credentials that deployments name."""

from __future__ import annotations

import pytest

from litellm_tui.model.edits import Move, Remove, Rename, SetValue
from tests.audit.reading import audited, found, lines

KEYED = "general_settings: {master_key: sk-of-the-gateway-1}\n"


def entry(params: str, beside: str = "") -> str:
    more = f", {beside}" if beside else ""
    return f"model_list:\n  - {{model_name: a, litellm_params: {{model: openai/gpt-4o, {params}}}{more}}}\n{KEYED}"


@pytest.mark.parametrize(
    ("params", "key", "meant", "severity"),
    [
        ("api_key: sk-a, api_kye: os.environ/OTHER_KEY", "api_kye", "api_key", "error"),
        ("api_keys: os.environ/OTHER_KEY", "api_keys", "api_key", "error"),
        ("apikey: os.environ/OTHER_KEY", "apikey", "api_key", "error"),
        ("api-base: 'http://127.0.0.1:1/v1', api_key: k", "api-base", "api_base", "error"),
        ("api_bse: 'http://127.0.0.1:1/v1', api_key: k", "api_bse", "api_base", "error"),
        ("api_key: k, time_out: 30", "time_out", "timeout", "warning"),
        ("api_key: k, temprature: 0.2", "temprature", "temperature", "warning"),
        ("api_key: k, max_token: 100", "max_token", "max_tokens", "warning"),
    ],
)
def test_a_misspelt_key_goes_to_the_provider(params: str, key: str, meant: str, severity: str) -> None:
    [finding] = found(audited(entry(params)), "unknown-param")
    assert finding.severity == severity
    assert repr(key) in finding.text
    assert f"Did you mean {meant}?" in finding.text
    assert "sent to the provider" in finding.text
    assert ("secret" in finding.text) == ("api_k" in key or key == "apikey")
    assert finding.path[-1] == key
    assert finding.fix is not None
    assert finding.fix.decision, "the request goes elsewhere with it: never unasked"
    path = ("model_list", 0, "litellm_params", key)
    stands = f"{meant}:" in params
    assert finding.fix.edits == ((Remove(path),) if stands else (Rename(path, meant),))


def test_a_secret_of_an_unknown_name_leaves_the_house() -> None:
    [finding] = found(audited(entry("api_key: k, our_vault_password: os.environ/VAULT")), "unknown-param")
    assert finding.severity == "error"
    assert "the secret in it too" in finding.text
    assert finding.fix is None


@pytest.mark.parametrize(
    "params",
    [
        "api_key: k, top_k: 5, num_ctx: 8192, extra_body: {foo: 1}, extra_headers: {x: y}",
        "api_key: k, weight: 2, order: 1, rpm: 5, tags: [x], max_retries: 0, guardrails: [pii]",
        "api_key: k, chat_template_kwargs: {enable_thinking: false}, keep_alive: 1h, safety_settings: []",
        "api_key: k, input_cost_per_token: 0.1, cache_control_injection_points: [], mock_response: hi",
        "aws_access_key_id: a, aws_secret_access_key: b, aws_session_token: c, aws_region_name: d",
        "vertex_project: p, vertex_location: l, vertex_credentials: c, azure_ad_token: t, api_version: v",
    ],
)
def test_what_litellm_or_a_provider_knows_is_no_slip(params: str) -> None:
    result = lines(audited(entry(params)))
    assert "unknown-param" not in result


def test_a_key_of_one_provider_is_a_slip_for_the_others() -> None:
    watsonx = "model_list:\n  - {model_name: a, litellm_params: {model: watsonx/granite, apikey: os.environ/WX}}\n"
    assert "unknown-param" not in lines(audited(watsonx))
    assert lines(audited(watsonx.replace("watsonx/granite", "openai/granite")))["unknown-param"] == [2]


@pytest.mark.parametrize(
    ("beside", "edits", "severity"),
    [
        ("model_infos: {mode: chat}", (Rename(("model_list", 0, "model_infos"), "model_info"),), "warning"),
        (
            "api_base: 'http://127.0.0.1:1'",
            (Move(("model_list", 0, "api_base"), ("model_list", 0, "litellm_params", "api_base")),),
            "error",
        ),
        (
            "api_kye: os.environ/KEY",
            (Move(("model_list", 0, "api_kye"), ("model_list", 0, "litellm_params", "api_key")),),
            "error",
        ),
        (
            "timeout: 30",
            (Move(("model_list", 0, "timeout"), ("model_list", 0, "litellm_params", "timeout")),),
            "warning",
        ),
    ],
)
def test_a_key_beside_litellm_params_is_not_read(beside: str, edits: tuple[object, ...], severity: str) -> None:
    [finding] = found(audited(entry("temperature: 0", beside)), "unknown-entry-key")
    assert finding.severity == severity
    assert finding.fix is not None
    assert finding.fix.edits == edits
    assert finding.fix.decision


def test_a_note_beside_litellm_params_is_left_alone() -> None:
    text = entry("api_key: k", "rpm: 5, description: for the team, owner: me, model_info: {id: x}")
    assert "unknown-entry-key" not in lines(audited(text))


CREDENTIALS = """\
credential_list:
  - credential_name: Vendor
    credential_values:
      api_key: os.environ/VENDOR_KEY
    credential_info: {description: theirs}
"""


@pytest.mark.parametrize(
    ("name", "env", "severity", "near"),
    [
        ("Vender", {}, "error", "Vendor"),
        ("vendor", {"DATABASE_URL": "postgresql://db/x"}, "error", "Vendor"),
        ("elsewhere", {}, "error", ""),
        ("elsewhere", {"DATABASE_URL": "postgresql://db/x"}, "warning", ""),
        ("elsewhere", None, "warning", ""),
    ],
)
def test_a_credential_that_is_in_no_list_is_named(
    name: str, env: dict[str, str] | None, severity: str, near: str
) -> None:
    known = None if env is None else {"VENDOR_KEY": "sk-x", **env}
    result = audited(CREDENTIALS + entry(f"litellm_credential_name: {name}"), env=known)
    [finding] = found(result, "unknown-credential")
    assert finding.severity == severity
    assert repr(name) in finding.text
    path = ("model_list", 0, "litellm_params", "litellm_credential_name")
    assert (finding.fix.edits if finding.fix else ()) == ((SetValue(path, near),) if near else ())


def test_a_credential_of_the_list_is_right_and_brings_the_key() -> None:
    result = audited(CREDENTIALS + entry("litellm_credential_name: Vendor"), env={"VENDOR_KEY": "sk-x"})
    assert not {"unknown-credential", "empty-credential", "openai-without-key"} & lines(result).keys()


def test_a_variable_of_a_credential_that_is_not_set_is_an_error() -> None:
    text = CREDENTIALS + entry("litellm_credential_name: Vendor")
    [finding] = found(audited(text, env={}), "empty-credential")
    assert (finding.severity, finding.mark.line) == ("error", 4)
    assert "VENDOR_KEY is not set" in finding.text
    assert not found(audited(text), "empty-credential"), "without an environment it is not known"
    assert not found(audited(text, env={"VENDOR_KEY": "sk-x"}), "empty-credential")
    [unused] = found(audited(CREDENTIALS + entry("api_key: k"), env={}), "empty-credential")
    assert (unused.severity, unused.text.endswith("for whoever names it")) == ("error", True)
