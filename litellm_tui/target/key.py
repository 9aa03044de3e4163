"""Finds the gateway's key: its possible places, in the order of the search. The key is never shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from litellm_tui.collectors.config import config_file
from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.service import Variable
from litellm_tui.target.profile import Options, Secret
from litellm_tui.target.settings import ProfileSettings, SettingsError


def find_key(
    options: Options,
    environ: Mapping[str, str],
    chosen: ProfileSettings,
    profile_name: str,
    config: Found | None,
    environment: Mapping[str, Variable],
    missing: list[Missing],
) -> tuple[Secret | None, str | None]:
    for variable, file, source in (
        (options.key_env, options.key_file, "command line"),
        ("LITELLM_PROXY_API_KEY", None, "environment"),
        ("LITELLM_MASTER_KEY", None, "environment"),
        (chosen.key_env, chosen.key_file, f"profile {profile_name}"),
    ):
        if variable and environ.get(variable):
            return Secret(environ[variable]), f"{variable} ({source})"
        if variable and source != "environment" and not file:
            raise SettingsError(f"{source}: the variable {variable} that should hold the key is not set")
        if file:
            return _key_from_file(file, source), f"{file} ({source})"
    return _master_key(config, environment, missing)


def _key_from_file(file: str, source: str) -> Secret:
    try:
        text = read_text(Path(file).expanduser(), SMALL).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{source}: key file {file}: {error}") from error
    if not text or "\n" in text:
        raise SettingsError(f"{source}: key file {file}: expected the key alone, on one line")
    return Secret(text)


def _master_key(
    config: Found | None, environment: Mapping[str, Variable], missing: list[Missing]
) -> tuple[Secret | None, str | None]:
    """`general_settings.master_key`, literal or `os.environ/NAME`, else LITELLM_MASTER_KEY, as in the proxy."""
    loaded = config_file.load(config.value, {}) if config else None
    value = loaded.section("general_settings").get("master_key") if isinstance(loaded, ConfigFile) else None
    if isinstance(value, str) and value.startswith("os.environ/"):
        name = value.removeprefix("os.environ/")
        if variable := environment.get(name):
            return Secret(variable.value), f"{name} from {variable.source}"
        missing.append(
            Missing("gateway key", f"master_key is os.environ/{name}, which nothing readable here sets",
                    "export LITELLM_PROXY_API_KEY, or give --key-file")
        )  # fmt: skip
        return None, None
    if isinstance(value, str) and value:
        return Secret(value), f"general_settings.master_key in {config.value if config else ''}"
    if variable := environment.get("LITELLM_MASTER_KEY"):
        return Secret(variable.value), f"LITELLM_MASTER_KEY from {variable.source}"
    return None, None
