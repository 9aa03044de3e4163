"""Which configurations a gateway was started with, and that nothing of it can stop a run."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from litellm_tui.analysis.change.difference import compare_files
from litellm_tui.collectors.config import config_file
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.failures import Failure, NotAvailable, Unauthorized
from litellm_tui.model.gateway import Readiness
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.storage.backups import Backup, Backups
from litellm_tui.storage.backups.index import INDEX, MOST_SETS
from litellm_tui.storage.starts import Start, StartHistory, current_start, run_of
from tests.recorded import CONFIG, loaded_file, snapshot_of

URL = "http://127.0.0.1:4000"
DIGESTS = [f"{number:064x}" for number in range(1000, 1100)]


def _applied(number: int, digest: str = "", result: str = "loaded 1 of 1 deployment") -> Start:
    return Start(float(number), digest or DIGESTS[number], "1.106.2", result, ("/c.yaml",), f"run {number}")


def _history(folder: Path) -> StartHistory:
    history = StartHistory(URL, "litellm.service", folder)
    history.load()
    return history


def test_what_was_noted_is_there_in_the_next_run(tmp_path: Path) -> None:
    content = {"/c.yaml": b"a: 1\n", "/more.yaml": b"\xff\x00 not text"}
    start = replace(_applied(1), files=tuple(content))
    assert _history(tmp_path / "new").add_start(start, content)
    again = _history(tmp_path / "new")
    assert again.versions() == (start,)
    assert again.content(DIGESTS[1]) == content
    assert list(again.content(DIGESTS[1]) or ()) == ["/c.yaml", "/more.yaml"]
    assert again.failure == ""
    assert StartHistory(URL, "other", tmp_path / "new").load() == ()


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    history = _history(tmp_path)
    history.add_start(_applied(1), {"/c.yaml": b"api_key: sk-secret"})
    for place in (history.folder.parent, history.folder, *history.folder.iterdir()):
        assert place.stat().st_mode & 0o077 == 0
    assert {path.name for path in history.folder.glob("c.yaml.*")} == {f"c.yaml.backup.{_sets(history)[0].id}"}


def test_a_version_that_ran_before_is_kept_once(tmp_path: Path) -> None:
    history = _history(tmp_path)
    for number in range(1, 4):
        history.add_start(_applied(number, DIGESTS[0]), {"/c.yaml": b"a: 1"})
    assert len(history.versions()) == 3
    assert len(list(history.folder.glob("c.yaml.backup.*"))) == 1


def test_the_same_start_replaces_what_was_noted_of_it(tmp_path: Path) -> None:
    history = _history(tmp_path)
    history.add_start(_applied(1, result="answers"), {"/c.yaml": b"a: 1"})
    history.add_start(_applied(1), {"/c.yaml": b"a: 1"})
    assert history.versions() == (_applied(1),)
    assert history.start_of_run("run 1") == _applied(1)
    assert history.start_of_run("") is None


def test_no_more_versions_are_kept_than_are_of_use(tmp_path: Path) -> None:
    history = _history(tmp_path)
    for number in range(MOST_SETS + 3):
        history.add_start(_applied(number), {"/c.yaml": b"a: %d" % number})
    assert [a.at for a in history.versions()] == [float(n) for n in range(3, MOST_SETS + 3)]
    assert len(list(history.folder.glob("c.yaml.backup.*"))) == MOST_SETS
    assert history.content(DIGESTS[0]) is None


def _sets(history: StartHistory) -> tuple[Backup, ...]:
    return Backups(URL, "litellm.service", history.folder.parents[1]).load()


def test_two_consoles_forget_nothing_of_one_another(tmp_path: Path) -> None:
    one, other = _history(tmp_path), _history(tmp_path)
    one.add_start(_applied(1), {"/c.yaml": b"a: 1"})
    other.add_start(_applied(2), {"/c.yaml": b"a: 2"})
    assert [a.at for a in _history(tmp_path).versions()] == [1.0, 2.0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"form": 1, "gateway": "", "backups": 3}',
        b"\xff\xfe",
        b'{"form": 1, "gateway": "", "backups": [{}]}',
        b"{}",
        b"null",
        b"[" * 100_000,
    ],
)
def test_a_history_that_cannot_be_read_is_forgotten_and_replaced(tmp_path: Path, content: bytes) -> None:
    history = _history(tmp_path)
    history.add_start(_applied(1), {"/c.yaml": b"a: 1"})
    (history.folder / INDEX).write_bytes(content)
    history = _history(tmp_path)
    assert history.versions() == ()
    assert str(history.folder) in history.failure
    assert history.add_start(_applied(2), {"/c.yaml": b"a: 1"})
    assert history.failure == ""
    assert _history(tmp_path).versions() == (_applied(2),)


def test_a_history_of_a_later_form_is_not_understood(tmp_path: Path) -> None:
    history = _history(tmp_path)
    history.add_start(_applied(1), {"/c.yaml": b"a: 1"})
    index = history.folder / INDEX
    index.write_text(json.dumps({"form": 99, "backups": "of another kind"}))
    history = _history(tmp_path)
    assert history.versions() == ()
    assert "later litellm-tui" in history.failure
    # nor is it lost by what this one would keep
    assert not history.add_start(_applied(2), {"/c.yaml": b"a: 1"})
    assert json.loads(index.read_text())["form"] == 99


def test_a_folder_that_cannot_be_written_is_said_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    history = _history(tmp_path / "file")
    assert not history.add_start(_applied(1), {"/c.yaml": b"a: 1"})
    assert str(history.folder) in history.failure


@pytest.mark.parametrize("content", [b"", b"api_key: sk-other", None])
def test_a_version_that_cannot_be_read_is_an_error_as_a_value(tmp_path: Path, content: bytes | None) -> None:
    history = _history(tmp_path)
    history.add_start(_applied(1), {"/c.yaml": b"a: 1"})
    (copy,) = history.folder.glob("c.yaml.backup.*")
    copy.unlink()
    if content is not None:
        copy.write_bytes(content)
    assert history.content(DIGESTS[1]) is None
    unusable = history.as_config(DIGESTS[1], {})
    assert isinstance(unusable, ConfigError)
    assert "were not kept" in unusable.problem
    assert str(copy) in history.failure
    assert "sk-other" not in str(unusable) + history.failure
    assert isinstance(history.as_config("../../etc/passwd", {}), ConfigError)


# --- a start that is seen ----------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> ConfigFile:
    return loaded_file(tmp_path / "config.yaml")


def _started(file: ConfigFile, **service: Any) -> Snapshot:
    """A recorded proxy that was started after the file of this moment was written."""
    snapshot = snapshot_of("1.106.2", file)
    at = max(os.stat(name).st_ctime for name in file.files) + 5
    assert snapshot.service.value
    known = replace(snapshot.service.value, **({"started_at": at, "invocation": "one"} | service))
    gateway = replace(
        snapshot.gateway,
        deployments=replace(snapshot.gateway.deployments, seen_at=at + 9),
        readiness=replace(snapshot.gateway.readiness, value=Readiness("healthy", version="1.106.2")),
    )
    seen = replace(snapshot.service, value=known)
    configuration = replace(snapshot.configuration, current=file)
    return replace(snapshot, taken_at=at + 10, gateway=gateway, service=seen, configuration=configuration)


def test_a_start_is_noted_once_with_what_it_loaded(tmp_path: Path, file: ConfigFile) -> None:
    history, snapshot = _history(tmp_path / "state"), _started(file)
    assert history.record_snapshot(snapshot)
    assert not history.record_snapshot(snapshot)
    (noted,) = history.versions()
    assert (noted.result, noted.litellm_version, noted.digest) == (
        "loaded 7 of 7 deployments", "1.106.2", file.digest
    )  # fmt: skip
    assert history.start_of_run(run_of(snapshot.service.value)) == noted
    # and again for the next start
    assert snapshot.service.value
    assert snapshot.service.value.started_at
    later = _started(file, started_at=snapshot.service.value.started_at + 2, invocation="two")
    assert history.record_snapshot(later)
    assert len(history.versions()) == 2


def test_a_version_is_parsed_as_it_was(tmp_path: Path, file: ConfigFile) -> None:
    history = _history(tmp_path / "state")
    history.record_snapshot(_started(file))
    newer = loaded_file(tmp_path / "config.yaml", CONFIG.replace("rpm: 100", "rpm: 200"))
    older = history.as_config(file.digest, {})
    assert isinstance(older, ConfigFile)
    assert (older.data, older.digest) == (file.data, file.digest)
    assert [change.words for change in compare_files(older, newer)] == [
        "llama3.1:latest (openai/llama3.1): rpm: 100 → 200"
    ]


def test_included_files_are_kept_as_well(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("a: 1\n")
    file = loaded_file(tmp_path / "config.yaml", CONFIG + "include: [more.yaml]\n")
    history = _history(tmp_path / "state")
    assert history.record_snapshot(_started(file))
    (tmp_path / "more.yaml").write_text("a: 2\n")
    older = history.as_config(file.digest, {})
    assert isinstance(older, ConfigFile)
    assert older.data["a"] == 1
    (tmp_path / "more.yaml").unlink()
    older = history.as_config(file.digest, {})
    assert isinstance(older, ConfigFile)
    assert (older.data["a"], older.digest) == (1, file.digest)


def test_a_file_that_was_changed_after_the_start_is_not_what_runs(tmp_path: Path, file: ConfigFile) -> None:
    history, snapshot = _history(tmp_path / "state"), _started(file)
    assert current_start(replace(snapshot, configuration=replace(
        snapshot.configuration, current=replace(file, modified_at=snapshot.taken_at)))) is None  # fmt: skip
    # saved with an old time of modification
    os.utime(file.path, (1000.0, 1000.0))
    restored = config_file.load(file.path, {})
    assert isinstance(restored, ConfigFile)
    early = _started(file, started_at=os.stat(file.path).st_ctime - 60)
    early = replace(early, configuration=replace(early.configuration, current=restored))
    assert current_start(early) is None
    assert not history.record_snapshot(early)
    # and a file that is another one by now
    (tmp_path / "config.yaml").write_text("a: 1\n")
    assert not history.record_snapshot(snapshot)
    assert history.versions() == ()


def test_nothing_is_noted_before_it_is_known_what_came_of_it(file: ConfigFile) -> None:
    snapshot = _started(file)
    assert snapshot.service.value
    assert snapshot.service.value.started_at
    old = replace(snapshot.gateway.deployments, seen_at=snapshot.service.value.started_at - 1)
    assert current_start(replace(snapshot, gateway=replace(snapshot.gateway, deployments=old))) is None
    assert current_start(replace(snapshot, service=Reading())) is None
    assert current_start(_started(file, started_at=None)) is None
    loaded = snapshot.gateway.deployments.value
    assert loaded
    fewer = replace(snapshot, gateway=replace(
        snapshot.gateway, deployments=replace(snapshot.gateway.deployments, value=loaded[1:])))  # fmt: skip
    assert current_start(fewer) is None
    late = current_start(replace(fewer, taken_at=snapshot.taken_at + 60))
    assert late
    assert late.result == "loaded 6 of 7 deployments"


def test_a_version_of_litellm_that_is_told_later_is_noted_later(tmp_path: Path, file: ConfigFile) -> None:
    history, snapshot = _history(tmp_path / "state"), _started(file)
    unknown = replace(snapshot.gateway, readiness=replace(snapshot.gateway.readiness, value=Readiness("healthy")))
    assert not history.record_snapshot(replace(snapshot, gateway=unknown))
    assert history.record_snapshot(replace(snapshot, gateway=unknown, taken_at=snapshot.taken_at + 60))
    assert history.record_snapshot(snapshot)
    assert [noted.litellm_version for noted in history.versions()] == ["1.106.2"]
    assert not history.record_snapshot(replace(snapshot, gateway=unknown, taken_at=snapshot.taken_at + 60))


def test_a_proxy_that_does_not_show_its_models_is_noted_after_a_while(file: ConfigFile) -> None:
    snapshot = _started(file)
    refused: Reading[Any] = Reading(failure=NotAvailable("no key"), tried_at=1.0)
    shut = replace(snapshot, gateway=replace(snapshot.gateway, deployments=refused))
    assert current_start(shut) is None
    late = current_start(replace(shut, taken_at=snapshot.taken_at + 60))
    assert late
    assert late.result == "answers; what it has loaded is not shown"
    # it may show nothing because it has loaded nothing
    assert not late.good


def test_a_proxy_that_refuses_the_key_is_good_when_it_has_answered_for_a_while(file: ConfigFile) -> None:
    snapshot = _started(file)
    assert snapshot.service.value
    since = snapshot.service.value.started_at
    assert since
    refused: Reading[Any] = Reading(failure=Unauthorized("401"), tried_at=since + 1)
    gateway = replace(snapshot.gateway, groups=refused, deployments=Reading())

    def after(seconds: float, answered: float) -> Start | None:
        liveliness = replace(snapshot.gateway.liveliness, seen_at=since + answered)
        return current_start(replace(snapshot, gateway=replace(gateway, liveliness=liveliness),
                                     taken_at=since + seconds))  # fmt: skip

    assert after(10, 10) is None
    for seconds, answered, good in ((60, 60, True), (60, 5, False)):
        found = after(seconds, answered)
        assert found
        assert (found.result, found.good) == ("answers; what it has loaded is not shown", good)


def test_a_start_is_good_when_it_has_lasted(tmp_path: Path, file: ConfigFile) -> None:
    history, snapshot = _history(tmp_path / "state"), _started(file)
    assert history.record_snapshot(snapshot)
    assert [start.good for start in history.versions()] == [False]
    assert snapshot.service.value
    assert snapshot.service.value.started_at
    since = snapshot.service.value.started_at
    late = replace(snapshot, taken_at=since + 60)
    # it was last seen whole when it had just started
    assert not history.record_snapshot(late)
    read = replace(late.gateway.deployments, seen_at=since + 45)
    late = replace(late, gateway=replace(late.gateway, deployments=read))
    assert history.record_snapshot(late)
    assert not history.record_snapshot(late)
    (start,) = history.versions()
    assert (start.good, start.result) == (True, "loaded 7 of 7 deployments")
    # what it loses afterwards is not the fault of its file
    assert read.value
    fewer = replace(late, gateway=replace(late.gateway, deployments=replace(read, value=read.value[1:])))
    assert not history.record_snapshot(fewer)
    assert [start.good for start in _history(tmp_path / "state").versions()] == [True]


def test_a_start_with_fewer_deployments_is_not_good(file: ConfigFile) -> None:
    snapshot = _started(file)
    assert snapshot.service.value
    assert snapshot.service.value.started_at
    loaded = snapshot.gateway.deployments.value
    assert loaded
    fewer = replace(snapshot.gateway.deployments, value=loaded[1:], seen_at=snapshot.service.value.started_at + 45)
    late = replace(snapshot, gateway=replace(snapshot.gateway, deployments=fewer), taken_at=snapshot.taken_at + 60)
    found = current_start(late)
    assert found
    assert not found.good


def test_environment_files_are_kept_as_far_as_they_are_what_was_started(tmp_path: Path, file: ConfigFile) -> None:
    old, new, none = (tmp_path / name for name in ("old.env", "new.env", "none.env"))
    old.write_text("KEY=sk-old\n")
    paths = [str(path) for path in (old, new, none)]
    history = StartHistory(URL, "litellm.service", tmp_path / "state", paths)
    snapshot = _started(file, started_at=max(os.stat(f).st_ctime for f in (file.path, old)) + 0.01)
    time.sleep(0.05)
    new.write_text("KEY=sk-new\n")
    assert history.record_snapshot(snapshot)
    (kept,) = _sets(history)
    assert {(k.path, k.role, bool(k.name)) for k in kept.files} == {
        (file.path, "config", True), (str(old), "environment", True), (str(none), "environment", False)
    }  # fmt: skip
    # the configuration's own face shows none of it
    assert list(history.content(file.digest) or ()) == [file.path]


def test_an_environment_file_that_changes_while_the_process_runs_stays_kept(tmp_path: Path, file: ConfigFile) -> None:
    environment = tmp_path / "a.env"
    environment.write_text("KEY=sk-started\n")
    history = StartHistory(URL, "litellm.service", tmp_path / "state", [str(environment)])
    snapshot = _started(file, started_at=os.stat(environment).st_ctime + 0.01)
    assert history.record_snapshot(snapshot)
    time.sleep(0.05)
    environment.write_text("KEY=sk-next\n")
    assert snapshot.service.value
    assert snapshot.service.value.started_at
    at = snapshot.service.value.started_at + 60
    read = replace(snapshot.gateway.deployments, seen_at=at)
    assert history.record_snapshot(replace(snapshot, taken_at=at, gateway=replace(snapshot.gateway, deployments=read)))
    (kept,) = _sets(history)
    assert kept.good
    (name,) = (held.name for held in kept.files if held.role == "environment")
    assert (history.folder / name).read_text() == "KEY=sk-started\n"


def test_what_was_good_is_known_beside_what_failed_since(tmp_path: Path) -> None:
    history = _history(tmp_path)
    history.add_start(replace(_applied(1), good=True), {"/c.yaml": b"a: 1"})
    history.add_start(replace(_applied(2, result="did not stay up"), run="down 2"), {"/c.yaml": b"a: 2"})
    backups = Backups(URL, "litellm.service", tmp_path)
    assert [(b.why, b.good) for b in backups.load()] == [("seen running", True), ("seen failing", False)]
    good = backups.known_good()
    assert good
    assert backups.content(good.id) == {"/c.yaml": b"a: 1"}


@pytest.mark.parametrize("state", [{"active_state": "failed"}, {"sub_state": "auto-restart"}])
def test_a_process_that_does_not_stay_up_is_noted_once(tmp_path: Path, file: ConfigFile, state: dict[str, str]) -> None:
    history = _history(tmp_path / "state")
    at = os.stat(file.path).st_ctime + 5
    down = {"started_at": None, "main_pid": 0, "changed_at": at, "exit_code": "exited", "exit_status": 3,
            "result": "exit-code", **state}  # fmt: skip
    assert history.record_snapshot(_started(file, **down))
    assert not history.record_snapshot(_started(file, **(down | {"changed_at": at + 5})))
    (noted,) = history.versions()
    assert noted.result == "did not stay up: exit-code (exited 3)"
    # after it has been mended by other means than the file
    assert history.record_snapshot(_started(file, started_at=at + 2))
    # it ran with this file: what ends it later is something else
    assert not history.record_snapshot(_started(file, **(down | {"changed_at": at + 60})))


def test_what_cannot_be_kept_is_tried_again(tmp_path: Path, file: ConfigFile) -> None:
    (tmp_path / "file").write_text("in the way")
    history, snapshot = _history(tmp_path / "file"), _started(file)
    for _ in range(2):
        assert not history.record_snapshot(snapshot)
        assert history.retry
        failure, history.failure = history.failure, ""
        assert failure
    (tmp_path / "file").unlink()
    assert history.record_snapshot(snapshot)
    assert (history.retry, history.failure) == (False, "")
    assert not history.record_snapshot(snapshot)
    assert not history.retry


def test_what_was_seen_not_to_run_is_known_to_be_good_without_a_start(tmp_path: Path, file: ConfigFile) -> None:
    snapshot = _started(file)
    assert snapshot.service.value
    at = snapshot.service.value.started_at
    assert at is not None
    unknown = {"started_at": None, "invocation": "", "main_pid": 0}
    early = _started(file, **unknown, started_after=at)
    lasted = replace(early.gateway.deployments, seen_at=at + 40)
    later = replace(early, taken_at=at + 41, gateway=replace(early.gateway, deployments=lasted))
    start = current_start(later)
    assert start is not None
    assert (start.at, start.good, start.run) == (at, True, f"after {round(at)}")
    history = _history(tmp_path / "s")
    assert history.record_snapshot(later)
    assert [backup.good for backup in _sets(history)] == [True]
    # nobody knows what one has read that ran already, or whose file has changed since
    assert current_start(_started(file, **unknown)) is None
    changed = replace(later, configuration=replace(later.configuration, current=replace(file, modified_at=at + 1)))
    assert current_start(changed) is None
    assert later.service.value
    stopped = replace(later.service, value=replace(later.service.value, active_state="inactive", sub_state="dead"))
    assert current_start(replace(later, service=stopped)) is None


def test_an_unread_unit_is_no_start(file: ConfigFile) -> None:
    failing: Reading[Any] = replace(_started(file).service, failure=Failure("no bus"))
    assert current_start(replace(_started(file), service=failing)) is None


def test_the_content_that_is_kept_has_the_digest_that_was_read(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("a: 1\n")
    file = loaded_file(tmp_path / "config.yaml", CONFIG + "include: [more.yaml]\n")
    history = _history(tmp_path / "state")
    history.record_snapshot(_started(file))
    content = history.content(file.digest)
    assert content == {name: Path(name).read_bytes() for name in file.files}
    again = config_file.load(file.path, {}, content)
    assert isinstance(again, ConfigFile)
    assert again.digest == file.digest
