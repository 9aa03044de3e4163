"""The lab itself: boots it, runs commands inside, talks to its parts, takes it down."""

from __future__ import annotations

import ctypes
import functools
import grp
import hashlib
import http.client
import json
import os
import pwd
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from litellm_tui.collectors import litellm_source
from tests.lab import keeper, units
from tests.lab.config import Source, default_config, render
from tests.lab.environments import PATIENCE, VARIABLE, Environment, LabError, environments

USER = "litellm-lab"
KEYS = {"user": "sk-lab-user-7f3a91c2d4e8", "system": "sk-lab-system-2c58e0b6a1f9"}
Which = Literal["user", "system"]
SYSTEMD = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
_KEEPER = str(Path(keeper.__file__).resolve())
_KEEP = ("unshare", "-m", "--propagation", "private", sys.executable, "-I", _KEEPER)
_CLONE_NEWNET = 0x40000000
_ports_lock = threading.Lock()
_ports_reserved: list[socket.socket] = []
TOOLS = ("systemctl", "journalctl", "unshare", "nsenter", "setpriv", "mount", "umount")


@dataclass(frozen=True, slots=True)
class Ports:
    system: int
    user: int
    redis: int
    upstream: int
    refused: int
    """A port on which nothing listens."""
    second: int = 0
    """The upstream of second.service, which a test may stop."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str
    seconds: float

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class _Settings:
    """What stands in DIR/lab.json: all that another process needs to use or end this lab."""

    name: str
    litellm: str
    ports: dict[str, int]
    uid: int
    gid: int
    systemd: str
    units: list[str]
    volatile_journal: bool
    leash: bool
    temporary: bool
    reveal: list[str] = field(default_factory=list)
    apart: bool = False


def required() -> bool:
    return os.environ.get("LITELLM_TUI_REQUIRE_LAB", "") not in ("", "0")


@functools.cache
def _machine_lacks() -> str | None:
    if sys.platform != "linux":
        return "the lab needs Linux"
    if os.geteuid() != 0:
        return "the lab needs root (it makes namespaces and boots a systemd in them)"
    if _systemd() is None:
        return f"no systemd binary ({' or '.join(SYSTEMD)}): install the systemd package"
    for tool in TOOLS:
        if shutil.which(tool) is None:
            return f"no {tool} on PATH"
    if shutil.which("redis-server") is None:
        return "no redis-server on PATH: install the redis-server package"
    if not _has_user() and shutil.which("useradd") is None:
        return f"no user {USER} and no useradd to create it"
    probe = "mount -t tmpfs tmpfs /mnt && mount -t cgroup -o none,name=systemd cgroup /mnt"
    flags = ["-m", "-p", "-f", "-C", "-i", "-u", "--propagation", "private"]
    command = ["unshare", *flags, "sh", "-c", probe]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"this machine does not let root make namespaces or cgroup mounts: {tried.stderr.strip()}"
    return None


def missing() -> str | None:
    """Why no lab can be booted here, or None."""
    lack = _machine_lacks()
    if lack is None and not environments():
        named = os.environ.get(VARIABLE)
        lack = f"none of {named} holds bin/litellm" if named else f"{VARIABLE} names no LiteLLM environment"
    return lack


def _systemd() -> str | None:
    return next((path for path in SYSTEMD if os.access(path, os.X_OK)), None)


def _has_user() -> bool:
    with suppress(KeyError):
        pwd.getpwnam(USER)
        return True
    return False


def _account() -> pwd.struct_passwd:
    if not _has_user():
        command = ["useradd", "--no-create-home", USER]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        # Another lab may have been a moment faster.
        if not _has_user():
            raise LabError(f"the user {USER} cannot be created: {made.stderr.strip()}")
    return pwd.getpwnam(USER)


def free_ports(count: int) -> list[int]:
    """Below the range for outgoing connections, and never given to two: a port must still be free when its service
    starts, and when it starts again.

    A port stays reserved until this process ends, also against the other workers and other runs of the tests: an
    abstract socket of its number can be bound once on a machine, and goes with its process.
    """
    found: list[int] = []
    with _ports_lock:
        while len(found) < count:
            port = random.SystemRandom().randint(12000, 31999)
            reservation = socket.socket(socket.AF_UNIX)
            try:
                reservation.bind(f"\0litellm-lab-port-{port}")
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            except OSError:
                reservation.close()
                continue
            _ports_reserved.append(reservation)
            found.append(port)
    return found


def _prefixes(interpreter: Path) -> Iterable[str]:
    """The folders an interpreter needs to start: its environment and the installation behind it."""
    yield str(interpreter.parent.parent)
    link = interpreter
    while link.is_symlink():
        link = Path(os.path.normpath(link.parent / os.readlink(link)))
        yield str(link.parent.parent)
    yield str(interpreter.resolve().parent.parent)


def _compile(environment: Environment) -> None:
    """An environment without bytecode takes twice as long to start; an ordinary user cannot leave it any."""
    proxy = environment.packages / "litellm" / "proxy"
    if list(proxy.glob("__pycache__/proxy_server.*.pyc")):
        return
    clean = {"PATH": os.environ.get("PATH", os.defpath), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    subprocess.run(
        [str(environment.python), "-c", "import litellm.proxy.proxy_cli, litellm.proxy.proxy_server"],
        env=clean,
        cwd="/",
        capture_output=True,
        check=False,
    )


@functools.cache
def _cache_folder(uid: int, gid: int) -> Path:
    """What a user's consoles keep of the LiteLLMs that they have read: to read one takes ten seconds of a processor.

    It is kept for all labs of this checkout, and made anew when what reads has changed.
    """
    digest = hashlib.sha256()
    for module in sorted(Path(litellm_source.__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    folder = Path(__file__).parents[2] / ".lab" / f"cache-{digest.hexdigest()[:12]}-{uid}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(folder, uid, gid)
    return folder


def _outside(pid: int) -> list[str]:
    return ["nsenter", "-t", str(pid), "-m", "-p", "-C", "-i", "-u", "-n", "--"]


def connect(port: int, timeout: float, inside: int = 0) -> socket.socket:
    """A connection to this port of 127.0.0.1, in the network of the process `inside` where one is given."""
    if not inside:
        return socket.create_connection(("127.0.0.1", port), timeout)

    def entered() -> socket.socket:
        # a thread has a network of its own, and a socket keeps that in which it was made
        with open(f"/proc/{inside}/ns/net", "rb") as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "the network of the lab cannot be entered")
        return socket.create_connection(("127.0.0.1", port), timeout)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(entered).result()


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    timeout: float = 30,
    inside: int = 0,
) -> Answer:
    """One request without any proxy of the machine in between; the answer whatever its status."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=timeout)
    begun = time.monotonic()
    try:
        if inside:
            connection.sock = connect(connection.port, timeout, inside)
        sent = {"connection": "close", **(headers or {})}
        data = None
        if body is not None:
            data = json.dumps(body)
            sent["content-type"] = "application/json"
        connection.request(method, "/" + path, data, sent)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, text, time.monotonic() - begun)
    finally:
        connection.close()


class Lab:
    def __init__(self, folder: Path, settings: _Settings) -> None:
        self.dir = folder
        self.litellm = Environment.at(settings.litellm)
        self.ports = Ports(**settings.ports)
        self.uid = settings.uid
        self.gid = settings.gid
        self.units: tuple[str, ...] = tuple(settings.units)
        self.volatile_journal = settings.volatile_journal
        self.boot_seconds = 0.0
        self._settings = settings
        self._keeper: subprocess.Popen[bytes] | None = None

    # -- beginning and end

    @classmethod
    def boot(
        cls,
        dir: str | os.PathLike[str] | None = None,
        litellm: str | os.PathLike[str] | Environment | None = None,
        *,
        config: Source | None = None,
        system_config: Source | None = None,
        units: Sequence[Which] = ("user",),
        installed: Sequence[Which] = ("user", "system"),
        volatile_journal: bool = False,
        env: Mapping[str, str] | None = None,
        system_env: Mapping[str, str] | None = None,
        keyed: Sequence[Which] = ("user", "system"),
        groups: Sequence[str] = (),
        reveal: Sequence[str | os.PathLike[str]] = (),
        detached: bool = False,
        wait: bool = True,
        timeout: float = PATIENCE,
        apart: bool = False,
        ports: Ports | None = None,
    ) -> Lab:
        """A running lab.

        `units` are started, `installed` exist; `env` joins a unit's EnvironmentFile; `keyed` are those whose
        file holds the master key. `groups` are the ordinary user's further groups. `reveal` are folders the
        ordinary user must reach although they lie below a closed one. A detached lab outlives its starter;
        any other ends with it. One that is `apart` has a network of its own, and may have the `ports` of another.
        """
        lack = _machine_lacks()
        if lack:
            raise LabError(lack)
        environment = cls._environment(litellm)
        begun = time.monotonic()
        temporary = dir is None
        folder = Path(tempfile.mkdtemp(prefix="litellm-lab-") if dir is None else dir).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        folder = folder.resolve()
        folder.chmod(0o755)
        cls._reachable(folder)
        if (folder / "pid.json").exists() and cls.attach(folder).alive:
            raise LabError(f"a lab is running in {folder}: take it down first")
        account = _account()
        numbers = list(asdict(ports).values()) if ports is not None and apart else free_ports(6)
        starting = [unit for unit in units if unit in installed]
        settings = _Settings(
            name=uuid.uuid4().hex[:8],
            litellm=str(environment.path),
            ports=dict(zip(Ports.__slots__, numbers, strict=True)),
            uid=account.pw_uid,
            gid=account.pw_gid,
            systemd=_systemd() or "",
            units=list(starting),
            volatile_journal=volatile_journal,
            leash=not detached,
            temporary=temporary,
            apart=apart,
            reveal=[
                *_prefixes(environment.python),
                *_prefixes(Path(sys.executable)),
                str(Path(__file__).resolve().parents[2]),
                *(str(Path(path).resolve()) for path in reveal),
            ],
        )
        lab = cls(folder, settings)
        lab._compose(
            account,
            {"user": config or default_config(), "system": system_config or config or default_config()},
            {"user": env or {}, "system": system_env if system_env is not None else (env or {})},
            keyed,
            installed,
            groups,
        )
        _compile(environment)
        try:
            lab._start()
            if wait:
                lab._wait_ready(lab.units, timeout, deaths=0)
        except BaseException:
            lab.down()
            raise
        lab.boot_seconds = time.monotonic() - begun
        return lab

    @staticmethod
    def _environment(given: str | os.PathLike[str] | Environment | None) -> Environment:
        if isinstance(given, Environment):
            return given
        if given is not None:
            return Environment.at(given)
        found = environments()
        if not found:
            raise LabError(missing() or "no LiteLLM environment")
        return found[0]

    @staticmethod
    def _reachable(folder: Path) -> None:
        for ancestor in folder.parents:
            if not ancestor.stat().st_mode & 0o001:
                raise LabError(f"{folder} is no place for a lab: {ancestor} is closed to ordinary users")
        if any(Path(hidden) in (folder, *folder.parents) for hidden in ("/run", "/var/log", "/proc", "/sys")):
            raise LabError(f"{folder} is no place for a lab: the lab mounts its own file system there")

    @classmethod
    def attach(cls, dir: str | os.PathLike[str]) -> Lab:
        """The lab that an earlier process booted in this folder."""
        folder = Path(dir).resolve()
        try:
            settings = json.loads((folder / "lab.json").read_text())
        except (OSError, ValueError) as error:
            raise LabError(f"{folder} holds no lab: {error}") from error
        return cls(folder, _Settings(**settings))

    def _start(self) -> None:
        self._write("lab.json", json.dumps(asdict(self._settings), indent=1))
        with open(self.dir / "keeper.log", "wb") as log:
            self._keeper = subprocess.Popen(
                # The mount namespace keeps whatever the keeper has to mount for itself from outliving it.
                [*_KEEP, "keep", str(self.dir)],
                # The write end of this pipe closes with this process, however it ends.
                stdin=subprocess.PIPE if self._settings.leash else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        deadline = time.monotonic() + PATIENCE
        while not (self.dir / "pid.json").exists():
            if self._keeper.poll() is not None or time.monotonic() > deadline:
                text = (self.dir / "keeper.log").read_text(errors="replace") if self.dir.exists() else ""
                raise LabError(f"the lab did not start:\n{text[-2000:]}")
            time.sleep(0.01)

    def down(self) -> None:
        """End the lab and all that runs in it; harmless when it has ended already."""
        note = self._note()
        if note and keeper.started(note["keeper"]) == note["keeper_started"]:
            with suppress(ProcessLookupError):
                os.kill(note["keeper"], signal.SIGTERM)
        elif note and keeper.started(note["pid"]) == note["started"]:
            with suppress(ProcessLookupError):
                os.kill(note["pid"], signal.SIGKILL)
        if self._keeper is not None:
            if self._keeper.stdin is not None:
                self._keeper.stdin.close()
            self._keeper.wait(PATIENCE)
        elif note:
            deadline = time.monotonic() + PATIENCE
            while keeper.started(note["keeper"]) == note["keeper_started"]:
                if time.monotonic() > deadline:
                    raise LabError(f"the keeper of the lab in {self.dir} does not end")
                time.sleep(0.02)
        if note and (self.dir / "pid.json").exists():
            # Its keeper was killed: nobody else will clean up.
            (self.dir / "pid.json").unlink()
            subprocess.run([*_KEEP, "sweep"], check=False)
        if self._settings.temporary:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def _note(self) -> dict[str, int]:
        try:
            note = json.loads((self.dir / "pid.json").read_text())
        except (OSError, ValueError):
            return {}
        return {str(name): int(value) for name, value in note.items()}

    @property
    def pid(self) -> int:
        """The machine's number of the lab's PID 1."""
        note = self._note()
        if not note or keeper.started(note["pid"]) != note["started"]:
            raise LabError(f"the lab in {self.dir} is not running")
        return note["pid"]

    @property
    def alive(self) -> bool:
        try:
            return self.pid > 0
        except LabError:
            return False

    def traces(self) -> list[str]:
        """What of this lab the machine still holds: processes, cgroups, mounts. Empty after `down`."""
        name, found = self._settings.name, []
        roots = []
        for line in Path("/proc/mounts").read_text().splitlines():
            _, point, kind, *_ = line.split()
            if Path(point).is_relative_to(self.dir):
                found.append(f"mount {point}")
            if kind.startswith("cgroup"):
                roots.append(Path(point))
        # os.walk passes over what vanishes meanwhile
        folders = (Path(at, folder) for root in roots for at, below, _ in os.walk(root) for folder in below)
        found += [f"cgroup {path}" for path in folders if path.match(f"litellm-lab-*-{name}")]
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                inside = f"-{name}" in (process / "cgroup").read_text() or f"{self.dir}/" in command
                if inside and int(process.name) != os.getpid():
                    found.append(f"process {process.name} {command}".rstrip())
        return found

    # -- what is in it

    def _write(self, name: str, text: str, *, mode: int = 0o644, user: bool = False) -> Path:
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        if user:
            os.chown(path, self.uid, self.gid)
        return path

    def _compose(
        self,
        account: pwd.struct_passwd,
        configs: Mapping[Which, Source],
        environment: Mapping[Which, Mapping[str, str]],
        keyed: Sequence[Which],
        installed: Sequence[Which],
        groups: Sequence[str],
    ) -> None:
        for name in ("units", "home", "system", "etc"):
            shutil.rmtree(self.dir / name, ignore_errors=True)
        self._accounts(account, groups)
        ports = self.ports
        files = units.base(self.uid, self.dir, ports.redis, ports.upstream, ports.second, self.litellm.python)
        for name, text in files.items():
            self._write(f"units/{name}", text)
        for which in ("user", "system"):
            user = which == "user"
            variables = {"LITELLM_MASTER_KEY": KEYS[which]} if which in keyed else {}
            variables.update(environment[which])
            lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
            folder = "home/litellm" if user else "system"
            self._write(f"{folder}/config.yaml", render(configs[which], self.ports), user=user)
            self._write(f"{folder}/litellm.env", lines, mode=0o600, user=user)
            if which not in installed:
                continue
            port = self.ports.user if user else self.ports.system
            unit = units.litellm(self.litellm.bin, self.dir / folder, port, user=user)
            path = self._write(str(self.unit_path(user).relative_to(self.dir)), unit)
            wants = path.parent / f"{'default' if user else 'lab'}.target.wants"
            wants.mkdir(exist_ok=True)
            if which in self.units:
                (wants / units.LITELLM).symlink_to(f"../{units.LITELLM}")
        for entry in (self.home, *self.home.rglob("*")):
            os.lchown(entry, self.uid, self.gid)

    def _accounts(self, account: pwd.struct_passwd, groups: Sequence[str]) -> None:
        """The machine's accounts as the lab shows them: the ordinary user lives in this lab's folder."""
        passwd = []
        for line in Path("/etc/passwd").read_text().splitlines():
            if line.startswith(f"{USER}:"):
                entry = (USER, "x", str(account.pw_uid), str(account.pw_gid), "", str(self.home), "/bin/sh")
                line = ":".join(entry)
            passwd.append(line)
        self._write("etc/passwd", "\n".join(passwd) + "\n")
        known = {entry.gr_name for entry in grp.getgrall()}
        unknown = [name for name in groups if name not in known]
        if unknown:
            raise LabError(f"this machine has no group {', '.join(unknown)}")
        lines = []
        for line in Path("/etc/group").read_text().splitlines():
            name, _, members = line.partition(":")[0], None, line.rpartition(":")[2]
            if name in groups and USER not in members.split(","):
                line += f",{USER}" if members else USER
            lines.append(line)
        self._write("etc/group", "\n".join(lines) + "\n")
        self._write("etc/machine-id", uuid.uuid5(uuid.NAMESPACE_URL, self._settings.name).hex + "\n")
        self._write("etc/hostname", keeper.HOST + "\n")

    @property
    def home(self) -> Path:
        return self.dir / "home"

    def config_path(self, user: bool = True) -> Path:
        return self.dir / ("home/litellm" if user else "system") / "config.yaml"

    def env_path(self, user: bool = True) -> Path:
        return self.config_path(user).with_name("litellm.env")

    def unit_path(self, user: bool = True) -> Path:
        return self.dir / ("home/.config/systemd/user" if user else "units") / units.LITELLM

    def write_config(self, source: Source, user: bool = True) -> None:
        """Replace the configuration by rename, as editors do; the owner stays."""
        path = self.config_path(user)
        new = self._write(f"{path.relative_to(self.dir)}.new", render(source, self.ports), user=user)
        os.rename(new, path)

    def key(self, user: bool = True) -> str:
        return KEYS["user" if user else "system"]

    def url(self, user: bool = True) -> str:
        return f"http://127.0.0.1:{self.ports.user if user else self.ports.system}"

    def describe(self) -> dict[str, Any]:
        return {
            "dir": str(self.dir),
            "pid": self.pid,
            "litellm": self.litellm.version,
            "units": list(self.units),
            "ports": asdict(self.ports),
            "urls": {"user": self.url(True), "system": self.url(False)},
            "keys": dict(KEYS),
            "configs": {"user": str(self.config_path(True)), "system": str(self.config_path(False))},
        }

    # -- commands inside

    @property
    def env(self) -> dict[str, str]:
        """What the ordinary user's session sets; `argv` and `run` add it by themselves."""
        return {
            "HOME": str(self.home),
            "USER": USER,
            "LOGNAME": USER,
            "SHELL": "/bin/sh",
            "XDG_RUNTIME_DIR": f"/run/user/{self.uid}",
        }

    def argv(
        self,
        argv: Sequence[str | os.PathLike[str]],
        user: bool = True,
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> list[str]:
        """The command line that runs `argv` inside, for a caller that spawns it itself (a pty, say).

        The caller's environment passes, but for what would lead a console astray (LITELLM_*, XDG_*, D-Bus);
        what it shall see of those goes into `env`. A signal sent to this process does not reach the one
        inside: for that, signal the process group, or the process inside.
        """
        astray = ("LITELLM_", "XDG_", "DBUS_", "SYSTEMD_", "JOURNAL_")
        dropped = [f"--unset={name}" for name in sorted(os.environ) if name.startswith(astray)]
        # /root is the machine's own: what a console keeps from one run to the next has no place in it.
        root = {"HOME": "/root", "USER": "root", "LOGNAME": "root", "XDG_STATE_HOME": str(self.dir / "state")}
        owner = (self.uid, self.gid) if user else (os.getuid(), os.getgid())
        base = {**(self.env if user else root), "XDG_CACHE_HOME": str(_cache_folder(*owner))}
        variables = [f"{name}={value}" for name, value in {**base, **(env or {})}.items()]
        where = str(cwd) if cwd is not None else str(self.home) if user else "/"
        become = [
            "setpriv",
            f"--reuid={self.uid}",
            f"--regid={self.gid}",
            "--init-groups",
            "--inh-caps=-all",
            "--",
        ]
        command = ["env", f"--chdir={where}", *dropped, *variables, *(os.fspath(part) for part in argv)]
        return [*_outside(self.pid), *(become if user else []), *command]

    def run(
        self,
        argv: Sequence[str | os.PathLike[str]],
        user: bool = False,
        check: bool = True,
        timeout: float = PATIENCE,
        input: str | None = None,
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        command = self.argv(argv, user, env=env, cwd=cwd)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # nsenter forks, so a time-out has to end the group, not the process.
            start_new_session=True,
        )
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        done = subprocess.CompletedProcess([os.fspath(part) for part in argv], process.returncode, out, err)
        if check and done.returncode != 0:
            raise LabError(f"{shlex.join(done.args)} ended with {done.returncode}: {err.strip() or out.strip()}")
        return done

    def systemctl(
        self, *arguments: str, user: bool = False, check: bool = True, timeout: float = 2 * PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        """`systemctl` inside, for longer than systemd has patience: 90 s with a stop, and as long with a start."""
        scope = ["--user"] if user else []
        return self.run(["systemctl", *scope, "--no-pager", *arguments], user=user, check=check, timeout=timeout)

    def show(self, unit: str, *properties: str, user: bool = True) -> dict[str, str]:
        chosen = [f"--property={','.join(properties)}"] if properties else []
        lines = self.systemctl("show", unit, *chosen, user=user).stdout.splitlines()
        return dict(line.partition("=")[::2] for line in lines)

    def journal(self, *arguments: str, unit: str = units.LITELLM, user: bool = True, lines: int = 200) -> str:
        scope = ["--user"] if user else []
        command = ["journalctl", *scope, "--unit", unit, "--no-pager", "--lines", str(lines), *arguments]
        return self.run(command, user=user).stdout

    def last_words(self) -> str:
        """What became of LiteLLM, for a test that failed: the state of its units, and the end of their journal."""
        if not self.alive:
            return f"the lab in {self.dir} has ended"
        told = []
        for which in self.units:
            user = which == "user"
            names = ("ActiveState", "SubState", "Result", "NRestarts", "ExecMainPID", "ExecMainStartTimestamp")
            state = self.show(units.LITELLM, *names, user=user)
            told += [f"{which} unit: {state}", self.journal(user=user, lines=12)]
        return "\n".join(told)

    # -- waiting and talking

    def wait(self, what: str, condition: Callable[[], bool], timeout: float = PATIENCE, pause: float = 0.05) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise LabError(f"{what}: not within {timeout:g} s")
            time.sleep(pause)

    def wait_ready(self, units: Sequence[str] | None = None, timeout: float = PATIENCE) -> None:
        """Until the upstream, Redis and these LiteLLM units answer; by default those started at boot."""
        self._wait_ready(self.units if units is None else units, timeout)

    def _wait_ready(self, units: Sequence[str], timeout: float, deaths: int | None = None) -> None:
        self.wait("the upstream", lambda: self._answers(f"http://127.0.0.1:{self.ports.upstream}/calls"), timeout)
        self.wait("Redis", self._redis_answers, timeout)
        for which in units:
            self._wait_litellm(which == "user", timeout, deaths)
        if not units:
            manager = ("is-active", f"user@{self.uid}.service")
            self.wait("the user manager", lambda: self.systemctl(*manager, check=False).returncode == 0, timeout)

    def _wait_litellm(self, user: bool, timeout: float, deaths: int | None) -> None:
        """`deaths` is how often it may die on the way; None: once more than by now, as a test may kill it."""
        deadline = time.monotonic() + timeout
        look = time.monotonic() + 2
        while not self._answers(self.url(user) + "/health/liveliness"):
            now = time.monotonic()
            if not self.alive:
                raise LabError(f"the lab in {self.dir} has ended")
            broken = False
            if now > look:
                look = now + 1
                state = self.show("litellm.service", "ActiveState", "NRestarts", user=user)
                died = int(state.get("NRestarts") or 0)
                deaths = died + 1 if deaths is None else deaths
                broken = state.get("ActiveState") == "failed" or died > deaths
            if broken or now > deadline:
                scope = "user" if user else "system"
                why = "cannot be started" if broken else f"did not answer within {timeout:g} s"
                tail = self.journal("-o", "cat", user=user, lines=40)
                raise LabError(f"LiteLLM {self.litellm.version} ({scope} unit) {why}:\n{tail}")
            time.sleep(0.05)

    @property
    def network(self) -> int:
        """The process whose network is the lab's own; 0 where it is the machine's."""
        return self.pid if self._settings.apart else 0

    def _answers(self, url: str) -> bool:
        try:
            return request("GET", url, timeout=2, inside=self.network).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def _redis_answers(self) -> bool:
        try:
            return self.redis("PING") == "+PONG"
        except OSError:
            return False

    def redis(self, *command: str, timeout: float = 5) -> str:
        """The first line of what Redis replies to one command, as it stands on the wire."""
        with connect(self.ports.redis, timeout, self.network) as connection:
            parts = [f"*{len(command)}\r\n", *(f"${len(part.encode())}\r\n{part}\r\n" for part in command)]
            connection.sendall("".join(parts).encode())
            with connection.makefile("rb") as stream:
                return stream.readline().decode().strip()

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: bool = True,
        key: str | None = "",
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Answer:
        """One request to LiteLLM; with the lab's key, another one (`key=...`) or none (`key=None`)."""
        given = self.key(user) if key == "" else key
        authorization = {"authorization": f"Bearer {given}"} if given else {}
        sent = {**authorization, **(headers or {})}
        url = self.url(user) + path
        return request(method, url, headers=sent, body=body, timeout=timeout, inside=self.network)

    def chat(
        self,
        model: str,
        *,
        content: str = "hello",
        user: bool = True,
        stream: bool = False,
        timeout: float = 60,
        **more: Any,
    ) -> Answer:
        body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": stream, **more}
        return self.request("POST", "/v1/chat/completions", body, user=user, timeout=timeout)

    def wait_health_round(self, user: bool = True, timeout: float = PATIENCE) -> Answer:
        """The first non-empty answer of /health: background checks have gone round once."""
        found: list[Answer] = []

        def answered() -> bool:
            answer = self.request("GET", "/health", user=user)
            value = answer.json() if answer.status == 200 else {}
            if value.get("healthy_endpoints") or value.get("unhealthy_endpoints"):
                found.append(answer)
            return bool(found)

        self.wait("the first round of background health checks", answered, timeout, 0.3)
        return found[0]

    def fault(
        self,
        model: str,
        name: str | None,
        seconds: float | None = None,
        only: Literal["checks", "requests"] | None = None,
    ) -> None:
        """Give an upstream model (its own name, not its group's; "*": all) a fault, "ok" or None.

        `only` spares LiteLLM's own health checks ("requests") or everything else ("checks").
        """
        body = {"model": model, "fault": name, "seconds": seconds, "only": only}
        answer = self._upstream("POST", "/control", body)
        if answer.status != 200:
            raise LabError(answer.text)

    def calls(self, reset: bool = False) -> dict[str, Any]:
        """What the upstream was asked for: total, per model, per endpoint."""
        counted: dict[str, Any] = self._upstream("GET", "/calls").json()
        if reset:
            self._upstream("DELETE", "/calls")
        return counted

    def reset_upstream(self) -> None:
        """Every model behaves as its name says again, and the counting starts anew."""
        self._upstream("DELETE", "/control")
        self._upstream("DELETE", "/calls")

    def _upstream(self, method: str, path: str, body: Any = None) -> Answer:
        url = f"http://127.0.0.1:{self.ports.upstream}{path}"
        return request(method, url, body=body, inside=self.network)
