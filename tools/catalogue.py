"""`python -m tools.catalogue`: reads LiteLLM's releases and writes the shipped table,
litellm_tui/audit/catalogue/catalogue.json.

Without versions it takes the newest release of every minor version from 1.70 on, and those the lab runs. Releases come
with pip, are unpacked as far as their source goes, and are read in processes of their own; about ten seconds each. The
same releases give the same file.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.audit.catalogue.records import Catalogue, Spans, merge_catalogues, parse_version
from litellm_tui.collectors.litellm_source.prices import NAME, Extract, Row
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.model.prices import Price

TARGET: Final = Path(__file__).parent.parent / "litellm_tui" / "audit" / "catalogue" / "catalogue.json"
PRICES: Final = TARGET.with_name("prices.json")
FIRST: Final = "1.70"
# what the first users and the lab run, and the release from which on Prometheus needs no licence
ALWAYS: Final = ("1.77.7", "1.80.0", "1.106.2")
_FINAL: Final = re.compile(r"[0-9.]+(\.post[0-9]+)?")
# an environment made by uv has no pip of its own
_PIP: Final = (*((sys.executable, "-m", "pip") if find_spec("pip") else ("pip",)), "--disable-pip-version-check")


def released() -> list[str]:
    """The final releases on the index, newest first."""
    said = subprocess.run([*_PIP, "index", "versions", "litellm"], check=True, capture_output=True, text=True).stdout
    listed = re.search(r"Available versions: (.*)", said)
    versions = listed[1].split(", ") if listed else []
    if not versions:
        raise SystemExit(f"pip lists no release of litellm: {said.strip() or 'no answer'}")
    return sorted((text for text in versions if _FINAL.fullmatch(text)), key=parse_version, reverse=True)


def wanted(versions: Sequence[str], first: str) -> list[list[str]]:
    """Which releases to read: for each minor version its releases, of which the first that can be had counts."""
    minors: dict[tuple[int, ...], list[str]] = {}
    for version in versions:
        if parse_version(version) >= parse_version(first):
            minors.setdefault(parse_version(version)[:2], []).append(version)
    return [*minors.values(), *([version] for version in ALWAYS if version in versions)]


def fetch(choices: Iterable[list[str]], folder: Path) -> Iterator[Path]:
    """The wheels of the releases, downloaded where they are not there yet."""
    for choice in choices:
        for version in choice:
            pattern = f"litellm-{version}-*.whl"
            if not list(folder.glob(pattern)):
                command = [*_PIP, "-q", "download", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
                subprocess.run([*command, f"litellm=={version}"], check=False, capture_output=True)
            wheel = next(iter(sorted(folder.glob(pattern))), None)
            if wheel:
                yield wheel
                break
            sys.stderr.write(f"litellm {version} cannot be had\n")


def scan(wheel: Path) -> Catalogue:
    """Unpack a wheel's source for as long as it is read."""
    with tempfile.TemporaryDirectory(prefix="catalogue-") as name, zipfile.ZipFile(wheel) as archive:
        folder = Path(name)
        for member in archive.namelist():
            if member.endswith((".py", ".json", "METADATA")) and "_experimental/out/" not in member:
                archive.extract(member, folder)
        done = subprocess.run(
            [sys.executable, "-m", "litellm_tui.collectors.litellm_source.reader", str(folder / "litellm")],
            capture_output=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{wheel.name}: {done.stderr.decode(errors='replace').strip()}")
    found = msgspec.json.decode(done.stdout, type=Catalogue)
    sys.stderr.write(f"litellm {found.version}: {sum(map(len, msgspec.to_builtins(found).values()))} names\n")
    return found


def written(table: Spans) -> bytes:
    """The file: one name a line, so that a difference between two of them is read as one of names."""

    def line(value: object) -> str:
        return msgspec.json.encode(value).decode()

    def block(names: dict[str, object]) -> str:
        return ",\n".join(f"{line(name)}:{line(value)}" for name, value in sorted(names.items()))

    plain = msgspec.to_builtins(table)
    kinds = ",\n".join(f"{line(kind)}:{{\n{block(names)}\n}}" for kind, names in sorted(plain["kinds"].items()))
    rest = "".join(f',\n"{part}":{{\n{block(plain[part])}\n}}' for part in ("models", "defaults"))
    return f'{{"releases":{line(plain["releases"])},\n"kinds":{{\n{kinds}\n}}{rest}}}\n'.encode()


def extract_prices(folder: Path, version: str) -> bytes:
    """The extract of a package's map, as it is shipped: what health checks may cost by token or query."""
    models = msgspec.json.decode(read_bytes(folder / NAME, MEDIUM), type=dict[str, Price], strict=False)
    rows = {
        name: Row(price.mode, price.provider, price.input, price.output, price.query)
        for name, price in sorted(models.items())
        if price.input is not None or price.query is not None
    }
    rows.pop("sample_spec", None)
    return msgspec.json.encode(Extract(version, rows)) + b"\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tools.catalogue", description=__doc__)
    parser.add_argument("versions", nargs="*", metavar="VERSION", help="read these releases only")
    parser.add_argument("--from", dest="first", default=FIRST, help=f"the oldest minor version (default {FIRST})")
    parser.add_argument("--wheels", type=Path, help="keep downloads here, and take what lies here already")
    parser.add_argument("--output", type=Path, default=TARGET)
    parser.add_argument("--prices", type=Path, metavar="PACKAGE", help="write prices.json from this folder instead")
    options = parser.parse_args(arguments)
    if options.prices:
        info = next(iter(sorted(options.prices.parent.glob("litellm-[0-9]*.dist-info"))), None)
        if info is None:
            raise SystemExit(f"{options.prices}: no litellm-*.dist-info beside it, so its version is not known")
        PRICES.write_bytes(extract_prices(options.prices, info.name.removesuffix(".dist-info").partition("-")[2]))
        return
    choices = [[version] for version in options.versions] or wanted(released(), options.first)
    with tempfile.TemporaryDirectory(prefix="wheels-") as spare:
        folder = options.wheels or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        wheels = dict.fromkeys(fetch(choices, folder))
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            table = merge_catalogues(pool.map(scan, wheels))
    if not table.releases:
        raise SystemExit("no release could be had")
    options.output.write_bytes(written(table))
    sys.stderr.write(f"{options.output}: {len(table.releases)} releases, {options.output.stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    main()
