"""Writes a profile for a gateway that was found into the settings file; what else stands there keeps its bytes."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from litellm_tui.host import atomic
from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.settings import ProfileSettings, Settings, SettingsError, load_settings, settings_folder

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}")

_INDENT: Final = "  "


def profile_fields(profile: Profile, options: Options) -> dict[str, Any]:
    """What a profile must say so that this gateway is found again; all else is read from the service itself."""
    fields: dict[str, Any] = {}
    if profile.unit is None or options.url:
        fields["url"] = profile.url.value
    if options.config or (profile.unit is None and profile.config):
        fields["config"] = profile.config.value if profile.config else None
    if profile.unit is not None and profile.service is None:
        fields |= {"unit": profile.unit.value, "scope": profile.scope}
    elif profile.service is not None:
        told = msgspec.to_builtins(profile.service)
        default = {field.name: field.default for field in msgspec.structs.fields(profile.service)}
        fields[profile.kind] = {name: value for name, value in told.items() if value != default[name]}
    fields |= {name: value for name in ("key_env", "key_file") if (value := getattr(options, name))}
    return {name: value for name, value in fields.items() if value is not None}


def write_profile(name: str, fields: dict[str, Any], path: Path | None = None) -> tuple[Path, str]:
    """Add the profile; the file and the text that was added.

    Raises `SettingsError` where the name is taken, or the file cannot take it: the text to add by hand is in it then.
    """
    file = path or settings_folder() / "config.yaml"
    if not _NAME.fullmatch(name):
        raise SettingsError(f"--write {name}: expected a name of letters, digits, dots, dashes and underlines")
    before = load_settings(file)
    if name in before.profiles:
        raise SettingsError(f"--write {name}: {file} has a profile of this name already: take another name")
    block = yaml.safe_dump({name: fields}, sort_keys=False, allow_unicode=True, width=1000)
    try:
        text = read_text(file, SMALL)
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    added = _added(text, name, block)
    meant = msgspec.structs.replace(
        before,
        profile=before.profile if text.strip() else name,
        profiles={**before.profiles, name: msgspec.convert(fields, ProfileSettings)},
    )
    if added is None or not _means(added, meant):
        raise SettingsError(
            f"{file}: its form leaves no place for another profile; add by hand, below profiles:\n{block}"
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o600
        atomic.replace(file.resolve(), added.encode(), mode=mode)
    except OSError as error:
        raise SettingsError(atomic.failure_of(str(file), error).why) from error
    return file, block


def _added(text: str, name: str, block: str) -> str | None:
    """The text of the file with the profile in it; None where it is in flow style."""
    if not text.strip():
        return f"profile: {name}\nprofiles:\n{_indented(block, _INDENT)}"
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if root is None:
        return "".join(lines) + f"profiles:\n{_indented(block, _INDENT)}"
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    for key, value in root.value:
        if key.value != "profiles":
            continue
        if isinstance(value, yaml.MappingNode) and not value.flow_style and value.value:
            indent = " " * value.value[0][0].start_mark.column
        elif not value.value:
            indent = _INDENT
            lines[key.start_mark.line] = "profiles:\n"
        else:
            return None
        # first: comments that stand before another profile stay with it
        place = key.start_mark.line + 1
        return "".join([*lines[:place], _indented(block, indent), *lines[place:]])
    return "".join(lines) + f"profiles:\n{_indented(block, _INDENT)}"


def _indented(block: str, indent: str) -> str:
    return "".join(f"{indent}{line}" for line in block.splitlines(keepends=True))


def _means(text: str, meant: Settings) -> bool:
    """Whether the text says what is meant, and nothing else."""
    try:
        return msgspec.convert(yaml.safe_load(text), Settings) == meant
    except (yaml.YAMLError, msgspec.MsgspecError, ValueError, RecursionError):
        return False
