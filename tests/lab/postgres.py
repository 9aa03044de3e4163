"""A real Postgres from Debian's package: a private cluster in a folder of its own, on a free port.

    with Postgres.boot() as postgres:
        postgres.sql('CREATE TABLE t ()')

It needs the programs of the package `postgresql`, and no cluster of the machine. As root it runs as another user, as
Postgres wants it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.lab.environments import LabError

USER: Final = "litellm"
PASSWORD: Final = "pä/ss@wo#rd?79"
DATABASE: Final = "litellm"
SUPERUSER: Final = "lab"
SUPER_PASSWORD: Final = "lab-super"
# of which three are kept for superusers
CONNECTIONS: Final = 8
_BOOT_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0


def programs() -> Path | None:
    """The folder of initdb and postgres; Debian puts the newest version's under /usr/lib/postgresql."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    known = shutil.which("initdb")
    return found[-1].parent if found else Path(known).resolve().parent if known else None


def missing() -> str | None:
    """Why no Postgres can be started here, or None."""
    if programs() is None:
        return "no initdb: install the postgresql package"
    if os.geteuid() == 0 and _unprivileged() is None:
        return "Postgres does not run as root, and there is neither a user postgres nor nobody"
    return None


def _unprivileged() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    return None


class Postgres:
    """One cluster. As a context manager it leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._user = _unprivileged() if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def boot(cls) -> Self:
        """Make the cluster and start it. Raises LabError with the reason."""
        if lack := missing():
            raise LabError(lack)
        # the path of a socket has to be short
        server = cls(Path(tempfile.mkdtemp(prefix="lab-pg-", dir="/tmp")))
        try:
            server._make()
            server.start()
            server.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
            server.sql(f"CREATE DATABASE {DATABASE} OWNER {USER}")
        except BaseException:
            server.down()
            raise
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> str:
        """All that the server has logged: each statement with the name of its application before it."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _make(self) -> None:
        secret = self.folder / "password"
        secret.write_text(SUPER_PASSWORD, encoding="utf-8")
        if self._user is not None:
            for path in (self.folder, secret):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        folder = programs()
        assert folder is not None
        made = subprocess.run(
            [folder / "initdb", "--pgdata", self.data, "--username", SUPERUSER, "--pwfile", secret,
             "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"],
            capture_output=True, text=True, cwd="/", **self._as_user(),
        )  # fmt: skip
        if made.returncode:
            raise LabError(f"initdb: {made.stderr.strip()[-400:]}")

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        folder = programs()
        assert folder is not None
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
            "max_connections": CONNECTIONS, "superuser_reserved_connections": 3, "max_wal_senders": 0,
            "fsync": "off", "autovacuum": "off", "shared_buffers": "16MB", "log_line_prefix": "%a: ",
            "log_statement": "all",
        }  # fmt: skip
        words = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [folder / "postgres", "-D", self.data, *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True, **self._as_user(),
            )  # fmt: skip
        deadline = time.monotonic() + _BOOT_SECONDS
        while self._psql("SELECT 1").returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"Postgres does not start here: {self.log[-400:]}")
            time.sleep(0.05)

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """Run statements as the superuser; what the last one returns, in unaligned rows."""
        done = self._psql(*statements, database=database)
        if done.returncode:
            raise LabError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def _psql(self, *statements: str, database: str = "postgres") -> subprocess.CompletedProcess[str]:
        folder = programs()
        assert folder is not None
        environment = {"PGPASSWORD": SUPER_PASSWORD, "PGCONNECT_TIMEOUT": "5", "PATH": "/usr/bin:/bin"}
        words = [part for statement in statements for part in ("-c", statement)]
        return subprocess.run(
            [folder / "psql", "-XqAt", "-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER, "-d", database,
             "-v", "ON_ERROR_STOP=1", *words],
            capture_output=True, text=True, env=environment, cwd="/",
        )  # fmt: skip

    def with_tls(self) -> Path:
        """Take connections with TLS as well, with a certificate that nobody has signed; returns its file."""
        key, certificate = self.data / "server.key", self.data / "server.crt"
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "30", "-subj", "/CN=lab", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
            capture_output=True, text=True, cwd="/", **self._as_user(),
        )  # fmt: skip
        if made.returncode:
            raise LabError(f"openssl: {made.stderr.strip()[-400:]}")
        key.chmod(0o600)
        self._reload("ALTER SYSTEM SET ssl = on")
        copy = self.folder / "ca.pem"
        copy.write_bytes(certificate.read_bytes())
        return copy

    def without_tls(self) -> None:
        self._reload("ALTER SYSTEM RESET ssl")

    def _reload(self, statement: str) -> None:
        self.sql(statement, "SELECT pg_reload_conf()")

    def stop(self) -> None:
        """As `pg_ctl stop --mode fast`: its connections are ended."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def pause(self) -> None:
        """It takes connections, by the kernel, and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def down(self) -> None:
        """Stop it and remove its folder."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
