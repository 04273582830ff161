"""Whatever a browser sends to the console's pages: a page or a way on to one of ours, never a crash, never a way elsewhere.

The routes are the house's own, and the names of fields those of its forms: a new page is tried without being named here.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tintype
from tests.api.fuzzing import SEED, SLOW_SECONDS, complaints, enough, nobody_looked_up, seeded, words
from tests.api.rooms import Room, Route, Things, routes, two_rooms
from tests.trust import NOBODY

# The house works in this process too, and its engine's threads draw from `random` for their pauses.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

TEMPLATES = Path(tintype.__file__).parent / "web" / "templates" / "console"
QUERY = ("done", "next", "month", "since", "until", "account", "metric", "page", "after", "before", "state", "event", "q",
         "cursor", "limit", "days", "unit", "said")  # fmt: skip

# A field of a form as its bytes, and the word that a browser would have typed for them.
RAW = (b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"\xc3", b"%", b"%zz", b"%ED%A0%80", b"%00", b"\\ud800", b"\r\n--x")
CHARSETS = (
    "",
    "utf-8",
    "latin-1",
    "utf-16",
    "utf-7",
    "idna",
    "punycode",
    "undefined",
    "unicode_escape",
    "hex",
    "nobody",
)


@dataclass(slots=True)
class Visitor:
    """A signed-in browser, the things it may name, and its way back in when a form has led it out."""

    room: Room
    http: httpx2.Client = field(repr=False)
    things: Things = field(repr=False)
    loop: asyncio.AbstractEventLoop = field(repr=False)
    form_token: str = field(default="", repr=False)

    def send(self, request: httpx2.Request) -> httpx2.Response | None:
        """Send a request, once more where the server had just let go of the connection; None when it says nothing at all."""
        for _ in range(2):
            with suppress(httpx2.TransportError):
                return self.http.send(request)
        return None

    def enter(self) -> None:
        """Come in, as after signing in, unless the cookie is still good: nobody may sign in as often as forms sign out."""
        page = self.http.get("/console/me")
        if page.status_code != 200:
            coming = self.room.team.stage.house.browsing.admit(self.room.team.who.id, "Firefox")
            secret = asyncio.run_coroutine_threadsafe(coming, self.loop).result()
            self.http.cookies = httpx2.Cookies({"tintype": secret})
            page = self.http.get("/console/me")
        self.http.post("/console/workspace", data={"form_token": _token(page.text), "workspace": self.room.id})
        self.form_token = _token(self.http.get("/console/me").text)


def _token(page: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
    assert found, page
    return found[1]


@pytest.fixture(scope="module")
async def visitor(anyio_backend: str) -> AsyncGenerator[Visitor]:
    del anyio_backend
    with nobody_looked_up():
        async with two_rooms(scrape_wait_seconds=1, recipe_parsers="rules") as (room, _):
            with httpx2.Client(base_url=str(room.team.stage.http.base_url), timeout=60, verify=NOBODY) as http:
                one = Visitor(room, http, {**await room.things(), "much": MUCH}, asyncio.get_running_loop())
                await asyncio.to_thread(one.enter)
                yield one


def of_console(room: Room) -> Sequence[Route]:
    found = routes(room.team.stage.house.front)
    return sorted({route for mounted, route in found if mounted.dialect.name == "console"})


FIELDS = sorted(
    {name for page in TEMPLATES.glob("*.html") for name in re.findall(r'name="([a-z_]+)"', page.read_text())}
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as drawn: which route, with what in its path, its query and its form, and how the form is written."""

    route: Route
    fills: Sequence[str]
    is_named: bool
    query: Mapping[str, str]
    form: Mapping[str, str | bytes]
    token: str
    kind: str
    charset: str
    headers: Mapping[str, str]

    def path(self, things: Things) -> str:
        names = iter(self.fills)

        def filled(found: re.Match[str]) -> str:
            made, name = next(names), found[1].partition(":")[0]
            known = things.get(_THINGS.get(name, name))
            return quote(known if self.is_named and known else made, safe="/" if ":path" in found[1] else "")

        return re.sub(r"\{(.*?)\}", filled, self.route[1])


_THINGS = {"post_id": "post", "user_id": "colleague", "key": "piece", "job_id": "job"}


def sendings(found: Sequence[Route]) -> st.SearchStrategy[Sent]:
    living = st.sampled_from(
        ["<account_id>", "<post>", "<media_id>", "<app_id>", "<workspace_id>", "<endpoint_id>", "<piece>", "<much>"]
    )
    values = words | st.sampled_from(RAW) | living
    return st.builds(
        Sent,
        route=st.sampled_from(found),
        fills=st.lists(words, min_size=3, max_size=3),
        is_named=st.sampled_from([True, True, False]),
        query=st.dictionaries(st.sampled_from(QUERY) | words, words, max_size=3),
        form=st.dictionaries(st.sampled_from(FIELDS) | words, values, max_size=12),
        token=st.sampled_from(["right", "right", "right", "wrong", "none", "\u00e9", "\0"]),
        kind=st.sampled_from(["form", "form", "multipart", "multipart", "file", "json", "broken", "text"]),
        charset=st.sampled_from(CHARSETS),
        headers=st.fixed_dictionaries(
            {},
            optional={
                "origin": words.map(_latin),
                "sec-fetch-site": st.sampled_from(["none", "same-origin", "cross-site"]),
            },
        ),
    )


def _latin(word: str) -> str:
    return (
        "".join(one for one in word[:200] if one.isprintable()).encode("latin-1", "replace").decode("latin-1").strip()
    )


def _bytes(value: str | bytes, things: Things) -> bytes:
    if isinstance(value, bytes):
        return value
    name = re.fullmatch(r"<(\w+)>", value)
    return (things.get(name[1], value) if name else value).encode()


MUCH = "a" * 300_000  # more than a field may be


def _body(sent: Sent, one: Visitor) -> tuple[bytes, str]:
    """Return a form as it goes over the wire, and its media type."""
    fields = {name.encode(): _bytes(value, one.things) for name, value in sent.form.items()}
    if sent.token != "none":
        fields[b"form_token"] = (one.form_token if sent.token == "right" else sent.token).encode()
    charset = f"; charset={sent.charset}" if sent.charset else ""
    match sent.kind:
        case "form" | "text":
            pairs = (f"{quote(name)}={quote(value, safe='%')}" for name, value in fields.items())
            kind = "application/x-www-form-urlencoded" if sent.kind == "form" else "text/plain"
            return "&".join(pairs).encode(), kind + charset
        case "json":
            return b'{"form_token": "x", "verb": ["a"]}', "application/json"
        case "broken":
            return (
                b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nhalf',
                "multipart/form-data; boundary=x" + charset,
            )
        case kind:
            file = b'; filename="a\xff.jpg"\r\nContent-Type: image/jpeg' if kind == "file" else b""
            parts = b"".join(
                b'--bound\r\nContent-Disposition: form-data; name="'
                + re.sub(rb'[\r\n"\\]', b"", name)
                + b'"'
                + (b"" if name == b"form_token" else file)
                + b"\r\n\r\n"
                + value
                + b"\r\n"
                for name, value in fields.items()
            )
            return parts + b"--bound--\r\n", "multipart/form-data; boundary=bound" + charset


def request_of(sent: Sent, one: Visitor) -> httpx2.Request | None:
    """Return what was drawn as a request; None where no client can send it."""
    method, _ = sent.route
    given = {} if method == "GET" else dict(zip(("content", "kind"), _body(sent, one), strict=True))
    headers = {"accept": "text/html", **sent.headers}
    if given:
        headers["content-type"] = str(given.pop("kind"))
    try:
        return one.http.build_request(method, sent.path(one.things), params=dict(sent.query), headers=headers, **given)
    except (httpx2.InvalidURL, UnicodeError, ValueError):
        return None


def trouble(answer: httpx2.Response, origins: Sequence[str]) -> str:
    """Return what is wrong with an answer."""
    if answer.status_code >= 500:
        return f"{answer.status_code}: {answer.text[:200]}"
    if "Traceback" in answer.text[:2000]:
        return "shows a traceback"
    to = urlsplit(answer.headers.get("location", "/"))
    if (to.scheme or to.netloc) and f"{to.scheme}://{to.netloc}" not in origins:
        return f"leads to {answer.headers['location'][:100]}"
    if answer.elapsed.total_seconds() > SLOW_SECONDS:
        return f"took more than {SLOW_SECONDS} s"
    return ""


async def test_no_page_or_form_crashes_or_leads_elsewhere(visitor: Visitor) -> None:
    found: Counter[str] = Counter()
    done: Counter[int] = Counter()
    stage = visitor.room.team.stage
    origins = (str(stage.http.base_url).rstrip("/"), stage.pretend.origin)  # people consent at Instagram

    @seeded
    @enough
    @given(sent=sendings(of_console(visitor.room)))
    def ask(sent: Sent) -> None:
        request = request_of(sent, visitor)
        if request is None:
            return
        answer = visitor.send(request)
        if answer is None:
            found[f"{' '.join(sent.route)} no answer"] += 1
            return
        done[answer.status_code] += 1
        if said := trouble(answer, origins):
            found[f"{' '.join(sent.route)} {said}"] += 1
        if answer.headers.get("location", "").startswith("/signin") or "set-cookie" in answer.headers:
            visitor.enter()

    with complaints() as heard:
        await asyncio.to_thread(ask)  # the house answers on this loop
    if SEED is not None:
        print(dict(sorted(done.items())))  # noqa: T201 - whoever runs `make fuzz` wants to see how far it came
    assert found == {}
    assert heard == []


@pytest.mark.parametrize(
    "form",
    [
        {"post_id": "\u00b2"},
        {"post_id": "9" * 5000},
        {"post_id": "9" * 30},
        {"piece": "publishing/a", "piece_name": "a", "piece_alt": "a", "piece_place": "\u00b2"},
        {"product": "reel", "thumb_seconds": "1e400"},
        {"product": "reel", "thumb_seconds": "-1e400"},
        {"product": "reel", "thumb_seconds": "NaN"},
    ],
    ids=str,
)
async def test_numbers_that_are_none_in_the_composer(visitor: Visitor, form: Mapping[str, str]) -> None:
    def ask(path: str) -> httpx2.Response:
        given = {"form_token": visitor.form_token, "account_id": visitor.room.account.id, "caption": "Words", **form}
        return visitor.http.post(path, data={"urls": "https://pictures.example/a.jpg", **given})

    for path in ("/console/publish", "/console/publish/problems"):
        answer = await asyncio.to_thread(ask, path)
        assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("to", ["//[", "/\t/[", "http://[", "/\t/evil.example", "//evil.example", "/\\evil.example"])
async def test_a_way_on_that_is_none_leads_to_the_first_page(visitor: Visitor, to: str) -> None:
    answer = await asyncio.to_thread(lambda: visitor.http.get("/signin", params={"next": to}))
    assert answer.status_code == 200, answer.text
    assert 'value="/console"' in answer.text
