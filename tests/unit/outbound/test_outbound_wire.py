"""Requests are checked before anything is connected to, and redirects give nothing away."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.outbound.failures import NoWay
from libs.outbound.wire import checked_url, redirected, wire


@pytest.mark.parametrize(
    "url,said",
    [
        ("file:///etc/passwd", "begins with 'file'"), ("ftp://a/", "begins with 'ftp'"), ("gopher://a/", "begins with 'gopher'"),
        ("/only/a/path", "begins with 'no scheme'"), ("", "begins with 'no scheme'"), ("http://", "names no host"),
        ("http:///x", "names no host"), ("http://a:0/", "port 0"), ("http://a:99999/", "ports are 1 to 65535"), ("http://[::1", "is none"),
        ("http://a\nb/", "is none"), ("http://a/" + "x" * 20_000, "at most 16384"), ("http://2130706433/", "write an IP address"),
        ("http://0x7f.1/", "write an IP address"), ("http://127.1/", "write an IP address"), ("http://0177.0.0.1/", "Invalid IPv4 address"),
        ("http://0x7f000001/", "write an IP address"), ("http://1.2.3.4.5/", "write an IP address"), ("http://127.0.0.1./", "write an IP address"),
        ("http://[fe80::1%25eth0]/", "network interface"), ("http://a%2eb/", "network interface or holds a percent"), ("<no value>", "begins with"),
    ],
)  # fmt: skip
def test_an_address_that_can_not_be_called_is_refused(url: str, said: str) -> None:
    with pytest.raises(NoWay) as told:
        wire("GET", url)
    assert told.value.reason == "request"
    assert said in told.value.message


@pytest.mark.parametrize(
    "url", ["http://a/", "https://a.b.example:8443/x?y=z", "http://127.0.0.1/", "http://[::1]:80/", "http://x1.2x/"]
)
def test_usual_addresses_pass(url: str) -> None:
    assert str(checked_url(url)[0]) == url.replace(":80/", "/")


def test_a_user_and_password_in_the_address_move_to_a_header_and_are_never_shown() -> None:
    request = wire("GET", "http://ann:p%40ss@host/x?token=hidden#part")
    assert str(request.url) == "http://host/x?token=hidden"
    assert request.where == "GET http://host/x"
    assert (b"authorization", b"Basic " + base64.b64encode(b"ann:p@ss")) in request.raw_headers()
    with pytest.raises(NoWay, match="give one of them") as told:
        wire("GET", "http://ann:pass@host/", headers={"Authorization": "Bearer other"})
    assert "pass@" not in told.value.message


@pytest.mark.parametrize(
    "method,headers,said",
    [
        ("GET X", {}, "is no HTTP method"), ("", {}, "is no HTTP method"), ("CONNECT", {}, "is no HTTP method"),
        ("GET", {"X A": "b"}, "is no name of a header"), ("GET", {"": "b"}, "is no name of a header"),
        ("GET", {"X-A": "a\r\nX-B: b"}, "the header x-a holds a line break"), ("GET", {"X-A": "\x00"}, "holds a line break"),
        ("GET", {"X-A": "\ud800"}, "half a character"), ("POST", {"Content-Length": "3"}, "not for callers to set"),
        ("POST", {"transfer-encoding": "chunked"}, "not for callers to set"), ("GET", {"Connection": "close"}, "not for callers to set"),
    ],
)  # fmt: skip
def test_what_can_not_be_sent_is_refused(method: str, headers: dict[str, str], said: str) -> None:
    with pytest.raises(NoWay, match=said):
        wire(method, "http://host/", headers=headers)


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_headers_are_given_none_can_end_the_line(name: str, value: str) -> None:
    try:
        request = wire("GET", "http://host/", headers={name: value})
    except NoWay:
        return
    assert all(b"\r" not in part and b"\n" not in part for pair in request.raw_headers() for part in pair)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_whatever_address_is_given_it_is_refused_or_http(text: str) -> None:
    for url in (text, f"http://{text}", f"http://a/{text}"):
        try:
            checked, _ = checked_url(url)
        except NoWay:
            continue
        assert checked.scheme in ("http", "https")
        assert not checked.userinfo
        assert checked.host


@pytest.mark.parametrize(
    "body,sent,kind",
    [
        ({"json": {"a": "ü"}}, '{"a":"ü"}'.encode(), "application/json"),
        ({"json": []}, b"[]", "application/json"),
        ({"form": {"a": "b c", "d": "&"}}, b"a=b+c&d=%26", "application/x-www-form-urlencoded"),
        ({"content": "grüß"}, "grüß".encode(), None),
        ({"content": b"\x00"}, b"\x00", None),
        ({}, None, None),
    ],
)
def test_bodies(body: dict[str, Any], sent: bytes | None, kind: str | None) -> None:
    request = wire("POST", "http://host/", **body)
    headers = dict(request.raw_headers())
    assert request.body == sent
    assert headers.get(b"content-type") == (kind.encode() if kind else None)
    assert headers[b"Content-Length"] == str(len(sent or b"")).encode()


@pytest.mark.parametrize("body", [{"json": object()}, {"content": "\ud800"}, {"json": {"a": "\ud800"}}])
def test_a_body_that_is_none_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(NoWay, match="the body can not be written"):
        wire("POST", "http://host/", **body)


def test_a_request_as_it_is_written() -> None:
    request = wire("POST", "http://host:81/a b?c=ü", headers={"X-Key": "k"}, json=[])
    assert request.written() == (
        b"POST /a%20b?c=%C3%BC HTTP/1.1\r\nHost: host:81\r\nx-key: k\r\ncontent-type: application/json\r\nuser-agent: signalbox\r\n"
        b"accept: */*\r\naccept-encoding: gzip\r\nContent-Length: 2\r\n\r\n[]"
    )


@pytest.mark.parametrize("method,length", [("GET", None), ("HEAD", None), ("DELETE", None), ("POST", b"0"), ("PUT", b"0")])
def test_what_is_said_of_no_body(method: str, length: bytes | None) -> None:
    assert dict(wire(method, "http://host/").raw_headers()).get(b"Content-Length") == length


@pytest.mark.parametrize("url", ["http://host:port/", "http://user:pa/ss@host/", "http://host:99999999999999/"])
def test_a_bad_port_is_told_in_a_sentence_that_gives_nothing_away(url: str) -> None:
    with pytest.raises(NoWay) as told:
        wire("POST", url)
    assert told.value.message in (
        "the address is none: its port can not be read; a port is a number from 1 to 65535, and IPv6 goes in [brackets]",
        "port 99999999999999 can not be called; ports are 1 to 65535",
    )


SECRETS = {"Authorization": "Bearer t", "X-Api-Key": "k", "Cookie": "c", "Accept": "text/plain"}


@pytest.mark.parametrize(
    "status,method,becomes", [(301, "POST", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (307, "POST", "POST"), (302, "PUT", "PUT"), (303, "HEAD", "HEAD")]
)  # fmt: skip
def test_the_method_after_a_redirect(status: int, method: str, becomes: str) -> None:
    content = None if method == "HEAD" else "x"
    following = redirected(wire(method, "http://host/a/b", content=content, headers=SECRETS), status, "../c")
    assert (following.method, str(following.url)) == (becomes, "http://host/c")
    assert following.body == (None if becomes in ("GET", "HEAD") else b"x")
    assert ("x-api-key", b"k") in following.headers


@pytest.mark.parametrize("location", ["http://other/", "http://host:81/", "//other/x", "https://host/"])
def test_secrets_stay_where_they_were_meant_for(location: str) -> None:
    following = redirected(wire("GET", "http://host/", headers=SECRETS), 302, location)
    assert {name for name, _ in following.headers} == {"accept", "accept-encoding", "user-agent"}


@pytest.mark.parametrize(
    "method,location,said",
    [
        ("GET", "file:///etc/passwd", "begins with 'file'"),
        ("GET", "http://user:pass@host/", "a user and password in it"),
        ("GET", "http://host/", "from https to http"),
        ("GET", "https://0x7f.1/", "write an IP address"),
        ("GET", "https://[::1", "redirects to no address"),
        ("PUT", "https://other/", "what was sent to another place"),
    ],
)
def test_a_redirect_that_is_not_followed(method: str, location: str, said: str) -> None:
    sent = wire(method, "https://host/", content="x" if method == "PUT" else None)
    with pytest.raises(NoWay) as told:
        redirected(sent, 307, location)
    assert said in told.value.message
