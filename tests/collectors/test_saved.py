"""A configuration is read by a command when nobody is in the middle of saving it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.saved import changed_at, load_saved
from litellm_tui.model.configuration import ConfigError, ConfigFile

WHOLE = "model_list:\n  - model_name: g\n    litellm_params:\n      model: openai/m\n"
HALF = "model_list: [\n"


def _load(path: Path) -> ConfigFile | ConfigError:
    return load_saved(str(path), lambda: config_file.load(str(path), {}))


def test_half_of_a_file_is_read_again_when_the_other_half_has_come(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(HALF)
    writer = threading.Timer(0.3, path.write_text, (WHOLE,))
    writer.start()
    found = _load(path)
    writer.join()
    assert isinstance(found, ConfigFile)
    assert [entry.group for entry in found.deployments] == ["g"]


def test_a_file_that_is_open_for_writing_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    with path.open("w") as writer:
        writer.write(WHOLE.replace("  - model_name: g", "  - model_name: early"))
        writer.flush()

        def finish() -> None:
            writer.seek(0)
            writer.truncate()
            writer.write(WHOLE)
            writer.close()

        ending = threading.Timer(0.3, finish)
        ending.start()
        found = _load(path)
        ending.join()
    assert isinstance(found, ConfigFile)
    assert [entry.group for entry in found.deployments] == ["g"]


def test_a_file_that_was_broken_long_ago_is_broken(tmp_path: Path) -> None:
    """The inode's time of change cannot be set back: it is waited for once, and the file stays as it is."""
    path = tmp_path / "config.yaml"
    path.write_text(HALF)
    os.utime(path, (time.time() - 60, time.time() - 60))
    assert isinstance(_load(path), ConfigError)


def test_a_missing_file_is_missing_and_no_error_of_syntax(tmp_path: Path) -> None:
    path = tmp_path / "gone.yaml"
    found = _load(path)
    assert isinstance(found, ConfigError)
    assert (found.unread, found.line, changed_at(str(path))) == (True, 0, 0.0)
    path.write_text(HALF)
    broken = config_file.load(str(path), {})
    assert isinstance(broken, ConfigError)
    assert not broken.unread
