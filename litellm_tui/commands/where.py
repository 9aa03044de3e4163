"""`litellm-tui where`: what was found, how, and what is missing. Secrets are never printed."""

from __future__ import annotations

from litellm_tui.collectors import config_file
from litellm_tui.profile import Options, Profile, resolve
from litellm_tui.settings import load_settings
from litellm_tui.snapshot import ConfigError


def run(options: Options) -> int:
    """Print the findings; 0 when a unit and a configuration were found, 1 when one of them is missing."""
    profile = resolve(options, load_settings())
    for name, value, source in rows(profile):
        print(f"{name:<15} {value}" + (f"   [{source}]" if source else ""))
    for other in profile.also_found:
        print(f"{'also found':<15} {other}   [choose it with --unit, --user or --system]")
    for missing in profile.missing:
        print(f"{'missing':<15} {missing.what}: {missing.why}. To mend: {missing.mend}.")
    return 0 if profile.unit and profile.config else 1


def rows(profile: Profile) -> list[tuple[str, str, str]]:
    """`(name, value, how it was found)` for everything a profile holds."""
    found = [("gateway", profile.url.value, profile.url.source)]
    if profile.config:
        found.append(("configuration", _configuration(profile), profile.config.source))
    if profile.unit:
        found.append(("unit", f"{profile.unit.value} ({profile.scope})", profile.unit.source))
        flag = "--user " if profile.scope == "user" else ""
        found.append(("log", f"journalctl {flag}-u {profile.unit.value}", "the unit's journal"))
    if profile.interpreter:
        found.append(("interpreter", profile.interpreter, "beside the litellm script"))
    found += [("environment", path, "EnvironmentFile= of the unit") for path in profile.environment_files]
    found.append(("key", "found, not shown" if profile.key else "none", profile.key_source or "a keyless gateway needs none"))
    found.append(("profile", profile.name, ""))
    return found


def _configuration(profile: Profile) -> str:
    assert profile.config
    loaded = config_file.load(profile.config.value, {name: v.value for name, v in profile.environment.items()})
    if isinstance(loaded, ConfigError):
        return f"{profile.config.value} - cannot be used: {loaded}"
    unset = sorted({reference.name for reference in loaded.references if reference.source is None})
    says = f"{len(loaded.deployments)} deployments" + (f", unset: {', '.join(unset)}" if unset else "")
    return f"{profile.config.value} ({says})"
