"""Answers, read out of bytes: however these are cut into pieces, and whatever they are."""

from __future__ import annotations

import gzip
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.outbound.failures import NoWay
from libs.outbound.reply import MAX_HEAD, Reply

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PACKED = gzip.compress(b"hello", mtime=0)


def read(*pieces: bytes, method: str = "GET", most: int = 1000) -> Reply:
    reply = Reply(method, most)
    for piece in pieces:
        if not reply.ended:
            reply.feed(piece)
    return reply


WHOLE = [
    (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    (CHUNKED + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nX-Trailer: t\r\n\r\n", b"hello"),
    (OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED, b"hello"),
    (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nx", b"x"),
    (b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", b""),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
    (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", b""),
]


@pytest.mark.parametrize("raw,body", WHOLE)
def test_an_answer_ends_with_its_last_byte_and_not_before(raw: bytes, body: bytes) -> None:
    assert not read(raw[:-1]).ended
    for reply in (read(raw), read(*(raw[at : at + 1] for at in range(len(raw))))):
        assert (reply.ended, reply.lasting, reply.body.body, reply.body.cut) == (True, True, body, False)


@settings(deadline=None)
@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 120), max_size=8))
def test_it_is_the_same_however_it_is_cut_into_pieces(one: tuple[bytes, bytes], cuts: list[int]) -> None:
    raw, body = one
    places = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    reply = read(*(raw[start:end] for start, end in pairwise(places) if start < end))
    whole = read(raw)
    assert (reply.status, reply.headers, reply.body.body, reply.lasting) == (whole.status, whole.headers, body, True)


def test_the_headers_are_those_of_the_answer_itself() -> None:
    reply = read(b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" + CHUNKED + b"0\r\nX-Late: 1\r\n\r\n")
    assert (reply.status, list(reply.headers)) == (200, ["transfer-encoding"])


def test_an_answer_about_a_head_has_no_body_whatever_length_it_tells() -> None:
    reply = read(OK + b"Content-Length: 500\r\n\r\n", method="HEAD")
    assert (reply.ended, reply.body.body, reply.body.cut) == (True, b"", False)
    assert not reply.lasting


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    reply = read(OK + b"\r\nhel", b"lo")
    assert not reply.ended
    assert reply.cut()
    assert (reply.ended, reply.lasting, reply.body.body) == (True, False, b"hello")


@pytest.mark.parametrize(
    "raw", [b"", b"HTTP/1.1 200 O", OK + b"X: y\r\n", OK + b"Content-Length: 5\r\n\r\nhell", CHUNKED + b"5\r\nhello\r\n"]
)
def test_any_other_is_cut_by_the_end_of_the_connection(raw: bytes) -> None:
    reply = read(raw) if raw else Reply("GET", 1000)
    assert not reply.cut()


@pytest.mark.parametrize(
    "raw,said",
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "can not be read"),
        (OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "can not be read"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "can not be read"),
        (OK + b"Content-Length: -1\r\n\r\n", "can not be read"),
        (CHUNKED + b"zz\r\n", "can not be read"),
        (OK + b"Transfer-Encoding: gzip\r\n\r\n", "is sent as 'gzip'"),
        (OK + b"Content-Encoding: br\r\n\r\n", "is packed with 'br'"),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain", "can not be unpacked"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "changes the protocol"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "changes the protocol"),
    ],
)
def test_what_is_no_answer(raw: bytes, said: str) -> None:
    with pytest.raises(NoWay, match=said) as told:
        read(raw)
    assert told.value.reason == "protocol"


@pytest.mark.parametrize(
    "begin,more",
    [
        (OK, b"X-A: " + b"a" * 1000 + b"\r\n"),
        (OK + b"X-A: ", b"a" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\nX-A: a\r\n\r\n"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"),
        (CHUNKED + b"1;", b"a" * 1000),
    ],
)
def test_headers_trailers_and_whatever_else_is_no_body_do_not_go_on_for_ever(begin: bytes, more: bytes) -> None:
    with pytest.raises(NoWay, match="bytes of headers") as told:
        read(*filter(None, (begin, *([more] * (2 * MAX_HEAD // len(more))))))
    assert told.value.reason == "protocol"


def test_headers_that_come_all_at_once_are_bounded_as_well() -> None:
    with pytest.raises(NoWay, match="bytes of headers"):
        read(OK + b"X-Long: " + b"x" * (MAX_HEAD + 1) + b"\r\n\r\n")


def test_a_body_is_read_until_more_than_is_wanted_and_the_connection_not_used_again() -> None:
    reply = read(OK + b"Content-Length: 5000\r\n\r\n" + b"x" * 1001)
    assert (reply.ended, reply.lasting, len(reply.body.body), reply.body.cut) == (True, False, 1000, True)


def test_what_follows_a_packed_body_inside_its_length_is_nothing() -> None:
    reply = read(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (len(PACKED) + 3) + PACKED, b"abc")
    assert (reply.ended, reply.lasting, reply.body.body, reply.body.cut) == (True, True, b"hello", False)


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", b"garbage", b"HTT"])
@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"])
def test_more_than_an_answer_changes_nothing_of_it_but_ends_the_connection(more: bytes, close: bytes) -> None:
    reply = read(OK + close + b"Content-Length: 4\r\n\r\ngood" + more)
    assert (reply.ended, reply.lasting, reply.status, reply.body.body) == (True, False, 200, b"good")
    assert reply.headers.get("content-length") == "4"


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6), st.sampled_from([b"", OK, CHUNKED, b"HTTP/1.1 "]))
def test_whatever_comes_it_is_an_answer_or_refused(pieces: list[bytes], begin: bytes) -> None:
    try:
        reply = read(*filter(None, (begin, *pieces)), most=50)
    except NoWay:
        return
    assert not reply.ended or reply.status is not None
    assert len(reply.body.body) <= 50
