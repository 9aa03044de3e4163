"""Proofs of the rules about what is lost: credentials that nobody can read, callbacks without their variables."""

from __future__ import annotations

from litellm_tui.host.environment_file import parse_systemd
from tests.proving.case import Case, both, fails, logs, serves
from tests.proving.run import Run

_MODEL = (
    "model_list:\n  - {model_name: lost, litellm_params: {model: openai/lost, api_base: '{upstream}', api_key: k}}\n"
)
_UNMADE = "Error initializing custom logger"


def _unmade(run: Run) -> None:
    """It serves; the callback could not be made, at the start or with the first request."""
    both(serves("lost"), logs(_UNMADE))(run)


def _unread(run: Run) -> None:
    """Each request fails. Where Google's packages are not installed, 1.106 says so before it reads the credentials."""
    fails("vertex")(run)
    said = f"{run.chat('vertex')[1]}{run.log}"
    assert "Unable to load vertex credentials" in said or "No module named 'google'" in said, said[-2000:]


def _sent_on(run: Run) -> None:
    """What LiteLLM takes as its own key arrives at the target."""
    run.post("/aside", {"model": "lost"})
    assert any(call.headers.get("authorization") == "Bearer sk-proving-ground" for call in run.upstream_calls())


def _as_written(run: Run) -> None:
    """The target gets the reference itself."""
    run.post("/aside", {"model": "lost"})
    sent = [call.headers.get("authorization") for call in run.upstream_calls()]
    assert "Bearer os.environ/ASIDE_KEY" in sent, sent


def _aside(more: str) -> str:
    head = "general_settings:\n  pass_through_endpoints:\n    - path: /aside\n      target: '{upstream}'\n"
    return f"{_MODEL}{head}{more}"


def _callback(name: str, **environment: str) -> Case:
    return Case(
        f"{name} without its variables",
        f"{_MODEL}litellm_settings:\n  callbacks: [{name}]\n",
        finds={"callback-without-variables": 4},
        env=environment,
        proof=_unmade,
    )


def _vertex(value: str) -> Case:
    return Case(
        f"vertex credentials {value}",
        "model_list:\n  - model_name: vertex\n    litellm_params:\n      model: vertex_ai/gemini-2.5-flash\n"
        f"      vertex_project: p\n      vertex_location: us-central1\n      vertex_credentials: {value}\n",
        finds={"unreadable-vertex-credentials": 7},
        proof=_unread,
    )


CASES: tuple[Case, ...] = (
    Case(
        "a pass-through endpoint that sends headers on",
        _aside("      forward_headers: true\n"),
        finds={"callers-key-sent-on": 7},
        proof=_sent_on,
    ),
    Case(
        "a header of a variable that is not set",
        _aside("      headers: {Authorization: Bearer os.environ/ASIDE_KEY}\n"),
        finds={"empty-header": 7},
        proof=_as_written,
    ),
    Case(
        "a line with export in an EnvironmentFile",
        "model_list:\n  - model_name: exported\n    litellm_params:\n      model: openai/exported\n"
        "      api_base: '{upstream}'\n      api_key: os.environ/EXPORTED_KEY\n",
        finds={"environment-line-lost": 1, "unset-reference": 6},
        files={"unit.env": "export EXPORTED_KEY=sk-in-a-file\n"},
        # what systemd's grammar makes of the file: nothing
        env=parse_systemd(b"export EXPORTED_KEY=sk-in-a-file\n"),
        proof=fails("exported"),
    ),
    _callback("lago", LAGO_API_KEY="k"),
    _callback("braintrust"),
    _callback("deepeval"),
    _callback("posthog"),
    _callback("datadog", DD_API_KEY="k"),
    _vertex("my-service-account"),
    _vertex("\"{'type': 'service_account'}\""),
)
