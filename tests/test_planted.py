"""Secrets planted in every source, and looked for in everything that leaves the program.

What is known to be secret (by its name in the configuration or the environment) is planted in the log too, in the ways
in which programs write such things; what nobody has named has one of the shapes that providers give their keys.
"""

from __future__ import annotations

import base64
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from rich.text import Text

from litellm_tui.analysis.exported import Totals, families
from litellm_tui.cli import main
from litellm_tui.demo import Simulation, files, routing
from litellm_tui.demo import gateway as simulated
from litellm_tui.demo.faults import Failed, failed
from litellm_tui.model.notify_settings import NotifySettings, Receiver, Webhook
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from litellm_tui.ui.log_export import write
from tests.demo.probing import state, systemctl, until
from tests.notify.loopback import Loopback
from tests.ui.scene import opened

MARK = "zq9"
"""Stands in every secret, and nowhere else."""

LITERAL = "zq9literal+/x=71"
IN_INCLUDE = "zq9 include 'quoted' 72"
REDIS = 'zq9redis"73\\'
API_BASE = "zq9base74"
USER_ALONE = "zq9user75"
HEADER = "zq9header76"
IN_UNIT = "zq9unit77"
IN_FILE = "zq9file78"
DATABASE = "zq9database79"
DATABASE_URL = f"postgresql://me:{DATABASE}@db/x?schema=zq9schema83"
REFERRED = "zq9referred80"
KNOWN = (LITERAL, IN_INCLUDE, REDIS, API_BASE, USER_ALONE, HEADER, IN_UNIT, IN_FILE, DATABASE, DATABASE_URL, REFERRED)
SHAPED = "sk-zq9shaped-0123456789abcdef"
DEAD = "qwen2.5-coder:32b"

INCLUDED = f"""\
model_list:
  - model_name: planted
    litellm_params:
      model: openai/planted
      api_base: https://someone:{API_BASE}@planted.example/v1?api_key={API_BASE}
      api_key: {json.dumps(IN_INCLUDE)}
      extra_headers: {{Authorization: "Bearer {HEADER}"}}
  - model_name: token-in-address
    litellm_params:
      model: openai/planted-2
      api_base: https://{USER_ALONE}@planted.example/v1
      api_key: os.environ/PLAIN_NAME
"""
COMMANDS = (
    ["status"], ["status", "--json"], ["status", "--markdown"],
    ["check"], ["check", "--json"],
    ["audit"], *(["audit", "--format", form] for form in ("json", "sarif", "markdown")),
    ["audit", "--fix", "--dry-run"],
    ["diff"], ["diff", "--json"], ["diff", "--history", "--json"],
    ["incidents"], ["incidents", "--json"],
    ["probe", "--yes", "--json"], ["probe", "--yes"],
    ["rollback", "--list"], ["rollback", "--list", "--json"],
    ["service"], ["service", "--json"],
    ["where"],
)  # fmt: skip


def _log_lines() -> list[str]:
    """Each secret as it may come into a log."""
    told = []
    for secret in KNOWN:
        told += [
            f"the plain line says {secret} aloud",
            json.dumps({"message": f"refused {secret}", "level": "ERROR", "stacktrace": f"File x\n  {secret!r}"}),
            json.dumps({"message": json.dumps({"some": secret}), "level": "ERROR"}),
            json.dumps({"message": f"GET https://h/{quote(secret, safe='')}?x=1", "level": "INFO"}),
            json.dumps(
                {"message": f"header {base64.b64encode(f'user:{secret}'.encode()).decode()} sent", "level": "INFO"}
            ),
        ]
    told += [
        "Traceback (most recent call last):",
        f'  File "x.py", line 1, in call\n    headers={{"Authorization": "Bearer {SHAPED}"}}',
        f"ValueError: {SHAPED} and redis://:{SHAPED}@h",
        f"broken {{'key': '{LITERAL[:7]}'\n        '{LITERAL[7:]}'}}",
    ]
    return told


class Planted:
    """The simulation with its secrets, and everything that was put out."""

    def __init__(self, simulation: Simulation, tmp_path: Path) -> None:
        self.simulation = simulation
        self.tmp_path = tmp_path
        self.outputs: dict[str, str] = {}
        folder = simulation.folder
        (folder / "more.yaml").write_text(INCLUDED, encoding="utf-8")
        with (folder / files.ENVIRONMENT_NAME).open("a", encoding="utf-8") as file:
            file.write(f"SOME_TOKEN={IN_FILE}\nDATABASE_URL={DATABASE_URL}\nPLAIN_NAME={REFERRED}\n")
        cache = f"    password: {json.dumps(REDIS)}\n    ttl: 3600\n"
        config = files.CONFIG.replace("    ttl: 3600\n", cache)
        config = config.replace("api_key: os.environ/GEMINI_API_KEY", f"api_key: {LITERAL}")
        simulation.edit_config(f"include: [more.yaml]\n{config}")
        # what runs has read it, and is older than nothing of it
        assert systemctl(simulation, "restart", simulation.unit).returncode == 0
        until(lambda: state(simulation) == "answering")
        simulation.break_model(DEAD, "auth")
        simulation.break_model("gpt-4.1-mini", "auth")
        for _ in range(3):
            simulation.request(DEAD)
        simulation._journal.write(_log_lines(), pid=4242)

    def profile(self, *_: Any) -> Profile:
        options = Options(unit=self.simulation.unit, scope="user")
        return resolve(options, Settings(), tools=self.simulation.tools, environ={})

    def put_out(self, name: str, text: str) -> None:
        self.outputs[name] = self.outputs.get(name, "") + text

    def found(self) -> list[str]:
        """Where something of a secret stands."""
        parts = [MARK, self.simulation.key, *(base64.b64encode(s.encode()).decode()[4:14] for s in KNOWN)]
        return [
            f"{name}: {_around(text, part)}" for name, text in self.outputs.items() for part in parts if part in text
        ]


def _around(text: str, part: str) -> str:
    at = text.index(part)
    return repr(text[max(0, at - 60) : at + 30])


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Planted]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setattr("litellm_tui.monitor.monitor.PUBLISH_SECONDS", 0.02)
    monkeypatch.setitem(files.UNIT_ENVIRONMENT, "LANGFUSE_SECRET_KEY", IN_UNIT)

    def telling(*arguments: Any) -> Failed:
        """An upstream that repeats the key it refuses, as some do."""
        found = failed(*arguments)
        more = f" {SHAPED} {LITERAL} (api_key={SHAPED})"
        return replace(found, message=found.message + more, trace=found.trace + more)

    monkeypatch.setattr(routing, "failed", telling)
    monkeypatch.setattr(simulated, "failed", telling)
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as simulation:
        yield Planted(simulation, tmp_path)


def test_no_command_prints_a_secret(
    planted: Planted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(planted.tmp_path)
    for name in ("audit", "bundle", "check", "diff", "incidents", "probe", "rollback", "service", "status", "where"):
        monkeypatch.setattr(f"litellm_tui.commands.{name}.resolve", planted.profile)
    for command in COMMANDS:
        main(command)
        said = capsys.readouterr()
        planted.put_out(" ".join(command), said.out + said.err)
        assert said.out.strip(), command
    assert main(["bundle", "--yes", "--output", "b.tar.gz"]) == 0
    planted.put_out("what bundle says", capsys.readouterr().out)
    with tarfile.open(planted.tmp_path / "b.tar.gz") as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member)
            assert content is not None
            planted.put_out(f"bundle {member.name}", content.read().decode())
    log = next(text for name, text in planted.outputs.items() if name.endswith("log.txt"))
    assert log.count("the plain line says ••• aloud") == len(KNOWN)
    assert planted.found() == []
    _state(planted)


def _state(planted: Planted) -> None:
    """What is kept between the runs; backups alone hold what the files held."""
    for path in (planted.tmp_path / "state").rglob("*"):
        if path.is_file() and "backups" not in path.parts:
            planted.put_out(str(path), path.read_text(encoding="utf-8", errors="replace"))
    assert planted.found() == []


async def test_no_screen_shows_a_secret(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(planted.simulation, (120, 40), memory=True) as scene:
        app = scene.app
        await scene.until(lambda: len(app.view.snapshot.failures.tallies) > 3 if app.view else False)
        for number in "12345":
            await scene.press(number, "z")
            planted.put_out(f"pane {number}", scene.text)
            await scene.press("z")
        models, logs = scene.lines("models"), scene.log
        for row in scene.app.view.diagnosis.deployments if scene.app.view else ():
            if row.group in ("planted", "token-in-address", DEAD, "gemini-2.5-flash"):
                await scene.press("1")
                models.select(row.key)
                await scene.press("enter")
                planted.put_out("detail of a model", scene.text)
                await scene.press("escape")
        await scene.press("2", "w")
        for _ in range(4):
            await scene.press("up", "enter")
            planted.put_out("detail of a record", scene.text)
            await scene.press("escape", "pageup")
            planted.put_out("wrapped log", scene.text)
        assert logs.wrapped
        for key in ("!", "i", "a", "d", "b", "?"):
            await scene.press({"!": "exclamation_mark", "?": "question_mark"}.get(key, key))
            for _ in range(4):
                planted.put_out(f"screen {key}", scene.text)
                await scene.press("down")
            await scene.press("escape")
            assert len(app.screen_stack) == 1
        await scene.press("5", "enter")
        for _ in range(12):
            planted.put_out("the service in full", scene.text)
            await scene.press("pagedown")
        await scene.press("escape", "z", "1")
        models.select(next(key for key in models._keys if key.startswith(DEAD)))
        await scene.press("p")
        await scene.until(lambda: scene.monitor.snapshot().probes)
        planted.put_out("probe", scene.text)
        await scene.press("escape")
        assert "•••" in planted.outputs["detail of a record"]
        assert DEAD in planted.outputs["screen i"]
        panics: list[Text] = []
        monkeypatch.setattr(app, "panic", panics.append)
        app._exception = RuntimeError(f"it broke with {', '.join(KNOWN)} and {SHAPED} at {scene.simulation.key}")
        app._fatal_error()
        app._exception = None
        planted.put_out("crash report", panics[0].plain)
        assert "it broke with •••" in panics[0].plain
        snapshot = scene.monitor.snapshot()
        kept = list(scene.monitor.store.since(scene.monitor.store.first))
        for record in kept:
            planted.put_out("records", f"{record}\n")
        for name in ("export.log", "export.jsonl"):
            assert write(planted.tmp_path / name, kept, scene.monitor.redact) is None
            planted.put_out(name, (planted.tmp_path / name).read_text(encoding="utf-8"))
        planted.put_out("failures", msgspec.json.encode(snapshot.failures).decode())
        planted.put_out("traffic", msgspec.json.encode(snapshot.traffic).decode())
        planted.put_out("probes", msgspec.json.encode(snapshot.probes).decode())
    assert planted.found() == []
    _state(planted)


async def test_no_receiver_and_no_scrape_gets_a_secret(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    token = f"{MARK}token84"
    monkeypatch.setattr("litellm_tui.notify.notifier.PATIENCE_SECONDS", 0.0)
    monkeypatch.setenv("HOOK_KEY", f"{MARK}hook85")
    with Loopback() as hook:
        monkeypatch.setenv("HOOK_URL", f"{hook.url}/{token}")
        webhook = Webhook(url_env="HOOK_URL", key_env="HOOK_KEY")
        settings = Settings(notify=NotifySettings({"hook": Receiver(webhook=webhook)}))
        async with opened(planted.simulation, (120, 40), settings, memory=True) as scene:
            await scene.until(lambda: [got for got in hook.got if got.body["title"] == DEAD], "the dead model is told")
            view = scene.app.view
            assert view is not None
            planted.put_out("screen", scene.text)
            exported = families(view.snapshot, view.diagnosis, Totals(), "1", view.profile.address, view.redact)
        # the receiver itself knows where it was asked, and with what
        assert {got.path for got in hook.got} == {f"/hook/{token}"}
        planted.put_out("messages", json.dumps([got.body for got in hook.got]))
    planted.put_out("metrics", repr(exported))
    assert planted.found() == []
    _state(planted)
    assert any("notify" in name for name in planted.outputs)


def test_the_secrets_are_where_they_were_planted(planted: Planted) -> None:
    """Were they not, the other tests would show nothing."""
    folder = planted.simulation.folder
    texts = "".join(
        (folder / name).read_text(encoding="utf-8")
        for name in (files.CONFIG_NAME, "more.yaml", files.ENVIRONMENT_NAME, "state", "journal")
    )
    for secret in KNOWN:
        assert any(form in texts for form in (secret, json.dumps(secret)[1:-1])), secret
    assert SHAPED in texts
