"""The differences between what runs and what is written for the service, as changes and as texts without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from litellm_tui.analysis.change.difference import Change
from litellm_tui.analysis.phrases import count, first_of
from litellm_tui.model.reading import Reading
from litellm_tui.model.service_drift import Difference, ServiceDrift


def masked(drift: ServiceDrift, redact: Callable[[str], str]) -> ServiceDrift:
    """The drift with all its texts masked; values of variables are masked from the beginning."""
    return msgspec.structs.replace(
        drift,
        found=tuple(
            msgspec.structs.replace(
                d, runs=redact(d.runs), written=redact(d.written), source=redact(d.source), note=redact(d.note)
            )
            for d in drift.found
        ),
        unknown=tuple(map(redact, drift.unknown)),
        harm=tuple(map(redact, drift.harm)),
        broken=redact(drift.broken),
    )


def drift_changes(drift: ServiceDrift | None) -> Iterator[Change]:
    """Each difference as a change of the service."""
    if drift is None:
        return
    for difference in drift.found:
        yield _change(difference, drift)


def _change(difference: Difference, drift: ServiceDrift) -> Change:
    name = f"{difference.kind} {difference.name}".rstrip()
    whence = f"written in {difference.source}" if difference.source else ""
    another = what_brings_it_in(drift) if drift.order == "another" else ""
    return Change(
        difference.sign, "service", name, difference.runs, difference.written,
        note="; ".join(filter(None, (difference.note, whence, another))), needs_restart=not another,
        order=drift.command if drift.order == "recreate" else "",
    )  # fmt: skip


def drift_words(drift: ServiceDrift | None) -> tuple[str, ...]:
    """Each difference in one line."""
    return tuple(difference.words for difference in drift.found) if drift else ()


def not_compared(reading: Reading[ServiceDrift]) -> str:
    """What of the service could not be compared, and why; empty where all was, or nobody has looked yet."""
    if reading.failure is not None:
        return f"the service is not compared with what is written for it: {reading.failure.why}"
    if reading.value and reading.value.broken:
        return reading.value.broken
    unknown = reading.value.unknown if reading.value else ()
    return f"of the service is not known: {'; '.join(unknown)}" if unknown else ""


def what_brings_it_in(drift: ServiceDrift) -> str:
    """The order that applies the differences, and that a restart would not."""
    if drift.order == "recreate":
        return f"a restart keeps the container as it is: {drift.command} brings it in"
    if drift.order == "another":
        return f"a restart keeps the container as it is: only {drift.command} brings it in"
    if drift.order == "reload":
        return f"systemd has to read the unit's files anew: {drift.command} brings it in"
    return f"{drift.command} brings it in" if drift.command else "a restart brings it in"


def summary(drift: ServiceDrift) -> str:
    """How many differences, and of what."""
    kinds = [difference.words for difference in drift.found]
    return f"{count(len(kinds), 'difference')} of the service: {first_of(kinds)}"
