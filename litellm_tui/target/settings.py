"""The settings file: `litellm-tui/config.yaml` in the user's configuration folder (XDG_CONFIG_HOME)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.host.terminal_locale import draws_unicode
from litellm_tui.model.service_kinds import Compose, Custom, Process, ServiceSettings

NAME = "litellm-tui"


class SettingsError(Exception):
    """The settings file cannot be used; the message names file, line where known, key, and what is expected."""


class ProfileSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One gateway of the settings file. Whatever is left out is discovered.

    `key_env` names an environment variable and `key_file` a file that hold the key: the key itself is not accepted.
    `health_url` is what others ask for its health (LiteLLM's SEPARATE_HEALTH_APP, a load balancer's check); it
    is watched beside the gateway itself.
    `probes` are groups that must answer a real request after a restart, for it to be applied.
    With `read_only` nothing is ever changed, nor is a request made that costs; `production` marks a gateway on the
    screen, and its restart wants the service's name typed.
    `compose`, `process` or `custom` says that LiteLLM is not run by systemd; `unit` is then the service's name.
    """

    url: str | None = None
    config: str | None = None
    unit: str | None = None
    scope: Literal["user", "system"] | None = None
    key_env: str | None = None
    key_file: str | None = None
    health_url: str | None = None
    probes: tuple[str, ...] = ()
    read_only: bool = False
    production: bool = False
    # unset and not None: `compose:` with nothing behind it is a mistake, and must not mean systemd
    compose: Compose | msgspec.UnsetType = msgspec.UNSET
    process: Process | msgspec.UnsetType = msgspec.UNSET
    custom: Custom | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        given = [name for name in ("compose", "process", "custom") if getattr(self, name) is not msgspec.UNSET]
        given += ["scope"] if self.scope and given else []
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)}: expected one kind of service")

    @property
    def service(self) -> ServiceSettings | None:
        """The service that is no unit; None for a unit."""
        return next(
            (k for k in (self.compose, self.process, self.custom) if not isinstance(k, msgspec.UnsetType)), None
        )


class AuditSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How configurations are audited. `ignore` maps a rule to the reason why its findings are left alone."""

    ignore: dict[str, str] = {}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set.

    `profile` is the profile used when none is named; `theme` the name of a theme file; `ascii` draws signs and frames
    in ASCII, or never does (None: where the locale has no more than that); `mouse` turns mouse reporting on (off leaves
    selecting text to the terminal); `utc` shows log times in UTC; `audit` says which findings are left alone.
    """

    profile: str | None = None
    theme: str = "dark"
    ascii: bool | None = None
    mouse: bool = True
    utc: bool = False
    audit: AuditSettings = AuditSettings()
    profiles: dict[str, ProfileSettings] = {}

    @property
    def draws_ascii(self) -> bool:
        """Whether signs and frames are drawn in ASCII: as is set, else by the locale."""
        return not draws_unicode() if self.ascii is None else self.ascii


def settings_folder() -> Path:
    """Where the settings file and the user's own themes lie."""
    from platformdirs import user_config_path

    return user_config_path(NAME)


def load_settings(path: Path | None = None) -> Settings:
    """The settings, or the defaults when there is no file.

    Raises `SettingsError` for a file that is there and wrong: ignoring it could mean operating another gateway.
    """
    path = path or settings_folder() / "config.yaml"
    try:
        text = read_text(path, SMALL)
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error

    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise SettingsError(f"{where}: {error.problem}") from error
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        # beside its own errors, PyYAML raises what its constructors stumble over
        raise SettingsError(f"{path}: {error}") from error
    if data is None:
        return Settings()
    try:
        return msgspec.convert(data, Settings)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: {error}") from error
