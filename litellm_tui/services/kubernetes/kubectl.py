"""Runs kubectl, always with its context and namespace, and names its errors.

The messages are those of kubectl 1.20 to 1.32 (k8s.io/kubectl, pkg/cmd/util/helpers.go, and client-go). kubectl brings
every way to log in, as the user has it; nothing of the kubeconfig is read here.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from typing import Final, Literal, TypeVar

import msgspec

from litellm_tui.analysis.phrases import shortened
from litellm_tui.analysis.redaction.secret_shapes import mask_shapes
from litellm_tui.host.bounded import TooLarge
from litellm_tui.host.command import Done, run, run_now
from litellm_tui.model.failures import Denied, Failure, Malformed, NotAvailable, Unreachable

# kubectl needs a tenth of a second, a login through a plugin a second or two
SECONDS: Final = 10.0
# the pods of one Deployment are some 10 kB each
MOST: Final = 16 << 20
_SHOWN: Final = 300
_KLOG: Final = re.compile(r"[IWEF][0-9]{4} [0-9:.]{8,20} +[0-9]+ [\w.-]+\.go:[0-9]+\] ")
_FORBIDDEN: Final = re.compile(
    r"cannot (?P<verb>[\w-]{1,40}) resource \"(?P<resource>[\w./-]{1,100})\" in API group \"(?P<group>[\w.-]{0,100})\""
    r"(?: in the namespace \"(?P<namespace>[\w.-]{1,100})\")?"
)
_NO_CONTEXT: Final = re.compile(
    r"context \"?([^\"\n]{1,200}?)\"? does not exist|no context exists with the name:? \"?([^\"\n]{1,200}?)\"?$"
    r"|cannot locate context ([^\n]{1,200})$"
)
_AT: Final = re.compile(r"(?:server |://|dial tcp:? (?:lookup )?)(\[?[\w.:-]{3,100}\]?:[0-9]{2,5}|[\w.-]{3,100})")

_Shape = TypeVar("_Shape")
Kind = Literal["refused", "timeout", "dns", "tls", "closed", "other"]
_HOW: Final[dict[Kind, str]] = {
    "refused": "refused", "timeout": "no answer in time", "dns": "its name is not known", "tls": "TLS fails",
    "closed": "the connection was closed", "other": "no connection",
}  # fmt: skip
# in the order in which they are looked for: a refused connection is told beside others
_BROKEN: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    ("tls", ("x509:", "tls: ", "certificate")),
    ("dns", ("no such host", "server misbehaving")),
    ("refused", ("connection refused", "was refused - did you specify")),
    ("timeout", ("timeout", "timed out", "deadline exceeded")),
    ("closed", ("connection reset", "unexpected eof", ": eof", "connection lost", "broken pipe")),
    (
        "other",
        ("unable to connect to the server", "(serviceunavailable)", "network is unreachable", "no route to host"),
    ),
)


class Forbidden(Denied, frozen=True, tag=True):
    """A right is missing in the cluster: the `verb` on the `resource` (RBAC's words, such as `get`, `pods/log`)."""

    verb: str = ""
    resource: str = ""


class NotLoggedIn(Denied, frozen=True, tag=True):
    """The API server does not accept the login: the token has expired, or there is none."""


class NoSuchObject(NotAvailable, frozen=True, tag=True):
    """The cluster has no object of this name."""


class NoKubectl(NotAvailable, frozen=True, tag=True):
    """kubectl itself cannot be run, or its kubeconfig has no such context."""


class Cluster(msgspec.Struct, frozen=True):
    """One namespace of one context, and the client that reaches it. An empty namespace is all of them."""

    context: str
    namespace: str
    kubectl: str = "kubectl"

    def command(self, *words: str, seconds: float = SECONDS) -> list[str]:
        """The argument vector of kubectl for these words; a request may take `seconds`, 0 for no limit."""
        place = [f"--namespace={self.namespace}"] if self.namespace else ["--all-namespaces"]
        return [self.kubectl, f"--context={self.context}", *place, f"--request-timeout={seconds:g}s", *words]

    async def run(self, *words: str, seconds: float = SECONDS, limit: int = MOST) -> str | Failure:
        """What kubectl prints, at most `limit` bytes, or why it failed."""
        done = await run(self.command(*words, seconds=seconds), seconds + 2, limit)
        return _told(done, self)

    def run_now(self, *words: str, seconds: float = SECONDS, limit: int = MOST) -> str | Failure:
        """As `run`, but blocks."""
        return _told(done_now(self.command(*words, seconds=seconds), seconds + 2, limit), self)

    async def read(self, shape: type[_Shape], *words: str, seconds: float = SECONDS) -> _Shape | Failure:
        """One object, or a list, of the cluster: `kubectl get WORDS -o json`."""
        said = await self.run("get", *words, "--output=json", seconds=seconds)
        return said if isinstance(said, Failure) else decoded(said, shape)

    def read_now(self, shape: type[_Shape], *words: str, seconds: float = SECONDS) -> _Shape | Failure:
        """As `read`, but blocks."""
        said = self.run_now("get", *words, "--output=json", seconds=seconds)
        return said if isinstance(said, Failure) else decoded(said, shape)


def decoded(said: str, shape: type[_Shape]) -> _Shape | Malformed:
    """What kubectl printed as JSON."""
    try:
        return msgspec.json.decode(said, type=shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"kubectl printed something else than the JSON of Kubernetes ({error})")


def done_now(command: Sequence[str], seconds: float, limit: int = MOST) -> Done | Failure:
    """Run the client to its end. Blocks."""
    try:
        return run_now(command, seconds, limit)
    except subprocess.TimeoutExpired:
        return Unreachable(f"{command[0]} did not answer in {seconds:g} s", kind="timeout")
    except TooLarge as error:
        return Malformed(f"{command[0]} {error.strerror}")
    except OSError as error:
        return NotAvailable(f"{command[0]}: {error.strerror}")


def _told(done: Done | Failure, cluster: Cluster) -> str | Failure:
    if isinstance(done, NotAvailable):
        return no_client(done)
    if isinstance(done, Unreachable):
        return Unreachable(
            f"the API server of the context {cluster.context} did not answer: {done.why}", kind=done.kind
        )
    if isinstance(done, Failure):
        return done
    return done.output if done.status == 0 else refusal(done, cluster.context)


def no_client(failure: Failure) -> NoKubectl:
    """The failure of a client that cannot be run, with what to do."""
    return NoKubectl(f"{failure.why}: install kubectl, or name it as kubernetes.kubectl in the profile")


def refusal(done: Done, context: str) -> Failure:
    """Why kubectl failed, with what to do; its own words, masked, where the error is unknown."""
    lines = [line.strip() for line in done.error.splitlines() if line.strip()]
    # client-go's own log, of lines or of blocks `err=<` to `>`, and warnings of the server stand before the message
    lines = lines[max((n + 1 for n, line in enumerate(lines) if line == ">"), default=0) :]
    lines = [line for line in lines if not _KLOG.match(line) and not line.startswith("Warning: ")] or lines[-1:]
    return named(" ".join(lines) or f"kubectl ended with {done.status}", context)


def named(said: str, context: str) -> Failure:
    """The failure that a message of kubectl, or of the API server, tells of."""
    text = shortened(mask_shapes(" ".join(said.split()))[0], _SHOWN)
    lowered = said.lower()
    of = f"the API server of the context {context}"
    if found := _FORBIDDEN.search(said):
        resource = found["resource"] + (f".{found['group']}" if found["group"] else "")
        where = f" in the namespace {found['namespace']}" if found["namespace"] else " in the whole cluster"
        why = f"the cluster's rights (RBAC) do not let you {found['verb']} {resource}{where}"
        return Forbidden(f"{why}: see docs/kubernetes.md for a Role", verb=found["verb"], resource=resource)
    if "(forbidden)" in lowered:
        return Forbidden(f"the cluster's rights (RBAC) forbid it: {text}")
    if "unauthorized" in lowered or "must be logged in" in lowered or "provide credentials" in lowered:
        return NotLoggedIn(f"{of} does not accept the login (token expired, or none): log in again as for kubectl")
    if "getting credentials" in lowered or "exec plugin" in lowered:
        cause = shortened(mask_shapes(said.partition("getting credentials: ")[2] or said)[0], _SHOWN)
        return NotLoggedIn(f"the login of the context {context} fails: {cause}")
    if found := _NO_CONTEXT.search(said):
        return NoKubectl(
            f"the kubeconfig has no context {found[1] or found[2] or found[3]}: see kubectl config get-contexts"
        )
    if "(notfound)" in lowered:
        return NoSuchObject(text.removeprefix("Error from server (NotFound): "))
    if (kind := _broken(lowered)) is not None:
        place = f" at {found[1]}" if (found := _AT.search(said)) else ""
        why = f"{of} does not answer{place} ({_HOW[kind]})"
        return Unreachable(
            f"{why}: see the network, the VPN, and kubectl --context {context} get --raw /readyz", kind=kind
        )
    return NotAvailable(text.removeprefix("error: "))


def _broken(lowered: str) -> Kind | None:
    for kind, words in _BROKEN:
        if any(word in lowered for word in words):
            return kind
    return None
