"""litellm-tui put on another host as it runs here, by the installer that is there, and never as root by sudo.

The wheel is made of what runs here and goes over the link, so that it is this version and nobody else's package of
that name. What it needs goes with it where the Python there fits; elsewhere that comes from the index of that host.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from litellm_tui import __version__
from litellm_tui.host.command import Done
from litellm_tui.host.far_child import ask
from litellm_tui.host.ssh import checking_line
from litellm_tui.host.wheels import Wheel, needed_wheels, own_wheel
from litellm_tui.model.failures import Failure
from litellm_tui.model.fleet import LinkFailure

Way = Literal["uv", "pipx", "pip", "venv"]
INSTALL_SECONDS: Final = 600.0
# what each way runs, as it is shown before: $DIR holds the wheels, $PYTHON is the one there
_COMMANDS: Final[dict[Way, str]] = {
    "uv": 'uv tool install --force --no-python-downloads --python "$PYTHON" {uv} "$DIR/{wheel}"',
    "pipx": 'pipx install --force --python "$PYTHON" --pip-args="{pip}" "$DIR/{wheel}"',
    "pip": '"$PYTHON" -m pip install --user --upgrade --force-reinstall {pip} "$DIR/{wheel}"',
    "venv": (
        '"$PYTHON" -m venv --clear "$HOME/.local/share/litellm-tui/python" && '
        '"$HOME/.local/share/litellm-tui/python/bin/python" -m pip install {pip} "$DIR/{wheel}" && '
        'mkdir -p "$HOME/.local/bin" && '
        'ln -sf "$HOME/.local/share/litellm-tui/python/bin/litellm-tui" "$HOME/.local/bin/litellm-tui"'
    ),
}  # fmt: skip
_PIP: Final = {True: "--no-index --find-links=$DIR", False: "--find-links=$DIR"}
_UV: Final = {True: '--offline --no-index --find-links "$DIR"', False: '--find-links "$DIR"'}
_SCRIPT: Final = """\
PYTHON=$1; export PYTHON
DIR=$(mktemp -d) || exit 73
trap 'rm -rf "$DIR"' EXIT
tar -xzf - -C "$DIR" || exit 73
PIP_DISABLE_PIP_VERSION_CHECK=1; export PIP_DISABLE_PIP_VERSION_CHECK
{{ {command}; }}
status=$?
# 127 is of a program that is not there, and of this one it is said in other words
[ "$status" -ne 127 ] || status=70
exit "$status"
"""


class Installation(NamedTuple):
    """How it would be put there. `carries` tells whether everything that it needs goes with it."""

    way: Way
    python: str
    carries: bool
    wheels: tuple[Wheel, ...]

    @property
    def command(self) -> str:
        """The command of the shell there."""
        return _COMMANDS[self.way].format(wheel=self.wheels[0].name, pip=_PIP[self.carries], uv=_UV[self.carries])

    @property
    def size(self) -> int:
        """Bytes of the wheels."""
        return sum(len(wheel.content) for wheel in self.wheels)


def planned(way: Way, python: str, *, fits: bool) -> Installation | Failure:
    """With everything that is needed, where what is compiled here `fits` there."""
    own = own_wheel()
    if isinstance(own, Failure):
        return own
    needed = needed_wheels() if fits else ()
    if isinstance(needed, Failure):
        # what cannot be packed here comes from the index there
        return Installation(way, python, False, (own,))
    return Installation(way, python, fits, (own, *needed))


async def install(host: str, plan: Installation) -> Done | LinkFailure:
    """Carry it out there; the installer's output, or why it was not reached."""
    line = checking_line(_SCRIPT.format(command=plan.command), [plan.python])
    return await ask(host, line=line, seconds=INSTALL_SECONDS, given=_packed(plan.wheels))


async def installed_version(host: str) -> str | LinkFailure:
    """The version that answers there now."""
    found = await ask(host, ["--version"])
    return found if isinstance(found, LinkFailure) else found.output.strip().rpartition(" ")[2]


def is_this_version(version: str) -> bool:
    """Whether it is the one that runs here."""
    return version == __version__


def _packed(wheels: Sequence[Wheel]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for wheel in wheels:
            entry = tarfile.TarInfo(wheel.name)
            entry.size, entry.mode = len(wheel.content), 0o600
            archive.addfile(entry, io.BytesIO(wheel.content))
    return packed.getvalue()
