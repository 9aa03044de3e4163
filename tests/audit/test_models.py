"""The rules about what a deployment asks."""

from __future__ import annotations

import pytest

from litellm_tui.model.edits import Insert, SetValue
from tests.audit.reading import audited, found, lines
from tests.audit.test_deployments import deployment, listed

BASE = "api_base: 'http://127.0.0.1:9/v1'"
REAL = "sk-proj-a8Fq2mZ7Lw9Rt4Xk"


def _rule(text: str, rule: str, env: dict[str, str] | None = None) -> list[tuple[str, int]]:
    return [(finding.severity, finding.mark.line) for finding in found(audited(text, env=env), rule)]


def test_a_variable_that_is_not_set_is_found_where_it_matters_most() -> None:
    text = listed(deployment(more=f"api_key: os.environ/KEY, {BASE}"), deployment("groq/a", "api_key: os.environ/KEY"))
    assert _rule(text, "unset-reference", {}) == [("error", 2), ("warning", 3)]
    assert _rule(text, "unset-reference", {"OPENAI_API_KEY": "k"}) == [("warning", 2), ("warning", 3)]
    assert not _rule(text, "unset-reference")
    assert not _rule(text, "unset-reference", {"KEY": "k"})
    assert not _rule(text + "environment_variables: {KEY: k}\n", "unset-reference", {}), "another rule is about these"
    assert not _rule(text + "general_settings: {key_management_system: aws_kms}\n", "unset-reference", {})


def test_a_key_in_the_file_is_found_and_never_shown() -> None:
    result = audited(listed(deployment(more=f"api_key: {REAL}")))
    (finding,) = found(result, "literal-key")
    assert finding.severity == "advice"
    assert REAL not in f"{finding}"


@pytest.mark.parametrize(
    "key", ["os.environ/KEY", "none", "sk-1234", "your-key-goes-in-here-42", "EMPTY", "${KEY}", "5"]
)
def test_a_placeholder_is_no_key(key: str) -> None:
    assert "literal-key" not in lines(audited(listed(deployment(more=f"api_key: {key}"))))


@pytest.mark.parametrize("more", [BASE, f"{BASE}, api_key: ''", ""])
def test_an_openai_deployment_wants_a_key(more: str) -> None:
    text = listed(deployment(more=more))
    assert _rule(text, "openai-without-key", {}) == [("error", 2)]
    (finding,) = found(audited(text, env={}), "openai-without-key")
    if more:
        path = ("model_list", 0, "litellm_params", "api_key")
        assert finding.fix is not None
        assert finding.fix.edits == ((SetValue if "api_key" in more else Insert)(path, "none"),)
        assert finding.fix.decision


@pytest.mark.parametrize(
    ("text", "env"),
    [
        (listed(deployment(more=BASE)), None),
        (listed(deployment(more=BASE)), {"OPENAI_API_KEY": "k"}),
        (listed(deployment(more=f"{BASE}, api_key: k")), {}),
        (listed(deployment("hosted_vllm/a", BASE)), {}),
        (listed(deployment(more=f"{BASE}, mock_response: hi")), {}),
        (listed(deployment(more=f"{BASE}, litellm_credential_name: c")), {}),
        (listed(deployment(more=BASE)) + "litellm_settings: {openai_key: k}\n", {}),
        (listed(deployment(more=BASE)) + "environment_variables: {OPENAI_API_KEY: k}\n", {}),
    ],
)
def test_a_key_may_come_from_elsewhere(text: str, env: dict[str, str] | None) -> None:
    assert not _rule(text, "openai-without-key", env)


@pytest.mark.parametrize(
    ("address", "mended", "rule"),
    [
        ("http://h:11434/v1", "http://h:11434", "ollama-path"),
        ("http://h:11434/api/", "http://h:11434", "ollama-path"),
        ("http://h:11434/", "http://h:11434", "ollama-slash"),
    ],
)
@pytest.mark.parametrize("provider", ["ollama", "ollama_chat"])
def test_an_ollama_address_is_host_and_port(provider: str, address: str, mended: str, rule: str) -> None:
    (finding,) = [
        f
        for f in audited(listed(deployment(f"{provider}/a", f"api_base: '{address}'"))).findings
        if "slash" in f.rule or "path" in f.rule
    ]
    assert finding.rule == rule
    assert finding.fix is not None
    assert finding.fix.edits == (SetValue(("model_list", 0, "litellm_params", "api_base"), mended),)
    assert not finding.fix.decision


@pytest.mark.parametrize("address", ["http://h:11434", "http://h:11434/api/chat", "http://h/ollama", "os.environ/BASE"])
def test_other_ollama_addresses_are_left_alone(address: str) -> None:
    said = lines(audited(listed(deployment("ollama_chat/a", f"api_base: '{address}'"))))
    assert not {"ollama-path", "ollama-slash"} & set(said)


def test_an_address_from_the_environment_is_judged_and_not_rewritten() -> None:
    text = listed(deployment("ollama/a", "api_base: os.environ/BASE"))
    (finding,) = found(audited(text, env={"BASE": "http://h/v1"}), "ollama-path")
    assert finding.fix is None


def test_an_ollama_of_its_own_is_started_without_an_address() -> None:
    assert _rule(listed(deployment("ollama/a")), "ollama-started-here") == [("advice", 2)]
    assert not _rule(listed(deployment("ollama/a", "api_base: 'http://h'")), "ollama-started-here")


@pytest.mark.parametrize("end", ["/chat/completions", "/embeddings", "/completions/"])
def test_an_address_ends_before_the_endpoint(end: str) -> None:
    (finding,) = found(audited(listed(deployment(more=f"api_base: 'http://h/v1{end}'"))), "endpoint-in-api-base")
    assert finding.fix is not None
    assert finding.fix.edits == (SetValue(("model_list", 0, "litellm_params", "api_base"), "http://h/v1"),)
    vllm = listed(deployment("hosted_vllm/a", f"api_base: 'http://h/v1{end}'"))
    assert not _rule(vllm, "endpoint-in-api-base")


def test_an_address_begins_with_its_scheme() -> None:
    assert _rule(listed(deployment(more="api_base: 'h:8000/v1'")), "address-without-scheme") == [("error", 2)]
    assert not _rule(listed(deployment("nvidia_riva/a", "api_base: 'h:50051'")), "address-without-scheme")


@pytest.mark.parametrize(("value", "mended"), [("30s", 30), ("5 sec", 5), ("soon", None)])
def test_a_timeout_is_a_number(value: str, mended: int | None) -> None:
    (finding,) = found(audited(listed(deployment(more=f"stream_timeout: {value}"))), "timeout-not-a-number")
    edits = finding.fix.edits if finding.fix else None
    assert edits == ((SetValue(("model_list", 0, "litellm_params", "stream_timeout"), mended),) if mended else None)


@pytest.mark.parametrize("value", ["30", "'30'", "0.5", "os.environ/T"])
def test_a_timeout_that_can_be_read_is_left_alone(value: str) -> None:
    assert not _rule(listed(deployment(more=f"timeout: {value}")), "timeout-not-a-number")


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        ("ollama/nomic-embed-text-v9", "embedding"),
        ("openai/bge-m9", "embedding"),
        ("infinity/bge-reranker-x", "rerank"),
    ],
)
def test_a_mode_is_missed_where_the_name_tells_it(model: str, mode: str) -> None:
    (finding,) = found(audited(listed(deployment(model))), "mode-missing")
    assert finding.severity == "advice"
    assert finding.fix is not None
    assert finding.fix.edits == (Insert(("model_list", 0, "model_info", "mode"), mode),)
    watched = listed(deployment(model)) + "general_settings: {background_health_checks: true}\n"
    assert _rule(watched, "mode-missing") == [("warning", 2)]


@pytest.mark.parametrize(
    "entry",
    [
        deployment("openai/my-embed", info="{mode: embedding}"),
        deployment("openai/text-embedding-3-small"),
        deployment("openai/my-embed", info="{disable_background_health_check: true}"),
        deployment("openai/gpt-9"),
    ],
)
def test_a_mode_that_is_known_is_not_missed(entry: str) -> None:
    assert not _rule(listed(entry), "mode-missing")


def test_an_unknown_mode_is_found_and_a_plural_mended() -> None:
    (finding,) = found(audited(listed(deployment(info="{mode: embeddings}"))), "unknown-mode")
    assert finding.fix is not None
    assert finding.fix.edits == (SetValue(("model_list", 0, "model_info", "mode"), "embedding"),)
    (other,) = found(audited(listed(deployment(info="{mode: audio}"))), "unknown-mode")
    assert other.fix is None
    assert "audio_speech" in other.do


def test_a_wildcard_names_what_its_health_check_asks() -> None:
    assert _rule(listed(deployment("openai/*", name="'*'")), "wildcard-health") == [("advice", 2)]
    told = listed(deployment("openai/*", name="'*'", info="{health_check_model: openai/gpt-4o-mini}"))
    assert not _rule(told, "wildcard-health")


def test_stream_in_the_file_is_ignored() -> None:
    assert _rule(listed(deployment(more="stream: true")), "stream-ignored") == [("warning", 2)]
    assert not _rule(listed(deployment(more="stream: false")), "stream-ignored")


def test_azure_wants_an_address() -> None:
    text = listed(deployment("azure/a", "api_key: k"))
    assert _rule(text, "azure-without-address", {}) == [("error", 2)]
    assert not _rule(text, "azure-without-address")
    assert not _rule(text, "azure-without-address", {"AZURE_API_BASE": "https://a"})
    assert not _rule(listed(deployment("azure/a", "api_base: 'https://a'")), "azure-without-address", {})
