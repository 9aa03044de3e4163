"""The unit that records: shown before it is written, started with limits, and removed without what was recorded."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

from litellm_tui.commands.record_outlets import Outlets
from litellm_tui.host.atomic import replace as replace_file
from litellm_tui.host.command import Done, run_now
from litellm_tui.host.systemd_tools import runtime_environment
from litellm_tui.host.unit_words import assignment, exec_words
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure
from litellm_tui.model.service_kinds import Scope
from litellm_tui.storage.history.paths import history_path_of
from litellm_tui.storage.state import state_folder
from litellm_tui.target.profile import Options, Profile, may_change
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import NAME, SettingsError, load_settings

REFUSED: Final = 2
FAILED: Final = 3
_SECONDS: Final = 30.0
_SYSTEM: Final = Path("/etc/systemd/system")
_STAYS_SECONDS: Final = 3.0
# its own folders, and where the package is found; a key is in none of them
_VARIABLES: Final = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "PYTHONPATH", "DOCKER_HOST", "TZ")
# of the same use in every manager: what needs namespaces is left to the machine's own
_HARDENING: Final = """\
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=~@mount @swap @reboot @module @raw-io @clock @cpu-emulation @obsolete
SystemCallErrorNumber=EPERM
"""
_HARDENING_SYSTEM: Final = """\
ProtectSystem=strict
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectClock=yes
PrivateDevices=yes
CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE
"""


class RecorderUnit(NamedTuple):
    """The unit of a recorder: its name and file, what the file is to hold, and what the operator is to know of it."""

    name: str
    scope: Scope
    path: Path
    text: str
    folder: Path
    notes: tuple[str, ...] = ()


def install(options: Options, *, yes: bool, outlets: Outlets) -> int:
    """Show the unit, write it after asking, and start it; 0 when it records."""
    profile, unit = _planned(options, outlets.words)
    may_change(profile, "record --install")
    print(f"{unit.path}:\n")
    print("\n".join(f"    {line}".rstrip() for line in unit.text.splitlines()))
    print(f"\nit records into {history_path_of(profile)}")
    for note in (*unit.notes, *outlets.notes):
        print(clean(f"note: {note}"))
    if unit.scope == "system" and os.geteuid():
        print("record --install --system: only root may write that file: run it with sudo", file=sys.stderr)
        return REFUSED
    if not _agreed(yes, f"Write {unit.path} and start it"):
        print("nothing was changed")
        return REFUSED
    try:
        _own_folder(unit)
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(unit.path, unit.text.encode(), mode=0o644)
    except OSError as error:
        print(
            f"record --install: {error.filename or unit.path}: {error.strerror}; nothing was started", file=sys.stderr
        )
        return FAILED
    # what runs already is to run with the new file
    orders = (("daemon-reload",), ("enable", unit.name), ("restart", unit.name))
    for words in orders:
        if (failed := _systemctl(unit.scope, *words)) is not None:
            print(f"record --install: systemctl {' '.join(words)}: {failed.why}", file=sys.stderr)
            return FAILED
    return _told(unit)


def uninstall(options: Options, *, yes: bool) -> int:
    """Stop the unit and remove its file; 0 when neither is there any more."""
    profile, unit = _planned(options)
    may_change(profile, "record --uninstall")
    if not unit.path.exists():
        print(f"{unit.path} is not there: nothing was changed")
        return REFUSED
    if unit.scope == "system" and os.geteuid():
        print("record --uninstall --system: only root may remove that file: run it with sudo", file=sys.stderr)
        return REFUSED
    if not _agreed(yes, f"Stop {unit.name} and remove {unit.path}"):
        print("nothing was changed")
        return REFUSED
    failed = _systemctl(unit.scope, "disable", "--now", unit.name)
    if failed is not None:
        print(f"record --uninstall: systemctl disable --now {unit.name}: {failed.why}", file=sys.stderr)
        return FAILED
    try:
        unit.path.unlink()
    except OSError as error:
        print(f"record --uninstall: {unit.path}: {error.strerror}", file=sys.stderr)
        return FAILED
    _systemctl(unit.scope, "daemon-reload")
    print(f"{unit.name} is gone; what it has recorded stays: {history_path_of(profile)}")
    return 0


def _planned(options: Options, more: tuple[str, ...] = ()) -> tuple[Profile, RecorderUnit]:
    """The profile that is to be recorded, and the unit. Raises `SettingsError` where no gateway is meant.

    --system and --user say whose unit it is to be; they choose the gateway where nothing else does.
    """
    settings = load_settings()
    profile = resolve(replace(options, scope=None), settings)
    if profile.undecided:
        profile = resolve(options, settings)
    if profile.found_nothing:
        raise SettingsError("record: no gateway was found here: name it (--url, --unit; see litellm-tui where)")
    return profile, plan(profile, options, options.scope or "user", dict(os.environ), more)


def plan(
    profile: Profile, options: Options, scope: Scope, environ: dict[str, str], more: tuple[str, ...] = ()
) -> RecorderUnit:
    """The unit that records this profile: of this user's manager, or of the machine's. Nothing is touched.

    `more` are further words of its command.
    """
    about = profile.unit.value if profile.unit else profile.address
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "-", about.removesuffix(".service"))[:100].strip("-.") or "gateway"
    name = f"{NAME}-record-{slug}.service"
    user = _whose(scope, environ)
    folder = state_folder()
    if user is not None and user.pw_name != pwd.getpwuid(os.geteuid()).pw_name and "XDG_STATE_HOME" not in environ:
        folder = Path(user.pw_dir) / ".local" / "state" / NAME
    variables = [assignment(name, environ[name]) for name in _VARIABLES if environ.get(name)]
    after = f" {about}" if scope == profile.scope and profile.kind == "systemd" and profile.unit else ""
    words = [sys.executable, "-m", "litellm_tui.cli", "record", *_words(profile, options), *more]
    lines = [
        "# written by litellm-tui record --install; litellm-tui record --uninstall removes it",
        "[Unit]",
        f"Description=litellm-tui: records {clean(profile.address).replace('%', '%%')}",
        f"After=network.target{after}",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={exec_words(words)}",
        *(f"Environment={variable}" for variable in variables),
        *([f"User={user.pw_name}"] if user is not None and user.pw_uid else []),
        "Restart=always",
        "RestartSec=2",
        "TimeoutStopSec=15",
        "UMask=0077",
        "Nice=5",
        # a machine that runs out of memory ends the recorder before the gateway
        "OOMScoreAdjust=500",
        "MemoryMax=400M",
        "CPUQuota=25%",
        "TasksMax=64",
        *_HARDENING.splitlines(),
    ]
    if scope == "system":
        lines += [*_HARDENING_SYSTEM.splitlines(), f"ReadWritePaths={_path(folder)}"]
    lines += ["", "[Install]", f"WantedBy={'multi-user.target' if scope == 'system' else 'default.target'}", ""]
    path = _SYSTEM / name if scope == "system" else _user_folder(environ) / name
    return RecorderUnit(name, scope, path, "\n".join(lines), folder, tuple(_notes(profile, scope, user)))


def _words(profile: Profile, options: Options) -> list[str]:
    """The words that choose the same gateway again: those that were given, else the unit that was found."""
    given = {"--url": options.url, "--config": options.config, "--unit": options.unit, "--kind": options.kind,
             "--container": options.container, "--profile": options.profile, "--key-env": options.key_env,
             "--key-file": options.key_file}  # fmt: skip
    words = [f"{name}={value}" for name, value in given.items() if value]
    if not words and profile.kind == "systemd" and profile.unit and profile.name == "discovered":
        words = [f"--unit={profile.unit.value}", f"--{profile.scope}"]
    return [*words, "--read-only"]


def _whose(scope: Scope, environ: dict[str, str]) -> pwd.struct_passwd | None:
    """Whose rights a unit of the machine has: those of the person who calls sudo, whose consoles read the record."""
    if scope != "system":
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(environ.get("SUDO_USER", ""))
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(os.geteuid())
    return None


def _notes(profile: Profile, scope: Scope, user: pwd.struct_passwd | None) -> list[str]:
    notes = []
    source = profile.key_source or ""
    if profile.key is not None and "environment variable" in source:
        notes.append(f"the key was found in the {source}, which the unit has not: name a file (--key-file, or key_file "
                     "in the profile)")  # fmt: skip
    if scope == "user" and not _lingers():
        notes.append("it runs while you are logged in; `loginctl enable-linger` lets it run from boot on")
    if user is not None and user.pw_uid:
        notes.append(f"it has the rights of {user.pw_name}: the journal and a container's engine are read where "
                     f"{user.pw_name} may read them")  # fmt: skip
    if scope == "user" and profile.kind == "systemd" and profile.scope == "system":
        notes.append("the log of a system unit is read where you may read the journal (groups systemd-journal, adm)")
    return notes


def _lingers() -> bool:
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return Path("/var/lib/systemd/linger", user).exists()


def _user_folder(environ: dict[str, str]) -> Path:
    home = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "systemd" / "user"


def _path(folder: Path) -> str:
    return '"' + str(folder).replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"') + '"'


def _own_folder(unit: RecorderUnit) -> None:
    """The state folder is there, and belongs to whom the unit runs as: systemd makes no place writable that is not."""
    made = [folder for folder in (unit.folder, *unit.folder.parents) if not folder.exists()]
    unit.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = re.search(r"^User=(.+)$", unit.text, re.MULTILINE)
    if found is not None and os.geteuid() == 0:
        user = pwd.getpwnam(found[1])
        for folder in made:
            os.chown(folder, user.pw_uid, user.pw_gid)


def _agreed(yes: bool, what: str) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise SettingsError("record: needs --yes where nobody can be asked")
    print(f"{what}? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _systemctl(scope: Scope, *words: str) -> Failure | None:
    done = _done(scope, *words)
    if isinstance(done, Failure):
        return done
    return Failure(clean(done.first_error or f"it ended with {done.status}")) if done.status else None


def _done(scope: Scope, *words: str) -> Done | Failure:
    manager = ["--user"] if scope == "user" else []
    os.environ.setdefault("XDG_RUNTIME_DIR", runtime_environment().get("XDG_RUNTIME_DIR", ""))
    try:
        return run_now(["systemctl", *manager, "--no-ask-password", *words], _SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        return Failure(f"systemctl: {error}")


def _told(unit: RecorderUnit) -> int:
    """Whether it stays up, after a moment in which it would end by itself."""
    end = time.monotonic() + _STAYS_SECONDS
    while time.monotonic() < end:
        time.sleep(0.5)
        if (failed := _systemctl(unit.scope, "is-active", "--quiet", unit.name)) is not None:
            user = "--user " if unit.scope == "user" else ""
            print(f"record --install: {unit.name} does not stay up ({failed.why}): see journalctl {user}-u {unit.name}",
                  file=sys.stderr)  # fmt: skip
            return FAILED
    print(f"{unit.name} records")
    return 0
