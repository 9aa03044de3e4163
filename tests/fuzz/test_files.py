"""Whatever a file, a tool's output or /proc holds, its reader has a value or a refusal for it: nothing is raised.

And no reader takes more than linear time: five times the input, at most eight times the CPU time.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litellm_tui.actions.in_place import recover
from litellm_tui.actions.splice import CannotEdit, diff, splice
from litellm_tui.actions.splice_within import splice_within
from litellm_tui.actions.transaction.record import Record, RestartLock
from litellm_tui.audit.catalogue.records import Catalogue
from litellm_tui.audit.run import run_audit
from litellm_tui.audit.subject import Subject
from litellm_tui.collectors import redis
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.embedded import unwrap
from litellm_tui.collectors.config.includes import include_entries, named_files
from litellm_tui.collectors.config.load_embedded import load_piece
from litellm_tui.collectors.gateway import answers, metrics
from litellm_tui.collectors.litellm_source import catalogues
from litellm_tui.host import proc
from litellm_tui.host.compose_env_file import parse_compose
from litellm_tui.host.environment_file import parse_dotenv, parse_systemd, secrets_of
from litellm_tui.host.environment_lines import lines_not_taken
from litellm_tui.host.systemd_tools import (
    directive_lines,
    expand,
    parse_environment,
    parse_exec_start,
    parse_show,
    parse_time_span,
)
from litellm_tui.logs.pump import Pump
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.edits import Remove, SetValue
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.compose.container import service_from as container_service
from litellm_tui.services.compose.discovery import unit_from as container_unit
from litellm_tui.services.docker import docker_cli
from litellm_tui.services.docker.engine import EngineLog
from litellm_tui.services.docker.engine_api import Answer, Refused
from litellm_tui.services.process import pid_file
from litellm_tui.services.systemd.discovery import unit_from
from litellm_tui.services.systemd.unit_state import service_from
from litellm_tui.storage.backups import index
from litellm_tui.storage.filters import SavedFilters
from litellm_tui.storage.state import StateFile
from litellm_tui.target.settings import SettingsError, load_settings
from litellm_tui.ui.themes import load_theme
from tests.environment_files import FILES
from tests.fuzz.mutations import mutated, torn
from tests.recorded import CONFIG, FOLDER, made_file

FUZZ = settings(
    max_examples=80, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


# --- configurations --------------------------------------------------------------------------------------------

YAML_PIECES = (
    "&a [*a]", "*a", "&a {k: *a}", "<<: *a", "<<: 1", "!!python/object:os.system x", "!!binary '&'", "!!timestamp x",
    "!!int x", "!!float ''", "!!set {a, b}", "!!omap [a: 1, 2]", "!!pairs [a]", "? [a, b]\n: c", "? {a: b}\n: c",
    "0x" + "f" * 4000, "1" * 5000, "1_0:59:59", "-.inf", ".nan", "2001-99-99", "2001-12-14t21:59:43.10-05:00",
    "\t", "\0", "\x85", "\u2028", "\ufeff", "'", '"', '"\\x', '"\\ud800"', "|", ">9\n x", "%YAML 9.9\n---",
    "---", "...", "- - - -", "[" * 200 + "]" * 200, "{a: " * 300, "model_list:", "- model_name: a",
    "litellm_params: {model: [x], rpm: 1e999}", "include: [config.yaml]", "include: {a: b}", "include: [1]",
    "include: ['\\0']", "os.environ/", "a: os.environ/B", "general_settings: []", "= : 1", "~: ~", "? ", ": ",
    "null: 1", "1: 2", "true: no", "\n", " ", "  ", "# litellm-tui: ignore x y", "!", "!!", "@", "`", "%",
)  # fmt: skip
pieces = st.lists(st.one_of(st.sampled_from(YAML_PIECES), st.text(max_size=6)), max_size=12)


def _mixed(parts: list[str], at: int, joint: str) -> str:
    lines = CONFIG.splitlines(keepends=True)
    at %= len(lines) + 1
    return "".join(lines[:at]) + joint.join(parts) + "".join(lines[at:])


@FUZZ
@given(
    pieces,
    st.integers(0, 60),
    st.sampled_from(["", "\n", " ", "\n  "]),
    st.sampled_from(["utf-8", "utf-16", "latin-1"]),
)
def test_a_configuration_of_any_content(tmp_path: Path, parts: list[str], at: int, joint: str, encoding: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(_mixed(parts, at, joint).encode(encoding, "replace"))
    loaded = config_file.load(str(path), {"B": "secret-value"})
    named_files(str(path))
    if isinstance(loaded, ConfigFile):
        tuple(config_file.secrets_in(loaded, {"B": "secret-value"}))
        str(loaded.deployments)


OUTSIDE = {
    "map.yaml": "apiVersion: v1\nkind: ConfigMap\ndata:\n  config.yaml: |\n    ",
    "secret.yaml": "apiVersion: v1\nkind: Secret\nstringData:\n  config.yaml: |\n    ",
    "values.yaml": "replicaCount: 1\nproxy_config:\n  ",
    "compose.yaml": "services: {llm: {image: litellm}}\nconfigs:\n  c:\n    content: |\n      ",
    "main.tf": "resource x y {\n  c = <<EOT\n",
    "a.md": "# x\n\n```yaml\n",
    "plain": "",
}


@FUZZ
@given(pieces, st.integers(0, 60), st.sampled_from(["", "\n", " ", "\n  "]), st.sampled_from(sorted(OUTSIDE)))
def test_a_file_of_another_kind_with_any_content(parts: list[str], at: int, joint: str, name: str) -> None:
    head = OUTSIDE[name]
    margin = "\n" + head.rpartition("\n")[2]
    text = (
        head + _mixed(parts, at, joint).replace("\n", margin) + ("\nEOT\n```\n" if name in ("main.tf", "a.md") else "")
    )
    content = text.encode("utf-8", "replace")
    wrapped = unwrap(content, f"/nowhere/{name}")
    for piece in wrapped.pieces if wrapped else ():
        load_piece(piece, {"B": "x"})
        with suppress(CannotEdit):
            edit = SetValue(("model_list", 0, "model_name"), "b")
            after = splice_within(content, (edit,), f"/nowhere/{name}", piece.name)
            assert after.startswith(head.encode()) or name == "plain"


@FUZZ
@given(pieces, st.integers(0, 60), st.sampled_from(["", "\n", " ", "\n  "]))
def test_a_splice_into_any_content_changes_it_as_meant_or_refuses(parts: list[str], at: int, joint: str) -> None:
    content = _mixed(parts, at, joint).encode("utf-8", "replace")
    edits = (SetValue(("model_list", 0, "model_name"), "b"), Remove(("model_list", 1)))
    for edit in edits:
        try:
            yaml.safe_load(splice(content, (edit,)))
        except CannotEdit:
            continue


@FUZZ
@given(pieces)
def test_settings_and_themes_of_any_content(tmp_path: Path, parts: list[str]) -> None:
    path = tmp_path / "config.yaml"
    for head in ("", "profiles: {a: ", "theme: ", "name: x\ncolors: "):
        path.write_bytes((head + "\n".join(parts)).encode("utf-8", "replace"))
        for load in (load_settings, load_theme):
            try:
                load(path)
            except SettingsError:
                continue


# --- what is kept ----------------------------------------------------------------------------------------------

HOLDER = {"user": "u", "host": "h", "pid": 1, "since": 1.0}
PROBLEM = {
    "key": "gateway:", "severity": "bad", "title": "t", "cause": "c", "reason": "r", "place": {"kind": "gateway"},
}  # fmt: skip
STATE = {
    "form": 1, "gateway": "g", "memory": {"gateway:": {"problem": PROBLEM, "first_seen": 1.0, "last_seen": 2.0}},
    "expected_down": {"a": "b"}, "last": {"at": 1.0, "version": "v", "deployments": ["a"]}, "incidents_looked_at": 1.0,
}  # fmt: skip
FILE = {"path": "/a", "role": "config", "name": "n", "sha256": "s", "mode": 1, "owner": [0, 0]}
BACKUP = {"id": 1, "at": 1.0, "why": "seen running", "digest": "x", "files": [FILE], "unread": ["/b"]}
INDEX = {"form": 1, "gateway": "g", "backups": [BACKUP]}
RECORD = {
    "form": 1, "unit": "u", "holder": HOLDER, "stage": "restart", "backup": 1, "good": 2,
    "expected": {"ordered_at": 1.0},
}  # fmt: skip
IN_PLACE = {"target": "", "before": "", "content": "bmV3", "copy": "config.yaml.backup.1"}
FILTERS = {"form": 1, "filters": {"a": "b"}}


def _documents(document: object) -> Iterator[bytes]:
    content = json.dumps(document).encode()
    yield from mutated(content)
    yield from torn(content)


class Kept(NamedTuple):
    """Where it lies, what reads it, and whether a value is what is read of the sample as it is."""

    path: Path
    read: Callable[[], object]
    whole: Callable[[Any], object]


def _kept(name: str, folder: Path) -> tuple[object, Kept]:
    desk, state = RestartLock("http://gw", "u", folder), StateFile("http://gw", "u", folder)
    filters = SavedFilters(folder / "filters.json")

    def _loaded() -> dict[str, str]:
        filters.load()
        return filters.filters

    target, note = folder / "config.yaml", folder / f"in-place.{'0' * 16}.json"
    target.write_bytes(b"nld")
    (folder / "config.yaml.backup.1").write_bytes(b"old")
    intent = {**IN_PLACE, "target": str(target), "before": hashlib.sha256(b"old").hexdigest()}
    return {
        "state": (STATE, Kept(state.path, state.load, lambda kept: kept.memory and kept.last)),
        "filters": (FILTERS, Kept(folder / "filters.json", _loaded, bool)),
        "record": (RECORD, Kept(desk._record.path, desk.unfinished, lambda found: isinstance(found, Record))),
        "index": (INDEX, Kept(folder / index.INDEX, lambda: index.read(folder), lambda found: len(found) == 1)),
        "in place": (intent, Kept(note, lambda: recover(folder, change=False), lambda found: len(found) == 1)),
    }[name]


@pytest.mark.parametrize("name", ["state", "filters", "record", "index", "in place"])
def test_kept_records_of_any_content(tmp_path: Path, name: str) -> None:
    document, kept = _kept(name, tmp_path)
    kept.path.parent.mkdir(exist_ok=True)
    kept.path.write_bytes(json.dumps(document).encode())
    assert kept.whole(kept.read()), "the sample is none"
    for content in _documents(document):
        kept.path.write_bytes(content)
        assert isinstance(kept.read(), Failure | msgspec.Struct | tuple | dict | None)


CATALOGUE = {
    "version": "1.106.2", "source": "installed", "router": ["num_retries"], "general": ["master_key"],
    "environment": ["OPENAI_API_KEY"], "providers": ["openai"], "models": {"gpt-4": "chat"},
    "defaults": {"num_retries": 2},
}  # fmt: skip


def test_a_catalogue_of_any_content_is_taken_or_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anew = NotAvailable("it is read anew")
    (tmp_path / "bin").mkdir()
    package = tmp_path / "lib/python3.11/site-packages/litellm"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setattr(catalogues, "_read_apart", lambda *_: anew)
    monkeypatch.setattr(catalogues, "_identity", lambda _: "kept")
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    loaded = config_file.load(str(path), {})
    assert isinstance(loaded, ConfigFile)
    taken = []
    for content in (json.dumps(CATALOGUE).encode(), *_documents(CATALOGUE)):
        (tmp_path / "kept.json").write_bytes(content)
        found = catalogues.installed(str(tmp_path / "bin/python3"), tmp_path)
        if isinstance(found, Catalogue):
            taken.append(found)
        else:
            assert found is anew
    assert taken[0].providers == {"openai"}
    for catalogue in taken[:: max(1, len(taken) // 40)]:
        assert "failed" not in str(run_audit(Subject(loaded, catalogue, catalogues.shipped(), {}, None), {}).unknown)


# --- tools -----------------------------------------------------------------------------------------------------


def test_docker_says_anything() -> None:
    inspected = (FOLDER / "docker-28.2.2/inspect.json").read_bytes()
    for content in (*mutated(inspected, 2500), *torn(inspected)):
        found = docker_cli.parse_containers(content.decode(errors="replace"))
        if not isinstance(found, Failure):
            for container in found:
                container_service(container, Compose(service="a"))
                container_unit(container)
    row = json.dumps(
        {"ID": "1", "Service": "s", "State": "running", "Labels": "a=b", "CPUPerc": "1%", "MemUsage": "1MiB / 2"}
    )
    for content in (*mutated(row.encode()), *torn(row.encode())):
        text = content.decode(errors="replace")
        docker_cli.parse_rows(text)
        if found_stats := docker_cli.parse_stats(text):
            docker_cli.parse_percent(found_stats.cpu)


def _refusal(log: EngineLog, content: bytes) -> str | bool:
    """Whether the engine's description of a container says that it has a terminal, or why that is not known."""
    log._get = lambda _, __, heed, *___: heed(content)  # type: ignore[method-assign]
    try:
        return log._has_terminal(Pump(lambda _: None))
    except Refused as refused:
        return str(refused)


def test_the_engine_says_anything() -> None:
    log = EngineLog("/nonexistent", "abc", "stdout=1")
    described = json.dumps({"Id": "abc", "Config": {"Tty": True, "Env": ["A=b"]}}).encode()
    assert _refusal(log, described) is True
    for content in (*mutated(described), *torn(described)):
        assert _refusal(log, content) in (True, False) or "another way than is known" in str(_refusal(log, content))
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n\r\n"
    for status in (b"200 OK", b"404 Not Found", b"999999 x", b"\xb2 x", b"", b"-1", b"200"):
        for content in (*mutated(b'{"message": "no such container"}'), *torn(head % status + described)):
            answer = Answer(lambda _: None)
            with suppress(Refused):
                for piece in (head % status, content):
                    answer.feed(piece)
                answer.finish("it is not there")


@FUZZ
@given(pieces, st.sampled_from(["services: ", "services: {a: ", "services:\n  a:\n    env_file: ", ""]))
def test_a_compose_file_of_any_content(tmp_path: Path, parts: list[str], head: str) -> None:
    path = tmp_path / "compose.yaml"
    path.write_bytes((head + "\n".join(parts)).encode("utf-8", "replace"))
    labels = {
        "com.docker.compose.project.config_files": str(path),
        "com.docker.compose.project.working_dir": str(tmp_path),
        "com.docker.compose.service": "a",
    }
    found = docker_cli.parse_containers(json.dumps([{"Id": "1", "Name": "/a", "Config": {"Labels": labels}}]))
    assert not isinstance(found, Failure)
    assert container_unit(found[0]).scope == "compose"


REDIS = (
    b"+PONG",
    b"-NOAUTH x",
    b"$4\r\nPONG",
    b"*1",
    b"",
    b"\0",
    b"\xff\xfe",
    b"-",
    b"-\x1b[2JERR",
    b"HTTP/1.1 400",
    b"+",
)


async def test_redis_says_anything() -> None:
    said = [b""]

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(said[0])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    where = redis.Address("127.0.0.1", server.sockets[0].getsockname()[1])
    for start in REDIS:
        for text in (start, start + b"\r\n", start + b"x" * 200_000, start * 50_000, start + b"\n" * 1000):
            said[0] = text
            found = await redis.ping(where, 20.0)
            assert isinstance(found, Failure) or found.isupper(), start
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("port", [*map(float, ("inf", "-inf", "nan", "1e300")), -1, 65536, 10**30, "²", "9" * 5000])
async def test_redis_is_nowhere_at_a_port_that_is_none(port: object) -> None:
    found = redis.address(made_file(litellm_settings={"cache": True, "cache_params": {"host": "r", "port": port}}), {})
    assert found is None or 0 < found.port < 65536


NUMBERS = (
    "",
    "-1",
    "²",
    "١٢",
    "1e400",
    "9" * 5000,
    "nan",
    "[not set]",
    "infinity",
    "18446744073709551615",
    "0x10",
    "1_0",
    " 1",
)


def test_systemctl_says_anything() -> None:
    text = (FOLDER / "1.106.2/systemctl-show-user.txt").read_text()
    values = parse_show(text)[0]
    for name in values:
        for odd in (
            *NUMBERS,
            "{ argv[]= ; ignore_errors=",
            "'",
            '"',
            "\\",
            "a\x1b[2J",
            "{" * 3000,
            "1h 1h x",
            "..s",
            "1.2.3s",
        ):
            changed = {**values, name: odd}
            service_from(changed, "litellm.service", "user", 1.0)
            unit_from({**changed, "MainPID": odd if name == "MainPID" else "0"}, "user")
    for content in torn(text.encode()):
        for block in parse_show(content.decode(errors="replace")):
            service_from(block, "litellm.service", "user", 1.0)


@pytest.mark.parametrize("text", [*NUMBERS, "1\n2", "1 2", "-5", "\0", "4194304", "1" * 100000])
def test_a_pid_file_of_any_content(tmp_path: Path, text: str) -> None:
    (tmp_path / "pid").write_text(text, encoding="utf-8")
    assert pid_file.find(str(tmp_path / "pid"))


def test_proc_of_a_process_with_any_name_and_any_words(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path(f"/proc/{os.getpid()}/stat").read_text()
    names = ("(a) b)", ")", "(", "\n", "a" * 200, "")
    for text in (
        *(real.replace("(", f"({name}", 1) for name in names),
        *(real[:cut] for cut in (0, 5, 20, 60)),
        "1 (a) " + "9" * 5000,
    ):
        monkeypatch.setattr(proc, "read_text", lambda *_, text=text, **__: text)
        proc.stat(1)
    for data in (b"", b"\0", b"=\0", b"A=\xff\0B\0=C\0", b"\0" * 1000, b"A" * 100000):
        monkeypatch.setattr(proc, "read_bytes", lambda *_, data=data, **__: data)
        proc.environment(1)
        proc.command_line(1)


ENVIRONMENT_PIECES = (
    *FILES.values(), b"'", b'"', b"\\", b"\n", b"\r", b"=", b"#", b"export ", b"${", b"${A:-", b"}", b"$", b":", b" ",
    b"\0", b"\xff", b"A", b"\xc2\xa0",
)  # fmt: skip


@FUZZ
@given(st.lists(st.one_of(st.sampled_from(ENVIRONMENT_PIECES), st.binary(max_size=5)), max_size=10))
def test_an_environment_file_of_any_content(parts: list[bytes]) -> None:
    content = b"".join(parts)
    for read in (
        parse_systemd,
        lambda c: parse_dotenv(c, {"A": "b"}),
        lambda c: parse_compose(c, {"A": "b"}),
        secrets_of,
    ):
        try:
            read(content)
        except ValueError:
            continue


@FUZZ
@given(st.text(alphabet="ab= \n\"'\\;{}[]$0123456789.ms", max_size=60))
def test_the_small_grammars_of_systemd_take_any_text(text: str) -> None:
    for read in (parse_environment, parse_exec_start, parse_time_span, directive_lines, parse_show):
        read(text)
    expand(text, {"a": "b"})
    tuple(include_entries(text))


# --- time ------------------------------------------------------------------------------------------------------


def _judge_lines(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        lines_not_taken([file.name])


# what makes a backtracking or a re-reading parser quadratic: `(reader, head, repeated, tail)`
REPEATED: dict[str, tuple[Callable[[bytes], object], bytes, bytes, bytes]] = {
    "systemd: quotes": (parse_systemd, b"A=", b"'a'", b"\n"),
    "systemd: blanks": (parse_systemd, b"A=a", b" ", b"b\n"),
    "systemd: backslashes": (parse_systemd, b"A=", b"\\a", b"\n"),
    "systemd: names": (parse_systemd, b"", b"A=1\n", b""),
    "systemd: comment": (parse_systemd, b"#", b"\\a", b"\n"),
    "dotenv: lines": (lambda c: parse_dotenv(c, {}), b"", b"A=1\n", b""),
    "dotenv: open quotes": (lambda c: parse_dotenv(c, {}), b"", b"A=\"'\n", b""),
    "compose: quotes": (lambda c: parse_compose(c, {}), b"A='", b"\\'", b"'\n"),
    "compose: lines": (lambda c: parse_compose(c, {}), b"", b"A=1\n", b""),
    "compose: dollars": (lambda c: parse_compose(c, {}), b"A=", b"$$", b"\n"),
    "secrets: lines": (secrets_of, b"", b"A_KEY=abcdefghij # x\n", b""),
    "configuration: list": (lambda c: tuple(include_entries(c.decode())), b"include:\n", b"- a\n", b""),
    "show: blank lines": (lambda c: parse_show(c.decode()), b"A=1", b"\n ", b"x"),
    "show: properties": (lambda c: parse_show(c.decode()), b"", b"A=1\n", b""),
    "wrapped: texts": (
        lambda c: unwrap(c, "/a.yaml"), b"kind: ConfigMap\ndata:\n", b"  a: |\n    model_list:\n", b"",
    ),
    "wrapped: objects": (
        lambda c: unwrap(c, "/a.yaml"), b"", b"---\napiVersion: v1\nkind: Pod\nspec: {containers: [{env: []}]}\n", b"",
    ),
    "wrapped: fences": (lambda c: unwrap(c, "/a.md"), b"", b"```yaml\nmodel_list:\n```\n", b""),
    "wrapped: heredocs": (lambda c: unwrap(c, "/a.tf"), b"", b"a = <<EOT\nmodel_list:\n", b""),
    "wrapped: escapes": (
        lambda c: unwrap(c, "/a.json"), b'{"kind": "Secret", "stringData": {"a": "model_list: ', b"\\n", b'"}}',
    ),
    "lines not taken": (_judge_lines, b"", b"export A = 'b' # c\n", b""),
    "metrics: labels": (
        lambda c: metrics.decode(200, c), b"# HELP a b\nlitellm_x 1\n", b'litellm_in_flight_requests{a="b"} 1\n', b"",
    ),
    "cache ping: parentheses": (
        lambda c: answers.cache_ping(503, c), b'{"error": {"message": "', b"(", b'"}}',
    ),
    "difference: names": (lambda c: diff(b"", c, "config.yaml", str), b"[", b"a", b"\n"),
    "exec start": (lambda c: parse_exec_start(c.decode()), b"", b"argv[]= ; ", b"\n"),
}  # fmt: skip


def _cpu(read: Callable[[bytes], object], content: bytes, rounds: int = 2) -> float:
    best = 1e9
    # what the collector of garbage looks through is no part of the reader
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        began = time.process_time()
        with suppress(ValueError):
            read(content)
        best = min(best, time.process_time() - began)
    gc.enable()
    return best


@pytest.mark.parametrize("name", REPEATED)
def test_five_times_the_input_takes_at_most_eight_times_as_long(name: str) -> None:
    read, head, repeated, tail = REPEATED[name]
    # what is slow for few is compared for few
    count = 125
    while (small := _cpu(read, head + repeated * count + tail)) < 0.002 and count < 100_000:
        count *= 2
    for rounds in (2, 4, 8):
        # a machine that is busy may be so only for the large one
        large = _cpu(read, head + repeated * (5 * count) + tail, rounds)
        # less is the machine's own business: caches, and a search that changes its way with the length
        if large < 8 * max(small, 0.004):
            return
        small = _cpu(read, head + repeated * count + tail, rounds)
    pytest.fail(f"{count} times {repeated!r}: {small:.4f} s, five times that: {large:.4f} s")
