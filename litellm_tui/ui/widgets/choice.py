"""A button with a shape: it is one, and the one with the focus, in a terminal without colours too."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Button


class Choice(Button):
    """A label between brackets, with arrows beside it while Enter would press it."""

    def __init__(self, label: str, *, id: str, disabled: bool = False) -> None:
        super().__init__(Content(label), id=id, disabled=disabled, compact=True)

    def render(self) -> Content:
        """Its label in its shape."""
        left, right = ("[> ", " <]") if self.has_focus else ("[  ", "  ]")
        return Content.assemble(left, str(self.label), right)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """The label's width with the shape's."""
        return super().get_content_width(container, viewport) + 6
