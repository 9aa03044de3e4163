"""Keys of deployments that LiteLLM does not know and sends on, and the credentials that deployments name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.analysis.redaction.secret_names import names_a_secret
from litellm_tui.audit.catalogue.nearest import nearest
from litellm_tui.audit.providers import provider_of_entry
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import UNKNOWN, Entry, Subject, reference
from litellm_tui.audit.surroundings import has_database, has_secret_manager
from litellm_tui.model.edits import Edit, Move, Path, Remove, Rename, SetValue

_ENTRY: Final = frozenset({"model_name", "litellm_params", "model_info"})
# extra fields of a deployment beside these three that the router looks for
_BESIDE: Final = frozenset({"rpm", "tpm", "blocked"})
# names of parameters that somebody may write beside them as a note
_PLAIN_WORDS: Final = frozenset({"metadata", "user", "model_config", "id", "project", "language", "instructions"})
# with one of these lost, a request goes to another address, or with another key
_ADDRESS: Final = frozenset({"api_base", "base_url", "api_version", "custom_llm_provider", "aws_region_name"})
_SENT: Final = "LiteLLM takes every key of litellm_params; one that it does not know goes to the provider in the body"
_MOST: Final = 200


@rule(
    "unknown-param",
    "warning",
    "A key of litellm_params that LiteLLM does not know",
    why=f"{_SENT} of each request, with its value: a secret in it leaves the house, and what the key was meant for "
    "does not happen. Some providers answer 400 to it.",
    source="litellm/types/router.py, LiteLLM_Params (extra=allow); litellm/utils.py, "
    "add_provider_specific_params_to_optional_params (1.106.2)",
    fix="write the key that is meant; what the provider is to get belongs below extra_body",
)
def unknown_param(subject: Subject) -> Iterator[Hit]:
    known, words = subject.catalogue.params, subject.catalogue.param_words
    found = 0
    guesses: dict[str, tuple[str, ...]] = {}
    for entry in subject.entries if known else ():
        for key, value in entry.params.items():
            if not isinstance(key, str) or key in known or key in words or found == _MOST:
                continue
            # comparing names costs, and thousands of deployments have the same keys
            near = guesses[key] if key in guesses else guesses.setdefault(key, nearest(key, known))
            secret = names_a_secret(key) or any(names_a_secret(name) for name in near)
            # without a name that is near, only a text can be a secret; limits of tokens and lists of keys are none
            if not (near or (secret and isinstance(value, str))) or _of_its_provider(entry, key, subject):
                continue
            found += 1
            yield _unknown(subject, entry, key, value, near, secret=secret)


def _unknown(subject: Subject, entry: Entry, key: str, value: Any, near: tuple[str, ...], *, secret: bool) -> Hit:
    path = entry.at(key)
    text = f"{key!r} of {_group(entry)} is no key of LiteLLM"
    holds = secret and isinstance(value, str) and value != ""
    sent = "it is sent to the provider" + (", and the secret in it too" if holds else "")
    if span := subject.spans.words("params", key):
        return Hit(f"{text} {subject.catalogue.version} (known {span}): {sent}", path, severity=_severity(holds, ()))
    if not near:
        return Hit(f"{text}: {sent}", path, severity=_severity(holds, ()))
    effect = f": {sent}. Did you mean {' or '.join(near)}?"
    if near[0] in entry.params:
        edits: tuple[Edit, ...] = (Remove(path),)
        decision = f"which of the two is meant: {near[0]} stands there as well"
        return Hit(text + effect, path, f"take it out, or write {near[0]}", edits, decision, _severity(holds, near))
    # the request then goes out with another key, or to another address: never without being asked
    decision = f"whether {near[0]} is meant: it would take effect for the first time"
    return Hit(text + effect, path, f"write {near[0]}", (Rename(path, near[0]),), decision, _severity(holds, near))


def _severity(holds: bool, near: tuple[str, ...]) -> Any:
    return "error" if holds or any(name in _ADDRESS for name in near) else None


def _of_its_provider(entry: Entry, key: str, subject: Subject) -> bool:
    """Whether the code of the deployment's own provider knows the key."""
    folders = [word.partition("/")[0] for word in _scoped(subject, key)]
    name = provider_of_entry(entry, subject).name if folders else ""
    return any(name.startswith(folder) or (name and folder.startswith(name)) for folder in folders)


def _scoped(subject: Subject, key: str) -> list[str]:
    return [word for word in subject.catalogue.param_words if word.endswith(f"/{key}")]


@rule(
    "unknown-entry-key",
    "warning",
    "A key beside litellm_params that nothing reads",
    why="Of an entry of model_list LiteLLM reads model_name, litellm_params and model_info. Others are kept, and asked "
    "for by nothing.",
    source="litellm/types/router.py, Deployment (extra=allow); litellm/router.py, Router.set_model_list (1.106.2)",
    fix="write it below litellm_params or model_info, where it is read",
)
def unknown_entry_key(subject: Subject) -> Iterator[Hit]:
    known = subject.catalogue.params
    found = 0
    guesses: dict[str, tuple[str, str]] = {}
    for entry in subject.entries if known else ():
        item = subject.data["model_list"][entry.index]
        for key in item:
            if not isinstance(key, str) or key in _ENTRY or key in _BESIDE or found == _MOST:
                continue
            if key not in guesses:
                guesses[key] = _meant(key, known)
            place, name = guesses[key]
            if name:
                found += 1
                yield _beside(entry, key, item, place, name)


def _meant(key: str, known: frozenset[str]) -> tuple[str, str]:
    """Where the key would be read and by which name: beside litellm_params ("") or below it; "" for neither."""
    if near := nearest(key, _ENTRY):
        return "", near[0]
    name = key if key in known else next(iter(nearest(key, known)), "")
    return "litellm_params", "" if name in _PLAIN_WORDS else name


def _beside(entry: Entry, key: str, item: Mapping[Any, Any], place: str, name: str) -> Hit:
    path = (*entry.path, key)
    text = f"{key!r} of {_group(entry)} is not read"
    decision = f"whether it is wanted: {name} would take effect for the first time"
    if not place:
        free = name not in item
        edits: tuple[Edit, ...] = (Rename(path, name),) if free else ()
        return Hit(f"{text}: did you mean {name}?", path, f"write {name}", edits, decision if free else "")
    free = name not in entry.params
    where = "it belongs to litellm_params" if name == key else f"did you mean {name} in litellm_params?"
    return Hit(
        f"{text} here: {where}",
        path,
        f"move it to litellm_params{'' if name == key else f', as {name}'}",
        (Move(path, entry.at(name)),) if free else (),
        decision if free else "",
        "error" if name in _ADDRESS or names_a_secret(name) else None,
    )


@rule(
    "unknown-credential",
    "error",
    "A credential that is in no list",
    why="LiteLLM looks for litellm_credential_name in credential_list (and in its database) by exact letters. Where "
    "nothing has that name the request goes out without it: with a key of the environment, or with none.",
    source="litellm/litellm_core_utils/credential_accessor.py; litellm/utils.py, load_credentials_from_list (1.106.2)",
    fix="write the credential_name of an entry of credential_list",
)
def unknown_credential(subject: Subject) -> Iterator[Hit | Right]:
    names = {str(item["credential_name"]) for _, item in _credentials(subject) if "credential_name" in item}
    database = has_database(subject)
    used, lost = 0, 0
    for entry in subject.entries:
        name = subject.resolve(entry.params.get("litellm_credential_name"))
        if not isinstance(name, str) or not name:
            continue
        used += 1
        if name in names:
            continue
        lost += 1
        same = [known for known in names if known.casefold() == name.casefold()]
        near = tuple(same) or nearest(name, frozenset(names))
        path = entry.at("litellm_credential_name")
        literal = reference(entry.params["litellm_credential_name"]) is None
        edits = (SetValue(path, near[0]),) if len(near) == 1 and literal else ()
        yield Hit(
            f"{name!r} of {_group(entry)} is in no credential_list" + (f": {near[0]}?" if near else ""),
            path,
            f"write {near[0]}" if near else "",
            edits,
            f"whether {near[0]} is meant: requests then go out with its key" if edits else "",
            None if same or database is False else "warning",
        )
    if used and not lost:
        yield Right("every credential that a deployment names is in credential_list", ("credential_list",))


@rule(
    "empty-credential",
    "error",
    "A credential whose value is a variable that is not set",
    why="LiteLLM takes os.environ/NAME as nothing when NAME is not set, and says so nowhere: the deployments that name "
    "the credential send their requests without it.",
    source="litellm/proxy/proxy_server.py, ProxyConfig.get_config and load_credential_list (1.106.2)",
    fix="set the variable in the environment of LiteLLM",
)
def empty_credential(subject: Subject) -> Iterator[Hit]:
    if has_secret_manager(subject):
        return
    wanted = [subject.resolve(entry.params.get("litellm_credential_name")) for entry in subject.entries]
    named, unknown = {one for one in wanted if isinstance(one, str)}, any(one is UNKNOWN for one in wanted)
    for path, item in _credentials(subject):
        values, name = item.get("credential_values"), item.get("credential_name")
        for key, value in values.items() if isinstance(values, dict) else ():
            variable = reference(value)
            if variable is not None and subject.resolve(value) is None:
                used = unknown or (isinstance(name, str) and name in named)
                text = f"{variable} is not set: {key} of the credential {str(name)[:60]!r} is empty"
                # a caller may name it in a request's body, and the UI for a model of the database
                yield Hit(text if used else f"{text}, for whoever names it", (*path, "credential_values", str(key)))


def _credentials(subject: Subject) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    listed = subject.data.get("credential_list")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict):
            yield ("credential_list", index), item


def _group(entry: Entry) -> str:
    return entry.name or f"entry {entry.index + 1} of model_list"
