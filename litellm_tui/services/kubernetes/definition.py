"""What a Deployment says of the LiteLLM in it: its container, command, environment and configuration."""

from __future__ import annotations

import base64
import binascii
import posixpath
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeVar

import msgspec

from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Unit, Variable
from litellm_tui.services.docker.litellm_image import is_gateway, is_litellm_image, runs_litellm
from litellm_tui.services.kubernetes.objects import ConfigMap, ContainerSpec, Deployment, PodSpec, Secret
from litellm_tui.services.litellm_command import DEFAULT_PORT, unit_from_command

# LiteLLM's image starts litellm by itself; what else it can run names another program
_OTHER_WORDS: Final = ("prisma", "migrate", "sleep")
_Object = TypeVar("_Object", ConfigMap, Secret)


class ConfigKey(NamedTuple):
    """The key of an object that is mounted as the configuration. `kind` is configmap or secret."""

    kind: str
    name: str
    key: str

    @property
    def words(self) -> str:
        """`ConfigMap litellm-config, key config.yaml`."""
        return f"{'Secret' if self.kind == 'secret' else 'ConfigMap'} {self.name}, key {self.key}"


class Given(NamedTuple):
    """The variables of a container whose values are known, and why those of an object are not."""

    environment: dict[str, Variable]
    unread: tuple[tuple[str, str], ...]
    secrets: tuple[Variable, ...]


def litellm_container(spec: PodSpec, named: str = "") -> ContainerSpec | None:
    """The container of the pod that is the gateway: the one that is `named`, else by its command or its image."""
    if named:
        return next((one for one in spec.containers if one.name == named), None)
    return next((one for one in spec.containers if is_litellm(one)), None)


def is_litellm(container: ContainerSpec) -> bool:
    """Whether this container is the gateway. Without a command the image's own entry point runs."""
    words = container.words
    if runs_litellm(words) or (container.command and is_gateway(container.image or "", words)):
        return True
    if container.command or not is_litellm_image(container.image or ""):
        return False
    return not any(other in word for word in words for other in _OTHER_WORDS)


def port_of(container: ContainerSpec, unit: Unit) -> int:
    """The port on which LiteLLM listens in the pod, by its command and environment, else its `containerPort`."""
    said = unit.url.rpartition("://")[2].partition("/")[0].rpartition(":")[2]
    own = int(said) if said.isascii() and said.isdigit() else DEFAULT_PORT
    ports = [one.container_port for one in container.ports or ()]
    return ports[0] if own == DEFAULT_PORT and ports and own not in ports else own


def unit_from(deployment: Deployment, container: ContainerSpec, given: Given) -> Unit:
    """A `Unit` of the Deployment. Its address is that in the pod, and `inside` the path of the configuration there."""
    unit = unit_from_command(
        deployment.metadata.name, "kubernetes", container.words, container.working_dir or "/app", given.environment
    )
    return msgspec.structs.replace(
        unit,
        active=bool(deployment.status.ready_replicas),
        config=None,
        inside=unit.config or "",
        image=container.image or "",
        unread=given.unread,
        withheld=given.secrets,
    )


def config_key(spec: PodSpec, container: ContainerSpec, inside: str) -> ConfigKey | None:
    """The key of a ConfigMap or Secret that the pod sees at this path; None where it comes from elsewhere."""
    if not inside:
        return None
    mounts = [one for one in container.volume_mounts or () if _is_below(inside, one.mount_path)]
    nearest = max(mounts, key=lambda one: len(one.mount_path), default=None)
    if nearest is None:
        return None
    path = posixpath.relpath(inside, nearest.mount_path)
    path = (nearest.sub_path or "") if path == "." else posixpath.join(nearest.sub_path or "", path)
    volume = next((one for one in spec.volumes or () if one.name == nearest.name), None)
    if volume is None:
        return None
    sources = []
    if volume.config_map:
        sources.append(("configmap", volume.config_map.name, volume.config_map.items))
    if volume.secret:
        sources.append(("secret", volume.secret.secret_name, volume.secret.items))
    for one in (volume.projected.sources or ()) if volume.projected else ():
        sources += [("configmap", one.config_map.name, one.config_map.items)] if one.config_map else []
        sources += [("secret", one.secret.name, one.secret.items)] if one.secret else []
    for kind, name, items in sources:
        keys = {item.path: item.key for item in items or ()}
        if not items or path in keys:
            return ConfigKey(kind, name, keys.get(path, path))
    return None


def objects_of_environment(container: ContainerSpec) -> Iterator[tuple[str, str]]:
    """`(configmap or secret, name)` of every object whose keys the container gets as variables."""
    for one in container.env_from or ():
        if one.config_map_ref:
            yield "configmap", one.config_map_ref.name
        if one.secret_ref:
            yield "secret", one.secret_ref.name
    for variable in container.env or ():
        if (source := variable.value_from) is not None:
            if source.config_map_key_ref:
                yield "configmap", source.config_map_key_ref.name
            if source.secret_key_ref:
                yield "secret", source.secret_key_ref.name


def environment_of(container: ContainerSpec, read: Callable[[str, str], dict[str, str] | Failure]) -> Given:
    """The variables of the container, as far as the rights on ConfigMaps and Secrets go.

    `read` gives the keys and values of an object by its kind and name. What cannot be read is named, and no value is
    made up for it.
    """
    objects = {one: read(*one) for one in dict.fromkeys(objects_of_environment(container))}
    environment: dict[str, Variable] = {}
    secrets: list[Variable] = []
    unread = {
        f"{'Secret' if kind == 'secret' else 'ConfigMap'} {name}": found.why
        for (kind, name), found in objects.items()
        if isinstance(found, Failure)
    }

    def add(kind: str, name: str, key: str, variable: str) -> None:
        found = objects[kind, name]
        if isinstance(found, dict) and key in found:
            source = f"{'Secret' if kind == 'secret' else 'ConfigMap'} {name}, key {key}"
            environment[variable] = Variable(found[key], source)
            if kind == "secret":
                secrets.append(environment[variable])

    for one in container.env_from or ():
        for kind, ref in (("configmap", one.config_map_ref), ("secret", one.secret_ref)):
            found = objects[kind, ref.name] if ref else {}
            for key in found if isinstance(found, dict) and ref else ():
                add(kind, ref.name if ref else "", key, f"{one.prefix or ''}{key}")
    for variable in container.env or ():
        source = variable.value_from
        if source is None:
            environment[variable.name] = Variable(_expanded(variable.value or "", environment), "the Deployment")
        elif source.config_map_key_ref:
            add("configmap", source.config_map_key_ref.name, source.config_map_key_ref.key, variable.name)
        elif source.secret_key_ref:
            add("secret", source.secret_key_ref.name, source.secret_key_ref.key, variable.name)
    return Given(environment, tuple(unread.items()), tuple(secrets))


def data_of(found: ConfigMap | Secret) -> dict[str, str]:
    """The keys of an object with their values as text; a value that is no base64 or no UTF-8 is left out."""
    if isinstance(found, ConfigMap):
        return dict(found.data or {})
    values: dict[str, str] = {}
    for key, value in (found.data or {}).items():
        try:
            values[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            continue
    return values


def _expanded(value: str, environment: dict[str, Variable]) -> str:
    """`$(NAME)` of a variable that stands before, as Kubernetes replaces it."""
    for name, variable in environment.items():
        value = value.replace(f"$({name})", variable.value)
    return value


def _is_below(path: str, folder: str) -> bool:
    folder = folder.rstrip("/") or "/"
    return folder in (path, "/") or path.startswith(f"{folder}/")
