"""`litellm-tui serve`: the console in a browser (docs/serve.md). Ends with 0 on SIGTERM, SIGHUP and SIGINT."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from litellm_tui.commands.until_ended import ended_by_signals
from litellm_tui.target.far_side import chosen_far, option_words
from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import READ_ONLY
from litellm_tui.target.settings import SettingsError, load_settings

UNAVAILABLE: Final = 69
_PACKAGE: Final = "textual-serve"


def run(
    options: Options,
    listen: str | None = None,
    token_file: str | None = None,
    user_header: str = "",
    proxies: tuple[str, ...] = (),
    origins: tuple[str, ...] = (),
    visitors: int = 4,
    allow_changes: bool = False,
) -> int:
    """Serve until a signal ends it; 69 where nothing can listen at that address, or the extra is missing."""
    # what is wrong with the settings is told here, and not to each visitor
    settings = load_settings()
    if options.read_only and allow_changes:
        raise SettingsError("serve: --read-only and --allow-changes exclude each other")
    if (far := chosen_far("console", options, {}, settings)) is not None:
        raise SettingsError(f"serve: {far[0]} is on {far[1].ssh}: litellm-tui serve can be run there")
    from litellm_tui.browser.access import PORT, access

    who = access(listen or f"127.0.0.1:{PORT}", token_file, user_header, proxies, origins, allow_changes)
    try:
        from litellm_tui.browser.server import ConsoleServer, say, serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0].startswith("litellm_tui"):
            raise
        print(
            f"litellm-tui: serve: {error.name} is not installed here: pip install 'litellm-tui[serve]' brings "
            f"{_PACKAGE} and what it needs",
            file=sys.stderr,
        )
        return UNAVAILABLE
    # -P: a module that lies in the working directory is none of ours
    command = (sys.executable, "-P", "-m", "litellm_tui.cli", *option_words(options))
    server = ConsoleServer(who, command, visitors, {} if allow_changes else {READ_ONLY: "1"}, say)

    def ready(port: int) -> None:
        at = sorted(who.origins)[0] if who.origins else f"http://{who.listen._replace(port=port)}"
        known = f"for users of the proxy ({who.user_header})" if who.user_header else "with the token"
        known = known if who.token or who.user_header else "for everybody on this machine"
        say(f"serves the console at {at}/ {known}, {'with changes' if allow_changes else 'read-only'}")

    async def served() -> None:
        await serve(server, who, ended_by_signals(), ready)

    try:
        asyncio.run(served())
    except OSError as error:
        print(f"litellm-tui: serve: {who.listen}: {error.strerror or error}", file=sys.stderr)
        return UNAVAILABLE
    return 0
