"""What answers at an address, in the words for the operator who gave it."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from litellm_tui.target import answer
from litellm_tui.target.answer import ALIVE, ask_address


class _Server(http.server.BaseHTTPRequestHandler):
    body = b'"I\'m alive!"'

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    made = http.server.HTTPServer(("127.0.0.1", 0), type("Handler", (_Server,), {}))
    made.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_litellm_is_known_by_its_liveliness_and_no_key_is_sent(server: http.server.HTTPServer) -> None:
    found = ask_address(f"http://127.0.0.1:{server.server_port}/llm/", 30)
    assert found.word == ALIVE
    ((path, headers),) = server.asked  # type: ignore[attr-defined]
    assert path == "/llm/health/liveliness"
    assert "Authorization" not in headers


def test_another_server_is_not_litellm(server: http.server.HTTPServer) -> None:
    server.RequestHandlerClass.body = b"welcome"  # type: ignore[attr-defined]
    found = ask_address(f"http://127.0.0.1:{server.server_port}", 30)
    assert (found.word, "is not LiteLLM (HTTP 200)" in found.text) == ("another server", True)


def test_a_port_on_which_nothing_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        found = ask_address(f"http://127.0.0.1:{port}", 30)
    assert found.text == f"nothing listens on port {port} of 127.0.0.1"
    assert "--url http://HOST:PORT" in found.mend


def _refuse_names(monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(number, words)

    monkeypatch.setattr(socket, "getaddrinfo", fail)


def test_a_name_server_that_does_not_answer_says_nothing_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _refuse_names(monkeypatch, socket.EAI_AGAIN, "Temporary failure in name resolution")
    found = ask_address("http://foo", 30)
    assert found.text == "the name foo cannot be looked up now (Temporary failure in name resolution)"


def test_a_name_that_no_host_has(monkeypatch: pytest.MonkeyPatch) -> None:
    _refuse_names(monkeypatch, socket.EAI_NONAME, "Name or service not known")
    found = ask_address("http://foo", 30)
    assert found.text == "there is no host of the name foo (Name or service not known)"
    assert found.mend.startswith("give --url http://HOST:PORT")


def test_a_name_that_is_looked_up_for_long_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(answer, "_ask", lambda *_: never.wait())
    assert ask_address("http://slow.example", 0.01).text == "slow.example did not answer in 0.01 s"
    never.set()


def test_what_speaks_no_http_and_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer_once() -> None:
            for _ in range(2):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        threading.Thread(target=answer_once, daemon=True).start()
        assert ask_address(f"http://127.0.0.1:{port}", 30).word == "no HTTP"
        assert ask_address(f"https://127.0.0.1:{port}", 30).word == "no TLS"
