"""`litellm-tui serve` as people meet it: a real Chromium on a real server, which starts a real console for each visit.

The gateway is the simulated one. What a page shows is drawn from what its websocket got.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web

from litellm_tui.demo import Simulation
from tests.browser.chromium import PROGRAM, Chromium, Page, chromium
from tests.waiting import eventually

TOKEN: Final = "a-token-for-this-test-alone"
REQUIRED: Final = os.environ.get("LITELLM_TUI_REQUIRE_LAB") == "1"

pytestmark = pytest.mark.skipif(not PROGRAM and not REQUIRED, reason="no Chromium is installed")


class Served:
    """`litellm-tui serve`, which can be killed and started again at its port."""

    def __init__(self, folder: Path, key: str, *words: str) -> None:
        self._folder, self._key, self._words = folder, key, words
        self.port = 0
        self.process: asyncio.subprocess.Process | None = None
        self.log = folder / "serve.log"

    async def start(self) -> None:
        environment = {
            **os.environ, "HOME": str(self._folder), "XDG_STATE_HOME": str(self._folder / "state"),
            "XDG_CONFIG_HOME": str(self._folder / "settings"), "LITELLM_PROXY_API_KEY": self._key,
        }  # fmt: skip
        with self.log.open("w") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "litellm_tui.cli", "serve", f"--listen=127.0.0.1:{self.port}", *self._words,
                stderr=log, stdin=asyncio.subprocess.DEVNULL, env=environment, start_new_session=True,
            )  # fmt: skip
        found = await eventually(lambda: re.search(r"http://127\.0\.0\.1:(\d+)/", self.said), "it serves")
        assert found
        self.port = int(found[1])

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def consoles(self) -> list[int]:
        """The processes of its visitors that still run."""
        started = {int(pid) for pid in re.findall(r"opened a console .* process (\d+)", self.said)}
        return [pid for pid in started if Path(f"/proc/{pid}/cmdline").exists() and _runs(pid)]

    async def end(self, *, kill: bool = False) -> None:
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill() if kill else self.process.terminate()
            await asyncio.wait_for(self.process.wait(), 60)


def _runs(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@contextlib.asynccontextmanager
async def _served(tmp_path: Path, *words: str) -> AsyncIterator[Served]:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    with Simulation(tmp_path / "gateway", scripted=False) as simulation:
        served = Served(tmp_path, simulation.key, f"--token-file={token}", f"--url={simulation.url}", *words)
        await served.start()
        try:
            yield served
        finally:
            await served.end()


async def test_a_visit(tmp_path: Path) -> None:
    """The token, keys, other sizes, a lost connection, the limit, the end; and nothing from anywhere else."""
    assert PROGRAM, "install chromium: CI shows the console in it"
    async with _served(tmp_path, "--visitors=1") as served, chromium(tmp_path / "chromium") as browser:
        page = await browser.page()
        await page.resize(1200, 800)
        await page.open(served.address)
        await page.says("Token")
        await _give(page, "not-the-right-token")
        await page.says("That is not the token.")
        await _give(page, TOKEN)
        await page.shows("READ-ONLY")
        await page.shows("llama3.1:8b")
        columns, lines = page.size
        assert columns > 100
        assert lines > 30
        (first,) = served.consoles()

        # keys, and what a read-only console answers to one that would change something
        await page.press("?")
        await page.shows("Keys and signs")
        # to a terminal Escape and a letter at once are one key
        await page.press("Escape")
        await page.hides("Keys and signs")
        await page.press("R")
        await page.shows("read-only: R is off")
        if picture := os.environ.get("LITELLM_TUI_WRITE_DOCS"):
            assert picture
            await page.picture(Path(__file__).parents[2] / "docs/serve.png")

        # another window, and the size of a phone
        await page.resize(900, 500)
        await eventually(lambda: page.size[0] < columns and page.size[1] < lines, "the new size is told")
        await page.shows("READ-ONLY")
        await page.resize(390, 844, mobile=True)
        await eventually(lambda: page.size[0] < 60, "the size of a phone is told")
        await page.shows("Models")

        # a second visitor, where one is the most
        other = await browser.page()
        await other.open(served.address)
        await other.says("1 consoles are open")

        # a page of another address, in the browser that has the cookie
        await _is_refused_from_elsewhere(tmp_path, browser, served)

        # the server goes down and comes back
        await served.end(kill=True)
        await page.says("The connection is lost")
        await eventually(lambda: not _runs(first), "the console ended with its server")
        await served.start()
        # it knows no cookie of the one before
        await page.says("Token")
        page.forget()
        await _give(page, TOKEN)
        await page.shows("llama3.1:8b")

        # the end, by the key for it; then once more
        await page.press("q")
        await page.says("the console has ended")
        await eventually(lambda: not served.consoles(), "the process ended with the visit")
        page.forget()
        await page.value("document.getElementById('again').click()")
        await page.shows("llama3.1:8b")
        assert len(served.consoles()) == 1

        # the tab is closed
        await page.open("about:blank")
        await eventually(lambda: not served.consoles(), "the process ended with its visitor")
        outside = [
            url for url in page.requests if not url.startswith((served.address, f"ws://127.0.0.1:{served.port}"))
        ]
        assert [url for url in outside if not url.startswith(("data:", "about:"))] == []
        assert not [error for error in page.errors if "Content Security Policy" in error]
        assert TOKEN not in served.said


async def _give(page: Page, token: str) -> None:
    await page.value("document.getElementById('token').focus()")
    await page.press(token, "Enter")


async def _is_refused_from_elsewhere(tmp_path: Path, browser: Chromium, served: Served) -> None:
    async def page_of_somebody(_: web.Request) -> web.Response:
        return web.Response(text="<p>elsewhere</p>", content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", page_of_somebody)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        page = await browser.page()
        await page.open(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        await page.says("elsewhere")
        tried = (
            f"new Promise(done => {{ const s = new WebSocket('ws://127.0.0.1:{served.port}/ws');"
            "s.onopen = () => done('opened'); s.onerror = () => done('refused') })"
        )
        assert await page.value(tried) == "refused"
        assert f"a page of http://127.0.0.1:{runner.addresses[0][1]} may not open this console" in served.said
    finally:
        await runner.cleanup()
