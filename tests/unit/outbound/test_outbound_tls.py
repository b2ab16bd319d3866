"""Secure connections: a certificate that does not hold ends a call before anything is sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.outbound.failures import NotSent
from tests.unit.outbound.outside import LONG_S, Got, Leaps, listening, outside, said

LOOPBACK = AddressRules.parse("loopback")


async def resolve(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def hello(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(said("200 OK", b"hello"))


Certified = tuple[Path, ssl.SSLContext]
Make = Callable[[str], Certified]


@pytest.fixture
def certified(tmp_path: Path) -> Make:
    """Makes a self-signed certificate for a name or address: its file, and a server's context with it."""

    def make(name: str) -> Certified:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        try:
            alternative: x509.GeneralName = x509.IPAddress(ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        public, private = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(public, private)
        return public, context

    return make


async def test_a_certificate_of_our_own_authority_holds_for_its_name_and_no_other(certified: Make) -> None:
    public, context = certified("argo.example")
    async with outside(hello, tls=context) as server, Outbound(LOOPBACK, ca_file=public, resolve=resolve) as outbound:
        answer = await outbound.ask("GET", server.url(host="argo.example"), timeout_s=LONG_S)
        assert answer.body == b"hello"
        # A second name at the same address must not ride on the connection that was verified for the first.
        with pytest.raises(NotSent) as told:
            await outbound.ask("GET", server.url(host="other.example"), timeout_s=LONG_S, connect_s=LONG_S)
    assert told.value.reason == "tls"
    assert len(server.got) == 1


async def test_a_certificate_may_be_for_an_address(certified: Make) -> None:
    public, context = certified("127.0.0.1")
    async with outside(hello, tls=context) as server, Outbound(LOOPBACK, ca_file=public) as outbound:
        assert (await outbound.ask("GET", server.url(), timeout_s=LONG_S)).ok


async def test_an_unknown_certificate_ends_the_call_unless_it_is_insecure_by_wish(certified: Make) -> None:
    _, context = certified("argo.example")
    async with outside(hello, tls=context) as server, Outbound(LOOPBACK, resolve=resolve) as outbound:
        url = server.url(host="argo.example")
        for _ in range(2):
            with pytest.raises(NotSent, match=r"no secure connection: .*certificate verify failed") as told:
                await outbound.ask("POST", url, timeout_s=LONG_S, connect_s=LONG_S)
            assert told.value.reason == "tls"
            assert (await outbound.ask("POST", url, insecure=True, timeout_s=LONG_S)).ok
    assert len(server.got) == 2


async def test_certificates_that_come_with_a_call_hold_for_it_alone(certified: Make) -> None:
    public, context = certified("cluster.example")
    elsewhere, _ = certified("other.example")
    async with outside(hello, tls=context) as server, Outbound(LOOPBACK, ca_file=public, resolve=resolve) as outbound:
        url = server.url(host="cluster.example")
        assert (await outbound.ask("GET", url, ca=public.read_text(), timeout_s=LONG_S)).ok
        with pytest.raises(NotSent, match="certificate verify failed") as told:
            await outbound.ask("GET", url, ca=elsewhere.read_text(), timeout_s=LONG_S, connect_s=LONG_S)
        assert told.value.reason == "tls"
        assert (await outbound.ask("GET", url, timeout_s=LONG_S)).ok
    assert len(server.got) == 2


@pytest.mark.parametrize("text", ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "Zürich"])
async def test_certificates_that_can_not_be_read_are_a_mistake_of_the_caller(text: str) -> None:
    async with Outbound(LOOPBACK) as outbound:
        with pytest.raises(NotSent, match="must be PEM") as told:
            await outbound.ask("GET", "https://127.0.0.1:1/", ca=text)
    assert told.value.reason == "request"


async def test_a_place_that_speaks_no_tls() -> None:
    read: list[bytes] = []

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        read.append(await reader.read(1))
        writer.write(said("400 Bad Request"))

    async with listening(accepted) as port, Outbound(LOOPBACK) as outbound:
        with pytest.raises(NotSent) as told:
            await outbound.ask("POST", f"https://127.0.0.1:{port}/", timeout_s=LONG_S, connect_s=LONG_S)
    assert told.value.reason == "tls"
    assert read == [b"\x16"]  # the greeting of TLS, and nothing of the request


async def test_silence_instead_of_a_handshake() -> None:
    leaps = Leaps(asyncio.get_running_loop())

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        leaps.leap()
        await reader.read()

    async with listening(accepted) as port, Outbound(LOOPBACK) as outbound:
        with pytest.raises(NotSent) as told:
            await outbound.ask("POST", f"https://127.0.0.1:{port}/", timeout_s=LONG_S)
    assert told.value.reason == "timeout"
