"""A real headless Chromium, driven by its DevTools protocol over one websocket."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pyte

from tests.waiting import eventually

PROGRAM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
# what pyte does not know: private CSI, OSC and DCS
_JUNK: Final = re.compile(rb"\x1b\[[<>=][0-9;]*[A-Za-z]|\x1b\[\?[0-9;]*\$p|\x1b[P_^X\]][^\x1b\x07]*(?:\x07|\x1b\\)")
_KEYS: Final = {"Enter": ("\r", 13), "Escape": ("", 27), "Tab": ("", 9)}


class Page:
    """One tab: what it has sent and asked for, and the terminal in it as text."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser, self._session = browser, session
        self.requests: list[str] = []
        self.sent: list[str] = []
        self.frames = 0
        self.sockets_closed = 0
        self.errors: list[str] = []
        self._size = (80, 24)
        self._begin()

    def _begin(self) -> None:
        self._screen = pyte.Screen(*self._size)
        self._stream = pyte.ByteStream(self._screen)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One call of the protocol; raises AssertionError where the browser refuses it."""
        return await self._browser.call(method, parameters, self._session)

    async def value(self, expression: str) -> Any:
        """What a piece of JavaScript comes to, awaited."""
        answer = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")

    async def open(self, address: str) -> None:
        await self.call("Page.navigate", url=address)

    async def resize(self, width: int, height: int, *, mobile: bool = False) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile
        )

    async def press(self, *keys: str) -> None:
        """Keys as a keyboard sends them; a word that is no name is typed letter by letter."""
        for key in keys:
            for name in [key] if key in _KEYS else key:
                text, code = _KEYS[name] if name in _KEYS else (name, ord(name.upper()))
                event = {"key": name, "windowsVirtualKeyCode": code, "text": text, "unmodifiedText": text}
                await self.call("Input.dispatchKeyEvent", type="keyDown", **event)
                await self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    async def picture(self, path: Path) -> None:
        """What is seen, as PNG."""
        answer = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))

    @property
    def text(self) -> str:
        """What the terminal in the page was told to show."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def forget(self) -> None:
        """What is shown from now on is another console's."""
        self._begin()

    async def shows(self, wanted: str) -> None:
        """Until the terminal shows this regular expression."""
        try:
            await eventually(lambda: re.search(wanted, self.text), wanted)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text}\n{self.errors}") from None

    async def hides(self, unwanted: str) -> None:
        """Until the terminal shows this regular expression no more."""
        await eventually(lambda: not re.search(unwanted, self.text), f"no {unwanted}")

    async def says(self, wanted: str) -> None:
        """Until the page itself, beside the terminal, says this."""
        end = asyncio.get_running_loop().time() + 60
        while wanted not in (said := str(await self.value("document.body ? document.body.innerText : ''"))):
            assert asyncio.get_running_loop().time() < end, f"{wanted!r} is not in {said!r}"
            await asyncio.sleep(0.1)

    def heard(self, method: str, told: dict[str, Any]) -> None:
        """An event of this page."""
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(told["url"])
                size = re.search(r"width=(\d+)&height=(\d+)", told["url"])
                self._size = (int(size[1]), int(size[2])) if size else self._size
                self._begin()
            case "Network.webSocketFrameSent":
                self.sent.append(told["response"]["payloadData"])
                if size := re.match(r'\["resize",\{"width":(\d+),"height":(\d+)', self.sent[-1]):
                    self._size = (int(size[1]), int(size[2]))
                    self._screen.resize(self._size[1], self._size[0])
            case "Network.webSocketFrameReceived" if told["response"]["opcode"] == 2:
                self.frames += 1
                self._stream.feed(_JUNK.sub(b"", base64.b64decode(told["response"]["payloadData"])))
            case "Network.webSocketClosed":
                self.sockets_closed += 1
            case "Runtime.exceptionThrown":
                self.errors.append(str(told["exceptionDetails"].get("exception", told["exceptionDetails"])))
            case "Log.entryAdded":
                self.errors.append(told["entry"]["text"])

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines that the page has told last."""
        return self._size


class Chromium:
    """A browser with a folder of its own; `page` opens a tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}

    async def page(self) -> Page:
        target = await self.call("Target.createTarget", {"url": "about:blank"})
        answer = await self.call("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        page = self._pages[answer["sessionId"]] = Page(self, answer["sessionId"])
        for domain in ("Page", "Network", "Runtime", "Log"):
            await page.call(f"{domain}.enable")
        return page

    async def call(self, method: str, parameters: dict[str, Any], session: str = "") -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json({**message, "sessionId": session} if session else message)
        async with asyncio.timeout(60):
            return await self._answers[number]

    async def listen(self) -> None:
        """Take in what the browser says, until it ends."""
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                answer = self._answers.pop(told["id"])
                if "error" in told:
                    answer.set_exception(AssertionError(told["error"]["message"]))
                else:
                    answer.set_result(told["result"])
            elif page := self._pages.get(told.get("sessionId", "")):
                page.heard(told["method"], told["params"])


@contextlib.asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Chromium]:
    """Start it, with its profile in `folder`; everything of it has ended afterwards."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pings",
        "--remote-debugging-port=0", f"--user-data-dir={folder}", "--window-size=1200,800", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)},
    )  # fmt: skip
    try:
        at = folder / "DevToolsActivePort"
        await eventually(lambda: at.exists() and len(at.read_text().split()) == 2, "Chromium listens")
        port, path = at.read_text().split()
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0) as socket,
        ):
            browser = Chromium(socket)
            listening = asyncio.create_task(browser.listen())
            try:
                yield browser
            finally:
                listening.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
