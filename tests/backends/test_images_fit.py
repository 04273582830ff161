"""Pictures made fit for Instagram: every kind of them meets the limits, and padding loses nothing."""

import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
import pyvips

from tests.backends.pictures import draw, picture, see, turned
from tintype.backends.images import Fit, Fitted, Images
from tintype.errors import Invalid, TooLarge, Unavailable, Unsupported
from tintype.instagram import LIMITS

FEED = Fit(
    ratio_min=LIMITS.image_aspect_min.value,
    ratio_max=LIMITS.image_aspect_max.value,
    width_min=LIMITS.image_width_min.whole,
    width_max=LIMITS.image_width_max.whole,
    bytes_max=LIMITS.image_bytes.whole,
)
LEFTOVERS = ("exif", "icc", "xmp", "iptc", "orientation", "comment")
# The same rules on a quarter of the pixels, for what is done to many pictures.
HALF = replace(FEED, width_min=FEED.width_min // 2, width_max=FEED.width_max // 2)
SHAPES = ((250, 250), (750, 450), (40, 400), (400, 40), (1, 1), (751, 43), (320, 215), (217, 300))
# A red HEIC of 64 × 48 pixels, coded as HEVC, for which the library brings no decoder.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAB4AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5j"
    "bHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBp"
    "eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAACZtZGF0AAAAGigBrxOA+BDhp//8TSj/+nXPD9PMe/OikM+A"
)
_Image: Any = pyvips.Image  # pyright: ignore[reportUnknownMemberType] - pyvips carries no types


@pytest.fixture(scope="module")
async def images() -> AsyncIterator[Images]:
    workshop = Images(workers=1)
    yield workshop
    await workshop.close()


def check(made: Fitted, fit: Fit = FEED) -> Any:
    """Decode what came out and hold it against the limits."""
    seen = see(made.data)
    assert made.data[:2] == b"\xff\xd8"
    assert made.digest == sha256(made.data).hexdigest()
    assert (seen.width, seen.height) == (made.width, made.height)
    assert (seen.bands, seen.format) == (3, "uchar")
    assert len(made.data) <= fit.bytes_max
    assert fit.width_min <= made.width <= fit.width_max
    assert fit.ratio_min * made.height <= made.width <= fit.ratio_max * made.height
    assert [name for name in seen.get_fields() if any(word in name for word in LEFTOVERS)] == []
    return seen


def clear(width: int, height: int) -> Any:
    """A picture that is transparent on its left half."""
    ramp = _Image.xyz(width, height)[0]
    return draw(width, height).bandjoin((ramp >= width // 2).cast("uchar"))


def animated(width: int, height: int, suffix: str) -> bytes:
    frames = [draw(-(-width // 2), -(-height // 2), seed) for seed in (1, 2)]
    return bytes(frames[0].pagejoin(frames[1:]).write_to_buffer(suffix, effort=1))


def rgb16(width: int, height: int) -> Any:
    return draw(width, height).colourspace("rgb16")


# Name → how it is drawn in a given size. With eight orientations and the shapes above these are more than 200 pictures.
KINDS: dict[str, Callable[[int, int], bytes]] = {
    "jpeg": lambda w, h: picture("jpeg", w, h),
    "progressive": lambda w, h: picture("jpeg", w, h, interlace=True),
    "4:4:4": lambda w, h: picture("jpeg", w, h, subsample_mode="off"),
    "best quality": lambda w, h: picture("jpeg", w, h, Q=100),
    "grey jpeg": lambda w, h: bytes(draw(w, h).colourspace("b-w").write_to_buffer(".jpg")),
    "cmyk": lambda w, h: bytes(draw(w, h).colourspace("cmyk").write_to_buffer(".jpg")),
    "cmyk, profile": lambda w, h: bytes(draw(w, h).icc_export(output_profile="cmyk").write_to_buffer(".jpg")),
    "wide gamut": lambda w, h: bytes(draw(w, h).icc_export(output_profile="p3").write_to_buffer(".jpg")),
    "broken profile": lambda w, h: bytes(with_profile(draw(w, h), b"none").write_to_buffer(".jpg")),
    "png": lambda w, h: picture("png", w, h),
    "16 bit": lambda w, h: bytes(rgb16(w, h).write_to_buffer(".png")),
    "16 bit, alpha": lambda w, h: bytes(rgb16(w, h).bandjoin(30_000).cast("ushort").write_to_buffer(".png")),
    "grey 16 bit": lambda w, h: bytes(draw(w, h).colourspace("grey16").write_to_buffer(".png")),
    "alpha": lambda w, h: bytes(clear(w, h).write_to_buffer(".png")),
    "grey, alpha": lambda w, h: bytes(draw(w, h).colourspace("b-w").bandjoin(99).cast("uchar").write_to_buffer(".png")),
    "palette": lambda w, h: bytes(draw(w, h).write_to_buffer(".png", palette=True, colours=16, effort=1)),
    "palette, alpha": lambda w, h: bytes(clear(w, h).write_to_buffer(".png", palette=True, effort=1)),
    "one bit": lambda w, h: bytes(draw(w, h).colourspace("b-w").write_to_buffer(".png", bitdepth=1)),
    "interlaced": lambda w, h: picture("png", w, h, interlace=True),
    "webp": lambda w, h: picture("webp", w, h),
    "webp, alpha": lambda w, h: bytes(clear(w, h).write_to_buffer(".webp")),
    "webp, lossless": lambda w, h: picture("webp", w, h, lossless=True),
    "webp, animated": lambda w, h: animated(w, h, ".webp"),
    "gif": lambda w, h: picture("gif", w, h),
    "gif, animated": lambda w, h: animated(w, h, ".gif"),
    "avif": lambda w, h: picture("avif", w, h),
    "avif, alpha": lambda w, h: bytes(clear(w, h).write_to_buffer(".avif", effort=1)),
}


def with_profile(image: Any, profile: bytes) -> Any:
    other = image.copy()
    other.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return other


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_picture_in_every_shape_meets_the_limits(images: Images, kind: str) -> None:
    for width, height in SHAPES:
        data = KINDS[kind](width, height)
        made = await images.fit(data, HALF)
        check(made, HALF)
        check(await images.fit(data, replace(HALF, mode="crop")), HALF)
        again = await images.fit(made.data, HALF)
        assert (again.data, again.changes) == (made.data, ()), "what fits is not made anew"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("width", "height"), [(360, 300), (60, 600), (600, 60), (1500, 1000)])
async def test_turned_pictures_are_upright_before_their_ratio_is_judged(
    images: Images, orientation: int, width: int, height: int
) -> None:
    data = turned(orientation, width, height)
    made = await images.fit(data, FEED)
    seen = check(made)
    upright = see(data).autorot()
    assert ("rotated" in made.changes) == (orientation > 1)
    scale = min(made.width / upright.width, made.height / upright.height)
    inner = [round(side * scale) for side in (upright.width, upright.height)]
    left, top = (made.width - inner[0]) // 2, (made.height - inner[1]) // 2
    for across, down in ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)):
        there = seen.getpoint(left + round(across * inner[0]), top + round(down * inner[1]))
        here = upright.getpoint(round(across * upright.width), round(down * upright.height))
        assert all(abs(a - b) < 36 for a, b in zip(there, here, strict=True))


@pytest.mark.parametrize(("width", "height"), [(600, 60), (60, 600), (320, 1000), (2000, 250), (400, 400)])
@pytest.mark.parametrize("background", ["#0000ff", "blur", "dominant", "white"])
async def test_padding_shows_all_four_corners(images: Images, width: int, height: int, background: str) -> None:
    side = min(width, height) // 4
    colours = {(0, 0): (255, 0, 0), (1, 0): (0, 160, 0), (0, 1): (0, 0, 255), (1, 1): (255, 200, 0)}
    marked = _Image.black(width, height, bands=3).linear(1, 128).cast("uchar").copy(interpretation="srgb")
    for (right, low), colour in colours.items():
        patch = _Image.black(side, side, bands=3).linear(1, list(colour)).cast("uchar")
        marked = marked.insert(patch, right * (width - side), low * (height - side))
    made = await images.fit(bytes(marked.write_to_buffer(".png")), replace(FEED, background=background))
    seen = check(made)
    scale = min(made.width / width, made.height / height)
    left, top = (made.width - width * scale) / 2, (made.height - height * scale) / 2
    for (right, low), colour in colours.items():
        x = left + (width * scale - side * scale / 2 if right else side * scale / 2)
        y = top + (height * scale - side * scale / 2 if low else side * scale / 2)
        assert all(abs(a - b) < 40 for a, b in zip(seen.getpoint(int(x), int(y)), colour, strict=True))
    assert ("padded" in made.changes) == (width != height)


async def test_backgrounds_are_what_they_are_called(images: Images) -> None:
    data = bytes(draw(1000, 200).colourspace("srgb").write_to_buffer(".png"))
    edges = {
        background: check(await images.fit(data, replace(FEED, background=background))).crop(0, 0, 400, 20)
        for background in ("white", "#102030", "blur", "dominant")
    }
    assert edges["white"].avg() > 250
    assert [round(edges["#102030"][band].avg()) for band in range(3)] == pytest.approx([16, 32, 48], abs=3)
    assert 20 < edges["blur"].avg() < 140
    assert 40 < edges["dominant"].avg() < 200


async def test_transparent_parts_take_the_background(images: Images) -> None:
    data = bytes(clear(400, 400).write_to_buffer(".png"))
    made = await images.fit(data, replace(FEED, background="#ff0000"))
    assert {"flattened", "converted from png"} <= set(made.changes)
    assert check(made).getpoint(20, 200) == pytest.approx([254, 0, 0], abs=4)


async def test_a_jpeg_that_fits_passes_byte_for_byte(images: Images) -> None:
    data = picture("jpeg", 1080, 1350, keep="none")
    made = await images.fit(data, FEED)
    assert (made.data, made.changes) == (data, ())
    with pytest.raises(Invalid):
        await images.fit(data[:-2], FEED)
    mended = await images.fit(data[: len(data) // 2] + b"\xff\xd9", FEED)
    assert mended.changes == ("compressed",), "what decodes only with a complaint is made anew"


@pytest.mark.parametrize("height", [1350, 1345, 1344, 1080])
@pytest.mark.parametrize("lost", [300, 3000])
async def test_a_jpeg_that_lacks_no_more_than_its_last_lines_is_made_anew(
    images: Images, height: int, lost: int
) -> None:
    data = picture("jpeg", 1080, height, keep="none")
    half = len(data) // 2
    made = await images.fit(data[:half] + data[half + lost :], FEED)
    assert made.changes == ("compressed",)
    check(made)
    assert (await images.fit(data, FEED)).changes == ()


async def test_a_jpeg_that_is_right_but_for_its_metadata_keeps_every_coded_bit(images: Images) -> None:
    data = picture("jpeg", 800, 800, keep="none")
    comment, place = b"\xff\xfe\x00\x08secret", b"\xff\xe1\x00\x0aExif\0\0.."
    made = await images.fit(data[:2] + comment + place + data[2:], FEED)
    assert (made.data, made.changes) == (data, ("metadata removed",))
    check(made)


@pytest.mark.parametrize("scraps", [100, 300_000])
async def test_a_jpeg_of_scraps_is_made_anew(images: Images, scraps: int) -> None:
    data = picture("jpeg", 800, 800, keep="none")
    comment, no_restarts = b"\xff\xfe\x00\x02", b"\xff\xdd\x00\x04\x00\x00"
    made = await images.fit(data[:2] + (comment + no_restarts) * scraps + data[2:], FEED)
    assert made.changes == ("metadata removed",)
    check(made)
    assert no_restarts not in made.data


async def test_what_stands_behind_a_picture_goes_no_further(images: Images) -> None:
    data, other = picture("jpeg", 800, 800, keep="none"), picture("jpeg", 640, 480, keep="none")
    made = await images.fit(data + other, FEED)
    assert made.data.count(b"\xff\xd8\xff") == 1
    check(made, FEED)


@pytest.mark.parametrize("spoilt", ["exif", "trailer", "comment", "grey", "too many bytes"])
async def test_a_jpeg_that_only_nearly_fits_is_made_anew(images: Images, spoilt: str) -> None:
    data = picture("jpeg", 800, 800, keep="none")
    limit = FEED
    match spoilt:
        case "exif":
            data = turned(1, 800, 800)
        case "trailer":
            data += b"<script>"
        case "comment":
            data = data[:2] + b"\xff\xfe\x00\x08secret" + data[2:]
        case "grey":
            data = bytes(draw(800, 800).colourspace("b-w").write_to_buffer(".jpg", keep="none"))
        case _:
            limit = replace(FEED, bytes_max=len(data) - 1)
    made = await images.fit(data, limit)
    assert made.data != data
    assert b"secret" not in made.data
    check(made, limit)


async def test_quality_falls_until_the_bytes_suffice_and_then_it_says_so(images: Images) -> None:
    data = picture("png", 720, 720)
    made = await images.fit(data, replace(FEED, bytes_max=100_000))
    assert "compressed" in made.changes
    assert len(made.data) <= 100_000
    with pytest.raises(TooLarge, match="1000 bytes"):
        await images.fit(data, replace(FEED, bytes_max=1000))


async def test_as_is_names_both_ratios_and_changes_no_shape(images: Images) -> None:
    with pytest.raises(Invalid, match=r"5:2 \(1000 × 400 pixels\), allowed are 4:5 to 1\.91:1"):
        await images.fit(picture("jpeg", 1000, 400), replace(FEED, mode="as_is"))
    made = await images.fit(picture("jpeg", 2000, 1600), replace(FEED, mode="as_is"))
    assert (made.width, made.height) == (1440, 1152)
    assert "scaled" in made.changes


async def test_a_carousel_is_given_one_ratio(images: Images) -> None:
    fits = [replace(FEED, ratio=0.8, mode=mode) for mode in ("pad", "crop")]
    made = [
        await images.fit(picture("jpeg", w, h), fit) for w, h in ((500, 500), (1600, 900), (540, 675)) for fit in fits
    ]
    assert {one.width / one.height for one in made} == {0.8}


async def test_what_cannot_be_used_is_told_in_the_sentence_that_callers_know(images: Images) -> None:
    for data in (b"", b"<html></html>", picture("tiff", 20, 20), b"%PDF-1.4", bytes(5000)):
        with pytest.raises(Unsupported, match=r"^Invalid image format\. Supported: JPEG, PNG"):
            await images.fit(data, FEED)


@pytest.mark.parametrize("heic", [HEIC, HEIC[:32] + bytes(200)], ids=["whole", "damaged"])
async def test_heic_is_named_when_it_cannot_be_decoded(images: Images, heic: bytes) -> None:
    with pytest.raises(
        Unsupported, match=r"^Invalid image format\. Supported: JPEG, PNG\. HEIC: convert to JPEG first"
    ):
        await images.fit(heic, FEED)


async def test_an_unknown_background_is_refused() -> None:
    with pytest.raises(Invalid, match="#rrggbb"):
        replace(FEED, background="javascript:")


async def test_what_was_right_once_needs_no_decoder_again() -> None:
    images = Images(workers=1)
    fits = picture("jpeg", 1080, 1350, keep="none"), picture("jpeg", 1080, 1350, keep="exif")
    converted = picture("png", 1080, 1350)
    first = [await images.fit(one, FEED) for one in (*fits, converted)]
    await images.close()
    assert [await images.fit(one, FEED) for one in fits] == first[:2]
    for other, wish in ((converted, FEED), (fits[0], replace(FEED, ratio=1.0)), (fits[0][:-1], FEED)):
        with pytest.raises(Unavailable):
            await images.fit(other, wish)
