"""Which hosts mean this machine, and which the own network."""

from __future__ import annotations

import socket

import pytest

from litellm_tui.actions.probe_cost import place_of
from litellm_tui.analysis.addresses import ip_of, is_private, is_this_machine
from litellm_tui.audit import billing
from litellm_tui.host.address import is_local

HERE = [
    "127.0.0.1", "127.200.3.4", "127.1", "0x7f.1", "2130706433", "017700000001", "::1", "[::1]", "0.0.0.0", "::", "0",
    "::ffff:127.0.0.1", "[::ffff:127.0.0.1]", "::1%lo", "localhost", "localhost.", "LOCALHOST", "gw.localhost",
]  # fmt: skip
ELSEWHERE = [
    "127.example.com", "127.0.0.1.example.com", "127.0.0.1.nip.io", "localhost.example.com", "notlocalhost",
    "0.0.0.0.example.com", "::ffff:8.8.8.8", "10.0.0.1", "8.8.8.8", "256.1", "127.0.0.256", "1.2.3.4.5", "09.1",
    "", "0x",
]  # fmt: skip


@pytest.mark.parametrize("host", HERE)
def test_a_host_of_this_machine(host: str) -> None:
    assert is_this_machine(host)
    assert is_private(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_host_elsewhere(host: str) -> None:
    assert not is_this_machine(host)


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "017700000001", "10.1", "1.2.3", "0", "8.8.8.8"])
def test_short_forms_are_read_as_the_resolver_reads_them(host: str) -> None:
    assert str(ip_of(host)) == socket.inet_ntoa(socket.inet_aton(host))


@pytest.mark.parametrize("host", ["127.example.com", "10.example.com", "fd.example.com", "fc-barcelona.com", "::1.com"])
def test_a_name_that_begins_like_a_private_address_is_public(host: str) -> None:
    assert not is_private(host)
    if ":" not in host:
        assert place_of(f"https://{host}/v1") == "public"
        assert billing.is_own_network(host) is False


@pytest.mark.parametrize(
    "host", ["192.168.1.4", "10.0.0.9", "172.16.3.1", "169.254.1.1", "fd00::1", "fe80::1", "::ffff:10.1.2.3", "ollama"]
)
def test_a_host_of_the_own_network(host: str) -> None:
    assert is_private(host)
    assert billing.is_own_network(host)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.example.com:4000", False),
        ("http://127.0.0.1:4000", True),
        ("http://[::1]:4000", True),
        ("http://[::ffff:127.0.0.1]:4000", True),
        ("http://localhost.:4000", True),
        ("http://0.0.0.0:4000", True),
        (f"http://{socket.gethostname()}:4000", True),
        ("http://localhost.example.com", False),
    ],
)
def test_a_unit_is_sought_for_an_address_of_this_machine_only(url: str, local: bool) -> None:
    assert is_local(url) is local
