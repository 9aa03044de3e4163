"""The command line. A subcommand's module is imported only when it is chosen, so that `--help` stays instant."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from litellm_tui.commands.command_line import COMMANDS, USAGE_ERROR, build_parser

if TYPE_CHECKING:
    from litellm_tui.target.profile import Options
    from litellm_tui.target.settings import ProfileSettings

OWN_FAULT = 70  # EX_SOFTWARE


def _signs_in_ascii(text: str) -> str:
    # only where a sign is met that the output cannot hold
    from litellm_tui.ui.signs import every_sign_to_ascii

    return every_sign_to_ascii(text)


def _on_another_host(command: str, options: Options, given: Mapping[str, object]) -> ProfileSettings | None:
    """The profile, where it says that its gateway is on another host."""
    from litellm_tui.target.far_side import chosen_far
    from litellm_tui.target.settings import SettingsError, load_settings

    try:
        found = chosen_far(command, options, given, load_settings())
    except SettingsError:
        # the command itself says what is wrong, where it needs them
        return None
    return found[1] if found is not None else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: `OWN_FAULT` where the command itself failed."""
    if (words := sys.argv[1:] if arguments is None else arguments)[:1] == ["completion"] and "--words" in words[1:2]:
        # what a shell asks at each Tab: it is no command line, and may hold any word
        return int(import_module("litellm_tui.commands.completion").answer(words[2:]))
    chosen = build_parser().parse_args(arguments)
    # only now: --help and --version need none of it
    from litellm_tui.host.terminal_locale import prepare_output
    from litellm_tui.target.profile import Options
    from litellm_tui.target.settings import SettingsError

    given = vars(chosen)
    options = Options(**{name: given[name] for name in Options.__struct_fields__ if name in given})
    prepare_output(_signs_in_ascii, json=bool(given.get("json")) or given.get("format") in ("json", "sarif"))
    module = import_module(COMMANDS[chosen.command or "console"][0])
    if "log_file" in given and not import_module("litellm_tui.commands.log_file").begin(given["log_file"]):
        return USAGE_ERROR
    try:
        if (far := _on_another_host(chosen.command or "console", options, given)) is not None:
            return int(
                import_module("litellm_tui.commands.far").run_far(
                    far, options, sys.argv[1:] if arguments is None else arguments,
                    json=bool(given.get("json")), console=(chosen.command or "console") == "console",
                )
            )  # fmt: skip
        apart = (*Options.__struct_fields__, "command", "quiet", "log_file")
        own = {name: value for name, value in given.items() if name not in apart}
        with contextlib.ExitStack() as stack:
            if given.get("quiet"):
                nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
                stack.enter_context(contextlib.redirect_stdout(nowhere))
            return int(module.run(options, **own))
    except SettingsError as error:
        print(f"litellm-tui: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # the reader of a pipe went away: not an error of ours, and Python must not complain while closing stdout
        sys.stdout = None
        return 141
    except Exception as error:  # noqa: BLE001  # the last boundary: no traceback, and no status that means another thing
        from litellm_tui.monitor.supervisor import crashed

        command = chosen.command or "console"
        print(f"litellm-tui: {command} failed, by a fault of litellm-tui: {crashed(error).why}", file=sys.stderr)
        return OWN_FAULT


if __name__ == "__main__":
    sys.exit(main())
