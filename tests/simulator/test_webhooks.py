"""Meta calling the app: signed, in every shape, again until it is heard."""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.simulator.visitor import BAKER, POTTER, Visitor

CALLBACK = "http://127.0.0.1:9999/webhooks"
COMMENT = {
    "id": "178",
    "text": "hé",
    "from": {"id": "1", "username": "a"},
    "media": {"id": "2", "media_product_type": "FEED"},
}


@pytest.fixture
async def secret(visitor: Visitor) -> str:
    await visitor.world("POST", "/reset", seed=7, webhook_url=CALLBACK, deauthorize_url=CALLBACK + "/gone")
    return (await visitor.app())["app_secret"]


async def test_a_webhook_is_signed_twice_over_its_bytes(visitor: Visitor, secret: str) -> None:
    said = await visitor.world("POST", "/webhooks", field="comments", username=BAKER, value=COMMENT)
    assert said == {"delivered": True, "statuses": [200], "callback": CALLBACK}
    ((method, path, headers, body),) = visitor.listener.heard
    assert (method, path, headers["content-type"]) == ("POST", "/webhooks", "application/json")
    sha256 = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    sha1 = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    assert headers["x-hub-signature-256"] == f"sha256={sha256}"
    assert headers["x-hub-signature"] == f"sha1={sha1}"
    assert body.isascii()
    sent = json.loads(body)
    assert sent["object"] == "instagram"
    (entry,) = sent["entry"]
    assert entry["id"] == await visitor.user_id(BAKER)
    assert entry["changes"] == [{"field": "comments", "value": COMMENT}]


async def sent(visitor: Visitor, field: str, value: object, **more: object) -> dict[str, Any]:
    await visitor.world("POST", "/webhooks", field=field, username=BAKER, value=value, **more)
    return json.loads(visitor.listener.heard[-1][3])["entry"][0]


async def test_the_other_shapes_are_behind_switches(visitor: Visitor) -> None:
    settings = {"seed": 7, "webhook_url": CALLBACK, "webhook_shape": "flat", "comment_id_key": "comment_id"}
    await visitor.world("POST", "/reset", **settings)
    entry = await sent(visitor, "comments", COMMENT)
    assert entry["field"] == "comments"
    assert entry["value"]["comment_id"] == "178"
    assert "id" not in entry["value"]
    assert "changes" in await sent(visitor, "comments", COMMENT, shape="changes")
    message = {"sender": {"id": "1"}, "message": {"mid": "m", "text": "hi"}}
    entry = await sent(visitor, "messages", message)
    assert entry["messaging"] == [message]
    assert entry["time"] > 1_000_000_000_000


async def test_it_is_sent_again_until_it_is_heard(visitor: Visitor, secret: str) -> None:
    visitor.listener.status = 503
    said = await visitor.world("POST", "/webhooks", field="mentions", username=BAKER, value={"media_id": "1"})
    assert (said["delivered"], said["statuses"]) == (False, [503, 503, 503])
    visitor.listener.status = 200
    said = await visitor.world("POST", "/webhooks", field="mentions", username=BAKER, value={}, times=2)
    assert said["statuses"] == [200, 200]
    bodies = [body for _, _, _, body in visitor.listener.heard[-2:]]
    assert bodies[0] == bodies[1]


async def test_the_app_that_the_person_uses_signs(visitor: Visitor, secret: str) -> None:
    await visitor.token(POTTER, "facebook")
    await visitor.world("POST", "/webhooks", field="comments", username=POTTER, value=COMMENT)
    (_, _, headers, body) = visitor.listener.heard[-1]
    other = (await visitor.app("facebook"))["app_secret"]
    assert headers["x-hub-signature-256"].endswith(hmac.new(other.encode(), body, hashlib.sha256).hexdigest())


@pytest.mark.parametrize(("echo", "verified"), [("tintype", True), ("another", False)])
async def test_a_callback_is_verified_by_its_echo(visitor: Visitor, secret: str, echo: str, verified: bool) -> None:
    visitor.listener.echo = echo
    assert (await visitor.world("POST", "/webhooks/verify"))["verified"] is verified


def opened(body: bytes, secret: str) -> dict[str, Any]:
    """The payload of a signed request whose signature is right."""
    mark, _, payload = parse_qs(body.decode())["signed_request"][0].partition(".")
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)) == expected
    assert "=" not in mark + payload
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


async def test_removing_the_app_tells_it(visitor: Visitor, secret: str) -> None:
    token = await visitor.token(BAKER)
    me = await visitor.get(token, "/me", fields="id")
    await visitor.pull("POST", "/tokens/revoke", access_token=token, subcode=467)
    assert visitor.listener.heard == []
    await visitor.pull("POST", "/tokens/revoke", access_token=await visitor.token(BAKER))
    ((_, path, _, body),) = visitor.listener.heard
    assert path == "/webhooks/gone"
    payload = opened(body, secret)
    assert set(payload) == {"algorithm", "expires", "issued_at", "user_id"}
    assert (payload["algorithm"], payload["user_id"]) == ("HMAC-SHA256", me["id"])


async def test_a_wish_for_deletion_is_signed_too(visitor: Visitor, secret: str) -> None:
    said = await visitor.world("POST", "/deletion", username=BAKER, callback=CALLBACK + "/delete")
    assert said == {"status": 200}
    assert opened(visitor.listener.heard[-1][3], secret)["algorithm"] == "HMAC-SHA256"


async def test_subscriptions_are_kept_per_app_and_account(visitor: Visitor) -> None:
    token, app = await visitor.token(), await visitor.app()
    assert await visitor.post(token, "/me/subscribed_apps", subscribed_fields="comments,messages") == {"success": True}
    listed = await visitor.get(token, "/me/subscribed_apps")
    assert listed["data"] == [{"app_id": app["app_id"], "subscribed_fields": ["comments", "messages"]}]
    assert (await visitor.get(await visitor.token(POTTER), "/me/subscribed_apps")) == {"data": []}
    assert (await visitor.ask(token, "/me/subscribed_apps", method="DELETE")).json() == {"success": True}
    assert await visitor.get(token, "/me/subscribed_apps") == {"data": []}
    assert (await visitor.refused(token, "/me/subscribed_apps", method="POST"))["code"] == 100
