"""How old the file is for the process that runs."""

from __future__ import annotations

import msgspec

from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.service import Service
from litellm_tui.storage.starts import StartHistory, run_of


def dated(file: ConfigFile, service: Service | None, history: StartHistory | None) -> ConfigFile:
    """The file, not younger than the process where that was started with the same content.

    A file that was changed and changed back, or got other permissions, is younger but the same configuration.
    """
    if history is None or service is None or not service.started_at or file.modified_at <= service.started_at:
        return file
    start = history.start_of_run(run_of(service))
    if start is None or start.digest != file.digest:
        return file
    return msgspec.structs.replace(file, modified_at=service.started_at)
