"""A unit whose files have changed: systemd reads them anew before it starts it, and they are kept with the rest."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from litellm_tui.actions.sudo import order_with_sudo
from litellm_tui.analysis.change.preflight import preflight_checks
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.model.failures import Denied
from litellm_tui.model.found import Found
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Verb
from litellm_tui.model.service_drift import Difference, ServiceDrift
from litellm_tui.model.service_kinds import Scope, Tools
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.services.systemd.driver import UnitDriver
from litellm_tui.services.systemd.unit_paths import written_unit_files
from litellm_tui.target.profile import Profile

SYSTEMCTL = """#!/bin/sh
# what it was asked for, without what only reads
case "$*" in
  *show*) cat "{folder}/needs" ;;
  *daemon-reload*) echo "$*" >>"{folder}/asked"; [ ! -e "{folder}/denied" ] || {{
      echo "Failed to reload daemon: Access denied" >&2; exit 1; }} ;;
  *) echo "$*" >>"{folder}/asked" ;;
esac
"""


class Unit:
    """A unit of a systemd that does nothing but note what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "systemctl"
        program.write_text(SYSTEMCTL.format(folder=folder), encoding="utf-8")
        program.chmod(0o755)
        self.tools = Tools(systemctl=(str(program),), sudo=())
        self.changed(False)

    def changed(self, yes: bool) -> None:
        (self.folder / "needs").write_text(f"NeedDaemonReload={'yes' if yes else 'no'}\n", encoding="ascii")

    def order(self, verb: Verb, scope: Scope = "user") -> object:
        target = ServiceTarget("gw.service", self.tools, scope)
        return asyncio.run(UnitDriver(target).order(verb))

    def asked(self) -> list[str]:
        path = self.folder / "asked"
        said = path.read_text(encoding="ascii").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.replace("--no-ask-password ", "") for line in said]


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Unit(tmp_path)


def test_changed_files_are_read_before_the_unit_is_started_and_only_then(unit: Unit) -> None:
    assert unit.order("restart") is None
    assert unit.asked() == ["--user restart gw.service"]
    unit.changed(True)
    assert unit.order("restart") is None
    assert unit.asked() == ["--user daemon-reload", "--user restart gw.service"]
    assert unit.order("start") is None
    assert unit.asked() == ["--user daemon-reload", "--user start gw.service"]
    assert unit.order("stop") is None
    assert unit.asked() == ["--user stop gw.service"]


def test_without_the_right_to_it_nothing_is_restarted_and_sudo_does_both(
    unit: Unit, capsys: pytest.CaptureFixture[str]
) -> None:
    unit.changed(True)
    (unit.folder / "denied").touch()
    refused = unit.order("restart", "system")
    assert isinstance(refused, Denied)
    assert "daemon-reload" in refused.why
    assert "Access denied" in refused.why
    assert unit.asked() == ["daemon-reload"]
    (unit.folder / "denied").unlink()
    profile = Profile("lab", "here", Found("http://127.0.0.1:1", "x"), unit.tools, unit=Found("gw.service", "x"),
                      scope="system")  # fmt: skip
    assert order_with_sudo(profile, "restart")
    assert unit.asked() == ["daemon-reload", "restart gw.service"]
    assert "systemctl daemon-reload, then " in capsys.readouterr().out
    unit.changed(False)
    assert order_with_sudo(profile, "restart")
    assert unit.asked() == ["restart gw.service"]


def test_the_dialog_says_that_systemd_reads_it_anew() -> None:
    command = "systemctl daemon-reload, and then a restart,"
    drift = ServiceDrift((Difference("unit file", "/etc/x"),), order="reload", command=command)
    snapshot = Snapshot(100.0, service_drift=Reading(drift, seen_at=100.0, tried_at=100.0))
    checks = list(preflight_checks(snapshot, diagnose(snapshot, 100.0)))
    assert [check.text for check in checks if check.name == "reload"] == [
        "systemd has to read the unit's files anew: systemctl daemon-reload, and then a restart, brings it in"
    ]


def test_what_is_kept_of_a_unit_is_what_an_operator_edits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "systemd" / "user"
    (folder / "gw.service.d").mkdir(parents=True)
    (folder / "gw.service.d" / "more.conf").touch()
    fragment = str(folder / "gw.service")
    block = {"Id": "gw.service", "FragmentPath": fragment, "DropInPaths": "/usr/lib/systemd/user/gw.service.d/a.conf"}
    # the file of `systemctl edit` is kept as one that is not there: going back removes it
    wanted = (fragment, f"{fragment}.d/override.conf", f"{fragment}.d/more.conf")
    assert written_unit_files(block, "user") == wanted
    assert written_unit_files({**block, "FragmentPath": "/run/systemd/generator/gw.service"}, "user") == wanted[1:]
    assert written_unit_files({"Id": "gw.service"}, "user") == ()


def test_what_this_user_may_not_write_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    block = {"Id": "gw.service", "FragmentPath": "/etc/systemd/system/gw.service"}
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert written_unit_files(block, "system") == ()
