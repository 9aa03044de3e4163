"""Proofs of the rules about what a deployment asks."""

from __future__ import annotations

from tests.proving.case import Case, Proof, both, fails, logs, serves
from tests.proving.run import Run


def _asked(group: str, path: str) -> Proof:
    """A request for the group goes to this path."""

    def proof(run: Run) -> None:
        before = len(run.upstream_calls())
        run.chat(group)
        assert [call.path for call in run.upstream_calls()[before:]][:1] == [path]

    return proof


def _checked(group: str, path: str) -> Proof:
    """The health check of the group goes to this path."""

    def proof(run: Run) -> None:
        before = len(run.upstream_calls())
        run.get(f"/health?model={group}")
        assert [call.path for call in run.upstream_calls()[before:]] == [path]

    return proof


def _unhealthy(run: Run) -> None:
    body = run.get("/health?model=mode").body
    assert "Mode embeddings not supported" in str(body), body
    assert run.embeddings("mode").status == 200, "and it answers all the same"


def _unstreamed(run: Run) -> None:
    before = len(run.upstream_calls())
    assert run.chat("stream").status == 200
    (call,) = run.upstream_calls()[before:]
    assert not call.body.get("stream"), call.body


def _to(name: str, more: str = "api_base: '{upstream}', api_key: k", info: str = "", provider: str = "openai") -> str:
    tail = f", model_info: {info}" if info else ""
    return f"  - {{model_name: {name}, litellm_params: {{model: {provider}/{name}, {more}}}{tail}}}\n"


CASES: tuple[Case, ...] = (
    Case(
        "where requests go wrong",
        "litellm_settings: {num_retries: 0}\nmodel_list:\n"
        + _to("keyless", "api_base: '{upstream}'")
        + _to("unset", "api_base: '{upstream}', api_key: os.environ/NOT_SET")
        + _to("generate", "api_base: '{upstream}'", provider="ollama")
        + _to("ollama-chat", "api_base: '{upstream}/'", provider="ollama_chat")
        + _to("slash", "api_base: '{upstream}/sub/'", provider="ollama")
        + _to("endpoint", "api_base: '{upstream}/chat/completions', api_key: k")
        + _to("scheme", "api_base: 'localhost:9/v1', api_key: k")
        + _to("timeout", "api_base: '{upstream}', api_key: k, timeout: 30s")
        + _to("stream", "api_base: '{upstream}', api_key: k, stream: true")
        + _to("resource", "api_key: k", provider="azure"),
        finds={
            "openai-without-key": 3,
            "unset-reference": 4,
            "ollama-path": 5,
            "ollama-slash": 7,
            "endpoint-in-api-base": 8,
            "address-without-scheme": 9,
            "timeout-not-a-number": 10,
            "stream-ignored": 11,
            "azure-without-address": 12,
        },
        proof=both(
            fails("keyless", "Missing credentials"),
            fails("unset", "Missing credentials"),
            _asked("generate", "/v1/api/generate"),
            fails("generate"),
            _asked("ollama-chat", "/v1//api/chat"),
            _asked("slash", "/v1/sub//api/generate"),
            fails("endpoint", "/v1/chat/completions/chat/completions", status=404),
            fails("scheme", status=500),
            fails("timeout", "could not convert string to float: '30s'"),
            _unstreamed,
            fails("resource", "AzureException", status=500),
        ),
        fixed=both(
            _asked("generate", "/api/generate"),
            _asked("ollama-chat", "/api/chat"),
            _asked("slash", "/v1/sub/api/generate"),
            serves("endpoint", "timeout", "stream"),
        ),
    ),
    Case(
        "how health is checked",
        "model_list:\n" + _to("my-embed") + _to("mode", info="{mode: embeddings}"),
        finds={"mode-missing": 2, "unknown-mode": 3},
        proof=both(_checked("my-embed", "/v1/chat/completions"), _unhealthy),
        fixed=both(_checked("my-embed", "/v1/embeddings"), _checked("mode", "/v1/embeddings")),
    ),
    Case(
        "an ollama without an address",
        "model_list:\n" + _to("a", "api_key: k", provider="ollama"),
        finds={"ollama-started-here": 2},
        # there is none to start: that it is tried is written at this level only
        env={"LITELLM_LOG": "DEBUG", "PATH": "/nonexistent"},
        proof=logs("`ollama serve` failed"),
    ),
)
