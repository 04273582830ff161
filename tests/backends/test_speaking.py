"""What stands on the wire: answers in any pieces are the same answer, half ones are none, and requests cannot be bent."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.backends.speaking import Line, Patience, Place, Request

PLACE = Place("http", b"shop.test", 80)
OK = b"HTTP/1.1 200 OK\r\n"

# What comes, the body that is read of it, and whether another request may follow.
ANSWERS = {
    "measured": (OK + b"Content-Length: 3\r\n\r\nabc", b"abc", True),
    "chunked": (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX-Sum: 7\r\n\r\n", b"abc", True),
    "until the end": (OK + b"\r\nabc", b"abc", False),
    "said to be the last": (OK + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
    "of an old server": (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
    "after others": (b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n" + OK + b"Content-Length: 3\r\n\r\nabc", b"abc", True),
    "with something behind it": (OK + b"Content-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n", b"abc", False),
    "with dirt behind the last": (OK + b"Connection: close\r\nContent-Length: 3\r\n\r\nabcdirt", b"abc", False),
    "without a body": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "without a body, whatever it says": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", b"", True),
    "with a body where none may be": (b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", b"", False),
    "with a header that is empty": (OK + b"X-Nothing:\r\nContent-Length: 3\r\n\r\nabc", b"abc", True),
    "that offers another protocol": (
        OK + b"Connection: Upgrade\r\nUpgrade: h2\r\nContent-Length: 3\r\n\r\nabc", b"abc", True
    ),
    "of an old server that goes on": (
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 3\r\n\r\nabc", b"abc", True
    ),
    "in lines of half an end": (b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", b"abc", True),
    "chunked, with blanks behind a size": (
        OK + b"Transfer-Encoding: Chunked\r\n\r\n3  \r\nabc\r\n0  \r\n\r\n", b"abc", True
    ),
    "chunked, with words behind a size": (
        OK + b"Transfer-Encoding: chunked\r\n\r\n3;a=\"b c\"\r\nabc\r\n0;d\r\n\r\n", b"abc", True
    ),
}  # fmt: skip
NONE = {
    "nothing": b"",
    "half a head": OK + b"Content-Le",
    "half a body": OK + b"Content-Length: 5\r\n\r\nabc",
    "half a chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
    "no last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length and chunks": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "a coding that nobody asked for": OK + b"Transfer-Encoding: gzip\r\n\r\nabc",
    "such a coding in chunks": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "such a coding in a line of its own": (
        OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    ),
    "chunks with too much behind them": (
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"
    ),
    "a chunk with too many words": OK
    + b"Transfer-Encoding: chunked\r\n\r\n3;"
    + b"y" * 200_000
    + b"\r\nabc\r\n0\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nabc",
    "no protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a header over two lines": OK + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a head without an end": OK + b"".join(b"X-%d: %s\r\n" % (number, b"y" * 500) for number in range(400)),
    "interim answers only": b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
}


class Tape(httpcore2.AsyncNetworkStream):
    """A connection that has its answer in pieces, and keeps what is written."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = [piece for piece in pieces if piece]
        self.written = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if len(piece) > max_bytes:
            self.pieces.insert(0, piece[max_bytes:])
        return piece[:max_bytes]

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.written += buffer


def patience() -> Patience:
    return Patience(60, asyncio.get_running_loop().time() + 60)


def asking(method: str = "GET", *headers: tuple[bytes, bytes], **more: object) -> Request:
    given: dict[str, object] = {"target": b"/", **more}
    return Request(PLACE, method, headers=[(b"host", b"shop.test"), *headers], **given)  # pyright: ignore[reportArgumentType]


async def heard(*pieces: bytes, method: str = "GET") -> tuple[bytes, bool]:
    """Ask over a tape; return the body and whether another request may follow."""
    tape, body = Tape(*pieces), b""
    line = Line(tape)
    await line.ask(asking(method), patience())
    while piece := await line.piece(patience()):
        body += piece
    return body, line.is_over() and not tape.pieces  # a kept connection with something to read is not used again


@pytest.mark.parametrize("name", ANSWERS)
@given(cuts=st.sets(st.integers(1, 80), max_size=6))
def test_an_answer_is_the_same_in_any_pieces(name: str, cuts: set[int]) -> None:
    answer, body, goes_on = ANSWERS[name]
    places = [0, *sorted(cut for cut in cuts if cut < len(answer)), len(answer)]
    pieces = [answer[start:end] for start, end in pairwise(places)]
    seen, reusable = asyncio.run(heard(*pieces))
    assert (seen, reusable) == (body, goes_on)


@pytest.mark.parametrize("name", NONE)
@pytest.mark.parametrize("size", [3, 64, 10**6])
async def test_what_is_no_whole_answer_is_none(name: str, size: int) -> None:
    answer = NONE[name]
    with pytest.raises(httpcore2.RemoteProtocolError):
        await heard(*(answer[at : at + size] for at in range(0, len(answer), size)))


async def test_an_answer_to_head_has_no_body_whatever_it_says() -> None:
    told = OK + b"Content-Length: 1000\r\n\r\n"
    assert await heard(told, method="HEAD") == (b"", True)
    assert await heard(told + b"x" * 1000, method="HEAD") == (b"", False)


async def test_headers_are_told_as_they_came() -> None:
    line = Line(Tape(OK + b"Set-Cookie: a=1\r\nset-cookie:b=2 \t\r\nX: \xe9\r\nContent-Length: 0\r\n\r\n"))
    head = await line.ask(asking(), patience())
    assert head.status == 200
    assert list(head.headers) == [
        (b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"X", b"\xe9"), (b"Content-Length", b"0")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "request_",
    [
        asking("GET", (b"x", b"a\r\nHost: other.test")),
        asking("GET", (b"x", b"a\nb")),
        asking("GET", (b"x", b"a\0b")),
        asking("GET", (b"x: y\r\nz", b"a")),
        asking("GET", (b"", b"a")),
        asking(target=b"/ HTTP/1.1\r\nX: y"),
        asking(target=b"/\xe9"),
        asking(target=b""),
        asking("GET /"),
        asking("GÉT"),
    ],
)
async def test_no_request_smuggles_another(request_: Request) -> None:
    tape = Tape(OK + b"\r\n")
    with pytest.raises(httpcore2.LocalProtocolError):
        await Line(tape).ask(request_, patience())
    assert tape.written == b""


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


async def test_a_body_in_pieces_says_how_long_it_is_or_where_it_ends() -> None:
    tape = Tape(OK + b"Content-Length: 0\r\n\r\n")
    await Line(tape).ask(asking("PUT", (b"content-length", b"5"), body=pieces(b"ab", b"", b"cde")), patience())
    assert tape.written.endswith(b"content-length: 5\r\n\r\nabcde")
    tape = Tape(OK + b"Content-Length: 0\r\n\r\n")
    chunked = asking("PUT", (b"transfer-encoding", b"chunked"), body=pieces(b"ab", b"", b"c" * 17))
    await Line(tape).ask(chunked, patience())
    assert tape.written.endswith(b"\r\n\r\n2\r\nab\r\n11\r\n" + b"c" * 17 + b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("in_pieces", [True, False])
@pytest.mark.parametrize("length", [b"4", b"6", b"five", b"+5", None])
async def test_a_body_of_another_length_than_it_says_is_none(length: bytes | None, in_pieces: bool) -> None:
    tape = Tape(OK + b"Content-Length: 0\r\n\r\n")
    headers = [] if length is None else [(b"content-length", length)]
    with pytest.raises(httpcore2.LocalProtocolError):
        await Line(tape).ask(asking("PUT", *headers, body=pieces(b"ab", b"cde") if in_pieces else b"abcde"), patience())
    assert in_pieces or tape.written == b""


async def test_a_request_that_was_not_taken_whole_is_the_last_on_its_connection() -> None:
    class Deaf(Tape):
        async def write(self, buffer: bytes, timeout: float | None = None) -> None:
            raise httpcore2.WriteError

    line = Line(Deaf(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"))
    assert (await line.ask(asking("POST", (b"content-length", b"1"), body=b"x"), patience())).status == 413
    assert await line.piece(patience()) == b""
    assert not line.is_over()
