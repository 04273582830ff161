"""Magic shortcodes: each does what its line of the table says, over a real connection where connections matter."""

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import httpx2
import pytest

from tests.instagram.pretend import Pretend, running
from tests.simulator.browser import BY_SHORTCODE, LSD, POLARIS, WEB_INFO, data_in
from tests.simulator.visitor import BAKER
from tintype.simulator import MAGIC, Magic, ids
from tintype.simulator.deliveries import AWAY, LOOPBACK

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "simulator.md"
LOOKUPS = {  # trouble -> status of GraphQL's answer, and a piece of it
    "404": (404, "Media not found"),
    "checkpoint": (400, '"checkpoint_required"'),
    "challenge": (400, '"challenge_required"'),
    "feedback": (400, '"feedback_required"'),
    "wait-401": (401, "Please wait a few minutes"),
    "wait-200": (200, "Please wait a few minutes"),
    "403": (403, "<!DOCTYPE html>"),
    "429": (429, "Please wait a few minutes"),
    "500": (500, "<!DOCTYPE html>"),
    "503": (503, "<!DOCTYPE html>"),
    "login-page": (200, "Login"),
    "302-login": (302, ""),
    "302-challenge": (302, ""),
    "302-away": (302, ""),
    "null": (200, f'{{"data":{{"{WEB_INFO}":null}}}}'),
    "errors": (200, '"data":null'),
    "badquery": (400, "invalid request"),
    "empty": (200, ""),
}
CUT = (httpx2.ReadError, httpx2.RemoteProtocolError)


@pytest.fixture(scope="module")
def pretend() -> Generator[Pretend]:
    with running() as one:
        yield one


@pytest.fixture(autouse=True)
def fresh(pretend: Pretend) -> None:
    """Whoever was hit is forgotten."""
    pretend.levers.delete("/_world/faults").raise_for_status()


def token(pretend: Pretend) -> str:
    found = LSD.search(pretend.levers.get("/").text)
    assert found
    return found[1]


def ask(pretend: Pretend, shortcode: str, lsd: str | None = None) -> httpx2.Response:
    form = {"doc_id": BY_SHORTCODE, "variables": json.dumps({"shortcode": shortcode}), "lsd": lsd or token(pretend)}
    return pretend.levers.post("/api/graphql", data=form)


def page(pretend: Pretend, shortcode: str) -> httpx2.Response:
    return pretend.levers.get(f"/reel/{shortcode}/")


def item(pretend: Pretend, shortcode: str) -> dict[str, Any]:
    answer = ask(pretend, shortcode)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"][WEB_INFO]["items"][0]


def clip(pretend: Pretend, shortcode: str) -> str:
    return str(item(pretend, shortcode)["video_versions"][0]["url"])


def magics(place: str, *, but: tuple[str, ...] = ()) -> list[Magic]:
    return [magic for magic in MAGIC.values() if magic.place == place and magic.trouble not in but]


def named(magic: object) -> str:
    return magic.shortcode if isinstance(magic, Magic) else str(magic)


def test_every_line_of_the_table_that_instagram_can_play_has_a_code() -> None:
    assert {magic.row for magic in MAGIC.values()} == set(range(1, 46))  # 46 is the downloader's own full disk


def test_codes_lead_to_numbers_and_back_and_lie_in_the_past() -> None:
    for code in MAGIC:
        assert re.fullmatch(r"[A-Za-z0-9_-]{3,10}", code)
        assert ids.shortcode_of(ids.pk_of(code)) == code
        assert ids.moment_of(ids.pk_of(code)) < 1_500_000_000


def test_every_code_is_documented_with_its_status() -> None:
    text = DOCUMENTATION.read_text()
    lines = [f"| `{one.shortcode}` | {one.happens} | {one.status} {one.code}".rstrip() for one in MAGIC.values()]
    assert [line for line in lines if f"{line} |" not in text] == []


def test_the_control_plane_lists_them(pretend: Pretend) -> None:
    listed = cast("list[dict[str, object]]", pretend.levers.get("/_world/magic").json())
    assert [one["shortcode"] for one in listed] == list(MAGIC)
    assert {"row", "happens", "status", "code"} <= listed[0].keys()


def test_the_graph_api_does_not_know_them(pretend: Pretend) -> None:
    people = cast("list[dict[str, object]]", pretend.get("")["people"])
    assert BAKER in {one["username"] for one in people}
    assert "magic.posts" not in {one["username"] for one in people}


@pytest.mark.parametrize("magic", magics("standing"), ids=named)
def test_posts_that_may_not_be_seen_have_no_items(pretend: Pretend, magic: Magic) -> None:
    assert ask(pretend, magic.shortcode).json()["data"] == {WEB_INFO: {"items": []}}
    there = page(pretend, magic.shortcode)
    assert there.status_code == (404 if magic.trouble == "gone" else 200)
    assert POLARIS not in there.text


@pytest.mark.parametrize("magic", magics("lookup", but=("cut-json", "gzip", "reset", "close", "hang")), ids=named)
def test_look_ups_are_refused_as_the_table_says(pretend: Pretend, magic: Magic) -> None:
    status, piece = LOOKUPS[magic.trouble]
    for turn in range(2):
        answer = ask(pretend, magic.shortcode)
        if magic.once and turn:
            assert answer.json()["data"][WEB_INFO]["items"]
        else:
            assert answer.status_code == status
            assert piece in answer.text
            assert "items" not in answer.text
    assert (POLARIS in page(pretend, magic.shortcode).text) == (magic.once or not magic.everywhere)


@pytest.mark.parametrize(
    ("code", "start"),
    [("x-302login", "/accounts/login/"), ("x-302chall", "/challenge/"), ("x-302away", "https://login.example/")],
)
def test_redirects_lead_where_the_table_says(pretend: Pretend, code: str, start: str) -> None:
    for answer in (ask(pretend, code), page(pretend, code)):
        assert answer.headers["location"].removeprefix(pretend.origin).startswith(start)


def test_half_an_answer_is_no_json(pretend: Pretend) -> None:
    for code, whole in (("x-cut-json", True), ("z-cut-json", False)):
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            ask(pretend, code).json()
        assert page(pretend, code).text.rstrip().endswith("</html>") == whole


def test_a_body_that_says_gzip_cannot_be_read(pretend: Pretend) -> None:
    with pytest.raises(httpx2.DecodingError):
        ask(pretend, "x-gzip")


@pytest.mark.parametrize("code", ["x-reset", "x-close"])
def test_connections_end_without_an_answer(pretend: Pretend, code: str) -> None:
    lsd = token(pretend)
    with pytest.raises(CUT):
        ask(pretend, code, lsd)
    with pytest.raises(CUT):
        page(pretend, code)


def test_no_answer_ever(pretend: Pretend) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        pretend.levers.get("/reel/x-hang/", timeout=httpx2.Timeout(30, read=0.3))


@pytest.mark.parametrize("magic", magics("item"), ids=named)
def test_items_lack_what_the_table_says(pretend: Pretend, magic: Magic) -> None:
    spoilt = ask(pretend, magic.shortcode).json()["data"][WEB_INFO]["items"][0]
    paged = data_in(page(pretend, magic.shortcode).text)[POLARIS]["if_not_gated_logged_out"]
    assert _lacks(spoilt, magic.trouble)
    assert _lacks(paged, magic.trouble) == magic.everywhere


def _lacks(shown: dict[str, Any], trouble: str) -> bool:
    return {
        "type": shown["media_type"] not in (1, 2, 8),
        "noclip": not shown["video_versions"],
        "other": shown["code"] not in MAGIC,
        "nouser": "user" not in shown,
        "nopk": "pk" not in shown,
        "caption": "text" not in shown["caption"],
    }[trouble]


@pytest.mark.parametrize("magic", magics("start", but=("stale", "no-tokens", "close")), ids=named)
def test_the_start_page_goes_wrong_after_a_look_up_asked_for_it(pretend: Pretend, magic: Magic) -> None:
    answer = ask(pretend, magic.shortcode)
    assert (answer.status_code, answer.json()["status"]) == (400, "fail")
    status = 302 if magic.trouble == "302-challenge" else int(magic.trouble)
    assert pretend.levers.get("/").status_code == status
    assert pretend.levers.get("/").status_code == 200
    assert page(pretend, magic.shortcode).status_code == status


def test_a_start_page_that_closes_and_one_without_tokens(pretend: Pretend) -> None:
    assert ask(pretend, "s-refused").status_code == 400
    with pytest.raises(CUT):
        pretend.levers.get("/")
    assert ask(pretend, "s-notokens").status_code == 400
    bare = pretend.levers.get("/")
    assert bare.status_code == 200
    assert not LSD.search(bare.text)
    assert POLARIS in page(pretend, "s-notokens").text


def test_a_start_page_that_nobody_asks_for_again_goes_well_a_minute_later(pretend: Pretend) -> None:
    assert ask(pretend, "s-500").status_code == 400
    pretend.post("/clock", advance_seconds=61)
    assert pretend.levers.get("/").status_code == 200


def test_new_tokens_work_where_old_ones_do_not(pretend: Pretend) -> None:
    old = token(pretend)
    assert [ask(pretend, "s-stale", old).status_code for _ in range(2)] == [400, 400]
    assert ask(pretend, "s-stale").status_code == 200


@pytest.mark.parametrize("magic", [one for one in magics("media") if one.trouble.isdecimal()], ids=named)
def test_media_hosts_refuse(pretend: Pretend, magic: Magic) -> None:
    assert pretend.levers.get(clip(pretend, magic.shortcode)).status_code == int(magic.trouble)
    poster = str(item(pretend, magic.shortcode)["image_versions2"]["candidates"][0]["url"])
    assert pretend.levers.get(poster).status_code == 200


def test_the_first_address_is_too_old_and_the_next_is_not(pretend: Pretend) -> None:
    answers = [pretend.levers.get(clip(pretend, "m-expired")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [403, 200]
    assert answers[0].text == "URL signature expired"


def received(pretend: Pretend, code: str, most: int = 10**9) -> tuple[httpx2.Response, bytes, bool]:
    """What arrives of a clip before the end, an error or `most` bytes; whether an error ended it."""
    arrived = bytearray()
    with pretend.levers.stream("GET", clip(pretend, code)) as answer:
        try:
            for chunk in answer.iter_raw():
                arrived += chunk
                if len(arrived) >= most:
                    break
        except CUT:
            return answer, bytes(arrived), True
    return answer, bytes(arrived), False


def test_clips_that_stop_in_the_middle(pretend: Pretend) -> None:
    _, whole, broken = received(pretend, "m-octet")
    assert not broken
    for code, framed, noticed in (
        ("m-cut", "content-length", True),
        ("m-chunked", "transfer-encoding", True),
        ("m-half", "", False),
    ):
        answer, half, broken = received(pretend, code)
        assert broken == noticed, code
        assert half == whole[: len(half)]
        assert len(half) == len(whole) // 2
        assert {"content-length", "transfer-encoding"} & answer.headers.keys() == ({framed} if framed else set())


def test_clips_that_lie_about_themselves(pretend: Pretend) -> None:
    kinds = {
        "m-html": "text/html; charset=utf-8",
        "m-octet": "application/octet-stream",
        "m-notype": "",
        "m-empty": "video/mp4",
    }
    for code, kind in kinds.items():
        answer = pretend.levers.get(clip(pretend, code))
        assert (answer.status_code, answer.headers.get("content-type", "")) == (200, kind), code
        assert (answer.content[4:8] == b"ftyp") == (code in ("m-octet", "m-notype"))
        assert bool(answer.content) == (code != "m-empty")


def test_clips_that_are_elsewhere(pretend: Pretend) -> None:
    for code, to in (("m-away", AWAY), ("m-loopback", LOOPBACK)):
        answer = pretend.levers.get(clip(pretend, code))
        assert (answer.status_code, answer.headers["location"]) == (302, to)
    assert clip(pretend, "m-nonmeta") == AWAY


def test_clips_that_do_not_end(pretend: Pretend) -> None:
    _, dripped, _ = received(pretend, "m-drip", most=1)
    assert len(dripped) == 1
    answer, endless, _ = received(pretend, "m-endless", most=8 * 1024 * 1024)
    assert "content-length" not in answer.headers
    assert endless[4:8] == b"ftyp"


def test_the_log_says_which_magic_was_played(pretend: Pretend) -> None:
    before = len(pretend.calls())
    lsd = token(pretend)
    ask(pretend, "x-429", lsd)
    pretend.levers.get(clip(pretend, "m-410"))
    played = [call["fault"] for call in pretend.calls()[before:] if "fault" in call]
    assert played == ["magic:429", "magic:410"]
    hashed = f"/graphql/query?doc_id={BY_SHORTCODE}&lsd=secret&variables={quote('{}')}"
    pretend.levers.get(hashed)
    assert "secret" not in str(pretend.calls()[-1])


def test_faults_of_media_are_played_on_pages_too(pretend: Pretend) -> None:
    path = "/api/v1/web/get_ruling_for_content/"
    number = str(ids.pk_of("x-caption"))

    def ruling() -> httpx2.Response:
        return pretend.levers.get(path, params={"target_id": number})

    pretend.fault("web.ruling", "truncate")
    with pytest.raises(CUT):
        ruling()
    pretend.fault("web.ruling", "drip")
    with pretend.levers.stream("GET", path, params={"target_id": number}) as answer:
        assert next(answer.iter_raw()) == b"{"
    pretend.fault("web.ruling", "wrong_type")
    assert ruling().text.startswith("<!DOCTYPE html>")
    pretend.fault("web.page", "wrong_type")
    assert page(pretend, "x-caption").json() == {}
    pretend.fault("web.ruling", "reset")
    with pytest.raises(CUT):
        ruling()
    assert ruling().json() == {"status": "ok"}
