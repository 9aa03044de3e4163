"""`litellm-tui service`: how its runs ended, how it is run, its files and its environment, all of it masked."""

from __future__ import annotations

import asyncio
import time

import msgspec

from litellm_tui.analysis.container_health import masked
from litellm_tui.commands.masking import redactor_of
from litellm_tui.commands.one_of_several import say_which
from litellm_tui.commands.service_order import unit_of
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Service
from litellm_tui.monitor.comparison import clock_time
from litellm_tui.services.detail import ServiceDetail, detail_paragraphs, read_detail
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings


def run(options: Options, json: bool = False) -> int:
    """Print everything. Exit status 0, also of a service that is down: `check` judges."""
    profile = say_which(resolve(options, load_settings()))
    unit_of(profile, "service")
    found, detail = asyncio.run(_read(profile))
    if json:
        state = {"failure": found.why} if isinstance(found, Failure) else msgspec.to_builtins(found)
        document = {**msgspec.to_builtins(detail), "service": state}
        print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return 0
    state_words = found.why if isinstance(found, Failure) else f"{found.active_state} ({found.sub_state})"
    print(f"{detail.name} ({detail.place}): {clean(state_words)}")
    for name, text, style in detail_paragraphs(detail, time.time(), clock_time):
        for number, line in enumerate(text.split("\n") if text or not name else ()):
            print(f"  {name if not number else '':<14} {clean(line)}".rstrip() if name else f"  {clean(line)}".rstrip())
        if style == "head":
            print(f"{clean(name)}:")
    return 0


async def _read(profile: Profile) -> tuple[Service | Failure, ServiceDetail]:
    found, redact = await driver(profile.service_target).look(), redactor_of(profile)
    known = None if isinstance(found, Failure) else masked(found, redact)
    return known or found, await read_detail(profile.service_target, known, redact)
