"""What no HTTP client would send: targets, headers and bodies in raw bytes, on every route that the house has.

The routes and the fields of their bodies are the house's own: a new one is tried without being named here.
"""

import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from tests.api.fuzzing import CASES, NASTY, SEED, complaints, nobody_looked_up
from tests.api.rooms import Room, Route, Things, routes, two_rooms
from tintype.cli.hostility.wire import Place, Said, head
from tintype.settings import DIALECTS

CRASH = "Internal server error"

DEEP = 10_000
# Values as they stand in JSON that Python, databases or clocks read in a way of their own.
VALUES = (
    "1e400", "-1e400", "NaN", "-Infinity", "1" + "0" * 400, "9" * 5000, "9223372036854775808", "-9223372036854775809",
    "2147483648", "0.1e-400", "-0", '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"a\\u0000b"', '"\\u202e"', '""', "[]", "{}",
    "[[]]", '[""]', "[null]", '{"":null}', "null", "true", '"true"', '"' + "x" * 70_000 + '"', "[" * DEEP + "]" * DEEP,
    '{"a":' * DEEP + "1" + "}" * DEEP, '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59+23:59"', '"9999-12-31"', '"24:00"',
    '"https://evil.example/"', '"http://[::1"', '"http://a:99999999/"', '"\\u0130"', '"\\ufeff"',
)  # fmt: skip
WHOLE = (
    b"", b"\0", b"\xff\xfe\xfd", b"\xef\xbb\xbf{}", '{"url": "a"}'.encode("utf-16"), b'{"url": "\xed\xa0\x80"}', b'{"url": "\xff"}',
    b'{"a": 1, "a": 2}', b"[]", b'"a"', b"nul", b"{" * DEEP, b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b"9" * 5000, b"1e400", b"{} {}", b"{}\0", b'{"\\ud800": 1}', b'{"\\u0000": "\\u0000"}',
)  # fmt: skip
TYPES = ("application/json", "application/json", "application/json", "application/json; charset=utf-16", "application/json; charset=undefined",
         "application/ld+json", "text/plain", "multipart/form-data; boundary=x; charset=idna", "multipart/form-data", "multipart/form-data; boundary=" + "b" * 300,
         "application/x-www-form-urlencoded", "image/jpeg", "video/mp4", "text/csv", "application/x-ndjson", "\xff", "a" * 3000, ";;;=,", "*/*")  # fmt: skip
PLACES = ("%", "%zz", "%ff%fe", "%00", "%ED%A0%80", "%2e%2e%2f", "\xff", "a%0d%0ab", "%25", "a;b", "a//b", ".", "..", "%2F", "9" * 400, "x" * 5000, "%E2%82%AC",
          "²", "-1", "0", "1e5", "a+b", "{}", "%7B%7D", "*", "~", "a" * 64, "0" * 32, "00000000-0000-0000-0000-000000000000")  # fmt: skip
HEADERS: Mapping[str, Sequence[str]] = {
    "Authorization": ("Bearer", "Bearer ", "Bearer \xff\xfe", "Basic %%%", "Basic " + "A" * 3000, "bearer " + "e" * 4000,
                      "Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer eyJhbGciOiJIUzI1NiJ9.W10.AA", "Basic //79", "Digest a"),
    "Accept": ("application/problem+json", "text/plain;q=x", "text/plain;q=1e400,*/*", "\xff", ",,,;;q=", "text/html", "a" * 4000),
    "Accept-Encoding": ("gzip;q=NaN", "br;q=-1,*;q=0", "\xff", ",,,"),
    "Accept-Language": ("de-\xff", "a" * 300, ",;q=", "de;q=1e400"),
    "If-None-Match": ('"', "W/", '"\xff"', "*", '"a", "b", ' * 300),
    "If-Match": ('"', "*", "\xff", "0" * 4000, '"a","b"'),
    "If-Modified-Since": ("never", "Thu, 32 Foo 99999 99:99:99 GMT"),
    "Range": ("bytes=-", "bytes=0-" + "9" * 400, "bytes=5-1", "bytes=a-b", "bytes=" + "0-1," * 400, "lines=1-2", "bytes=\xb2-\xb3", "bytes=-" + "9" * 30),
    "If-Range": ('"x"', "\xff", "Thu, 32 Foo 99999 99:99:99 GMT"),
    "Idempotency-Key": ("", "\xff", "k" * 4000, "a b", '"'),
    "Origin": ("null", "\xff", "http://[", "https://a@b:c", "http://" + "a" * 3000, "https://evil.example"),
    "Referer": ("http://[", "\xff"),
    "Cookie": ("tintype=\xff", "tintype=" + "a" * 3000, "__Host-tintype=x; tintype=\"\\377\\400\"", ";=;=", "tintype"),
    "X-Forwarded-For": ("\xff", "1.2.3.4, x", "::1%eth0", "," * 300, "[::1]:80", "999.1.1.1"),
    "X-Forwarded-Host": ("\xff", "evil.example", "["),
    "X-Forwarded-Proto": ("\xff", "javascript"),
    "X-Api-Key": ("\xff", "k" * 4000),
    "X-Sync-Secret": ("\xff",),
    "Upstash-Signature": ("\xff", "a.b.c", "eyJ.e30.\xff"),
    "X-Hub-Signature-256": ("sha256=\xff", "sha256=zz", "x"),
    "Traceparent": ("00-" + "0" * 32 + "-" + "0" * 16 + "-00", "\xff", "00-zz-zz-zz"),
    "Tracestate": ("\xff", "a=b," * 300),
    "Prefer": ("wait=", "respond-async, wait=" + "9" * 300, "\xff", "wait=\xb2"),
    "Last-Event-Id": ("\xff", "9" * 400, "-1", "x", "\xb2"),
    "Sec-Fetch-Site": ("\xff", "cross-site"),
    "Content-Language": ("\xff",),
    "Expect": ("100-continue", "\xff"),
    "Upgrade": ("websocket", "h2c"),
    "Content-Encoding": ("gzip", "br", "\xff"),
    "Host": ("", "\xff", "a" * 3000, "evil.example", "[::1", "a:b:c", "a b", "127.0.0.1:99999999"),
    "X-A": ("a" * 9000,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Aim:
    """A house to be shot at: its routes, the fields of their bodies, and what exists in it."""

    place: Place
    room: Room
    things: Things
    routes: Sequence[Route]
    fields: Mapping[Route, Sequence[str]]

    def path(self, route: Route, draw: Random, *, named: bool) -> str:
        """Return a route's path about what exists, or about what nobody would name."""

        def filled(found: re.Match[str]) -> str:
            name = found[1].partition(":")[0]
            known = self.things.get(_THINGS.get(name, name))
            return known if named and known else draw.choice(PLACES)

        return re.sub(r"\{(.*?)\}", filled, route[1])

    def shown(self, path: str, draw: Random) -> dict[str, str]:
        """Return the headers of somebody who may be let in."""
        kept = {"user": self.room.team.who.access, "token": self.room.token, "dialog": self.things["dialog"]}
        who = draw.choice(("user", "token", "dialog", "nobody"))
        if path.startswith(("/console", "/start", "/signin")) and draw.random() < 0.9:
            who = "browser"
        if who == "browser":
            return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.room.browser.cookies.items())}
        return {"Authorization": f"Bearer {kept[who]}"} if who in kept else {}


_THINGS = {
    "number": "post",
    "post_id": "post",
    "user_id": "colleague",
    "name": "handle",
    "job_id": "job",
    "key": "piece",
}


@pytest.fixture(scope="module")
async def aim(anyio_backend: str) -> AsyncGenerator[Aim]:
    del anyio_backend
    with nobody_looked_up():
        async with two_rooms(scrape_wait_seconds=1, rate_limit_max_requests=0, max_body_bytes=200_000) as (room, _):
            stage = room.team.stage
            found = sorted({route for _, route in routes(stage.house.front) if not route[1].endswith("/stream")})
            fields: dict[Route, Sequence[str]] = {}
            for name in (*DIALECTS, "meta"):
                document = (await stage.http.get(f"/openapi/{name}.json")).json()
                fields |= _fields(document["paths"])
            yield Aim(Place.of(str(stage.http.base_url)), room, await room.things(), found, fields)


def _fields(paths: Mapping[str, Any]) -> dict[Route, Sequence[str]]:
    """Return the names of the fields of every JSON body that a document tells of."""
    found: dict[Route, Sequence[str]] = {}
    for path, methods in paths.items():
        for method, one in methods.items():
            content = one.get("requestBody", {}).get("content", {}).get("application/json", {})
            found[method.upper(), re.sub(r":\w+\}", "}", path)] = sorted(
                content.get("schema", {}).get("properties", {})
            )
    return found


def _body(aim: Aim, route: Route, draw: Random) -> bytes:
    known = aim.fields.get((route[0], re.sub(r":\w+\}", "}", route[1])), ()) or ("url", "name", "apikey")
    if draw.random() < 0.2:
        return draw.choice(WHOLE)
    names = draw.sample(known, draw.randint(1, min(4, len(known))))
    living = [
        json.dumps(value)
        for value in (aim.things["account_id"], int(aim.things["account"]), aim.things["media_id"], aim.things["key"])
    ]
    parts = [
        f"{json.dumps(name)}: {draw.choice((draw.choice(VALUES), draw.choice(VALUES), draw.choice(living), json.dumps(draw.choice(NASTY))))}"
        for name in [*names, *names[:1]]
    ]
    return ("{" + ", ".join(parts) + "}").encode("utf-8", "surrogatepass")


def _trouble(found: Said) -> str:
    if found.status == 0:
        return "no answer"
    if CRASH in found.text or (
        found.status >= 500 and "INTERNAL_ERROR" not in found.text and found.status not in (501, 505)
    ):
        return f"{found.status}: {found.text[:150]}"
    return "shows a traceback" if "Traceback" in found.text[:2000] else ""


async def _shot(aim: Aim, shots: Sequence[tuple[str, bytes]], *, may_hang_up: bool = False) -> None:
    """Send everything, and check that nothing of it ended badly."""
    found: Counter[str] = Counter()
    done: Counter[int] = Counter()
    with complaints() as heard:
        for name, raw in shots:
            answer = await aim.place.send(raw)
            done[answer.status] += 1
            trouble = _trouble(answer)
            if trouble and not (may_hang_up and trouble == "no answer"):
                found[f"{name}: {trouble}"] += 1
    if SEED is not None:
        print(dict(sorted(done.items())))  # noqa: T201 - whoever runs `make fuzz` wants to see how far it came
    assert found == {}
    assert heard == []


def _request(method: str, path: str, host: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    named = {name: value for name, value in headers.items() if name != "Host"}
    if method not in ("GET", "HEAD", "OPTIONS"):
        named["Content-Length"] = str(len(body))
    return (
        head(method, path.encode("utf-8", "surrogatepass").decode("latin-1"), headers.get("Host", host), named) + body
    )


async def test_bodies(aim: Aim) -> None:
    draw, shots = Random(f"bodies {SEED}"), list[tuple[str, bytes]]()
    writing = [route for route in aim.routes if route[0] in ("POST", "PUT", "PATCH", "DELETE")]
    for _ in range(CASES):
        route = draw.choice(writing)
        body, kind = _body(aim, route, draw), draw.choice(TYPES)
        path = aim.path(route, draw, named=draw.random() < 0.8)
        headers = {**aim.shown(path, draw), "Content-Type": kind, "Sec-Fetch-Site": "same-origin"}
        if draw.random() < 0.3:
            path += f"?key={aim.things['key']}&policy={aim.things['policy']}&signature={aim.things['signature']}"
        shots.append(
            (f"{' '.join(route)} {kind[:40]} {body[:300]!r}", _request(route[0], path, aim.place.name, headers, body))
        )
    await _shot(aim, shots)


async def test_targets(aim: Aim) -> None:
    draw, shots = Random(f"targets {SEED}"), list[tuple[str, bytes]]()
    names = sorted({"done", "next", "limit", "after", "account_id", "since", "until", "url", "w", "h", "rotate", "policy", "signature", "key", "month",
                    "format", "status", "code", "state", "maxwidth", "type", "path", "crop", "align", "filter", "cursor", "q"})  # fmt: skip
    for _ in range(CASES):
        route = draw.choice(aim.routes)
        path = aim.path(route, draw, named=draw.random() < 0.5)
        if draw.random() < 0.7:
            said = (f"{draw.choice(names)}={draw.choice((*PLACES, '1', '2026-05'))}" for _ in range(draw.randint(1, 3)))
            path += "?" + "&".join(said)
        if draw.random() < 0.1:
            path = draw.choice(("http://evil.example", "//", "/" * 50, "*", "http://[", "\xff")) + path
        raw = _request(route[0], path, aim.place.name, aim.shown(path, draw), b"{}")
        shots.append((f"{' '.join(route)} {path[:200]!r}", raw))
    await _shot(aim, shots, may_hang_up=True)


async def test_headers(aim: Aim) -> None:
    draw, shots = Random(f"headers {SEED}"), list[tuple[str, bytes]]()
    for _ in range(CASES):
        route = draw.choice(aim.routes)
        named = {name: draw.choice(HEADERS[name]) for name in draw.sample(sorted(HEADERS), draw.randint(1, 3))}
        path = aim.path(route, draw, named=draw.random() < 0.9)
        if route[0] not in ("GET", "OPTIONS"):
            named["Content-Type"] = draw.choice(TYPES)
        raw = _request(route[0], path, aim.place.name, {**aim.shown(path, draw), **named}, b"{}")
        shots.append((f"{' '.join(route)} {str(named)[:300]}", raw))
    await _shot(aim, shots, may_hang_up=True)


# What once ended in a crash, each as it was found.
REFERRERS = ("http://[", "http://\u2100.example/".encode().decode("latin-1"), "//[")
LETTERS = ("idna", "punycode", "undefined", "unicode_escape", "nobody")


@pytest.mark.parametrize("address", REFERRERS)
async def test_a_page_whose_address_is_none(aim: Aim, address: str) -> None:
    shown = aim.shown("/console", Random(0))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    shots = [
        (f"{method} {path}", _request(method, path, aim.place.name, {**shown, **form, name: address}, b"a=b"))
        for name in ("Referer", "Origin", "Host")
        for method, path in (
            ("GET", f"/dialog/open?key={aim.things['key']}"),
            ("GET", "/dialog/folder"),
            ("POST", f"/dialog/connect/{aim.things['dialog_id']}/{aim.things['ticket']}"),
            ("POST", "/share"),
            ("POST", "/signin"),
            ("POST", "/start/enter"),
            ("POST", "/api/queue"),
            ("POST", "/console/me/password"),
        )
    ]
    shots += [
        (f"next={path}", _request("GET", f"/signin?next={path}", aim.place.name, {})) for path in ("//[", "/%09/[")
    ]
    await _shot(aim, shots)


@pytest.mark.parametrize("charset", LETTERS)
async def test_forms_in_letters_that_no_browser_writes(aim: Aim, charset: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="email\\ud800"\r\n\r\n\\ud800-\xff\r\n--x--\r\n'
    kind = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}", "Sec-Fetch-Site": "same-origin"}
    for path in (
        "/signin",
        "/console/recipes",
        "/share",
        "/meta/deauthorize",
        f"/api/store/S3?key={aim.things['key']}",
    ):
        answer = await aim.place.send(
            _request("POST", path, aim.place.name, {**aim.shown(path, Random(0)), **kind}, part)
        )
        assert answer.status == 415, (path, answer.text)


async def test_half_a_character_in_a_picker_body(aim: Aim) -> None:
    kind = {"Content-Type": "application/json"}
    for path in ("/multipart/start", "/prefetch", "/metadata", "/process"):
        for field in ("apikey", "policy", "url", "name"):
            body = f'{{"apikey": "{aim.things["key"]}", "{field}": "\\uD83D"}}'.encode()
            answer = await aim.place.send(_request("POST", path, aim.place.name, kind, body))
            assert 400 <= answer.status < 500 or (path, answer.status) == ("/prefetch", 200), (path, answer.text)


NULLS = ("a\\u0000b", "\\u0000", "\\\\\\u0000")


async def test_the_null_character_names_nothing_and_is_no_text(aim: Aim) -> None:
    shown = {"Authorization": f"Bearer {aim.room.team.who.access}", "Content-Type": "application/json"}
    paths = (
        "/api/queue/a%00", "/scrape/jobs/a%00b", "/media/%00/a.jpg", "/feeds/%00.json", "/api/apps/%00", "/api/webhooks/%00",
        "/openapi/%00.json", "/console/recipes/%00", "/m/%00/a", "/photos?after=%00", "/api/sns/instagram/posts?after=%00",
    )  # fmt: skip
    for path in paths:
        answer = await aim.place.send(_request("GET", path, aim.place.name, shown))
        assert answer.status in (200, 303, 400, 401, 404), (path, answer.text)
    bodies = (
        ("/register", "name"), ("/api/webhooks", "appId"), ("/multipart/start", "apikey"), ("/metadata", "apikey"),
        ("/api/auth/login", "email"), ("/api/auth/workspaces", "name"), ("/api/queue", "url"), ("/api/apps", "name"),
    )  # fmt: skip
    for path, field in bodies:
        for null in NULLS:
            body = f'{{"{field}": "{null}"}}'.encode()
            answer = await aim.place.send(_request("POST", path, aim.place.name, shown, body))
            assert answer.status in (400, 401, 404), (path, answer.text)


async def test_a_quota_that_no_database_holds(aim: Aim) -> None:
    shown = {"Authorization": f"Bearer {aim.room.token}", "Content-Type": "application/json"}
    for field in ("quota_bytes", "quota_files", "quota_derived"):
        body = json.dumps({field: 2**63}).encode()
        raw = _request("PATCH", f"/api/apps/{aim.things['app_id']}", aim.place.name, shown, body)
        answer = await aim.place.send(raw)
        assert answer.status == 400, answer.text


async def test_what_only_looks_like_the_null_character_is_taken(aim: Aim) -> None:
    shown = {"Authorization": f"Bearer {aim.room.team.who.access}", "Content-Type": "application/json"}
    body = b'{"name": "\\\\u0000"}'  # a backslash and five letters
    answer = await aim.place.send(_request("POST", "/api/auth/workspaces", aim.place.name, shown, body))
    assert answer.status == 201, answer.text
