"""A bad hour of a real LiteLLM in fast motion, as an installed recorder tells it: all of it, and nothing else."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from litellm_tui.model.history import Event, EventKind
from litellm_tui.storage.history.reader import HistoryReader
from tests.lab import Lab
from tests.lab.config import default_config, deployment
from tests.lab.faults_ways import accept_release

COMMAND = (sys.executable, "-m", "litellm_tui.cli")
RECORDER = "litellm-tui-record-litellm.service"
# how far the record may be from the truth
SECONDS = 10.0
# and how long a gateway that has just started may leave its first polls waiting, where all else starts too
SETTLING = 30.0
PATIENCE = 90.0
EVERY: tuple[EventKind, ...] = ("problem", "downtime", "start", "end", "gap", "applied", "saved")


class Truth(NamedTuple):
    """A fault: its events are those of this kind whose key begins so. It came and went within these times.

    What was over sooner than `SECONDS` may have come and gone between two looks.
    """

    kind: EventKind
    keys: tuple[str, ...]
    came: float
    went: float

    @property
    def is_seen(self) -> bool:
        return self.kind != "downtime" or self.went - self.came > SECONDS


def _config() -> dict[str, object]:
    config = default_config()
    config["model_list"] = [deployment("calm", "openai/calm"), deployment("other", "openai/other")]
    config["router_settings"] = {"num_retries": 0, "cooldown_time": 1}
    config["general_settings"]["health_check_interval"] = 10
    # an answer of the cache would hide a fault
    config["litellm_settings"]["cache_params"]["ttl"] = 1
    return config


class Callers:
    """Asks both models twice a second, and knows which were answered when."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.seen: list[tuple[float, str, bool]] = []

    @contextmanager
    def calling(self) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._call, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(PATIENCE)

    def _call(self, ended: threading.Event) -> None:
        number = 0
        while not ended.wait(0.25):
            number += 1
            for model in ("calm", "other"):
                answered = False
                with suppress(OSError):
                    answered = self._lab.chat(model, content=f"question {number}", timeout=20).status == 200
                self.seen.append((time.time(), model, answered))

    def first(self, model: str, answered: bool, since: float) -> float:
        """When a request of this model was first answered so."""
        return next((at for at, name, ok in self.seen if name == model and ok is answered and at >= since), 0.0)


def test_an_installed_recorder_tells_what_happened_and_nothing_else(boot_lab: Callable[..., Lab]) -> None:
    lab = boot_lab(config=_config(), units=("user",), installed=("user",), env={"LITELLM_LOG": "INFO"})
    lab.wait_ready()
    accept_release(lab)
    environment = {"LANG": "C.UTF-8", "PYTHONPATH": sys.path[0]}
    installed = lab.run([*COMMAND, "record", "--install", "--yes"], user=True, env=environment, check=False)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert "MemoryMax=" in installed.stdout, "the unit is shown"
    state = lab.home / ".local/state/litellm-tui/history"
    _awaited(lab, lambda: list(state.glob("*/history.sqlite")))
    (path,) = state.glob("*/history.sqlite")
    reader = HistoryReader(path)
    _awaited(lab, lambda: reader.events(0, kinds=["start"]))
    _awaited(lab, lambda: reader.events(0, kinds=["audit"]))
    began = time.time()
    callers = Callers(lab)
    with callers.calling():
        _awaited(lab, lambda: callers.first("other", True, began))
        truth = [*_faults(lab, reader, callers), *_ends(lab, reader)]
        calls = lab.calls()
        _awaited(lab, lambda: reader.events(0, kinds=["end"])[:2][1:])
    found = [event for event in reader.events(began - 1, kinds=EVERY) if event.at >= began]
    for one in (fault for fault in truth if fault.is_seen):
        mine = [event for event in found if event.kind == one.kind and event.key.startswith(one.keys)]
        assert any(_is_of(event, one) for event in mine), (one, mine)
    told = [event for event in found if event.kind in ("problem", "downtime") and not _is_told(event, truth)]
    assert told == [], "nothing is invented"
    ends = [event for event in found if event.kind == "end"]
    assert [event.title.partition(" after")[0] for event in ends] == ["killed by SIGKILL", "stopped by order"]
    assert len([event for event in found if event.kind == "start"]) == 2
    assert {event.kind for event in found} & {"applied", "saved"} == set()
    assert all((event.until or event.at) - event.at < PATIENCE for event in found if event.kind == "gap")
    answered = sum(ok for _, _, ok in callers.seen)
    assert answered > 20

    def recorded() -> float:
        points = reader.series("", "requests", began, time.time(), most=10_000).points
        return sum(value or 0.0 for _, value in points)

    # the step in which the recorder was killed is lost, and the last one is written when it is over
    _awaited(lab, lambda: recorded() > 0.6 * answered)
    assert calls, "the upstream was asked by the callers"
    log = lab.journal(unit=RECORDER, lines=2000)
    assert lab.key() not in log + path.read_bytes().decode(errors="replace")
    assert "Traceback" not in log
    gone = lab.run([*COMMAND, "record", "--uninstall", "--yes"], user=True, env=environment)
    assert "what it has recorded stays" in gone.stdout
    assert not lab.unit_path(True).with_name(RECORDER).exists()
    assert path.exists()


def _awaited(lab: Lab, look: Callable[[], object]) -> None:
    """Wait until `look` finds something."""
    lab.wait("the record", lambda: bool(look()), timeout=PATIENCE, pause=0.5)


def _faults(lab: Lab, reader: HistoryReader, callers: Callers) -> Iterator[Truth]:
    """A provider and the cache, each gone and back."""
    at = time.time()
    lab.fault("other", "err500")
    keys = ("deployment:other", "group:other")
    _awaited(lab, lambda: _lasting(reader, keys))
    healed = time.time()
    lab.fault("other", None)
    _awaited(lab, lambda: callers.first("other", True, healed))
    _awaited(lab, lambda: not _lasting(reader, keys))
    yield Truth("problem", keys, callers.first("other", False, at), callers.first("other", True, healed))
    at = time.time()
    lab.systemctl("stop", "redis.service")
    _awaited(lab, lambda: _lasting(reader, ("cache:",)))
    lab.systemctl("start", "redis.service")
    healed = time.time()
    _awaited(lab, lambda: not _lasting(reader, ("cache:",)))
    yield Truth("problem", ("cache:",), at, healed)


def _ends(lab: Lab, reader: HistoryReader) -> Iterator[Truth]:
    """An ordered restart, a recorder that is killed, and a gateway that is."""
    at = time.time()
    lab.systemctl("restart", "litellm.service", user=True)
    lab.wait_ready()
    up = time.time()
    _awaited(lab, lambda: not _open(reader, "downtime"))
    yield Truth("downtime", ("gateway",), at, up)
    yield Truth("problem", ("gateway:", "service:"), at, up)
    pid = lab.show(RECORDER, "MainPID")["MainPID"]
    lab.systemctl("kill", "--signal=KILL", RECORDER, user=True)
    _awaited(lab, lambda: lab.show(RECORDER, "MainPID")["MainPID"] not in ("0", pid))
    known = time.time()
    _awaited(lab, lambda: [span for span in reader.looked(known, time.time() + 60) if span[1] > known + 5])
    at = time.time()
    lab.systemctl("kill", "--signal=KILL", "litellm.service", user=True)
    lab.wait("its end", lambda: not lab._answers(lab.url()))
    lab.wait_ready()
    up = time.time()
    _awaited(lab, lambda: not _open(reader, "downtime"))
    _awaited(lab, lambda: not _lasting(reader, ("gateway:",)))
    yield Truth("downtime", ("gateway",), at, up)
    yield Truth("problem", ("service:", "gateway:"), at, up)


def _lasting(reader: HistoryReader, keys: tuple[str, ...]) -> list[Event]:
    found = reader.events(0, kinds=["problem"])
    return [event for event in found if event.until is None and event.key.startswith(keys)]


def _open(reader: HistoryReader, kind: EventKind) -> list[Event]:
    return [event for event in reader.events(0, kinds=[kind]) if event.until is None]


def _is_of(event: Event, truth: Truth) -> bool:
    """Whether its onset is that of the fault; a gateway that starts has more than one trouble, one after the other."""
    return abs(event.at - truth.came) <= SECONDS


def _is_told(event: Event, truth: list[Truth]) -> bool:
    """Whether the event is of a fault of its kind, from its onset to its end. What a start leaves ends later."""
    warns = event.kind == "problem" and event.cause == "restarted"
    ended = event.until if event.until is not None else time.time() if not warns else event.at
    return any(
        event.kind == one.kind
        and event.key.startswith(one.keys)
        and event.at >= one.came - SECONDS
        and (warns or ended <= one.went + SECONDS + SETTLING)
        for one in truth
    )
