"""The library as others use it, against the pretend Instagram: both logins, every read, connecting, and trouble."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from tests.instagram.pretend import Pretend
from tintype.errors import Busy, Forbidden, Reconnect, Refused, Unreachable
from tintype.instagram import (
    ALL_SCOPES,
    App,
    Connection,
    Graph,
    Login,
    Media,
    MediaKind,
    MediaProduct,
    calls,
    connect,
    exchange_code,
    expiry_of,
    long_lived,
    refresh,
    revokes,
)

IGL, FBL = Login.INSTAGRAM_LOGIN, Login.FACEBOOK_LOGIN


async def at_once(_: float) -> None:
    """A rest that takes no time."""


LOGINS = pytest.mark.parametrize("login", [IGL, FBL])
BACK = "http://127.0.0.1/instagram-callback"
DAY = 24 * 3600


def app_of(pretend: Pretend, login: Login) -> App:
    app = pretend.app(login.value)
    return App(login, str(app["app_id"]), str(app["app_secret"]))


async def joined(pretend: Pretend, graph: Graph, login: Login, username: str = "lena", **more: object) -> Connection:
    """A new account with the given media, connected by the whole way from a code."""
    pretend.post("/people", username=username, page=True, media=0, **more)
    app = app_of(pretend, login)
    code = pretend.post(
        "/codes", username=username, app_id=app.id, redirect_uri=BACK, scope=",".join(ALL_SCOPES[login])
    )["code"]
    return next(c for c in await connect(graph, app, str(code), BACK) if c.profile.username == username)


def post(pretend: Pretend, kind: str, username: str = "lena", **more: object) -> str:
    return str(pretend.post("/media", username=username, kind=kind, **more)["id"])


@LOGINS
async def test_from_a_code_to_a_profile(pretend: Pretend, graph: Graph, login: Login):
    connection = await joined(pretend, graph, login)
    profile, token = connection.profile, connection.token
    assert (profile.username, profile.media_count) == ("lena", 0)
    assert profile.user_id.isdigit()
    assert profile.followers_count is not None
    if login is IGL:
        assert profile.app_scoped_id not in (None, profile.user_id)
        assert token.scopes >= set(ALL_SCOPES[IGL])
        assert token.expires_at is not None
        assert timedelta(days=59) < token.expires_at - datetime.now(UTC) <= timedelta(days=60)
    else:
        assert connection.page is not None
        assert connection.user_token is not None
        assert (connection.page.instagram_user_id, token.expires_at) == (profile.user_id, None)
        assert "instagram_basic" in token.scopes


@pytest.mark.parametrize("shape", [{"token_shape": "wrapped", "me_shape": "wrapped"}, {"permissions_shape": "string"}])
async def test_every_shape_of_the_answers_connects(pretend: Pretend, graph: Graph, shape: dict[str, object]):
    pretend.post("/reset", seed=7, **shape)
    connection = await joined(pretend, graph, IGL)
    assert connection.profile.username == "lena"
    assert connection.token.scopes >= set(ALL_SCOPES[IGL])


@LOGINS
async def test_a_code_works_once(pretend: Pretend, graph: Graph, login: Login):
    pretend.post("/people", username="lena", page=True)
    app = app_of(pretend, login)
    code = str(pretend.post("/codes", username="lena", app_id=app.id, redirect_uri=BACK)["code"])
    await exchange_code(graph, app, code + "#_", BACK)
    with pytest.raises(Refused, match="start connecting again"):
        await exchange_code(graph, app, code, BACK)


@LOGINS
async def test_another_redirect_address_is_refused(pretend: Pretend, graph: Graph, login: Login):
    pretend.post("/people", username="lena", page=True)
    app = app_of(pretend, login)
    code = str(pretend.post("/codes", username="lena", app_id=app.id, redirect_uri=BACK)["code"])
    with pytest.raises(Refused):
        await exchange_code(graph, app, code, BACK + "/other")


@LOGINS
async def test_refresh_of_a_token_a_day_old(pretend: Pretend, graph: Graph, login: Login):
    connection = await joined(pretend, graph, login)
    token = connection.user_token or connection.token
    pretend.post("/clock", advance_seconds=2 * DAY)
    fresh = await refresh(graph, app_of(pretend, login), token)
    assert fresh.scopes == token.scopes
    assert fresh.expires_at is not None
    pretend.post("/clock", advance_seconds=59 * DAY)
    assert await graph.ask(calls.me() if login is IGL else calls.accounts(), fresh.value)
    with pytest.raises(Reconnect) as refused:
        await graph.ask(calls.me() if login is IGL else calls.accounts(), token.value)
    assert revokes(refused.value)


async def test_a_young_token_is_not_refreshed(pretend: Pretend, graph: Graph):
    connection = await joined(pretend, graph, IGL)
    with pytest.raises((Refused, Forbidden)):
        await refresh(graph, app_of(pretend, IGL), connection.token)


async def test_a_dead_token_is_not_refreshed(pretend: Pretend, graph: Graph):
    connection = await joined(pretend, graph, IGL)
    pretend.post("/clock", advance_seconds=61 * DAY)
    with pytest.raises(Reconnect):
        await refresh(graph, app_of(pretend, IGL), connection.token)


async def test_a_long_token_comes_only_from_a_short_one(pretend: Pretend, graph: Graph):
    pretend.post("/people", username="lena")
    app = app_of(pretend, IGL)
    code = str(pretend.post("/codes", username="lena", app_id=app.id, redirect_uri=BACK)["code"])
    short = await exchange_code(graph, app, code, BACK)
    assert (await long_lived(graph, app, short)).value != short.value
    wrong = replace(app, secret="not-the-secret")
    with pytest.raises((Refused, Unreachable)) as refused:
        await long_lived(graph, wrong, short)
    assert "not-the-secret" not in str(refused.value)
    assert short.value not in str(refused.value)


async def media_of(graph: Graph, connection: Connection, limit: int = calls.PAGE_SIZE) -> list[list[Media]]:
    call = calls.media_page(connection.login, connection.profile.user_id, limit=limit)
    return [list(page.items) async for page in graph.pages(call, connection.token.value)]


@LOGINS
async def test_sixty_media_in_pages(pretend: Pretend, graph: Graph, login: Login):
    connection = await joined(pretend, graph, login)
    made = [post(pretend, "IMAGE", caption=f"number {n} ä 🎈") for n in range(63)]
    pages = await media_of(graph, connection, limit=25)
    assert [len(page) for page in pages] == [25, 25, 13]
    everything = [media for page in pages for media in page]
    assert {media.id for media in everything} == set(made)
    assert [media.timestamp for media in everything] == sorted((m.timestamp for m in everything), reverse=True)
    assert {media.caption for media in everything} == {f"number {n} ä 🎈" for n in range(63)}


@LOGINS
async def test_every_kind_of_media(pretend: Pretend, graph: Graph, login: Login):
    connection = await joined(pretend, graph, login)
    for kind in ("IMAGE", "VIDEO", "REELS", "CAROUSEL_ALBUM"):
        post(pretend, kind, caption=kind)
    (page,) = await media_of(graph, connection)
    found = {media.caption: media for media in page}
    assert {caption: (media.kind, media.product) for caption, media in found.items()} == {
        "IMAGE": (MediaKind.IMAGE, MediaProduct.FEED),
        "VIDEO": (MediaKind.VIDEO, MediaProduct.FEED),
        "REELS": (MediaKind.VIDEO, MediaProduct.REELS),
        "CAROUSEL_ALBUM": (MediaKind.CAROUSEL_ALBUM, MediaProduct.FEED),
    }
    reel, album = found["REELS"], found["CAROUSEL_ALBUM"]
    assert reel.thumbnail_url is not None
    assert len(album.children) >= 2
    assert all(child.media_url for child in album.children)
    for media in page:
        expiry = expiry_of(media.media_url)
        assert expiry is not None
        assert expiry > datetime.now(UTC)
        assert media.username == "lena"
        assert media.permalink is not None
        assert media.shortcode is not None
        assert media.shortcode in media.permalink
    listed = await graph.ask(calls.children(login, album.id), connection.token.value)
    assert [child.id for child in listed.items] == [child.id for child in album.children]


@LOGINS
async def test_one_medium_and_its_fresh_addresses(pretend: Pretend, graph: Graph, login: Login):
    connection = await joined(pretend, graph, login)
    media_id = post(pretend, "REELS", caption="once")
    media = await graph.ask(calls.media_item(login, media_id), connection.token.value)
    urls = await graph.ask(calls.media_urls(login, media_id), connection.token.value)
    assert (media.id, media.caption) == (media_id, "once")
    assert urls.id == media_id
    assert urls.media_url is not None
    assert urls.thumbnail_url is not None


async def test_a_reel_with_flagged_sound_has_no_address(pretend: Pretend, graph: Graph):
    connection = await joined(pretend, graph, IGL)
    media_id = post(pretend, "REELS", no_media_url=True)
    media = await graph.ask(calls.media_item(IGL, media_id), connection.token.value)
    assert media.media_url is None
    assert media.thumbnail_url is not None


@LOGINS
async def test_stories_last_a_day(pretend: Pretend, graph: Graph, login: Login):
    connection = await joined(pretend, graph, login)
    story = post(pretend, "STORY")
    call = calls.stories(login, connection.profile.user_id)
    (found,) = (await graph.ask(call, connection.token.value)).items
    assert (found.id, found.product) == (story, MediaProduct.STORY)
    pretend.post("/clock", advance_seconds=DAY + 1)
    assert (await graph.ask(call, connection.token.value)).items == ()


@LOGINS
async def test_insights_of_a_post_and_of_the_account(pretend: Pretend, graph: Graph, login: Login):
    connection = await joined(pretend, graph, login)
    media_id = post(pretend, "IMAGE", like_count=40)
    numbers = await graph.ask(calls.insights_media(login, media_id, ["reach", "likes"]), connection.token.value)
    assert [metric.name for metric in numbers.metrics] == ["reach", "likes"]
    assert numbers.total("likes") == 40
    until = datetime.now(UTC)
    series = await graph.ask(
        calls.insights_account(
            login, connection.profile.user_id, ["reach"], since=until - timedelta(days=3), until=until
        ),
        connection.token.value,
    )
    (reach,) = series.metrics
    assert reach.points
    assert all(point.end_time is not None for point in reach.points)


async def test_a_retired_metric_is_refused_in_instagrams_words(pretend: Pretend, graph: Graph):
    connection = await joined(pretend, graph, IGL)
    media_id = post(pretend, "IMAGE")
    with pytest.raises(Refused, match=r"Instagram says: .*metric") as refused:
        await graph.ask(calls.insights_media(IGL, media_id, ["plays"]), connection.token.value)
    assert refused.value.code == 100


@LOGINS
async def test_the_publishing_quota(pretend: Pretend, graph: Graph, login: Login):
    connection = await joined(pretend, graph, login)
    quota = await graph.ask(calls.publishing_limit(login, connection.profile.user_id), connection.token.value)
    assert (quota.used, quota.total, quota.window_seconds) == (0, 100, 86400)


@LOGINS
async def test_webhook_subscriptions(pretend: Pretend, graph: Graph, login: Login):
    connection = await joined(pretend, graph, login)
    node = connection.page.id if connection.page else connection.profile.user_id
    token = connection.token.value
    assert await graph.ask(calls.subscribe(login, node, ["comments", "mentions"]), token)
    assert await graph.ask(calls.subscribed_apps(login, node), token) == {"comments", "mentions"}
    assert await graph.ask(calls.unsubscribe(login, node), token)
    assert await graph.ask(calls.subscribed_apps(login, node), token) == frozenset()


async def test_the_app_secret_proof_is_believed(pretend: Pretend, graph: Graph):
    connection = await joined(pretend, graph, FBL)
    app, call = app_of(pretend, FBL), calls.profile(FBL, connection.profile.user_id)
    assert (await graph.using(app).ask(call, connection.token.value)).username == "lena"
    with pytest.raises(Refused):
        await graph.using(replace(app, secret="wrong")).ask(call, connection.token.value)


@pytest.mark.parametrize("subcode", [458, 460, 463, 467])
async def test_a_revoked_token_ends_the_connection(pretend: Pretend, graph: Graph, subcode: int):
    connection = await joined(pretend, graph, IGL)
    pretend.post("/tokens/revoke", access_token=connection.token.value, subcode=subcode)
    with pytest.raises(Reconnect) as refused:
        await graph.ask(calls.me(), connection.token.value)
    assert (refused.value.code, refused.value.subcode, revokes(refused.value)) == (190, subcode, True)


@pytest.mark.parametrize("shown", [463, 0, None])
async def test_an_expired_token_ends_the_connection_whatever_its_subcode(
    pretend: Pretend, graph: Graph, shown: int | None
):
    pretend.post("/reset", seed=7, expired_subcode=shown)
    connection = await joined(pretend, graph, IGL)
    pretend.post("/clock", advance_seconds=61 * DAY)
    with pytest.raises(Reconnect) as refused:
        await graph.ask(calls.me(), connection.token.value)
    assert revokes(refused.value)


async def test_a_token_nobody_issued(pretend: Pretend, graph: Graph):
    with pytest.raises(Reconnect):
        await graph.ask(calls.me(), "IGAAnobody")


@pytest.mark.parametrize("code", [10, 200])
async def test_a_missing_scope_is_a_missing_permission(pretend: Pretend, graph: Graph, code: int):
    pretend.post("/reset", seed=7, missing_scope_code=code)
    pretend.post("/people", username="lena")
    app = app_of(pretend, IGL)
    scope = "instagram_business_basic"
    made = pretend.post("/codes", username="lena", app_id=app.id, redirect_uri=BACK, scope=scope)
    (connection,) = await connect(graph, app, str(made["code"]), BACK)
    media_id = post(pretend, "IMAGE")
    with pytest.raises(Forbidden, match="connect it again"):
        await graph.ask(calls.insights_media(IGL, media_id, ["reach"]), connection.token.value)


@LOGINS
async def test_a_medium_that_is_not_there(pretend: Pretend, graph: Graph, login: Login):
    connection = await joined(pretend, graph, login)
    with pytest.raises(Refused, match="no such thing") as refused:
        await graph.ask(calls.media_item(login, "17999999999999999"), connection.token.value)
    assert (refused.value.code, refused.value.subcode) == (100, 33)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500, "code": 2},
        {"kind": "status", "status": 400, "code": 1},
        {"kind": "status", "status": 503},
        {"kind": "html", "status": 502},
        {"kind": "malformed"},
        {"kind": "reset"},
        {"kind": "lost"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
async def test_two_stumbles_of_a_read_go_unnoticed(pretend: Pretend, graph: Graph, fault: dict[str, object]):
    connection = await joined(pretend, graph, IGL)
    post(pretend, "IMAGE")
    pretend.fault("graph.media", times=2, **cast("dict[str, str]", fault))
    (page,) = await media_of(replace(graph, rest=at_once), connection)
    assert len(page) == 1
    assert [call["path"] for call in pretend.calls()].count(f"/v25.0/{connection.profile.user_id}/media") == 3


async def test_a_lost_subscription_is_not_sent_twice(pretend: Pretend, graph: Graph):
    connection = await joined(pretend, graph, IGL)
    pretend.fault("*", "lost")
    with pytest.raises(Unreachable):
        await graph.ask(calls.subscribe(IGL, connection.profile.user_id, ["comments"]), connection.token.value)
    assert [call["method"] for call in pretend.calls() if "subscribed_apps" in str(call["path"])] == ["POST"]


async def test_silence_ends_with_the_callers_patience(pretend: Pretend, graph: Graph):
    connection = await joined(pretend, graph, IGL)
    pretend.fault("graph.me", "hang")
    with pytest.raises(Unreachable, match="in time"):
        await replace(graph, timeout_seconds=0.3).ask(calls.me(), connection.token.value)


async def test_a_rate_limit_is_told_and_then_kept(pretend: Pretend, graph: Graph):
    connection = await joined(pretend, graph, IGL)
    pretend.fault("graph.me", "rate_limit")
    before = len(pretend.calls())
    for _ in range(3):
        with pytest.raises(Busy) as refused:
            await graph.ask(calls.me(), connection.token.value)
        assert refused.value.retry_after is not None
        assert 1190 <= refused.value.retry_after <= 1200
    assert len(pretend.calls()) == before + 1


@pytest.mark.parametrize("meter", ["business_usage", "app_usage"])
async def test_at_ninety_percent_the_next_call_is_not_made(pretend: Pretend, graph: Graph, meter: str):
    pretend.post("/reset", seed=7, **{meter: 91})
    pretend.post("/people", username="lena")
    token = pretend.token("lena")
    await graph.ask(calls.me(), token)
    before = len(pretend.calls())
    with pytest.raises(Busy):
        await graph.ask(calls.me(), token)
    assert len(pretend.calls()) == before


async def test_no_token_is_ever_in_an_address(pretend: Pretend, graph: Graph):
    pretend.post("/people", username="lena")
    token = pretend.token("lena")
    before = len(pretend.calls())
    for call in (calls.me(), calls.media_page(IGL, "me"), calls.stories(IGL, "me")):
        await graph.ask(call, token)
    made = pretend.calls()[before:]
    assert len(made) == 3
    for call in made:
        assert "fields" in str(call["query"])
        assert "access_token" not in str(call["query"])
