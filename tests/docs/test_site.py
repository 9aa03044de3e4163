"""The pages as a site: built without a warning, no link leads nowhere, and a reader fetches nothing from elsewhere."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from tests.docs.pages import PAGES, ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in strict mode: a link, an anchor or a picture that is not there ends it."""
    folder = tmp_path_factory.mktemp("site")
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    moved = {"README": "index", "CONTRIBUTING": "contributing", "CHANGELOG": "changelog", "SECURITY": "reporting"}
    wanted = {moved.get(page.stem, page.stem) for page in PAGES}
    assert wanted <= {page.stem for page in site.glob("*.html")}
    index = (site / "index.html").read_text(encoding="utf-8")
    assert [name for name in sorted(wanted) if f'href="{name}.html"' not in index and name != "index"] == []


def test_pictures_are_in_the_site(site: Path) -> None:
    shown = {
        name for page in site.glob("*.html") for name in re.findall(r'<img[^>]* src="([^"]+)"', page.read_text("utf-8"))
    }
    assert "screenshots/incident.svg" in shown
    assert [name for name in shown if not (site / name).is_file()] == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = [
        (page.name, tag)
        for page in site.rglob("*.html")
        for tag in re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", page.read_text("utf-8"))
        if re.search(r"(?:src|href)=\"?(?:https?:)?//", tag) and 'rel="canonical"' not in tag
    ]
    assert fetched == []
    sheets = [
        sheet.name
        for sheet in site.rglob("*.css")
        if re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", sheet.read_text("utf-8"))
    ]
    assert sheets == []
