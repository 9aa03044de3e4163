"""Writing a configuration back into the ConfigMap or Secret that holds it, as a new version of that object.

What is written is the object as it was read with one key changed: where somebody has changed it since, its version is
another one and the API server refuses (409). Nothing of it stands in a command line. All of it blocks.
"""

from __future__ import annotations

import base64
import subprocess
from typing import Any, Final

import msgspec

from litellm_tui.host.command import Done, helper_environment
from litellm_tui.model.failures import Failure, NotAvailable, Unreachable
from litellm_tui.services.kubernetes.kubectl import SECONDS, Cluster, decoded, no_client, refusal

# by Kubernetes' own limit (1 MiB for all of an object)
MOST_BYTES: Final = 1 << 20
_CONFLICT: Final = "(Conflict)"
# who writes over what is changed by hand, by what they mark it with
_OWNERS: Final = (
    ("label", "app.kubernetes.io/managed-by", "Helm", "the next helm upgrade writes its own again"),
    ("label", "argocd.argoproj.io/instance", "", "Argo CD may write its own again"),
    ("annotation", "argocd.argoproj.io/tracking-id", "", "Argo CD may write its own again"),
    ("label", "kustomize.toolkit.fluxcd.io/name", "", "Flux writes its own again"),
    ("label", "helm.toolkit.fluxcd.io/name", "", "Flux writes its own again"),
)


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
