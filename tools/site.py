"""A hook of MkDocs: pages and pictures that lie beside `docs/` become parts of the site, each from its one place.

Links are written as they work in the repository, and are turned into those of the site here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "reporting.md",
}
_LINK: Final = re.compile(r"(\]\()((?:\.\./)?(?:docs/)?)([^)\s#:]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Pages that no section of the navigation names stand in one of their own, so that none is out of reach."""
    sections: list[Any] = list(config.nav or [])
    docs = {path.name for path in Path(config.docs_dir).glob("*.md")} | set(PAGES.values())
    named = set(_names(sections))
    config.nav = [kept for section in sections if (kept := _existing(section, docs)) is not None]
    if more := sorted(docs - named):
        config.nav.append({"More": more})
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """The pages of the repository's root under their names in the site, and the pictures."""
    for source, name in PAGES.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text(encoding="utf-8")))
    for picture in sorted((ROOT / "screenshots").glob("*.svg")):
        files.append(File.generated(config, f"screenshots/{picture.name}", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with the links of the site."""
    return _LINK.sub(_in_the_site, markdown)


def _in_the_site(link: re.Match[str]) -> str:
    before, _, path, anchor = link.groups()
    return f"{before}{PAGES.get(path, path)}{anchor or ''})"


def _names(section: Any) -> list[str]:
    if isinstance(section, str):
        return [section]
    return [name for part in (section.values() if isinstance(section, dict) else section) for name in _names(part)]


def _existing(section: Any, docs: set[str]) -> Any:
    """The section without the pages that this checkout has not got; None where nothing of it is left."""
    if isinstance(section, str):
        return section if section in docs else None
    title, part = next(iter(section.items()))
    if isinstance(part, str):
        return section if part in docs else None
    kept = [found for one in part if (found := _existing(one, docs)) is not None]
    return {title: kept} if kept else None
