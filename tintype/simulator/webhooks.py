"""Meta calling the app: signed webhooks, the verification of a callback, deauthorise and data deletion calls."""

import base64
import hashlib
import hmac
import json
import secrets

import httpx2

from tintype.simulator.arrival import Client
from tintype.simulator.model import Answer, App, Person
from tintype.simulator.world import World

PATIENCE = 10.0  # seconds for the app to answer


def signatures(secret: str, body: bytes) -> dict[str, str]:
    """Both signature headers over the bytes as sent."""
    return {
        "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        "x-hub-signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest(),
    }


def signed_request(secret: str, payload: Answer) -> str:
    """`base64url(signature).base64url(json)` without padding, signed over the encoded JSON."""
    encoded = _base64url(json.dumps(payload, separators=(",", ":")).encode())
    mark = hmac.new(secret.encode(), encoded.encode(), hashlib.sha256).digest()
    return f"{_base64url(mark)}.{encoded}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def event(world: World, person: Person, field: str, value: object, shape: str) -> Answer:
    """The body of a webhook: `changes` by default, `field`/`value` beside the entry's id in the documented flat shape."""
    if field in ("comments", "live_comments") and isinstance(value, dict) and world.settings.comment_id_key != "id":
        value = {("comment_id" if key == "id" else key): inner for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType] - the caller's own JSON
    entry: Answer = {"id": person.user_id, "time": int(world.now())}
    if field == "messages" or field.startswith("message_"):
        entry |= {"time": int(world.now() * 1000), "messaging": [value]}
    elif shape == "flat":
        entry |= {"field": field, "value": value}
    else:
        entry["changes"] = [{"field": field, "value": value}]
    return {"object": "instagram", "entry": [entry]}


async def deliver(world: World, client: Client, app: App, callback: str, body: Answer, *, times: int = 1) -> Answer:
    """Send a webhook `times` over (duplicates), each with retries until a 2xx; tells the statuses that came back."""
    raw = json.dumps(body, separators=(",", ":")).encode()
    headers = {"content-type": "application/json", "user-agent": "Webhooks/1.0"} | signatures(app.app_secret, raw)
    statuses: list[int] = []
    for _ in range(times):
        for _attempt in range(max(1, world.settings.webhook_attempts)):
            statuses.append(await _post(client, callback, raw, headers))
            if 200 <= statuses[-1] < 300:
                break
    return {"delivered": 200 <= statuses[-1] < 300, "statuses": statuses, "callback": callback}


async def verify(world: World, client: Client, callback: str, verify_token: str | None = None) -> Answer:
    """The GET with which Meta checks a callback: it must echo the challenge."""
    challenge = str(secrets.randbelow(10**10))
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": challenge,
        "hub.verify_token": world.settings.verify_token if verify_token is None else verify_token,
    }
    try:
        async with client() as http:
            answer = await http.get(callback, params=query, timeout=PATIENCE)
    except (httpx2.HTTPError, OSError):
        return {"verified": False, "status": 0}
    return {"verified": answer.status_code == 200 and answer.text == challenge, "status": answer.status_code}


async def send_signed(world: World, client: Client, app: App, person: Person, url: str) -> int:
    """Tell the app that a person removed it (or wants their data deleted); the answered status, 0 for none."""
    now = int(world.now())
    user_id = person.scoped_id if app.login == "instagram" else person.facebook_id or person.scoped_id
    payload: Answer = {"algorithm": "HMAC-SHA256", "expires": now + 3600, "issued_at": now, "user_id": user_id}
    body = f"signed_request={signed_request(app.app_secret, payload)}".encode()
    return await _post(client, url, body, {"content-type": "application/x-www-form-urlencoded"})


async def _post(client: Client, url: str, body: bytes, headers: dict[str, str]) -> int:
    try:
        async with client() as http:
            answer = await http.post(url, content=body, headers=headers, timeout=PATIENCE)
    except (httpx2.HTTPError, OSError):
        return 0
    return answer.status_code
