"""The library face of seed 3: its examples, word for word where they are code, against the pretend Instagram."""

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

import tintype
from tests.instagram.pretend import Json, Pretend
from tintype import InstagramAPI, InstagramAPIError
from tintype.instagram import client
from tintype.settings import Settings

PICTURE, CLIP = "https://example.com/image.jpg", "https://example.com/tutorial.mp4"
DAY = 24 * 3600
FORBIDDEN_WORDS = ("token", "401", "rate limit")  # programs repeat a post when they read one of these


@pytest.fixture(autouse=True)
def house(pretend: Pretend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything the class needs beside a token comes from the environment."""
    pretend.post("/reset", seed=7, container_seconds=0)
    pretend.post("/people", username="lena", page=True, media=0)
    app = pretend.app("instagram")
    monkeypatch.setenv("INSTAGRAM_ORIGIN", pretend.origin)
    monkeypatch.setenv("INSTAGRAM_APP_ID", str(app["app_id"]))
    monkeypatch.setenv("INSTAGRAM_APP_SECRET", str(app["app_secret"]))
    monkeypatch.setenv("REDIRECT_URI", "http://127.0.0.1/callback")


@pytest.fixture
def token(pretend: Pretend) -> str:
    return pretend.token("lena")


@pytest.fixture
def api(token: str) -> Iterator[InstagramAPI]:
    with InstagramAPI(token) as opened:
        yield opened


def published(pretend: Pretend) -> list[Json]:
    return cast("list[Json]", pretend.levers.get("/_world/published").json())


def asked(pretend: Pretend, ending: str) -> int:
    return sum(str(call["path"]).endswith(ending) for call in pretend.calls())


def test_example_1_account_post_and_insights(pretend: Pretend, token: str):
    api = InstagramAPI(token)
    info = api.get_account_info()
    assert info["username"] == "lena"
    assert info["followers_count"] >= 0
    assert set(info) == {
        "id", "username", "name", "bio", "followers_count", "following_count", "profile_picture_url", "website",
        "account_type",
    }  # fmt: skip
    assert info["account_type"] in ("business", "creator")

    post_id = api.post_feed(PICTURE, "Check out this amazing product!", ["marketing", "#instagood", "##love", " "])
    (post,) = published(pretend)
    assert post["id"] == post_id
    assert post["caption"] == "Check out this amazing product! #marketing #instagood #love"

    insights = api.get_insights(post_id)
    assert set(insights) == {
        "likes", "comments", "shares", "reach", "impressions", "saved", "engagement_rate",
    }  # fmt: skip
    assert all(isinstance(insights[key], int) for key in insights if key != "engagement_rate")
    api.close()


def test_example_2_the_same_post_for_several_accounts(pretend: Pretend):
    for name in ("mia", "tom"):
        pretend.post("/people", username=name, page=True, media=0)
    accounts = {name: pretend.token(name) for name in ("lena", "mia", "tom")}
    pretend.post("/tokens/revoke", access_token=accounts["mia"], subcode=460)
    results: dict[str, str] = {}
    for name, access_token in accounts.items():
        try:
            api = InstagramAPI(access_token)
            results[name] = api.post_feed(PICTURE, "Hello", [])
        except InstagramAPIError as error:
            results[name] = f"failed: {error}"
    assert results["mia"].startswith("failed: Access token expired. Please re-authenticate.")
    assert [one["id"] for one in published(pretend)] == [results["lena"], results["tom"]]


def post_with_auto_refresh(access_token: str, image_url: str, caption: str) -> tuple[str | None, str | None]:
    """The fourth example of the seed, without its database."""
    api = InstagramAPI(access_token)
    try:
        return api.post_feed(image_url, caption), None
    except InstagramAPIError as error:
        if "token" in str(error).lower() or "401" in str(error):
            try:
                new_token = api.refresh_access_token(access_token)
                return InstagramAPI(new_token).post_feed(image_url, caption), None
            except InstagramAPIError as refresh_error:
                return None, f"Token refresh failed: {refresh_error}"
        return None, str(error)


def test_example_4_a_token_is_refreshed_and_the_post_repeated(pretend: Pretend, token: str):
    pretend.post("/clock", advance_seconds=2 * DAY)
    pretend.fault("graph.container", "expired_token")
    post_id, problem = post_with_auto_refresh(token, PICTURE, "Hello")
    assert problem is None
    assert [one["id"] for one in published(pretend)] == [post_id]


def test_example_4_a_dead_token_cannot_be_refreshed(pretend: Pretend, token: str):
    pretend.post("/clock", advance_seconds=61 * DAY)
    post_id, problem = post_with_auto_refresh(token, PICTURE, "Hello")
    assert post_id is None
    assert (problem or "").startswith("Token refresh failed: Access token expired. Please re-authenticate.")
    assert published(pretend) == []


def test_scenario_1_a_rate_limit_is_told_in_the_words_programs_look_for(pretend: Pretend, api: InstagramAPI):
    pretend.fault("graph.container", "rate_limit", code=80002)
    with pytest.raises(InstagramAPIError) as limited:
        api.post_feed(PICTURE)
    error = limited.value
    assert str(error).startswith("Rate limit exceeded. Please try again later. ")
    assert (error.code, error.kind) == (80002, "busy")
    assert error.retry_after
    assert error.action == "wait, it goes on by itself"
    assert error.trace_id
    assert str(InstagramAPIError("Max retries exceeded")) == "Max retries exceeded"


def test_scenario_1_a_budget_that_is_used_up_is_a_rate_limit_too(pretend: Pretend):
    pretend.post("/reset", seed=7, container_seconds=0, app_usage=97)
    pretend.post("/people", username="lena", page=True, media=0)
    with InstagramAPI(pretend.token("lena")) as api:
        api.get_account_info()
        with pytest.raises(InstagramAPIError, match=r"^Rate limit exceeded\. .* was not made") as limited:
            api.post_feed(PICTURE)
    assert (limited.value.code, limited.value.kind) == (None, "busy")
    assert limited.value.retry_after


def test_a_block_is_no_rate_limit_that_a_program_should_wait_out(pretend: Pretend, api: InstagramAPI):
    pretend.fault("graph.container", "rate_limit", code=4, subcode=2207051)
    with pytest.raises(InstagramAPIError, match="suspects spam") as blocked:
        api.post_feed(PICTURE)
    assert not any(word in str(blocked.value).lower() for word in FORBIDDEN_WORDS)
    assert blocked.value.kind == "busy"


def test_scenario_2_an_expired_token_says_so(pretend: Pretend, token: str, api: InstagramAPI):
    pretend.post("/tokens/revoke", access_token=token, subcode=463)
    with pytest.raises(InstagramAPIError, match=r"^Access token expired\. Please re-authenticate\.") as expired:
        api.get_account_info()
    assert (expired.value.code, expired.value.subcode, expired.value.kind) == (190, 463, "reconnect")
    assert expired.value.action == "connect the account again"
    assert token not in str(expired.value)


def test_scenario_3_a_picture_of_a_wrong_format(pretend: Pretend, api: InstagramAPI):
    with pytest.raises(InstagramAPIError, match=r"^Invalid image format\..* use JPEG") as wrong:
        api.post_feed("https://example.com/fail/2207005")
    assert wrong.value.kind == "refused"
    assert published(pretend) == []


def test_a_missing_permission_says_so(pretend: Pretend):
    with (
        InstagramAPI(pretend.token("lena", scopes="instagram_business_basic")) as api,
        pytest.raises(InstagramAPIError, match=r"^Permission denied\. Check account permissions\.") as denied,
    ):
        api.post_feed(PICTURE)
    assert (denied.value.code, denied.value.kind) == (10, "forbidden")


@pytest.mark.parametrize("kind", ["lost", "error_after", "malformed"])
def test_a_lost_answer_gives_one_post_and_its_id(pretend: Pretend, api: InstagramAPI, kind: str):
    pretend.post("/media", username="lena", kind="IMAGE", caption="Hello #world")
    pretend.post("/clock", advance_seconds=60)
    pretend.fault("graph.publish", kind)
    post_id = api.post_feed(PICTURE, "  Hello ", ["world"])
    assert [one["id"] for one in published(pretend)] == [post_id]
    assert asked(pretend, "/media_publish") == 1


def test_a_lost_answer_to_a_story_and_a_reel(pretend: Pretend, api: InstagramAPI):
    pretend.fault("graph.publish", "lost", times=2)
    ids = [api.post_story(PICTURE), api.post_reel(CLIP, "Quick tutorial! #reels", PICTURE)]
    assert [one["id"] for one in published(pretend)] == ids


def test_a_story_is_published_without_its_text_and_says_so(pretend: Pretend, api: InstagramAPI):
    with pytest.warns(UserWarning, match=r"published without its text.*running Tintype") as told:
        stories = [api.post_story(PICTURE, text) for text in ("Back in 5 minutes!", "no caption, so no limit " * 200)]
    assert [one.filename for one in told] == [__file__, __file__]
    stories.append(api.post_story(PICTURE, " "))  # no text, no warning
    assert [one["id"] for one in published(pretend)] == stories


def test_a_block_after_a_post_that_is_live_is_a_success(pretend: Pretend):
    pretend.post("/reset", seed=7, container_seconds=0, spam_shield=True)
    pretend.post("/people", username="lena", page=True, media=0)
    with InstagramAPI(pretend.token("lena")) as api:
        post_id = api.post_feed(PICTURE, "Hello")
    assert [one["id"] for one in published(pretend)] == [post_id]


def test_a_post_that_cannot_be_found_must_not_be_repeated(
    pretend: Pretend, api: InstagramAPI, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tintype.instagram.posting.SETTLING", (0.0, 0.01))
    pretend.fault("graph.publish", "lost")
    pretend.fault("graph.container_status", "html", times=None, after=1)
    with pytest.raises(InstagramAPIError, match="may be live") as lost:
        api.post_feed(PICTURE, "Hello")
    assert lost.value.kind == "unconfirmed"
    assert not any(word in str(lost.value).lower() for word in FORBIDDEN_WORDS)
    assert len(published(pretend)) == 1
    assert asked(pretend, "/media_publish") == 1


def test_a_reel_waits_until_instagram_is_done(pretend: Pretend):
    pretend.post("/reset", seed=7, container_seconds=1)
    pretend.post("/people", username="lena", page=True, media=0)
    with InstagramAPI(pretend.token("lena")) as api:
        started = time.monotonic()
        reel_id = api.post_reel(CLIP, "Tutorial", None)
        assert time.monotonic() - started >= 1
    (reel,) = published(pretend)
    assert (reel["id"], reel["media_product_type"]) == (reel_id, "REELS")


def test_a_video_that_dies_says_of_what(pretend: Pretend, api: InstagramAPI):
    with pytest.raises(InstagramAPIError, match=r"could not process the video.*\(Instagram code 2207085\)") as died:
        api.post_reel("https://example.com/fail/2207085", "Tutorial")
    assert (died.value.subcode, died.value.kind) == (2207085, "refused")
    assert published(pretend) == []


@pytest.mark.parametrize(
    ("image_url", "caption", "complaint"),
    [
        ("", "Hello", "image_url"),
        ("ftp://example.com/a.jpg", "Hello", "image_url"),
        (PICTURE, "x" * 2201, "2200"),
    ],
)
def test_what_instagram_would_refuse_is_not_sent(
    pretend: Pretend, api: InstagramAPI, image_url: str, caption: str, complaint: str
):
    with pytest.raises(InstagramAPIError, match=complaint) as wrong:
        api.post_feed(image_url, caption)
    assert wrong.value.kind == "invalid"
    assert asked(pretend, "/media") == 0


def test_media_come_in_pages_with_the_documented_keys(pretend: Pretend, api: InstagramAPI):
    made = [
        str(pretend.post("/media", username="lena", kind=kind, caption=kind)["id"])
        for kind in ("IMAGE", "REELS", "CAROUSEL_ALBUM")
    ]
    posts, cursor = api.get_media(limit=2)
    rest, end = api.get_media(limit=2, after=cursor)
    assert [post["id"] for post in posts + rest] == made[::-1]
    assert [post["media_type"] for post in posts + rest] == ["CAROUSEL_ALBUM", "REELS", "IMAGE"]
    assert (cursor is not None, end) == (True, None)
    assert set(posts[0]) == {"id", "caption", "media_type", "media_url", "timestamp", "likes", "comments"}
    assert posts[0]["timestamp"].endswith("Z")


def test_a_metric_that_is_refused_leaves_the_others(pretend: Pretend, api: InstagramAPI):
    reel = str(pretend.post("/media", username="lena", kind="REELS", like_count=400)["id"])
    story = str(pretend.post("/media", username="lena", kind="STORY")["id"])
    whole, part = api.get_insights(reel), api.get_insights(story)
    assert whole["likes"] == 400
    engaged = whole["likes"] + whole["comments"] + whole["shares"] + whole["saved"]
    assert whole["engagement_rate"] == round(engaged / whole["reach"] * 100, 2)
    assert (part["likes"], part["comments"], part["saved"]) == (0, 0, 0)  # stories have none of these
    assert part["reach"] > 0
    assert part["impressions"] > 0


def test_without_reach_there_is_no_rate(pretend: Pretend):
    pretend.post("/reset", seed=7, container_seconds=0, insights_delay_hours=48)
    pretend.post("/people", username="lena", page=True, media=0)
    with InstagramAPI(pretend.token("lena")) as api:
        assert api.get_insights(api.post_feed(PICTURE)) == {
            "likes": 0,
            "comments": 0,
            "shares": 0,
            "reach": 0,
            "impressions": 0,
            "saved": 0,
            "engagement_rate": 0.0,
        }


def test_insights_of_nothing_are_an_error(api: InstagramAPI):
    with pytest.raises(InstagramAPIError, match="no such thing") as missing:
        api.get_insights("17892456789123456")
    assert (missing.value.code, missing.value.subcode) == (100, 33)


def said(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of an account: the address of its picture is signed anew each second."""
    return {name: value for name, value in info.items() if name != "profile_picture_url"}


def test_a_code_becomes_a_token(pretend: Pretend):
    app = pretend.app("instagram")
    code = pretend.post("/codes", username="lena", app_id=app["app_id"], redirect_uri="http://127.0.0.1/callback")[
        "code"
    ]
    with InstagramAPI() as api:
        with pytest.raises(InstagramAPIError, match="There is no access token"):
            api.get_account_info()
        token, info = api.authenticate(str(code))
        assert info["username"] == "lena"
        assert api.access_token == token
        assert said(api.get_account_info()) == said(info)
        pretend.post("/clock", advance_seconds=2 * DAY)
        fresh = api.refresh_access_token()
        assert api.access_token == fresh
        assert api.get_account_info()["id"] == info["id"]


def test_without_an_app_a_code_is_of_no_use(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("INSTAGRAM_APP_SECRET")
    with InstagramAPI() as api, pytest.raises(InstagramAPIError, match="app_secret missing"):
        api.authenticate("a code")


def test_options_stand_before_the_environment(pretend: Pretend, token: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("INSTAGRAM_ORIGIN", "http://127.0.0.1:9")
    with InstagramAPI(token, origin=pretend.origin, graph_version="v24.0", app_id="1", redirect_uri="r") as api:
        assert api.get_account_info()["username"] == "lena"
    assert any(str(call["path"]).startswith("/v24.0/") for call in pretend.calls())
    with InstagramAPI(token) as api, pytest.raises(InstagramAPIError, match="connection") as away:
        api.get_account_info()
    assert away.value.kind == "unreachable"
    with pytest.raises(InstagramAPIError):
        InstagramAPI(token, origin="not an address")


def test_one_object_serves_several_threads(pretend: Pretend, api: InstagramAPI):
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(api.post_feed, [PICTURE] * 16, [f"nr {number}" for number in range(16)]))
    assert sorted(ids) == sorted(str(one["id"]) for one in published(pretend))
    assert len(set(ids)) == 16


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "InstagramAPI"}


def test_it_closes_cleanly(token: str):
    before = threads()
    api = InstagramAPI(token)
    api.get_account_info()
    assert len(threads() - before) == 1
    api.close()
    api.close()
    assert not threads() - before
    with pytest.raises(InstagramAPIError, match="closed"):
        api.get_account_info()
    InstagramAPI(token).close()


def test_a_forgotten_one_closes_itself(token: str):
    before = threads()
    InstagramAPI(token).get_account_info()
    gc.collect()
    assert not threads() - before, "those of tests before may end meanwhile"


def test_closing_ends_what_is_still_running(pretend: Pretend, token: str):
    api = InstagramAPI(token)
    pretend.fault("graph.me", "hang")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(api.get_account_info)
        while not pretend.calls():
            time.sleep(0.01)
        api.close()
        with pytest.raises(InstagramAPIError, match="closed while it was working"):
            running.result(timeout=10)


def test_importing_the_package_costs_nothing():
    program = "import sys, tintype; sys.exit(any(n in sys.modules for n in ('httpx2', 'asyncio', 'tintype.instagram')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    with pytest.raises(AttributeError, match="nothing_such"):
        getattr(tintype, "nothing_such")  # noqa: B009 - a type checker knows better


def test_a_program_that_forgets_to_close_ends_quietly(pretend: Pretend, token: str):
    program = "import sys; from tintype import InstagramAPI; api = InstagramAPI(sys.argv[1]); print(api.get_media()[0])"
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, token], check=False, capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")


def test_it_is_found_under_the_seeds_own_name(token: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "backend.services.instagram_api", sys.modules["tintype.instagram.client"])
    assert sys.modules["backend.services.instagram_api"].InstagramAPI is InstagramAPI


def test_the_version_is_that_of_the_service():
    assert Settings.model_fields["instagram_graph_version"].default == client.GRAPH_VERSION
