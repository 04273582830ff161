"""What answers and libraries' errors become: one list of signals, and no class of error that nobody thought of."""

import inspect
import json
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instaloader import exceptions as instaloader_errors
from yt_dlp import utils as yt_dlp_utils
from yt_dlp.networking import exceptions as yt_dlp_errors
from yt_dlp.utils import ExtractorError

from tests.instagram.test_model import LIKELY
from tintype.backends.outbound import Answer
from tintype.errors import Kind, Trouble
from tintype.instagram.model import MediaKind
from tintype.instagram.public import MEANINGS, Reason, instaloader, post_from, reason_of, trouble, ytdlp
from tintype.instagram.public.page import ruled
from tintype.instagram.public.signals import reason_in, trouble_in

URL = "https://www.instagram.com/api/graphql"
ITEM: dict[str, object] = {
    "code": "C1",
    "media_type": 1,
    "image_versions2": {"candidates": [{"url": "https://cdn/1.jpg", "width": 10, "height": 10}]},
}


def raised_by(module: ModuleType, base: type[Exception]) -> Iterator[type[Exception]]:
    for _, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, base) and found.__module__.startswith(module.__name__.partition(".")[0]):
            yield found


def test_every_error_of_instaloader_has_its_meaning():
    assert set(instaloader.REASONS) == set(raised_by(instaloader_errors, Exception))


def test_every_error_of_yt_dlp_that_an_extractor_raises_has_its_meaning():
    raised = {*raised_by(yt_dlp_utils, ExtractorError), *raised_by(yt_dlp_errors, yt_dlp_errors.RequestError)}
    assert set(ytdlp.REASONS) == raised


@pytest.mark.parametrize("kind", instaloader.REASONS)
def test_an_error_of_instaloader_is_what_the_table_says(kind: type[Exception]):
    assert reason_of(instaloader.trouble_of(kind("words"), None)) is instaloader.REASONS[kind]


@pytest.mark.parametrize(
    "error", [KeyError("user"), TypeError("x"), AttributeError("x"), AssertionError(), ValueError()]
)
def test_a_slip_of_instaloader_is_an_answer_of_no_use(error: Exception):
    assert reason_of(instaloader.trouble_of(error, None)) is Reason.BAD_UPSTREAM_RESPONSE


def heard(**data: object) -> Answer:
    return Answer(200, {}, json.dumps({"data": data, "status": "ok"}).encode())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (heard(xdt_api__v1__media__shortcode__web_info={"items": []}), Reason.POST_MISSING),
        (heard(some_later_name={"items": []}), Reason.POST_MISSING),
        (heard(xdt_api__v1__media__shortcode__web_info=None), Reason.BAD_UPSTREAM_RESPONSE),
        (Answer(200, {}, b"not json"), Reason.BAD_UPSTREAM_RESPONSE),
        (None, Reason.BAD_UPSTREAM_RESPONSE),
    ],
)
def test_a_post_that_is_not_there_is_told_from_an_answer_of_another_shape(answer: Answer | None, reason: Reason):
    error = instaloader_errors.BadResponseException("Fetching Post metadata failed.")
    assert reason_of(instaloader.trouble_of(error, answer)) is reason


def test_an_own_trouble_passes_through_the_libraries():
    own = trouble(Reason.UPSTREAM_TIMEOUT)
    assert instaloader.trouble_of(own, None) is own
    wrapped = ExtractorError("Unable to download webpage", cause=yt_dlp_errors.TransportError(cause=own))
    assert ytdlp.trouble_of(wrapped, None) is own


def test_an_order_to_stop_counts_whatever_yt_dlp_made_of_it():
    order = trouble(Reason.UPSTREAM_RATE_LIMITED)
    assert ytdlp.trouble_of(ExtractorError("empty media response"), order) is order
    note = trouble(Reason.UPSTREAM_ERROR)
    assert reason_of(ytdlp.trouble_of(ExtractorError("empty media response"), note)) is Reason.POST_MISSING


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ExtractorError("Instagram sent an empty media response.", expected=True), Reason.POST_MISSING),
        (ExtractorError("The webpage request was redirected to the login page", expected=True), Reason.LOGIN_REQUIRED),
        (ExtractorError("only available for registered users who follow this account", expected=True), Reason.PRIVATE),
        (ExtractorError("Restricted Video: You must be 18 years old or over", expected=True), Reason.AGE_RESTRICTED),
        (ExtractorError("Not here: not available in your country", expected=True), Reason.GEO_BLOCKED),
        (ExtractorError("An extractor error has occurred."), Reason.BAD_UPSTREAM_RESPONSE),
        (yt_dlp_errors.TransportError("broken"), Reason.UPSTREAM_UNREACHABLE),
        (KeyError("x"), Reason.BAD_UPSTREAM_RESPONSE),
    ],
)
def test_yt_dlps_words_are_understood(error: Exception, reason: Reason):
    assert reason_of(ytdlp.trouble_of(error, None)) is reason


WAIT = "Please wait a few minutes before you try again."


def fail(status: int, message: str, **more: object) -> Answer:
    return Answer(status, {}, json.dumps({"message": message, "status": "fail", **more}).encode())


def to(location: str, status: int = 302) -> Answer:
    return Answer(status, {"location": location}, b"")


SIGNALS: list[tuple[Answer, Reason | None]] = [
    (Answer(429, {}, b""), Reason.UPSTREAM_RATE_LIMITED),
    (Answer(429, {}, b"<html>slow</html>"), Reason.UPSTREAM_RATE_LIMITED),
    (fail(401, WAIT, require_login=True), Reason.UPSTREAM_RATE_LIMITED),
    (fail(200, WAIT), Reason.UPSTREAM_RATE_LIMITED),
    (Answer(403, {}, f"<p>{WAIT}".encode()), Reason.UPSTREAM_RATE_LIMITED),
    (fail(400, "checkpoint_required"), Reason.CHECKPOINT_REQUIRED),
    (fail(400, "challenge_required"), Reason.CHALLENGE_REQUIRED),
    (fail(400, "feedback_required"), Reason.FEEDBACK_REQUIRED),
    (fail(403, "login_required"), Reason.LOGIN_REQUIRED),
    (fail(200, "something", require_login=True), Reason.LOGIN_REQUIRED),
    (to("https://www.instagram.com/accounts/login/?next=/p/x/"), Reason.LOGIN_REQUIRED),
    (to("/accounts/login/"), Reason.LOGIN_REQUIRED),
    (to("https://i.instagram.com/challenge/?next=/"), Reason.CHECKPOINT_REQUIRED),
    (to("https://evil.example/accounts/login/"), Reason.UNEXPECTED_REDIRECT),
    (to("https://instagram.com.evil.example/"), Reason.UNEXPECTED_REDIRECT),
    (to("https://notinstagram.com/"), Reason.UNEXPECTED_REDIRECT),
    (to("http://127.0.0.1/"), Reason.UNEXPECTED_REDIRECT),
    (to("https://[::1/"), Reason.UNEXPECTED_REDIRECT),
    (to("/p/x/"), None),
    (fail(401, "no"), Reason.LOGIN_REQUIRED),
    (Answer(404, {}, b""), Reason.NOT_FOUND),
    (fail(404, "gone"), Reason.NOT_FOUND),
    (Answer(403, {}, b"<html></html>"), Reason.UPSTREAM_BLOCKED),
    (fail(403, "forbidden"), Reason.BAD_UPSTREAM_RESPONSE),
    (fail(400, "invalid request"), Reason.BAD_UPSTREAM_RESPONSE),
    (Answer(500, {}, b""), Reason.UPSTREAM_ERROR),
    (fail(503, "later"), Reason.UPSTREAM_ERROR),
    (Answer(200, {}, b"<html><form><input name='x'/></form></html>"), Reason.BAD_UPSTREAM_RESPONSE),
    (Answer(200, {}, b'<html><a href="/accounts/login/">Log in</a></html>'), Reason.LOGIN_REQUIRED),
    (Answer(200, {}, b""), Reason.BAD_UPSTREAM_RESPONSE),
    (Answer(200, {}, b'{"data": {"x": '), Reason.BAD_UPSTREAM_RESPONSE),
    (Answer(200, {}, b'{"data": null, "errors": [{"message": "execution error"}]}'), Reason.BAD_UPSTREAM_RESPONSE),
    (Answer(200, {}, b'{"data": {"a": null}, "errors": [{}]}'), Reason.BAD_UPSTREAM_RESPONSE),
    (Answer(200, {}, b'{"data": {"a": {"items": [1]}}, "errors": [{}]}'), None),
    (Answer(200, {}, b'{"data": {"a": null}}'), None),
    (Answer(200, {}, b'{"status": "ok", "items": []}'), None),
]


@pytest.mark.parametrize(("answer", "reason"), SIGNALS)
def test_the_first_signal_decides(answer: Answer, reason: Reason | None):
    assert reason_in(answer, URL, wants_json=True) is reason


def test_a_page_may_say_what_an_answer_may_not():
    page = Answer(200, {}, f"<html>{WAIT} /accounts/login/</html>".encode())
    assert reason_in(page, URL, wants_json=False) is None


def test_a_limit_brings_instagrams_own_figure():
    named = trouble_in(Answer(429, {"retry-after": "77"}, b""), URL, wants_json=True)
    assert named is not None
    assert named.retry_after == 77
    moments = {"retry-after": "Fri, 27 Nov 2026 12:02:00 GMT", "date": "Fri, 27 Nov 2026 12:00:00 GMT"}
    for headers, wait in ((moments, 120), ({"retry-after": "9" * 20}, 30 * 24 * 3600)):
        named = trouble_in(Answer(429, headers, b""), URL, wants_json=True)
        assert named is not None
        assert named.retry_after == wait
    for nonsense in ("soon", "0", "-1", "", moments["retry-after"]):
        usual = trouble_in(Answer(429, {"retry-after": nonsense}, b""), URL, wants_json=True)
        assert usual is not None
        assert usual.retry_after == 900


def test_with_a_session_a_wanted_login_means_that_it_is_over():
    answer = to("/accounts/login/")
    found = trouble_in(answer, URL, wants_json=True, session=True)
    assert found is not None
    assert reason_of(found) is Reason.SESSION_EXPIRED


@given(status=st.integers(200, 599), value=LIKELY, cut=st.integers(0, 300), location=st.text(max_size=30))
def test_any_answer_is_understood(status: int, value: object, cut: int, location: str):
    for body in (json.dumps(value).encode(), json.dumps({"data": value}).encode()[:cut]):
        answer = Answer(status, {"location": location}, body)
        found = trouble_in(answer, URL, wants_json=True)
        assert (found is None) <= (status < 400)


@given(
    value=LIKELY, field=st.sampled_from(["user", "caption", "taken_at", "pk", "video_duration", "product_type", "x"])
)
def test_what_is_not_needed_may_be_anything(value: object, field: str):
    post = post_from({**ITEM, field: value}, "C9", "there")
    assert (post.shortcode, post.media[0].url) == ("C9", "https://cdn/1.jpg")


@given(value=LIKELY, field=st.sampled_from(["media_type", "image_versions2", "carousel_media", "video_versions"]))
def test_an_item_of_any_shape_is_a_post_or_an_answer_of_no_use(value: object, field: str):
    for number in (1, 2, 8):
        try:
            said = bool(post_from({**ITEM, "media_type": number, field: value}, "C9", "there").media)
        except Trouble as refused:
            said = reason_of(refused) is Reason.BAD_UPSTREAM_RESPONSE
        assert said


def test_the_largest_version_counts_wherever_it_stands():
    versions: list[dict[str, object]] = [
        {"url": "small", "width": 10, "height": 10, "bandwidth": 900},
        {"url": "large", "width": 20, "height": 20, "bandwidth": 1},
        {"url": "better", "width": 20, "height": 20, "bandwidth": 2},
        {"url": "", "width": 99, "height": 99},
        {"width": 99, "height": 99},
    ]
    for turned in (versions, versions[::-1]):
        assert post_from({"media_type": 2, "video_versions": turned}, "C", "x").media[0].url == "better"


CLIP = {"url": "https://cdn/1.mp4", "width": 720, "height": 1280}
SHOT = {"url": "https://cdn/1.jpg", "width": 640, "height": 800}


def test_what_yt_dlp_makes_of_a_post_is_one():
    info = {
        "description": "Bread",
        "channel": "jane",
        "uploader": "Jane",
        "timestamp": 1767225600,
        "thumbnails": [SHOT],
    }
    reel = ytdlp.post_from_info({**info, "formats": [CLIP], "duration": 3}, "C1a-_xYz09Q", "yt-dlp")
    assert (reel.kind, reel.caption, reel.owner, reel.owner_name) == (MediaKind.VIDEO, "Bread", "jane", "Jane")
    assert (reel.media[0].url, reel.media[0].poster_url, reel.media[0].seconds) == (CLIP["url"], SHOT["url"], 3)
    shot = ytdlp.post_from_info({**info, "formats": []}, "C1a-_xYz09Q", "yt-dlp")
    assert (shot.kind, shot.media[0].url, shot.media[0].poster_url) == (MediaKind.IMAGE, SHOT["url"], None)
    entries = [{"formats": [CLIP], "thumbnails": [SHOT]}, {"formats": [], "thumbnails": [SHOT]}]
    album = ytdlp.post_from_info({**info, "entries": entries}, "C1a-_xYz09Q", "yt-dlp")
    assert (album.kind, [one.kind for one in album.media]) == (
        MediaKind.CAROUSEL_ALBUM,
        [MediaKind.VIDEO, MediaKind.IMAGE],
    )


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"formats": [], "thumbnails": []},
        {"formats": [], "thumbnails": [SHOT], "duration": 3},  # a clip that has no address
        {"formats": [{**CLIP, "manifest_url": "https://cdn/1.mpd"}], "thumbnails": [SHOT]},  # only its tracks apart
        {"formats": [{"url": ""}], "thumbnails": [SHOT]},
    ],
)
def test_what_yt_dlp_finds_no_file_for_is_of_no_use(info: dict[str, object]):
    with pytest.raises(Trouble) as refused:
        ytdlp.post_from_info(info, "C1a-_xYz09Q", "yt-dlp")
    assert reason_of(refused.value) is Reason.BAD_UPSTREAM_RESPONSE


@pytest.mark.parametrize(
    ("title", "description", "reason"),
    [
        ("Restricted Video", "You must be 18 years old or over to see this video.", Reason.AGE_RESTRICTED),
        ("Not available", "This post is not available in your country.", Reason.GEO_BLOCKED),
        ("Private", "Follow this account to see it.", Reason.PRIVATE),
        ("", "", Reason.PRIVATE),
        ("A page about something", "of message", Reason.PRIVATE),
    ],
)
def test_a_ruling_is_read(title: str, description: str, reason: Reason):
    assert ruled({"title": title, "description": description}) is reason


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_a_sentence_and_a_kind(reason: Reason):
    made = trouble(reason)
    assert made.kind is MEANINGS[reason].kind
    assert reason_of(made) is reason
    assert made.message.endswith(".")
    waits = made.kind in (Kind.UNREACHABLE, Kind.BUSY) and reason is not Reason.BUDGET_EXHAUSTED
    assert (made.retry_after is not None) == waits
    assert reason_of(ValueError()) is None
