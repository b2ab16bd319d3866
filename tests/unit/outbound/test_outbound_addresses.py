"""Which addresses may be called."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.outbound.addresses import METADATA, AddressRules, Kind, kind_of
from libs.outbound.connecting import CheckedNetwork
from libs.outbound.failures import NoWay
from tests.unit.outbound.outside import LONG_S

NOTHING = AddressRules()
ALL_KINDS = AddressRules.parse("loopback, private, link-local")


@pytest.mark.parametrize(
    "text,kind",
    [
        ("8.8.8.8", "public"), ("172.15.255.255", "public"), ("172.32.0.1", "public"), ("100.63.0.1", "public"), ("2606:4700::1111", "public"),
        ("127.0.0.1", "loopback"), ("127.255.0.3", "loopback"), ("::1", "loopback"), ("::ffff:127.0.0.1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"), ("10.1.2.3", "private"), ("172.16.0.1", "private"), ("192.168.1.1", "private"),
        ("100.64.0.1", "private"), ("fd12::1", "private"), ("::ffff:10.0.0.1", "private"), ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"), ("fe80::1%2", "link-local"), ("169.254.169.254", "metadata"), ("::ffff:169.254.169.254", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"), ("fd00:ec2::254", "metadata"), ("100.100.100.200", "metadata"), ("168.63.129.16", "metadata"),
        ("0.0.0.0", "reserved"), ("0.1.2.3", "reserved"), ("::", "reserved"), ("::7f00:1", "reserved"), ("224.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"), ("2002:7f00:1::", "reserved"), ("2001:0:7f00:1::", "reserved"), ("2001:db8::1", "reserved"),
        ("fec0::1", "reserved"), ("ff02::1", "reserved"), ("198.18.0.1", "reserved"), ("203.0.113.9", "reserved"),
    ],
)  # fmt: skip
def test_what_lies_at_an_address(text: str, kind: Kind) -> None:
    address = ip_address(text)
    assert kind_of(address) == kind
    assert NOTHING.refused(address) == (None if kind == "public" else kind)
    allowable = kind in ("public", "loopback", "private", "link-local")
    assert ALL_KINDS.refused(address) == (None if allowable else kind)


@pytest.mark.parametrize(
    "setting,allowed,refused",
    [
        ("", "1.1.1.1", "127.0.0.1"),
        ("loopback", "::1", "10.0.0.1"),
        (" Loopback , PRIVATE ", "fd00::1", "169.254.0.1"),
        ("10.1.0.0/16", "10.1.200.1", "10.2.0.1"),
        ("10.1.0.0/16", "::ffff:10.1.0.1", "::ffff:10.2.0.1"),
        ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
        ("fd00::/8", "fd12::9", "fc00::1"),
        ("0.0.0.0/0, ::/0", "10.0.0.1", "169.254.169.254"),
        ("169.254.0.0/16", "169.254.0.1", "169.254.169.254"),
        ("169.254.169.254", "169.254.169.254", "169.254.170.2"),
        ("169.254.169.254", "::ffff:169.254.169.254", "169.254.169.253"),
    ],
)
def test_what_the_setting_allows(setting: str, allowed: str, refused: str) -> None:
    rules = AddressRules.parse(setting)
    assert rules.refused(ip_address(allowed)) is None
    assert rules.refused(ip_address(refused)) is not None


@pytest.mark.parametrize(
    "setting", ["everything", "loopback;private", "10.1.0.1/16", "10.0.0.0/33", "*", "reserved", "metadata", "public"]
)
def test_a_setting_that_can_not_be_read_is_refused_with_its_name(setting: str) -> None:
    with pytest.raises(ValueError, match=r"SIGNALBOX_OUTBOUND_ALLOW: .* is none of link-local, loopback, private and no network"):
        AddressRules.parse(setting)


ADDRESSES = st.one_of(
    st.integers(0, 2**32 - 1).map(IPv4Address),
    st.integers(0, 2**128 - 1).map(IPv6Address),
    st.integers(0, 2**32 - 1).map(lambda number: IPv6Address((0xFFFF << 32) | number)),
    st.sampled_from(sorted(METADATA, key=str)),
)


@settings(deadline=None)
@given(ADDRESSES)
def test_nothing_that_is_not_global_is_public(address: IPv4Address | IPv6Address) -> None:
    if kind_of(address) == "public":
        assert address.is_global or (isinstance(address, IPv6Address) and address.ipv4_mapped is not None)
        assert not (address.is_private or address.is_loopback or address.is_link_local) or address.version == 6
        assert not address.is_multicast


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_an_address_written_as_ipv6_is_judged_as_itself(address: IPv4Address) -> None:
    for shape in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert kind_of(ip_address(shape)) == kind_of(address)
        for rules in (NOTHING, ALL_KINDS, AddressRules((), (AddressRules.parse(str(address)).networks))):  # type: ignore[arg-type]
            assert rules.refused(ip_address(shape)) == rules.refused(address)


class Names:
    """A resolver that gives another answer each time, as one does whose owner wants to slip past a check."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0)


@pytest.mark.parametrize(
    "answer,kind", [(["169.254.169.254"], "metadata"), (["10.0.0.1", "::1"], "private"), (["::ffff:127.0.0.1"], "loopback")]
)
async def test_a_name_is_judged_by_its_address(answer: list[str], kind: str) -> None:
    with pytest.raises(NoWay, match=f"inner.example is at a {kind} address, which may not be called") as told:
        await CheckedNetwork(NOTHING, Names(answer)).connected("inner.example", 80, LONG_S)
    assert told.value.reason == "address"


async def test_a_name_is_resolved_once_and_only_what_was_checked_is_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        names = Names(["169.254.169.254", "127.0.0.1"], ["169.254.169.254"])
        port = listening.getsockname()[1]
        line = await CheckedNetwork(AddressRules.parse("loopback"), names).connected("two.example", port, LONG_S)
        assert line.getpeername() == ("127.0.0.1", port)
        assert names.asked == 1
        line.close()


async def test_the_next_address_is_tried_when_one_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        names = Names(["127.0.0.2", "127.0.0.1"])
        port = listening.getsockname()[1]
        line = await CheckedNetwork(AddressRules.parse("loopback"), names).connected("two.example", port, LONG_S)
        assert line.getpeername() == ("127.0.0.1", port)
        line.close()


async def test_the_last_refusal_is_told_when_all_refuse() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        network = CheckedNetwork(AddressRules.parse("loopback"), Names(["127.0.0.2", "127.0.0.1"]))
        with pytest.raises(NoWay, match=r"no connection: Connection refused \(127\.0\.0\.1\)") as told:
            await network.connected("x", bound.getsockname()[1], LONG_S)
        assert told.value.reason == "refused"


async def test_a_name_without_an_address() -> None:
    with pytest.raises(NoWay, match="has no address") as told:
        await CheckedNetwork(NOTHING, Names([])).connected("none.example", 80, LONG_S)
    assert told.value.reason == "name"
