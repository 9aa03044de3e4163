"""What an audit costs: a small file, and one of 5,000 deployments, each in this process after its start-up."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from litellm_tui.audit.run import run_audit
from litellm_tui.audit.subject import Subject
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.litellm_source.catalogues import shipped
from litellm_tui.model.configuration import ConfigError

SMALL = 10
LARGE = 5000
TIMES = 5


def rows() -> Iterator[str]:
    """The rows of the table: reading the file, and every rule over it."""
    for count, goal in ((SMALL, "at most 150 ms"), (LARGE, "at most 1,500 ms")):
        took = milliseconds(count)
        yield f"| an audit of {count:,} deployments, p50 of {TIMES}, of CPU | {took:,.0f} ms | {goal} |"


def milliseconds(count: int) -> float:
    """The median of what an audit takes of CPU, in milliseconds; a first one, which loads the rules, is left out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(_file(count), encoding="utf-8")
        _audit(path)
        took = []
        for _ in range(TIMES):
            began = time.process_time()
            _audit(path)
            took.append((time.process_time() - began) * 1000)
    return statistics.median(took)


def _audit(path: Path) -> None:
    environment = {"LITELLM_MASTER_KEY": "sk-bench-of-the-audit"}
    loaded = config_file.load(str(path), environment)
    assert not isinstance(loaded, ConfigError)
    run_audit(Subject(loaded, shipped().at("1.106.2"), shipped(), environment))


def _file(count: int) -> str:
    entries = (
        f"  - model_name: group-{number // 2}\n    litellm_params:\n      model: openai/model-{number}\n"
        f"      api_base: http://127.0.0.1:{8000 + number % 1000}/v1\n      api_key: os.environ/KEY_{number % 7}\n"
        f"      rpm: 100\n"
        for number in range(count)
    )
    return "model_list:\n" + "".join(entries) + "router_settings:\n  num_retries: 2\n"
