"""On a wide screen: all about the selected deployment, beside the list."""

from __future__ import annotations

from collections.abc import Sequence

from litellm_tui.ui.detail import deployment_paragraphs, to_rows
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Row


class Detail(Pane):
    """Follows the cursor of the models."""

    key = ""

    def on_mount(self) -> None:
        self.lines.can_focus = False

    @property
    def wanted(self) -> int:
        return 0

    def freshness(self, view: View) -> tuple[str, bool]:
        return "Enter opens it", not view.answering

    def follow(self, key: str) -> None:
        self.key = key

    def rows(self, view: View, width: int) -> Sequence[Row]:
        chosen = next((d for d in view.diagnosis.deployments if d.key == self.key), None)
        if chosen is None:
            return []
        return to_rows(deployment_paragraphs(chosen, view), width)
