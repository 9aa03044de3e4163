"""What a rehearsal is made of beside a gateway: its folder, the room for it, and its result in words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from litellm_tui.actions.rehearse import folder as folders
from litellm_tui.actions.rehearse.look import judge
from litellm_tui.actions.rehearse.messages import headline, rehearsal_lines
from litellm_tui.actions.rehearse.own_fault import own_fault
from litellm_tui.actions.rehearse.room import free_bytes, lacks_memory, spare_port, wanted_bytes
from litellm_tui.actions.rehearse.run import Wish, rehearse
from litellm_tui.analysis.change.proof import ProofCheck
from litellm_tui.model.configuration import Mark
from litellm_tui.model.found import Found
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.rehearsal import Rehearsal
from litellm_tui.model.service import Service, Worker
from litellm_tui.model.service_kinds import Process, Tools
from litellm_tui.target.profile import Profile
from tests.waiting import eventually

OWN = (os.geteuid(), os.getegid())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "runtime").mkdir()
    monkeypatch.setattr(folders, "_parent", lambda: tmp_path / "runtime")
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "config.yaml").write_text("model_list: []\n")
    (etc / "hooks.py").write_text("handler = 1\n")
    (etc / "__pycache__").mkdir()
    return tmp_path


def _place() -> str:
    place = folders.new_place()
    assert isinstance(place, str)
    assert not os.path.exists(place)
    return place


def test_the_copy_stands_beside_what_the_original_stands_beside(place: Path) -> None:
    made = folders.make_folder(_place(), b"a: 1\n", str(place / "etc" / "config.yaml"), None, OWN)
    assert isinstance(made, tuple)
    folder, copy = made
    assert Path(copy).read_bytes() == b"a: 1\n"
    assert os.path.basename(copy) == "config.yaml"
    assert os.stat(folder).st_mode & 0o777 == 0o700
    assert os.stat(copy).st_mode & 0o777 == 0o600
    assert Path(folder, "hooks.py").read_text() == "handler = 1\n"
    # what is compiled there would be written beside the original
    assert not Path(folder, "__pycache__").exists()
    folders.remove_folder(folder)
    assert not os.path.exists(folder)
    assert (place / "etc" / "config.yaml").read_text() == "model_list: []\n"
    assert (place / "etc" / "hooks.py").exists()


def test_another_file_is_rehearsed_in_the_place_of_the_services_own(place: Path) -> None:
    (place / "new").mkdir()
    (place / "new" / "own_hooks.py").write_text("")
    (place / "new" / "data.bin").write_text("")
    made = folders.make_folder(_place(), b"", str(place / "new" / "c.yaml"), str(place / "etc" / "config.yaml"), OWN)
    assert isinstance(made, tuple)
    assert sorted(os.listdir(made[0])) == ["c.yaml", "config.yaml", "hooks.py", "own_hooks.py"]


def test_what_a_killed_console_could_not_delete_goes_with_the_next_rehearsal(place: Path) -> None:
    old, young = (place / "runtime" / f"{folders.PREFIX}{name}" for name in ("old", "young"))
    old.mkdir()
    young.mkdir()
    os.utime(old, (1, 1))
    assert isinstance(folders.make_folder(_place(), b"", str(place / "etc" / "config.yaml"), None, OWN), tuple)
    assert (old.exists(), young.exists()) == (False, True)


# a console whose driver has been asked to start it, and has not yet
CONSOLE = """\
import asyncio, contextlib, sys
from pathlib import Path
from litellm_tui.actions.rehearse import folder, run
from litellm_tui.model.found import Found
from litellm_tui.model.service_kinds import Process, Tools
from litellm_tui.target.profile import Profile

class Slow:
    def next_start(self):
        return None
    async def rehearsal_user(self):
        return __import__("os").geteuid(), __import__("os").getegid()
    @contextlib.asynccontextmanager
    async def rehearse(self, order):
        print(order.folder, flush=True)
        await asyncio.sleep(500)
        yield

place = Path(sys.argv[1])
folder._parent = lambda: place / "runtime"
run.driver = lambda _: Slow()
profile = Profile(name="p", host="h", url=Found("http://127.0.0.1:1", "t"), tools=Tools(), unit=Found("gw", "t"),
                  config=Found(str(place / "etc" / "config.yaml"), "t"),
                  service=Process(start=("/x",), pid_file="/x.pid"))
asyncio.run(run.rehearse(profile, run.Wish(), free=lambda: None))
"""


async def test_the_copy_is_deleted_also_where_the_console_is_killed_before_anything_runs(place: Path) -> None:
    console = subprocess.Popen([sys.executable, "-c", CONSOLE, str(place)], stdout=subprocess.PIPE, text=True)
    assert console.stdout is not None
    folder = Path(console.stdout.readline().strip())
    try:
        assert (folder / "config.yaml").is_file()
    finally:
        console.kill()
        console.wait()
        console.stdout.close()
    await eventually(lambda: list((place / "runtime").iterdir()) == [], "its folder is deleted")


@pytest.mark.parametrize(
    ("cause", "own"),
    [
        ("the rehearsal ended (status 1); OSError: [Errno 98] Address already in use", "an address that is taken"),
        ("LiteLLM cannot listen on 127.0.0.1:40123: the address is already in use", "an address that is taken"),
        ("Exception: Config file not found: /run/r/config.yaml", "cannot read the copy"),
        ("PermissionError: [Errno 13] Permission denied: '/run/r/config.yaml'", "cannot read the copy"),
        # what stands beside the copy is as it is beside the original
        ("ImportError: could not find /run/r/absent.py: not found", ""),
        ("ValueError: Invalid routing_strategy: 'fastest'", ""),
        ("Exception: Error loading yaml file /run/r/config.yaml: a tab", ""),
    ],
)
def test_what_would_not_end_the_restart_is_not_held_against_the_file(cause: str, own: str) -> None:
    said = own_fault(Rehearsal("refused", cause), "/run/r/config.yaml")
    assert (own in said, bool(said)) == (True, bool(own))
    assert cause in said or not own
    assert own_fault(Rehearsal("passed", cause), "/run/r/config.yaml") == ""


def service(memory: int | None, workers: tuple[int, ...] = ()) -> Service:
    return Service("gw", "user", "loaded", "active", "running", memory=memory,
                   workers=tuple(Worker(n, held, 0.0) for n, held in enumerate(workers)))  # fmt: skip


def test_there_must_be_memory_for_a_second_one() -> None:
    assert wanted_bytes(service(400_000_000)) == 650_000_000
    assert wanted_bytes(service(1_600_000_000, (400_000_000, 380_000_000))) == 650_000_000
    assert wanted_bytes(None) == wanted_bytes(service(None))
    # what one holds after weeks says little of one that has just started
    assert wanted_bytes(service(9_000_000_000)) < 2_000_000_000
    said = lacks_memory(service(400_000_000), 90_000_000)
    assert said == "90 MB of memory are free, and a second gateway wants 650 MB"
    assert lacks_memory(service(400_000_000), 700_000_000) == ""
    assert lacks_memory(None, None) == ""


def test_the_kernel_is_asked_for_free_memory(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 2000 kB\nMemFree: 100 kB\nMemAvailable:    1500 kB\n")
    assert free_bytes(str(tmp_path / "meminfo")) == 1_536_000
    assert free_bytes(str(tmp_path / "none")) is None
    assert 0 < spare_port() < 65536


def profile(config: Path, **more: object) -> Profile:
    settings = Process(start=("/opt/v/bin/litellm",), pid_file=str(config.with_name("pid")))
    return Profile(name="p", host="h", url=Found("http://127.0.0.1:1", "t"), tools=Tools(),
                   config=Found(str(config), "t"), unit=Found("gw", "t"), service=settings, **more)  # type: ignore[arg-type]  # fmt: skip


async def test_a_file_that_cannot_be_read_as_yaml_is_refused_with_its_line(place: Path) -> None:
    config = place / "etc" / "config.yaml"
    config.write_text("model_list:\n- model_name: [a\nb: c\n")
    done = await rehearse(profile(config), Wish())
    assert done.outcome == "refused"
    assert done.mark is not None
    assert (done.mark.file, done.mark.line) == (str(config), 3)


async def test_what_cannot_be_rehearsed_is_said_before_anything_is_started(place: Path) -> None:
    config = place / "etc" / "config.yaml"
    done = await rehearse(profile(config), Wish())
    assert (done.outcome, "/opt/v/bin/litellm is not there" in done.cause) == ("not possible", True)
    done = await rehearse(
        profile(
            config,
        ),
        Wish(file=str(place / "none.yaml")),
    )
    assert done.outcome == "not possible"
    assert list((place / "runtime").iterdir()) == []


def test_a_result_in_words() -> None:
    refused = Rehearsal("refused", "no such strategy", Mark("/etc/c.yaml", 7, 3), 12.0, log=("a\nb",))
    assert headline(refused) == "refused: no such strategy (/etc/c.yaml:7:3)"
    assert list(rehearsal_lines(refused)) == ["it said last:", "  a", "  b", "12.0 s; the gateway went on serving"]
    probe = ProbeResult("1", "small", "openai/small", False, 0.0, error="401: no\nmore")
    passed = Rehearsal("passed", ready=5.25, memory=300_000_000, loaded=("a", "b"), probes=(probe,), version="1.106.2",
                       left_out=("alerts",))  # fmt: skip
    assert headline(passed) == "rehearsed: answers after 5.2 s, 300 MB, 2 deployments loaded, LiteLLM 1.106.2"
    assert "  small (openai/small): 401: no" in list(rehearsal_lines(passed))
    assert "  alerts" in list(rehearsal_lines(passed))
    impossible = Rehearsal("not possible", "no memory")
    assert (headline(impossible), list(rehearsal_lines(impossible))) == ("not rehearsed: no memory", [])


UP = ProofCheck("unit", "ok", "process 7")
SILENT = ProofCheck("answers", "waiting", "it does not answer yet")


def test_only_what_fails_or_ends_is_refused_and_what_is_too_slow_is_not_judged() -> None:
    assert judge((UP, ProofCheck("answers", "ok")), ended=False) == ("passed", "")
    dropped = ProofCheck("log", "failed", "LiteLLM dropped a model")
    assert judge((UP, SILENT, dropped), ended=False) == ("refused", "LiteLLM dropped a model")
    assert judge((UP, SILENT), ended=False) == (
        "not judged", "it could not be judged within 180 s: it does not answer yet"
    )  # fmt: skip
    # such as one that leaves with status 0
    stopped = ProofCheck("unit", "waiting", "the rehearsal is stopped")
    assert judge((stopped, SILENT), ended=True) == ("refused", "the rehearsal is stopped; it does not answer yet")


def test_what_was_seen_until_its_time_was_over_is_told() -> None:
    done = Rehearsal("not judged", "it could not be judged within 180 s: it does not answer yet", took=181.0,
                     log=("LiteLLM: loading", ), memory=310_000_000)  # fmt: skip
    assert headline(done) == "not judged: it could not be judged within 180 s: it does not answer yet"
    assert "  LiteLLM: loading" in list(rehearsal_lines(done))
