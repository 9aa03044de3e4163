"""Whose failure it is that LiteLLM's files for MCP servers report, by its own words: much of it is no MCP server's.

The same files check who asks, log the calls, keep tokens in the database, and run guardrails and a filter of tools
(1.106.2, 1.109.3).
"""

from __future__ import annotations

import re
from typing import Final

from litellm_tui.model.traffic import Subject

# characters in which LiteLLM says what it was at
_WITHIN: Final = 300
_WORDS: Final[tuple[tuple[Subject, tuple[str, ...]], ...]] = (
    # what is told of a call failed, and not the call
    ("side service", (r"\blogging failed\b", r"\berror logging\b", r"\bfailed to log\b", r"\bto send .{1,60} alert\b")),
    ("caller", (r"\bstate parameter\b",)),
    ("cache", (r"\binvalidate\w{0,3}[ _].{0,60}cache\b",)),
    # its own tables, and what is encrypted in them
    (
        "database",
        (
            r"\bpersist\b", r"\bprefetch", r"\bfailed to retrieve credential", r"\benv var load failed\b",
            r"\bcould not be saved\b", r"\bstorage failed\b",
            r"\bcleanup failed\b", r"\benumeration failed\b", r"\bbackfill:", r"\bunreadable\b",
            r"\bcould not be decrypted\b", r"\b(?:failed to|cannot|could not) (?:decrypt|decode cred)", r"_db::",
            r"\bfailed to load teams\b", r"\brow missing\b",
        ),
    ),
    (
        "gateway",
        (
            r"\b(?:rejecting|rejected|denying|withheld) mcp\b", r"\brejecting redirect_uri\b", r"\bguardrail",
            r"blockedpiientity", r"\bterminated by an administrator\b", r"\bsemantic", r"\bexpand mcp references\b",
            r"\btools expanded from mcp\b", r"\bsampling: (?:denying|model access|route check|budget check|disabled)",
            r"\bnot found in this worker\b", r"\bclient application\b", r"\bmissing: no module\b",
            r"\bdependencies are missing\b", r"\bnot installed\b", r"\bmcp registry\b",
            r"\bno model could be resolved\b", r"_key_pem (?:must|is not)\b", r"\bdependency is not configured\b",
            r"\bhttpexception in\b", r"(?<!upstream )subscription limit reached",
            r"\bstorage not authorized\b", r"\brejecting every mcp\b", r"identity_binding audit\b",
            r"\bno running event loop\b",
        ),
    ),
    (
        "caller",
        (
            r"^tool .{1,120} not found\b", r"^path parameter\b", r"\brefused an? (?:subject_token|assertion)\b",
            r"\binvalid pagination\b", r"\bmodern mcp protocol\b", r"^unsupported mcp protocol\b",
            r"\bauthenticated caller identity\b",
        ),
    ),
    # who signs people in
    ("side service", (r"\bidp\b(?! rejected the subject)", r"\bsso\b", r"\bsaml\b")),
)  # fmt: skip
# a line of these files that says nothing of a server, or of what is asked of one, is the gateway's own
_OF_A_SERVER: Final = re.compile(
    "|".join((
        r"\bservers?\b", r"\bupstream\b", r"\bmcp (?:client|list|response|connection|oauth|token|resource|prompt|tool)",
        r"\btools?/list", r"\blist(?:ing)?[ _](?:tool|prompt|resource)", r"\btools? (?:call|from)\b",
        r"\btoken (?:endpoint|exchange)\b", r"\boauth2\b", r"\bopenapi\b", r"\bstdio\b", r"\bconnect",
        r"\boperation failed for\b",
        r"\bprotocol\b", r"\b(?:timed out|timeout|refused|unreachable)\b",
    ))
)  # fmt: skip
_PATTERNS: Final = tuple((subject, re.compile("|".join(words))) for subject, words in _WORDS)


def whose_of_mcp(text: str, *, logged: bool) -> Subject:
    """The subject that the words name in place of an MCP server; empty where they name none.

    Where LiteLLM logged the text these words are its own; what was raised may have any program's.
    """
    lowered = text[:_WITHIN].lower()
    found = next((subject for subject, pattern in _PATTERNS if pattern.search(lowered)), None)
    if found is None and logged and _OF_A_SERVER.search(lowered) is None:
        return "gateway"
    return found or ""
