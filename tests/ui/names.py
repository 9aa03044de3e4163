"""A gateway whose groups have names that take more cells than letters, run from right to left, or are very long."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from litellm_tui.model.gateway import HealthEntry, HealthReport
from litellm_tui.model.log import LogRecord
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Failures, FailureTally, Tally, Traffic
from tests import large
from tests.large import read
from tests.ui.frozen import NOW, steps

WIDE: Final = "通义千问代码助手" * 4
RIGHT_TO_LEFT: Final = "מודל־שפה־גדול־לקוד"
PILED: Final = "mode\u0301le-\u0915\u094d\u0937-👩‍💻-e\u0301te\u0301"
LONG: Final = "team-with-a-very-long-name-" + "x" * 50 + "-chat-2026-11"
SHORT: Final = "gpt"
NAMES: Final = (WIDE, RIGHT_TO_LEFT, PILED, LONG, SHORT)
ERROR: Final = "litellm.InternalServerError: OpenAIException - [Errno 111] Connect call failed ('10.0.0.1', 8000)"


def named(folder: Path) -> Snapshot:
    """The first and the fourth fail for their callers, the others fall back on each other."""
    document: dict[str, Any] = {
        "model_list": [
            {
                "model_name": name,
                "litellm_params": {"model": f"openai/{name}", "api_base": f"http://10.0.0.{number}:8000/v1/{name}"},
            }
            for number, name in enumerate(NAMES)
        ],
        "router_settings": {
            "fallbacks": [{NAMES[n]: [NAMES[(n + 1) % 5], NAMES[(n + 2) % 5]]} for n in range(5)]
            + [{SHORT: [f"{WIDE}-nobody"]}],
            "model_group_alias": {f"{WIDE}-别名": WIDE},
        },
        "general_settings": {"master_key": "sk-x"},
    }
    file = large.file_of(folder, yaml.safe_dump(document, allow_unicode=True))
    loaded = tuple(
        msgspec.structs.replace(found, group=d.group, model=d.model, api_base=d.api_base, names=(d.group,), params={})
        for found, d in zip(large.loaded(5), file.deployments, strict=True)
    )
    dead = (WIDE, LONG)
    well = tuple(HealthEntry(d.model, d.api_base, d.id) for d in loaded if d.group not in dead)
    ill = tuple(HealthEntry(d.model, d.api_base, d.id, ERROR, 500) for d in loaded if d.group in dead)
    tallies = tuple(
        Tally("model", d.model, 0, 12, NOW - 400, NOW - 5, NOW - 240, in_a_row=12, error=ERROR, steps=steps(0, 12))
        if d.group in dead
        else Tally("model", d.model, 30, last_ok=NOW - 3, steps=steps(30, 0))
        for d in loaded
    )
    minute = int(NOW // 60)
    failures = tuple(
        FailureTally(
            cause="refused", kind="group", name=name, pattern="", voice="router", words=ERROR, first=NOW - 3000,
            last=NOW - 5, sequence=3 + number, callers=((f"{name}@10.0.0.7", 41),),
            counts=tuple((minute - back, 1 + back % 5) for back in range(20)),
        )
        for number, name in enumerate(dead)
    )  # fmt: skip
    base = large.snapshot(folder, 1)
    service = Service(
        f"litellm-{WIDE}.service", "user", "loaded", "active", "running", "success", 4242, 0, NOW - 9_000, NOW - 9_000,
        221_249_536, 80.0, 2.0, fragment=f"/home/{LONG}/{WIDE}/litellm.service",
    )  # fmt: skip
    gateway = msgspec.structs.replace(
        base.gateway,
        groups=read(tuple(NAMES)),
        deployments=read(loaded),
        router=read({**document["router_settings"], "num_retries": 1}),
        health=read(HealthReport(well, ill)),
    )
    return msgspec.structs.replace(
        base,
        gateway=gateway,
        configuration=msgspec.structs.replace(base.configuration, current=file, path=f"/srv/{WIDE}/{LONG}/config.yaml"),
        service=read(service),
        traffic=Traffic(
            tallies=tallies, per_model=True, since=NOW - 900, steps=steps(90, 24), requests=114, refused=24
        ),
        failures=Failures(failures),
    )


def records() -> tuple[LogRecord, ...]:
    """Lines of the log that name them."""
    return tuple(
        LogRecord(0, NOW - 20 + number, level, "router", text, "", 4242, "", 0, False, name)  # type: ignore[arg-type]
        for number, name in enumerate(NAMES)
        for level, text in (
            ("INFO", f"litellm.acompletion(model=openai/{name}) 200 OK"),
            ("ERROR", f"{ERROR} Received Model Group={name}"),
        )
    )
