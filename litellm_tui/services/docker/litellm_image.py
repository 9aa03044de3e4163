"""Whether a container is a LiteLLM gateway, by its image and its command."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

from litellm_tui.services.litellm_command import is_litellm

# ghcr.io/berriai/litellm, -database, -non_root, -spend_logs; and what others build of it under such a name
_IMAGE: Final = re.compile(
    r"(?:.{0,80}[-_.])?litellm(?:[-_.](?:database|non_root|non-root|stable|spend_logs|proxy|gateway|server))?"
)
# the entry points of LiteLLM's own images (docker/ in its repository)
_ENTRY_POINTS: Final = frozenset({"prod_entrypoint.sh"})
_IN_SHELL: Final = re.compile(r"(?:^|[\s;&|/(])(?:litellm|litellm-proxy)(?:\s|$)|litellm\.proxy\.")
# what LiteLLM's image can run beside the gateway
_OTHER: Final = re.compile(r"prisma|migrat")


def is_litellm_image(image: str) -> bool:
    """Whether this is the name of an image of the gateway, whatever its registry, tag and digest."""
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return _IMAGE.fullmatch(name[:120]) is not None


def runs_litellm(words: Sequence[str]) -> bool:
    """Whether this command line of a container starts the gateway: by its program, or by a shell's command."""
    if any(is_litellm(word) for word in words):
        return True
    shell = len(words) > 1 and any(word.startswith("-") and "c" in word for word in words[:-1])
    return shell and _IN_SHELL.search(words[-1][:4096]) is not None


def is_gateway(image: str, words: Sequence[str]) -> bool:
    """Whether a container of this image with this whole command line, its entry point first, is the gateway."""
    if runs_litellm(words):
        return True
    program = os.path.basename(words[0]) if words else ""
    if program in _ENTRY_POINTS:
        return True
    return is_litellm_image(image) and program.endswith(".sh") and not any(_OTHER.search(word) for word in words[1:])
