"""What a transaction puts in the place of something else beside the configuration: an environment, an image's tag.

Both functions may be called again after they were interrupted. They block.
"""

from __future__ import annotations

from pathlib import Path

from litellm_tui.actions.rewrite import rewrite
from litellm_tui.actions.splice import CannotEdit, splice
from litellm_tui.actions.upgrade import exchange as environments
from litellm_tui.host import atomic
from litellm_tui.host.bounded import SMALL, read_bytes
from litellm_tui.model.edits import SetValue
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.upgrade import EnvironmentExchange, Exchange, TagExchange
from litellm_tui.services.compose.project import written_image


def bring_in(exchange: Exchange, folder: Path) -> Failure | None:
    """Put the new one in its place; None when it is there. `folder` holds copies of files that are changed."""
    if isinstance(exchange, EnvironmentExchange):
        return environments.put_in_place(exchange)
    return _written(exchange, exchange.before, exchange.after, folder)


def take_out(exchange: Exchange, folder: Path) -> Failure | None:
    """Put the old one back; None when it is there."""
    if isinstance(exchange, EnvironmentExchange):
        return environments.take_back(exchange)
    return _written(exchange, exchange.after, exchange.before, folder)


def recreates(exchange: Exchange | None) -> bool:
    """Whether a container has to be made anew for it: a restart would keep the one that is there."""
    return isinstance(exchange, TagExchange)


def brought_in(exchange: Exchange) -> str:
    """What was put in the place, in words."""
    if isinstance(exchange, TagExchange):
        return f"{exchange.after} is written in {exchange.file}"
    return f"LiteLLM {exchange.after} stands in {exchange.live}; {exchange.before} is kept in {exchange.kept}"


def taken_out(exchange: Exchange) -> str:
    """What stands in the place again, in words."""
    if isinstance(exchange, TagExchange):
        return f"{exchange.before} is written in {exchange.file} again"
    return f"LiteLLM {exchange.before} stands in {exchange.live} again"


def _written(exchange: TagExchange, now: str, then: str, folder: Path) -> Failure | None:
    try:
        content = read_bytes(exchange.file, SMALL)
        there = written_image(exchange.file, exchange.service)
        if there == then:
            return None
        if there != now:
            return NotAvailable(f"{exchange.file} names another image by now ({there or 'none'}): it was not changed")
        new = splice(content, [SetValue(("services", exchange.service, "image"), then)])
        copy = folder / "compose-file"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic.replace(copy, content)
        done = rewrite(exchange.file, content, new, copy)
        copy.unlink(missing_ok=True)
    except (OSError, CannotEdit) as error:
        return atomic.failure_of(f"{exchange.file} was not changed", error)
    return done if isinstance(done, Failure) else None
