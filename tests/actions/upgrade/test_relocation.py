"""The scripts of a copied environment start its own interpreter, and those of no other."""

from __future__ import annotations

import os
from pathlib import Path

from litellm_tui.actions.upgrade.relocation import rename_within
from litellm_tui.collectors.litellm_source.catalogues import script_interpreter
from tests.actions.upgrade.made import environment


def test_scripts_settings_and_links_name_the_new_place(tmp_path: Path) -> None:
    root, place = tmp_path / "venv", tmp_path / "venv.litellm-2.0"
    environment(root, "1.0")
    (root / "bin" / "activate").write_text(f"VIRTUAL_ENV='{root}'\nOTHER='{root}2' MORE={root}.bak {root}-x\n")
    (root / "bin" / "long").write_text(f"#!/bin/sh\n'''exec' \"{root}/bin/python\" \"$0\" \"$@\"\n' '''\n")
    (root / "bin" / "program").write_bytes(b"\x7fELF\0" + str(root).encode() + b"\0")
    (root / "bin" / "python3").symlink_to(root / "bin" / "python")
    (root / "bin" / "long").chmod(0o754)
    with (root / "pyvenv.cfg").open("a") as file:
        file.write(f"command = uv venv {root}\n")
    os.rename(root, place)

    assert rename_within(place, (str(root),), str(place)) == 5

    assert script_interpreter(place / "bin" / "litellm") == place / "bin" / "python"
    assert os.readlink(place / "bin" / "python3") == str(place / "bin" / "python")
    assert os.readlink(place / "bin" / "python") == "/bin/false"
    # a longer name is another place
    kept = f"VIRTUAL_ENV='{place}'\nOTHER='{root}2' MORE={root}.bak {root}-x\n"
    assert (place / "bin" / "activate").read_text() == kept
    assert f'"{place}/bin/python"' in (place / "bin" / "long").read_text()
    assert (place / "bin" / "long").stat().st_mode & 0o777 == 0o754
    assert str(root).encode() + b"\0" in (place / "bin" / "program").read_bytes()
    assert f"command = uv venv {place}\n" in (place / "pyvenv.cfg").read_text()
    assert rename_within(place, (str(root),), str(place)) == 0
    # and back again, for its later place
    assert rename_within(place, (str(place),), str(root)) == 5
    assert script_interpreter(place / "bin" / "litellm") == root / "bin" / "python"
