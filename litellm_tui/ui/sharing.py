"""What leaves the console: copies, a bundle, and what the operator's own commands are told."""

from __future__ import annotations

import re
import shlex
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual import on

from litellm_tui.model.failures import Failure
from litellm_tui.ui.key_actions import KeyActions
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Lines
from litellm_tui.ui.widgets.text_picking import TextPicking

if TYPE_CHECKING:
    from litellm_tui.target.settings import CommandSettings
    from litellm_tui.ui.detail import Paragraph

# a bundle looks at the gateway once, and reads half an hour of its log
_BUNDLE_SECONDS: Final = 120.0
# for a command of the operator's own, and what it may print
_COMMAND_SECONDS: Final = 60.0
_MOST_PRINTED: Final = 1 << 20


class Sharing(KeyActions):
    """Everything that is handed on goes through the masks first."""

    # --- copies ------------------------------------------------------------------------------------------------

    def copy_text(self, text: str, words: str) -> None:
        """Copy a text, masked, and say so in these words."""
        from litellm_tui.ui.clipboard import copy

        copy(self, self.session.redact(text), words)

    @on(TextPicking.Picked)
    def _copy_picked(self, event: TextPicking.Picked) -> None:
        lines = event.text.count("\n") + 1
        self.copy_text(event.text, f"copied {lines} lines" if lines > 1 else "copied what was selected")

    @on(TextPicking.Copy)
    def _copy_row(self, event: TextPicking.Copy) -> None:
        """All about a row of a pane, and the command that tells it in a shell."""
        view = self.view
        pane = self.main.pane_around(event.lines) if isinstance(event.lines, Lines) else None
        if view is None or pane is None:
            self.copy_text(event.lines.text_of(event.key), "copied the line")
            return
        from litellm_tui.ui.clipboard import as_text
        from litellm_tui.ui.shell_words import shell_line

        command = shell_line(view.profile, pane.command(event.key, view))
        found = pane.sheet(event.key, view)
        if found is None:
            text = as_text(event.lines.text_of(event.key), (), command)
        else:
            text = as_text(found[0], found[1](), command)
        self.copy_text(text, "copied all about the line")

    # --- a bundle ----------------------------------------------------------------------------------------------

    def action_bundle(self) -> None:
        """Ask, and write an archive into the folder that the console was started in."""
        from litellm_tui.ui.screens.confirm import ConfirmDialog

        view = self._uncovered
        if view is None:
            return
        if view.profile.simulated:
            self.notify("this gateway is simulated: litellm-tui bundle finds a real one only", markup=False)
            return
        path = Path.cwd() / f"litellm-tui-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz"
        question = (
            "A bundle holds what somebody needs who is asked for help: configuration, verdicts, half an hour of the "
            f"log, every secret masked. It is written to {path}, readable by you alone, and sent to nobody."
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.begin(partial(self._bundle, view, path), group="bundle", exclusive=True)

        self.push_screen(ConfirmDialog("Write it", question), answered)

    async def _bundle(self, view: View, path: Path) -> None:
        from litellm_tui.host.command import run
        from litellm_tui.ui.shell_words import gateway_options

        self.notify("the bundle is being made", markup=False)
        command = [sys.executable, "-m", "litellm_tui", "bundle", "--yes", "--output", str(path)]
        done = await run([*command, *gateway_options(view.profile)], _BUNDLE_SECONDS)
        if isinstance(done, Failure):
            self.notify(f"no bundle: {done.why}", severity="error", timeout=20, markup=False)
        elif done.status:
            why = done.first_error or f"it ended with {done.status}"
            self.notify(f"no bundle: {self.session.redact(why)}", severity="error", timeout=20, markup=False)
        else:
            self._show("Bundle", done.output)

    # --- commands of the operator's own ------------------------------------------------------------------------

    def action_run_command(self, number: int) -> None:
        """Run a command of the settings on what is selected; with `ask` only after a question."""
        from litellm_tui.ui.screens.confirm import ConfirmDialog

        view = self._uncovered
        if view is None or self.read_only:
            return
        command = self.bound.commands[number]
        words = filled(command.run, self._selected(view))
        if isinstance(words, str):
            self.notify(f"{command.name}: {words}", severity="warning", markup=False)
            return
        run = partial(self._run, command, words)
        if not command.ask:
            self.begin(run, group="command")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.begin(run, group="command")

        self.push_screen(ConfirmDialog("Run", f"Run {self.session.redact(shlex.join(words))}"), answered)

    def _selected(self, view: View) -> dict[str, str]:
        """What stands for the placeholders now, masked; empty where nothing such is selected."""
        pane = self.main.pane(self.main.shown)
        chosen = next(iter(pane.concerned(view) or self.main.pane("models").concerned(view)), None)
        found = {
            "group": chosen.group if chosen else "",
            "model": chosen.model if chosen else "",
            "line": pane.lines.text_of(pane.lines.selected),
            "url": view.profile.url.value,
            "profile": view.profile.name,
        }
        return {name: self.session.redact(text) for name, text in found.items()}

    async def _run(self, command: CommandSettings, words: list[str]) -> None:
        from litellm_tui.host.command import run

        done = await run(words, _COMMAND_SECONDS, _MOST_PRINTED)
        if isinstance(done, Failure):
            self.notify(f"{command.name}: {self.session.redact(done.why)}", severity="error", timeout=10, markup=False)
            return
        printed = "\n".join(filter(None, (done.output.rstrip(), done.error.rstrip())))
        ended = f"{command.name} ended with {done.status}"
        if printed:
            self._show(command.title or shlex.join(words), f"{printed}\n" + (f"\n{ended}" if done.status else ""))
        else:
            self.notify(ended, severity="warning" if done.status else "information", markup=False)

    def _show(self, title: str, text: str) -> None:
        """What a command has printed, masked, over whatever is on the screen."""
        from litellm_tui.logs.log_line import clean

        shown: list[Paragraph] = [("", self.session.redact(clean(text)).rstrip("\n"), "ok")]
        self._overlays.sheet(self.session.redact(title), lambda: shown)


def filled(words: tuple[str, ...], values: dict[str, str]) -> list[str] | str:
    """The words of a command with the values in place of the placeholders, or why that cannot be.

    A value is a part of one word whatever is in it. It begins no word with a dash: a name is not to be an option.
    """
    made = []
    for word in words:
        names = re.findall(r"\{(\w+)\}", word)
        if missing := next((name for name in names if not values.get(name)), ""):
            return f"nothing is selected that has a {missing}"
        new = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], word)
        if new.startswith("-") and not word.startswith("-"):
            return f"{new} would be an option of the command, and is none"
        made.append(new)
    return made
