"""`litellm-tui where`: what was found, how, and what is missing. Secrets are never printed."""

from __future__ import annotations

from litellm_tui.collectors.config import config_file
from litellm_tui.commands.release_line import release_line
from litellm_tui.model.configuration import ConfigError
from litellm_tui.target.profile import Options, Profile, findings
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings


def run(options: Options) -> int:
    """Print the findings; 0 when a unit and a configuration were found, 1 when one of them is missing."""
    profile = resolve(options, load_settings())
    for name, value, source in findings(profile):
        if name == "configuration":
            value = _configuration(profile)
        print(f"{name:<15} {value}" + (f"   [{source}]" if source else ""))
    if (line := release_line(profile)) is not None:
        print(f"{'release':<15} {line[0]}   [{line[1]}]")
    for other in profile.also_found:
        print(f"{'also found':<15} {other}   [choose it with --unit, --user or --system]")
    for missing in profile.missing:
        print(f"{'missing':<15} {missing.what}: {missing.why}. To mend: {missing.mend}.")
    return 0 if profile.unit and profile.config else 1


def _configuration(profile: Profile) -> str:
    assert profile.config
    loaded = config_file.load(profile.config.value, {name: v.value for name, v in profile.environment.items()})
    if isinstance(loaded, ConfigError):
        return f"{profile.config.value} - cannot be used: {loaded}"
    unset = sorted({reference.name for reference in loaded.references if reference.source is None})
    says = f"{len(loaded.deployments)} deployments" + (f", unset: {', '.join(unset)}" if unset else "")
    return f"{profile.config.value} ({says})"
