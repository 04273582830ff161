"""Every example of the documentation runs, page by page, against a house before a pretend Instagram.

A page's examples are run in their order, from one folder and in the environment that the pages speak of: `BASE` is the house,
`TOKEN` a workspace's token, `KEY` its feed key. Names of hosts that stand for somebody's own are put in their places.
"""

import asyncio
import json
import os
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests import profile
from tests.api.cooks import CAPTION, posted
from tests.api.marketing import pictures
from tests.house.examples import Example, pages
from tests.instagram.pretend import Pretend, running
from tests.served import Served, served
from tintype.core.access import Grant
from tintype.instagram import Connection, Login, Profile, Token

PAGES = pages()
PATIENCE = 240.0
NOWHERE = "http://127.0.0.1:9"  # for calls that would leave this machine

ADMIN = "admin-of-the-house"
OLD_KEY = b64encode(bytes(range(32))).decode()


def tenant(instagram_id: str, token: str) -> str:
    """A project as the media service of old keeps it: each secret sealed, as base64 of IV, tag and ciphertext."""
    plain = {"instagramAccountId": instagram_id, "instagramAccountSecret": "secret", "instagramAccessToken": token}
    sealed = {name: _sealed(text) for name, text in plain.items()}
    return json.dumps({"name": "my-project", "apiType": "INSTAGRAM_LOGIN", "authToken": "old", **sealed})


def _sealed(text: str) -> str:
    nonce = os.urandom(12)
    found = AESGCM(b64decode(OLD_KEY)).encrypt(nonce, text.encode(), None)
    return b64encode(nonce + found[-16:] + found[:-16]).decode()


# Pages whose examples are run elsewhere, or belong to machines that no test has.
ELSEWHERE: Mapping[str, str] = {
    "dialects/webhooks": "tests/core/webhooks/test_page.py runs them against a real signature",
    "operations/": "they set up a machine, its services and its database servers",
}

# Examples that are shown and not run, by their first lines.
LEFT_OUT: Mapping[str, str] = {
    "make test     # everything, in a few minutes": "what runs this",
    "make run": "tests/cli/test_demo.py starts the demonstration",
    "export PUBLIC_URL=https://your.host": "tests/cli/test_serving.py starts servers",
    "tintype serve": "tests/cli/test_serving.py starts servers",
    "tintype user welcome": "only while nobody is registered, and the pages before have people",
    "tintype doctor            # in the folder of the old .env: names what is wrong": "starts a server",
    "TINTYPE_DATA=/data tintype serve --only scrape --host 0.0.0.0 --port 5633": "tests/cli/test_serving.py starts servers",
    "tintype session add https://www.instagram.com/reel/SHORTCODE/ --cookies cookies.txt": "needs somebody's cookies",
}

# What a page has said before its first example of a language.
PRELUDES: Mapping[tuple[str, str], str] = {
    ("dialects/picker", "python"): "import base64, hmac, json\n\nsecret = 'that of the app'\n",
}

# A refusal ends a shell's example, as a person would stop there.
_SHELL = 'curl() { command curl --fail-with-body -sS "$@"; }\n'


@dataclass(frozen=True, slots=True)
class Desk:
    """The house, and what whoever follows the pages has: an environment, and the true names of what stands in them."""

    door: Served
    environment: Mapping[str, str]  # beside what a page has of its own
    own: Mapping[str, Mapping[str, str]]
    files: Mapping[str, Mapping[str, str]]  # that a page's reader has already
    names: Mapping[str, str]
    workspace_id: str

    def filled(self, code: str) -> str:
        """Return an example with the true names in it."""
        for name, true in self.names.items():
            code = code.replace(name, true)
        return code

    async def clear(self) -> None:
        """Remove the workspaces that a page has made."""
        for one in await self.door.house.access.workspaces():
            if one.id != self.workspace_id:
                await self.door.house.access.remove(one.id)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def desk(anyio_backend: str) -> AsyncIterator[Desk]:
    """A house with one workspace, one connected account, its feed, and a published post."""
    del anyio_backend
    with ExitStack() as stack:
        origin, pretend = stack.enter_context(pictures()), stack.enter_context(running())
        pretend.post("/reset", seed=7, container_seconds=0)
        allowed = origin.removeprefix("http://")
        async with served(pretend=pretend, outbound_allow=allowed, admin_token=ADMIN, rate_limit_per_minute=0) as door:
            yield await _furnished(door, pretend, origin)


async def _furnished(door: Served, pretend: Pretend, origin: str) -> Desk:
    house = door.house
    person = pretend.post("/people", username="corner.bakery", media=2)
    workspace, issued = await house.access.register("The bakery")
    key = await house.access.issue(workspace.id, Grant.FEED)
    token = pretend.token("corner.bakery")
    profile = Profile(str(person["user_id"]), None, "corner.bakery", account_type="BUSINESS")
    connection = Connection(Login.INSTAGRAM_LOGIN, Token(token), profile)
    await house.accounts.keep(workspace.id, connection)
    await house.feed.sync_workspace(workspace.id)
    body = {"account_id": 1, "image_url": f"{origin}/product.jpg", "caption": "Bread"}
    bearer = {"authorization": f"Bearer {issued.secret}"}
    made = await door.client.post("/api/sns/instagram/posts", json=body, headers=bearer)
    assert made.status_code == 201, made.text
    reel, second = await posted(door, CAPTION, "REELS"), await posted(door)
    shop = (await house.picking.apps.create(workspace.id, "Shop")).app
    base = house.settings.address()
    return Desk(
        door,
        _environment(
            door,
            {
                "TOKEN": issued.secret,
                "KEY": key.secret,
                "POST": str(made.json()["db_id"]),
                "INSTAGRAM_TOKEN": token,
                "ADMIN_TOKEN": ADMIN,
            },
        ),
        {
            "moving/instagram-media-service": {"ENCRYPTION_KEY": OLD_KEY},
            "moving/filestack": {"APP_KEY": shop.key, "OLD": origin},
        },
        {
            "moving/instagram-media-service": {"tenants.jsonl": f"{tenant(profile.user_id, token)}\n"},
            "moving/filestack": {"handles.txt": "product.jpg story.jpg\n"},
        },
        {
            "https://your.host": base,
            "https://feeds.example.com": base,
            "https://files.example.com": base,
            "http://127.0.0.1:8000": base,
            "http://127.0.0.1:8001": pretend.origin,
            "https://bakery.example/menu.jpg": f"{origin}/product.jpg",
            "https://bakery.example/clip.mp4": f"{origin}/tutorial.mp4",
            "SHORTCODE": str(reel["shortcode"]),
            "SECOND": str(second["shortcode"]),
        },
        workspace.id,
    )


def _environment(door: Served, more: Mapping[str, str]) -> Mapping[str, str]:
    settings = door.house.settings
    assert settings.instagram_app_secret
    assert settings.instagram_origin
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "HTTP_PROXY": NOWHERE,
        "http_proxy": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1",
        "BASE": settings.address(),
        "USERNAME": "corner.bakery",
        "TINTYPE_DATA": str(settings.data),
        "PORT": str(settings.port),
        "INSTAGRAM_ORIGIN": settings.instagram_origin,
        "INSTAGRAM_APP_ID": str(settings.instagram_app_id),
        "INSTAGRAM_APP_SECRET": settings.instagram_app_secret.get_secret_value(),
        "OUTBOUND_ALLOW": ",".join(settings.outbound_allow),
        **profile.environment(settings.data),
        **more,
    }


def _is_run(page: str) -> bool:
    return not any(page.startswith(name) for name in ELSEWHERE)


@pytest.mark.timeout(900)  # a dozen commands start in some pages, one after the other
@pytest.mark.parametrize("page", [page for page in PAGES if _is_run(page)])
async def test_the_examples_of_a_page_run(desk: Desk, page: str, tmp_path: Path) -> None:
    for name, content in desk.files.get(page, {}).items():
        (tmp_path / name).write_text(content)
    try:
        for example in PAGES[page]:
            if example.is_run:
                await _run(desk, example, tmp_path)
    finally:
        await desk.clear()


async def _run(desk: Desk, example: Example, folder: Path) -> None:
    code = PRELUDES.get((page := example.page, example.language), "") + desk.filled(example.code)
    match example.language:
        case "python":
            command = (sys.executable, "-W", "error", "-c", code)
        case "js":
            command = ("node", "--input-type=module", "-e", code)
        case _:
            command = ("bash", "-euo", "pipefail", "-c", _SHELL + code)
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**desk.environment, **desk.own.get(page, {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        said, _ = await process.communicate()
        pytest.fail(f"docs/{page}.md:{example.line} did not end: {said.decode()[-2000:]}")
    assert process.returncode == 0, f"docs/{page}.md:{example.line}: {said.decode()[-2000:]}"


def test_what_is_not_run_has_its_reason() -> None:
    left_out = {one.first for page in PAGES if _is_run(page) for one in PAGES[page] if not one.is_run}
    assert left_out == set(LEFT_OUT)


def test_the_pages_for_each_user_have_examples() -> None:
    users = {
        "start",
        "how-to/connect",
        "how-to/downloads",
        "how-to/numbers",
        "how-to/publish",
        "how-to/recipes",
        "README",
    }
    assert users <= {page for page, examples in PAGES.items() if any(one.is_run for one in examples)}
