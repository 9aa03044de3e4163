"""Python modules that a configuration names: where they are looked for, and what is said of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.collectors.litellm_source.python_modules import find_modules
from tests.audit.reading import audited, found, lines

LOGGER = "from litellm.integrations.custom_logger import CustomLogger\nclass Mine(CustomLogger): pass\nmine = Mine()\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("litellm_settings:\n  callbacks: tally.counter\n", 2),
        ("litellm_settings:\n  callbacks:\n    - otel\n    - tally.counter\n", 4),
        ("litellm_settings:\n  success_callback: [tally.counter]\n", 2),
        ("litellm_settings:\n  failure_callback: [tally.counter]\n", 2),
        ("litellm_settings:\n  audit_log_callbacks: [tally.counter]\n", 2),
        ("litellm_settings:\n  post_call_rules: tally.counter\n", 2),
        ("litellm_settings:\n  custom_provider_map:\n    - {provider: p, custom_handler: tally.counter}\n", 3),
        ("litellm_settings:\n  guardrails:\n    - g: {callbacks: [tally.counter], default_on: true}\n", 3),
        ("general_settings:\n  custom_auth: tally.counter\n", 2),
        ("general_settings:\n  custom_key_generate: tally.counter\n", 2),
        ("general_settings:\n  custom_sso: tally.counter\n", 2),
        ("guardrails:\n  - guardrail_name: g\n    litellm_params: {guardrail: tally.Counter, mode: pre_call}\n", 3),
        ("mcp_tools:\n  - {name: t, description: d, handler: tally.counter}\n", 2),
    ],
)
def test_a_module_that_is_nowhere_is_fatal(text: str, line: int) -> None:
    [finding] = found(audited(text), "module-not-found")
    assert (finding.severity, finding.mark.line) == ("fatal", line)
    assert "tally.py is not beside config.yaml" in finding.text


@pytest.mark.parametrize(
    "text",
    [
        "litellm_settings:\n  callbacks: [tally.mine, otel]\n",
        "litellm_settings:\n  callbacks: s3://bucket/tally.mine\n",
        "general_settings:\n  custom_auth: os.environ/AUTH\n",
        "guardrails:\n  - guardrail_name: g\n    litellm_params: {guardrail: azure/prompt_shield, mode: pre_call}\n",
        "general_settings:\n  custom_auth: litellm.proxy.custom_auth_auto.user_api_key_auth\n",
    ],
)
def test_what_is_there_or_cannot_be_told_is_left_alone(text: str) -> None:
    assert not {"module-not-found", "module-unusable"} & lines(audited(text, files={"tally.py": LOGGER})).keys()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def other(): ...\n", "has no 'mine'"),
        ("def mine(:\n", "line 1 of it is not Python"),
        ("class mine: ...\n", "is a class"),
        ("mine = 1\n", "nothing that can be called"),
        ("mine, other = 1, 2\nmine = [other]\nmine = 'x'\ndel mine\n", "has no 'mine'"),
        ("mine = {}\nmine = f'{mine}'\n", "nothing that can be called"),
        ("mine: int\n", "has no 'mine'"),
        ("from .other import mine\n", "line 1 of it imports from its package"),
        ("mine = make()\n", "line 1 of it uses 'make', which is nowhere"),
        ("raise RuntimeError('no')\n", "line 1 of it raises"),
        ("mine, other = 1, 2\n", "nothing that can be called"),
        ("for mine in (print, 2):\n    pass\n", "nothing that can be called"),
        ("for mine in []:\n    pass\n", "has no 'mine'"),
        ("with open('x') as mine:\n    pass\n", "nothing that can be called"),
        ("class A: ...\nmine = A()\n", "nothing that can be called"),
        ("class A: ...\nmine = A\n", "is a class"),
    ],
)
def test_a_module_that_cannot_be_used_is_fatal(source: str, said: str) -> None:
    text = "litellm_settings:\n  callbacks: [tally.mine]\n"
    [finding] = found(audited(text, files={"tally.py": source}), "module-unusable")
    assert finding.severity == "fatal"
    assert said in finding.text


@pytest.mark.parametrize(
    "source",
    [
        "from elsewhere import *\n",
        "globals()['mine'] = 1\n",
        "if True:\n    mine = 1\n",
        "import x as mine\n",
        "from elsewhere import later, make\nmatch make():\n    case mine: pass\n",
        "from elsewhere import later, make\nmine = None\nmine = make()\n",
        "from elsewhere import later, make\nmine: object = make()\n",
        "mine = 5\ndef mine(): ...\n",
        "def make():\n    global mine\n    mine = print\nmake()\n",
        "if any((mine := one) for one in [print]):\n    other = mine\n",
        "from elsewhere import Base\nclass A(Base): ...\nmine = A()\n",
        "class A:\n    def __call__(self): ...\nmine = A()\n",
        "try:\n    from elsewhere import mine\nexcept ImportError:\n    mine = print\n",
        "from elsewhere import later, make\nif later:\n    del mine\nmine = make()\n",
    ],
)
def test_names_made_in_other_ways_count_as_there(source: str) -> None:
    text = "litellm_settings:\n  success_callback: [tally.mine]\n"
    assert not found(audited(text, files={"tally.py": source}), "module-unusable")


@pytest.mark.parametrize(
    "source",
    [
        "mine = 5\ndef mine(): ...\n",
        "from elsewhere import later, make\nmine = None\nmine = make()\n",
        "from elsewhere import later, make\nmine = [1]\nfor mine in make(): pass\n",
        LOGGER,
    ],
)
def test_what_may_be_a_callback_is_none_of_the_values(source: str) -> None:
    text = "litellm_settings:\n  callbacks: [tally.mine]\n"
    assert not found(audited(text, files={"tally.py": source}), "module-unusable")


@pytest.mark.parametrize("value", ["check", "5", "[a.b]"])
def test_a_name_that_names_no_module_is_fatal(value: str) -> None:
    [finding] = found(audited(f"general_settings:\n  custom_auth: {value}\n"), "module-unusable")
    assert finding.severity == "fatal"


def environment(folder: Path) -> Path:
    """An environment with LiteLLM and one package beside it."""
    library = folder / "env/lib/python3.11/site-packages"
    (library / "litellm").mkdir(parents=True)
    (library / "litellm/__init__.py").write_text("")
    (library / "doorkeeper").mkdir()
    (library / "doorkeeper/auth.py").write_text("")
    (library / "single.py").write_text("")
    (library / "native.cpython-311-x86_64-linux-gnu.so").write_text("")
    return folder / "env/bin/python"


def test_a_module_among_the_libraries_is_found_since_they_are_looked_at(tmp_path: Path) -> None:
    python = str(environment(tmp_path))
    text = "general_settings:\n  custom_auth: doorkeeper.auth.check\n"
    assert not found(audited(text, interpreter=python), "module-not-found")
    [finding] = found(audited(text, interpreter=python, version="1.77.7"), "module-not-found")
    assert "only what is beside" in finding.text
    [finding] = found(
        audited("general_settings:\n  custom_auth: nowhere.check\n", interpreter=python), "module-not-found"
    )
    assert finding.text.endswith("nor in LiteLLM's libraries")


def test_imports_that_are_nowhere_are_named(tmp_path: Path) -> None:
    source = "import os, single, doorkeeper.auth\nimport absent.part\nmine = 1\n"
    source += "try:\n    import perhaps\nexcept ImportError: ...\n"
    result = audited(
        "litellm_settings:\n  success_callback: [tally.mine]\n",
        files={"tally.py": source},
        interpreter=str(environment(tmp_path)),
    )
    [finding] = found(result, "module-unusable")
    assert "imports absent," in finding.text


def test_where_other_files_are_seen_it_is_no_refusal(tmp_path: Path) -> None:
    config = str(tmp_path / "config.yaml")
    assert not find_modules(["a.b"], config, contained=True).sure
    library = tmp_path / "env/lib/python3.11/site-packages"
    python = environment(tmp_path)
    (library / "__editable___x.pth").write_text("import __editable___x_finder; __editable___x_finder.install()\n")
    found_there = find_modules(["a.b"], config, str(python))
    assert (found_there.sure, found_there.libraries) == (False, None)


def test_the_working_folder_and_path_files_count_as_libraries(tmp_path: Path) -> None:
    python = environment(tmp_path)
    (tmp_path / "work").mkdir()
    (tmp_path / "work/near.py").write_text("")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/far.py").write_text("")
    (tmp_path / "env/lib/python3.11/site-packages/x.pth").write_text(f"{tmp_path}/more\n")
    names = ["near.a", "far.a", "native.a", "json.a", "absent.a"]
    named = find_modules(names, str(tmp_path / "c.yaml"), str(python), [str(tmp_path / "work")]).named
    assert [named[name].place for name in names] == [*["libraries"] * 4, "missing"]
