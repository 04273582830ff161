"""Cloudinary's signed calls: ours and those of the official SDK before the same double, and what every refusal means."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import cloudinary.api
import cloudinary.uploader
import cloudinary.utils
import httpx2
import pytest
from cloudinary.exceptions import AuthorizationRequired, BadRequest, NotFound, RateLimited
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.pictures import picture
from tests.doubles.cloudinary import CLOUD, KEY, SECRET, PretendCloudinary, Refusal, pretend_cloudinary
from tintype.backends.cloudinary import Cloudinary, Picture, signature
from tintype.backends.outbound import HttpOutbound
from tintype.errors import Busy, Misconfigured, Refused, Trouble, Unreachable

JPEG = picture("jpeg", 64, 80)

API: Any = cloudinary.api  # none of them carries types
UPLOADER: Any = cloudinary.uploader
UTILS: Any = cloudinary.utils


@pytest.fixture
async def double(anyio_backend: str) -> AsyncGenerator[PretendCloudinary]:
    del anyio_backend
    async with pretend_cloudinary() as (cloud, _):
        yield cloud


@pytest.fixture
async def ours(double: PretendCloudinary) -> AsyncGenerator[Cloudinary]:
    outbound = HttpOutbound(allow=(f"127.0.0.1:{double.port}",))
    yield Cloudinary(outbound, double.url, CLOUD, KEY, SECRET)
    await outbound.close()


async def official(double: PretendCloudinary, call: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """Call the official SDK, which waits, in a thread of its own."""
    known = {"cloud_name": CLOUD, "api_key": KEY, "api_secret": SECRET, "upload_prefix": double.url}
    return await asyncio.to_thread(call, *given, **{**known, **options})


async def fetched(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        return await client.get(url)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), TEXT | st.lists(TEXT, max_size=3), max_size=6), TEXT
)
def test_a_signature_is_that_of_the_official_sdk(params: dict[str, str | list[str]], rest: str) -> None:
    secret = f"s{rest}"
    assert signature(params, secret) == UTILS.api_sign_request(params, secret)


def test_a_value_cannot_pass_for_another_parameter() -> None:
    assert signature({"public_id": "a&tags=b"}, SECRET) != signature({"public_id": "a", "tags": "b"}, SECRET)


async def test_the_official_sdk_works_before_the_double(double: PretendCloudinary) -> None:
    made = await official(double, UPLOADER.upload, JPEG, folder="instagram-media", tags=["a", "b"])
    assert made["public_id"].startswith("instagram-media/")
    assert (made["width"], made["height"], made["format"], made["bytes"]) == (64, 80, "jpg", len(JPEG))
    assert made["signature"] == UTILS.api_sign_request(
        {"public_id": made["public_id"], "version": made["version"]}, SECRET
    )
    assert (await fetched(made["secure_url"])).content == JPEG
    found = await official(double, API.resources_by_tag, "a")
    assert [one["public_id"] for one in found["resources"]] == [made["public_id"]]
    await official(double, UPLOADER.replace_tag, "c", [made["public_id"]])
    assert (await official(double, API.resource, made["public_id"]))["tags"] == ["c"]
    assert (await official(double, UPLOADER.destroy, made["public_id"]))["result"] == "ok"
    assert (await official(double, UPLOADER.destroy, made["public_id"]))["result"] == "not found"
    assert (await fetched(made["secure_url"])).status_code == 404
    with pytest.raises(NotFound):
        await official(double, API.resource, made["public_id"])


async def test_the_double_refuses_the_official_sdk_what_the_real_one_refuses(double: PretendCloudinary) -> None:
    upload = UPLOADER.upload
    with pytest.raises(AuthorizationRequired, match="Invalid Signature"):
        await official(double, upload, JPEG, api_secret="another")
    with pytest.raises(AuthorizationRequired, match="Unknown API key"):
        await official(double, upload, JPEG, api_key="4711")
    with pytest.raises(AuthorizationRequired, match="cloud_name"):
        await official(double, upload, JPEG, cloud_name="another")
    stale = {"timestamp": int(datetime.now(UTC).timestamp()) - 3700}
    with pytest.raises(BadRequest, match="Stale request"):
        await official(double, UPLOADER.call_api, "upload", stale, file=JPEG)
    with pytest.raises(BadRequest, match="Invalid image file"):
        await official(double, upload, b"no picture")
    with pytest.raises(AuthorizationRequired):
        await official(double, API.resource, "any", api_secret="another")
    double.troubles.append(Refusal(420, "Rate Limit Exceeded"))
    with pytest.raises(RateLimited):
        await official(double, upload, JPEG)
    assert double.pictures == {}


async def test_what_we_upload_is_seen_through_the_official_sdk(double: PretendCloudinary, ours: Cloudinary) -> None:
    digest = hashlib.sha256(JPEG).hexdigest()
    url = await ours.upload(f"instagram-media/{digest}", Picture(JPEG, "jpeg"), ["one", "two"])
    seen = await official(double, API.resource, f"instagram-media/{digest}")
    assert (seen["secure_url"], seen["tags"], seen["etag"]) == (url, ["one", "two"], hashlib.md5(JPEG).hexdigest())
    assert (await fetched(url)).content == JPEG
    await ours.tag([f"instagram-media/{digest}"], ["three & four"])
    found = await official(double, API.resources_by_tag, "three & four")
    assert len(found["resources"]) == 1
    await ours.tag([f"instagram-media/{digest}"], [])
    assert (await official(double, API.resource, f"instagram-media/{digest}"))["tags"] == []
    assert await ours.destroy(f"instagram-media/{digest}")
    with pytest.raises(NotFound):
        await official(double, API.resource, f"instagram-media/{digest}")
    assert not await ours.destroy(f"instagram-media/{digest}")


async def test_a_picture_that_is_put_again_lies_there_once(double: PretendCloudinary, ours: Cloudinary) -> None:
    urls = [await ours.upload("instagram-media/1", Picture(JPEG, "jpeg"), [tag]) for tag in ("one", "two")]
    assert list(double.pictures) == ["instagram-media/1"]
    assert double.tagged("two") == {"instagram-media/1"}
    assert [(await fetched(url)).content for url in urls] == [JPEG, JPEG]


async def test_what_lies_there_is_listed_to_its_end(double: PretendCloudinary, ours: Cloudinary) -> None:
    names = [f"instagram-media/{number}" for number in range(5)]
    for name in (*names, "elsewhere/5"):
        await ours.upload(name, Picture(JPEG, "jpeg"), [])
    double.most_listed = 2
    found, cursor = list[str](), None
    while cursor is not None or not found:
        page = await official(double, API.resources, type="upload", prefix="instagram-media/", next_cursor=cursor)
        found += [one["public_id"] for one in page["resources"]]
        cursor = page.get("next_cursor")
    before = double.asked
    assert await ours.listed("instagram-media/") == frozenset(names) == frozenset(found)
    assert double.asked - before == 3
    assert await ours.listed("nowhere/") == frozenset()


async def test_a_list_that_breaks_off_is_none(double: PretendCloudinary, ours: Cloudinary) -> None:
    for number in range(3):
        await ours.upload(f"instagram-media/{number}", Picture(JPEG, "jpeg"), [])
    double.secret = "another"
    with pytest.raises(Misconfigured, match="CLOUDINARY_API_SECRET") as told:
        await ours.listed("instagram-media/")
    assert SECRET not in told.value.message
    double.secret, double.most_listed = SECRET, 1
    double.troubles += [None, Refusal(420, "Rate Limit Exceeded")]
    with pytest.raises(Busy):
        await ours.listed("instagram-media/")
    double.circles = True
    with pytest.raises(Unreachable, match="again and again"):
        await ours.listed("instagram-media/")


REFUSALS: list[tuple[Refusal, type[Trouble], str]] = [
    (Refusal(401, "Invalid Signature 0a1b. String to sign - 'x'."), Misconfigured, "CLOUDINARY_API_SECRET"),
    (Refusal(403, "account is disabled"), Misconfigured, "CLOUDINARY_CLOUD_NAME"),
    (Refusal(404, "Not found"), Misconfigured, "CLOUDINARY_UPLOAD_PREFIX"),
    (Refusal(302, "elsewhere", ("Location: http://127.0.0.1:1/",)), Misconfigured, "CLOUDINARY_UPLOAD_PREFIX"),
    (Refusal(400, "Stale request - reported time is 1"), Misconfigured, "clock"),
    (Refusal(400, "File size too large. Got 20000000."), Refused, "File size too large"),
    (Refusal(420, "Rate Limit Exceeded"), Busy, "wait"),
    (Refusal(429, "Too many"), Busy, "wait"),
    (Refusal(500, "General Error"), Unreachable, "500"),
    (Refusal(503, "away"), Unreachable, "503"),
]


@pytest.mark.parametrize(("no", "kind", "word"), REFUSALS, ids=lambda one: str(getattr(one, "status", "")))
async def test_what_a_refusal_means(
    double: PretendCloudinary, ours: Cloudinary, no: Refusal, kind: type[Trouble], word: str
) -> None:
    double.away = no
    with pytest.raises(kind, match=word) as told:
        await ours.upload("instagram-media/1", Picture(JPEG, "jpeg"), ["one"])
    said = told.value.message
    assert SECRET not in said
    assert KEY not in said
    assert "0a1b" not in said
    double.away = None
    await ours.check()


@pytest.mark.parametrize("seconds", [90, None])
async def test_how_long_it_wants_to_be_left_alone(
    double: PretendCloudinary, ours: Cloudinary, seconds: int | None
) -> None:
    reset = format_datetime(datetime.now(UTC) + timedelta(minutes=40), usegmt=True)
    header = f"Retry-After: {seconds}" if seconds else f"X-FeatureRateLimit-Reset: {reset}"
    double.troubles.append(Refusal(420, "Rate Limit Exceeded", (header,)))
    with pytest.raises(Busy) as told:
        await ours.check()
    assert told.value.retry_after == pytest.approx(seconds or 2400, abs=5)


async def test_the_signature_of_a_wrong_secret_a_wrong_clock_and_a_place_that_may_not_be_called(
    double: PretendCloudinary, ours: Cloudinary
) -> None:
    double.secret = "another"
    with pytest.raises(Misconfigured, match="signature"):
        await ours.check()
    double.secret = SECRET
    late = Cloudinary(ours.outbound, ours.url, CLOUD, KEY, SECRET, clock=lambda: 1_700_000_000)
    with pytest.raises(Misconfigured, match="clock"):
        await late.check()
    guarded = HttpOutbound()
    with pytest.raises(Misconfigured, match="OUTBOUND_ALLOW"):
        await Cloudinary(guarded, ours.url, CLOUD, KEY, SECRET).check()
    await guarded.close()
    assert double.done == []
