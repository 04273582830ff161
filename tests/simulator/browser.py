"""Somebody at the public web side of the pretend Instagram: a browser's or a downloader's requests, host and tokens included."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2

from tests.simulator.visitor import Visitor
from tintype.simulator.model import Media

WWW, APP = "www.instagram.com", "i.instagram.com"
BY_SHORTCODE, BY_NUMBER, OLDER = "27128499623469141", "27130156389949648", "8845758582119845"
OLDEST = "2b0673e0dc4580674a88d426fe00ea90"
WEB_INFO, POLARIS = "xdt_api__v1__media__shortcode__web_info", "xig_polaris_media"
LSD = re.compile(r'"LSD",\[\],\{[^{}]*"token":"([^"]+)"')
EMBEDDED = re.compile(r"<script\b[^>]+\bdata-sjs>(\{.+?\})</script>")


@dataclass
class Browser:
    """Requests by Host header; `cookies` are a person's session."""

    visitor: Visitor
    cookies: dict[str, str] = field(default_factory=dict[str, str])

    async def get(self, path: str, host: str = WWW, **params: str) -> httpx2.Response:
        """A page or a call, whatever it says."""
        return await self.visitor.http.get(path, params=params or None, headers=self._headers(host))

    async def token(self) -> str:
        """The token that the start page holds for visitors."""
        found = LSD.search((await self.get("/")).text)
        assert found
        return found[1]

    async def ask(
        self, doc_id: str, path: str = "/api/graphql", lsd: str | None = None, **named: str
    ) -> httpx2.Response:
        """A GraphQL query, with a fresh token unless one is given."""
        form = {"doc_id": doc_id, "variables": json.dumps(named), "server_timestamps": "true"}
        form["lsd"] = await self.token() if lsd is None else lsd
        return await self.visitor.http.post(path, data=form, headers=self._headers(WWW))

    async def item(self, shortcode: str) -> dict[str, Any]:
        """The post as today's web app gets it."""
        answer = await self.ask(BY_SHORTCODE, shortcode=shortcode)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"][WEB_INFO]["items"][0]

    def posts(self, username: str, media_type: str) -> list[Media]:
        """Posts of one kind, newest first."""
        return [post for post in self.visitor.simulator.world.posts(username) if post.media_type == media_type]

    def _headers(self, host: str) -> dict[str, str]:
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"host": host} | ({"cookie": pairs} if pairs else {})


async def signed_in(visitor: Visitor, username: str) -> Browser:
    """A browser in which this person has signed in."""
    return Browser(visitor, (await visitor.world("POST", "/sessions", username=username))["cookies"])


def data_in(page: str) -> dict[str, Any]:
    """What a post's page holds, found in the way yt-dlp goes through it."""
    for text in cast("list[str]", EMBEDDED.findall(page)):
        for entry in json.loads(text).get("require", []):
            for inner in entry[3][0]["__bbox"]["require"]:
                if inner[0] == "RelayPrefetchedStreamCache":
                    return inner[3][1]["__bbox"]["result"]["data"]
    raise AssertionError("the page holds no post")
