from __future__ import annotations

import pytest

from controlplane.xds.gateway import Endpoint, EndpointError, discovery, endpoints, is_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unix:/run/cp.sock", Endpoint(path="/run/cp.sock")),
        ("127.0.0.1:80", Endpoint("127.0.0.1", 80)),
        ("[::1]:8080", Endpoint("::1", 8080)),
        ("controlplane-0:9000", Endpoint("controlplane-0", 9000)),
    ],
)
def test_an_endpoint_is_a_socket_or_a_host_and_port(text, expected):
    assert Endpoint.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "unix:", "unix:relative", "host", ":80", "host:", "host:x", "host:65536", "host:-1", "host:८"]
)
def test_a_malformed_endpoint_is_named_in_the_error(text):
    with pytest.raises(EndpointError) as error:
        Endpoint.parse(text)
    assert repr(text) in str(error.value)


def test_a_list_may_have_blanks_but_must_not_be_empty():
    assert endpoints(" unix:/a , unix:/b ,") == (Endpoint(path="/a"), Endpoint(path="/b"))
    with pytest.raises(EndpointError, match="no endpoint"):
        endpoints(" , ")


def test_names_need_dns_and_do_not_mix_with_sockets():
    assert discovery(endpoints("unix:/a,127.0.0.1:1,[::1]:2")) == "STATIC"
    assert discovery(endpoints("name:1,127.0.0.1:2")) == "STRICT_DNS"
    with pytest.raises(EndpointError, match="mixed"):
        endpoints("unix:/a,name:1")


@pytest.mark.parametrize(
    ("host", "literal"), [("10.0.0.1", True), ("::1", True), ("localhost", False), ("1.2.3", False)]
)
def test_only_literal_addresses_are_addresses(host, literal):
    assert is_address(host) is literal


@pytest.mark.parametrize(
    ("text", "beside"),
    [("unix:/run/cp.sock", "unix:/run/cp.sock.authz"), ("127.0.0.1:9000", "127.0.0.1:9001"), ("[::1]:1", "[::1]:2")],
)
def test_checks_are_served_beside_the_rest(text: str, beside: str) -> None:
    assert str(Endpoint.parse(text)) == text
    assert str(Endpoint.parse(text).beside()) == beside
