"""The settings file: `litellm-tui/config.yaml` in the user's configuration folder (XDG_CONFIG_HOME)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.host.ssh import refused
from litellm_tui.host.terminal_locale import draws_unicode
from litellm_tui.model.notify_settings import NotifySettings
from litellm_tui.model.service_kinds import Compose, Custom, Docker, Kubernetes, Process, Scope, ServiceSettings

if TYPE_CHECKING:
    from litellm_tui.target.settings_text import Mistake

NAME = "litellm-tui"
AUTO: Final = "auto"

# what no option of the command line says
_OF_THE_HOST: Final[Mapping[str, object]] = {
    "health_url": None, "probes": (), "production": False, "ask_database": True,
}  # fmt: skip

# each describes a service that systemd does not run
_KINDS: Final = ("compose", "docker", "process", "custom", "kubernetes")


class SettingsError(Exception):
    """The settings file cannot be used; the message names file, line where known, key, and what is expected."""


class ProfileSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One gateway. What is left out is discovered.

    Without one of the blocks `compose`, `docker`, `process`, `custom` and `kubernetes` a systemd unit runs it. The
    key itself is not accepted.
    """

    url: Annotated[str | None, Meta(
        description="Address of the gateway.", examples=["http://127.0.0.1:4001"])] = None  # fmt: skip
    config: Annotated[str | None, Meta(
        description="LiteLLM's configuration file.", examples=["/etc/litellm/staging.yaml"])] = None  # fmt: skip
    unit: Annotated[str | None, Meta(
        description="The systemd unit that runs LiteLLM; beside a block, the name of the service.",
        examples=["litellm.service"])] = None  # fmt: skip
    scope: Annotated[Scope | None, Meta(
        description="Whether the unit is one of the user or of the system.", examples=["system"])] = None  # fmt: skip
    key_env: Annotated[str | None, Meta(
        description="Environment variable that holds the gateway's key.", examples=["GATEWAY_KEY"])] = None  # fmt: skip
    key_file: Annotated[str | None, Meta(
        description="File that holds the gateway's key, alone on one line.",
        examples=["~/.config/litellm-tui/staging.key"])] = None  # fmt: skip
    health_url: Annotated[str | None, Meta(
        description="An address that others check, such as LiteLLM's SEPARATE_HEALTH_APP or what a load balancer asks; "
        "it is polled in addition to the gateway itself.",
        examples=["http://127.0.0.1:4002/health/readiness"])] = None  # fmt: skip
    probes: Annotated[tuple[str, ...], Meta(
        description="Model groups that must answer a real request before a restart counts as applied.",
        examples=[["llama3.1:latest"]])] = ()  # fmt: skip
    read_only: Annotated[bool, Meta(
        description="Change nothing, and make no request that costs.", examples=[True])] = False  # fmt: skip
    production: Annotated[bool, Meta(
        description="Mark the gateway on the screen; a restart is confirmed by typing the service's name.",
        examples=[True])] = False  # fmt: skip
    ask_database: Annotated[bool, Meta(
        description="Ask Postgres itself; without it only what LiteLLM says of its database is known.",
        examples=[False])] = True  # fmt: skip
    ssh: Annotated[str | None, Meta(
        description="Host where the gateway is, as OpenSSH's client understands it. litellm-tui there is asked; beside "
        "it stand url, config, unit, scope, key_env, key_file, read_only, profile and group, everything else belongs "
        "into the settings file of that host.", examples=["ops@web-1"])] = None  # fmt: skip
    profile: Annotated[str | None, Meta(
        description="With ssh: a profile of that host's settings file.", examples=["main"])] = None  # fmt: skip
    group: Annotated[str | None, Meta(
        description="Gateways of one group are to have equal configurations; the fleet compares and changes them.",
        examples=["web"])] = None  # fmt: skip
    # unset and not None: `compose:` with nothing behind it is a mistake, and must not mean systemd
    compose: Annotated[Compose | msgspec.UnsetType, Meta(
        description="A service of a Docker Compose project.")] = msgspec.UNSET  # fmt: skip
    docker: Annotated[Docker | msgspec.UnsetType, Meta(
        description="A container that was made by itself, such as by docker run.")] = msgspec.UNSET  # fmt: skip
    process: Annotated[Process | msgspec.UnsetType, Meta(
        description="A process that a command starts.")] = msgspec.UNSET  # fmt: skip
    custom: Annotated[Custom | msgspec.UnsetType, Meta(
        description="A service that only its own commands know.")] = msgspec.UNSET  # fmt: skip
    kubernetes: Annotated[Kubernetes | msgspec.UnsetType, Meta(
        description="A Deployment of a Kubernetes cluster, reached through kubectl.")] = msgspec.UNSET  # fmt: skip

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
    """Settings of the audit."""

    ignore: Annotated[dict[str, str], Meta(
        description="Rules whose findings are left alone, each with the reason.",
        examples=[{"local-cache-many-workers": "one worker is enough here"}])] = {}  # fmt: skip


Keys = dict[str, str | list[str] | None]
"""`preset`, and by the id of a binding its keys: one, several, or none."""


class CommandSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command of the operator's own on a key. It is not carried out where the console is read-only."""

    name: Annotated[str, Meta(description="What the palette calls it.", examples=["logs"])]
    key: Annotated[str, Meta(description="The key that carries it out.", examples=["ctrl+o"])]
    run: Annotated[tuple[str, ...], Meta(
        description="Its words, which no shell reads; {group}, {model}, {line}, {url} and {profile} in them stand for "
        "what is selected.", examples=[["grep", "{model}", "/var/log/gateway"]])]  # fmt: skip
    title: Annotated[str, Meta(description="What help says of it.", examples=["the gateway's own notes"])] = ""
    ask: Annotated[bool, Meta(description="Ask before it is carried out.", examples=[True])] = False


class ColumnSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The columns that a list has besides its first and its state; all that have room where nothing is said."""

    models: Annotated[tuple[Literal["model", "address", "requests", "failed", "latency", "chart", "seen"], ...] | None,
                      Meta(description="Columns of the models.", examples=[["requests", "failed"]])] = None  # fmt: skip
    fleet: Annotated[tuple[Literal["problems", "errors", "version", "config", "seen"], ...] | None,
                     Meta(description="Columns of the fleet.", examples=[["problems", "errors"]])] = None  # fmt: skip


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings. Everything is optional."""

    profile: Annotated[str | None, Meta(
        description="The profile that is used when none is named.", examples=["home"])] = None  # fmt: skip
    theme: Annotated[str, Meta(
        description="dark, light, high-contrast, or one of your own in the folder themes beside this file; auto is "
        "light or dark, as the terminal's background is.", examples=["light"])] = AUTO  # fmt: skip
    ascii: Annotated[bool | None, Meta(
        description="Draw signs and frames in ASCII; the locale decides where it is not set.",
        examples=[True])] = None  # fmt: skip
    mouse: Annotated[bool, Meta(
        description="Take clicks and the wheel; without it the terminal selects text by itself.",
        examples=[False])] = True  # fmt: skip
    utc: Annotated[bool, Meta(description="Show the times of the log in UTC.", examples=[True])] = False
    keys: Annotated[Keys, Meta(
        description="A preset of bindings, and by the id of a binding its keys: one, several, or none.",
        examples=[{"preset": "vim", "everywhere.restart": "ctrl+r"}])] = {}  # fmt: skip
    commands: Annotated[tuple[CommandSettings, ...], Meta(
        description="Commands of your own, each on a key.")] = ()  # fmt: skip
    columns: Annotated[ColumnSettings, Meta(
        description="The columns of lists.")] = ColumnSettings()  # fmt: skip
    audit: Annotated[AuditSettings, Meta(
        description="What the audit leaves alone.")] = AuditSettings()  # fmt: skip
    notify: Annotated[NotifySettings | None, Meta(
        description="Who is told of problems, and by which rules.")] = None  # fmt: skip
    profiles: Annotated[dict[str, ProfileSettings], Meta(
        description="The gateways, each by a name of your own.")] = {}  # fmt: skip
    production_contexts: Annotated[tuple[str, ...], Meta(
        description="Contexts of Kubernetes whose gateways are marked as `production` does in a profile: names, or "
        "patterns.", examples=[["prod-*"]])] = ()  # fmt: skip

    @property
    def draws_ascii(self) -> bool:
        """Whether signs and frames are drawn in ASCII: by the setting, else by the locale."""
        return not draws_unicode() if self.ascii is None else self.ascii


def settings_folder() -> Path:
    """The folder of the settings file and of the user's own themes."""
    from platformdirs import user_config_path

    return user_config_path(NAME)


def settings_file() -> Path:
    """The settings file, whether it is there or not."""
    return settings_folder() / "config.yaml"


def load_settings(path: Path | None = None) -> Settings:
    """The settings; the defaults where there is no file.

    Raises `SettingsError` for a wrong file: ignoring it could mean operating another gateway.
    """
    path = path or settings_file()
    try:
        text = read_text(path, SMALL)
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    settings, wrong = read_settings(text)
    if settings is not None:
        return settings
    first, *others = wrong
    more = f" (and {len(others)} more: litellm-tui config --check tells all)" if others else ""
    raise SettingsError(f"{place(path, first)}: {first.words}{more}")


def read_settings(text: str) -> tuple[Settings | None, Sequence[Mistake]]:
    """The settings that a text says; None, and every mistake in the order of its lines, where it cannot be used."""
    # the reader of YAML is needed only where there is a file
    from litellm_tui.target.settings_text import Mistake, parse

    root, data, wrong = parse(text)
    if wrong:
        return None, wrong
    if root is None or data is None:
        return Settings(), ()
    try:
        settings = msgspec.convert(data, Settings)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        from litellm_tui.target.settings_check import mistakes

        return None, mistakes(root, data, Settings) or [Mistake(0, 0, str(error))]
    if settings.notify is not None:
        from litellm_tui.target.notify_settings import mistakes_of_notify
        from litellm_tui.target.settings_text import at_path, named

        wrong = [at_path(root, path, f"{named(path)}: {words}") for path, words in mistakes_of_notify(settings.notify)]
    return (None, wrong) if wrong else (settings, ())


def place(path: Path, mistake: Mistake) -> str:
    """FILE:LINE:COLUMN, or the file alone where no line is known."""
    return f"{path}:{mistake.line}:{mistake.column}" if mistake.line else str(path)
