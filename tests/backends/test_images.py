"""The picture workshop with its real workers: what comes out of it, and what it refuses."""

import base64
import math
import os
import struct
import zlib
from collections.abc import AsyncIterator

import pytest

from tests.backends.pictures import draw, picture, see, turned
from tintype.backends.images import FORMATS, SIZES, Images
from tintype.errors import Invalid, TooLarge, Unsupported


@pytest.fixture(scope="module")
async def images() -> AsyncIterator[Images]:
    workshop = Images(workers=2)
    yield workshop
    await workshop.close()


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "avif", "gif"])
async def test_every_format_is_recognised_and_described(images: Images, form: str) -> None:
    found = await images.inspect(picture(form, 160, 200))
    assert (found.format, found.width, found.height, found.content_type) == (form, 160, 200, f"image/{form}")
    red, green, blue = bytes.fromhex(found.colour.removeprefix("#"))
    assert (abs(red - 130) < 12, abs(green - 120) < 12, abs(blue - 110) < 12) == (True, True, True)
    assert warmth(found.thumbhash, across=0.1) < -0.3 < 0.3 < warmth(found.thumbhash, across=0.9)


def warmth(hashed: str, across: float) -> float:
    """Return how yellow (1) or blue (-1) a portrait's ThumbHash is at half its height."""
    code = base64.b64decode(hashed)
    first, second = int.from_bytes(code[:3], "little"), int.from_bytes(code[3:5], "little")
    columns = second & 7
    skipped = sum(1 for y in range(7) for x in range(7) if x + y > 0 and x * 7 < columns * (7 - y))
    nibbles = [nibble for byte in code[5:] for nibble in (byte & 15, byte >> 4)]
    waves = [(x, y) for y in range(3) for x in range(0 if y else 1, 3 - y)]
    scale = (second >> 3 & 63) / 63 * 1.25
    value = (first >> 6 & 63) / 31.5 - 1
    for (x, y), nibble in zip(waves, nibbles[skipped:], strict=False):
        value += (nibble / 7.5 - 1) * scale * 2 * math.cos(math.pi * x * across) * math.cos(math.pi * y / 2)
    return value


async def test_all_sizes_and_formats_come_out(images: Images) -> None:
    found, made = await images.prepare(picture())
    assert (found.width, found.height) == (1440, 1800)
    assert [(one.size, one.format) for one in made] == [(size, form) for size in SIZES for form in FORMATS]
    for one in made:
        seen = see(one.data)
        assert (seen.width, seen.height) == (one.width, one.height) == (one.size, one.size * 5 // 4)
        assert seen.bands == 3
        assert abs(seen.avg() - draw(144, 180).avg()) < 4
        leftovers = [name for name in seen.get_fields() if "exif" in name or "icc" in name or "xmp" in name]
        assert leftovers == []


async def test_avif_is_eight_bit_av1_and_jpeg_is_baseline(images: Images) -> None:
    made = {one.format: see(one.data) for one in await images.render(picture(), (320,))}
    assert made["avif"].get("heif-compression") == "av1"
    assert made["avif"].get("bits-per-sample") == 8
    assert made["jpeg"].get_typeof("interlaced") == 0
    assert made["jpeg"].get("jpeg-chroma-subsample") == "4:2:0"


async def test_a_small_source_is_never_enlarged_and_still_delivered_under_each_size(images: Images) -> None:
    made = await images.render(picture(width=500, height=400), formats=("webp",))
    assert [(one.size, one.width, one.height) for one in made] == [(320, 320, 256), (640, 500, 400), (1080, 500, 400)]
    assert made[1].data == made[2].data


async def test_the_order_of_sizes_is_the_callers(images: Images) -> None:
    made = await images.render(picture(width=500, height=400), (640, 100), ("jpeg", "webp"))
    assert [(one.size, one.width, one.format) for one in made] == [
        (640, 500, "jpeg"),
        (640, 500, "webp"),
        (100, 100, "jpeg"),
        (100, 100, "webp"),
    ]


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
async def test_a_turned_picture_is_put_upright(images: Images, orientation: int) -> None:
    data = turned(orientation)
    found, made = await images.prepare(data, (100,), ("jpeg",))
    upright = see(data).autorot()
    assert (found.width, found.height) == (upright.width, upright.height)
    seen = see(made[0].data)
    assert seen.width == 100
    expected = upright.resize(100 / upright.width)
    assert abs(seen.height - expected.height) <= 1
    for x, y in ((5, 5), (94, 5), (5, seen.height - 6)):
        assert all(abs(a - b) < 30 for a, b in zip(seen.getpoint(x, y), expected.getpoint(x, y), strict=True))


async def test_a_colour_profile_is_applied_before_it_is_dropped(images: Images) -> None:
    wide = draw(200, 200).icc_export(output_profile="p3").write_to_buffer(".jpg", Q=95)
    made = (await images.render(bytes(wide), (200,), ("jpeg",)))[0]
    assert abs(see(made.data).avg() - draw(200, 200).avg()) < 3
    assert see(made.data).get_typeof("icc-profile-data") == 0


async def test_transparent_parts_are_white_in_jpeg_and_kept_in_webp(images: Images) -> None:
    clear = draw(200, 200).bandjoin(0).write_to_buffer(".png")
    made = {one.format: see(one.data) for one in await images.render(bytes(clear), (100,))}
    assert made["jpeg"].bands == 3
    assert made["jpeg"].avg() > 250
    assert made["webp"].bands == made["avif"].bands == 4
    assert (await images.inspect(bytes(clear))).colour == "#ffffff"


@pytest.mark.parametrize("mode", ["b-w", "cmyk", "rgb16"])
async def test_other_colour_spaces_become_srgb(images: Images, mode: str) -> None:
    form = ".png" if mode == "rgb16" else ".jpg"
    data = bytes(draw(120, 100).colourspace(mode).write_to_buffer(form))
    found, made = await images.prepare(data, (60,))
    assert (found.width, found.height) == (120, 100)
    assert all(see(one.data).interpretation in ("srgb", "rgb") and see(one.data).bands == 3 for one in made)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 900), (900, 1), (17, 5)])
async def test_tiny_and_narrow_pictures_work(images: Images, width: int, height: int) -> None:
    found, made = await images.prepare(picture("png", width, height))
    assert (found.width, found.height) == (width, height)
    assert all(see(one.data).width == one.width for one in made)


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "avif", "gif"])
@pytest.mark.parametrize("kept", [0.98, 0.5, 0.1])
async def test_a_truncated_picture_is_refused(images: Images, form: str, kept: float) -> None:
    data = picture(form, 400, 300)
    with pytest.raises((Invalid, Unsupported)):
        await images.inspect(data[: int(len(data) * kept)])


async def test_a_progressive_jpeg_works_and_a_truncated_one_is_refused(images: Images) -> None:
    data = picture("jpeg", 400, 300, interlace=True)
    assert (await images.inspect(data)).width == 400
    with pytest.raises(Invalid):
        await images.inspect(data[: len(data) // 2])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>not a picture</html>",
        b"%PDF-1.4\n",
        b"\xff\xd8\xff\xe0",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
        picture("tiff", 20, 20),
        b"P6 2 2 255 " + bytes(12),
        os.urandom(5000),
    ],
)
async def test_what_is_no_accepted_picture_is_refused(images: Images, data: bytes) -> None:
    with pytest.raises((Unsupported, Invalid)):
        await images.prepare(data)


def png_of(width: int, height: int) -> bytes:
    """A small PNG that claims, truthfully or not, this many pixels: a decompression bomb."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (png_of(30_000, 30_000), "50 million pixels are taken"),
        (png_of(16_385, 10), "16384 on a side are taken"),
        (png_of(7_100, 7_100), "50 million pixels are taken"),
        (picture("jpeg", 5_100, 5_000, interlace=True, Q=10), "25 million pixels of a progressive JPEG are taken"),
    ],
    ids=["bomb", "side", "pixels", "progressive"],
)
async def test_too_many_pixels_are_refused_by_the_header(images: Images, data: bytes, limit: str) -> None:
    with pytest.raises(TooLarge, match=rf"^the picture has \d+ × \d+ pixels; at most {limit}$"):
        await images.prepare(data)
