"""Edits of files as people write them: what changes, and what is refused."""

from __future__ import annotations

import codecs
import difflib
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.actions.splice import CannotEdit, diff, splice, tree
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.model.edits import Edit, Insert, Move, Remove, Rename, SetValue

USUAL = """\
# the gateway of the house
model_list:
  # the big one
  - model_name: big
    litellm_params:
      model: openai/big # local
      api_key: os.environ/BIG_KEY
      stream_timeout: 0

  - model_name: "small"
    litellm_params: {model: openai/small, rpm: 10}

litellm_settings:
  drop_params: True
  # how often a request is tried again
  num_retries: 3   # per deployment
  callbacks: [prometheus]
  cache_params:
    type: redis
    # ttl: 60

general_settings:
  master_key: 'sk-house'
"""


def _changed(edits: Edit | list[Edit], text: str = USUAL) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came."""
    after = splice(text.encode(), edits if isinstance(edits, list) else [edits]).decode()
    lines = list(difflib.unified_diff(text.splitlines(), after.splitlines(), lineterm=""))[2:]
    return [line[1:] for line in lines if line[0] == "-"], [line[1:] for line in lines if line[0] == "+"]


DEPLOYMENT = ("model_list", 0, "litellm_params")


@pytest.mark.parametrize(
    ("edit", "gone", "came"),
    [
        (
            SetValue((*DEPLOYMENT, "model"), "openai/x"),
            ["      model: openai/big # local"],
            ["      model: openai/x # local"],
        ),
        (SetValue(("general_settings", "master_key"), "on"), ["  master_key: 'sk-house'"], ["  master_key: 'on'"]),
        (SetValue(("model_list", 1, "model_name"), "12:30"), ['  - model_name: "small"'], ['  - model_name: "12:30"']),
        (
            SetValue(("litellm_settings", "num_retries"), None),
            ["  num_retries: 3   # per deployment"],
            ["  num_retries: null   # per deployment"],
        ),
        (
            SetValue(("model_list", 1, "litellm_params", "model"), "a, b"),
            ["    litellm_params: {model: openai/small, rpm: 10}"],
            ["    litellm_params: {model: 'a, b', rpm: 10}".replace("'", '"')],
        ),
        (
            SetValue(("litellm_settings", "callbacks"), ["otel", "on"]),
            ["  callbacks: [prometheus]"],
            ['  callbacks: [otel, "on"]'],
        ),
        (
            SetValue(("litellm_settings", "num_retries"), {"a": [1]}),
            ["  num_retries: 3   # per deployment"],
            ["  num_retries:   # per deployment", "    a:", "      - 1"],
        ),
        (Rename(("general_settings",), "router_settings"), ["general_settings:"], ["router_settings:"]),
        (Remove((*DEPLOYMENT, "stream_timeout")), ["      stream_timeout: 0"], []),
        (
            Remove(("litellm_settings", "num_retries")),
            ["  # how often a request is tried again", "  num_retries: 3   # per deployment"],
            [],
        ),
        (
            Remove(("model_list", 1, "litellm_params", "rpm")),
            ["    litellm_params: {model: openai/small, rpm: 10}"],
            ["    litellm_params: {model: openai/small}"],
        ),
        (Remove(("litellm_settings", "callbacks", 0)), ["  callbacks: [prometheus]"], ["  callbacks: []"]),
        (Insert((*DEPLOYMENT, "rpm"), 5), [], ["      rpm: 5"]),
        (
            Insert(("router_settings", "retry_policy", "TimeoutErrorRetries"), 2),
            [],
            ["", "router_settings:", "  retry_policy:", "    TimeoutErrorRetries: 2"],
        ),
        (
            Insert(("model_list", 2), {"model_name": "new", "litellm_params": {"model": "x/y"}}),
            [],
            ["  - model_name: new", "    litellm_params:", "      model: x/y", ""],
        ),
        (
            Insert(("model_list", 1, "litellm_params", "tags"), ["a"]),
            ["    litellm_params: {model: openai/small, rpm: 10}"],
            ["    litellm_params: {model: openai/small, rpm: 10, tags: [a]}"],
        ),
        (
            Move(("litellm_settings", "num_retries"), ("general_settings", "num_retries")),
            ["  # how often a request is tried again", "  num_retries: 3   # per deployment"],
            ["  # how often a request is tried again", "  num_retries: 3   # per deployment"],
        ),
        (
            Move(("litellm_settings", "cache_params"), ("cache_params",)),
            ["  cache_params:", "    type: redis", "    # ttl: 60"],
            ["", "cache_params:", "  type: redis", "  # ttl: 60"],
        ),
    ],
)
def test_an_edit_changes_these_lines_and_no_others(edit: Edit, gone: list[str], came: list[str]) -> None:
    assert _changed(edit) == (gone, came)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_the_byte_order_mark_and_an_open_last_line_stay(end: str, mark: bytes, last: bool) -> None:
    text = "a: 1\nb:\n  c: 2\n  d: 3" + "\n" * last
    content = mark + text.replace("\n", end).encode()
    expected = "a: 1\nb:\n  c: 2\n  d: 3\n  e:\n    f: é" + "\n" * last
    assert splice(content, [Insert(("b", "e", "f"), "é")]) == mark + expected.replace("\n", end).encode()
    without = "a: 1\nb:\n  c: 2" + "\n" * last
    assert splice(content, [Remove(("b", "d"))]) == mark + without.replace("\n", end).encode()


def test_what_is_commented_out_stays_in_its_section() -> None:
    text = b"a:\n  b: 1\n  # c: 2\n# of nobody\n"
    assert splice(text, [Insert(("d",), 3)]) == b"a:\n  b: 1\n  # c: 2\nd: 3\n# of nobody\n"
    assert splice(text, [Remove(("a",)), Insert(("e",), 1)]) == b"e: 1\n# of nobody\n"


@pytest.mark.parametrize(
    ("text", "path", "left"),
    [
        ("a:\n  # one\n  x: 1\n  # two\n  y: 2\n", ("a", "x"), "a:\n  # two\n  y: 2\n"),
        ("a:\n  x: 1\n  # y: 2\n  z: 3\n", ("a", "z"), "a:\n  x: 1\n  # y: 2\n"),
        ("# ---- all ----\na: 1\nb: 2\n", ("a",), "# ---- all ----\nb: 2\n"),
        ("a: 1\n# of nobody\n\nb: 2\nc: 3\n", ("b",), "a: 1\n# of nobody\n\nc: 3\n"),
        ("a: 1\n\nb: 2\n\nc: 3\n", ("b",), "a: 1\n\nc: 3\n"),
        ("- a: 1 # gone\n  b: 2\n", (0, "a"), "- b: 2\n"),
        ("- a: 1\n  # of b\n  b: 2\n", (0, "a"), "- \n  # of b\n  b: 2\n"),
        ("a:\n  b: 1\nc: 2\n", ("a", "b"), "a: {}\nc: 2\n"),
        ("a: [1, # one\n  # of two\n  2]\n", ("a", 1), "a: [1 # one\n  # of two\n  ]\n"),
        ("a: |\n  # text\nb: 1\n", ("b",), "a: |\n  # text\n"),
    ],
)
def test_only_its_own_comments_go_with_an_entry(text: str, path: Any, left: str) -> None:
    assert splice(text.encode(), [Remove(path)]).decode() == left


@pytest.mark.parametrize(
    ("text", "path", "left"),
    [
        ("r:\n  f:\n    - a: [x]\n  n: 1\n", ("r", "f", 0, "a", 0), "r:\n  n: 1\n"),
        ("r:\n  f:\n    - a: [x]\n    - b: [y]\n", ("r", "f", 0, "a", 0), "r:\n  f:\n    - b: [y]\n"),
        ("r: {f: [{a: [x]}], n: 1}\n", ("r", "f", 0, "a", 0), "r: {n: 1}\n"),
        ("r:\n  f:\n    - a: [x, y]\n", ("r", "f", 0, "a", 0), "r:\n  f:\n    - a: [y]\n"),
        ("m: 1\n# of r\nr:\n  f: [x]\n\n# of s\ns: 2\n", ("r", "f", 0), "m: 1\n\n# of s\ns: 2\n"),
        ("r:\n  # of f\n  f:\n    # of a\n    - a: [x]\n  # of n\n  n: 1 # one\n", ("r", "f", 0, "a", 0),
         "r:\n  # of n\n  n: 1 # one\n"),
        # the file keeps a key
        ("r:\n  f: [x]\n", ("r", "f", 0), "r: {}\n"),
        ("a: 1\n", ("a",), "{}\n"),
        # what stands behind it would be read again
        ("r:\n  f: [y]\n  f: [x]\n", ("r", "f", 0), "r:\n  f: [y]\n  f: []\n"),
        ("b: &b {f: [y]}\nr:\n  <<: *b\n  f: [x]\n", ("r", "f", 0), "b: &b {f: [y]}\nr:\n  <<: *b\n  f: []\n"),
        ("r: {f: [z]}\nr:\n  f: [x]\n", ("r", "f", 0), "r: {f: [z]}\nr: {}\n"),
    ],
)  # fmt: skip
def test_what_a_removal_leaves_empty_goes_with_it_where_that_is_asked(text: str, path: Any, left: str) -> None:
    assert splice(text.encode(), [Remove(path, emptied=True)]).decode() == left


def test_the_second_of_two_removals_empties_what_the_first_one_left() -> None:
    text = b"r:\n  f:\n    - a: [x]\n    - b: [y, z]\nm: 1\n"
    ends = [Remove(("r", "f", 1, "b", 0), emptied=True), Remove(("r", "f", 1, "b", 0), emptied=True)]
    assert splice(text, ends) == b"r:\n  f:\n    - a: [x]\nm: 1\n"
    assert splice(text, [*ends, Remove(("r", "f", 0, "a", 0), emptied=True)]) == b"m: 1\n"
    assert splice(text, [Insert(("r", "n"), 1), Remove(("r", "n"), emptied=True)]) == text
    beside = splice(
        text, [SetValue(("m",), 2), Insert(("r", "f", 2), {"c": ["w"]}), Remove(("r", "f", 0), emptied=True)]
    )
    assert beside == b"r:\n  f:\n    - b: [y, z]\n    - c:\n        - w\nm: 2\n"
    with pytest.raises(CannotEdit, match=r"no r\.g in the file"):
        splice(text, [Remove(("r", "g"), emptied=True)])


def test_of_a_duplicated_key_the_last_is_meant_and_any_can_be_removed() -> None:
    text = b"a: 1\nb: 2\na: 3\n"
    assert splice(text, [SetValue(("a",), 4)]) == b"a: 1\nb: 2\na: 4\n"
    assert splice(text, [Remove(("a",), 0)]) == b"b: 2\na: 3\n"
    assert splice(text, [Remove(("a",))]) == b"a: 1\nb: 2\n"
    with pytest.raises(CannotEdit, match="2 times"):
        splice(text, [Remove(("a",), 2)])
    for edit in (Rename(("a",), "c"), Move(("a",), ("c", "a"))):
        with pytest.raises(CannotEdit, match="more than once"):
            splice(text, [edit])


ANCHORED = "base: &b\n  x: 1\none: *b\ntwo:\n  <<: *b\n  y: 2\nfree: &f 5\n"


@pytest.mark.parametrize(
    ("edit", "why", "line"),
    [
        (SetValue(("base",), 1), "used elsewhere", 1),
        (SetValue(("base", "x"), 2), "used elsewhere", 1),
        (Remove(("base",)), "used elsewhere", 1),
        (SetValue(("one", "x"), 2), "alias", 3),
        (SetValue(("two", "x"), 2), "merge key", 5),
        (Insert(("two", "x"), 2), "merge key", 5),
        (Remove(("two", "<<")), "merge key", 5),
        (SetValue(("none",), 2), "no none", 1),
        (Insert(("free",), 2), "already", 7),
        (Rename(("two",), "one"), "already", 4),
        (Insert(("one", "z"), 2), "alias", 3),
        (Insert(("free", "z"), 2), "no place", 7),
        (Move(("two",), ("two", "in")), "cannot be moved", 1),
    ],
)
def test_what_would_change_something_else_is_refused_with_its_place(edit: Edit, why: str, line: int) -> None:
    with pytest.raises(CannotEdit, match=why) as refused:
        splice(ANCHORED.encode(), [edit])
    assert refused.value.line == line


def test_anchors_and_aliases_beside_the_edit_stay() -> None:
    after = splice(ANCHORED.encode(), [SetValue(("free",), 6), SetValue(("one",), 7), Insert(("two", "z"), 3)])
    assert after.decode() == "base: &b\n  x: 1\none: 7\ntwo:\n  <<: *b\n  y: 2\n  z: 3\nfree: &f 6\n"


@pytest.mark.parametrize(
    "content",
    [
        "a: 1\n".encode("utf-16"), b"a: \xff\n", b"a: [", b"a: 1\n---\na: 2\n", b"a: *x\n", b"a: &x 1\nb: &x 2\n",
        b"a\n", b"- 1\n", b"", b"a: \x00\n",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_not_edited(content: bytes) -> None:
    with pytest.raises(CannotEdit):
        splice(content, [SetValue(("a",), 3)])


@pytest.mark.parametrize("value", [object(), {1, 2}, "\ud800", {"a": b"x"}, {"k" * 2000: 1}])
def test_what_is_no_plain_data_is_not_written(value: Any) -> None:
    with pytest.raises(CannotEdit):
        splice(b"a: 1\n", [SetValue(("a",), value)])


def test_the_first_entry_of_a_file_of_comments() -> None:
    assert splice(b"# nothing yet\n", [Insert(("a", "b"), 1)]) == b"# nothing yet\na:\n  b: 1\n"


def test_the_first_entry_of_an_empty_mapping_at_the_top() -> None:
    assert splice(b"{} # none\n", [Insert(("a",), [1])]) == b"a:\n  - 1 # none\n"
    assert splice(b"--- {}\n", [Insert(("a",), [1])]) == b"--- {a: [1]}\n"


def test_edits_follow_one_another() -> None:
    edits: list[Edit] = [
        Remove(("model_list", 0)),
        Remove(("model_list", 0)),
        Insert(("model_list", 0), {"model_name": "x"}),
    ]
    after = yaml.safe_load(splice(USUAL.encode(), edits))
    assert after["model_list"] == [{"model_name": "x"}]


def test_many_edits_of_a_large_file_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = "  - model_name: g{0} # {0}\n    litellm_params:\n      model: openai/m{0}\n      stream_timeout: 0\n"
    text = "model_list:\n" + "".join(entry.format(number) for number in range(300))
    parsed = []
    really = yaml.parse

    def counted(*arguments: Any, **options: Any) -> Any:
        parsed.append(1)
        return really(*arguments, **options)

    monkeypatch.setattr(yaml, "parse", counted)
    edits = [Remove(("model_list", number, "litellm_params", "stream_timeout")) for number in range(300)]
    assert splice(text.encode(), edits).decode() == text.replace("      stream_timeout: 0\n", "")
    assert len(parsed) == 2


def test_usual_files_take_every_usual_edit() -> None:
    data = yaml.safe_load(USUAL)
    pending: list[tuple[Any, Any]] = [((key,), value) for key, value in data.items()]
    count = 0
    while pending:
        path, value = pending.pop()
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        pending += (((*path, key), item) for key, item in items)
        edits: list[Edit] = [SetValue(path, new) for new in (1, "x: y", None, [1], {"a": {"b": [1]}}, {})]
        edits += [Remove(path), Move(path, ("elsewhere", "it")), Insert(("new", *map(str, path)), "v")]
        edits += [Rename(path, "renamed")] if isinstance(path[-1], str) else []
        for edit in edits:
            assert json.dumps(yaml.safe_load(splice(USUAL.encode(), [edit]))) != json.dumps(data)
            count += 1
    assert count > 150


def test_the_python_loader_leads_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    edits: list[Edit] = [Insert(("a", "b"), [1]), Remove(("litellm_settings", "num_retries")), SetValue(DEPLOYMENT, {})]
    expected = splice(USUAL.encode(), edits)
    monkeypatch.setattr(tree, "_Loader", yaml.SafeLoader)
    assert splice(USUAL.encode(), edits) == expected


def test_no_secret_stands_in_a_diff() -> None:
    before = (
        'x: &k plain-hidden\na:\n  api_key: hidden-1\n  token: "hidden-2" # token: hidden-3\n'
        "  password: |\n    hidden-4\n"
        "  key: os.environ/KEY\n  # secret: hidden-5\n  other_key: *k\n  keys:\n  - hidden-6\n  n: 1 # knownsecret\n"
    )
    after = splice(before.encode(), [SetValue(("a", "n"), 2), SetValue(("a", "api_key"), "hidden-7")])
    shown = diff(before.encode(), after, "config.yaml", Redactor(["knownsecret"]))
    for text in (
        shown,
        diff(b"", before.encode(), "f", Redactor(["knownsecret"])),
        diff(b"", b"api_key: hidden [", "f", str),
    ):
        assert "hidden" not in text.replace("keys:\n", "")
        assert "knownsecret" not in text
    assert "-  api_key: •••\n+  api_key: •••\n" in shown
    assert shown.startswith("--- config.yaml\n+++ config.yaml\n@@ -1,")
    assert diff(before.encode(), before.encode(), "f", str) == ""


def test_a_diff_says_where_the_last_line_is_open() -> None:
    expected = "--- f\n+++ f\n@@ -1 +1 @@\n-a: 1\n\\ No newline at end of file\n+a: 1\n"
    assert diff(b"a: 1", b"a: 1\n", "f", str) == expected


@pytest.mark.parametrize("number", [1, 7, 150])
def test_a_diff_of_many_alike_entries_shows_what_was_moved_or_taken_out(number: int) -> None:
    entries = [f"  - model_name: g{at}\n    litellm_params:\n      rpm: 100\n      timeout: 30\n" for at in range(300)]
    before = ("model_list:\n" + "".join(entries)).encode()
    entry = [f"-{line}" for line in entries[number].splitlines()]
    for edit in (Remove(("model_list", number)), Move(("model_list", number), ("model_list", 300))):
        shown = diff(before, splice(before, [edit]), "f", str).splitlines()[2:]
        assert [line for line in shown if line[0] == "-"] == entry
        assert len([line for line in shown if line[0] == "+"]) == (4 if isinstance(edit, Move) else 0)


@given(st.lists(st.sampled_from("abcde"), max_size=12), st.lists(st.sampled_from("abcdef"), max_size=12), st.booleans())
def test_a_diff_leads_from_one_file_to_the_other(old: list[str], new: list[str], closed: bool) -> None:
    before, after = "\n".join(old) + "\n" * closed, "\n".join(new) + "\n"
    shown = diff(before.encode(), after.encode(), "f", str).replace("\n\\ No newline at end of file", "").splitlines()
    place, built = 0, []
    lines = before.splitlines()
    for line in shown[2:]:
        if line.startswith("@@"):
            start, _, length = line.split()[1][1:].partition(",")
            until = int(start) - (length != "0")
            built += lines[place:until]
            place = until
        elif line[0] != "+":
            assert lines[place] == line[1:]
            place += 1
            built += [line[1:]] * (line[0] == " ")
        else:
            built.append(line[1:])
    assert built + lines[place:] == after.splitlines()
