"""Connecting by hand: the authorise address, both shapes of the token answer, where secrets go, signed requests."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.instagram.script import Script, answer, refusal
from tintype.backends.outbound import Answer
from tintype.errors import Invalid, Reconnect, Refused, Trouble, Unauthorized, Unreachable
from tintype.instagram import (
    ALL_SCOPES,
    READ_SCOPES,
    App,
    Graph,
    Login,
    ShortToken,
    Token,
    authorize_url,
    calls,
    connect,
    exchange_code,
    long_lived,
    parse_signed_request,
    refresh,
    revokes,
)

IGL, FBL = Login.INSTAGRAM_LOGIN, Login.FACEBOOK_LOGIN
INSTAGRAM = App(IGL, "990602627938098", "instagram-secret")
FACEBOOK = App(FBL, "77", "facebook-secret")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
BACK = "https://feed.example/instagram-callback"
LONG = answer({"access_token": "IGAAlong", "token_type": "bearer", "expires_in": 5183944})


def graph_of(*lines: Answer | Trouble) -> tuple[Graph, Script]:
    script = Script(list(lines))
    return Graph(script, "v25.0", 10, now=lambda: NOW), script


def test_the_authorise_address_of_instagram_login():
    url = urlsplit(authorize_url(IGL, "990602627938098", BACK + "?x=1&y=ü", "st/+=", READ_SCOPES[IGL], "v25.0"))
    assert (url.scheme, url.netloc, url.path) == ("https", "www.instagram.com", "/oauth/authorize")
    assert parse_qs(url.query) == {
        "client_id": ["990602627938098"],
        "redirect_uri": [BACK + "?x=1&y=ü"],
        "response_type": ["code"],
        "scope": ["instagram_business_basic"],
        "state": ["st/+="],
    }


def test_the_authorise_address_of_facebook_login():
    url = urlsplit(authorize_url(FBL, "77", BACK, "s", READ_SCOPES[FBL], "v25.0"))
    assert (url.netloc, url.path) == ("www.facebook.com", "/v25.0/dialog/oauth")
    assert parse_qs(url.query)["scope"] == ["instagram_basic,pages_show_list,pages_read_engagement"]


def test_reauthentication_can_be_forced_where_it_exists():
    asked = parse_qs(urlsplit(authorize_url(IGL, "1", BACK, "s", ["a"], "v25.0", force_reauth=True)).query)
    assert asked["force_reauth"] == ["true"]


def test_no_dead_scope_is_asked_for():
    dead = {"user_profile", "user_media", "business_basic", "business_content_publish", "business_manage_comments"}
    assert all(not dead & set(scopes) for scopes in ALL_SCOPES.values())
    assert all(name.startswith("instagram_business_") for name in ALL_SCOPES[IGL])


@pytest.mark.parametrize(
    "sent",
    [
        {"access_token": "IGAA", "user_id": 17841405793187218, "permissions": ["a_b", "c"]},
        {"access_token": "IGAA", "user_id": "17841405793187218", "permissions": "a_b,c"},
        {"data": [{"access_token": "IGAA", "user_id": "17841405793187218", "permissions": "a_b, c"}]},
    ],
    ids=["flat, number", "flat, text", "wrapped"],
)
async def test_both_shapes_of_the_short_token(sent: object):
    graph, script = graph_of(answer(sent))
    short = await exchange_code(graph, INSTAGRAM, " AQBcode#_", BACK)
    assert short == ShortToken("IGAA", "17841405793187218", frozenset({"a_b", "c"}))
    assert "IGAA" not in repr(short)
    (request,) = script.asked
    assert (request.method, request.url) == ("POST", "https://api.instagram.com/oauth/access_token")
    assert request.query == {}
    assert request.form == {
        "client_id": INSTAGRAM.id,
        "client_secret": "instagram-secret",
        "grant_type": "authorization_code",
        "redirect_uri": BACK,
        "code": "AQBcode",
    }


async def test_facebooks_code_goes_to_the_versioned_host():
    graph, script = graph_of(answer({"access_token": "EAA", "token_type": "bearer", "expires_in": 5000}))
    assert await exchange_code(graph, FACEBOOK, "code", BACK) == ShortToken("EAA")
    assert (script.asked[0].method, script.asked[0].url) == (
        "POST",
        "https://graph.facebook.com/v25.0/oauth/access_token",
    )


@pytest.mark.parametrize("code", ["", "  ", "#_"])
async def test_no_code_is_the_callers_mistake(code: str):
    graph, script = graph_of()
    with pytest.raises(Invalid):
        await exchange_code(graph, INSTAGRAM, code, BACK)
    assert not script.asked


@pytest.mark.parametrize(
    "line",
    [
        answer({"error_type": "OAuthException", "code": 400, "error_message": "Matching code was not found"}, 400),
        refusal(100, 36009),
    ],
)
async def test_a_used_code_is_refused_once_and_for_all(line: Answer):
    graph, script = graph_of(line)
    with pytest.raises(Refused, match="start connecting again"):
        await exchange_code(graph, INSTAGRAM, "AQBcode", BACK)
    assert len(script.asked) == 1


async def test_a_code_is_never_sent_twice():
    graph, script = graph_of(Unreachable("no answer"))
    with pytest.raises(Unreachable):
        await exchange_code(graph, INSTAGRAM, "AQBcode", BACK)
    assert len(script.asked) == 1


@pytest.mark.parametrize("sent", [{}, {"access_token": ""}, {"access_token": 5}, {"data": []}, [], None])
async def test_an_answer_without_a_token_is_unusable(sent: object):
    graph, _ = graph_of(answer(sent))
    with pytest.raises(Unreachable):
        await exchange_code(graph, INSTAGRAM, "AQBcode", BACK)


async def test_the_long_token_keeps_scopes_and_counts_its_life_from_now():
    graph, script = graph_of(LONG)
    token = await long_lived(graph, INSTAGRAM, ShortToken("IGAAshort", "1", frozenset({"a"})))
    assert token == Token("IGAAlong", NOW + timedelta(seconds=5183944), frozenset({"a"}))
    (request,) = script.asked
    assert (request.method, request.url) == ("GET", "https://graph.instagram.com/access_token")
    assert request.query == {
        "grant_type": "ig_exchange_token",
        "client_secret": "instagram-secret",
        "access_token": "IGAAshort",
    }


async def test_refresh_of_instagram_login_needs_no_secret():
    graph, script = graph_of(answer({"access_token": "IGAAnew", "expires_in": "5184000", "permissions": "a,b"}))
    token = await refresh(graph, INSTAGRAM, Token("IGAAold", NOW, frozenset({"a"})))
    assert token == Token("IGAAnew", NOW + timedelta(days=60), frozenset({"a", "b"}))
    assert script.asked[0].url == "https://graph.instagram.com/refresh_access_token"
    assert script.asked[0].query == {"grant_type": "ig_refresh_token", "access_token": "IGAAold"}


@pytest.mark.parametrize("action", ["long_lived", "refresh"])
async def test_facebook_login_exchanges_in_both_cases(action: str):
    graph, script = graph_of(answer({"access_token": "EAAnew", "expires_in": 5183944}))
    if action == "refresh":
        token = await refresh(graph, FACEBOOK, Token("EAAold"))
    else:
        token = await long_lived(graph, FACEBOOK, ShortToken("EAAold"))
    assert token.value == "EAAnew"
    assert script.asked[0].url == "https://graph.facebook.com/v25.0/oauth/access_token"
    assert script.asked[0].query == {
        "grant_type": "fb_exchange_token",
        "client_id": "77",
        "client_secret": "facebook-secret",
        "fb_exchange_token": "EAAold",
    }


@pytest.mark.parametrize("life", [None, 0, -5, "soon", 10**30])
async def test_a_life_that_cannot_be_is_no_expiry(life: object):
    graph, _ = graph_of(answer({"access_token": "EAAnew", "expires_in": life}))
    assert (await refresh(graph, FACEBOOK, Token("EAAold"))).expires_at is None


async def test_a_dead_token_cannot_be_refreshed():
    graph, script = graph_of(refusal(190, 463, message="Error validating access token: IGAAold has expired"))
    with pytest.raises(Reconnect) as refused:
        await refresh(graph, INSTAGRAM, Token("IGAAold"))
    assert revokes(refused.value)
    assert "IGAAold" not in str(refused.value)
    assert len(script.asked) == 1


async def test_no_secret_of_an_exchange_is_quoted():
    graph, _ = graph_of(refusal(100, message="bad instagram-secret or xyzzy"))
    with pytest.raises(Refused) as refused:
        await long_lived(graph, INSTAGRAM, ShortToken("xyzzy"))
    assert "instagram-secret" not in str(refused.value)
    assert "xyzzy" not in str(refused.value)


async def test_facebook_without_a_linked_account_says_what_to_do():
    graph, _ = graph_of(
        answer({"access_token": "EAA"}),
        answer({"access_token": "EAAlong", "expires_in": 5183944}),
        answer({"data": [{"permission": "instagram_basic", "status": "granted"}]}),
        answer({"data": [{"id": "1", "name": "blabla", "access_token": "EAAP"}]}),
    )
    with pytest.raises(Refused, match="linked to a professional"):
        await connect(graph, FACEBOOK, "code", BACK)


async def test_only_granted_permissions_are_scopes():
    rows = [
        {"permission": "instagram_basic", "status": "granted"},
        {"permission": "instagram_content_publish", "status": "declined"},
        {"permission": None, "status": "granted"},
    ]
    graph, _ = graph_of(answer({"data": rows}))
    assert await graph.ask(calls.permissions(), "EAA") == {"instagram_basic"}


PAYLOAD = {"algorithm": "HMAC-SHA256", "expires": 1291840400, "issued_at": 1291836800, "user_id": "218471"}


def unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed_request(payload: object, secret: str) -> str:
    body = unpadded(json.dumps(payload).encode())
    return f"{unpadded(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest())}.{body}"


def test_a_signed_request_by_either_secret():
    for secret in ("one", "two"):
        assert parse_signed_request(signed_request(PAYLOAD, secret), ["one", "two"]) == PAYLOAD


@pytest.mark.parametrize("secrets", [[], ["other"], [""]])
def test_a_signed_request_by_somebody_else(secrets: list[str]):
    value = signed_request(PAYLOAD, "" if secrets == [""] else "one")
    with pytest.raises(Unauthorized):
        parse_signed_request(value, secrets)


def test_a_changed_payload_is_noticed():
    signature = signed_request(PAYLOAD, "one").partition(".")[0]
    with pytest.raises(Unauthorized):
        parse_signed_request(f"{signature}.{unpadded(json.dumps({**PAYLOAD, 'user_id': '1'}).encode())}", ["one"])


@pytest.mark.parametrize("payload", [{**PAYLOAD, "algorithm": "none"}, {}, [], 5, "text"])
def test_a_payload_of_another_kind(payload: object):
    with pytest.raises(Invalid):
        parse_signed_request(signed_request(payload, "one"), ["one"])


@pytest.mark.parametrize("value", ["", ".", "a.b", "no-dot", "é.é", "AAAA.", ".AAAA", "!!!!.AAAA"])
def test_no_signed_request_at_all(value: str):
    with pytest.raises(Invalid):
        parse_signed_request(value, ["one"])


@given(st.text(max_size=60))
def test_any_text_is_refused_in_peace(value: str):
    with pytest.raises((Invalid, Unauthorized)):
        parse_signed_request(value, ["one"])
