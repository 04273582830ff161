"""The pretend Instagram's pictures and clips: reproducible, of the asked size, and of something."""

import hashlib
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyvips import Image

from tintype.simulator import videos
from tintype.simulator.canvas import Canvas, Sketch, ramp
from tintype.simulator.photographs import developed, photograph
from tintype.simulator.scenes import SCENES

SIZES = [(1080, 1080), (1080, 1350), (1080, 566), (1440, 1800), (640, 640), (1080, 1920), (320, 320)]


def decoded(jpeg: bytes) -> Image:
    return Image.new_from_buffer(jpeg, "", fail_on="warning").copy_memory()


def segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and payload of every JPEG segment before the picture's data."""
    place = 2
    while jpeg[place + 1] != 0xDA:
        size = struct.unpack(">H", jpeg[place + 2 : place + 4])[0]
        yield jpeg[place + 1], jpeg[place + 4 : place + 2 + size]
        place += 2 + size


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_photograph_has_the_asked_size_and_shows_something(width: int, height: int) -> None:
    picture = decoded(photograph(11, width, height))
    assert (picture.width, picture.height, picture.bands) == (width, height, 3)
    assert picture.deviate() > 20


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_every_scene_has_the_tones_of_a_photograph_and_not_of_a_blank_or_a_test_card(
    scene: Callable[[Canvas], Image],
) -> None:
    for seed in (1, 2):
        canvas = Canvas(270, 338, Random(seed))
        picture = developed(canvas, scene(canvas)).copy(interpretation="srgb")
        tones = picture.colourspace("b-w").hist_find().hist_entropy()
        assert tones > 5
        assert picture.deviate() > 12
        assert 20 < picture.avg() < 235


def test_the_file_is_baseline_with_halved_colour() -> None:
    found = dict(segments(photograph(3, 1080, 1080)))
    assert 0xC0 in found
    assert 0xC2 not in found
    assert found[0xC0][7] == 0x22  # the brightness is sampled twice as often as colour in both directions


def test_the_same_seed_and_size_give_the_same_bytes_and_another_seed_other_ones() -> None:
    assert photograph(5, 640, 640) == photograph(5, 640, 640)
    digests = {hashlib.sha256(photograph(seed, 320, 320)).digest() for seed in range(40)}
    assert len(digests) == 40


def test_one_seed_shows_the_same_scene_at_every_size() -> None:
    small, large = (decoded(photograph(21, *size)).resize(1) for size in ((320, 320), (640, 640)))
    assert abs(small - large.resize(0.5)).avg() < 14
    other = decoded(photograph(22, 320, 320))
    assert abs(small - other).avg() > 14


def test_two_processes_agree() -> None:
    script = "import sys; from tintype.simulator.photographs import photograph; sys.stdout.buffer.write(photograph(5, 320, 320))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == photograph(5, 320, 320)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**63), width=st.integers(16, 900), height=st.integers(16, 900))
def test_any_seed_and_size_works(seed: int, width: int, height: int) -> None:
    picture = decoded(photograph(seed, width, height))
    assert (picture.width, picture.height) == (width, height)


@given(
    points=st.lists(st.tuples(st.floats(-40, 90), st.floats(-40, 90)), min_size=3, max_size=9),
)
def test_shapes_reaching_over_the_edge_are_cut_there(points: list[tuple[float, float]]) -> None:
    sketch = Sketch(50, 40, (0,), bytearray(50 * 40))
    sketch.polygon(points, (255,))
    sketch.oval(points[0][0], points[0][1], 30, 20, (128,))
    assert len(sketch.drawn) == 50 * 40


def test_a_ramp_runs_from_its_first_to_its_last_colour() -> None:
    column = ramp([(0, (0, 0, 0)), (0.5, (100, 200, 40)), (1, (255, 255, 255))], 101)
    assert column(0, 0) == [0, 0, 0]
    assert column(0, 50) == pytest.approx([100, 200, 40], abs=3)
    assert column(0, 100) == pytest.approx([255, 255, 255], abs=6)
    greens = [column(0, y)[1] for y in range(101)]
    assert greens == sorted(greens)


def boxes(file: bytes) -> list[tuple[str, int]]:
    """Name and size of the top-level boxes of an MP4."""
    found: list[tuple[str, int]] = []
    place = 0
    while place < len(file):
        size, name = struct.unpack(">I4s", file[place : place + 8])
        found.append((name.decode(), size))
        place += size
    return found


async def test_a_clip_is_a_playable_mp4_with_its_index_in_front(tmp_path: Path) -> None:
    clip = await videos.video(9, 361, 640, 1.5)
    names = [name for name, _ in boxes(clip)]
    assert names[0] == "ftyp"
    assert names.index("moov") < names.index("mdat")
    assert b"avc1" in clip[: clip.index(b"mdat")]
    assert len(clip) < 400_000

    file = tmp_path / "clip.mp4"
    file.write_bytes(clip)
    command = [
        videos.ffmpeg(),
        "-v",
        "error",
        "-i",
        str(file),
        "-map",
        "0:v",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-",
    ]
    played = await anyio.run_process(command)
    assert played.stderr == b""
    frame = 360 * 640
    frames = [played.stdout[start : start + frame] for start in range(0, len(played.stdout), frame)]
    assert len(frames) == 30
    assert frames[0] != frames[-1]


async def test_the_same_clip_has_the_same_bytes_when_it_is_encoded_again() -> None:
    first = await videos.video(4, 180, 320, 1)
    assert videos.encoded(4, 180, 320, 1) == first
    assert videos.encoded(5, 180, 320, 1) != first
