"""The record of a gateway: events for ever, measurements in steps that grow with their age, in one SQLite file."""

from litellm_tui.storage.history.lock import Held
from litellm_tui.storage.history.paths import history_path, history_path_of
from litellm_tui.storage.history.reader import HistoryReader
from litellm_tui.storage.history.writer import HistoryWriter

__all__ = ["Held", "HistoryReader", "HistoryWriter", "history_path", "history_path_of"]
