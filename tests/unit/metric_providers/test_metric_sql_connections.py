"""Which connection strings are taken, and what of them is shown."""

from __future__ import annotations

import pytest

from libs.metric_providers import NoResult
from libs.metric_providers.sql import PROVIDER, SqlConfig
from libs.metric_providers.sql_connection import TAKEN, Place, place_of
from libs.outbound.addresses import AddressRules
from tests.unit.metric_providers.asking_scene import asking


@pytest.mark.parametrize(
    "dsn,place",
    [
        ("postgresql://ana:p%40ss@db.example:6432/shop", Place("db.example", 6432, "shop", "ana", "p@ss")),
        ("postgres://ana@db.example", Place("db.example", 5432, "ana", "ana")),
        ("postgresql://ana@[2001:db8::1]/shop", Place("2001:db8::1", 5432, "shop", "ana")),
        (
            "host=db.example user=ana password='it\\'s' sslmode=require connect_timeout=3",
            Place("db.example", 5432, "ana", "ana", "it's", {"sslmode": "require"}),
        ),
        (
            "postgresql://ana@db/shop?application_name=me&options=-c%20search_path%3Dx",
            Place("db", 5432, "shop", "ana", "", {"application_name": "me", "options": "-c search_path=x"}),
        ),
    ],
)
def test_connection_strings_are_read(dsn: str, place: Place) -> None:
    assert place_of(dsn) == place


@pytest.mark.parametrize(
    "rest,option",
    [
        ("service=mine", "service"),
        ("passfile=/etc/passwd", "passfile"),
        ("sslkey=/etc/key", "sslkey"),
        ("sslcert=/etc/cert", "sslcert"),
        ("sslrootcert=/etc/ca", "sslrootcert"),
        ("sslcrl=/etc/crl", "sslcrl"),
        ("sslcrldir=/etc", "sslcrldir"),
        ("sslkeylogfile=/var/keys", "sslkeylogfile"),
        ("hostaddr=127.0.0.1", "hostaddr"),
        ("krbsrvname=postgres", "krbsrvname"),
        ("gssencmode=require", "gssencmode"),
        ("require_auth=gss", "require_auth"),
        ("requirepeer=root", "requirepeer"),
        ("oauth_issuer=https://issuer.example", "oauth_issuer"),
        ("load_balance_hosts=random", "load_balance_hosts"),
        ("replication=database", "replication"),
        ("client_encoding=latin1", "client_encoding"),
    ],
)
def test_what_names_files_or_others_is_not_taken(rest: str, option: str) -> None:
    with pytest.raises(NoResult, match=f"the connection string sets {option}; what may be set is application_name, "):
        place_of(f"host=db user=ana {rest}")
    assert option not in TAKEN


@pytest.mark.parametrize(
    "dsn,message",
    [
        ("host=/var/run/postgresql user=ana", "must name one host"),
        ("host=@abstract user=ana", "must name one host"),
        ("postgresql://ana@%2Fvar%2Frun/shop", "must name one host"),
        ("postgresql:///shop?user=ana", "must name one host"),
        ("host=a,b user=ana", "must name one host"),
        ("user=ana", "must name one host"),
        ("host=db", "must name a user"),
        ("host=db user=ana port=1,2", "port is none"),
        ("host=db user=ana port=0", "port is none"),
        ("host=db user=ana port=65536", "port is none"),
        ("host=db user=ana port=99999999999999999999", "port is none"),
        ("host=db user=ana port=x", "port is none"),
    ],
)
def test_what_can_not_be_connected_to_is_told(dsn: str, message: str) -> None:
    with pytest.raises(NoResult, match=message):
        place_of(dsn)


@pytest.mark.parametrize(
    "dsn",
    ["s3cret", "host=db s3cret", "postgresql://ana:s3cret%zz@db", "host=db s3cret=1", "mysql://ana:s3cret@db", "host='s3cret"],
)
def test_what_can_not_be_read_is_not_repeated(dsn: str) -> None:
    with pytest.raises(NoResult) as refused:
        place_of(dsn)
    assert str(refused.value).startswith(
        "the connection string can not be read; write postgresql://user:password@host:5432/database"
    )
    assert "s3cret" not in str(refused.value)


def test_a_password_is_not_shown() -> None:
    place = place_of("postgresql://ana:s3cret@db.example/shop")
    assert place.shown() == "db.example:5432/shop"
    assert "s3cret" not in repr(place)


def test_who_names_a_certificate_wants_it_checked() -> None:
    assert place_of("postgresql://ana@db", "PEM").given == {"sslmode": "verify-full"}
    assert place_of("postgresql://ana@db?sslmode=verify-ca", "PEM").checks_certificates
    assert not place_of("postgresql://ana@db?sslmode=require").checks_certificates
    with pytest.raises(NoResult, match="with a caCertificate, sslmode must be verify-ca or verify-full"):
        place_of("postgresql://ana@db?sslmode=prefer", "PEM")


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "2130706433"])
async def test_only_addresses_that_may_be_called_are_connected_to(host: str) -> None:
    async with asking(rules=AddressRules()) as one:
        with pytest.raises(NoResult, match="which may not be called"):
            await PROVIDER.measure(SqlConfig(dsn=f"postgresql://ana@{host}/shop", query="SELECT 1"), one)


def test_the_party_is_host_and_port_or_the_same_for_the_same_secret() -> None:
    def party(dsn: str) -> str:
        return PROVIDER.party(SqlConfig(url=dsn, query="SELECT 1"))

    assert party("postgresql://ana:s3cret@db.example/shop") == "postgresql://db.example:5432"
    sealed = party("${secret:sealed:AAAA}")
    assert sealed == party("${secret:sealed:AAAA}") != party("${secret:sealed:BBBB}")
    assert "AAAA" not in sealed
