"""On a wide screen: all about the selected deployment, beside the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from litellm_tui.model.diagnosis import Deployment
from litellm_tui.ui.detail import deployment_paragraphs, to_rows
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Row

HEIGHT: Final = 20


class Detail(Pane):
    """Follows the cursor of the models."""

    key = ""

    def on_mount(self) -> None:
        self.lines.can_focus = False

    @property
    def wanted(self) -> int:
        # the same for each, for what is below must not move with the cursor
        return HEIGHT

    def draw(self, view: View) -> None:
        chosen = self._chosen(view)
        self._title(" · ".join((self.entry.label, chosen.group, chosen.model)) if chosen else self.entry.label)
        super().draw(view)

    def freshness(self, view: View) -> tuple[str, bool]:
        return "Enter opens it", not view.answering

    def follow(self, key: str) -> None:
        self.key = key

    def rows(self, view: View, width: int) -> Sequence[Row]:
        chosen = self._chosen(view)
        return to_rows(deployment_paragraphs(chosen, view), width) if chosen else []

    def _chosen(self, view: View) -> Deployment | None:
        return next((d for d in view.diagnosis.deployments if d.key == self.key), None)
