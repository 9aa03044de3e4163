"""Keys of deployments that LiteLLM does not know, and credentials that deployments name."""

from __future__ import annotations

from tests.proving.case import Case, Proof, both, fails, runs, serves
from tests.proving.run import Run


def sent(model: str, **wanted: object) -> Proof:
    """The provider gets these keys in the body of a request."""

    def proof(run: Run) -> None:
        runs(run)
        assert run.chat(model).status == 200
        body = next(call.body for call in reversed(run.upstream_calls()) if call.model == model)
        assert {key: body.get(key) for key in wanted} == wanted

    return proof


def without_mode(name: str) -> Proof:
    """The mode that stands in a misspelt section is not known."""

    def proof(run: Run) -> None:
        [entry] = [entry for entry in run.models() if entry["model_name"] == name]
        assert entry["model_info"].get("mode") != "completion", entry

    return proof


CASES: tuple[Case, ...] = (
    Case(
        "misspelt-params",
        """\
model_list:
  - model_name: misspelt
    litellm_params:
      model: openai/misspelt
      api_base: "{upstream}"
      api_key: k
      api_kye: sk-of-another-house
      time_out: 30
    model_infos: {mode: completion}
""",
        finds={"unknown-param": 7, "unknown-entry-key": 9},
        proof=both(sent("misspelt", api_kye="sk-of-another-house", time_out=30), without_mode("misspelt")),
    ),
    Case(
        "lost-credentials",
        """\
credential_list:
  - credential_name: Vendor
    credential_values: {api_key: os.environ/KEY_OF_THE_VENDOR}
    credential_info: {description: theirs}
  - credential_name: Known
    credential_values: {api_key: sk-known}
    credential_info: {description: ours}
model_list:
  - model_name: keyless
    litellm_params: {model: openai/keyless, api_base: "{upstream}", litellm_credential_name: Vendor}
  - model_name: nameless
    litellm_params: {model: openai/nameless, api_base: "{upstream}", litellm_credential_name: known}
  - model_name: found
    litellm_params: {model: openai/found, api_base: "{upstream}", litellm_credential_name: Known}
""",
        finds={"empty-credential": 3, "unknown-credential": 12},
        proof=both(fails("keyless", "api_key"), fails("nameless", "api_key"), serves("found")),
    ),
)
