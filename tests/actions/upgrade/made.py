"""Virtual environments of a few files, as pip and uv lay them out, with a LiteLLM that nothing could run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PLANTED = "import os; os.abort()\n"


def distribution(
    library: Path, name: str, version: str, *, requires: Sequence[str] = (), extras: Sequence[str] = (),
    script: str = "", requested: bool = False,
) -> Path:  # fmt: skip
    """The metadata of an installed package, and a module that ends whoever imports it."""
    info = library / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    fields = [f"Name: {name}", f"Version: {version}", *(f"Provides-Extra: {extra}" for extra in extras)]
    fields += [f"Requires-Dist: {line}" for line in requires]
    (info / "METADATA").write_text("Metadata-Version: 2.4\n" + "\n".join(fields) + "\n\nRequires-Dist: no-field\n")
    (info / "INSTALLER").write_text("uv\n")
    if requested:
        (info / "REQUESTED").write_text("")
    if script:
        (info / "entry_points.txt").write_text(f"[console_scripts]\n{script} = {name}:main\n\n[other]\nno = x:y\n")
    return info


def environment(root: Path, version: str, *, made_by: str = "uv = 0.9.1") -> Path:
    """An environment with LiteLLM and its extra `proxy`; gives its folder of packages."""
    library = root / "lib" / "python3.12" / "site-packages"
    (root / "bin").mkdir(parents=True)
    library.mkdir(parents=True)
    (root / "pyvenv.cfg").write_text(f"home = /usr/bin\n{made_by}\nversion_info = 3.12.4\n")
    (root / "bin" / "python").symlink_to("/bin/false")
    script(root, root)
    (library / "litellm").mkdir()
    (library / "litellm" / "__init__.py").write_text(PLANTED)
    distribution(
        library, "litellm", version, requested=True, script="litellm", extras=("proxy", "caching", "empty"),
        requires=("httpx>=0.23", "uvicorn<1; extra == 'proxy'", 'uvloop>=0.2; sys_platform != "win32" and extra == '
                  '"proxy"', "diskcache; extra == 'caching'"),
    )  # fmt: skip
    for name in ("httpx", "uvicorn"):
        distribution(library, name, "1.0", script=name)
    return library


def script(root: Path, names: Path) -> None:
    """`bin/litellm` at one place, which starts the interpreter of another."""
    path = root / "bin" / "litellm"
    path.write_text(f"#!{names}/bin/python\nraise SystemExit('it ran')\n")
    path.chmod(0o755)
