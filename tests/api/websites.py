"""Websites that use the picker: an app with its key and secret, and what their pages and servers send."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2

from tests.backends.pictures import picture as drawn
from tests.walks.stage import Member, Stage


def picture(width: int = 60, height: int = 40, form: str = "jpeg") -> bytes:
    """A small picture that decodes."""
    return drawn(form, width, height)


def signed(secret: str, **said: object) -> dict[str, str]:
    """A policy as filestack-python makes it, with its signature."""
    policy = base64.urlsafe_b64encode(json.dumps(said, sort_keys=True).encode()).decode()
    return {"policy": policy, "signature": signature_of(secret, policy)}


def signature_of(secret: str, policy: str) -> str:
    """The signature of a policy's letters."""
    return hmac.new(secret.encode(), policy.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Website:
    """One app, and the member whose workspace it belongs to."""

    stage: Stage
    member: Member
    app_id: str
    key: str
    secret: str = field(repr=False)

    @property
    def http(self) -> httpx2.AsyncClient:
        return self.stage.http

    @property
    def owner(self) -> dict[str, str]:
        """What the owner's programs show."""
        return {"Authorization": f"Bearer {self.member.key}"}

    async def store(
        self, data: bytes, *, location: str = "S3", kind: str = "image/jpeg", **query: object
    ) -> dict[str, Any]:
        """Store bytes as the script of old does, and return the answer."""
        asked: Mapping[str, object] = {"key": self.key, "mimetype": kind, **query}
        answer = await self.http.post(
            f"/api/store/{location}", params=cast("dict[str, str]", asked), content=data, headers={"Content-Type": kind}
        )
        assert answer.status_code == 200, answer.text
        return cast("dict[str, Any]", answer.json())

    async def set(self, **values: object) -> dict[str, Any]:
        """Change the app as its owner."""
        answer = await self.http.patch(f"/api/apps/{self.app_id}", json=values, headers=self.owner)
        assert answer.status_code == 200, answer.text
        return cast("dict[str, Any]", answer.json())

    def policy(self, seconds: float = 3600, **said: object) -> dict[str, str]:
        """A signed policy that lives for so long."""
        return signed(self.secret, expiry=int(self.stage.clock().timestamp() + seconds), **said)

    async def link(self, media_id: str, child_id: str | None = None) -> str:
        """Pick a medium as the dialog does, and return its handle."""
        picking = self.stage.house.picking
        account = await picking.accounts.get(self.member.workspace_id, self.member.account_id)
        app = await picking.apps.by_key(self.key)
        return (await picking.files.link(app, account, media_id, child_id)).handle


async def website(stage: Stage, member: Member | None = None, **settings: object) -> Website:
    """Make an app for somebody who is registered here, through the front door."""
    member = member or await stage.member()
    headers = {"Authorization": f"Bearer {member.key}"}
    answer = await stage.http.post("/api/apps", json={"name": "shop", **settings}, headers=headers)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return Website(stage, member, made["id"], made["key"], made["secret"])
