"""The moving picture: each frame in its time, what stays drawn once, and nothing that is fetched or run."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.moving_picture import Frame, Piece, animated

_FIRST: Frame = ((Piece(0, "OK <all>", "#ffffff", "#0d1117", True),), (Piece(0, "", "#ffffff", "#0d1117"),))
_OTHER: Frame = (_FIRST[0], (Piece(2, " 1 problem ", "#ff0000", "#202020"),))
_SVG = "{http://www.w3.org/2000/svg}"


def _texts(picture: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(picture).iter(f"{_SVG}text")]


def test_a_line_that_stays_is_drawn_once_and_always_seen() -> None:
    picture = animated((_FIRST, _OTHER, _FIRST), (2, 3, 1), (20, 2))
    assert _texts(picture).count("OK <all>") == 1
    line = next(line for line in picture.splitlines() if "OK &lt;all&gt;" in line)
    assert "<g>" in line, "it belongs to no turn"


def test_each_frame_is_seen_in_its_time_and_the_first_where_nothing_may_move() -> None:
    picture = animated((_FIRST, _OTHER, _FIRST), (2, 3, 1), (20, 2))
    name = re.search(r'<g class="(f\d+)">.*1 problem', picture)
    assert name is not None
    steps = re.search(rf"@keyframes {name[1]}\{{(.*)\}}", picture)
    assert steps is not None
    shown = re.findall(r"([\d.]+)%\{visibility:(\w+)\}", steps[1])
    assert shown == [("0.00", "hidden"), ("33.33", "visible"), ("83.33", "hidden")]
    assert f".{name[1]}{{animation:{name[1]} 6s step-end infinite}}" in picture
    still = picture.partition("prefers-reduced-motion")[2]
    assert f".{name[1]}{{animation:none;visibility:hidden}}" in still


def test_text_stands_in_its_cells_on_its_ground() -> None:
    root = ElementTree.fromstring(animated((_FIRST, _OTHER), (1, 1), (20, 2)))
    text = next(text for text in root.iter(f"{_SVG}text") if text.text == "1 problem")
    assert (text.get("x"), text.get("textLength")) == ("25.2", "75.6")
    ground = next(rect for rect in root.iter(f"{_SVG}rect") if rect.get("x") == "16.8")
    assert (ground.get("y"), ground.get("width")) == ("17", "92.4")


def test_nothing_is_fetched_or_run() -> None:
    picture = animated((_FIRST, _OTHER), (1, 1), (20, 2))
    assert not re.search(r"<script|<image|url\(|@import|@font-face|href|foreignObject", picture)
