"""Both logins, step by step, and every way in which they refuse."""

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.simulator.visitor import BAKER, CALLBACK, POTTER, PRIVATE, Visitor

SCOPES = "instagram_business_basic,instagram_business_content_publish"


async def asked(visitor: Visitor, login: str = "instagram", **changes: str) -> dict[str, str]:
    app = await visitor.app(login)
    usual = {
        "client_id": app["app_id"],
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": SCOPES,
        "state": "s 1",
    }
    return usual | changes


async def clicked(visitor: Visitor, query: dict[str, str], path: str = "/oauth/authorize", **form: str) -> str:
    """Where the browser is sent after a button of the consent page."""
    answer = await visitor.http.post(path, params=query, data=form)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def part(location: str, name: str) -> str:
    return parse_qs(urlsplit(location).query)[name][0]


async def redeemed(visitor: Visitor, code: str, /, **changes: str) -> httpx2.Response:
    app = await visitor.app()
    form = {
        "client_id": app["app_id"], "client_secret": app["app_secret"], "grant_type": "authorization_code",
        "redirect_uri": CALLBACK, "code": code,
    }  # fmt: skip
    return await visitor.http.post("/oauth/access_token", data=form | changes)


async def a_code(visitor: Visitor, login: str = "instagram", username: str = BAKER, **more: object) -> str:
    app = await visitor.app(login)
    body = {"username": username, "app_id": app["app_id"], "redirect_uri": CALLBACK, **more}
    return (await visitor.world("POST", "/codes", **body))["code"]


async def test_the_whole_instagram_login(visitor: Visitor) -> None:
    query = await asked(visitor)
    page = await visitor.http.get("/oauth/authorize", params=query)
    assert page.headers["content-type"].startswith("text/html")
    assert all(word in page.text for word in (BAKER, POTTER, "Allow", "Cancel", "instagram_business_content_publish"))
    assert "<script" not in page.text
    location = await clicked(visitor, query, username=BAKER, decision="allow")
    assert location.startswith(f"{CALLBACK}?code=")
    assert location.endswith("#_")
    assert part(location, "state") == "s 1"
    short = (await redeemed(visitor, part(location, "code"))).json()
    assert short["permissions"] == SCOPES.split(",")
    assert short["user_id"] == int(await visitor.user_id(BAKER))
    long = await exchanged(visitor, short["access_token"])
    assert long["token_type"] == "bearer"
    assert long["expires_in"] == pytest.approx(5184000, abs=60)
    me = await visitor.get(long["access_token"], "/v25.0/me", fields="user_id,username,account_type")
    assert me["user_id"] == await visitor.user_id(BAKER)
    assert me["id"] != me["user_id"]
    await visitor.world("POST", "/clock", advance_seconds=25 * 3600)
    fresh = await visitor.http.get("/refresh_access_token", params=refresh(long["access_token"]))
    assert fresh.json()["expires_in"] == pytest.approx(5184000, abs=60)
    assert (await visitor.get(fresh.json()["access_token"], "/me", fields="username"))["username"] == BAKER


async def exchanged(visitor: Visitor, token: str) -> dict[str, Any]:
    app = await visitor.app()
    query = {"grant_type": "ig_exchange_token", "client_secret": app["app_secret"], "access_token": token}
    answer = await visitor.http.get("/access_token", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refresh(token: str) -> dict[str, str]:
    return {"grant_type": "ig_refresh_token", "access_token": token}


async def test_the_hosts_of_instagram_answer_by_their_names(visitor: Visitor) -> None:
    code = await a_code(visitor)
    app = await visitor.app()
    form = {
        "client_id": app["app_id"], "client_secret": app["app_secret"], "grant_type": "authorization_code",
        "redirect_uri": CALLBACK, "code": code,
    }  # fmt: skip
    page = await visitor.http.get(
        "/oauth/authorize", params=await asked(visitor), headers={"host": "www.instagram.com"}
    )
    assert page.status_code == 200
    lost = await visitor.http.post("/oauth/access_token", data=form, headers={"host": "www.instagram.com"})
    assert lost.status_code == 404
    short = await visitor.http.post("/oauth/access_token", data=form, headers={"host": "api.instagram.com"})
    assert short.status_code == 200
    dialog = await visitor.http.get(
        "/v25.0/dialog/oauth", params=await asked(visitor, "facebook", scope=""), headers={"host": "www.facebook.com"}
    )
    assert dialog.status_code == 200


async def test_a_refusal_goes_back_with_the_documented_words(visitor: Visitor) -> None:
    location = await clicked(visitor, await asked(visitor), decision="cancel", username=BAKER)
    assert part(location, "error") == "access_denied"
    assert part(location, "error_reason") == "user_denied"
    assert "error_description=The+user+denied+your+request" in location
    assert part(location, "state") == "s 1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"client_id": "123"}, "Invalid platform app"),
        ({"redirect_uri": "https://elsewhere.example/cb"}, "Invalid redirect_uri"),
        ({"response_type": "token"}, "Invalid response_type"),
        ({"scope": "business_basic"}, "Invalid scope: ['business_basic']"),
    ],
)
async def test_a_wrong_question_never_redirects(visitor: Visitor, change: dict[str, str], message: str) -> None:
    answer = await visitor.http.get("/oauth/authorize", params=await asked(visitor, **change))
    assert answer.status_code == 400
    assert answer.json() == {"error_type": "OAuthException", "code": 400, "error_message": message}


async def test_redirect_addresses_beside_loopback_are_registered_at_reset(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, redirect_uris=["https://app.example/cb"])
    query = await asked(visitor, redirect_uri="https://app.example/cb")
    assert (await clicked(visitor, query, username=BAKER, decision="allow")).startswith("https://app.example/cb?code=")


async def test_only_ticked_permissions_are_granted(visitor: Visitor) -> None:
    form = {"username": BAKER, "decision": "allow", "choosing": "1", "granted": "instagram_business_basic"}
    location = await clicked(visitor, await asked(visitor), **form)
    short = (await redeemed(visitor, part(location, "code"))).json()
    assert short["permissions"] == ["instagram_business_basic"]


async def test_a_code_works_once(visitor: Visitor) -> None:
    code = await a_code(visitor)
    assert (await redeemed(visitor, code)).status_code == 200
    again = await redeemed(visitor, code)
    assert again.status_code == 400
    assert again.json()["error_message"] == "Matching code was not found or was already used"


async def test_a_code_works_for_an_hour(visitor: Visitor) -> None:
    early, late = await a_code(visitor), await a_code(visitor)
    await visitor.world("POST", "/clock", advance_seconds=3590)
    assert (await redeemed(visitor, early)).status_code == 200
    await visitor.world("POST", "/clock", advance_seconds=20)
    assert (await redeemed(visitor, late)).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"client_secret": "wrong"},
        {"redirect_uri": CALLBACK + "/"},
        {"client_id": "1"},
        {"grant_type": "password"},
        {"code": "AQnothing"},
    ],
)
async def test_a_code_needs_all_that_belongs_to_it(visitor: Visitor, change: dict[str, str]) -> None:
    code = await a_code(visitor)
    refused = await redeemed(visitor, code, **change)
    assert refused.status_code == 400
    assert set(refused.json()) == {"error_type", "code", "error_message"}
    assert (await redeemed(visitor, code)).status_code == 200


async def test_a_glued_fragment_is_not_part_of_the_code(visitor: Visitor) -> None:
    assert (await redeemed(visitor, await a_code(visitor) + "#_")).status_code == 400


async def test_a_multipart_form_is_a_form(visitor: Visitor) -> None:
    app = await visitor.app()
    fields = {
        "client_id": app["app_id"], "client_secret": app["app_secret"], "grant_type": "authorization_code",
        "redirect_uri": CALLBACK, "code": await a_code(visitor),
    }  # fmt: skip
    parts = {name: (None, value.encode()) for name, value in fields.items()}
    assert (await visitor.http.post("/oauth/access_token", files=parts)).status_code == 200


async def test_the_documented_token_shape_is_behind_a_switch(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, token_shape="wrapped", me_shape="wrapped")
    short = (await redeemed(visitor, await a_code(visitor))).json()["data"][0]
    assert set(short) == {"access_token", "user_id", "permissions"}
    assert isinstance(short["permissions"], str)
    me = await visitor.get(short["access_token"], "/me", fields="user_id,username")
    assert me["data"][0]["username"] == BAKER


async def test_permissions_may_come_as_text(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, permissions_shape="string")
    code = await a_code(visitor, scope=SCOPES)
    assert (await redeemed(visitor, code)).json()["permissions"] == SCOPES


async def test_a_young_token_is_not_refreshed(visitor: Visitor) -> None:
    young, old = await visitor.token(), await visitor.token(age_seconds=86401)
    refused = await visitor.http.get("/refresh_access_token", params=refresh(young))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 10)
    posted = await visitor.http.post("/v18.0/refresh_access_token", params=refresh(old))
    assert posted.json()["error"]["message"] == "Unsupported request - method type: post"
    assert (await visitor.http.get("/refresh_access_token", params=refresh(old))).status_code == 200
    await visitor.world("POST", "/reset", seed=7, young_refresh_code=100)
    refused = await visitor.http.get("/refresh_access_token", params=refresh(await visitor.token()))
    assert refused.json()["error"]["code"] == 100


async def test_an_expired_token_is_neither_read_with_nor_refreshed(visitor: Visitor) -> None:
    token = await visitor.token(lifetime_seconds=90000)
    await visitor.world("POST", "/clock", advance_seconds=90001)
    for path, params in (("/me", {"access_token": token}), ("/refresh_access_token", refresh(token))):
        answer = await visitor.http.get(path, params=params)
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["code"], error["error_subcode"]) == (190, 463)
        assert error["message"].startswith("Error validating access token: Session has expired on ")


async def test_the_expired_subcode_is_a_switch(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, expired_subcode=None)
    token = await visitor.token(lifetime_seconds=10, age_seconds=20)
    assert "error_subcode" not in await visitor.refused(token, "/me")


@pytest.mark.parametrize(("subcode", "others_die"), [(458, True), (460, True), (467, False)])
async def test_revoking_kills_as_much_as_its_subcode_says(visitor: Visitor, subcode: int, others_die: bool) -> None:
    token, other, stranger = await visitor.token(), await visitor.token(), await visitor.token(POTTER)
    answer = await visitor.pull("POST", "/tokens/revoke", access_token=token, subcode=subcode)
    assert answer.status_code == 204
    assert (await visitor.refused(token, "/me"))["error_subcode"] == subcode
    assert (await visitor.ask(other, "/me")).is_success is not others_die
    assert (await visitor.ask(stranger, "/me")).is_success


async def test_the_short_token_cannot_be_refreshed_and_the_long_one_not_exchanged(visitor: Visitor) -> None:
    app, short, long = await visitor.app(), await visitor.token(kind="short"), await visitor.token()
    refused = await visitor.http.get("/refresh_access_token", params=refresh(short))
    assert refused.json()["error"]["message"] == "Unsupported request - method type: get"
    query = {"grant_type": "ig_exchange_token", "client_secret": app["app_secret"], "access_token": long}
    assert (await visitor.http.get("/access_token", params=query)).status_code == 400
    wrong = query | {"client_secret": "x", "access_token": short}
    assert (await visitor.http.get("/access_token", params=wrong)).status_code == 400


async def facebook(visitor: Visitor, **query: str) -> httpx2.Response:
    app = await visitor.app("facebook")
    known = {"client_id": app["app_id"], "client_secret": app["app_secret"], "redirect_uri": CALLBACK}
    return await visitor.http.get("/v25.0/oauth/access_token", params=known | query)


async def test_the_whole_facebook_login(visitor: Visitor) -> None:
    query = await asked(visitor, "facebook", scope="instagram_basic,pages_show_list,instagram_manage_insights")
    page = await visitor.http.get("/v25.0/dialog/oauth", params=query)
    assert POTTER in page.text
    assert BAKER not in page.text
    form = {"username": POTTER, "decision": "allow", "choosing": "1", "granted": "instagram_basic,pages_show_list"}
    location = await clicked(visitor, query, "/v25.0/dialog/oauth", **form)
    short = (await facebook(visitor, code=part(location, "code"))).json()
    assert short["expires_in"] == pytest.approx(3600, abs=5)
    long = (await facebook(visitor, grant_type="fb_exchange_token", fb_exchange_token=short["access_token"])).json()
    assert long["expires_in"] == pytest.approx(5184000, abs=60)
    token = long["access_token"]
    permissions = await visitor.get(token, "/v25.0/me/permissions")
    assert {"permission": "instagram_manage_insights", "status": "declined"} in permissions["data"]
    fields = "id,name,access_token,tasks,instagram_business_account{id,username,name}"
    pages = (await visitor.get(token, "/v25.0/me/accounts", fields=fields))["data"]
    linked = [page for page in pages if "instagram_business_account" in page]
    assert len(linked) == 1
    assert len(pages) == 2
    account = linked[0]["instagram_business_account"]
    assert account["username"] == POTTER
    page_token = linked[0]["access_token"]
    for one in (token, page_token):
        media = await visitor.get(one, f"/v25.0/{account['id']}/media", fields="id,media_type", limit=3)
        assert len(media["data"]) == 3


async def test_facebook_codes_refuse_with_their_subcodes(visitor: Visitor) -> None:
    code = await a_code(visitor, "facebook", POTTER)
    assert (await facebook(visitor, code=code)).status_code == 200
    used = await facebook(visitor, code=code)
    assert used.json()["error"]["error_subcode"] == 36009
    assert used.headers["www-authenticate"].endswith('"invalid_code" "This authorization code has been used."')
    wrong = await facebook(visitor, code=await a_code(visitor, "facebook", POTTER), redirect_uri="http://127.0.0.1/")
    assert wrong.json()["error"]["error_subcode"] == 36008
    late = await a_code(visitor, "facebook", POTTER)
    await visitor.world("POST", "/clock", advance_seconds=3700)
    assert (await facebook(visitor, code=late)).json()["error"]["error_subcode"] == 36007


async def test_page_tokens_outlive_their_long_parent_and_die_with_the_grant(visitor: Visitor) -> None:
    parent = await visitor.token(POTTER, "facebook")
    page = (await visitor.get(parent, "/me/accounts", fields="access_token"))["data"][0]
    await visitor.world("POST", "/clock", advance_seconds=61 * 86400)
    assert (await visitor.refused(parent, "/me"))["code"] == 190
    assert (await visitor.get(page["access_token"], "/me", fields="name"))["id"] == page["id"]
    await visitor.world("POST", "/tokens/revoke", access_token=parent)
    assert (await visitor.refused(page["access_token"], "/me"))["error_subcode"] == 458


async def test_debug_token_tells_the_living_from_the_dead(visitor: Visitor) -> None:
    app = await visitor.app("facebook")
    token = await visitor.token(POTTER, "facebook")
    asker = f"{app['app_id']}|{app['app_secret']}"
    seen = await visitor.http.get("/debug_token", params={"input_token": token, "access_token": asker})
    assert seen.json()["data"]["is_valid"] is True
    assert seen.json()["data"]["type"] == "USER"
    await visitor.world("POST", "/tokens/revoke", access_token=token)
    seen = await visitor.http.get("/debug_token", params={"input_token": token, "access_token": asker})
    assert seen.status_code == 200
    assert seen.json()["data"]["is_valid"] is False
    assert seen.json()["data"]["error"]["code"] == 190
    page = (await visitor.get(await visitor.token(POTTER, "facebook"), "/me/accounts", fields="access_token"))["data"][
        0
    ]
    seen = await visitor.http.get("/debug_token", params={"input_token": page["access_token"], "access_token": asker})
    assert seen.json()["data"]["expires_at"] == 0


async def test_an_app_token_is_made_from_its_credentials(visitor: Visitor) -> None:
    made = (await facebook(visitor, grant_type="client_credentials")).json()
    assert "expires_in" not in made
    assert (await visitor.refused(made["access_token"], "/me"))["code"] == 2500
    assert (await facebook(visitor, grant_type="client_credentials", client_secret="x")).status_code == 400


async def test_tokens_of_the_other_login_do_not_open_a_host(visitor: Visitor) -> None:
    instagram, meta = await visitor.token(), await visitor.token(POTTER, "facebook")
    assert (await visitor.refused(instagram, "/me", host="graph.facebook.com"))["code"] == 190
    assert (await visitor.refused(meta, "/me", host="graph.instagram.com"))["code"] == 190
    assert (await visitor.ask(instagram, "/me", host="graph.instagram.com")).is_success
    assert (await visitor.ask(meta, "/me", host="graph.facebook.com")).is_success
    assert (await visitor.refused("IGAAnonsense", "/me"))["code"] == 190
    assert (await visitor.refused("", "/me"))["code"] == 2500


async def test_an_appsecret_proof_is_checked_and_may_be_demanded(visitor: Visitor) -> None:
    app, token = await visitor.app(), await visitor.token()
    proof = hmac.new(app["app_secret"].encode(), token.encode(), hashlib.sha256).hexdigest()
    timed = hmac.new(app["app_secret"].encode(), f"{token}|123".encode(), hashlib.sha256).hexdigest()
    assert (await visitor.ask(token, "/me", appsecret_proof=proof)).is_success
    assert (await visitor.ask(token, "/me", appsecret_proof=timed, appsecret_time=123)).is_success
    assert (await visitor.refused(token, "/me", appsecret_proof="0" * 64))["code"] == 100
    await visitor.world("POST", "/reset", seed=7, require_appsecret_proof=True)
    assert (await visitor.refused(await visitor.token(), "/me"))["code"] == 100


@pytest.mark.parametrize(
    ("login", "username", "lacking", "method", "path", "params"),
    [
        ("instagram", BAKER, "instagram_business_basic", "GET", "/me/media", {}),
        (
            "instagram",
            BAKER,
            "instagram_business_manage_insights",
            "GET",
            "/me/insights",
            {"metric": "reach", "period": "day"},
        ),
        (
            "instagram",
            BAKER,
            "instagram_business_content_publish",
            "POST",
            "/me/media",
            {"image_url": "https://p.example/a.jpg"},
        ),
        ("instagram", BAKER, "instagram_business_content_publish", "GET", "/me/content_publishing_limit", {}),
        ("instagram", BAKER, "instagram_business_manage_comments", "GET", "/me/media", {"fields": "comments"}),
        ("facebook", POTTER, "instagram_basic", "GET", "/{id}/media", {}),
        (
            "facebook",
            POTTER,
            "instagram_manage_insights",
            "GET",
            "/{id}",
            {"fields": "business_discovery.username(x){id}"},
        ),
    ],
)
async def test_scopes_are_enforced(
    visitor: Visitor, login: str, username: str, lacking: str, method: str, path: str, params: dict[str, str]
) -> None:
    full = await visitor.token(username, login)
    path = path.format(id=await visitor.user_id(username))
    scopes = [
        "instagram_business_basic", "instagram_business_manage_insights", "instagram_business_content_publish",
        "instagram_business_manage_comments", "instagram_basic", "pages_show_list", "instagram_manage_insights",
    ]  # fmt: skip
    without = ",".join(scope for scope in scopes if scope != lacking)
    token = await visitor.token(username, login, scopes=without)
    assert (await visitor.refused(token, path, method=method, **params))["code"] == 10
    whole = await visitor.ask(full, path, method=method, **params)
    assert whole.is_success or whole.json()["error"]["code"] == 110


async def test_a_personal_account_may_log_in_but_shows_no_media(visitor: Visitor) -> None:
    token = await visitor.token(PRIVATE)
    assert (await visitor.get(token, "/me", fields="account_type"))["account_type"] == "PERSONAL"
    assert (await visitor.refused(token, "/me/media"))["code"] == 10
    assert (await visitor.refused(token, "/me/stories"))["code"] == 10
