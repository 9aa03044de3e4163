"""Rules about what a deployment asks: its address, key, timeouts and mode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from litellm_tui.audit.param_types import is_number
from litellm_tui.audit.providers import provider_of_entry
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import UNKNOWN, Entry, Subject, reference
from litellm_tui.audit.surroundings import exported_variables, has_secret_manager, is_set, is_truthy
from litellm_tui.model.edits import Edit, Insert, Remove, SetValue

_SECRETS: Final = ("api_key", "aws_secret_access_key", "aws_session_token", "azure_ad_token", "client_secret")
_INVENTED: Final = re.compile(r"your|xxx|dummy|placeholder|example|fake|none|change|1234|test|local|not-|empty", re.I)
# a request does not go out with a key of the deployment's own
_OTHER_KEYS: Final = (
    "mock_response",
    "litellm_credential_name",
    "configurable_clientside_auth_params",
    "openai_identity_provider_id",
    "openai_identity_token_file",
)
_OLLAMA: Final = ("ollama", "ollama_chat")
# the provider's paths are put behind api_base as it is; hosted_vllm leaves them out since some version
_JOINED: Final = ("openai", "lm_studio", "litellm_proxy")
_ENDPOINTS: Final = ("/chat/completions", "/completions", "/embeddings")
# what ahealth_check of either version asks by, and what the cost map has beside
_MODES: Final = frozenset(
    [
        "chat",
        "completion",
        "embedding",
        "audio_speech",
        "audio_transcription",
        "image_generation",
        "image_edit",
        "video_generation",
        "rerank",
        "realtime",
        "batch",
        "responses",
        "anthropic_messages",
        "ocr",
        "decisions",
    ]
)
_TELLING: Final = (
    (re.compile(r"rerank", re.I), "rerank"),
    (re.compile(r"embed|(?:^|[/_-])(?:bge|gte|e5)-", re.I), "embedding"),
    (re.compile(r"whisper", re.I), "audio_transcription"),
    (re.compile(r"(?:^|[/_-])tts(?:-|$)", re.I), "audio_speech"),
    (re.compile(r"dall-e|stable-diffusion|(?:^|[/_-])flux", re.I), "image_generation"),
)
_CALLED: Final = "litellm/router.py, Router._acompletion (1.106.2, 1.77.7)"


@rule(
    "unset-reference",
    "warning",
    "A deployment refers to a variable that is not set",
    why="LiteLLM takes os.environ/NAME as nothing when NAME is not set, says so nowhere, and the request fails "
    "later or goes elsewhere.",
    source="litellm/proxy/proxy_server.py, ProxyConfig._check_for_os_environ_vars (1.106.2, 1.77.7)",
    fix="set the variable in the environment of LiteLLM",
)
def unset_reference(subject: Subject) -> Iterator[Hit | Right]:
    if subject.environment is None or has_secret_manager(subject):
        return
    looked, missing = 0, 0
    section = exported_variables(subject)
    for entry in subject.entries:
        for key, value in entry.params.items():
            name = reference(value)
            if name is None or key == "model" or str(key).endswith("_ref") or name in section:
                continue
            found = subject.resolve(value)
            looked += found is not UNKNOWN
            if found is None:
                missing += 1
                fails = key == "api_key" and _is_openai(entry, subject) and _keyless(entry, subject)
                yield Hit(
                    f"{name} is not set: {key} of {_group(entry)} is taken as not given",
                    entry.at(str(key)),
                    severity="error" if fails else None,
                )
    if looked and not missing:
        yield Right("every variable that a deployment refers to is set", ("model_list",))


@rule(
    "literal-key",
    "advice",
    "A provider's key stands in the file",
    why="Whoever reads the file, its backups or its history has the key. LiteLLM takes it from the environment too.",
    source="docs.litellm.ai/docs/proxy/configs",
    fix="put the key into the environment of LiteLLM, and write os.environ/NAME here",
)
def literal_key(subject: Subject) -> Iterator[Hit | Right]:
    literal, referred = 0, 0
    for entry in subject.entries:
        for key in _SECRETS:
            value = entry.params.get(key)
            referred += reference(value) is not None
            if isinstance(value, str) and reference(value) is None and _looks_real(value):
                literal += 1
                yield Hit(f"{key} of {_group(entry)} stands in the file", entry.at(key))
    if referred and not literal:
        yield Right("the providers' keys come from the environment", ("model_list",))


@rule(
    "openai-without-key",
    "error",
    "An openai/ deployment without a key",
    why="LiteLLM's OpenAI client wants a key, also for a server that needs none: without one each request ends with "
    "'Missing credentials' before it is sent.",
    source="litellm/llms/openai/openai.py, OpenAIChatCompletion (1.106.2, 1.77.7)",
    fix="give it an api_key; any text does for a server that wants none",
)
def openai_without_key(subject: Subject) -> Iterator[Hit]:
    for entry in subject.entries:
        given = entry.params.get("api_key")
        if given in (None, "") and _is_openai(entry, subject) and _keyless(entry, subject):
            path = entry.at("api_key")
            edit: Edit = SetValue(path, "none") if "api_key" in entry.params else Insert(path, "none")
            yield Hit(
                f"{_group(entry)} has no api_key, and OPENAI_API_KEY is not set",
                path,
                edits=(edit,) if entry.params.get("api_base") else (),
                decision="which key the server wants: `none` is for one that asks for no key",
            )


@rule(
    "ollama-path",
    "error",
    "An Ollama address with a path",
    why="LiteLLM puts /api/generate or /api/chat behind the address of an ollama/ or ollama_chat/ deployment: with "
    "/v1 or /api at its end each request ends with 404.",
    source="litellm/llms/ollama/completion/transformation.py and chat/transformation.py, get_complete_url "
    "(1.106.2, 1.77.7)",
    fix="give host and port only, or write openai/ as the provider and keep /v1",
)
def ollama_path(subject: Subject) -> Iterator[Hit]:
    for entry, address in _addressed(subject, _OLLAMA):
        bare = address.rstrip("/")
        if bare.endswith(("/v1", "/api")):
            yield Hit(
                f"the api_base of {_group(entry)} ends with {bare[bare.rindex('/') :]}",
                entry.at("api_base"),
                edits=_shortened(entry, re.sub(r"(/v1|/api|/)+$", "", address)),
            )


@rule(
    "ollama-slash",
    "warning",
    "An Ollama address with a slash at its end",
    why="LiteLLM puts /api/generate or /api/chat behind it: the request goes to //api/…, which Ollama redirects.",
    source="litellm/llms/ollama/completion/transformation.py and chat/transformation.py, get_complete_url "
    "(1.106.2, 1.77.7)",
    fix="take the slash away",
)
def ollama_slash(subject: Subject) -> Iterator[Hit]:
    for entry, address in _addressed(subject, _OLLAMA):
        bare = address.rstrip("/")
        if bare != address and not bare.endswith(("/v1", "/api")):
            yield Hit(
                f"the api_base of {_group(entry)} ends with /", entry.at("api_base"), edits=_shortened(entry, bare)
            )


@rule(
    "ollama-started-here",
    "advice",
    "LiteLLM starts an Ollama of its own",
    why="For a model with 'ollama' in its name and no api_base, LiteLLM runs `ollama serve` as its child, also while "
    "it only checks a configuration.",
    source="litellm/proxy/proxy_server.py, run_ollama_serve (1.106.2, 1.77.7)",
    fix="give the deployment its api_base, such as http://localhost:11434",
)
def ollama_started_here(subject: Subject) -> Iterator[Hit]:
    for entry in subject.entries:
        if "ollama" in entry.model and entry.params.get("api_base") is None:
            yield Hit(f"{_group(entry)} has no api_base", entry.at("model"))


@rule(
    "endpoint-in-api-base",
    "error",
    "An address that holds the endpoint",
    why="LiteLLM puts the endpoint behind api_base: where it ends with /chat/completions, each request ends with 404.",
    source=_CALLED,
    fix="end api_base before the endpoint, usually with /v1",
)
def endpoint_in_api_base(subject: Subject) -> Iterator[Hit]:
    for entry, address in _addressed(subject, _JOINED):
        bare = address.rstrip("/")
        if end := next((end for end in _ENDPOINTS if bare.endswith(end)), ""):
            edits = _shortened(entry, bare.removesuffix(end))
            yield Hit(f"the api_base of {_group(entry)} ends with {end}", entry.at("api_base"), edits=edits)


@rule(
    "address-without-scheme",
    "error",
    "An address without http:// or https://",
    why="LiteLLM asks api_base as it is written: without a scheme no request leaves it.",
    source=_CALLED,
    fix="begin it with http:// or https://",
)
def address_without_scheme(subject: Subject) -> Iterator[Hit]:
    for entry, address in _addressed(subject, (*_JOINED, *_OLLAMA, "hosted_vllm")):
        if "://" not in address:
            yield Hit(f"the api_base of {_group(entry)} begins with neither", entry.at("api_base"))


@rule(
    "timeout-not-a-number",
    "error",
    "A timeout that is not a number",
    why="LiteLLM makes a number of seconds of it. From a text with a unit it can make none, and each request fails.",
    source="litellm/router.py, Router._get_timeout (1.106.2, 1.77.7)",
    fix="write the seconds as a number",
)
def timeout_not_a_number(subject: Subject) -> Iterator[Hit]:
    for entry in subject.entries:
        for key in ("timeout", "stream_timeout"):
            value = entry.params.get(key)
            if isinstance(value, str) and reference(value) is None and not is_number(value):
                seconds = re.fullmatch(r"(\d{1,6})\s*s(?:ec(?:onds?)?)?", value)
                edits = (SetValue(entry.at(key), int(seconds[1])),) if seconds else ()
                yield Hit(f"{key} of {_group(entry)} is {value[:40]!r}", entry.at(key), edits=edits)


@rule(
    "mode-missing",
    "advice",
    "A health check that asks in the wrong way",
    why="LiteLLM checks a deployment's health as a chat, unless model_info.mode or its cost map says otherwise. Of "
    "another kind of model that says nothing, or makes it look unhealthy.",
    source="litellm/proxy/health_check.py, resolve_health_check_mode (1.106.2); docs.litellm.ai/docs/proxy/health",
    fix="say in model_info.mode what kind of model it is",
)
def mode_missing(subject: Subject) -> Iterator[Hit]:
    checked = is_truthy(subject, subject.section("general_settings").get("background_health_checks"))
    for entry in subject.entries:
        if entry.info.get("mode") is not None or entry.info.get("disable_background_health_check"):
            continue
        if not entry.model or _in_the_map(entry.model, subject):
            continue
        mode = next((mode for pattern, mode in _TELLING if pattern.search(entry.model)), "")
        if mode:
            yield Hit(
                f"{_group(entry)} seems to be of mode {mode}, and does not say so",
                entry.at("model"),
                f"write model_info.mode: {mode}",
                (Insert((*entry.path, "model_info", "mode"), mode),),
                "" if mode in ("embedding", "rerank") else f"whether it is {mode}: each check then asks it for one",
                "warning" if checked else None,
            )


@rule(
    "unknown-mode",
    "warning",
    "A mode that LiteLLM does not know",
    why="LiteLLM's health check refuses a mode that it does not know: the deployment is unhealthy whatever it answers.",
    source="litellm/main.py, ahealth_check (1.106.2, 1.77.7); docs.litellm.ai/docs/proxy/health",
    fix="write one of the modes that it knows",
)
def unknown_mode(subject: Subject) -> Iterator[Hit]:
    known = _MODES.union(subject.catalogue.models.values())
    for entry in subject.entries:
        mode = entry.info.get("mode")
        if isinstance(mode, str) and mode and mode not in known:
            path = (*entry.path, "model_info", "mode")
            plain = mode.strip().lower().replace("-", "_").removesuffix("s")
            edits = (SetValue(path, plain),) if plain in _MODES else ()
            do = f"write {plain}" if edits else f"write one of {', '.join(sorted(_MODES))}"
            yield Hit(f"{mode[:40]!r} of {_group(entry)} is no mode", path, do, edits)


@rule(
    "wildcard-health",
    "advice",
    "A wildcard whose health check asks any model",
    why="For a model with a * LiteLLM's health check takes a model of the provider at random, cheap or dear.",
    source="docs.litellm.ai/docs/proxy/health",
    fix="name a cheap one in model_info.health_check_model",
)
def wildcard_health(subject: Subject) -> Iterator[Hit]:
    for entry in subject.entries:
        told = entry.info.get("health_check_model") or entry.info.get("disable_background_health_check")
        if "*" in entry.model and not told:
            yield Hit(f"{_group(entry)} names no model to be checked", entry.at("model"))


@rule(
    "stream-ignored",
    "warning",
    "stream in litellm_params",
    why="Whether an answer is streamed is the client's choice in each request: LiteLLM does not take it from the file.",
    source=_CALLED,
    fix="take it out",
)
def stream_ignored(subject: Subject) -> Iterator[Hit]:
    for entry in subject.entries:
        if entry.params.get("stream") is True:
            path = entry.at("stream")
            yield Hit(f"stream of {_group(entry)} changes nothing for requests", path, edits=(Remove(path),))


@rule(
    "azure-without-address",
    "error",
    "An azure/ deployment without an address",
    why="Azure has an address for each resource. LiteLLM loads the deployment without one, and each request fails.",
    source="litellm/llms/azure/azure.py (1.106.2, 1.77.7); docs.litellm.ai/docs/providers/azure",
    fix="give it its api_base: https://RESOURCE.openai.azure.com",
)
def azure_without_address(subject: Subject) -> Iterator[Hit]:
    if subject.section("litellm_settings").get("api_base"):
        return
    for entry in subject.entries:
        given = [subject.resolve(entry.params.get(key)) for key in ("api_base", "base_url", "azure_endpoint")]
        if any(value is UNKNOWN or value for value in given) or any(key in entry.params for key in _OTHER_KEYS):
            continue
        if not entry.model.startswith("azure/") or not _is_of(entry, subject, ("azure",)):
            continue
        if is_set(subject, "AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT") is False:
            yield Hit(f"{_group(entry)} has no api_base, and AZURE_API_BASE is not set", entry.at("model"))


def _addressed(subject: Subject, providers: tuple[str, ...]) -> Iterator[tuple[Entry, str]]:
    """The deployments of these providers with the address they ask, where that is known."""
    for entry in subject.entries:
        address = subject.resolve(entry.params.get("api_base"))
        if isinstance(address, str) and address and _is_of(entry, subject, providers):
            yield entry, address


def _is_of(entry: Entry, subject: Subject, providers: tuple[str, ...]) -> bool:
    # most models are decided by their prefix, and there may be thousands
    plain = "custom_llm_provider" not in entry.params and reference(entry.model) is None and "/" in entry.model
    if plain and entry.model.partition("/")[0] not in providers:
        return False
    return provider_of_entry(entry, subject).name in providers


def _shortened(entry: Entry, address: str) -> tuple[Edit, ...]:
    """An edit of the address, if it is written in the file itself."""
    literal = isinstance(value := entry.params["api_base"], str) and reference(value) is None
    return (SetValue(entry.at("api_base"), address),) if literal and address else ()


def _is_openai(entry: Entry, subject: Subject) -> bool:
    return _is_of(entry, subject, ("openai",))


def _keyless(entry: Entry, subject: Subject) -> bool:
    """Whether nothing gives LiteLLM a key for OpenAI; False where that is not known."""
    settings = subject.section("litellm_settings")
    if any(settings.get(key) for key in ("api_key", "openai_key")) or any(key in entry.params for key in _OTHER_KEYS):
        return False
    forwards = any("forward" in str(key) and value for key, value in subject.section("general_settings").items())
    return not forwards and is_set(subject, "OPENAI_API_KEY", "OPENAI_ADMIN_KEY") is False


def _looks_real(value: str) -> bool:
    mixed = any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)
    return len(value) >= 20 and mixed and "$" not in value and "{" not in value and not _INVENTED.search(value)


def _in_the_map(model: str, subject: Subject) -> bool:
    """Whether a cost map may tell the mode of a model, with or without its prefixes."""
    parts = model.split("/")
    names: list[Any] = ["/".join(parts[start:]) for start in range(len(parts))]
    return any(name in subject.catalogue.models or name in subject.spans.models for name in names)


def _group(entry: Entry) -> str:
    return entry.name or f"entry {entry.index + 1} of model_list"
