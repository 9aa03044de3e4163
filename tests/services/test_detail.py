"""All about the service: its files and environment never show a secret, and tell what differs in what runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.model.found import Found
from litellm_tui.model.service import Service, Unit, Variable
from litellm_tui.model.service_kinds import Custom, Process, ServiceSettings, Tools
from litellm_tui.services.detail import detail_paragraphs, mask_secret_values, read_detail
from litellm_tui.target.profile import Profile

PLAIN = Redactor()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Environment=PORT=4000 OPENAI_API_KEY=hunter22", "Environment=PORT=4000 OPENAI_API_KEY=•••"),
        ('Environment="DB_PASSWORD=two words" A=b', 'Environment="DB_PASSWORD=•••" A=b'),
        ("Environment='SLACK_WEBHOOK_URL=https://x/y z' A=b", "Environment='SLACK_WEBHOOK_URL=•••' A=b"),
        ('LITELLM_SALT_KEY="a b"', 'LITELLM_SALT_KEY="•••"'),
        ("      MY_TOKEN: two words", "      MY_TOKEN: •••"),
        ("      - MY_TOKEN=hunter22", "      - MY_TOKEN=•••"),
        ('    "secret": "hunter22",', '    "secret": "•••",'),
        ("      MY_TOKEN: ${MY_TOKEN}", "      MY_TOKEN: ${MY_TOKEN}"),
        ("Environment=REDIS_URL=redis://me:hunter22@host:1", "Environment=REDIS_URL=redis://•••@host:1"),
        ("ExecStart=/bin/litellm --port 4000", "ExecStart=/bin/litellm --port 4000"),
        ("TOKENS_PER_MINUTE=5", "TOKENS_PER_MINUTE=5"),
        ("API_KEY=", "API_KEY="),
        ("ExecStart=/bin/x --api-key=hunter22 --port=4000", "ExecStart=/bin/x --api-key=••• --port=4000"),
        ("2nd-9_KEY=hunter22 -1-API_KEY=hunter22", "2nd-9_KEY=••• -1-API_KEY=•••"),
    ],
)
def test_a_value_whose_name_says_that_it_is_secret_is_masked(line: str, shown: str) -> None:
    assert mask_secret_values(line, PLAIN) == shown


def _profile(kind: ServiceSettings | None = None, **more: object) -> Profile:
    return Profile("box", "here", Found("http://127.0.0.1:1", "test"), Tools(), unit=Found("llm", "test"),
                   service=kind, **more)  # type: ignore[arg-type]  # fmt: skip


async def test_the_environment_tells_what_sets_it_and_what_the_process_has_not_got_yet(tmp_path: Path) -> None:
    file = tmp_path / "llm.env"
    file.write_text("OPENAI_API_KEY=hunter22\nREGION=new\nADDED=1\n")
    child = subprocess.Popen(["sleep", "60"], env={"REGION": "old", "OPENAI_API_KEY": "hunter22", "PATH": "/bin"})
    try:
        unit = Unit("llm", "process", True, (), None, {}, None, "")
        given = {"UNIT": Variable("1", "Environment= of llm"), "GONE": Variable("x", str(file)),
                 "HOME": Variable("/root", "the running process 7")}  # fmt: skip
        profile = _profile(Process(("true",), "/run/x"), environment=given, environment_files=(str(file),),
                           found_unit=unit)  # fmt: skip
        seen = Service("llm", "process", "loaded", "active", "running", main_pid=child.pid)
        detail = await read_detail(profile.service_target, seen, PLAIN)
    finally:
        child.kill()
        child.wait()
    told = {variable.name: (variable.value, variable.running) for variable in detail.environment}
    assert told == {
        "ADDED": ("1", "not in the process that runs"),
        "OPENAI_API_KEY": ("•••", ""),
        "REGION": ("new", "another value in the process that runs"),
        "UNIT": ("1", "not in the process that runs"),
    }
    assert detail.inherited == ("PATH",)
    words = "\n".join(text for _, text, _ in detail_paragraphs(detail, 0.0, str))
    assert "hunter22" not in words
    assert "REGION=new" in words
    assert "a restart applies it" in words


async def test_a_key_in_a_command_of_the_profile_is_masked() -> None:
    kind = Custom(("true",), start=("svc", "start", "--api-key=sk-1234567890abcdef", "DB_PASSWORD=hunter22"))
    detail = await read_detail(_profile(kind).service_target, None, PLAIN)
    assert detail.policy["start"] == "svc start --api-key=••• DB_PASSWORD=•••"


async def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    missing = tmp_path / "gone.service"
    seen = Service("llm", "custom", "loaded", "active", "running", fragment=f"{missing},{os.devnull}")
    detail = await read_detail(_profile(Custom(("true",), stop=("svc", "stop now"))).service_target, seen, PLAIN)
    assert [(file.path, file.why) for file in detail.files] == [
        (str(missing), "No such file or directory"), (os.devnull, "")
    ]  # fmt: skip
    assert detail.policy == {"status": "true", "stop": "svc 'stop now'"}
    assert "keeps only its last end" in detail.no_exits
    words = [text for _, text, _ in detail_paragraphs(detail, 0.0, str)]
    assert "No such file or directory" in words
    assert any("its environment; its process, start and memory" in text for text in words)


async def test_what_its_kind_cannot_tell_is_said(tmp_path: Path) -> None:
    for kind, expected in (
        (None, ()),
        (Custom(("true",), pid_file="pid"), ("its environment", "the ends of its runs, but for the last")),
        (Process(start=("litellm",), pid_file=str(tmp_path / "pid")), ("the ends of its runs, but for the last",)),
    ):
        target = replace(_profile(Custom(("true",))).service_target, settings=kind, name="")
        assert (await read_detail(target, None, PLAIN)).unknown == expected
