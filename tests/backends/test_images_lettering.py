"""Text on pictures: in the lower third, readable on anything, never cut, and the same on a machine without fonts."""

import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pyvips

from tests.backends.pictures import picture, see
from tintype.backends.images import Fit, Images
from tintype.errors import Invalid

STORY = Fit(ratio_min=0.1, ratio_max=10, width_min=320, width_max=1440, bytes_max=8 * 1024 * 1024)
LONGEST = "W" * 100
SAYINGS = ("Hi", "Neues Rezept: <Käsespätzle> & mehr — jetzt im Profil!", LONGEST, "Привет " * 14, "one\ntwo\nthree")
_Image: Any = pyvips.Image  # pyright: ignore[reportUnknownMemberType] - pyvips carries no types


@pytest.fixture(scope="module")
async def images() -> AsyncIterator[Images]:
    workshop = Images(workers=1)
    yield workshop
    await workshop.close()


def plain(width: int, height: int, grey: int) -> bytes:
    one = _Image.black(width, height, bands=3).linear(1, grey).cast("uchar").copy(interpretation="srgb")
    return bytes(one.write_to_buffer(".png"))


@pytest.mark.parametrize("text", SAYINGS)
@pytest.mark.parametrize(("width", "height"), [(1080, 1920), (320, 168), (1080, 1080), (320, 3200)])
async def test_text_stands_whole_in_the_lower_third(images: Images, width: int, height: int, text: str) -> None:
    made = await images.fit(plain(width, height, 128), replace(STORY, text=text))
    assert "text drawn" in made.changes
    seen = see(made.data).colourspace("b-w")
    bright, dark = seen > 200, seen < 90
    assert (bright.avg() > 0, dark.avg() > 0) == (True, True)
    left, top, across, down = (255 - bright).find_trim(threshold=100, background=[255])
    assert top >= height * 0.66
    assert top + down <= height
    assert left >= width * 0.05
    assert left + across <= width * 0.95
    band = (255 - dark).find_trim(threshold=100, background=[255])
    assert band[1] < top
    assert top + down < band[1] + band[3]


@pytest.mark.parametrize("grey", [0, 128, 255])
async def test_text_can_be_read_on_any_background(images: Images, grey: int) -> None:
    made = await images.fit(plain(1080, 1080, grey), replace(STORY, text="Read me"))
    seen = see(made.data).colourspace("b-w")
    row = seen.crop(0, int(1080 * 0.8), 1080, 60)
    assert row.max() > 245
    assert row.min() < 120, "white on at most this grey has a contrast above 4.5"


async def test_too_many_lines_are_run_together_rather_than_cut(images: Images) -> None:
    made = await images.fit(plain(320, 168, 128), replace(STORY, text="\n".join("M" * 50)))
    bright = see(made.data).colourspace("b-w") > 200
    _, top, _, down = (255 - bright).find_trim(threshold=100, background=[255])
    assert 0 < top < top + down < 168


async def test_markup_is_text(images: Images) -> None:
    one, other = [await images.fit(plain(800, 800, 90), replace(STORY, text=text)) for text in ("<b>x</b> & <", "x  ")]
    assert (see(one.data) > 200).avg() > (see(other.data) > 200).avg() * 2


async def test_text_that_is_empty_changes_nothing(images: Images) -> None:
    data = picture("jpeg", 1080, 1920, keep="none")
    made = await images.fit(data, replace(STORY, text="  "))
    assert made.data == data


ALONE = """
import sys
from tintype.backends.image_fitting import fit
job = {"ratio_min": 0.1, "ratio_max": 10, "width_min": 320, "width_max": 1440, "bytes_max": 8 << 20, "mode": "pad",
       "background": "white", "ratio": None, "text": sys.argv[2]}
told, body = fit(open(sys.argv[1], "rb").read(), job)
open(sys.argv[3], "wb").write(body)
print(*told["changes"], sep="\\n")
"""


def without_fonts(folder: Path, text: str) -> list[str]:
    """What is done to a picture that gets this text on a machine that has no font."""
    (folder / "fonts.conf").write_text(f"<fontconfig><cachedir>{folder}</cachedir></fontconfig>")
    (folder / "picture.png").write_bytes(plain(640, 640, 90))
    done = subprocess.run(
        [sys.executable, "-c", ALONE, folder / "picture.png", text, folder / "made.jpg"],
        env={"FONTCONFIG_FILE": str(folder / "fonts.conf"), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[1:]


def test_a_machine_without_fonts_draws_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    found = without_fonts(tmp_path, "Grüße, Łódź! 漢字😀\u200d\ufe0f ok")
    assert found == ["text drawn", "characters left out: 漢字"]


@pytest.mark.parametrize("text", ["Back in 5 minutes! 🚀", "🚀", "👩‍👩‍👧 👍🏽 ❤️ ☕ ✨ 🇩🇪", "مرحبا שלום สวัสดี नमस्ते"])
def test_a_machine_without_fonts_draws_emoji_and_most_scripts(tmp_path: Path, text: str) -> None:
    assert without_fonts(tmp_path, text) == ["text drawn"]


@pytest.mark.parametrize("text", ["\ue000", "\ue000 \ue001\n\ue002", "\u200d"], ids=["one", "several", "invisible"])
async def test_text_of_which_nothing_can_be_drawn_is_refused(images: Images, text: str) -> None:
    with pytest.raises(
        Invalid, match=r"^no font on this machine draws this text; install one \(Debian: fonts-noto-cjk"
    ):
        await images.fit(plain(640, 640, 90), replace(STORY, text=text))


async def test_a_word_that_is_broken_gets_no_hyphen(images: Images) -> None:
    made = await images.fit(plain(1080, 1080, 90), replace(STORY, text="l" * 100))
    bright = see(made.data).colourspace("b-w") > 200
    left, top, across, _ = (255 - bright).find_trim(threshold=100, background=[255])
    last = bright.crop(left + across - 6, top, 6, 40)  # the end of the first line: a whole l, or a thin hyphen
    assert last.avg() > 200


def test_a_key_is_drawn_as_one(tmp_path: Path) -> None:
    without_fonts(tmp_path, "1\ufe0f\u20e3")
    bright = see((tmp_path / "made.jpg").read_bytes()).colourspace("b-w") > 200
    _, _, across, down = (255 - bright).find_trim(threshold=100, background=[255])
    assert across < down * 1.2, "the figure stands inside the key, not beside it"
