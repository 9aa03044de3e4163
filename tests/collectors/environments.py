"""Environments with a LiteLLM of a few files, as an installer lays them out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def environment(folder: Path, version: str, *, beside: Iterable[str] = (), recorded: Iterable[str] = ()) -> Path:
    """An environment with this release; `beside` are files among its packages, of which its list names `recorded`."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    packages = folder / "lib" / "python3.11" / "site-packages"
    for name in ("litellm/__init__.py", "litellm/router.py", "litellm/proxy/proxy_server.py"):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text("")
    info = packages / f"litellm-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: litellm\nVersion: {version}\n")
    files = ["litellm/__init__.py", f"litellm-{version}.dist-info/METADATA", "../../../bin/litellm", *recorded]
    (info / "RECORD").write_text("".join(f"{name},sha256=x,1\n" for name in files))
    for name in (*beside, *recorded):
        (packages / name).write_text("import os; raise SystemExit('it ran')\n")
    return folder


def distribution(folder: Path, name: str, version: str) -> None:
    """Another package's metadata in an environment."""
    info = folder / "lib" / "python3.11" / "site-packages" / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
