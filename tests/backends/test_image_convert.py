"""Conversion by the real workers: sizes, looks, formats, what is refused before it is decoded, and what never gets through."""

import io
import struct
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest
import pyvips

from tests.backends.pictures import draw, picture, see, turned
from tintype.backends.image_operations import (
    AS_IS,
    BlackWhite,
    Blur,
    Border,
    Circle,
    Converted,
    Crop,
    Flip,
    Flop,
    Modulate,
    Monochrome,
    Negative,
    Operation,
    Output,
    Pixelate,
    Resize,
    Rotate,
    RoundedCorners,
    Sepia,
    Sharpen,
    SmartCrop,
    Watermark,
)
from tintype.backends.images import Images
from tintype.errors import Invalid, TooLarge, Trouble, Unsupported

PHOTO = picture(width=600, height=400)
CLEAR = bytes(draw(300, 200).bandjoin(draw(300, 200)[0]).write_to_buffer(".png"))
_Image: Any = pyvips.Image  # pyright: ignore[reportUnknownMemberType] - pyvips carries no types


def solid(width: int, height: int, colour: list[int]) -> bytes:
    """Return a PNG of one colour."""
    return bytes(_Image.black(width, height, bands=3).linear(1, colour).cast("uchar").write_to_buffer(".png"))


@pytest.fixture(scope="module")
async def images() -> AsyncIterator[Images]:
    workshop = Images(workers=1)
    yield workshop
    await workshop.close()


async def done(images: Images, *operations: Operation, data: bytes = PHOTO, output: Output = AS_IS) -> Any:
    """Return the decoded result of some operations."""
    made = await images.convert(data, operations, output, {"mark": CLEAR})
    seen = see(made.data)
    assert (seen.width, seen.height) == (made.width, made.height)
    assert seen.get("vips-loader") == {"avif": "heifload_buffer"}.get(made.format, f"{made.format}load_buffer")
    return seen


@pytest.mark.parametrize(
    ("operations", "size"),
    [
        ((Resize(300),), (300, 200)),
        ((Resize(None, 100),), (150, 100)),
        ((Resize(300, 300),), (300, 200)),
        ((Resize(1200),), (1200, 800)),
        ((Resize(1200, fit="max"),), (600, 400)),
        ((Resize(100, 100, "crop"),), (100, 100)),
        ((Resize(101, 333, "crop", "bottom,right"),), (101, 333)),
        ((Resize(700, 700, "crop", "attention"),), (700, 700)),
        ((Resize(50, 300, "scale"),), (50, 300)),
        ((Resize(50, fit="scale"),), (50, 33)),
        ((Crop(10, 20, 30, 40),), (30, 40)),
        ((Crop(590, 390, 100, 100),), (10, 10)),
        ((Crop(100, 100, 200, 200), Resize(50)), (50, 50)),
        ((Resize(300), Crop(250, 0, 100, 100)), (50, 100)),
        ((SmartCrop(120, 90),), (120, 90)),
        ((SmartCrop(90, 120, "entropy"),), (90, 120)),
        ((Rotate(90),), (400, 600)),
        ((Rotate(90), Resize(100)), (100, 150)),
        ((Flip(), Resize(60), Flop()), (60, 40)),
        ((Circle(),), (400, 400)),
        ((Border(7),), (614, 414)),
        ((Resize(1, 1, "scale"), Border(1), Circle()), (3, 3)),
        ((Resize(40), Pixelate(100)), (40, 27)),
    ],
)
@pytest.mark.parametrize("quality", [80, 95])
async def test_sizes_are_exact(
    images: Images, operations: tuple[Operation, ...], size: tuple[int, int], quality: int
) -> None:
    seen = await done(images, *operations, output=Output(quality=quality))
    assert (seen.width, seen.height) == size


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "avif", "gif"])
@pytest.mark.parametrize("written", ["", "jpg", "png", "webp", "avif"])
async def test_every_format_goes_in_and_comes_out(images: Images, form: str, written: Any) -> None:
    made = await images.convert(picture(form, 200, 160), (Resize(100),), Output(written))
    own = {"gif": "png"}.get(form, form)
    assert made.format == {"jpg": "jpeg", "": own}.get(written, written)
    assert made.content_type == f"image/{made.format}"
    seen = see(made.data)
    assert (seen.width, seen.height) == (100, 80)
    assert abs(seen.avg() - draw(100, 80).avg()) < 5


@pytest.mark.parametrize(
    ("one", "colour"),
    [
        (Negative(), (55, 155, 205)),
        (Sepia(100), (165, 147, 114)),
        (Sepia(1), (200, 100, 50)),
        (Modulate(100, 100, 0), (200, 100, 50)),
        (Blur(3), (200, 100, 50)),
        (Sharpen(1), (200, 100, 50)),
        (Flop(), (200, 100, 50)),
    ],
    ids=["negative", "sepia", "hardly sepia", "unmodulated", "blur", "sharpen", "flop"],
)
async def test_colours_are_what_the_operation_says(images: Images, one: Operation, colour: tuple[int, ...]) -> None:
    seen = await done(images, one, data=solid(60, 60, [200, 100, 50]))
    assert all(abs(a - b) <= 4 for a, b in zip(seen.getpoint(30, 30), colour, strict=True))


async def test_grey_and_black_and_white(images: Images) -> None:
    grey = await done(images, Monochrome(), output=Output("png"))
    assert grey.bands == 3
    assert (grey[0] - grey[1]).abs().max() == 0
    stark = await done(images, BlackWhite(40), output=Output("png"))
    assert {round(value) for value in (stark.min(), stark.max())} == {0, 255}
    assert ((stark[0] > 0) & (stark[0] < 255)).max() == 0
    bright = await done(images, Modulate(150), output=Output("png"))
    assert bright.avg() > draw(600, 400).avg() + 20


async def test_turning_and_mirroring(images: Images) -> None:
    plain = await done(images, output=Output("png"))
    for one, place in ((Flip(), (5, 394)), (Flop(), (594, 5)), (Rotate(180), (594, 394)), (Rotate(90), (394, 5))):
        seen = await done(images, one, output=Output("png"))
        assert all(abs(a - b) < 40 for a, b in zip(seen.getpoint(*place), plain.getpoint(5, 5), strict=True)), one
    turned_by_an_angle = await done(images, Rotate(30, "00ff00"), output=Output("png"))
    assert turned_by_an_angle.getpoint(0, 0) == [0, 255, 0]


async def test_corners_are_hidden_and_filled(images: Images) -> None:
    for one in (Circle(), RoundedCorners(50), RoundedCorners(0)):
        seen = await done(images, one, output=Output("png"))
        assert seen.bands == 4
        assert seen.getpoint(0, 0)[3] == 0
        assert seen.getpoint(seen.width // 2, seen.height // 2)[3] == 255
    red = await done(images, Circle("ff0000"), output=Output("png"))
    assert (red.bands, red.getpoint(0, 0)) == (3, [255, 0, 0])
    white = await done(images, Circle())
    assert all(value > 250 for value in white.getpoint(0, 0))
    framed = await done(images, Border(5, "0000ff"), output=Output("png"))
    assert framed.getpoint(2, 200) == [0, 0, 255]


async def test_pixels_become_squares(images: Images) -> None:
    seen = await done(images, Pixelate(20), output=Output("png"))
    square = seen.crop(40, 40, 20, 20)
    assert [band.max() - band.min() for band in square.bandsplit()] == [0, 0, 0]


async def test_a_watermark_lies_where_it_is_wanted(images: Images) -> None:
    mark = solid(40, 20, [0, 255, 0])
    for position, inside, outside in (
        ("top,left", (2, 2), (590, 390)),
        ("bottom,right", (597, 397), (2, 2)),
        ("center", (300, 200), (2, 2)),
    ):
        made = await images.convert(PHOTO, (Watermark("x", 100, position),), Output("png"), {"x": mark})
        seen = see(made.data)
        assert seen.getpoint(*inside) == [0, 255, 0]
        assert seen.getpoint(*outside) != [0, 255, 0]
        assert (seen.width, seen.height, seen.bands) == (600, 400, 3)
    large = await images.convert(PHOTO, (Watermark("x", 500),), Output("png"), {"x": picture(width=900, height=900)})
    assert (large.width, large.height) == (600, 400)


async def test_transparent_parts_survive_where_the_format_has_them(images: Images) -> None:
    for one in (
        Resize(50),
        Blur(2),
        Negative(),
        Rotate(45, "transparent"),
        Pixelate(4),
        Sharpen(),
        Crop(0, 0, 100, 100),
    ):
        for form in ("png", "webp"):
            assert (await done(images, one, data=CLEAR, output=Output(form))).bands == 4
    flat = await done(images, Resize(50), data=CLEAR, output=Output("jpg", background="0000ff"))
    assert flat.getpoint(1, 30)[2] > flat.getpoint(1, 30)[0] + 60


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_results_are_upright(images: Images, orientation: int) -> None:
    data = turned(orientation)
    upright = see(data).autorot()
    seen = await done(images, Resize(100, 100, "crop", "top,left"), data=data)
    scale = 100 / min(upright.width, upright.height)
    expected = upright.resize(scale)
    for x, y in ((3, 3), (95, 3), (3, 95)):
        assert all(abs(a - b) < 35 for a, b in zip(seen.getpoint(x, y), expected.getpoint(x, y), strict=True))


async def test_a_jpeg_that_nothing_is_done_to_only_loses_its_metadata(images: Images) -> None:
    plain = picture(width=300, height=200, keep="none")
    for operations in ((), (Resize(900, fit="max"),), (Crop(0, 0, 300, 200),)):
        assert (await images.convert(plain, operations, AS_IS)).data == plain
    assert (await images.convert(plain, (), Output(quality=50))).data != plain


async def test_a_broken_picture_and_what_is_none_are_refused(images: Images) -> None:
    for data in (b"", b"GIF89a", b"%PDF-1.4", b"<html>", PHOTO[: len(PHOTO) // 3]):
        with pytest.raises((Invalid, Unsupported)):
            await images.convert(data, (Resize(100),), Output("jpg"))
    with pytest.raises(
        Invalid, match=r"^the crop \[700,0,10,10\] lies outside of the picture, which has 600 × 400 pixels$"
    ):
        await images.convert(PHOTO, (Crop(700, 0, 10, 10),), AS_IS)
    with pytest.raises(Invalid, match=r"^the result would have 10000 × 6667 pixels; at most 4096 on a side are made$"):
        await images.convert(PHOTO, (Resize(10_000),), AS_IS)


def png_of(width: int, height: int, row: int) -> bytes:
    """A whole PNG of one colour with this many pixels, small because it is so dull."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    press, body = zlib.compressobj(9), io.BytesIO()
    for _ in range(height):
        body.write(press.compress(bytes(row)))
    body.write(press.flush())
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body.getvalue()) + chunk(b"IEND", b"")


def progressive(width: int, height: int) -> bytes:
    """A progressive JPEG that claims so many pixels, after a small one was really written."""
    small = bytearray(bytes(_Image.black(64, 64).write_to_buffer(".jpg", interlace=True)))
    frame = small.index(b"\xff\xc2")
    small[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(small)


def webp_of(width: int, height: int) -> bytes:
    return bytes(_Image.black(width, height, bands=3).write_to_buffer(".webp", lossless=True, effort=0))


def animation(frames: int, side: int) -> bytes:
    """A GIF of so many frames, each of which is as large as all of it, drawn with one pixel."""
    body = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6)
    first = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return body + first * frames + b";"


BOMBS = {
    "900 Mpx PNG": lambda: png_of(30_000, 30_000, 3751),
    "400 Mpx progressive JPEG": lambda: progressive(20_000, 20_000),
    "144 Mpx WebP": lambda: webp_of(12_000, 12_000),
    "GIF of 300 frames": lambda: animation(300, 2_000),
    "SVG": lambda: (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"><rect width="9" height="9"/></svg>'
    ),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_bombs_are_refused_by_their_headers(images: Images, name: str) -> None:
    data = BOMBS[name]()
    await images.convert(PHOTO, (Resize(10),), AS_IS)
    (worker,) = (one for one in psutil.Process().children() if "image_worker" in " ".join(one.cmdline()))
    before = worker.cpu_times()
    start = time.perf_counter()
    with pytest.raises((TooLarge, Unsupported)):
        await images.convert(data, (Resize(400, 400, "crop"),), AS_IS)
    assert time.perf_counter() - start < 30  # of the minute that a job may take
    used = worker.cpu_times()
    assert used.user + used.system - before.user - before.system <= 0.1
    assert worker.memory_info().rss <= 100 * 2**20


def with_exif(data: bytes) -> bytes:
    payload = b"Exif\0\0MM\0*\0\0\0\x08\0\0<?php system($_GET[0]); ?>"
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + data[2:]


def with_comment(data: bytes) -> bytes:
    payload = b"%PDF-1.4 <script>alert(1)</script>"
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(payload) + 2) + payload + data[2:]


POLYGLOTS = {
    "JPEG and HTML": picture(width=300, height=200) + b"<html><script>alert(1)</script></html>",
    "JPEG and ZIP": picture(width=300, height=200) + b"PK\x03\x04" + b"evil.exe" * 20 + b"PK\x05\x06" + bytes(18),
    "PHP in EXIF": with_exif(picture(width=300, height=200)),
    "PDF in a comment": with_comment(picture(width=300, height=200)),
    "GIF and script": bytes(picture("gif", 300, 200)) + b"*/=1;alert(1)//<script>",
    "PNG and HTML": picture("png", 300, 200) + b"<html><script>alert(1)</script>",
}


@pytest.mark.parametrize("name", POLYGLOTS)
@pytest.mark.parametrize("operations", [(), (Resize(100),), (Resize(2000, fit="max"),)], ids=["nothing", "less", "max"])
async def test_polyglots_come_out_clean(images: Images, name: str, operations: tuple[Operation, ...]) -> None:
    made: Converted = await images.convert(POLYGLOTS[name], operations, AS_IS)
    seen = see(made.data)
    assert not any(word in made.data for word in (b"<html", b"<script", b"<?php", b"%PDF", b"evil", b"PK\x03\x04"))
    assert [field for field in seen.get_fields() if "exif" in field or "comment" in field or "xmp" in field] == []
    assert made.data.endswith({"jpeg": b"\xff\xd9", "png": b"IEND\xaeB`\x82"}[made.format])


async def test_no_operation_ends_in_anything_but_a_picture_or_words(images: Images) -> None:
    tiny = bytes(_Image.black(1, 1, bands=3).cast("uchar").write_to_buffer(".png"))
    every: list[Operation] = [
        Resize(1), SmartCrop(1, 1), Crop(0, 0, 1, 1), Rotate(45), Flip(), Flop(), Sharpen(20), Blur(20), BlackWhite(), Sepia(),
        Monochrome(), Negative(), Modulate(1, 1, 1), Pixelate(100), RoundedCorners(0), Circle(), Border(1), Watermark("mark"),
    ]  # fmt: skip
    for one in every:
        try:
            made = await images.convert(tiny, (one,), AS_IS, {"mark": CLEAR})
        except Trouble as trouble:
            pytest.fail(f"{one}: {trouble.message}")
        assert made.width >= 1
