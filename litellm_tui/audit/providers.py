"""The provider that LiteLLM finds for a deployment, or whether it drops the deployment for lack of one.

Decided as `litellm.get_llm_provider` and `Router._add_deployment` do (read in 1.77.7 and 1.106.2): by
`custom_llm_provider`, the prefix of the model, a known address, then the names of the cost map. Where LiteLLM may know
more than the console, the answer is `unsure`, and no rule may report the deployment.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from litellm_tui.audit.catalogue.records import Catalogue, Spans
from litellm_tui.audit.subject import REFERENCE, UNKNOWN, Entry, Subject
from litellm_tui.audit.surroundings import variable

ProviderState = Literal["known", "none", "newer", "unsure"]


class Provider(msgspec.Struct, frozen=True):
    """The provider of a model. `known`: there is one; for a bare name its `name` can be unknown ("").

    `none`: LiteLLM drops the deployment. `newer`: only a newer cost map than the bundled one may know the name, and
    LiteLLM fetches the newest at its start. `unsure`: it cannot be decided here.
    """

    state: ProviderState
    name: str = ""


KNOWN: Final = Provider("known")
NONE: Final = Provider("none")
NEWER: Final = Provider("newer")
UNSURE: Final = Provider("unsure")

# litellm.openai_compatible_endpoints and the addresses of openai_like/providers.json, of both versions, by host
_HOSTS: Final = frozenset(
    [
        "ai-gateway.helicone.ai",
        "ai-gateway.vercel.sh",
        "api-inference.modelscope.cn",
        "api.ai21.com",
        "api.cerebras.ai",
        "api.clarifai.com",
        "api.cognition.ai",
        "api.cortecs.ai",
        "api.deepinfra.com",
        "api.deepseek.com",
        "api.edenai.run",
        "api.endpoints.anyscale.com",
        "api.featherless.ai",
        "api.friendli.ai",
        "api.galadriel.ai",
        "api.galadriel.com",
        "api.getnadir.com",
        "api.groq.com",
        "api.hyperbolic.xyz",
        "api.inceptionlabs.ai",
        "api.inference.wandb.ai",
        "api.lambda.ai",
        "api.libertai.io",
        "api.llama.com",
        "api.meta.ai",
        "api.minimax.io",
        "api.minimaxi.com",
        "api.mistral.ai",
        "api.moonshot.ai",
        "api.morphllm.com",
        "api.perplexity.ai",
        "api.poe.com",
        "api.prisminference.com",
        "api.publicai.co",
        "api.reka.ai",
        "api.sailresearch.com",
        "api.sambanova.ai",
        "api.scx.ai",
        "api.stima.tech",
        "api.studio.nebius.ai",
        "api.synthetic.new",
        "api.together.ai",
        "api.together.xyz",
        "api.v0.dev",
        "api.x.ai",
        "app.empower.dev",
        "codestral.mistral.ai",
        "dashscope-intl.aliyuncs.com",
        "dashscope.aliyuncs.com",
        "gigachat.devices.sberbank.ru",
        "inference.api.nscale.com",
        "inference.baseten.co",
        "integrate.api.nvidia.com",
        "llm.chutes.ai",
        "nano-gpt.com",
        "ollama.com",
        "pinstripes.io",
        "platform.publicai.co",
        "serverless.tensormesh.ai",
    ]
)
# names in the cost map without a provider: they need the provider's prefix
_UNTOLD: Final = ("deepseek-", "doubao-", "fireworks-ai-", "together-ai-")
# families that get new names in the cost map every month, and names that LiteLLM recognises by their form
_GROWING: Final = re.compile(
    r"(?:[\w-]+\.)?anthropic\.|(?:ai21|amazon|cohere|meta|mistral|stability|twelvelabs|writer)\.|"
    r"(?:us|eu|apac|au|ca|jp|global)\.|amazon_nova|babbage|chatgpt|claude|codex|command|computer-use|dall-e|davinci|"
    r"embed-|ft:|gemini|gpt(?!-oss)|imagegeneration|imagen|jamba|o\d|omni-|rerank-|sora|text-|tts-|veo-|whisper-"
)
_DIGEST: Final = 64


def find_provider(
    model: str,
    catalogue: Catalogue,
    spans: Spans,
    *,
    custom: Any = None,
    api_base: Any = None,
    own: frozenset[str] = frozenset(),
) -> Provider:
    """The provider of `litellm_params.model`; `custom_llm_provider` and `api_base` are those after `os.environ/`.

    `own` are the names of `custom_provider_map`. A value that is neither text nor empty gives `unsure`.
    """
    # an unknown address may be one of those that identify the provider
    hidden = api_base is UNKNOWN
    api_base = None if hidden else api_base
    if custom is UNKNOWN:
        return UNSURE
    if (custom and not isinstance(custom, str)) or (api_base and not isinstance(api_base, str)):
        return UNSURE
    if any(value and value.startswith(REFERENCE) for value in (model, custom, api_base)):
        return UNSURE
    if custom and model.split("/", maxsplit=1)[0] != custom:
        model = f"{custom}/{model}"
    prefix, slash, _ = model.partition("/")
    if slash and prefix == "ragflow":
        return UNSURE
    if slash and (prefix in catalogue.providers or prefix in own):
        return Provider("known", prefix)
    if slash and prefix in catalogue.callbacks:
        # a prompt kept by one of the logging services names the model when it is used
        return KNOWN
    if api_base and _host(api_base) in _HOSTS:
        return KNOWN
    if hidden:
        return UNSURE
    return NONE if custom else _bare(model, catalogue, spans)


def provider_of_entry(entry: Entry, subject: Subject) -> Provider:
    """The provider of an entry; `unsure` where other settings may decide it."""
    settings = subject.section("litellm_settings")
    model = subject.resolve(entry.params.get("model"))
    if not isinstance(model, str) or settings.get("use_litellm_proxy") or "litellm_provider" in entry.info:
        return Provider("unsure")
    # nobody keeps this switch in a secret manager
    if (switch := variable(subject, "USE_LITELLM_PROXY")) is not UNKNOWN and switch:
        return Provider("unsure")
    own = settings.get("custom_provider_map")
    names = [item.get("provider") for item in own if isinstance(item, dict)] if isinstance(own, list) else []
    custom, api_base = (subject.resolve(entry.params.get(key)) for key in ("custom_llm_provider", "api_base"))
    return find_provider(
        model,
        subject.catalogue,
        subject.spans,
        custom=custom,
        api_base=api_base,
        own=frozenset(name for name in names if isinstance(name, str)),
    )


def corrected_model(model: str, catalogue: Catalogue) -> str:
    """The model with its prefix corrected to a provider's name that differs only in case and hyphens; otherwise ""."""
    prefix, slash, rest = model.partition("/")
    plain = prefix.strip().lower().replace("-", "_")
    if slash and plain != prefix and plain in catalogue.providers:
        return f"{plain}/{rest.strip()}"
    return ""


def _bare(model: str, catalogue: Catalogue, spans: Spans) -> Provider:
    if model == "*" or "ft:gpt-3.5-turbo" in model or "ft:gpt-4" in model:
        return Provider("known", "openai")
    parts = model.split(":")
    if len(parts) > 1 and len(parts[1]) == _DIGEST:
        return Provider("known", "replicate")
    if not model or model in catalogue.providers or model.startswith(_UNTOLD):
        return NONE
    if model in catalogue.models:
        return KNOWN
    return NEWER if model in spans.models or _GROWING.match(model) else NONE


def _host(address: str) -> str:
    try:
        return (urlsplit(address if "://" in address else f"https://{address}").hostname or "").lower()
    except ValueError:
        return ""
