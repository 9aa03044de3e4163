"""How the faults of the matrix come and go in a lab; each function returns when the world is so."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from tests.lab.core import Lab, free_ports
from tests.lab.environments import LabError
from tests.lab.faults_config import GUARD, broken_config, refused_config, site_config, sound_config
from tests.lab.units import LITELLM, UPSTREAM

THIEF = "thief.service"
NODE = "node.service"
PASSWORD = "a-password-of-the-lab"
SIGNED = "signed"
NOWHERE = "/nonexistent"


def accept_release(lab: Lab) -> None:
    """An old release is at risk by its holes, whatever else is well or wrong: the operator has accepted that."""
    settings = lab.home / ".config/litellm-tui/config.yaml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("audit: {ignore: {release-exploited: wanted here}}\n", encoding="utf-8")


def nothing(lab: Lab) -> None:
    """Another fault of the same step has done it."""


def upstream(*models: str, fault: str, only: Literal["checks", "requests"] | None = None) -> dict[str, Any]:
    def set_to(name: str | None, lab: Lab) -> None:
        for model in models:
            lab.fault(model, name, 1.5 if name == "slow" else None, only=only)

    return {"inject": partial(set_to, fault), "heal": partial(set_to, None)}


def fail_checks(lab: Lab) -> None:
    """Returns when /health is red: before that, nothing contradicts the requests."""
    lab.fault("only-checks-m", "err500", only="checks")
    lab.wait("/health is red", lambda: '"openai/only-checks-m"' in _unhealthy(lab), pause=0.5)


def _unhealthy(lab: Lab) -> str:
    return json.dumps(lab.request("GET", "/health").json().get("unhealthy_endpoints"))


def system(unit: str, inject: tuple[str, ...], heal: tuple[str, ...]) -> dict[str, Any]:
    return {
        "inject": lambda lab: lab.systemctl(*inject, unit),
        "heal": lambda lab: lab.systemctl(*heal, unit),
    }


# -- Redis


def redis(inject: tuple[str, ...], heal: tuple[str, ...], *, anew: bool = False) -> dict[str, Any]:
    """Redis, told something that makes it refuse, and told otherwise.

    It is not restarted: where its connections break, LiteLLM leaves it alone for a while. `anew` breaks them, where
    only new ones are refused.
    """

    def refuse(lab: Lab) -> None:
        _tell(lab, inject)
        if anew:
            _tell(lab, ("CLIENT", "KILL", "TYPE", "normal"))

    return {"inject": refuse, "heal": lambda lab: _tell(lab, heal)}


def _tell(lab: Lab, command: tuple[str, ...]) -> None:
    # which is not asked for before there is one
    login = ["-a", PASSWORD, "--no-auth-warning"]
    said = lab.run(["redis-cli", "-h", "127.0.0.1", "-p", str(lab.ports.redis), *login, *command]).stdout
    if "OK" not in said and not said.strip().isdigit():
        raise LabError(f"redis-cli {' '.join(command)}: {said}")


def _pings(lab: Lab) -> bool:
    try:
        return lab.redis("PING") == "+PONG"
    except OSError:
        return False


def cluster(lab: Lab) -> None:
    """Two nodes in the place of the one server, each with half of the slots."""
    port = lab.ports.redis
    # by itself Redis takes a port 10,000 higher for its bus, which may be another's
    other, *buses = free_ports(3)
    program = ["redis-server", "--bind", "127.0.0.1", "--save", "", "--cluster-enabled", "yes", "--dir", str(lab.dir)]
    lab.systemctl("stop", "redis.service")
    for unit, at, bus in (("redis-node.service", port, buses[0]), (NODE, other, buses[1])):
        own = ["--port", str(at), "--cluster-port", str(bus), "--cluster-config-file", f"nodes-{at}.conf"]
        lab.run(["systemd-run", "--quiet", "--collect", f"--unit={unit}", *program, *own])
    lab.wait("the node", lambda: _pings(lab))
    cli = ["redis-cli", "-h", "127.0.0.1", "-p"]
    lab.wait("the other", lambda: lab.run([*cli, str(other), "PING"], check=False).stdout.strip() == "PONG")
    lab.run([*cli, str(port), "CLUSTER", "ADDSLOTSRANGE", "0", "8191"])
    lab.run([*cli, str(other), "CLUSTER", "ADDSLOTSRANGE", "8192", "16383"])
    lab.run([*cli, str(port), "CLUSTER", "MEET", "127.0.0.1", str(other), str(buses[1])])
    state = [*cli, str(port), "CLUSTER", "INFO"]
    lab.wait("the cluster", lambda: "cluster_state:ok" in lab.run(state).stdout, pause=0.2)


def no_cluster(lab: Lab) -> None:
    lab.systemctl("stop", "redis-node.service", NODE)
    lab.systemctl("start", "redis.service")
    lab.wait("Redis", lambda: _pings(lab))


# -- the unit


def user(lab: Lab, *arguments: str) -> None:
    lab.systemctl(*arguments, LITELLM, user=True)


def user_as(*arguments: str) -> Callable[[Lab], None]:
    return lambda lab: user(lab, *arguments)


def drop_in(lab: Lab, text: str | None) -> None:
    """A drop-in of the unit, or none any more; in force when this returns."""
    path = lab.unit_path().with_name(f"{LITELLM}.d") / "fault.conf"
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    lab.systemctl("daemon-reload", user=True)


def kill(lab: Lab) -> None:
    drop_in(lab, "[Service]\nRestart=no\n")
    user(lab, "kill", "--signal=SIGKILL", "--kill-who=main")


def _dies(lab: Lab, text: str) -> None:
    """Start it with this drop-in; returns when it has ended twice."""
    drop_in(lab, f"[Service]\n{text}\n")
    user(lab, "reset-failed")
    lab.systemctl("restart", LITELLM, user=True, check=False)
    lab.wait("the unit dies again", lambda: int(lab.show(LITELLM, "NRestarts")["NRestarts"]) > 1)


def no_environment_file(lab: Lab) -> None:
    """A mandatory file that is not there: systemd does not come as far as the program."""
    drop_in(lab, f"[Service]\nEnvironmentFile={NOWHERE}/litellm.env\n")
    user(lab, "reset-failed")
    lab.systemctl("restart", LITELLM, user=True, check=False)


def no_interpreter(lab: Lab) -> None:
    """A program whose first line names an interpreter that is gone, as after an upgrade of the machine's Python."""
    orphan = lab.home / "orphan" / "litellm"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_text(f"#!{NOWHERE}/venv/bin/python\n")
    orphan.chmod(0o755)
    _dies(lab, f"ExecStart=\nExecStart={orphan} --port {lab.ports.user}")


def crash(lab: Lab) -> None:
    """An interpreter that does not find its own library."""
    _dies(lab, f"Environment=PYTHONHOME={NOWHERE}")


def take_port(lab: Lab) -> None:
    """Something else listens where LiteLLM wants to; returns when LiteLLM has found that out."""
    user(lab, "stop")
    drop_in(lab, None)
    user(lab, "reset-failed")
    program = [str(lab.litellm.python), "-m", "http.server", "--bind", "127.0.0.1", str(lab.ports.user)]
    lab.run(["systemd-run", "--quiet", "--collect", f"--unit={THIEF}", *program])
    user(lab, "start")
    lab.wait("LiteLLM finds its port taken", lambda: "address already in use" in lab.journal(lines=40), pause=0.3)


def refuse_to_start(lab: Lab) -> None:
    """The file names a module that is not there; returns when LiteLLM has said so."""
    user(lab, "stop")
    lab.systemctl("stop", THIEF)
    lab.write_config(refused_config())
    user(lab, "reset-failed")
    user(lab, "start")
    lab.wait("LiteLLM does not start", lambda: "gone_module" in lab.journal(lines=60), pause=0.3)


def start_with_workers(lab: Lab) -> None:
    """Everything as it should be, with two workers."""
    user(lab, "stop")
    lab.write_config(sound_config())
    start_two(lab)


def start_two(lab: Lab) -> None:
    """Start the user's unit, which does not run, with two workers."""
    binary, port = lab.litellm.bin, lab.ports.user
    at = f"--config {lab.config_path()} --host 127.0.0.1 --port {port} --num_workers 2"
    if lab.litellm.order >= (1, 100):
        # on a busy machine an import lasts longer than uvicorn waits for a worker: it would be replaced again and again
        at += " --timeout_worker_healthcheck 90"
    drop_in(lab, f"[Service]\nExecStart=\nExecStart={binary} {at}\n")
    lab.systemctl("reset-failed", LITELLM, user=True, check=False)
    user(lab, "start")
    lab.wait_ready(("user",))


def workers(lab: Lab) -> list[str]:
    """The pids of the workers of the user's unit; none where its one process serves."""
    main = lab.show(LITELLM, "MainPID")["MainPID"]
    return lab.run(["pgrep", "--parent", main, "--full", "multiprocessing.spawn"], check=False).stdout.split()


def kill_worker(lab: Lab) -> None:
    """One of two workers is killed; the other goes on."""
    lab.run(["kill", "-9", workers(lab)[0]])


def start_again(lab: Lab) -> None:
    """As it was before something ended it."""
    lab.systemctl("stop", THIEF, check=False)
    drop_in(lab, None)
    lab.systemctl("reset-failed", LITELLM, user=True, check=False)
    user(lab, "restart")
    lab.wait_ready(("user",))


def broken_file(lab: Lab) -> dict[str, Any]:
    """The broken file, with what it needs: a guardrail beside it, and an upstream whose certificate nobody signed."""
    certificate, key = lab.dir / "upstream.pem", lab.dir / "upstream.key"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=upstream.lab"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    port = free_ports(1)[0]
    program = [str(lab.litellm.python), "-I", str(UPSTREAM), str(port), str(certificate), str(key)]
    lab.run(["systemd-run", "--quiet", "--collect", f"--unit={SIGNED}-{port}", *program])
    (lab.config_path().with_name("guard.py")).write_text(GUARD)
    return broken_config(port, lab.litellm.order >= (1, 100))


def break_file(lab: Lab) -> None:
    lab.fault("busy-m", "slow", 1.5)
    _restart_with(broken_file(lab), lab)


def mend_file(lab: Lab) -> None:
    lab.reset_upstream()
    _restart_with(sound_config(), lab)


def _restart_with(config: dict[str, Any], lab: Lab) -> None:
    lab.write_config(config)
    drop_in(lab, None)
    user(lab, "restart")
    lab.wait_ready(("user",))


def save(make: Callable[[], dict[str, Any]]) -> Callable[[Lab], None]:
    return lambda lab: lab.write_config(make())


SITE = save(site_config)
