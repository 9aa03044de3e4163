"""The example of the settings, and what each setting says of itself."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from litellm_tui.target.settings import Settings, read_settings
from litellm_tui.target.settings_check import mistakes
from litellm_tui.target.settings_words import example, sections


def test_the_example_sets_nothing_until_it_is_uncommented() -> None:
    assert read_settings(example()) == (Settings(), ())


def test_every_setting_of_the_example_is_one_and_has_a_value_that_is_taken() -> None:
    text = "\n".join(line.removeprefix("# ") for line in example().splitlines()[2:] if not line.startswith("##"))
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root is not None
    # all at once some exclude each other, and that is all that is wrong
    found = {one.words for one in mistakes(root, yaml.safe_load(text), Settings)}
    assert all("expected one" in words or "exactly one" in words or "belongs into" in words for words in found), found


def test_the_example_has_every_setting() -> None:
    text = example()
    for section in sections():
        for one in section.settings:
            assert f"{one.key}:" in text


def test_each_example_is_taken_alone() -> None:
    def check(record: type[msgspec.Struct]) -> None:
        for field in msgspec.structs.fields(record):
            kind: Any = field.type
            for meta in getattr(kind, "__metadata__", ()):
                for given in meta.examples or ():
                    msgspec.convert(given, kind)

    from litellm_tui.model.notify_settings import Apprise, NotifySettings, Receiver, Rule, Webhook
    from litellm_tui.model.service_kinds import Compose, Custom, Docker, Process
    from litellm_tui.target.settings import AuditSettings, ProfileSettings

    for record in (Settings, ProfileSettings, AuditSettings, NotifySettings, Receiver, Rule, Webhook, Apprise, Compose,
                   Custom, Docker, Process):  # fmt: skip
        check(record)
