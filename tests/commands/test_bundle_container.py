"""The files of a container in a bundle: names and shape, and no value of a variable."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.redaction.redactor import MASK
from litellm_tui.commands.bundle_container import masked_definition, masked_variables

COMPOSE = """\
# the gateway
services:
  gw:
    image: "gw:1"
    build: {args: {TOKEN: abcdef}}
    environment:
      PLAIN: a value of its own   # why
      KEY: 'sk-quoted-value'
      FROM: ${FROM:-x}
      EMPTY:
      NUMBER: 4000
    labels: {api_key: sk-in-a-label}
  other:
    environment:
      - LISTED=another value
      - "QUOTED=quoted value"
      - BARE
      - REFERRED=${REFERRED}
"""


def _same(text: str) -> str:
    return text


def test_a_compose_file_keeps_its_shape_without_a_value_of_a_variable() -> None:
    shown = masked_definition(COMPOSE, _same)
    assert shown is not None
    for value in ("abcdef", "a value of its own", "sk-quoted-value", "sk-in-a-label", "another value", "quoted value"):
        assert value not in shown
    for kept in ("# the gateway", 'image: "gw:1"', "# why", "FROM: ${FROM:-x}", f"LISTED={MASK}", f'"QUOTED={MASK}"',
                 "- BARE", "REFERRED=${REFERRED}", f"NUMBER: {MASK}"):  # fmt: skip
        assert kept in shown


@pytest.mark.parametrize("text", ["services: [", "\x00", "a: b: c"])
def test_a_file_that_cannot_be_read_is_left_out(text: str) -> None:
    assert masked_definition(text, _same) is None


def test_a_file_of_variables_has_its_names_alone() -> None:
    text = "# it's of the gateway\n\nKEY=sk-x # more\nexport B = 'two words'\nYAML: sk-y\nnothing of a name\nEMPTY=\n"
    assert masked_variables(text) == (
        f"# it's of the gateway\n\nKEY={MASK}\nexport B ={MASK}\nYAML:{MASK}\n{MASK}\nEMPTY=\n"
    )


def test_a_value_of_several_lines_leaves_the_file_out() -> None:
    assert masked_variables("A=1\nKEY='-----BEGIN\nsk==\n'\n") is None
