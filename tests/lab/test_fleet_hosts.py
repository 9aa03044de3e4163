"""Three real hosts by a real ssh: one after another, what is bad stops at the first, a cut link ends nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab
from tests.lab.engine.sshd import missing
from tests.lab.three_hosts import NAMES, ThreeHosts, small_config
from tests.waiting import eventually

# the audit reads the file of it, and only a start tells what it comes to
BROKEN_MODULE = "def check(request, api_key):\n    return True\n\n\nLIMIT = int('broken on purpose')\n"


@pytest.fixture(scope="module")
def hosts(lab_possible: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeHosts]:
    if why := missing():
        pytest.skip(why)
    with ExitStack() as stack:
        labs: list[Lab] = []
        for _ in NAMES:
            ports = labs[0].ports if labs else None
            lab = Lab.boot(installed=("user",), wait=False, apart=True, ports=ports)
            labs.append(stack.enter_context(lab))
        config = small_config(labs[0])
        for lab in labs:
            lab.wait_ready()
            lab.write_config(config)
            lab.config_path().with_name("broken_auth.py").write_text(BROKEN_MODULE)
            lab.systemctl("restart", "litellm.service", user=True)
        for lab in labs:
            lab.wait_ready()
        yield stack.enter_context(ThreeHosts(labs, tmp_path_factory.mktemp("hosts")))


def _change(hosts: ThreeHosts, status: int, *words: str) -> dict[str, Any]:
    done = hosts.tui("fleet", *words, "--yes", "--json")
    assert done.returncode == status, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _stages(found: dict[str, Any]) -> list[str]:
    return [member["stage"] for member in found["members"]]


def _file(tmp_path: Path, hosts: ThreeHosts, **more: Any) -> str:
    file = tmp_path / "new.yaml"
    file.write_text(small_config(hosts.labs["one"], **more), encoding="utf-8")
    return str(file)


def test_they_stand_side_by_side_and_are_equal(hosts: ThreeHosts) -> None:
    # three that have just started may need longer than a look has
    for _ in range(8):
        found = json.loads(hosts.tui("fleet", "--json").stdout)
        if all(row["version"] for row in found["gateways"]):
            break
    assert {row["name"] for row in found["gateways"]} == set(NAMES)
    assert {row["version"] for row in found["gateways"]} == {hosts.labs["one"].litellm.version}
    assert not [text for text in found["differences"] if "configurations" in text or "clock" in text]
    assert hosts.tui("fleet", "diff", "web").returncode == 0


def test_a_file_that_is_bad_is_found_by_its_rehearsal_and_touches_nobody(hosts: ThreeHosts, tmp_path: Path) -> None:
    before = hosts.runs(), hosts.configs()
    bad = _file(tmp_path, hosts, general_settings={"custom_auth": "broken_auth.check"})
    found = _change(hosts, 2, "apply", bad, "web")
    assert set(_stages(found)) == {"refused"}
    assert "broken on purpose" in found["members"][0]["text"]
    assert (hosts.runs(), hosts.configs()) == before
    assert hosts.answering() == list(NAMES)


def test_a_file_that_is_bad_stops_at_the_first_host_and_leaves_three_that_answer(
    hosts: ThreeHosts, tmp_path: Path
) -> None:
    runs, configs = hosts.runs(), hosts.configs()
    bad = _file(tmp_path, hosts, general_settings={"custom_auth": "broken_auth.check"})
    found = _change(hosts, 1, "apply", bad, "web", "--no-rehearsal")
    assert _stages(found) == ["rolled back", "waiting", "waiting"]
    assert hosts.configs() == configs
    after = hosts.runs()
    assert after["one"] != runs["one"]
    assert (after["two"], after["three"]) == (runs["two"], runs["three"])
    assert hosts.answering() == list(NAMES)


def test_a_good_file_comes_to_all_one_after_another(hosts: ThreeHosts, tmp_path: Path) -> None:
    runs = hosts.runs()
    good = _file(tmp_path, hosts, router_settings={"num_retries": 2})
    found = _change(hosts, 0, "apply", good, "web")
    assert _stages(found) == ["applied"] * 3
    assert set(hosts.configs().values()) == {Path(good).read_text(encoding="utf-8")}
    after = hosts.runs()
    assert all(after[name] != runs[name] for name in NAMES)
    assert hosts.answering() == list(NAMES)
    for lab in hosts.labs.values():
        assert lab.key() not in json.dumps(found)


def test_a_key_that_differs_is_named_without_its_secret(hosts: ThreeHosts) -> None:
    lab = hosts.labs["three"]
    before = lab.config_path().read_text(encoding="utf-8")
    lab.write_config(before.replace("num_retries: 2", "num_retries: 5").replace("sk-none", "sk-another-secret"))
    try:
        done = hosts.tui("fleet", "diff", "web")
    finally:
        lab.write_config(before)
    assert done.returncode == 1
    assert "router_settings.num_retries: 2 on one and two; 5 on three" in done.stdout
    assert "another value, (not shown) on three" in done.stdout
    assert "sk-" not in done.stdout


async def _under_way(hosts: ThreeHosts, name: str) -> None:
    """Until the turn of this host has begun there."""
    folder = hosts.labs[name].home / "state-far" / "litellm-tui" / "turns"
    known = set(folder.glob("*/began")) if folder.exists() else set()
    await eventually(lambda: set(folder.glob("*/began")) - known, f"the turn of {name}", seconds=300)


async def test_a_link_that_is_cut_in_the_middle_of_a_restart_ends_only_the_view(hosts: ThreeHosts) -> None:
    runs = hosts.runs()
    command = hosts.command("fleet", "restart", "web", "--no-rehearsal", "--yes", "--json")
    running = subprocess.Popen(command, stdout=subprocess.PIPE, env=hosts.environment, text=True)
    await _under_way(hosts, "two")
    hosts.sides["two"].cut()
    output, _ = running.communicate(timeout=600)
    assert running.returncode == 0, output
    assert _stages(json.loads(output)) == ["applied"] * 3
    after = hosts.runs()
    assert all(after[name] != runs[name] for name in NAMES)
    lines = hosts.labs["two"].journal("--identifier=systemd", lines=400)
    assert lines.count("Started") <= 1 + lines.count("Stopped")


async def test_a_console_that_was_killed_is_gone_on_with(hosts: ThreeHosts) -> None:
    runs = hosts.runs()
    command = hosts.command("fleet", "restart", "web", "--no-rehearsal", "--yes", "--json")
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=hosts.environment)
    await _under_way(hosts, "two")
    running.kill()
    running.wait()
    left = hosts.runs()
    found = _change(hosts, 0, "resume", "web")
    assert _stages(found) == ["applied"] * 3
    after = hosts.runs()
    # the first was done, and is not done again
    assert after["one"] == left["one"] != runs["one"]
    assert all(after[name] != runs[name] for name in NAMES)
    assert hosts.answering() == list(NAMES)


def test_a_host_that_is_down_is_named_and_keeps_a_change_from_beginning(hosts: ThreeHosts) -> None:
    runs = hosts.runs()
    side = hosts.sides["three"]
    side.stop()
    try:
        found = json.loads(hosts.tui("fleet", "--json").stdout)
        assert (found["gateways"][0]["name"], found["gateways"][0]["state"]) == ("three", "HOST DOWN")
        refused = _change(hosts, 2, "restart", "web")
        assert "not reached: three" in refused["stopped"]
    finally:
        side.start()
    assert hosts.runs() == runs
