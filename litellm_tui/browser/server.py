"""The server: the page, the login, and a websocket for each visitor. The page loads nothing from anywhere else.

The terminal in the page, its style sheet and its fonts are those of textual-serve, whose own page asks Google for a
font; its protocol is spoken here (stdin, resize, ping, blur, focus as JSON lists; what is painted as bytes).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import textual_serve
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from litellm_tui.browser.access import Access, Refused
from litellm_tui.browser.visitor import Visitor

STATIC: Final = Path(__file__).parent / "static"
TERMINAL: Final = Path(textual_serve.__file__).parent / "static"
HEADERS: Final = {
    # xterm.js writes its colours into style elements of its own
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    # with no-referrer a form of this very page comes from the origin "null"
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# what somebody types or pastes at once
LONGEST_MESSAGE: Final = 1 << 20
LARGEST: Final = (500, 300)
FULL: Final = 4001
LOST_SECONDS: Final = 15.0
WRONG_TOKEN_SECONDS: Final = 1.0


class ConsoleServer:
    """`command` runs the console for a visitor; `most` of them at a time. `say` gets a line for each visit."""

    def __init__(
        self, access: Access, command: Sequence[str], most: int, variables: dict[str, str], say: Callable[[str], None]
    ) -> None:
        self._access, self._command, self._most = access, tuple(command), most
        self._variables, self._say = variables, say
        self._open: set[web.WebSocketResponse] = set()
        self._none_open = asyncio.Event()
        self._none_open.set()

    def application(self) -> web.Application:
        """All that is served."""
        app = web.Application(middlewares=[self._guard], client_max_size=1 << 12)
        app.add_routes(
            [
                web.get("/", self._page),
                web.post("/login", self._login),
                web.get("/alive", self._alive),
                web.get("/ws", self._visit),
                web.static("/static", STATIC),
                web.static("/terminal", TERMINAL),
            ]
        )
        app.on_shutdown.append(self._end_all)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        try:
            self._check(request)
            response: web.StreamResponse = await handler(request)
        except Refused as refused:
            response = self._refusal(request, refused)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _check(self, request: web.Request) -> None:
        """Raises `Refused`. The login, and what it is drawn with, is for everybody who uses the right name."""
        if request.path == "/ws" or request.method != "GET":
            self._access.check_origin(request.headers)
        try:
            request["visitor"] = self._access.visitor(request.remote or "", request.headers, request.cookies)
        except Refused as refused:
            if not refused.login or not request.path.startswith(("/login", "/static/", "/terminal/")):
                raise

    def _refusal(self, request: web.Request, refused: Refused) -> web.Response:
        if refused.login and request.path == "/":
            return web.Response(text=_text("login.html"), status=401, content_type="text/html")
        self._say(f"refused {request.remote}: {refused}")
        return web.Response(text=f"litellm-tui: {refused}\n", status=401 if refused.login else 403)

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=_text("page.html"), content_type="text/html")

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _login(self, request: web.Request) -> web.Response:
        if not self._access.knows(str((await request.post()).get("token", "")).strip()):
            # no guessing in a hurry: 16 characters are far beyond a guess a second
            await asyncio.sleep(WRONG_TOKEN_SECONDS)
            self._say(f"refused {request.remote}: a wrong token")
            text = _text("login.html").replace("<!--why-->", "That is not the token.")
            return web.Response(text=text, status=403, content_type="text/html")
        # relative: a proxy may serve this below a path of its own
        answer = web.Response(status=303, headers={"Location": "./"})
        answer.set_cookie(
            self._access.cookie,
            self._access.session.reveal(),
            httponly=True,
            samesite="Strict",
            secure=request.headers.get("Origin", "").startswith("https:"),
        )
        return answer

    async def _visit(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=LOST_SECONDS, max_msg_size=LONGEST_MESSAGE)
        await socket.prepare(request)
        if len(self._open) >= self._most:
            words = f"{self._most} consoles are open, which is the most (--visitors)"
            await socket.close(code=FULL, message=words.encode())
            self._say(f"refused {request.remote}: {words}")
            return socket
        self._open.add(socket)
        self._none_open.clear()
        visitor = Visitor(
            self._command, send=_sender(socket), close=_closer(socket), variables=self._variables
        )  # fmt: skip
        who, began = f"{request['visitor']} from {request.remote}", time.monotonic()
        try:
            await visitor.start(*_size(request.query.get("width"), request.query.get("height")))
            self._say(f"{who} opened a console ({len(self._open)} of {self._most}), process {visitor.pid}")
            async for message in socket:
                await _pass_on(message, socket, visitor)
        except OSError as error:
            self._say(f"the console cannot be started: {self._command[0]}: {error.strerror}")
        finally:
            # also where the handler is cancelled: a console never outlives its visitor
            await asyncio.shield(asyncio.ensure_future(self._leave(socket, visitor, who, began)))
        return socket

    async def _leave(self, socket: web.WebSocketResponse, visitor: Visitor, who: str, began: float) -> None:
        try:
            await visitor.stop()
        finally:
            self._open.discard(socket)
            if not self._open:
                self._none_open.set()
        await socket.close()
        self._say(f"{who} left after {time.monotonic() - began:.0f} s")

    async def _end_all(self, _: web.Application) -> None:
        for socket in list(self._open):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server ends")
        # the handlers end their consoles
        await self._none_open.wait()


async def _pass_on(message: WSMessage, socket: web.WebSocketResponse, visitor: Visitor) -> None:
    """One message of the page; what is none is left out."""
    if message.type != WSMsgType.TEXT:
        return
    try:
        found = json.loads(message.data)
    except ValueError:
        return
    match found:
        case ["stdin", str(typed)]:
            await visitor.send_bytes(typed.encode("utf-8", "replace"))
        case ["resize", {"width": int(width), "height": int(height)}]:
            await visitor.set_terminal_size(*_size(width, height))
        case ["ping", str(mark)]:
            await socket.send_json(["pong", mark])
        case ["blur"]:
            await visitor.blur()
        case ["focus"]:
            await visitor.focus()


def _size(width: Any, height: Any) -> tuple[int, int]:
    """Columns and lines, within what makes sense; 80x24 where nothing is said."""
    sides = []
    for side, usual, most in zip((width, height), (80, 24), LARGEST, strict=True):
        text = str(side)
        sides.append(min(most, max(1, int(text))) if text.isascii() and text.isdigit() and len(text) < 6 else usual)
    return sides[0], sides[1]


def _sender(socket: web.WebSocketResponse) -> Callable[[bytes], Any]:
    async def send(data: bytes) -> None:
        # after the end it is still read, and thrown away: a console that cannot write cannot end
        if not socket.closed:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await socket.send_bytes(data)

    return send


def _closer(socket: web.WebSocketResponse) -> Callable[[], Any]:
    async def close() -> None:
        await socket.close(message=b"the console has ended")

    return close


def _text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


async def serve(server: ConsoleServer, access: Access, ended: asyncio.Event, ready: Callable[[int], None]) -> None:
    """Serve until `ended` is set; `ready` gets the port. Raises OSError where nothing can listen."""
    runner = web.AppRunner(server.application(), access_log=None, handle_signals=False, shutdown_timeout=20)
    await runner.setup()
    try:
        site = web.TCPSite(runner, access.listen.host, access.listen.port)
        await site.start()
        ready(runner.addresses[0][1])
        await ended.wait()
    finally:
        await runner.cleanup()


def say(line: str) -> None:
    """One line to stderr, with the time."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()
