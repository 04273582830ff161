"""Bytes on their way in: what arrives is what was sent, however it was cut, and never more than is taken."""

import base64
import hashlib
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.files.intake import Intake
from tintype.core.files.sniffing import UNKNOWN, seen_in, type_of
from tintype.errors import Invalid, TooLarge


async def pieces(data: bytes, cuts: Sequence[int]) -> AsyncIterator[bytes]:
    at = 0
    for cut in cuts:
        yield data[at : at + cut]
        at += cut
    yield data[at:]


async def read(intake: Intake, claimed: str | None = None) -> tuple[bytes, str]:
    kind = await intake.begin(claimed)
    return b"".join([chunk async for chunk in intake.chunks()]), kind


@given(
    st.binary(max_size=500), st.lists(st.integers(0, 100), max_size=8), st.sampled_from(["", "data:image/png;base64,"])
)
async def test_what_was_sent_arrives_however_it_was_cut(data: bytes, cuts: list[int], front: str) -> None:
    plain = Intake(pieces(data, cuts), 1000)
    assert (await read(plain))[0] == data
    assert (plain.size, plain.md5) == (len(data), hashlib.md5(data, usedforsecurity=False).hexdigest())
    assert plain.sha256 == hashlib.sha256(data).hexdigest()
    for text in (base64.b64encode(data), base64.urlsafe_b64encode(data).rstrip(b"=")):
        assert (await read(Intake(pieces(front.encode() + text, cuts), 1000, is_base64=True)))[0] == data


async def test_the_caps_are_of_what_arrives() -> None:
    with pytest.raises(TooLarge):
        await read(Intake(pieces(b"x" * 11, [5]), 10))
    with pytest.raises(Invalid):
        await read(Intake(pieces(b"x" * 9, []), 20, least=10))
    assert (await read(Intake(pieces(b"x" * 10, []), 10, least=10)))[0] == b"x" * 10


@pytest.mark.parametrize("text", [b"%%%%", b"abc$", b"\xff\xff\xff\xff", b"=abc", b"a"])
async def test_what_is_no_base64_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid):
        await read(Intake(pieces(text, []), 100, is_base64=True))


@given(st.binary(max_size=64), st.none() | st.text(max_size=40))
def test_a_picture_is_only_what_its_bytes_prove(head: bytes, claimed: str | None) -> None:
    kind = type_of(head, claimed)
    assert kind == seen_in(head) or not kind.startswith(("image/", "video/mp4"))


def test_types() -> None:
    assert type_of(b"\xff\xd8\xff\xe0", "text/html") == "image/jpeg"
    assert type_of(b"<html>", "image/jpeg") == UNKNOWN
    assert type_of(b"<html>", "text/html; charset=utf-8") == "text/html"
    assert type_of(b"words", None) == UNKNOWN
    assert type_of(b"words", "text/plain\r\nX-Bad: 1") == UNKNOWN
    assert type_of(b"\0\0\0\x18ftypavif", None) == "image/avif"
    assert type_of(b"\0\0\0\x18ftypisom", None) == "video/mp4"
    assert type_of(b"RIFF\0\0\0\0WEBPVP8 ", "image/png") == "image/webp"
