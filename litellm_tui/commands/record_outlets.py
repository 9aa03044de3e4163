"""What a recorder tells others: receivers, by `notify:` of the settings, and Prometheus, by `--listen`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from litellm_tui.model.failures import Failure
from litellm_tui.model.notify_settings import Apprise, NotifySettings, Webhook
from litellm_tui.monitor.exporter import ANYWHERE, Exporter, parse_listen
from litellm_tui.notify.notifier import Notifier, gateway_words
from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import SettingsError
from litellm_tui.ui.session import Session
from litellm_tui.ui.view import View

# where something else listens, it is looked again so often
AGAIN_SECONDS: Final = 60.0


class Outlets:
    """Raises `SettingsError` for an address that nothing can listen at, or that wants a word."""

    def __init__(self, settings: NotifySettings | None, listen: str = "", *, anywhere: bool = False) -> None:
        self._settings, self._anywhere = settings, anywhere
        self._exporter: Exporter | None = None
        self._say: Callable[[str], None] = lambda _: None
        self._said, self._listens, self._again_at = "", False, 0.0
        try:
            self._listen = parse_listen(listen, anywhere=anywhere) if listen else None
        except ValueError as error:
            raise SettingsError(f"record --listen: {error}") from error
        if anywhere and not listen:
            raise SettingsError(f"record {ANYWHERE}: says nothing without --listen HOST:PORT")

    @property
    def words(self) -> tuple[str, ...]:
        """The options that say the same again."""
        return () if self._listen is None else (f"--listen={self._listen}", *([ANYWHERE] if self._anywhere else []))

    @property
    def notes(self) -> Iterator[str]:
        """What a unit will lack that this shell may have: a variable of a receiver."""
        for name, one in self._settings.receivers.items() if self._settings is not None else ():
            for kind in (one.webhook, one.apprise):
                variables = [kind.url_env] if isinstance(kind, Apprise) else []
                variables += [kind.url_env, kind.key_env] if isinstance(kind, Webhook) else []
                for variable in filter(None, variables):
                    yield (
                        f"notify: {name} wants the variable {variable}, which the unit has not: name a file (url_file, "
                        "key_file), or set it in a drop-in of the unit"
                    )

    def join(self, session: Session, warn: Callable[[str], None]) -> None:
        """From its opening on, what this session sees is told."""
        if self._settings is not None:
            session.notify_by = partial(_notifier, self._settings, warn)

    def serve(self, profile: Profile, say: Callable[[str], None]) -> None:
        """Listen, where that was asked for. A port that is taken ends no recording: it is tried again."""
        if self._listen is not None:
            self._exporter, self._say = Exporter(self._listen, gateway_words(profile)), say
            self._try(time.monotonic())

    def take(self, view: View) -> None:
        """This is the newest view."""
        if self._exporter is None or view.fallen:
            return
        if not self._listens and time.monotonic() >= self._again_at:
            self._try(time.monotonic())
        self._exporter.take(view.snapshot, view.diagnosis, view.now, view.redact)

    def _try(self, now: float) -> None:
        assert self._exporter is not None
        at = self._exporter.start()
        self._listens = not isinstance(at, Failure)
        self._again_at = now + AGAIN_SECONDS
        found = (
            f"serves metrics at http://{at}/metrics" if not isinstance(at, Failure) else f"record --listen: {at.why}"
        )
        if found != self._said:
            self._say(found)
            self._said = found

    def stop(self) -> None:
        """Listen no more."""
        if self._exporter is not None:
            self._exporter.stop()


def _notifier(settings: NotifySettings, warn: Callable[[str], None], profile: Profile) -> Notifier:
    return Notifier.of(profile, settings, warn)
