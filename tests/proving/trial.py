"""Tries the corpus on one LiteLLM: what the audit says of each configuration, and what the real thing made of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import yaml

from litellm_tui.actions.apply_fixes import mend
from litellm_tui.audit.asked_at_start import asked_servers, opened_files
from litellm_tui.audit.catalogue.records import Catalogue
from litellm_tui.audit.named_modules import named_modules
from litellm_tui.audit.proposed import knows_refusals, refusals
from litellm_tui.audit.rule import all_rules
from litellm_tui.audit.run import audit_unusable_file, run_audit
from litellm_tui.audit.subject import Runtime, Subject
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.litellm_source.catalogues import shipped
from litellm_tui.collectors.litellm_source.packages import installed_distributions
from litellm_tui.collectors.litellm_source.python_modules import find_modules
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.python_modules import PythonModules
from tests.proving.corpus import MODEL, Fragment, Pack, alone, packed
from tests.proving.ground import KEY, Ground, Look

# of one key of a section that one rule refuses, so many kinds of values are started
_EACH = 1
# and of one rule in one section; with LITELLM_TUI_WHOLE_CORPUS=1 all of them
_OF_A_RULE = 4
WHOLE = "LITELLM_TUI_WHOLE_CORPUS"


class Tried(msgspec.Struct, frozen=True):
    """A configuration with what was said of it and what became of it; `mended` where `--fix` changed it."""

    pack: Pack
    said: Audit
    look: Look
    mended: Look | None = None
    fixes: tuple[str, ...] = ()

    @property
    def fatal(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.said.findings if finding.severity == "fatal")

    @property
    def missed(self) -> bool:
        return self.look.refused and not self.fatal

    @property
    def false(self) -> bool:
        return not self.look.refused and bool(self.fatal)

    @property
    def dropped(self) -> frozenset[int]:
        """The entries of model_list that LiteLLM has not loaded, of a start that was none refused."""
        loaded = set(self.look.seen.get("deployments", ()))
        return frozenset() if self.look.refused else frozenset(n for n, name in self._names() if name not in loaded)

    @property
    def named(self) -> frozenset[int]:
        """The entries of model_list that the audit has an error for."""
        return self._found("model_list")

    @property
    def unprotected(self) -> frozenset[int]:
        """The guardrails that LiteLLM has left out."""
        built = set(self.look.seen.get("guardrails", ()))
        listed = _list(self.pack.data, "guardrails")
        left_out = (
            n for n, one in enumerate(listed) if isinstance(one, dict) and one.get("guardrail_name") not in built
        )
        return frozenset() if self.look.refused else frozenset(left_out)

    @property
    def named_guardrails(self) -> frozenset[int]:
        """The guardrails that the audit has an error for."""
        return self._found("guardrails")

    def section_of(self, key: str, number: int) -> str:
        """The section of the fragment that an entry of a list comes from."""
        at = int(key == "model_list" and _list(self.pack.data, key)[:1] == [MODEL])
        for fragment in self.pack.fragments:
            at += len(_list(fragment.data, key))
            if number < at:
                return fragment.section
        return self.pack.fragments[0].section

    def _names(self) -> Iterator[tuple[int, str]]:
        for number, one in enumerate(_list(self.pack.data, "model_list")):
            if isinstance(one, dict):
                yield number, str(one.get("model_name"))

    def _found(self, section: str) -> frozenset[int]:
        return frozenset(
            int(finding.path[1])
            for finding in self.said.findings
            if finding.severity in ("error", "fatal") and finding.path[:1] == (section,) and len(finding.path) > 1
        )


def _list(data: Mapping[str, Any] | str, key: str) -> list[Any]:
    listed = data.get(key) if isinstance(data, Mapping) else None
    return listed if isinstance(listed, list) else []


class Trial:
    """One LiteLLM with its catalogue and packages, and a folder for the files."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self.ground = ground
        self._folder = folder
        self._folders = 0
        self._lock = Lock()
        self._spans = shipped()
        self._catalogue: Catalogue = self._spans.at(ground.version)
        self._python = str(ground.environment.python)
        self._runtime = Runtime("", packages=installed_distributions(self._python))
        self._plain = folder / "config.yaml"
        self._plain.write_text("model_list: []\n", encoding="utf-8")
        base = config_file.load(str(self._plain), {}, {})
        assert isinstance(base, ConfigFile)
        self._base = base
        plain = Subject(base, self._catalogue, self._spans)
        self._rules = [one for one in all_rules().values() if knows_refusals(one) and plain.runs(one.since, one.until)]

    def take(self, fragments: Iterable[Fragment]) -> tuple[list[Tried], int]:
        """Every configuration that was started, and how many fragments the audit was asked about."""
        refused: dict[tuple[str, str, str], list[Fragment]] = {}
        passed: list[Fragment] = []
        asked = 0
        for fragment in fragments:
            asked += 1
            rule = self._refusal(fragment)
            if not rule:
                passed.append(fragment)
                continue
            kin = refused.setdefault((fragment.section, fragment.id.partition("=")[0], rule), [])
            if len(kin) < _EACH:
                kin.append(fragment)
        packs = [alone(fragment) for fragment in _spread(refused)]
        packs += packed(passed)
        with ThreadPoolExecutor(2) as pool:
            return [tried for several in pool.map(self._apart, packs) for tried in several], asked

    def _refusal(self, fragment: Fragment) -> str:
        """The rule that calls the fragment fatal; "" where none does. Only what knows of refusals is asked."""
        pack = alone(fragment)
        if isinstance(pack.data, str):
            fatal = [finding.rule for finding in self.audit(pack).findings if finding.severity == "fatal"]
            return fatal[0] if fatal else ""
        data = dict(pack.data)
        path = self._written(pack) if fragment.files else self._plain
        modules = find_modules([name for _, name in named_modules(data)], str(path), self._python)
        file = msgspec.structs.replace(self._base, data=data)
        subject = self._subject(file, pack, modules)
        found = next(refusals(subject, self._rules), None)
        return found[0].id if found else ""

    def _environment(self, pack: Pack) -> dict[str, str]:
        return {**({} if pack.bare else {"LITELLM_MASTER_KEY": KEY}), **pack.env}

    def _apart(self, pack: Pack) -> list[Tried]:
        """A pack that is refused is taken apart, until it is known which of its fragments is to blame.

        Two that end a start only together are not missed where the audit says so of both.
        """
        tried = self.start(pack)
        if not tried.look.refused or len(pack.fragments) == 1:
            return [tried]
        half = len(pack.fragments) // 2
        parts = (pack.fragments[:half], pack.fragments[half:])
        return [one for part in parts for smaller in packed(part) for one in self._apart(smaller)]

    def start(self, pack: Pack) -> Tried:
        """Start it, and once more as `--fix` makes it."""
        text = text_of(pack)
        said = self.audit(pack)
        look = self.ground.look(text, env=pack.env, files=pack.files, bare=pack.bare)
        if not any(finding.fix and not finding.fix.decision for finding in said.findings):
            return Tried(pack, said, look)
        path = self._written(pack)
        mended = mend(lambda instead: self._audited(path, pack, instead))
        contents = {Path(name).name: content for name, content in mended.after.items()}
        if not contents:
            return Tried(pack, said, look)
        config = contents.pop(path.name, text.encode())
        files: dict[str, str | bytes] = {**pack.files, **contents}
        again = self.ground.look(config, env=pack.env, files=files, bare=pack.bare)
        return Tried(pack, said, look, again, tuple(finding.rule for finding in mended.applied))

    def audit(self, pack: Pack) -> Audit:
        return self._audited(self._written(pack), pack, {})

    def _written(self, pack: Pack) -> Path:
        with self._lock:
            self._folders += 1
            folder = self._folder / str(self._folders)
        folder.mkdir()
        for name, content in {**pack.files, "config.yaml": text_of(pack)}.items():
            (folder / name).write_text(content, encoding="utf-8")
        return folder / "config.yaml"

    def _audited(self, path: Path, pack: Pack, instead: Mapping[str, bytes]) -> Audit:
        environment = self._environment(pack)
        loaded = config_file.load(str(path), environment, instead)
        if isinstance(loaded, ConfigError):
            return audit_unusable_file(loaded, self.ground.version)
        modules = find_modules([name for _, name in named_modules(loaded.data)], str(path), self._python)
        return run_audit(self._subject(loaded, pack, modules))

    def _subject(self, file: ConfigFile, pack: Pack, modules: PythonModules) -> Subject:
        """With what the auditor sees of the machine: files that are not beside the configuration, closed ports."""
        environment = self._environment(pack)
        absent = frozenset(value for _, value in opened_files(file.data) if value not in pack.files)
        return Subject(
            file,
            self._catalogue,
            self._spans,
            environment,
            self._runtime,
            modules,
            absent_files=absent,
            cache_refuses=bool(asked_servers(file.data, environment)),
        )


def _spread(refused: Mapping[tuple[str, str, str], list[Fragment]]) -> Iterator[Fragment]:
    """Of what one rule refuses in a section so many as are started, from all over it."""
    by_rule: dict[tuple[str, str], list[Fragment]] = {}
    for (section, _, rule), kin in refused.items():
        by_rule.setdefault((section, rule), []).extend(kin)
    for several in by_rule.values():
        step = 1 if WHOLE in os.environ else max(1, -(-len(several) // _OF_A_RULE))
        yield from several[::step]


def text_of(pack: Pack) -> str:
    """The file of a pack."""
    return pack.data if isinstance(pack.data, str) else yaml.safe_dump(dict(pack.data), sort_keys=False)
