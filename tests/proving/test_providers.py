"""The provider that is told from a deployment, held against LiteLLM's own decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from litellm_tui.audit.providers import Provider, find_provider
from litellm_tui.collectors.litellm_source.catalogues import shipped
from tests.proving.ground import Ground

ORACLE = Path(__file__).with_name("provider_oracle.py")
# they ask for a login in a browser
LOGIN = {"github_copilot", "chatgpt"}
LOCAL = "http://127.0.0.1:8000/v1"


class Question(NamedTuple):
    model: str
    custom: str | None = None
    api_base: str | None = None


# all of these LiteLLM drops, and so it must be said
DROPPED = (
    *map(
        Question,
        [
            "llama3",
            "llama3.1:8b",
            "qwen2.5-coder",
            "mistral",
            "mistral-large-latest",
            "deepseek-chat",
            "deepseek-reasoner",
            "gpt-oss:20b",
            "phi-4",
            "model",
            "meta-llama/Llama-3.3-70B-Instruct",
            "Qwen/Qwen3-8B",
            "mistralai/Mistral-7B",
            "unsloth/gemma",
            "OpenAI/gpt-4o",
            "Ollama/llama3",
            "hosted-vllm/x",
            "together-ai/x",
            "vertex-ai/x",
            "vllm-server/x",
            "/x",
            "x/",
            "openai",
            "ollama",
            "vertex_ai",
            "a//b",
            "https://example.com/v1",
            "🦙",
            "../x",
            "None",
            "os-environ/X",
        ],
    ),
    Question(""),
    Question(" "),
    Question("openai gpt-4o"),
    Question("llama3", None, LOCAL),
    Question("meta-llama/Llama-3-8B", None, "https://models.example.com/v1"),
    Question("llama3", "nonesuch"),
    Question("gpt-4o", "nonesuch"),
    Question("openai/gpt-4o", "nonesuch"),
)
KEPT = (
    Question("*"),
    Question("ft:gpt-4o-2024-08-06:mine::abc"),
    Question("gpt-4o", None, LOCAL),
    Question("llama3", "openai", LOCAL),
    Question("openai/llama3", "openai"),
    Question("azure/llama3", "openai"),
    Question("meta-llama/Llama-3-8B", "hosted_vllm", LOCAL),
    Question("sonar", None, "https://api.perplexity.ai"),
    Question("llama3", None, "https://api.deepinfra.com/v1/openai"),
    Question("openai/*"),
    Question("openai//x"),
    Question("azure/command-r-plus"),
    Question("langfuse/prompt"),
    Question("x/y:" + "0123456789abcdef" * 4),
)


def _asked(ground: Ground, folder: Path, questions: list[Question]) -> dict[Question, str | None]:
    asked, answers = folder / "questions.json", folder / "answers.json"
    asked.write_text(json.dumps(questions), encoding="utf-8")
    ground.script(ORACLE, str(asked), str(answers))
    return dict(zip(questions, json.loads(answers.read_bytes()), strict=True))


@pytest.fixture(scope="module")
def decided(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> dict[Question, str | None]:
    """What LiteLLM decides on every prefix, every name of the cost maps with and without its prefix, and odd ones."""
    spans = shipped()
    prefixes = sorted(set(spans.kinds["providers"]) - LOGIN)
    questions = [Question(f"{prefix}/some-model") for prefix in prefixes]
    questions += [Question("some-model", prefix) for prefix in prefixes]
    questions += [Question(f"{prefix.upper()}/some-model") for prefix in prefixes]
    for name in spans.models:
        if name.split("/")[0] not in LOGIN:
            questions += [Question(name), Question(name.rpartition("/")[2]), Question(f"{name}-next")]
    return _asked(ground, tmp_path_factory.mktemp("providers"), list(dict.fromkeys([*questions, *DROPPED, *KEPT])))


@pytest.fixture(scope="module")
def told(ground: Ground, decided: dict[Question, str | None]) -> dict[Question, Provider]:
    """What is said here of the same."""
    spans = shipped()
    catalogue = spans.at(ground.version)
    return {
        question: find_provider(question.model, catalogue, spans, custom=question.custom, api_base=question.api_base)
        for question in decided
    }


def test_what_is_said_to_be_dropped_is_dropped(
    decided: dict[Question, str | None], told: dict[Question, Provider]
) -> None:
    said = {question for question in decided if told[question].state == "none"}
    assert len(said) > 300
    assert {question: decided[question] for question in said if decided[question]} == {}


def test_a_provider_that_is_named_is_the_one(
    decided: dict[Question, str | None], told: dict[Question, Provider]
) -> None:
    named = {question: said.name for question, said in told.items() if said.name}
    assert len(named) > 200
    # a provider has other names for some of its models, and some have left LiteLLM but for a list
    wrong = {
        question: (name, decided[question])
        for question, name in named.items()
        if decided[question] != name and not _of_one_house(name, decided[question])
    }
    assert wrong == {}


def test_names_that_litellm_does_not_know_are_found(
    decided: dict[Question, str | None], told: dict[Question, Provider]
) -> None:
    assert {question: decided[question] for question in DROPPED if decided[question]} == {}
    assert {question for question in DROPPED if told[question].state != "none"} == set()


def test_names_that_litellm_knows_are_left_alone(
    decided: dict[Question, str | None], told: dict[Question, Provider]
) -> None:
    assert {question for question in KEPT if decided[question] is None} == set()
    assert {question for question in KEPT if told[question].state != "known"} == set()


def _of_one_house(name: str, decided: str | None) -> bool:
    if decided is None:
        return name in {"anyscale", "ragflow"}
    return decided.split("_")[0] == name.split("_", maxsplit=1)[0] or (name, decided) == ("azure", "openai")
