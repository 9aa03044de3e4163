"""Settings that are no JSON, and variables that cannot be exported."""

from __future__ import annotations

from tests.proving.case import Case, refused, runs

CASES: tuple[Case, ...] = (
    Case(
        "setting-with-a-key-that-is-no-text",
        "general_settings:\n  on: 1\n",
        finds={"setting-not-json": 1},
        proof=refused("Input should be a valid string"),
        otherwise=runs,
        since="1.106",
    ),
    Case(
        "setting-that-is-a-date",
        "environment_variables:\n  SINCE: 2026-01-31\n",
        finds={"setting-not-json": 2},
        proof=refused("input_type=date"),
        since="1.106",
    ),
    Case(
        "setting-that-holds-itself",
        "litellm_settings: &all\n  metadata: *all\n",
        finds={"setting-not-json": 2},
        proof=refused("cyclic reference detected"),
        since="1.106",
    ),
    Case(
        "variable-with-an-equals-sign",
        "environment_variables:\n  A=B: x\n",
        finds={"variable-refused": 2},
        proof=refused("illegal environment variable name"),
    ),
    Case(
        "variable-without-a-name",
        "environment_variables:\n  '': x\n",
        finds={"variable-refused": 2},
        proof=refused("Invalid argument"),
    ),
    Case(
        "variable-with-a-nul",
        'environment_variables:\n  A: "a\\0b"\n',
        finds={"variable-refused": 2},
        proof=refused("embedded null byte"),
    ),
)
