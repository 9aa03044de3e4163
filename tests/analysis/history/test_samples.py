from __future__ import annotations

from litellm_tui.analysis.history.samples import causes
from litellm_tui.model.diagnosis import Diagnosis, Headline, Verdict
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Failures, FailureTally, SilentTally, Subject, Traffic

NOW = 1_800_000_000.0
MINUTE = int(NOW // 60)
UNKNOWN = Verdict("unknown", "quiet")
NOTHING = Diagnosis(Headline("OK", "ok"), UNKNOWN, UNKNOWN, UNKNOWN)


def tally(cause: str, name: str, subject: Subject) -> FailureTally:
    return FailureTally(
        cause, "group", name, "", "request", "words", NOW - 60, NOW, 1, counts=((MINUTE, 3),), subject=subject
    )


def test_what_failed_is_counted_by_its_cause_and_what_was_asked_wrongly_is_not() -> None:
    failures = Failures((tally("refused", "small", "upstream"), tally("no such group", "nosuch", "caller")))
    silent = SilentTally("GET /v1/models/*", NOW - 60, NOW, 2, ((MINUTE, 5),), ((404, 5),))
    snapshot = Snapshot(NOW, failures=failures, traffic=Traffic(silent=(silent,)))
    assert causes(snapshot, NOTHING, NOW) == {"cause:small:refused": {MINUTE: 3}}
