"""Writing a configuration back into the ConfigMap or Secret that holds it, as a new version of that object.

What is written is the object as it was read with one key changed: where somebody has changed it since, its version is
another one and the API server refuses (409). Nothing of it stands in a command line. All of it blocks.
"""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any, Final

import msgspec

from litellm_tui.host import atomic
from litellm_tui.host.command import Done, helper_environment
from litellm_tui.host.copies import cluster_origin
from litellm_tui.model.failures import Denied, Failure, NotAvailable, Unreachable
from litellm_tui.services.kubernetes.kubectl import SECONDS, Cluster, Forbidden, decoded, no_client, refusal

# by Kubernetes' own limit (1 MiB for all of an object)
MOST_BYTES: Final = 1 << 20
# of kubectl auth can-i --quiet, which says no by its status alone
_NO: Final = ("kubectl ended with 1", "no")
_CONFLICT: Final = "(Conflict)"
# who writes over what is changed by hand, by what they mark it with
_OWNERS: Final = (
    ("label", "app.kubernetes.io/managed-by", "Helm", "the next helm upgrade writes its own again"),
    ("label", "argocd.argoproj.io/instance", "", "Argo CD may write its own again"),
    ("annotation", "argocd.argoproj.io/tracking-id", "", "Argo CD may write its own again"),
    ("label", "kustomize.toolkit.fluxcd.io/name", "", "Flux writes its own again"),
    ("label", "helm.toolkit.fluxcd.io/name", "", "Flux writes its own again"),
)


def why_not_written(path: Path) -> Failure | None:
    """Why the object of which this file is a copy cannot be written by this user; None where it can.

    Only a plain no of the API server counts: what it does not tell is found out when it is written.
    """
    key = cluster_origin(path)
    assert key is not None
    cluster = Cluster(key.context, key.namespace)
    said = cluster.run_now("auth", "can-i", "update", f"{key.kind}s/{key.name}", "--quiet")
    if isinstance(said, Unreachable | Denied):
        return said
    if isinstance(said, Failure) and said.why in _NO:
        return Forbidden(f"the cluster's rights (RBAC) do not let you update {key.kind}s in the namespace "
                         f"{key.namespace}: see docs/kubernetes.md for a Role",
                         verb="update", resource=f"{key.kind}s")  # fmt: skip
    return None


def write_copied(path: Path, expected: bytes, content: bytes) -> str | Failure:
    """Write the object of which this file is a copy, and the copy; how, in words."""
    key = cluster_origin(path)
    assert key is not None
    done = write_key(Cluster(key.context, key.namespace), key.kind, key.name, key.key, expected, content)
    if isinstance(done, Failure):
        return done
    try:
        atomic.replace(path, content, mode=0o400, durable=False)
    except OSError:
        # the next look reads it anew
        return f"{done}, and its copy here is older until it is read again"
    return done


def write_key(cluster: Cluster, kind: str, name: str, key: str, expected: bytes, content: bytes) -> str | Failure:
    """Put `content` in the place of `expected` under a key of the object; how it was written, in words.

    `kind` is `configmap` or `secret`. After a `Failure` the object is what it was.
    """
    if len(content) > MOST_BYTES:
        return NotAvailable(f"{len(content):,} bytes do not fit into a {kind} (1 MiB at most)")
    said = cluster.run_now("get", f"{kind}/{name}", "--output=json")
    if isinstance(said, Failure):
        return said
    found = decoded(said, dict[str, Any])
    if isinstance(found, Failure):
        return found
    if found.get("immutable"):
        return NotAvailable(f"the {kind} {name} is immutable: make another one, and name it in the Deployment")
    now = value_of(found, kind, key)
    if now is None:
        return NotAvailable(f"the {kind} {name} has no key {key} any more: look at it again")
    if now != expected:
        return Failure(f"{key} of the {kind} {name} was changed by somebody else meanwhile: look at it again, "
                       "then repeat the edit")  # fmt: skip
    if isinstance(changed := _with_value(found, kind, key, content), Failure):
        return changed
    done = _replace(cluster, changed)
    if isinstance(done, Failure):
        return no_client(done) if isinstance(done, NotAvailable) else done
    if done.status:
        if _CONFLICT in done.error:
            return Failure(f"the {kind} {name} was changed by somebody else meanwhile: look at it again, then repeat "
                           "the edit")  # fmt: skip
        return refusal(done, cluster.context)
    return f"a new version of the {kind} {name} is written{_written_over(found)}"


def value_of(found: dict[str, Any], kind: str, key: str) -> bytes | None:
    """What the object holds under this key; None where it has no such key."""
    text, binary = (found.get("data") or {}).get(key), (found.get("binaryData") or {}).get(key)
    try:
        if kind == "secret":
            return None if text is None else base64.b64decode(text, validate=True)
        return text.encode() if text is not None else None if binary is None else base64.b64decode(binary)
    except (ValueError, AttributeError, TypeError):
        return None


def _with_value(found: dict[str, Any], kind: str, key: str, content: bytes) -> dict[str, Any] | Failure:
    encoded = base64.b64encode(content).decode()
    if kind == "secret":
        return {**found, "data": {**found["data"], key: encoded}}
    if key in (found.get("binaryData") or {}):
        return {**found, "binaryData": {**found["binaryData"], key: encoded}}
    try:
        return {**found, "data": {**found["data"], key: content.decode()}}
    except UnicodeDecodeError as error:
        return NotAvailable(f"a ConfigMap holds UTF-8 only: {error}")


def _replace(cluster: Cluster, changed: dict[str, Any]) -> Done | Failure:
    command = cluster.command("replace", "--filename=-", "--output=name")
    try:
        done = subprocess.run(
            command, input=msgspec.json.encode(changed), capture_output=True, check=False, timeout=SECONDS + 2,
            env=helper_environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Unreachable(f"the API server of the context {cluster.context} did not answer in {SECONDS:g} s: "
                           "whether it was written is not known", kind="timeout")  # fmt: skip
    except OSError as error:
        return NotAvailable(f"{command[0]}: {error.strerror}")
    return Done(done.returncode, "", done.stderr[: 1 << 16].decode(errors="replace"))


def _written_over(found: dict[str, Any]) -> str:
    """Who will write over it, where that is seen."""
    metadata = found.get("metadata") or {}
    for where, name, value, text in _OWNERS:
        there = (metadata.get(f"{where}s") or {}).get(name)
        if there and (not value or there == value):
            return f"; {text}: change it there too"
    return ""
