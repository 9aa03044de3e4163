"""A container against what it would be made with now, part by part."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from litellm_tui.analysis.change.made import Compared, Made, Mounted, compare

FILE = "/srv/compose.yaml"
RUNS = Made(
    image="gw:1",
    image_id="sha256:" + "a" * 64,
    variables={"PATH": "/bin", "KEY": "sk-one", "MODE": "x"},
    image_variables={"PATH": "/bin"},
    entrypoint=("litellm",),
    command=("--port", "4000"),
    mounts={"/app": Mounted("bind", "/srv/conf", False)},
    ports=frozenset({"4000->4000/tcp"}),
)
WRITTEN = replace(RUNS, variables={"KEY": "sk-one", "MODE": "x"}, image_variables=None)


def _compared(written: Made = WRITTEN, runs: Made = RUNS, *unset: str) -> Compared:
    return compare(runs, written, lambda name: f"{name.lower()}.env", FILE, frozenset(unset))


def _words(*arguments: object) -> list[str]:
    return [difference.words for difference in _compared(*arguments).found]  # type: ignore[arg-type]


def test_a_container_of_what_is_written_has_no_difference() -> None:
    assert _compared() == Compared(())


def test_no_value_of_a_variable_is_in_a_difference() -> None:
    written = replace(WRITTEN, variables={"KEY": "sk-two", "NEW": "sk-three"})
    found = _compared(written).found
    assert [d.words for d in found] == [
        "variable KEY: another value runs", "variable NEW: not in what runs", "variable MODE: in what runs alone",
    ]  # fmt: skip
    assert [d.source for d in found] == ["key.env", "new.env", ""]
    assert "sk-" not in repr(found)


@pytest.mark.parametrize(("change", "words"), [
    ({"image": "gw:2"}, "image: gw:1 → gw:2"),
    ({"image_id": "sha256:" + "b" * 64}, f"image: gw:1 ({'a' * 12}) → gw:1 ({'b' * 12})"),
    ({"command": ("--port", "5000")}, "command: --port 4000 → --port 5000"),
    ({"entrypoint": ()}, "command entrypoint: litellm → (none)"),
    ({"mounts": {"/app": Mounted("bind", "/srv/moved", False)}},
     "mount /app: /srv/conf (read-only) → /srv/moved (read-only)"),
    ({"mounts": {"/app": Mounted("bind", "/srv/conf")}}, "mount /app: /srv/conf (read-only) → /srv/conf"),
    ({"mounts": {}}, "mount /app: /srv/conf (read-only)"),
])  # fmt: skip
def test_each_part_is_compared(change: dict[str, object], words: str) -> None:
    assert _words(replace(WRITTEN, **change)) == [words]


def test_a_port_that_moves_goes_and_comes() -> None:
    found = _compared(replace(WRITTEN, ports=frozenset({"4001->4000/tcp"}))).found
    told = [(d.sign, d.written or d.runs) for d in found]
    assert told == [("added", "4001->4000/tcp"), ("removed", "4000->4000/tcp")]


def test_what_is_not_known_is_not_compared() -> None:
    unknown = replace(WRITTEN, image_id="", entrypoint=None, command=None, ports=None)
    assert _words(unknown) == []
    # which variables the image brought is not known, so none of them is said to be written no more
    assert _words(replace(WRITTEN, variables={"KEY": "sk-one"}), replace(RUNS, image_variables=None)) == []


def test_an_image_that_is_named_by_its_digest_is_the_tag_of_that_digest() -> None:
    runs = replace(RUNS, image=RUNS.image_id)
    assert _words(WRITTEN, runs) == []
    assert _words(replace(WRITTEN, image_id="sha256:" + "b" * 64), runs) != []


def test_what_came_from_another_shell_would_be_lost_and_is_no_change_of_a_file() -> None:
    from_shell = replace(WRITTEN, variables={"KEY": None, "MODE": "x"})
    compared = _compared(from_shell)
    assert compared.found == ()
    assert compared.harm[0].startswith("KEY: the container has it from whoever ran docker compose")
    blank = replace(WRITTEN, variables={"KEY": "", "MODE": "x"})
    assert _compared(blank, RUNS, "KEY").harm
    # an empty value that is written as one is a change
    assert [d.name for d in _compared(blank).found] == ["KEY"]
    assert _compared(replace(WRITTEN, image="gw:"), RUNS, "TAG").harm == (
        f"TAG: referred to by {FILE}, and not set here: what depends on it would be made without it",
    )
