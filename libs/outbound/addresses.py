"""Which addresses may be called: public ones, and of the others those that an operator allowed."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal, Self, TypeAlias, cast, get_args

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Kind: TypeAlias = Literal["public", "loopback", "private", "link-local", "metadata", "reserved"]
Allowable: TypeAlias = Literal["loopback", "private", "link-local"]

ALLOWABLE: Final = frozenset(get_args(Allowable))
SETTING: Final = "SIGNALBOX_OUTBOUND_ALLOW"

METADATA: Final = frozenset(
    map(ip_address, ("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"))
)  # fmt: skip
"""Where clouds hand their machines' credentials to whoever asks. They lie in ranges that are allowed for other reasons, or even in public
ones, so only their own address as a network of one opens them."""

_NETWORKS: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("link-local", ("169.254.0.0/16", "fe80::/10")),
    # The shared space of providers (100.64/10) is where clusters and overlay networks put machines that are nobody else's business.
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "64:ff9b:1::/48")),
    (
        "reserved",
        (
            *(
                "0.0.0.0/8",
                "192.0.0.0/24",
                "192.0.2.0/24",
                "192.88.99.0/24",
                "198.18.0.0/15",
                "198.51.100.0/24",
                "203.0.113.0/24",
            ),
            *("224.0.0.0/4", "240.0.0.0/4"),
            # Tunnels (2001::/32, 2002::/16) carry an IPv4 address of the caller's choice past any rule about IPv4.
            *("::/96", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10", "ff00::/8"),
        ),
    ),
)
_KINDS: Final = tuple((kind, ip_network(text)) for kind, texts in _NETWORKS for text in texts)
_NAT64: Final = IPv6Network("64:ff9b::/96")


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (`::ffff:127.0.0.1`, `64:ff9b::7f00:1`), else the address itself, without a zone."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return IPv6Address(int(address))


def kind_of(address: Address) -> Kind:
    """What lies at an address, judged by the IPv4 address inside where there is one."""
    address = plain(address)
    if address in METADATA:
        return "metadata"
    for kind, network in _KINDS:
        if address in network:
            return kind
    return "public" if address.is_global else "reserved"


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What may be called beside public addresses.

    Attributes:
        kinds: whole kinds of addresses.
        networks: networks, whatever lies in them; an address of `METADATA` only where the network is that address alone.
    """

    kinds: frozenset[Allowable] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the setting: words (`loopback`, `private`, `link-local`), networks (`10.1.0.0/16`) and addresses, separated by commas.

        Raises: ValueError: says which part can not be read.
        """
        kinds: set[Allowable] = set()
        networks: list[Network] = []
        for part in filter(None, (part.strip().lower() for part in text.split(","))):
            if part in ALLOWABLE:
                kinds.add(cast(Allowable, part))
                continue
            try:
                networks.append(ip_network(part))
            except ValueError as error:
                words = ", ".join(sorted(ALLOWABLE))
                raise ValueError(f"{SETTING}: '{part}' is none of {words} and no network such as 10.1.0.0/16: {error}") from error
        return cls(frozenset(kinds), tuple(networks))

    def refused(self, address: Address) -> Kind | None:
        """The kind of an address that may not be called; None when it may."""
        kind = kind_of(address)
        if kind == "public" or kind in self.kinds:
            return None
        meant = plain(address)
        alone = kind == "metadata"
        # Membership is False between the two versions of IP.
        return None if any(meant in one and (one.num_addresses == 1 or not alone) for one in self.networks) else kind


def hint(kind: Kind) -> str:
    """What an operator may do about an address that was refused."""
    if kind in ALLOWABLE:
        return f"an operator can allow it: {SETTING}={kind}, or a network such as 10.1.0.0/16"
    return f"an operator can allow it by naming it alone in {SETTING}" if kind == "metadata" else f"{SETTING} can name a network"
