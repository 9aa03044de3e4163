"""What a bundle holds: each part as text in which every secret is masked, or the reason why it is left out."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from litellm_tui.actions.splice.diff import masked_file
from litellm_tui.analysis.failures.incidents import find_incidents
from litellm_tui.analysis.redaction.redactor import MASK
from litellm_tui.commands import audit_print, incidents, status
from litellm_tui.commands.bundle_container import container_parts, is_container
from litellm_tui.commands.bundle_part import Ask, Part, json_part, read_part, text_part
from litellm_tui.commands.look import Look
from litellm_tui.commands.status_document import document
from litellm_tui.host.systemd_tools import UNIT_PROPERTIES, parse_environment
from litellm_tui.logs.log_line import clean
from litellm_tui.model.log import LogRecord
from litellm_tui.model.reading import Reading

MOST_OF_THE_LOG: Final = 32 << 20
_ASSIGNED: Final = re.compile(
    r"^((?:[^\S\n]|[#;])*+(?:Environment|SetCredential\w*)\s*=)((?:[^\\\n]|\\[\s\S])*)", re.MULTILINE
)


def parts(seen: Look, minutes: int, ask: Ask) -> Iterator[Part]:
    """All parts. What cannot be had is a part with its reason, whatever the reason."""
    redact = seen.redact
    yield text_part("status.txt", "\n".join(status.lines(seen, ascii_only=False)), redact)
    yield json_part("status.json", document(seen), redact)
    yield from _audit(seen)
    yield from _configuration(seen)
    yield from _environment(seen)
    yield json_part("health.json", _health(seen), redact)
    yield json_part("routing.json", _routing(seen), redact)
    yield from _service(seen, ask)
    found = find_incidents(seen.snapshot.failures, seen.diagnosis, seen.now, traffic=seen.snapshot.traffic)
    yield text_part("incidents.txt", "\n".join(map(clean, incidents.lines(found, seen, 0.0))), redact)
    yield json_part("incidents.json", incidents.document(found, seen, 0.0), redact)
    yield from _log(seen, minutes)


def never(seen: Look) -> Iterator[Part]:
    """What no bundle holds, and why."""
    yield Part("values of the environment", missing="only their names are in it: a value may be a secret")
    yield Part("requests and answers", missing="DEBUG lines of the log are left out: they hold prompts")
    yield Part("backups of the configuration", missing="they hold what the files held, secrets included")
    if seen.profile.key is not None:
        yield Part("the gateway's key", missing="it is a secret")


def _audit(seen: Look) -> Iterator[Part]:
    audit = seen.diagnosis.audit
    if audit is None:
        yield Part("audit.txt", missing="there is no configuration that could be read")
    else:
        yield text_part("audit.txt", "\n".join(audit_print.text(audit)), seen.redact)


def _configuration(seen: Look) -> Iterator[Part]:
    configuration = seen.snapshot.configuration
    path = seen.profile.config.value if seen.profile.config else None
    if path is None:
        yield Part("configuration", missing="no configuration file was found; --config FILE names one")
        return
    files = configuration.current.files if configuration.current else (path,)
    for number, file in enumerate(dict.fromkeys((path, *files))):
        name = f"configuration/{number}-{Path(file).name}"
        text = read_part(file)
        if isinstance(text, Part):
            yield Part(name, missing=f"{file}: {text.missing}")
            continue
        shown = masked_file(text, seen.redact)
        yield Part(name, shown, shown.count(MASK) - text.count(MASK))
    if configuration.error:
        yield text_part("configuration/error.txt", f"the file cannot be used: {configuration.error}", seen.redact)


def _environment(seen: Look) -> Iterator[Part]:
    environment = seen.profile.environment
    if not environment or seen.profile.found_unit is None:
        yield Part("environment.txt", missing="the environment of the service is not known")
        return
    lines = [f"{name}={MASK}   [{variable.source}]" for name, variable in sorted(environment.items())]
    for path, why in seen.profile.found_unit.unread:
        lines.append(f"# {path} could not be read: {why}")
    yield text_part("environment.txt", "\n".join(lines), seen.redact, len(environment))


def _health(seen: Look) -> dict[str, Any]:
    """What each source of the gateway said last, with when, or why it said nothing."""
    gateway = seen.snapshot.gateway
    return {
        name: _reading(getattr(gateway, name))
        for name in ("liveliness", "readiness", "groups", "deployments", "health", "cache_ping", "redis", "metrics")
    } | {
        "redis_answer": _reading(seen.snapshot.redis_answer),
        "postgres_answer": _reading(seen.snapshot.database.answer),
    }


def _reading(reading: Reading[Any]) -> dict[str, Any]:
    return {
        "value": msgspec.to_builtins(reading.value),
        "seen_at": reading.seen_at,
        "failure": reading.failure.why if reading.failure else None,
    }


def _routing(seen: Look) -> dict[str, Any]:
    diagnosis = seen.diagnosis
    return {
        "chains": msgspec.to_builtins(diagnosis.chains),
        "groups": msgspec.to_builtins(diagnosis.groups),
        "running": _reading(seen.snapshot.gateway.router),
        "not_applied": list(diagnosis.drift),
    }


def _service(seen: Look, ask: Ask) -> Iterator[Part]:
    yield json_part("service.json", _reading(seen.snapshot.service), seen.redact)
    profile = seen.profile
    if is_container(seen):
        yield from container_parts(seen, ask)
        return
    if profile.kind != "systemd" or profile.unit is None:
        why = "no unit was found" if profile.unit is None else f"the service is no unit of systemd, but {profile.kind}"
        yield Part("unit.txt", missing=why)
        return
    unit = profile.unit.value
    for name, words in (("unit.txt", ("cat", unit)), ("unit-properties.txt", ("show", unit, "-p", UNIT_PROPERTIES))):
        try:
            said = ask(profile.tools.unit_command(profile.scope, "--no-pager", *words))
        except OSError as error:
            yield Part(name, missing=str(error))
            continue
        if not said.strip():
            yield Part(name, missing=f"systemctl {words[0]} shows nothing")
            continue
        shown = _ASSIGNED.sub(_names_alone, said)
        yield text_part(name, shown, seen.redact, shown.count(MASK) - said.count(MASK))


def _names_alone(match: re.Match[str]) -> str:
    names = parse_environment(match[2].replace("\\\n", " "))
    return match[1] + (" ".join(f"{name}={MASK}" for name in names) if names else MASK if match[2] else "")


def _log(seen: Look, minutes: int) -> Iterator[Part]:
    log = seen.snapshot.log
    begin = seen.now - minutes * 60
    records = [record for record in seen.store.since(seen.store.first) if record.time >= begin]
    told = [record for record in records if record.level != "DEBUG"]
    if not told:
        why = log.failure.why if log.failure else f"it has no line of the last {minutes} minutes"
        yield Part("log.txt", missing=why)
        return
    lines, size = [], 0
    for record in reversed(told):
        line = _line(record)
        size += len(line)
        if size > MOST_OF_THE_LOG:
            break
        lines.append(line)
    yield text_part("log.txt", "\n".join(reversed(lines)), seen.redact)
    oldest = seen.store.get(seen.store.first)
    if len(lines) < len(told):
        yield Part("older lines of the log", missing=f"the last {len(lines):,} fill 32 MB")
    elif oldest is not None and oldest.time > begin:
        yield Part("older lines of the log", missing=f"it was read from {_stamp(oldest.time)} on")
    if len(told) < len(records):
        yield Part("DEBUG lines of the log", missing=f"{len(records) - len(told):,} of them: they hold prompts")


def _line(record: LogRecord) -> str:
    call = f" call={record.call_id}" if record.call_id else ""
    stack = "\n" + record.stack if record.stack else ""
    return f"{_stamp(record.time)} {record.level:<8} {record.source:<8} [{record.process}]{call} {record.text}{stack}"


def _stamp(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"
