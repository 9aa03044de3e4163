"""The settings file: `litellm-tui/config.yaml` in the user's configuration folder (XDG_CONFIG_HOME)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.host.ssh import refused
from litellm_tui.host.terminal_locale import draws_unicode
from litellm_tui.model.notify_settings import NotifySettings
from litellm_tui.model.service_kinds import Compose, Custom, Docker, Kubernetes, Process, ServiceSettings

NAME = "litellm-tui"


# what no option of the command line says
_OF_THE_HOST: Final[Mapping[str, object]] = {
    "health_url": None, "probes": (), "production": False, "ask_database": True,
}  # fmt: skip

# each describes a service that systemd does not run
_KINDS: Final = ("compose", "docker", "process", "custom", "kubernetes")


class SettingsError(Exception):
    """The settings file cannot be used; the message names file, line where known, key, and what is expected."""


class ProfileSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One gateway of the settings file. What is left out is discovered.

    `key_env` names an environment variable and `key_file` a file that hold the key: the key itself is not accepted.
    `health_url` is the address that others check (LiteLLM's SEPARATE_HEALTH_APP, a load balancer's check); it is polled
    in addition to the gateway itself.
    `probes` are groups that must answer a real request before a restart counts as applied.
    With `read_only` nothing is changed and no request that costs is made. `production` marks a gateway on the screen,
    and a restart must be confirmed by typing the service's name.
    `ask_database` off leaves Postgres itself alone: what LiteLLM says of its database is all that is known then.
    `ssh` is the host where the gateway is, as OpenSSH's client understands it: litellm-tui there is asked, with `url`,
    `config`, `unit`, `scope`, `key_env`, `key_file` and `read_only` as its options and `profile` as one of its own
    profiles; everything else belongs into its settings file. Gateways of one `group` are to have equal configurations.
    `compose`, `docker`, `process`, `custom` or `kubernetes` describes a service that systemd does not run; `unit`
    is then its name.
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
    ask_database: bool = True
    ssh: str | None = None
    profile: str | None = None
    group: str | None = None
    # unset and not None: `compose:` with nothing behind it is a mistake, and must not mean systemd
    compose: Compose | msgspec.UnsetType = msgspec.UNSET
    docker: Docker | msgspec.UnsetType = msgspec.UNSET
    process: Process | msgspec.UnsetType = msgspec.UNSET
    custom: Custom | msgspec.UnsetType = msgspec.UNSET
    kubernetes: Kubernetes | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        given = [name for name in _KINDS if getattr(self, name) is not msgspec.UNSET]
        given += ["scope"] if self.scope and given else []
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)}: expected one kind of service")
        if self.ssh is None:
            if self.profile is not None:
                raise ValueError("profile: names one of another host's settings file: expected ssh: HOST beside it")
            return
        if why := refused(self.ssh):
            raise ValueError(f"ssh: {why}")
        theirs = [*given, *(name for name, default in _OF_THE_HOST.items() if getattr(self, name) != default)]
        if theirs:
            raise ValueError(
                f"{', '.join(theirs)}: with ssh: HOST this belongs into the settings file of that host, "
                "in a profile that profile: NAME names here"
            )

    @property
    def service(self) -> ServiceSettings | None:
        """The service that is no unit; None for a unit."""
        kinds = (getattr(self, name) for name in _KINDS)
        return next((kind for kind in kinds if not isinstance(kind, msgspec.UnsetType)), None)


class AuditSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the audit. `ignore` maps a rule to the reason why its findings are ignored."""

    ignore: dict[str, str] = {}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings.

    `profile` is used when none is named. `theme` is the name of a theme file. `ascii` draws signs and frames in ASCII
    or not; None decides by the locale. `mouse` turns mouse reporting on; without it the terminal selects text. `utc`
    shows log times in UTC. `audit` says which findings are ignored, `notify` who is told of problems.
    `production_contexts` are names of contexts of Kubernetes, or patterns such as `prod-*`, whose gateways are marked
    as `production` does in a profile.
    """

    profile: str | None = None
    theme: str = "dark"
    ascii: bool | None = None
    mouse: bool = True
    utc: bool = False
    audit: AuditSettings = AuditSettings()
    notify: NotifySettings | None = None
    profiles: dict[str, ProfileSettings] = {}
    production_contexts: tuple[str, ...] = ()

    @property
    def draws_ascii(self) -> bool:
        """Whether signs and frames are drawn in ASCII: by the setting, else by the locale."""
        return not draws_unicode() if self.ascii is None else self.ascii


def settings_folder() -> Path:
    """The folder of the settings file and of the user's own themes."""
    from platformdirs import user_config_path

    return user_config_path(NAME)


def load_settings(path: Path | None = None) -> Settings:
    """The settings; the defaults where there is no file.

    Raises `SettingsError` for a wrong file: ignoring it could mean operating another gateway.
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
        # PyYAML's constructors raise more than its own errors
        raise SettingsError(f"{path}: {error}") from error
    if data is None:
        return Settings()
    try:
        if isinstance(data, dict) and data.get("notify") is not None:
            from litellm_tui.target.notify_settings import check_notify

            check_notify(data["notify"])
        return msgspec.convert(data, Settings)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: {error}") from error
