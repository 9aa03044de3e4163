"""Aliases on the real LiteLLM."""

from __future__ import annotations

from typing import Final

from tests.proving.case import Case, both, fails, refused, serves
from tests.proving.cases_fallbacks import MODELS, passed_on

ALIASES: Final = """\
router_settings:
  num_retries: 0
  model_group_alias:
    listed: [good]
    nick: good
    second: nick
    lost: nobody
    bad: good
"""

CASES: Final = (
    Case(
        "aliases-list",
        MODELS + "router_settings:\n  model_group_alias:\n    - nick: good\n",
        {"aliases-shape": 11},
        refused("'list' object has no attribute 'items'"),
        fixed=serves("nick"),
    ),
    Case(
        "alias-without-hidden",
        MODELS + "router_settings:\n  model_group_alias:\n    nick: {model: good}\n",
        {"alias-incomplete": 12},
        refused("KeyError: 'hidden'"),
        fixed=serves("nick"),
    ),
    Case(
        "aliases-to-nowhere",
        MODELS + ALIASES,
        {"alias-of-no-name": 13, "alias-of-alias": 15, "ghost-alias": 16, "alias-hides-group": 17},
        # `bad` is answered, though its own deployment fails every request
        both(fails("listed"), fails("second"), fails("lost"), serves("nick", "bad")),
        fixed=both(serves("listed", "second", "nick"), fails("lost")),
    ),
    Case(
        "alias-with-fallback",
        MODELS + "router_settings:\n  num_retries: 0\n  model_group_alias: {nick: bad}\n"
        "  fallbacks: [{bad: [good]}, {nick: [good]}]\n",
        {},
        passed_on("nick"),
    ),
)
