"""A real Kubernetes of one node, built from Debian's source, on a Docker engine and a bridge of its own.

    with Cluster.boot() as cluster:
        cluster.kubectl("get", "nodes")

scripts/kubernetes.sh builds it, once, into a folder outside the checkout. Needs root and what `tests.lab.engine` needs.
There is no kube-proxy: a Service has endpoints and no address, and pods are reached at their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.lab import engine as docker
from tests.lab.core import free_ports
from tests.lab.engine import Engine
from tests.lab.environments import PATIENCE, LabError

VERSION: Final = "1.20.2"
# the folder of another build
VARIABLE: Final = "LITELLM_TUI_LAB_KUBERNETES"
NAMESPACE: Final = "gateways"
TOKEN: Final = "lab-token-of-the-administrator"
NARROW: Final = "lab-token-of-a-narrow-user"
PROGRAMS: Final = {"ip": "iproute2", "nsenter": "util-linux", "openssl": "openssl"}
_PAUSE: Final = "lab/pause:1"
_NODE: Final = "node-1"
# what a kubelet sets on its machine, and does not take back
_TUNED: Final = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops")


def folder() -> Path:
    """Where the build is kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get(VARIABLE) or f"{cache}/litellm-tui-lab/kubernetes-{VERSION}")


def missing() -> str | None:
    """Why no cluster can be started here, or None."""
    if lack := docker.missing():
        return lack
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            return f"no {program} on PATH: install the {package} package"
    if not (folder() / "done").exists():
        return f"no Kubernetes in {folder()}: scripts/kubernetes.sh {folder()} builds it in some minutes"
    return None


class Bridge:
    """A network of this machine for the pods; the machine is its first address."""

    def __init__(self) -> None:
        for number in range(200, 250):
            self.name = f"lab-k8s-{number}"
            self.address = f"172.31.{number}.1"
            if not _ip("link", "add", self.name, "type", "bridge"):
                for words in (("addr", "add", f"{self.address}/24"), ("link", "set", "up")):
                    if said := _ip(*words, "dev", self.name):
                        self.remove()
                        raise LabError(f"no bridge for the pods: {said}")
                return
        raise LabError("no bridge for the pods: the kernel makes none, or fifty are there")

    def remove(self) -> None:
        _ip("link", "delete", self.name)


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    return done.stderr.strip() or "ip failed" if done.returncode else ""


class Cluster:
    """One cluster. As a context manager it leaves nothing behind."""

    def __init__(self, programs: Path, bridge: Bridge, engine: Engine) -> None:
        self.programs = programs
        self.bridge = bridge
        self.engine = engine
        self.folder = engine.folder / "kubernetes"
        self.folder.mkdir()
        self.kubeconfig = self.folder / "kubeconfig"
        self.kubectl_path = str(programs / "bin" / "kubectl")
        self._etcd, self._peers, self._api, self._controllers, self._scheduler = free_ports(5)
        self.server = f"https://127.0.0.1:{self._api}"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._tuned = {name: Path("/proc/sys", name).read_text(encoding="ascii") for name in _TUNED}

    @classmethod
    def boot(cls) -> Self:
        """Start it, and wait for its node. Raises LabError with the reason."""
        if lack := missing():
            raise LabError(lack)
        bridge = Bridge()
        try:
            engine = Engine.boot(bridge.name)
        except BaseException:
            bridge.remove()
            raise
        cluster = cls(folder(), bridge, engine)
        try:
            cluster.start()
        except BaseException:
            cluster.down()
            raise
        return cluster

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def start(self) -> None:
        """All of it, in order."""
        root = docker.root_of_image()
        self.engine.docker("import", "--change", 'CMD ["/bin/sleep","infinity"]', "-", _PAUSE, given=root)
        self._write_files()
        self._start(
            "etcd", f"--data-dir={self.folder}/etcd", f"--listen-client-urls=http://127.0.0.1:{self._etcd}",
            f"--advertise-client-urls=http://127.0.0.1:{self._etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{self._peers}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{self._peers}",
            f"--initial-cluster=default=http://127.0.0.1:{self._peers}",
        )  # fmt: skip
        self.start_api()
        self._start(
            "kube-controller-manager", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", "--port=0",
            f"--secure-port={self._controllers}", "--bind-address=127.0.0.1", f"--cert-dir={self.folder}/controllers",
            f"--service-account-private-key-file={self.folder}/sa.key", "--allocate-node-cidrs=false",
            "--controllers=*,-nodeipam,-cloud-node-lifecycle,-route,-service",
        )  # fmt: skip
        self._start(
            "kube-scheduler", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", "--port=0",
            f"--secure-port={self._scheduler}", "--bind-address=127.0.0.1", f"--cert-dir={self.folder}/scheduler",
        )  # fmt: skip
        self._start(
            "kubelet", f"--kubeconfig={self.kubeconfig}", f"--config={self.folder}/kubelet.json",
            "--container-runtime=docker", f"--docker-endpoint={self.engine.host}", "--network-plugin=",
            f"--pod-infra-container-image={_PAUSE}", f"--hostname-override={_NODE}",
            f"--root-dir={self.folder}/kubelet", f"--cert-dir={self.folder}/kubelet-pki",
            f"--node-ip={self.bridge.address}",
            # what it mounts for a pod, the engine has to see
            before=("nsenter", "--mount", f"--target={self.engine.pid}"),
        )  # fmt: skip
        self.wait("the node is ready", self._node_is_ready)
        self.kubectl("create", "namespace", NAMESPACE)
        self.wait("pods may be made", lambda: not self.ask("get", "serviceaccount", "default").returncode)

    def start_api(self) -> None:
        """The API server alone, also again; returns when it answers."""
        self._start(
            "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self._etcd}", "--bind-address=127.0.0.1",
            f"--secure-port={self._api}", f"--cert-dir={self.folder}/pki", "--service-cluster-ip-range=10.96.0.0/24",
            f"--token-auth-file={self.folder}/tokens.csv", "--authorization-mode=RBAC", "--allow-privileged=true",
            f"--service-account-key-file={self.folder}/sa.pub", "--service-account-issuer=https://kubernetes.default",
            f"--service-account-signing-key-file={self.folder}/sa.key", "--advertise-address=127.0.0.1",
            "--kubelet-preferred-address-types=InternalIP",
        )  # fmt: skip
        self.wait("the API server is ready", lambda: not self.ask("get", "--raw", "/readyz").returncode)

    def stop_api(self) -> None:
        """As where the control plane is gone: what runs goes on."""
        self._end(self._running.pop("kube-apiserver"))

    def down(self) -> None:
        """End all of it, the containers last, and remove what it had."""
        for name in reversed(list(self._running)):
            self._end(self._running.pop(name))
        self.engine.down()
        self.bridge.remove()
        for name, value in self._tuned.items():
            with suppress(OSError):
                Path("/proc/sys", name).write_text(value, encoding="ascii")

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which kubectl, and the console by it, finds this cluster."""
        path = f"{self.programs}/bin:{os.environ.get('PATH', os.defpath)}"
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": path}

    def kubectl(self, *words: str, given: object = None) -> str:
        """What it prints, in the namespace of the gateways; `given` is its standard input, as JSON.

        Raises LabError when it fails.
        """
        done = self.ask(*words, given=given)
        if done.returncode:
            raise LabError(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def ask(self, *words: str, given: object = None) -> subprocess.CompletedProcess[str]:
        """The same, with its exit status."""
        return subprocess.run(
            [self.kubectl_path, "--request-timeout=20s", *words], text=True, capture_output=True, check=False,
            env=self.environment, timeout=PATIENCE, input=None if given is None else json.dumps(given),
        )  # fmt: skip

    def read(self, *words: str) -> dict[str, Any]:
        """What `kubectl get WORDS` says, as data."""
        found = json.loads(self.kubectl("get", *words, "--output=json"))
        assert isinstance(found, dict)
        return found

    def apply(self, *objects: Mapping[str, Any]) -> None:
        self.kubectl("apply", "--filename=-", given={"apiVersion": "v1", "kind": "List", "items": objects})

    def wait(self, what: str, look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """What `look` gives as soon as it is something. Raises LabError, with the end of the logs."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            ended = next((name for name, one in self._running.items() if one.poll() is not None), "")
            if ended or time.monotonic() > deadline:
                raise LabError(f"{what}: not within {seconds:g} s; {self.last_words(ended)}")
            time.sleep(0.2)
        return found

    def last_words(self, program: str = "") -> str:
        """The end of the logs of the programs, or of one that has ended."""
        told = []
        for name in [program] if program else list(self._running):
            lines = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
            told.append(f"{name}: {' / '.join(lines[-3:])}")
        return "; ".join(told)

    def _node_is_ready(self) -> bool:
        done = self.ask("get", "node", _NODE, "--output=jsonpath={.status.conditions[?(@.type=='Ready')].status}")
        return done.stdout == "True"

    def _start(self, name: str, *words: str, before: tuple[str, ...] = ()) -> None:
        command = ["setpriv", "--pdeathsig", "KILL", *before, str(self.programs / "bin" / name), *words]
        # socat, which the kubelet forwards ports by, has one library of its own
        environment = {**self.environment, "LD_LIBRARY_PATH": str(self.programs / "lib")}
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()

    def _write_files(self) -> None:
        key, public = self.folder / "sa.key", self.folder / "sa.pub"
        for words in (("genrsa", "-out", key, "2048"), ("rsa", "-in", key, "-pubout", "-out", public)):
            subprocess.run(["openssl", *words], check=True, capture_output=True)
        tokens = f'{TOKEN},admin,1,"system:masters"\n{NARROW},narrow,2\n'
        (self.folder / "tokens.csv").write_text(tokens, encoding="ascii")
        users = {"admin": TOKEN, "narrow": NARROW, "expired": "lab-token-that-is-not-known-any-more"}
        contexts = [
            {"name": name, "context": {"cluster": "lab", "user": user, "namespace": NAMESPACE}}
            for name, user in (("lab", "admin"), ("narrow", "narrow"), ("expired", "expired"))
        ]
        server = {"server": self.server, "insecure-skip-tls-verify": True}
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "lab", "contexts": contexts,
            "clusters": [{"name": "lab", "cluster": server}],
            "users": [{"name": name, "user": {"token": token}} for name, token in users.items()],
        }  # fmt: skip
        self.kubeconfig.write_text(json.dumps(config), encoding="utf-8")
        self.kubeconfig.chmod(0o600)
        kubelet = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "cgroupDriver": "cgroupfs", "cgroupsPerQOS": False, "enforceNodeAllocatable": [], "failSwapOn": False,
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"}, "address": self.bridge.address, "readOnlyPort": 0,
            "healthzPort": 0, "evictionHard": {"memory.available": "100Mi"},
            # what has changed of a ConfigMap is in the pods within seconds
            "syncFrequency": "5s", "configMapAndSecretChangeDetectionStrategy": "Watch",
        }  # fmt: skip
        (self.folder / "kubelet.json").write_text(json.dumps(kubelet), encoding="utf-8")
