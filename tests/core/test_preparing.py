"""Media made right before Instagram sees them: fetched or uploaded, fitted, kept, and handed on under the right address."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.backends.pictures import picture, see, turned
from tests.backends.remote import Asked, Remote, remote
from tests.core.broken import sent
from tintype.backends.blobs import MemoryBlobs
from tintype.backends.images import Images
from tintype.backends.outbound import HttpOutbound
from tintype.core.publishing.preparing import Prepared, Preparing, Unfetchable, Wanted
from tintype.errors import Invalid, NotFound, Unsupported

BASE = "https://tintype.example"
RIGHT = picture("jpeg", 1080, 1080, keep="none")
PNG = picture("png", 300, 300)
DAMAGED = PNG[: len(PNG) // 2] + bytes(200) + PNG[len(PNG) // 2 + 200 :]
FILES: dict[str, tuple[bytes, str]] = {
    "/right.jpg": (RIGHT, "image/jpeg"),
    "/wide.png": (picture("png", 1000, 200), "image/png"),
    "/turned.jpg": (turned(6, 1200, 900), "image/jpeg"),
    "/page": (b"<!doctype html><html></html>", "text/html"),
    "/called-text.jpg": (RIGHT, "text/plain"),
    "/damaged.png": (DAMAGED, "image/png"),
    "/tiff": (picture("tiff", 20, 20), "image/tiff"),
}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@dataclass(slots=True)
class Place:
    """A workplace with a server of files beside it."""

    here: Remote
    preparing: Preparing

    async def prepare(self, path: str, **wanted: Any) -> Prepared:
        return await self.preparing.prepare(Wanted("picture", self.here.url(path), **wanted))


@pytest.fixture(scope="module")
async def images() -> AsyncIterator[Images]:
    workshop = Images(workers=1)
    yield workshop
    await workshop.close()


async def nowhere(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"] if host == "127.0.0.1" else []


@pytest.fixture
async def place(images: Images) -> AsyncIterator[Place]:
    async def play(asked: Asked, writer: Any) -> None:
        body, kind = FILES.get(asked.target, (b"", ""))
        await sent(body, kind, status="200 OK" if body else "404 Not Found")(asked, writer)

    async with remote(play) as here:
        outbound = HttpOutbound(allow=(here.place,), resolver=nowhere)
        yield Place(here, Preparing(outbound, MemoryBlobs(), images, BASE))
        await outbound.close()


async def test_what_is_right_is_kept_byte_for_byte(place: Place) -> None:
    made = await place.prepare("/right.jpg")
    digest = hashlib.sha256(RIGHT).hexdigest()
    assert made == Prepared(
        url=f"{BASE}/api/sns/instagram/files/{digest}.jpg",
        blob=f"publishing/{digest}.jpg",
        digest=digest,
        width=1080,
        height=1080,
        bytes=len(RIGHT),
    )
    assert await place.preparing.blobs.get(f"publishing/{digest}.jpg") == RIGHT
    assert await place.prepare("/right.jpg") == made


async def test_what_is_not_is_made_so_and_told(place: Place) -> None:
    made = await place.prepare("/wide.png")
    assert made.changes == ("converted from png", "padded")
    assert made.blob is not None
    kept = see(await place.preparing.blobs.get(made.blob))
    assert (kept.width, kept.height) == (made.width, made.height) == (1000, 524)
    upright = await place.prepare("/turned.jpg", mode="crop")
    assert (upright.width, upright.height) == (900, 1125)
    assert upright.changes == ("rotated", "metadata removed", "cropped")


async def test_an_uploaded_file_is_taken_from_the_store(place: Place) -> None:
    await place.preparing.blobs.put("uploads/one", picture("webp", 700, 700), content_type="image/webp")
    made = await place.preparing.prepare(Wanted("picture", blob="uploads/one", role="story", text="Grüße"))
    assert made.changes == ("converted from webp", "text drawn")
    with pytest.raises(NotFound, match="upload it again"):
        await place.preparing.prepare(Wanted("picture", blob="uploads/none"))


async def test_the_pictures_of_a_carousel_take_one_ratio(place: Place) -> None:
    made = [
        await place.prepare(path, role="carousel", ratio=0.8) for path in ("/right.jpg", "/wide.png", "/turned.jpg")
    ]
    assert {one.width / one.height for one in made if one.width and one.height} == {0.8}


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("/page", Unfetchable, "web page"),
        ("/none.jpg", Unfetchable, "404"),
        ("/damaged.png", Invalid, "damaged"),
        ("/tiff", Invalid, r"^Invalid image format\. Supported: JPEG, PNG"),
    ],
)
async def test_what_cannot_be_published_says_why(place: Place, path: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        await place.prepare(path)


async def test_a_stored_file_that_is_no_picture_is_refused_in_the_known_sentence(place: Place) -> None:
    await place.preparing.blobs.put("uploads/pdf", b"%PDF-1.7 nothing", content_type="image/jpeg")
    with pytest.raises(Unsupported, match=r"^Invalid image format\. Supported: JPEG, PNG"):
        await place.preparing.prepare(Wanted("picture", blob="uploads/pdf"))


async def test_what_only_we_cannot_see_is_handed_on(place: Place) -> None:
    url = "https://photos.example/a.jpg?signature=s"
    made = await place.preparing.prepare(Wanted("picture", url))
    assert (made.url, made.blob) == (url, None)
    (warning,) = made.warnings
    assert "photos.example" in warning
    assert "signature" not in warning


async def test_a_server_that_instagram_cannot_reach_hands_on_what_is_right_already(place: Place) -> None:
    hidden = replace(place.preparing, base="http://localhost:8000", serves=False)
    place.preparing = hidden
    made = await place.prepare("/right.jpg")
    assert (made.url, made.blob) == (place.here.url("/right.jpg"), None)
    with pytest.raises(
        Unfetchable, match="PUBLIC_URL is http://localhost:8000; Instagram cannot reach it; set PUBLIC_URL"
    ):
        await place.prepare("/wide.png")
    with pytest.raises(Unfetchable, match="text/plain"):
        await place.prepare("/called-text.jpg")
    assert [blob async for blob in hidden.blobs.list()] == []


async def test_what_an_own_copy_mends_is_no_obstacle(place: Place) -> None:
    made = await place.prepare("/called-text.jpg")
    assert made.url.startswith(BASE)


async def test_inspecting_tells_the_same_and_stores_nothing(place: Place) -> None:
    async def inspect(path: str, **more: Any) -> tuple[tuple[str, ...], list[tuple[str, bool]]]:
        report = await place.preparing.inspect(Wanted("picture", place.here.url(path), **more))
        return report.changes, [(each.code, each.blocking) for each in report.findings]

    assert await inspect("/right.jpg") == ((), [])
    assert await inspect("/wide.png") == (("converted from png", "padded"), [])
    assert await inspect("/wide.png", mode="as_is") == ((), [("invalid", True)])
    assert await inspect("/page") == ((), [("html", True)])
    assert await inspect("/damaged.png") == ((), [("invalid", True)])
    assert await inspect("/called-text.jpg") == ((), [("wrong_content_type", False)])
    changes, found = await inspect("/right.jpg", text="ok \u0378")
    assert ("text drawn" in changes, found) == (True, [("characters_left_out", False)])
    assert await inspect("/right.jpg", text="\ue000") == ((), [("invalid", True)])
    place.preparing = replace(place.preparing, base="http://localhost:8000", serves=False)
    assert await inspect("/wide.png") == (("converted from png", "padded"), [("localhost", True)])
    assert [blob async for blob in place.preparing.blobs.list()] == []


async def test_text_is_never_left_out_in_silence(place: Place) -> None:
    url = place.here.url("/right.jpg")
    made = await place.preparing.prepare(Wanted("picture", url, role="story", text="ok 🚀 \ue000"))
    assert made.warnings == (
        "no font on this machine draws some characters of the text, so they were left out: \ue000",
    )
    with pytest.raises(Invalid, match="leave the text out"):
        await place.preparing.prepare(Wanted("picture", url, role="story", text="\ue000"))


async def test_something_has_to_be_given(place: Place) -> None:
    with pytest.raises(Invalid, match="is needed"):
        await place.preparing.prepare(Wanted("picture"))
