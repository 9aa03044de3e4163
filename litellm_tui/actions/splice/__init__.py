"""Edits of a YAML file that change only the bytes of what is edited.

Comments, order, quotes, anchors, line ends, the byte order mark and a missing end of the last line stay as they are.
The result is parsed again and compared with what was meant; nothing else is ever given back.
"""

from litellm_tui.actions.splice.diff import diff
from litellm_tui.actions.splice.splicing import splice
from litellm_tui.actions.splice.tree import CannotEdit

__all__ = ["CannotEdit", "diff", "splice"]
