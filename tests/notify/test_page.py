"""docs/notify.md: every example of it can be used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from litellm_tui.model.diagnosis import PlaceKind
from litellm_tui.model.notification import Message
from litellm_tui.model.notify_settings import Form, Receiver, Rule
from litellm_tui.notify.receivers import Address, address_of
from litellm_tui.target.settings import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "notify.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
ENVIRON = {
    "SLACK_URL": "https://hooks.slack.com/services/T0/B0/x", "HOOK_TOKEN": "t", "NTFY_URL": "https://ntfy.sh/topic",
    "NTFY_TOKEN": "tk_x", "PAGERDUTY_KEY": "k", "MATRIX_URL": "matrix://u:p@h/r",
}  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_can_be_used(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / ".config" / "litellm-tui").mkdir(parents=True)
    (home / ".config" / "litellm-tui" / "slack.url").write_text(ENVIRON["SLACK_URL"] + "\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    path = tmp_path / "config.yaml"
    path.write_text(example, encoding="utf-8")
    found = load_settings(path).notify
    assert found is not None
    for name, receiver in found.receivers.items():
        assert isinstance(address_of(receiver, ENVIRON), Address), name


def test_there_is_an_example_of_each_receiver() -> None:
    text = "".join(EXAMPLES)
    for kind in Receiver.__struct_fields__:
        assert f"{kind}: " in text
    for form in get_args(Form):
        assert form == "json" or f"form: {form}" in text


def test_it_names_every_key_and_every_field() -> None:
    for key in (field.encode_name for field in msgspec.structs.fields(Rule)):
        assert f"`{key}`" in TEXT, key
    for name in Message.__struct_fields__:
        assert f"`{name}`" in TEXT, name
    for subject in get_args(PlaceKind):
        assert f"`{subject}`" in TEXT, subject
