"""Twelve files that end the start of LiteLLM, or drop a deployment, each refused beside a real one that serves.

The audit is switched off: only the rehearsal can find what is wrong. Each of two releases is given every second file:
together they take as long as one would with all of them. One client asks over all of it. Each kind of service that a
lab has is restarted into a good file too, with and without a rehearsal: what that one warms is measured.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lab import Environment, Lab, environments
from tests.lab.changes_record import Restarted, note, note_warmed
from tests.lab.environments import newest_environments
from tests.lab.test_rehearsal import UNIT, Client, Site
from tests.terminal import compile_console

Config = dict[str, Any]


def _strategy(config: Config) -> None:
    config["router_settings"]["routing_strategy"] = "slowest-last"


def _no_provider(config: Config) -> None:
    config["model_list"].append({"model_name": "stray", "litellm_params": {"model": "of-nobody", "api_key": "none"}})


def _guardrail(config: Config) -> None:
    config["guardrails"] = [{"guardrail_name": "no-names"}]


def _callback(config: Config) -> None:
    config["litellm_settings"]["callbacks"] = ["absent_module.handler"]


def _own_login(config: Config) -> None:
    config["general_settings"]["custom_auth"] = "absent_login.check"


def _provider(config: Config) -> None:
    config["litellm_settings"]["custom_provider_map"] = [{"provider": "in-house"}]


def _pass_through(config: Config) -> None:
    config["general_settings"]["pass_through_endpoints"] = [{"target": "http://127.0.0.1:9/rerank"}]


def _team(config: Config) -> None:
    config["litellm_settings"]["default_team_settings"] = [{"success_callback": ["langfuse"]}]


def _secrets(config: Config) -> None:
    config["general_settings"]["key_management_system"] = "strongbox"


def _budget(config: Config) -> None:
    config["litellm_settings"]["max_internal_user_budget"] = "plenty"


def _server_name(config: Config) -> None:
    config["mcp_servers"] = {"our-tools": {"url": "http://127.0.0.1:9/mcp", "transport": "http"}}


def _not_yaml(config: Config) -> None:
    config["model_list"].append("@broken@")


# what is changed, what the cause names, and the line that is named
BAD: tuple[tuple[Callable[[Config], None], str, str], ...] = (
    (_strategy, "slowest-last", "routing_strategy: slowest-last"),
    (_no_provider, "of-nobody", "- model_name: stray"),
    (_guardrail, "litellm_params", "- guardrail_name: no-names"),
    (_callback, "absent_module", "- absent_module.handler"),
    (_own_login, "absent_login", "custom_auth: absent_login.check"),
    (_provider, "custom_handler", "- provider: in-house"),
    (_pass_through, "Path is required", "pass_through_endpoints:"),
    (_team, "team_id", "- success_callback:"),
    (_secrets, "Invalid Key Management System", "key_management_system: strongbox"),
    (_budget, "plenty", "max_internal_user_budget: plenty"),
    (_server_name, "our-tools", "our-tools:"),
    # the parser notices it on the line after
    (_not_yaml, "parsing a flow sequence", "litellm_settings:"),
)


@pytest.fixture(scope="module", params=["booted", "newest"])
def site(request: pytest.FixtureRequest, lab_possible: None) -> Iterator[Site]:
    found: list[Environment] = environments() if request.param == "booted" else newest_environments()
    if not found:
        pytest.skip("no LiteLLM of its own is named as the newest one")
    compile_console()
    with Lab.boot(litellm=found[0], units=("user",)) as lab:
        yield Site(lab)


def _written(site: Site, change: Callable[[Config], None]) -> bytes:
    path = site.write(change, site.config.name)
    text = path.read_text().replace("- '@broken@'", "- [unclosed")
    path.write_text(text)
    return text.encode()


def _restart(site: Site, *words: str, user: bool = True) -> tuple[int, dict[str, Any]]:
    scope = "--user" if user else "--system"
    return site.run("restart", "--yes", scope, "--url", site.lab.url(user), *words, user=user)


def test_each_of_its_files_is_refused_and_no_request_is_lost(site: Site) -> None:
    before, pid = site.config.read_bytes(), site.pid()
    faults: list[str] = []
    first = 0 if site.lab.litellm in environments() else 1
    try:
        with Client(site.lab) as client:
            for change, cause, line in BAD[first::2]:
                name = change.__name__.strip("_")
                bad = _written(site, change)
                status, said = _restart(site)
                told, mark = said["text"], said["rehearsal"] and said["rehearsal"]["mark"]
                there = bad.decode().splitlines()[mark["line"] - 1] if mark else ""
                print(f"{site.lab.litellm.version} {name}: {said['result']} in {said['took']:.1f} s: {told} | {there}")
                for wrong, what in (
                    ((status, said["result"]) != (2, "refused"), f"{said['result']}: {told}"),
                    (cause not in told, f"does not name {cause!r}: {told}"),
                    (line not in there, f"{line!r} is not the line that is named: {mark} {there!r}"),
                    (site.config.read_bytes() != bad, "the file was changed"),
                    (site.pid() != pid, "the gateway was restarted"),
                    (site.left() != "", f"left behind: {site.left()}"),
                ):
                    faults += [f"{name}: {what}"] if wrong else []
        assert faults == []
        assert client.asked > 0
        assert client.lost == 0
    finally:
        site.config.write_bytes(before)


def _cooldown(seconds: int) -> Callable[[Config], None]:
    return lambda config: config["router_settings"].update(cooldown_time=seconds)


def _from_the_disk(site: Site) -> None:
    """LiteLLM's files are not in the page cache, but for what a process that runs has mapped."""
    os.sync()
    for path in site.lab.litellm.path.rglob("*"):
        if path.is_file() and not path.is_symlink():
            file = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(file)


def _read(site: Site) -> int:
    """The bytes that the process of the unit has read from the disk."""
    said = site.lab.run(["cat", f"/proc/{site.pid()}/io"]).stdout
    return int(dict(line.split(": ") for line in said.splitlines())["read_bytes"])


def test_a_good_file_is_applied_and_what_the_rehearsal_warms_is_measured(site: Site) -> None:
    version, restarts = site.lab.litellm.version, []
    for seconds, words in ((61, ("--no-rehearsal",)), (62, ())):
        _written(site, _cooldown(seconds))
        _from_the_disk(site)
        status, said = _restart(site, *words)
        assert (status, said["result"]) == (0, "applied"), said
        assert (said["rehearsal"] is None) is bool(words)
        restarts.append(Restarted(said["downtime"], _read(site), os.getloadavg()[0]))
        how = "not rehearsed, from a cold disk" if words else "rehearsed, from a cold disk"
        note("user unit", f"a good change, {how}", version, said)
    # what the rehearsal has read, the restart finds in memory
    assert restarts[1].read <= restarts[0].read
    note_warmed("user unit", version, restarts[0], restarts[1])
    assert site.left() == ""


def test_a_unit_of_the_system_is_refused_a_bad_file_and_given_a_good_one(site: Site) -> None:
    lab, config = site.lab, site.lab.config_path(False)
    before = config.read_bytes()
    lab.systemctl("start", UNIT)
    lab.wait_ready(("system",))
    try:
        pid = lab.show(UNIT, "MainPID", user=False)["MainPID"]
        config.write_bytes(_made(site, _strategy))
        bad = config.read_bytes()
        status, said = _restart(site, user=False)
        assert (status, said["result"]) == (2, "refused"), said
        assert "slowest-last" in said["text"]
        assert (config.read_bytes(), lab.show(UNIT, "MainPID", user=False)["MainPID"]) == (bad, pid)
        note("system unit", "a bad file (strategy), rehearsed", lab.litellm.version, said)
        config.write_bytes(_made(site, _cooldown(63)))
        status, said = _restart(site, user=False)
        assert (status, said["result"]) == (0, "applied"), said
        assert said["rehearsal"]["outcome"] == "passed"
        assert site.left(user=False) == ""
        note("system unit", "a good change, rehearsed", lab.litellm.version, said)
    finally:
        config.write_bytes(before)
        lab.systemctl("stop", UNIT)


def _made(site: Site, change: Callable[[Config], None]) -> bytes:
    return site.write(change).read_bytes()


@pytest.fixture
def process(site: Site) -> Iterator[Callable[..., tuple[int, dict[str, Any]]]]:
    """The command on a gateway that it has started itself, on the port of the unit, which is stopped."""
    lab = site.lab
    lab.systemctl("stop", UNIT, user=True)
    start = [str(lab.litellm.bin), "--config", str(site.config), "--host", "127.0.0.1", "--port", str(lab.ports.user)]
    settings = {"start": start, "pid_file": str(lab.home / "gateway.pid"), "log_file": str(lab.home / "gateway.log"),
                "environment_file": str(lab.env_path()), "folder": str(lab.home)}  # fmt: skip
    path = lab.home / "settings" / "litellm-tui" / "config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"url": lab.url(), "config": str(site.config), "process": settings}
    path.write_text(json.dumps({"profiles": {"own": profile}}))

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        return site.run(words[0], "--profile", "own", *words[1:])

    started = subprocess.run(
        site.argv("start", "--yes", "--profile", "own"), capture_output=True, text=True, check=False
    )
    assert started.returncode == 0, started.stdout + started.stderr
    try:
        lab.wait("its first answer", lambda: _serves(lab))
        yield run
    finally:
        subprocess.run(site.argv("stop", "--yes", "--profile", "own"), capture_output=True, check=False)
        path.unlink()
        lab.systemctl("start", UNIT, user=True)
        lab.wait_ready(("user",))


def _serves(lab: Lab) -> bool:
    try:
        return bool(lab.chat("llama3.1:latest").status == 200)
    except OSError:
        return False


def test_a_process_is_refused_a_bad_file_and_given_a_good_one(
    site: Site, process: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    before, version = site.config.read_bytes(), site.lab.litellm.version
    try:
        bad = _written(site, _no_provider)
        with Client(site.lab) as client:
            status, said = process("restart", "--yes")
        assert (status, said["result"]) == (2, "refused"), said
        assert "of-nobody" in said["text"]
        assert site.config.read_bytes() == bad
        assert client.asked > 0
        assert client.lost == 0
        note("process", "a bad file (no_provider), rehearsed", version, said)
        _written(site, _cooldown(64))
        status, said = process("restart", "--yes")
        assert (status, said["result"]) == (0, "applied"), said
        assert said["rehearsal"]["outcome"] == "passed"
        note("process", "a good change, rehearsed", version, said)
        good = site.config.read_bytes()
        _written(site, _strategy)
        status, said = process("restart", "--yes", "--no-rehearsal")
        assert (status, said["result"]) == (1, "rolled back"), said
        assert site.config.read_bytes() == good
        note("process", "a bad file (strategy), not rehearsed", version, said)
    finally:
        site.config.write_bytes(before)
