"""The address guard's verdicts: 39 probes, and properties over whole ranges."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.backends.addresses import first_forbidden, forbidden

FORBIDDEN = (
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2606:4700::5efe:7f00:1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fec0::1",
    "ff02::1",
)
PUBLIC = ("157.240.20.63", "2a03:2880:f21c:e5:face:b00c:0:4420")


def test_the_probes_are_39() -> None:
    assert len(FORBIDDEN) + len(PUBLIC) == 39


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_forbidden(address: str) -> None:
    assert forbidden(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert forbidden(address) is None


@pytest.mark.parametrize(
    "address",
    ["fe80::1", "fe80::1%eth0", "2a03:2880::1%eth0", "fd00:ec2::254", "2606:4700:0:0:200:5efe:a00:1", "::ffff:8.8.8.8"],
)
def test_further_forms_that_hide_a_near_place_are_forbidden(address: str) -> None:
    assert forbidden(address)


@pytest.mark.parametrize("text", ["", "localhost", "0x7f.1", "127.1", "2130706433", "127.0.0.1 ", "1.2.3.4/32"])
def test_text_that_is_no_address_is_forbidden(text: str) -> None:
    assert forbidden(text) == "not an address"


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_that_python_knows_as_private_passes(address: ipaddress.IPv4Address) -> None:
    near = address.is_private or address.is_loopback or address.is_multicast or address.is_reserved
    assert not (near and forbidden(str(address)) is None)


@given(st.ip_addresses(v=6))
def test_only_global_unicast_ipv6_passes(address: ipaddress.IPv6Address) -> None:
    assert forbidden(str(address)) or address in ipaddress.IPv6Network("2000::/3")


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "::", "64:ff9b::", "2002::", "2a03:2880::5efe:0:0"]))
def test_an_ipv4_address_inside_an_ipv6_one_never_passes(inner: ipaddress.IPv4Address, outer: str) -> None:
    shift = 80 if outer == "2002::" else 0
    assert forbidden(str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(outer)) | int(inner) << shift)))


@given(st.lists(st.sampled_from([*FORBIDDEN, *PUBLIC]), min_size=1))
def test_one_forbidden_address_spoils_all(addresses: list[str]) -> None:
    assert (first_forbidden(addresses) is None) == all(address in PUBLIC for address in addresses)


def test_a_name_without_addresses_is_forbidden() -> None:
    assert first_forbidden([]) == "no address"
