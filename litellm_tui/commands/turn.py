"""`litellm-tui turn ID restart|apply|upgrade`: what a change of a fleet orders on this host, carried out once.

It is done by a child in a session of its own, which goes on where the link that ordered it is lost; the same id again
waits for its end, or tells what came of it. What was cut by a crash of this machine is finished first. `apply` reads
the configuration from stdin. It prints the JSON document of `restart`, `apply` or `upgrade`, and ends with its status.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from litellm_tui.commands.apply import given
from litellm_tui.host.ssh import own_command
from litellm_tui.logs.log_line import clean
from litellm_tui.storage.turns import Turn, is_turn
from litellm_tui.target.far_side import option_words
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import SettingsError

EX_TEMPFAIL: Final = 75
_LOOK_SECONDS: Final = 0.1
_REFUSED: Final = 2


def run(options: Options, id: str, order: str, version: str = "", backed_up: bool = False) -> int:
    """Carry it out, or wait for who does; the exit status of the order."""
    if not is_turn(id):
        raise SettingsError("turn: an id has 8 to 64 small letters, digits and dashes")
    if (order == "upgrade") != bool(version):
        raise SettingsError("turn: upgrade, and nothing else, names a VERSION")
    words = [*option_words(options), *_order(order, version, backed_up=backed_up)]
    content = b""
    try:
        content = given("-") if order == "apply" else b""
        document = _carried_out(Turn(id), words, option_words(options), content)
    except OSError as error:
        print(f"litellm-tui: turn: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return EX_TEMPFAIL
    print(msgspec.json.encode(document).decode())
    return int(document["exit_status"])


def _order(order: str, version: str, *, backed_up: bool) -> list[str]:
    # it was rehearsed before its turn came
    if order == "upgrade":
        backup = ["--database-is-backed-up"] if backed_up else []
        return ["upgrade", version, "--apply", "--no-rehearsal", *backup, "--yes", "--json"]
    return [order, *(["-"] if order == "apply" else []), "--no-rehearsal", "--yes", "--json"]


def _carried_out(turn: Turn, words: Sequence[str], gateway: Sequence[str], content: bytes) -> dict[str, Any]:
    handle = turn.open()
    try:
        while not turn.take(handle):
            # who carries it out holds it until the end
            time.sleep(_LOOK_SECONDS)
        if (known := turn.document()) is not None:
            return known
        cut = turn.began
        if content:
            turn.keep_file(content)
        turn.begin(" ".join(words))
        if cut:
            finished = _child(turn, handle, [*gateway, "restart", "--finish", "--yes", "--json"], b"")
            # with nothing to finish it was cut before anything was changed, or had just ended: it begins anew
            if finished["exit_status"] != _REFUSED:
                turn.end(finished)
                return finished
        document = _child(turn, handle, words, content)
        turn.end(document)
        return document
    finally:
        os.close(handle)


def _child(turn: Turn, handle: int, words: Sequence[str], content: bytes) -> dict[str, Any]:
    """Run it to its end, which it comes to without us as well: it holds the lock and writes into a file."""
    with (
        open(turn.output, "wb", opener=_private) as output,
        open(turn.errors, "wb", opener=_private) as errors,
        open(turn.file if content else os.devnull, "rb") as given_to_it,
    ):
        child = subprocess.Popen(
            own_command(words), stdin=given_to_it, stdout=output, stderr=errors, start_new_session=True,
            pass_fds=(handle,),
        )  # fmt: skip
    status = child.wait()
    if (document := turn.document()) is not None:
        return document
    said = clean(turn.said()) or f"it ended with {status}"
    # 64 and the like are of a command line, a profile, a file: nothing was begun
    result, number = ("refused", _REFUSED) if 64 <= status < 80 else ("failed", 3)
    return {"exit_status": number, "result": result, "text": said, "cause": said}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
