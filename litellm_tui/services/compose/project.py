"""The files that a Compose project is written in, and what Compose makes of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import yaml

from litellm_tui.host.bounded import SMALL, read_bytes, read_text
from litellm_tui.host.command import run
from litellm_tui.host.compose_env_file import parse_compose
from litellm_tui.model.failures import Failure, Malformed, NotAvailable
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.docker import docker_cli

# Compose reads the files of an `include` and of an `extends` too
_MOST_FILES: Final = 40
_UNSET: Final = re.compile(r'The \\?"([A-Za-z_]\w{0,200})\\?" variable is not set')
_LABEL: Final = "com.docker.compose."


class Project(msgspec.Struct, frozen=True):
    """A project on this machine. `files` are its compose files, `environment` what its files are interpolated with."""

    client: str
    name: str
    folder: str
    files: tuple[str, ...]
    service: str
    environment: tuple[str, ...] = ()
    named: bool = False

    def command(self, *words: str) -> list[str]:
        """`docker compose` for this project, from whatever folder."""
        options = ["--project-name", self.name] if self.name else []
        options += ["--project-directory", self.folder]
        for file in self.files:
            options += ["--file", file]
        # `.env` beside the project is Compose's own choice, and need not be there
        for file in self.environment if self.named else ():
            options += ["--env-file", file]
        return [self.client, "compose", *options, *words]


class Resolved(msgspec.Struct, frozen=True):
    """What Compose makes of the files now: the service `name` of `project`, and the project's volumes.

    `unset` are the variables that the files refer to, and that nothing gives to Compose.
    """

    project: str
    name: str
    service: Mapping[str, Any]
    volumes: Mapping[str, Any]
    unset: frozenset[str] = frozenset()


def project_of(labels: Mapping[str, str], compose: Compose) -> Project | NotAvailable:
    """The project as the container's labels name it, else as the profile does.

    A project that was started elsewhere has no files here: then what is written is not known.
    """
    service = labels.get(f"{_LABEL}service") or compose.service or ""
    name = labels.get(f"{_LABEL}project") or compose.project or ""
    folder = labels.get(f"{_LABEL}project.working_dir") or ""
    files = [os.path.join(folder, file) for file in _listed(labels, "project.config_files")]
    given = [os.path.abspath(os.path.expanduser(file)) for file in (compose.file or "").split(",") if file]
    if given and not all(map(os.path.isfile, files)):
        files, folder = given, os.path.expanduser(compose.folder or os.path.dirname(given[0]))
    if not files and compose.folder:
        folder = os.path.abspath(os.path.expanduser(compose.folder))
        files = list(_usual_files(folder))
    if not files:
        return NotAvailable("its compose file is not known: name it as compose.file in the profile")
    lost = [file for file in files if not os.path.isfile(file)]
    if lost:
        return NotAvailable(f"{lost[0]} is not on this machine: what is written for it is not known here")
    named = [os.path.join(folder, file) for file in _listed(labels, "project.environment_file")]
    return Project(
        client=compose.docker,
        name=name,
        folder=folder or os.path.dirname(files[0]),
        files=tuple(files),
        service=service,
        environment=tuple(named) or (os.path.join(folder or os.path.dirname(files[0]), ".env"),),
        named=bool(named),
    )


def _listed(labels: Mapping[str, str], name: str) -> list[str]:
    return [file for file in labels.get(f"{_LABEL}{name}", "").split(",") if file]


def _usual_files(folder: str) -> Iterator[str]:
    """The file that Compose takes by itself, and what overrides it."""
    for name in ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"):
        if os.path.isfile(file := os.path.join(folder, name)):
            yield file
            stem, ending = os.path.splitext(file)
            for other in (ending, ".yaml" if ending == ".yml" else ".yml"):
                if os.path.isfile(override := f"{stem}.override{other}"):
                    yield override
                    return
            return


def written_files(project: Project) -> tuple[str, ...]:
    """Every file that says how the service is run, the compose files first. Reads them."""
    files = list(project.files)
    for file in files:
        if len(files) > _MOST_FILES:
            break
        files += [other for other in _led_to(file, project) if other not in files]
    variables = [path for file in files for path in env_files(file, project.service, project.folder)]
    return tuple(dict.fromkeys((*files, *project.environment, *variables)))


def _led_to(file: str, project: Project) -> Iterator[str]:
    data = _read(file)
    beside = os.path.dirname(file)
    included = data.get("include")
    for entry in included if isinstance(included, list) else ():
        paths = entry.get("path") if isinstance(entry, dict) else entry
        for path in paths if isinstance(paths, list) else [paths]:
            if isinstance(path, str):
                yield os.path.normpath(os.path.join(beside, path))
    extends = _service(data, project.service).get("extends")
    if isinstance(extends, dict) and isinstance(extends.get("file"), str):
        yield os.path.normpath(os.path.join(beside, extends["file"]))


def env_files(file: str, service: str, folder: str) -> list[str]:
    """The `env_file` entries of a service in one compose file."""
    entries = _service(_read(file), service).get("env_file")
    found = []
    for entry in entries if isinstance(entries, list) else [entries]:
        path = entry.get("path") if isinstance(entry, dict) else entry
        if isinstance(path, str) and path:
            found.append(os.path.normpath(os.path.join(folder, os.path.expanduser(path))))
    return found


class Places:
    """Where each variable of the service is written, as far as reading the files tells."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._direct: dict[str, tuple[str, str]] = {}
        self._from_files: dict[str, str] = {}
        self.env_files: list[str] = []
        for file in project.files:
            entries = _service(_read(file), project.service).get("environment")
            for name, value in _pairs(entries):
                self._direct[name] = (file, value)
            self.env_files += env_files(file, project.service, project.folder)
        for path in self.env_files:
            for name in _names(path):
                self._from_files[name] = path

    def of(self, name: str) -> str:
        """The file, or both where a reference leads from one to another; empty where that is not known."""
        if name in self._direct:
            file, value = self._direct[name]
            if "$" not in value:
                return file
            return ", ".join((f"environment: in {file}", *self._project.environment))
        return self._from_files.get(name, "")


def _pairs(entries: object) -> Iterator[tuple[str, str]]:
    if isinstance(entries, dict):
        for name, value in entries.items():
            yield str(name), "$" if value is None else str(value)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, str):
            name, equals, value = entry.partition("=")
            # a name alone is taken from Compose's own environment
            yield name, value if equals else "$"


def _names(path: str) -> list[str]:
    try:
        return list(parse_compose(read_bytes(path, SMALL), {}))
    except (OSError, ValueError):
        return []


def _read(file: str) -> dict[str, Any]:
    try:
        data: Any = yaml.load(read_text(file, SMALL), _Tolerant)
    except (OSError, yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
        # PyYAML's constructors raise more than its own errors on values that do not fit their tags
        return {}
    return data if isinstance(data, dict) else {}


class _Tolerant(yaml.SafeLoader):
    """Compose has tags of its own (`!reset`, `!override`)."""


def _plain(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Tolerant.add_multi_constructor("!", _plain)


def written_image(file: str, service: str) -> str:
    """The image of a service as one compose file names it; empty where it names none. Reads the file."""
    image = _service(_read(file), service).get("image")
    return image if isinstance(image, str) else ""


def _service(data: Mapping[str, Any], service: str) -> dict[str, Any]:
    services = data.get("services")
    found = services.get(service) if isinstance(services, dict) else None
    return found if isinstance(found, dict) else {}


async def resolve(project: Project) -> Resolved | Failure:
    """What Compose makes of the files, with this console's environment; `Malformed` where it cannot use them.

    Runs `docker compose config`, some 100 ms.
    """
    done = await run(project.command("config", "--format", "json", project.service), docker_cli.CLIENT_SECONDS)
    if isinstance(done, Failure):
        return docker_cli.missing(project.client, done) if isinstance(done, NotAvailable) else done
    if done.status:
        refused = docker_cli.refusal(done, project.client)
        plain = type(refused) is NotAvailable and not docker_cli.lacks_compose(refused)
        return Malformed(refused.why) if plain else refused
    try:
        data = msgspec.json.decode(done.output, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"docker compose config printed something else than its JSON ({error})")
    service = _service(data, project.service)
    if not service:
        return Malformed(f"there is no service {project.service} in {', '.join(project.files)} any more")
    volumes = data.get("volumes")
    return Resolved(
        project=str(data.get("name") or project.name),
        name=project.service,
        service=service,
        volumes=volumes if isinstance(volumes, dict) else {},
        unset=frozenset(_UNSET.findall(done.error)),
    )


async def would_recreate(project: Project) -> bool | None:
    """Whether Compose itself would recreate the container; None where this Compose cannot say so without doing it."""
    words: Sequence[str] = ("--dry-run", "up", "--detach", "--no-deps", "--no-build", "--pull", "never")
    done = await run(project.command(*words, project.service), docker_cli.CLIENT_SECONDS)
    if isinstance(done, Failure) or done.status:
        return None
    said = [line.split() for line in f"{done.output}\n{done.error}".splitlines() if "DRY-RUN" in line]
    return any(words and words[-1] == "Recreate" for words in said) if said else None
