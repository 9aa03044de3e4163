"""Packages that are not installed."""

from __future__ import annotations

from tests.proving.case import Case, logs, refused
from tests.proving.run import Run


def no_google(run: Run) -> None:
    """The first request fails for lack of the package."""
    assert not run.refused, run.log[-2000:]
    status, body, _ = run.chat("m")
    assert status >= 400
    assert "google" in str(body), body


CASES: tuple[Case, ...] = (
    Case(
        "mlflow-not-installed",
        "litellm_settings:\n  callbacks: [mlflow]\n",
        packages=frozenset({"litellm"}),
        finds={"callback-package-missing": 2},
        proof=logs("mlflow"),
    ),
    Case(
        "callback-of-the-image",
        "litellm_settings:\n  callbacks: [banned_keywords]\n",
        finds={"callback-of-the-image": 2},
        proof=refused("Banned Keywords"),
    ),
    Case(
        "disk-cache-not-installed",
        "litellm_settings:\n  cache: true\n  cache_params: {type: disk}\n",
        packages=frozenset({"litellm"}),
        finds={"cache-package-missing": 3},
        proof=refused("litellm[caching]"),
    ),
    Case(
        "vertex-without-google",
        "model_list:\n  - model_name: m\n    litellm_params:\n      model: vertex_ai/gemini-2.5-pro\n"
        "      vertex_project: p\n      vertex_location: us-central1\n",
        packages=frozenset({"litellm"}),
        finds={"provider-package-missing": 4},
        proof=no_google,
    ),
    Case(
        "qdrant-away",
        "litellm_settings:\n  cache: true\n  cache_params:\n    type: qdrant-semantic\n"
        "    qdrant_api_base: http://127.0.0.1:9\n    qdrant_collection_name: c\n    similarity_threshold: 0.9\n",
        finds={"cache-asked-at-start": 3},
        proof=refused(""),
    ),
)
