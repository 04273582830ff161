"""Whole files are known by their own structure, and any cut, page or emptiness is told."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.backends.pictures import draw, picture, turned
from tintype.errors import Trouble
from tintype.instagram.model import MediaKind
from tintype.instagram.public import Reason, container_of, reason_of

FORMS = ("jpeg", "png", "webp")
TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@cache
def drawn(form: str) -> bytes:
    return picture(form, 320, 400)


def mp4() -> bytes:
    """Three boxes that are a whole file, as far as a walk over them tells."""
    return b"".join(
        (8 + len(inside)).to_bytes(4, "big") + name + inside
        for name, inside in ((b"ftyp", b"isom\0\0\2\0"), (b"moov", b"m" * 40), (b"mdat", b"d" * 900))
    )


def told(path: Path, content: bytes) -> Reason | None:
    path.write_bytes(content)
    try:
        container_of(path)
    except Trouble as refused:
        return reason_of(refused)
    return None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(1, 1), (320, 400), (1440, 1080)])
def test_a_whole_picture_is_known_with_its_size(tmp_path: Path, form: str, size: tuple[int, int]):
    path = tmp_path / "x"
    path.write_bytes(picture(form, *size))
    found = container_of(path)
    assert (found.kind, found.content_type) == (MediaKind.IMAGE, TYPES[form])
    assert (found.width, found.height) == size


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("see_through", [False, True])
def test_every_kind_of_webp(tmp_path: Path, lossless: bool, see_through: bool):
    drawing = draw(321, 123).bandjoin(120) if see_through else draw(321, 123)
    path = tmp_path / "x"
    path.write_bytes(bytes(drawing.write_to_buffer(".webp", lossless=lossless)))
    found = container_of(path)
    assert (found.content_type, found.width, found.height) == ("image/webp", 321, 123)


def test_a_progressive_jpeg_and_one_with_metadata(tmp_path: Path):
    for content in (picture("jpeg", 321, 123, interlace=True), turned(6, 321, 123)):
        (tmp_path / "x").write_bytes(content)
        assert (container_of(tmp_path / "x").width, container_of(tmp_path / "x").height) == (321, 123)


def test_a_whole_video_is_known(tmp_path: Path):
    (tmp_path / "x").write_bytes(mp4())
    found = container_of(tmp_path / "x")
    assert (found.kind, found.content_type, found.ending) == (MediaKind.VIDEO, "video/mp4", "mp4")


WHOLE = {**{form: lambda form=form: drawn(form) for form in FORMS}, "mp4": mp4}


@pytest.mark.parametrize("form", WHOLE)
@given(share=st.floats(0, 1, exclude_max=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_cut_is_told(tmp_path: Path, form: str, share: float):
    content = WHOLE[form]()
    cut = content[: int(len(content) * share)]
    reason = told(tmp_path / "x", cut)
    assert reason is (Reason.MEDIA_EMPTY if not cut else reason if len(cut) < 16 else Reason.MEDIA_TRUNCATED)
    assert reason is not None


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><html>Sorry</html>",
        b'{"message": "URL signature expired"}',
        b"x",
        bytes(1000),
        b"GIF89a" + bytes(100),
        b"\x00\x00\x00\x18ftypheic" + bytes(100),
        b"RIFF\x10\x00\x00\x00WAVE" + bytes(100),
    ],
)
def test_what_is_no_media_is_told(tmp_path: Path, content: bytes):
    assert told(tmp_path / "x", content) is Reason.MEDIA_NOT_MEDIA


def test_an_empty_file_is_told(tmp_path: Path):
    assert told(tmp_path / "x", b"") is Reason.MEDIA_EMPTY


def test_a_jpeg_without_a_frame_is_no_whole_one(tmp_path: Path):
    for middle in (
        b"",
        b"\xff\xe0\x00\x02",
        b"\xff\xe0\xff\xff",
        b"\xff\xd0\xff\xda\x00\x02",
        b"\xff\xc0\x00\x11\x08\0\0\0\0",
    ):
        assert told(tmp_path / "x", b"\xff\xd8" + (middle or b"\xff") + b"\xff\xd9") is not None


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 ", b"\0\0\0\x10ftypisom"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_answered(tmp_path: Path, rest: bytes, start: bytes):
    told(tmp_path / "x", start + rest)
