"""What masks the texts of a command that runs without the console's monitor."""

from __future__ import annotations

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.collectors.config import config_file
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.target.profile import Profile


def redactor_of(profile: Profile) -> Redactor:
    """Knows the secrets of the profile and, where the configuration can be read, its own and those it refers to."""
    return Redactor({*profile.secrets, *_configured(profile)})


def _configured(profile: Profile) -> tuple[str, ...]:
    if profile.config is None:
        return ()
    environment = {name: variable.value for name, variable in profile.environment.items()}
    loaded = config_file.load(profile.config.value, environment)
    return tuple(config_file.secrets_in(loaded, environment)) if isinstance(loaded, ConfigFile) else ()
