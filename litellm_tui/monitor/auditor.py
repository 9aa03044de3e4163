"""Audits a gateway's configuration with its environment, its unit and the installed LiteLLM."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from litellm_tui.analysis.addresses import is_this_machine
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.audit.asked_at_start import asked_servers, opened_files
from litellm_tui.audit.catalogue.records import Catalogue
from litellm_tui.audit.named_modules import named_modules
from litellm_tui.audit.rules.lost import vertex_credentials
from litellm_tui.audit.run import audit_unusable_file, run_audit
from litellm_tui.audit.subject import Runtime, Subject, reference
from litellm_tui.collectors.closed_ports import all_refuse
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.deployed_asking import asked_by_check, lines_of
from litellm_tui.collectors.litellm_source.advisories import shipped_advisories
from litellm_tui.collectors.litellm_source.catalogues import (
    Reader,
    catalogue_of,
    installed,
    libraries_at,
    library_folders,
    package_at,
    shipped,
)
from litellm_tui.collectors.litellm_source.installed_release import release_of
from litellm_tui.collectors.litellm_source.packages import distributions_in, installed_distributions
from litellm_tui.collectors.litellm_source.prices import price_map
from litellm_tui.collectors.litellm_source.python_modules import find_modules
from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.host.environment_lines import lines_not_taken
from litellm_tui.host.systemd_tools import directive_lines, read_environment_files
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.configuration import ConfigError, ConfigFile, Mark
from litellm_tui.model.embedded import NOTHING_WITHHELD, Deployed
from litellm_tui.model.environment_lines import EnvironmentLine
from litellm_tui.model.failures import Failure
from litellm_tui.model.python_modules import PythonModules
from litellm_tui.model.release import Advisory, Release, ReleaseComparison
from litellm_tui.model.service import Unit
from litellm_tui.services.known_environment import why_unknown
from litellm_tui.target.profile import Profile

_ASK_AGAIN_SECONDS: Final = 15.0


class Auditor:
    """Audits one gateway's file, again only when the file, its environment or the LiteLLM has changed.

    `unit` runs the gateway; None for a file alone. `asked` is the version that the operator named, or the path of an
    environment with one. `silenced` maps rules to reasons, `advisories` is another table than the shipped one. All
    methods except `stop` block: call them in a thread.
    """

    def __init__(
        self,
        unit: Unit | None,
        silenced: Mapping[str, str],
        asked: str = "",
        advisories: Sequence[Advisory] | None = None,
    ) -> None:
        self._unit = unit
        self._silenced = silenced
        self._place = asked if os.sep in asked or os.path.isdir(asked) else ""
        self._asked = "" if self._place else asked
        self._advisories = shipped_advisories() if advisories is None else tuple(advisories)
        self._installed: Catalogue | None = None
        self._failure: Failure | None = None
        self._done: tuple[object, Audit] | None = None
        self._reader: Reader | None = None
        self._stopped = False
        # the servers, until when what they said counts, and whether all refused
        self._asked_servers: tuple[tuple[tuple[str, int], ...], float, bool] | None = None

    def prepare(self) -> bool:
        """Read the catalogue of the installed LiteLLM from its own source; returns whether it is known now.

        The first call takes some ten seconds, later ones milliseconds until LiteLLM is upgraded. Without it the shipped
        catalogue is used, and the audit says so among what it could not check.
        """
        if self._place:
            folder = package_at(self._place)
            found = folder if isinstance(folder, Failure) else catalogue_of(folder, began=self._began)
        elif self._unit is None or self._unit.interpreter is None or self._asked:
            return False
        else:
            found = installed(self._unit.interpreter, began=self._began)
        if isinstance(found, Catalogue):
            self._installed, self._failure = found, None
        else:
            self._failure = found
        return self._installed is not None

    def take_unit(self, unit: Unit | None) -> None:
        """Audit what this runs from now on: it was started anew."""
        if unit != self._unit:
            self._unit, self._done = unit, None

    def failed(self, error: BaseException) -> None:
        """Note that `prepare` has raised this: a fault of the console, since no source should make it raise."""
        self._failure = Failure(f"{type(error).__name__} in the reader of its source")

    @property
    def failure(self) -> Failure | None:
        """Why the installed LiteLLM could not be read; None where it could, or where nobody tried."""
        return self._failure

    def stop(self) -> None:
        """End `prepare` in any thread. The auditor must not be used afterwards."""
        self._stopped = True
        if self._reader is not None:
            self._reader.kill()

    def _began(self, reader: Reader) -> None:
        self._reader = reader
        if self._stopped:
            reader.kill()

    def audit(
        self,
        loaded: ConfigFile | ConfigError,
        environment: Mapping[str, str] | None,
        reported: str = "",
        deployed: Deployed | None = None,
        manifest: str = "",
        lines: tuple[EnvironmentLine, ...] = (),
    ) -> Audit:
        """Audit this state of the file; `reported` is the version that the gateway reports, empty where unknown.

        `deployed` is what the file `manifest` says of the processes that run it, where no unit is known. `lines` are
        those of further environment files that are not taken as they are meant.
        """
        catalogue = shipped().at(self._asked) if self._asked else self._installed or shipped().at(reported)
        release = self._release(environment, reported, deployed.image if deployed else "")
        if isinstance(loaded, ConfigError):
            bare = ConfigFile(loaded.file, "", 0.0, (loaded.file,), {}, {})
            subject = Subject(bare, catalogue, shipped(), environment, release=release, advisories=self._advisories)
            return audit_unusable_file(loaded, catalogue.version, subject, self._silenced)
        modules = self._modules(loaded, environment, contained=deployed is not None)
        lines = (*lines, *self._lines())
        absent = self._absent(loaded, environment or {}, contained=deployed is not None)
        refuses = self._cache_refuses(loaded, environment or {}, contained=deployed is not None)
        around = (environment, self._failure, modules, deployed, lines, absent, release, refuses)
        state = (loaded.digest, catalogue.version, catalogue.source, around)
        if self._done is None or self._done[0] != state:
            subject = Subject(
                loaded,
                catalogue,
                shipped(),
                environment,
                runtime_of(self._unit) if deployed is None else runtime_of_manifest(deployed, manifest),
                modules,
                withheld=deployed.withheld if deployed else NOTHING_WITHHELD,
                prices=price_map(self._unit.interpreter if self._unit else None),
                lines=lines,
                absent_files=absent,
                release=release,
                advisories=self._advisories,
                cache_refuses=refuses,
                packages=distributions_in(release.looked) if release is not None else None,
            )
            found = run_audit(subject, self._silenced)
            if self._failure is not None:
                why = f"what the installed LiteLLM itself reads: {self._failure.why}"
                found = msgspec.structs.replace(found, unknown=(*found.unknown, why))
            self._done = (state, _masked(found, loaded, environment or {}))
        return self._done[1]

    def _lines(self) -> tuple[EnvironmentLine, ...]:
        """What systemd does not take of the unit's own files."""
        unit = self._unit
        ours = unit is not None and unit.scope in ("user", "system")
        return lines_not_taken(unit.environment_files, "systemd") if unit is not None and ours else ()

    def _absent(self, loaded: ConfigFile, environment: Mapping[str, str], *, contained: bool) -> frozenset[str]:
        """The files that the configuration names and that are not there; only where LiteLLM runs on this machine.

        Of a file alone the folder that LiteLLM is started in is not known: its own and this one are taken.
        """
        unit = self._unit
        if contained or (unit is not None and unit.interpreter is None):
            return frozenset()
        named = [value for _, value in (*opened_files(loaded.data), *vertex_credentials(loaded.data))]
        folders = [os.path.dirname(loaded.path), os.getcwd()] if unit is None else [unit.folder or "/"]
        found = set()
        for value in named:
            name = reference(value)
            path = environment.get(name) if name else value
            if isinstance(path, str) and 0 < len(path) < 4096 and "\0" not in path and "{" not in path:
                places = [os.path.join(folder, path) for folder in folders]
                if not any(os.path.exists(place) or _is_hidden(place) for place in places):
                    found.add(path)
        return frozenset(found)

    def _cache_refuses(self, loaded: ConfigFile, environment: Mapping[str, str], *, contained: bool) -> bool:
        """Whether the cache that a start asks refuses connections here; of a file alone only one on this machine."""
        addresses = asked_servers(loaded.data, environment)
        unit = self._unit
        if not addresses or contained or (unit is not None and unit.interpreter is None):
            return False
        if unit is None and not all(is_this_machine(host) for host, _ in addresses):
            return False
        now = time.monotonic()
        if self._asked_servers is None or self._asked_servers[0] != addresses or now >= self._asked_servers[1]:
            self._asked_servers = (addresses, now + _ASK_AGAIN_SECONDS, all_refuse(addresses))
        return self._asked_servers[2]

    def _release(self, environment: Mapping[str, str] | None, reported: str, image: str = "") -> Release | None:
        """What the files of the LiteLLM say that is audited; None where a version was named, or nothing is known.

        `image` is that of a manifest: what runs is then not known, only what its tag says.
        """
        unit = self._unit
        if self._place:
            return release_of(libraries_at(self._place), self._advisories, environment=environment)
        if self._asked or (unit is None and not reported and not image):
            return None
        if unit is None:
            return Release(running="" if image else reported, image=image)
        folders = library_folders(unit.interpreter) if unit.interpreter else ()
        found = release_of(folders, self._advisories, environment=environment, root=unit.root, image=unit.image)
        return msgspec.structs.replace(found, running=reported)

    def _modules(self, loaded: ConfigFile, environment: Mapping[str, str] | None, *, contained: bool) -> PythonModules:
        """The Python modules that the file names, looked for where this gateway would import them from."""
        unit = self._unit
        names = [name for _, name in named_modules(loaded.data)]
        folders = [folder for folder in (environment or {}).get("PYTHONPATH", "").split(os.pathsep) if folder]
        if unit is not None and unit.folder:
            folders.append(unit.folder)
        interpreter = unit.interpreter if unit is not None else self._interpreter()
        # a unit whose interpreter is not here runs in a container, where other files stand beside the configuration
        contained = contained or (unit is not None and interpreter is None)
        return find_modules(names, loaded.path, interpreter, folders, contained)

    def _interpreter(self) -> str | None:
        """The Python of the environment that was named for a file alone; None where it is none."""
        place = os.path.join(self._place, "bin", "python") if os.path.isdir(self._place) else self._place
        return place if place and os.path.isfile(place) else None


def _is_hidden(path: str) -> bool:
    """Whether it lies in a folder that this user may not enter: what is there is then not known."""
    folder = os.path.dirname(path)
    while not os.path.exists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return not os.access(folder, os.X_OK)


def _redactor(file: ConfigFile, environment: Mapping[str, str]) -> Redactor:
    secrets = [part for name, value in environment.items() for part in secret_parts(name, value)]
    return Redactor([*config_file.secrets_in(file, environment), *secrets])


def _masked(result: Audit, file: ConfigFile, environment: Mapping[str, str]) -> Audit:
    """The audit with all texts masked. No rule quotes a secret; this covers one in an unexpected place."""
    redact = _redactor(file, environment)

    def masked(finding: Finding) -> Finding:
        return msgspec.structs.replace(finding, text=redact(finding.text), do=redact(finding.do))

    findings, silenced = tuple(map(masked, result.findings)), tuple(map(masked, result.silenced))
    unknown, costs = tuple(map(redact, result.unknown)), tuple(map(redact, result.costs))
    return msgspec.structs.replace(result, findings=findings, silenced=silenced, unknown=unknown, costs=costs)


def masked_comparison(result: ReleaseComparison, file: ConfigFile, environment: Mapping[str, str]) -> ReleaseComparison:
    """The comparison with all texts masked, as an audit's are."""
    redact = _redactor(file, environment)
    changes = tuple(
        msgspec.structs.replace(change, text=redact(change.text), do=redact(change.do)) for change in result.changes
    )
    return msgspec.structs.replace(result, changes=changes, unknown=tuple(map(redact, result.unknown)))


def environment_of(profile: Profile) -> Mapping[str, str] | None:
    """The variables that LiteLLM gets from its unit; None unless all are known."""
    if profile.found_unit is None or why_unknown(profile.service_target):
        return None
    values = {name: variable.value for name, variable in profile.environment.items()}
    fresh, unread = read_environment_files(list(profile.environment_files))
    return None if unread else values | {name: value for name, (value, _) in fresh.items()}


def installed_stamp(profile: Profile) -> str:
    """What changes when another LiteLLM is installed for the gateway, or put in its place. Blocks for a millisecond."""
    interpreter = profile.found_unit.interpreter if profile.found_unit else None
    for folder in library_folders(interpreter) if interpreter else ():
        for info in sorted(folder.glob("litellm-[0-9]*.dist-info")):
            try:
                found = info.stat()
            except OSError:
                continue
            return f"{info} {found.st_ino} {found.st_mtime_ns}"
    return ""


def runtime_of(unit: Unit | None) -> Runtime | None:
    """What the rules may use of the unit; its file is read for the places of its directives."""
    if unit is None:
        return None
    text = _text_of(unit.fragment)
    return Runtime(
        unit=unit.name,
        arguments=unit.arguments,
        exec_reload=unit.exec_reload,
        stop_seconds=unit.stop_seconds,
        fragment=unit.fragment,
        marks={name: Mark(unit.fragment, line) for name, line in directive_lines(text).items()},
        sources={name: variable.source for name, variable in unit.environment.items()},
        packages=installed_distributions(unit.interpreter) if unit.interpreter else None,
        health=lines_of(asked_by_check(unit.health_command, f"container {unit.name}", unit.health_seconds), text),
    )


def runtime_of_manifest(deployed: Deployed, manifest: str) -> Runtime:
    """As `runtime_of`, for the processes that a manifest describes."""
    return Runtime(
        unit=deployed.what,
        arguments=deployed.arguments,
        fragment=manifest,
        replicas=deployed.replicas,
        most=deployed.most,
        health=deployed.health,
        contained=True,
    )


def _text_of(fragment: str) -> str:
    try:
        return read_text(fragment, SMALL, errors="replace") if fragment else ""
    except OSError:
        # systemctl shows the directives, and the engine a container's check; only their lines stay unknown
        return ""
