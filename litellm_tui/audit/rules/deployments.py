"""Rules about the entries of `model_list`: whether they load, under which provider, and how a group shares its load."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.analysis.nested import LARGEST, python_text
from litellm_tui.audit.param_types import expected_type, list_edits, quote_edits, wrong_info
from litellm_tui.audit.providers import Provider, corrected_model, provider_of_entry
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.shares import FIRST_DECIDES, deployments_by_group, has_other_selector, uses_shuffle, weight_key
from litellm_tui.audit.subject import Entry, Subject, reference
from litellm_tui.audit.surroundings import has_secret_manager, variable
from litellm_tui.model.edits import Edit, Move, Remove, SetValue

# for servers of one's own, or so well known that no model's own name begins with it
_SERVERS: Final = frozenset(
    ("azure", "hosted_vllm", "litellm_proxy", "lm_studio", "ollama", "ollama_chat", "openai", "vertex_ai")
)
_LOAD: Final = "litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.106.2, 1.77.7)"
_SHUFFLE: Final = "litellm/router_strategy/simple_shuffle.py (1.106.2, 1.77.7)"
_CREATE: Final = "litellm/router.py, Router._create_deployment (1.106.2, 1.77.7)"


@rule(
    "no-litellm-params",
    "fatal",
    "A deployment without litellm_params",
    why="LiteLLM reads litellm_params of every entry of model_list, and ends when it is not there.",
    source=_LOAD,
    fix="give the entry its litellm_params, with at least a model",
)
def no_litellm_params(subject: Subject) -> Iterator[Hit]:
    for index, item in _items(subject):
        if not isinstance(item, dict):
            yield Hit(f"entry {index + 1} of model_list is not a mapping", ("model_list", index))
        elif not isinstance(item.get("litellm_params"), dict):
            path = ("model_list", index, "litellm_params") if "litellm_params" in item else ("model_list", index)
            yield Hit(f"{_name(item, index)} has no litellm_params", path)


@rule(
    "no-model",
    "fatal",
    "A deployment without a model",
    why="LiteLLM looks into the text of litellm_params.model while it starts, and ends when there is none.",
    source=_LOAD,
    fix="name the model with its provider, such as openai/gpt-4o",
)
def no_model(subject: Subject) -> Iterator[Hit]:
    for entry in subject.entries:
        model = entry.params.get("model")
        if "model" not in entry.params:
            yield Hit(f"{_group(entry)} has no model", entry.at())
        elif not isinstance(model, str):
            yield Hit(f"the model of {_group(entry)} is not a text", entry.at("model"))


@rule(
    "unset-model",
    "fatal",
    "A model from a variable that is not set",
    why="LiteLLM looks into the text of the model while it starts, and ends when os.environ/ gives it nothing.",
    source=_LOAD,
    fix="set the variable in LiteLLM's environment, or write the model itself",
)
def unset_model(subject: Subject) -> Iterator[Hit]:
    if has_secret_manager(subject):
        return
    for entry in subject.entries:
        if (name := reference(entry.model)) and subject.resolve(entry.model) is None:
            yield Hit(f"{name} is not set, and {_group(entry)} takes its model from it", entry.at("model"))


@rule(
    "no-model-name",
    "fatal",
    "A deployment without a name",
    why="LiteLLM makes the deployment's id from model_name, and ends when that is missing or not a text.",
    source="litellm/router.py, Router.set_model_list and _generate_model_id (1.106.2, 1.77.7)",
    fix="give the entry a model_name: the name that clients ask for",
)
def no_model_name(subject: Subject) -> Iterator[Hit]:
    for entry in subject.entries:
        item = subject.data["model_list"][entry.index]
        if "model_name" not in item:
            yield Hit(f"entry {entry.index + 1} of model_list has no model_name", entry.path)
        elif not isinstance(name := item["model_name"], str):
            path = (*entry.path, "model_name")
            edits = (SetValue(path, str(name)),) if type(name) is int and abs(name) < LARGEST else ()
            yield Hit(
                f"the model_name of entry {entry.index + 1} is not a text",
                path,
                "put it in quotes",
                edits,
                "whether that is how clients write it" if edits else "",
            )


@rule(
    "empty-model-info",
    "fatal",
    "A model_info with nothing under it",
    why="LiteLLM looks for an id in model_info wherever the key stands, and ends when it is empty or no mapping.",
    source="litellm/router.py, Router.set_model_list (1.106.2, 1.77.7)",
    fix="take the key out, or write its settings below it",
)
def empty_model_info(subject: Subject) -> Iterator[Hit]:
    for entry in subject.entries:
        item = subject.data["model_list"][entry.index]
        if "model_info" in item and not isinstance(item["model_info"], dict):
            path = (*entry.path, "model_info")
            edits = (Remove(path),) if item["model_info"] is None else ()
            yield Hit(f"model_info of {_group(entry)} is not a mapping", path, edits=edits)


@rule(
    "no-provider",
    "error",
    "A deployment that LiteLLM drops: its model names no provider",
    why="LiteLLM tells the provider from the model's prefix, or from a name that its cost map knows. Where it cannot, "
    "it leaves the deployment out and starts without it.",
    source="litellm/litellm_core_utils/get_llm_provider_logic.py, get_llm_provider; litellm/router.py, "
    "Router._add_deployment (1.106.2, 1.77.7)",
    fix="write the model with its provider, such as openai/NAME for a server with OpenAI's interface",
)
def no_provider(subject: Subject) -> Iterator[Hit | Right]:
    found = 0
    own = subject.section("litellm_settings").get("provider_list")
    for entry in subject.entries:
        said = provider_of_entry(entry, subject)
        first = entry.model.partition("/")[0]
        # LiteLLM's own list, which a setting of that name replaces
        if isinstance(own, dict | list | str) and first not in own and not entry.params.get("custom_llm_provider"):
            text = f"litellm_settings.provider_list stands in for LiteLLM's own list, and has no {first}"
            yield Hit(f"{_group(entry)} has no provider: {text}", entry.at("model"), "take provider_list out")
            continue
        found += said.state == "known"
        if said.state in ("none", "newer"):
            yield _without_provider(entry, said, subject)
    if found and found == len(subject.entries):
        yield Right("every deployment names its provider", ("model_list",))


@rule(
    "wrong-type",
    "error",
    "A deployment that LiteLLM drops: a value is of the wrong type",
    why="The values of litellm_params and model_info have types. Where one does not fit, LiteLLM writes a stack "
    "trace, leaves the deployment out and starts without it.",
    source=f"litellm/types/router.py, LiteLLM_Params; {_CREATE}",
    fix="write a value of the right type",
)
def wrong_type(subject: Subject) -> Iterator[Hit]:
    for entry in subject.entries:
        for key, value in entry.params.items():
            if value is not None and isinstance(key, str) and (wanted := expected_type(key, value, subject)):
                path = entry.at(key)
                edits, decision = quote_edits(path, value) if wanted == "a text" else (list_edits(path, value), "")
                do = "put it in quotes" if wanted == "a text" and edits else ""
                yield Hit(f"{key} of {_group(entry)} must be {wanted}", path, do, edits, decision)
        for key, wanted in wrong_info(entry.info, subject):
            yield Hit(f"model_info.{key} of {_group(entry)} must be {wanted}", (*entry.path, "model_info", key))
        own = entry.info.get("id")
        if isinstance(own, dict | list):
            yield Hit(f"model_info.id of {_group(entry)} must be a text", (*entry.path, "model_info", "id"))


@rule(
    "weight-not-a-number",
    "error",
    "A weight that is not a number",
    why="LiteLLM adds the weights of a group up as they are: with a text among them each request for it fails.",
    source=_SHUFFLE,
    fix="write the weight as a number, without quotes",
)
def weight_not_a_number(subject: Subject) -> Iterator[Hit]:
    for group in deployments_by_group(subject).values() if uses_shuffle(subject) else ():
        if subject.runs(until=FIRST_DECIDES) and group[0].params.get("weight") is None:
            continue
        for entry in group:
            value = entry.params.get("weight")
            if value is None or isinstance(value, int | float) or reference(value) is not None:
                continue
            edits: tuple[Edit, ...] = ()
            if isinstance(value, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
                edits = (SetValue(entry.at("weight"), float(value) if "." in value else int(value)),)
            yield Hit(f"the weight of {_group(entry)} is not a number", entry.at("weight"), edits=edits)


@rule(
    "no-weight-left",
    "error",
    "A group whose weights are all 0",
    why="LiteLLM divides by the sum of a group's weights: when it is 0, each request for the group fails.",
    source="litellm/router_strategy/simple_shuffle.py (1.77.7); changed in 1.103.0",
    fix="give one deployment of the group a weight above 0, or take the weights out",
    until=FIRST_DECIDES,
)
def no_weight_left(subject: Subject) -> Iterator[Hit]:
    for name, group in deployments_by_group(subject).items() if uses_shuffle(subject) else ():
        key = weight_key(group, subject)
        weights = [entry.params.get(key) for entry in group] if key else [None]
        if all(weight in (0, None) for weight in weights) and weights[0] is not None:
            yield Hit(f"{key} of every deployment of {name} is 0", group[0].at(str(key)))


@rule(
    "partial-weights",
    "warning",
    "A deployment that gets no requests, because others of its group have a weight",
    why="LiteLLM's shuffle picks by weight, else by rpm, else by tpm, and takes a missing one as 0: such a deployment "
    "is asked only when no other is left. Up to 1.102 the first deployment decides what is weighed by.",
    source=_SHUFFLE,
    fix="give all deployments of the group a value, or none",
)
def partial_weights(subject: Subject) -> Iterator[Hit | Right]:
    even = 0
    for name, group in deployments_by_group(subject).items() if uses_shuffle(subject) else ():
        if len(group) < 2 or any(has_other_selector(entry) for entry in group):
            continue
        if key := weight_key(group, subject):
            without = [entry for entry in group if entry.params.get(key) is None]
            if without and any((entry.params.get(key) or 0) > 0 for entry in group):
                text = f"{len(without)} of {len(group)} deployments of {name} have no {key}"
                yield Hit(f"{text}, and get no requests while the others answer", without[0].at())
                continue
        elif late := next((entry for entry in group if entry.params.get("weight") is not None), None):
            yield Hit(f"the weights of {name} are not looked at: its first deployment has none", late.at("weight"))
            continue
        even += 1
    if even:
        yield Right(f"{even} group{'s share' if even > 1 else ' shares'} the load over several deployments")


@rule(
    "limits-in-model-info",
    "warning",
    "Limits in model_info",
    why="The shuffle, which is LiteLLM's usual strategy, picks by rpm and tpm of litellm_params. In model_info only "
    "the usage-based strategies look for them.",
    source=_SHUFFLE,
    fix="write them in litellm_params",
)
def limits_in_model_info(subject: Subject) -> Iterator[Hit]:
    for group in deployments_by_group(subject).values() if uses_shuffle(subject) else ():
        for entry in group if len(group) > 1 else ():
            for key in ("rpm", "tpm"):
                value = entry.info.get(key)
                if value is not None and entry.params.get(key) is None:
                    path = (*entry.path, "model_info", key)
                    whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
                    shared = all(other.info.get(key) is not None or other.params.get(key) for other in group)
                    yield Hit(
                        f"{key} of {_group(entry)} stands in model_info, and does not share its load",
                        path,
                        edits=(Move(path, entry.at(key)),) if whole else (),
                        decision="" if shared else f"what {key} the other deployments of the group are to have",
                    )


@rule(
    "tags-in-model-info",
    "warning",
    "Tags in model_info",
    why="Tag routing looks for a deployment's tags in litellm_params only.",
    source="litellm/router_strategy/tag_based_routing.py (1.106.2, 1.77.7)",
    fix="write them in litellm_params",
)
def tags_in_model_info(subject: Subject) -> Iterator[Hit]:
    if subject.section("router_settings").get("enable_tag_filtering") is not True:
        return
    for entry in subject.entries:
        tags = entry.info.get("tags")
        if tags is not None and "tags" not in entry.params:
            path = (*entry.path, "model_info", "tags")
            proper = isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
            edits = (Move(path, entry.at("tags")),) if proper else ()
            decision = "whether it is to answer requests with these tags, and no others" if edits else ""
            yield Hit(f"the tags of {_group(entry)} stand in model_info", path, edits=edits, decision=decision)


@rule(
    "repeated-id",
    "warning",
    "An id that several deployments have",
    why="LiteLLM finds a deployment by its id: for cooldowns, health and metrics these are one and the same.",
    source="litellm/router.py, Router._add_model_to_list_and_index_map (1.106.2, 1.77.7)",
    fix="give each deployment an id of its own, or none: LiteLLM then makes one",
)
def repeated_id(subject: Subject) -> Iterator[Hit]:
    seen: dict[str, Entry] = {}
    for entry in subject.entries:
        own = entry.info.get("id")
        if isinstance(own, str | int) and own != "":
            first = seen.setdefault(python_text(own), entry)
            if first is not entry:
                path = (*entry.path, "model_info", "id")
                yield Hit(f"entries {first.index + 1} and {entry.index + 1} of model_list have the same id", path)


@rule(
    "identical-deployments",
    "advice",
    "A deployment that stands twice",
    why="LiteLLM makes the id from the name and the parameters: the two are one for cooldowns, health and metrics, and "
    "nothing is shared by them.",
    source="litellm/router.py, Router._generate_model_id (1.106.2, 1.77.7)",
    fix="take one of the two out",
)
def identical_deployments(subject: Subject) -> Iterator[Hit]:
    seen: dict[Any, Entry] = {}
    for entry in subject.entries:
        if "id" not in entry.info and (key := _fingerprint(entry)):
            first = seen.setdefault(key, entry)
            if first is not entry:
                yield Hit(f"{_group(entry)} is the same as entry {first.index + 1} of model_list", entry.path)


def _without_provider(entry: Entry, said: Provider, subject: Subject) -> Hit:
    model = str(subject.resolve(entry.params["model"]))
    version, path = subject.catalogue.version, entry.at("model")
    literal = reference(entry.model) is None
    if said.state == "newer":
        local = variable(subject, "LITELLM_LOCAL_MODEL_COST_MAP")
        sure = isinstance(local, str) and local.lower() == "true"
        text = f"{model!r} of {_group(entry)} is not in the cost map of LiteLLM {version}"
        more = ", and no newer one is fetched" if sure else ": unless a newer one is fetched and has it, it is dropped"
        return Hit(text + more, path, "write it with its provider", severity=None if sure else "warning")
    if custom := entry.params.get("custom_llm_provider"):
        return Hit(
            f"{custom!r} is no provider of LiteLLM {version}", entry.at("custom_llm_provider"), _near(custom, subject)
        )
    if right := corrected_model(model, subject.catalogue):
        name = right.partition("/")[0]
        edits = (SetValue(path, right),) if literal else ()
        # vendors on Hugging Face are written much like providers: a server's own names begin with them
        sure = name in _SERVERS or (entry.params.get("api_base") is None and name != "meta_llama")
        decision = "" if sure or not edits else f"whether {name} is the provider, or part of the model's own name"
        text = f"the prefix of {model!r} is no provider: it is written {name}"
        return Hit(text, path, f"write {right}", edits, decision)
    prefix, slash, _ = model.partition("/")
    if slash and (words := subject.spans.words("providers", prefix)):
        return Hit(f"{prefix!r} is no provider of LiteLLM {version}: it is one {words}", path)
    if slash:
        return Hit(f"the prefix of {model!r} is no provider of LiteLLM {version}", path, _near(prefix, subject))
    return Hit(f"{model!r} of {_group(entry)} names no provider", path)


def _near(name: Any, subject: Subject) -> str:
    near = subject.catalogue.close("providers", str(name)) if isinstance(name, str) else ()
    return f"write {' or '.join(near)}, if that is meant" if near else ""


def _fingerprint(entry: Entry) -> Any:
    """Equal for entries of the same parameters; an anchored block counts as itself, other nested ones do not repeat."""
    plain = (
        (str(key), id(value) if isinstance(value, dict | list | set) else value) for key, value in entry.params.items()
    )
    key = (entry.name, frozenset((name, type(value), value) for name, value in plain))
    return key if entry.name and entry.model else None


def _items(subject: Subject) -> Iterator[tuple[int, Any]]:
    listed = subject.data.get("model_list")
    yield from enumerate(listed) if isinstance(listed, list) else ()


def _name(item: Mapping[Any, Any], index: int) -> str:
    name = item.get("model_name")
    return name if isinstance(name, str) and name else f"entry {index + 1} of model_list"


def _group(entry: Entry) -> str:
    return entry.name or f"entry {entry.index + 1} of model_list"
