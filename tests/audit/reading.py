"""An audit of YAML text, as the rules' tests want it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from litellm_tui.audit.named_modules import named_modules
from litellm_tui.audit.run import audit_unusable_file, run_audit
from litellm_tui.audit.subject import Runtime, Subject
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.litellm_source.catalogues import shipped
from litellm_tui.collectors.litellm_source.python_modules import find_modules
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.configuration import ConfigError
from litellm_tui.model.release import Advisory, Release

NEWEST = "1.106.2"


def audited(
    text: str | bytes,
    *,
    version: str = NEWEST,
    env: Mapping[str, str] | None = None,
    runtime: Runtime | None = None,
    files: Mapping[str, str] = {},
    silenced: Mapping[str, str] = {},
    stumbles: bool = False,
    interpreter: str | None = None,
    release: Release | None = None,
    advisories: Sequence[Advisory] = (),
    packages: frozenset[str] | None = None,
) -> Audit:
    """The audit of this text as `config.yaml`, with `files` beside it. No rule may fail on it, but where one is to.

    `interpreter` is the gateway's Python, in whose libraries the named modules are looked for; `packages` are the
    distributions beside LiteLLM. Without `advisories` no
    release has any.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        for name, content in files.items():
            Path(folder, name).write_text(content, encoding="utf-8")
        loaded = config_file.load(str(path), env or {})
        spans = shipped()
        catalogue = spans.at(version)
        if isinstance(loaded, ConfigError):
            return audit_unusable_file(loaded, catalogue.version)
        modules = find_modules([name for _, name in named_modules(loaded.data)], loaded.path, interpreter)
        around: dict[str, Any] = {"release": release, "advisories": advisories, "packages": packages}
        result = run_audit(Subject(loaded, catalogue, spans, env, runtime, modules, **around), silenced)
    assert any("the rule itself failed" in said for said in result.unknown) == stumbles, result.unknown
    return result


def found(result: Audit, rule: str) -> list[Finding]:
    """The findings of one rule."""
    return [finding for finding in result.findings if finding.rule == rule]


def lines(result: Audit) -> dict[str, list[int]]:
    """The lines of every rule that found something."""
    places: dict[str, list[int]] = {}
    for finding in result.findings:
        places.setdefault(finding.rule, []).append(finding.mark.line)
    return places
