"""A rehearsal in words."""

from __future__ import annotations

from collections.abc import Iterator

from litellm_tui.analysis.phrases import count, shortened
from litellm_tui.model.rehearsal import Rehearsal


def headline(done: Rehearsal) -> str:
    """What came of it, in one line."""
    if done.outcome == "not possible":
        return f"not rehearsed: {done.cause}"
    if done.outcome == "not judged":
        return f"not judged: {done.cause}"
    if done.outcome == "refused":
        return f"refused: {done.cause}{f' ({done.mark})' if done.mark else ''}"
    return f"rehearsed: {passed(done)}"


def passed(done: Rehearsal) -> str:
    """How one went that passed."""
    words = [f"answers after {done.ready:.1f} s" if done.ready is not None else "answers"]
    if done.memory:
        words.append(f"{done.memory / 1e6:.0f} MB")
    words.append(f"{count(len(done.loaded), 'deployment')} loaded")
    words += [f"LiteLLM {done.version}"] if done.version else []
    return ", ".join(words)


def rehearsal_lines(done: Rehearsal) -> Iterator[str]:
    """Everything else that it has shown, a line each."""
    for title, texts in (
        ("not loaded", done.dropped),
        ("otherwise than what runs", done.differs),
        ("its log warns", done.warnings if done.outcome == "passed" else ()),
        ("left out, so as to do no harm", done.left_out),
    ):
        if texts:
            yield f"{title}:"
            yield from (f"  {text}" for text in texts)
    if done.probes:
        yield "probes:"
        for probe in done.probes:
            said = "answered" if probe.ok else probe.skipped or shortened(probe.error.strip().partition("\n")[0], 200)
            yield f"  {probe.group} ({probe.model}): {said}"
    if done.log:
        yield "it said last:"
        yield from (f"  {shortened(line, 300)}" for text in done.log for line in text.splitlines()[:3])
    if done.outcome != "not possible":
        yield f"{done.took:.1f} s; the gateway went on serving"
