"""A configuration whose environment is not known: nothing that it refers to is said to be unset."""

from __future__ import annotations

import msgspec

from litellm_tui.model.configuration import NOT_KNOWN, ConfigFile


def nothing_unset(file: ConfigFile) -> ConfigFile:
    """The file, with every reference that nothing known sets marked as not known."""
    return msgspec.structs.replace(
        file,
        deployments=tuple(msgspec.structs.replace(entry, missing=()) for entry in file.deployments),
        references=tuple(
            reference if reference.source is not None else msgspec.structs.replace(reference, source=NOT_KNOWN)
            for reference in file.references
        ),
    )
