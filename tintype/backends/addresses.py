"""Which addresses of the Internet Protocol may be called: a decision on numbers, never on how they were spelled.

`ipaddress.is_global` calls multicast, NAT64, 6to4, ISATAP and the metadata addresses of two clouds global, and its
answers change with the Python version; so the ranges stand here, after IANA's special-purpose registries.
"""

from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

_V4 = tuple(
    (IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud metadata"),  # Azure's wire server stands in a public range
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignments"),  # 192.0.0.192 is Oracle's metadata service
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_V6_UNICAST = IPv6Network("2000::/3")
_V6 = tuple(
    (IPv6Network(network), why)
    for network, why in (
        ("2001::/23", "protocol assignments"),  # Teredo and ORCHID among them
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
    )
)
# RFC 5214: an interface id of 0000:5efe or 0200:5efe is followed by an IPv4 address, which would tunnel to it.
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


def forbidden(address: str) -> str | None:
    """Return why a resolved address (IPv4 or IPv6 in its usual notation) must not be called; None: it is public."""
    try:
        return _forbidden_v4(IPv4Address(address))
    except AddressValueError:
        pass
    try:
        return _forbidden_v6(IPv6Address(address))
    except AddressValueError:
        return "not an address"


def first_forbidden(addresses: Iterable[str]) -> str | None:
    """Return why a name with these addresses must not be called: one bad address spoils all; so does having none."""
    verdicts = [forbidden(address) for address in addresses]
    return next((why for why in verdicts if why), None) if verdicts else "no address"


def _forbidden_v4(address: IPv4Address) -> str | None:
    return next((why for network, why in _V4 if address in network), None)


def _forbidden_v6(address: IPv6Address) -> str | None:
    if address.scope_id is not None:
        return "scoped"
    if address not in _V6_UNICAST:
        return "not global unicast"
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return "ISATAP"
    return next((why for network, why in _V6 if address in network), None)
