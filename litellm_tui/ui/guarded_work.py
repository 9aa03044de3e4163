"""Work beside the screen that ends nothing but itself: its exception is told to the operator."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual.dom import DOMNode
from textual.worker import Worker

from litellm_tui.model.failures import Crashed
from litellm_tui.monitor.supervisor import guarded_async

Work = Callable[[], Coroutine[Any, Any, None]]
"""What is to be done. It is called when it begins: until then a console may end, and nothing of it is left over."""


def begin_beside(node: DOMNode, work: Work, what: str, group: str, *, exclusive: bool = False) -> Worker[None]:
    """Begin the work in a worker of this screen or app; why it failed is shown, by class and place.

    An `exclusive` one ends the others of its group.
    """

    async def told() -> None:
        ended = await guarded_async(work())
        if isinstance(ended, Crashed):
            node.app.notify(f"{what} failed: {ended.why}", severity="error", timeout=20, markup=False)

    return node.run_worker(told, group=group, exclusive=exclusive)
