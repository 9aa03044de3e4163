"""The settings of `notify:`: who is told, and by which rules. docs/notify.md describes them with an example of each."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from litellm_tui.model.diagnosis import PlaceKind
from litellm_tui.model.service_kinds import Command

Form = Literal["json", "slack", "ntfy", "pagerduty", "alertmanager"]
Ring = Literal["bell", "osc9", "osc777"]

PAGERDUTY_URL: Final = "https://events.pagerduty.com/v2/enqueue"
COMMAND_SECONDS: Final = 30.0
LONGEST_TIMEOUT: Final = 60.0
_DAY: Final = 86400.0
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,59}")
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address that takes a POST.

    The address stands in one of `url`, `url_env` and `url_file`; one that is a secret itself, as Slack's are, only in
    the last two.
    """

    form: Annotated[Form, Meta(description="How the message is written.", examples=["slack"])] = "json"
    url: Annotated[str | None, Meta(
        description="The address, where it is no secret.", examples=["http://127.0.0.1:8099/x"])] = None  # fmt: skip
    url_env: Annotated[str | None, Meta(
        description="Environment variable that holds the address.", examples=["SLACK_URL"])] = None  # fmt: skip
    url_file: Annotated[str | None, Meta(
        description="File that holds the address, alone on one line.",
        examples=["~/.config/litellm-tui/slack.url"])] = None  # fmt: skip
    key_env: Annotated[str | None, Meta(
        description="Environment variable that holds the key: PagerDuty's routing key, else a bearer token.",
        examples=["PAGERDUTY_KEY"])] = None  # fmt: skip
    key_file: Annotated[str | None, Meta(
        description="File that holds the key, alone on one line.",
        examples=["~/.config/litellm-tui/hook.key"])] = None  # fmt: skip
    timeout: Annotated[float, Meta(
        description="Seconds to wait for an answer, at most 60.", examples=[20])] = 10.0  # fmt: skip

    def __post_init__(self) -> None:
        given = [name for name in ("url", "url_env", "url_file") if getattr(self, name) is not None]
        if len(given) > 1 or (not given and self.form != "pagerduty"):
            raise ValueError("url, url_env or url_file: expected one of them")
        if self.form == "slack" and self.url is not None:
            raise ValueError("url: Slack's address is a secret: expected url_env or url_file")
        keys = [name for name in ("key_env", "key_file") if getattr(self, name) is not None]
        if len(keys) > 1 or (not keys and self.form == "pagerduty"):
            raise ValueError(
                "key_env or key_file: expected one of them"
                + (", for the routing key" if self.form == "pagerduty" else "")
            )
        check_timeout(self.timeout)


class Apprise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Anything that the library apprise knows an address for; the address is a secret, in a variable or a file."""

    url_env: Annotated[str | None, Meta(
        description="Environment variable that holds the address.", examples=["MATRIX_URL"])] = None  # fmt: skip
    url_file: Annotated[str | None, Meta(
        description="File that holds the address, alone on one line.",
        examples=["~/.config/litellm-tui/matrix.url"])] = None  # fmt: skip
    timeout: Annotated[float, Meta(
        description="Seconds to wait for an answer, at most 60.", examples=[20])] = 30.0  # fmt: skip

    def __post_init__(self) -> None:
        if (self.url_env is None) == (self.url_file is None):
            raise ValueError("url_env or url_file: expected one of them")
        check_timeout(self.timeout)


class Receiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told: exactly one of a webhook, a command, something of apprise, and the console's own terminal."""

    webhook: Annotated[Webhook | msgspec.UnsetType, Meta(
        description="An address that takes a POST.")] = msgspec.UNSET  # fmt: skip
    command: Annotated[Command | msgspec.UnsetType, Meta(
        description="A program with its arguments, that no shell sees: it gets the message as JSON on its standard "
        "input, and ends with 0 within 30 s.",
        examples=[["/usr/local/bin/page-me", "--team", "gateway"]])] = msgspec.UNSET  # fmt: skip
    apprise: Annotated[Apprise | msgspec.UnsetType, Meta(
        description="Anything that the library apprise knows an address for.")] = msgspec.UNSET  # fmt: skip
    terminal: Annotated[tuple[Ring, ...] | msgspec.UnsetType, Meta(
        description="The terminal of each console: its bell, or a notification of the desktop.",
        examples=[["bell", "osc9"]])] = msgspec.UNSET  # fmt: skip

    def __post_init__(self) -> None:
        names = ("webhook", "command", "apprise", "terminal")
        given = [name for name in names if getattr(self, name) is not msgspec.UNSET]
        if len(given) != 1:
            raise ValueError(f"{', '.join(names)}: expected exactly one of them")
        if self.terminal is not msgspec.UNSET and not self.terminal:
            raise ValueError("terminal: expected a list of bell, osc9, osc777")
        if self.command is not msgspec.UNSET and any(str(word) == "" or "\0" in str(word) for word in self.command):
            raise ValueError("command: expected a program and its arguments, none of them empty")

    @property
    def rings(self) -> tuple[Ring, ...]:
        """How a terminal is told; empty for every other receiver."""
        return () if isinstance(self.terminal, msgspec.UnsetType) else self.terminal


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told to whom. Every condition that is given has to hold."""

    severity: Annotated[Literal["warn", "bad"], Meta(
        description="The least severity; warn is everything that is wrong.", examples=["bad"])] = "warn"  # fmt: skip
    groups: Annotated[tuple[str, ...], Meta(
        description="Names of model groups, with * for any characters; what is of no group matches none.",
        examples=[["qwen*", "llama3.1:latest"]])] = ()  # fmt: skip
    subjects: Annotated[tuple[PlaceKind, ...], Meta(
        description="What a problem is about.", examples=[["gateway", "service", "database"]])] = ()  # fmt: skip
    lasting: Annotated[float, Meta(
        description="Seconds that a problem has to last, counted from its onset.",
        examples=[60])] = msgspec.field(default=0.0, name="for")  # fmt: skip
    quiet_hours: Annotated[tuple[str, ...] | str, Meta(
        description="Times of the day at which nothing is told; what is still so after them is.",
        examples=[["22:00-07:00"]])] = ()  # fmt: skip
    zone: Annotated[str | None, Meta(
        description="The time zone of quiet_hours; local time, where it is left out.",
        examples=["Europe/Berlin"])] = None  # fmt: skip
    once_in_minutes: Annotated[float, Meta(
        description="One problem is told at most once in so many minutes.", examples=[15])] = 0.0  # fmt: skip
    to: Annotated[tuple[str, ...], Meta(
        description="Names of receivers; all, where it is left out.", examples=[["duty"]])] = ()  # fmt: skip

    def __post_init__(self) -> None:
        if not 0 <= self.lasting <= _DAY:
            raise ValueError("for: expected seconds from 0 to 86400")
        if not 0 <= self.once_in_minutes <= 7 * 1440:
            raise ValueError("once_in_minutes: expected minutes from 0 to 10080")
        for hours in self.hours:
            span(hours)
        if self.zone is not None and not self.hours:
            raise ValueError("zone: is that of quiet_hours, which are not given")

    @property
    def hours(self) -> tuple[str, ...]:
        """The quiet hours as they are written."""
        return (self.quiet_hours,) if isinstance(self.quiet_hours, str) else self.quiet_hours

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The quiet hours as minutes of the day, from and to; the second is the smaller one over midnight."""
        return tuple(map(span, self.hours))


class NotifySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Receivers by their names, and the rules; without rules everything that is wrong is told to all of them."""

    receivers: Annotated[dict[str, Receiver], Meta(
        description="Who can be told, each by a name of your own.")] = {}  # fmt: skip
    rules: Annotated[tuple[Rule, ...], Meta(
        description="What is told to whom; without rules everything that is wrong is told to all."
    )] = (Rule(),)  # fmt: skip

    def __post_init__(self) -> None:
        if not self.receivers:
            raise ValueError("receivers: expected at least one")
        for name in self.receivers:
            if _NAME.fullmatch(name) is None:
                raise ValueError(
                    f"receivers: {name[:60]!r}: expected a name of letters, digits, -, _ and ., of at most 60"
                )
        for number, rule in enumerate(self.rules, 1):
            for name in rule.to:
                if name not in self.receivers:
                    known = ", ".join(self.receivers)
                    raise ValueError(f"rules: {number}: to: {name[:60]!r}: expected one of receivers: {known}")

    def rules_to(self, name: str) -> tuple[Rule, ...]:
        """The rules that tell this receiver."""
        return tuple(rule for rule in self.rules if not rule.to or name in rule.to)


def check_timeout(seconds: float) -> None:
    """Raises ValueError for a patience that is none, or would keep others waiting."""
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise ValueError(f"timeout: expected seconds above 0, up to {LONGEST_TIMEOUT:g}")


def span(text: str) -> tuple[int, int]:
    """`22:00-07:00` as minutes of the day. Raises ValueError."""
    found = _HOURS.fullmatch(text)
    if found is None:
        raise ValueError(f"quiet_hours: {text[:40]!r}: expected such as 22:00-07:00")
    first, last = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if last > 24 * 60 or first == last:
        raise ValueError(f"quiet_hours: {text[:40]!r}: expected two different times of a day")
    return first, last
