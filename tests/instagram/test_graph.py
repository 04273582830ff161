"""How calls are sent: deadline, retries, pacing, paging, and where the token goes. Answers are written down here."""

import hashlib
import hmac
from dataclasses import replace

import pytest

from tests.instagram.script import Script, Watch, answer, refusal
from tintype.backends.outbound import Answer
from tintype.errors import Busy, Forbidden, Invalid, Reconnect, Refused, TooLarge, Trouble, Unreachable
from tintype.instagram import App, Graph, Login, Media, Page, Throttle, calls, revokes

IGL, FBL = Login.INSTAGRAM_LOGIN, Login.FACEBOOK_LOGIN
TOKEN = "IGAAtoken0123456789token0123456789"
ME = answer({"user_id": "17841400000000001", "id": "1", "username": "lena"})
HTML = Answer(502, {"content-type": "text/html"}, b"<html>")
CUT = Answer(200, {"content-type": "application/json"}, b'{"user_id": "178')


def graph_of(*lines: Answer | Trouble, timeout: float = 10, app: App | None = None) -> tuple[Graph, Script, Watch]:
    script, watch = Script(list(lines)), Watch()
    graph = Graph(script, "v25.0", timeout, Throttle(watch), app, clock=watch, rest=watch.rest)
    return graph, script, watch


async def test_the_token_travels_in_the_header_alone():
    graph, script, _ = graph_of(ME)
    profile = await graph.ask(calls.me(), TOKEN)
    (sent,) = script.asked
    assert profile.username == "lena"
    assert (sent.method, sent.url) == ("GET", "https://graph.instagram.com/v25.0/me")
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in sent.url + "".join(sent.query.values()) + repr(sent)


async def test_facebook_login_proves_the_app_secret():
    app = App(FBL, "77", "app-secret")
    graph, script, _ = graph_of(answer({"id": "178"}), answer({"id": "178"}), ME, app=app)
    await graph.ask(calls.profile(FBL, "178"), TOKEN)
    await graph.using(None).ask(calls.profile(FBL, "178"), TOKEN)
    await graph.ask(calls.me(), TOKEN)
    proof = hmac.new(b"app-secret", TOKEN.encode(), hashlib.sha256).hexdigest()
    assert [sent.query.get("appsecret_proof") for sent in script.asked] == [proof, None, None]
    assert script.asked[0].url == "https://graph.facebook.com/v25.0/178"


@pytest.mark.parametrize(
    "stumble",
    [Unreachable("no answer"), refusal(1), refusal(2), HTML, CUT, refusal(100, is_transient=True)],
    ids=["broken", "code 1", "code 2", "html 502", "cut json", "transient"],
)
async def test_a_read_is_asked_again_after_a_stumble(stumble: Answer | Trouble):
    graph, script, watch = graph_of(stumble, stumble, ME)
    assert (await graph.ask(calls.me(), TOKEN)).username == "lena"
    assert len(script.asked) == 3
    assert 0.125 <= watch.rests[0] <= 0.375
    assert 0.375 <= watch.rests[1] <= 1.125


async def test_a_third_stumble_is_the_answer():
    graph, script, _ = graph_of(HTML, Unreachable("x"), refusal(2))
    with pytest.raises(Unreachable) as refused:
        await graph.ask(calls.me(), TOKEN)
    assert refused.value.code == 2
    assert len(script.asked) == 3


@pytest.mark.parametrize("stumble", [Unreachable("no answer"), refusal(2), HTML], ids=["broken", "code 2", "html"])
async def test_a_write_is_never_repeated(stumble: Answer | Trouble):
    graph, script, _ = graph_of(stumble)
    with pytest.raises(Unreachable):
        await graph.ask(calls.subscribe(IGL, "178", ["comments"]), TOKEN)
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (refusal(190, 463), Reconnect),
        (refusal(100, 33), Refused),
        (refusal(4), Busy),
        (refusal(10), Forbidden),
        (Answer(404, {}, b"<html>"), Unreachable),
        (TooLarge("9 bytes too many"), Unreachable),
        (Forbidden("not a public address"), Unreachable),
        (answer({"username": "no id"}), Unreachable),
    ],
)
async def test_what_will_not_change_is_not_asked_again(line: Answer | Trouble, kind: type[Trouble]):
    graph, script, _ = graph_of(line)
    with pytest.raises(kind):
        await graph.ask(calls.me(), TOKEN)
    assert len(script.asked) == 1


async def test_retries_stay_within_the_callers_time():
    graph, script, watch = graph_of(HTML, HTML, timeout=0.1)
    with pytest.raises(Unreachable):
        await graph.ask(calls.me(), TOKEN)
    assert (len(script.asked), watch.rests) == (1, [])
    assert script.policies[0].total_seconds == pytest.approx(0.1, abs=0.1)


async def test_each_attempt_gets_only_the_time_that_is_left():
    graph, script, watch = graph_of(HTML, ME)
    await graph.ask(calls.me(), TOKEN)
    assert script.policies[1].total_seconds == pytest.approx(10 - watch.rests[0], abs=5)


async def test_an_error_inside_a_success_is_an_error():
    graph, _, _ = graph_of(replace(refusal(190, 460), status=200))
    with pytest.raises(Reconnect) as refused:
        await graph.ask(calls.me(), TOKEN)
    assert (refused.value.code, refused.value.subcode, revokes(refused.value)) == (190, 460, True)


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "naïve", "\ud800"])
async def test_text_that_cannot_be_a_token_is_not_sent(token: str):
    graph, script, _ = graph_of()
    with pytest.raises(Reconnect) as refused:
        await graph.ask(calls.me(), token)
    assert revokes(refused.value)
    assert not script.asked


async def test_no_message_repeats_the_token():
    graph, _, _ = graph_of(refusal(100, message=f"Malformed access token {TOKEN}"), refusal(100, message="of abc"))
    for token in (TOKEN, "abc"):
        with pytest.raises(Refused) as refused:
            await graph.ask(calls.me(), token)
        assert token not in str(refused.value)


@pytest.mark.parametrize("bad", ["", "../me", "1?fields=x", "1/media", "é", "1" * 65, "a b"])
def test_what_cannot_be_an_id_makes_no_call(bad: str):
    for make in (calls.media_item, calls.media_urls, calls.children, calls.stories, calls.media_page, calls.profile):
        with pytest.raises(Invalid):
            make(IGL, bad)


def test_the_facebook_person_is_no_instagram_account():
    with pytest.raises(ValueError, match="accounts"):
        calls.profile(FBL)


def test_page_sizes_stay_within_instagrams():
    assert [calls.media_page(IGL, "me", limit=n).params["limit"] for n in (0, 7, 500)] == ["1", "7", "100"]


def page(*ids: int, after: str | None) -> Answer:
    paging = (
        {"cursors": {"after": after}, "next": f"https://graph.instagram.com/?access_token={TOKEN}"} if after else {}
    )
    posts = [{"id": str(n), "media_type": "IMAGE", "timestamp": "2026-01-01T00:00:00+0000"} for n in ids]
    return answer({"data": posts, "paging": paging})


async def test_pages_are_walked_by_cursor_and_only_as_far_as_wanted():
    graph, script, _ = graph_of(page(1, 2, after="c1"), page(3, after="c2"), page(4, after=None))
    found: list[list[str]] = []
    async for listed in graph.pages(calls.media_page(IGL, "me"), TOKEN):
        found.append([media.id for media in listed.items])
        if len(found) == 2:
            break
    assert found == [["1", "2"], ["3"]]
    assert [sent.query.get("after") for sent in script.asked] == [None, "c1"]
    assert {sent.url for sent in script.asked} == {"https://graph.instagram.com/v25.0/me/media"}
    assert TOKEN not in str([sent.query for sent in script.asked])


async def test_a_circle_of_pages_is_noticed():
    graph, script, _ = graph_of(page(1, after="a"), page(2, after="b"), page(3, after="a"), page(2, after="b"))
    walked: list[Page[Media]] = []

    async def walk() -> None:
        async for listed in graph.pages(calls.media_page(IGL, "me"), TOKEN):
            walked.append(listed)  # noqa: PERF401 - a comprehension would lose what came before the error

    with pytest.raises(Unreachable, match="circle"):
        await walk()
    assert len(walked) == len(script.asked) == 3


USAGE = "x-business-use-case-usage"


def busy(percent: int, minutes: int = 0) -> dict[str, str]:
    return {USAGE: f'{{"1":[{{"call_count":{percent},"estimated_time_to_regain_access":{minutes}}}]}}'}


async def test_above_ninety_percent_no_call_goes_out():
    graph, script, watch = graph_of(replace(ME, headers=busy(95, minutes=5)), ME)
    await graph.ask(calls.me(), TOKEN)
    with pytest.raises(Busy) as refused:
        await graph.ask(calls.me(), TOKEN)
    assert refused.value.retry_after == 300
    assert len(script.asked) == 1
    watch.time += 301
    await graph.ask(calls.me(), TOKEN)


async def test_one_accounts_limit_leaves_others_alone_and_the_apps_stops_all():
    graph, _, _ = graph_of(replace(ME, headers=busy(95)), replace(ME, headers={"x-app-usage": '{"call_count":95}'}))
    await graph.ask(calls.me(), "first")
    await graph.ask(calls.me(), "second")
    for token in ("first", "second", "third"):
        with pytest.raises(Busy):
            await graph.ask(calls.me(), token)


async def test_above_seventy_percent_calls_are_spaced_within_reason():
    graph, script, watch = graph_of(*[replace(ME, headers=busy(85))] * 6)
    for _ in range(6):
        await graph.ask(calls.me(), TOKEN)
    assert len(script.asked) == 6
    assert len(watch.rests) == 4
    assert all(0 < rest <= 2 for rest in watch.rests)
    assert [policy.total_seconds for policy in script.policies] == pytest.approx([10] * 6), (
        "waiting takes nobody's time"
    )


async def test_a_rate_limit_answer_stops_the_next_call_before_it_is_made():
    limited = replace(refusal(80002), headers=busy(100, minutes=20))
    graph, script, _ = graph_of(limited)
    for expected in (1200, 1200):
        with pytest.raises(Busy) as refused:
            await graph.ask(calls.me(), TOKEN)
        assert refused.value.retry_after == expected
    assert len(script.asked) == 1


async def test_the_spam_shield_does_not_stop_reading():
    graph, _, _ = graph_of(refusal(4, 2207051), ME)
    with pytest.raises(Busy):
        await graph.ask(calls.subscribe(IGL, "178", ["comments"]), TOKEN)
    assert (await graph.ask(calls.me(), TOKEN)).username == "lena"


async def test_apps_have_budgets_of_their_own():
    graph, _, _ = graph_of(refusal(4), ME, app=App(IGL, "1", "s"))
    with pytest.raises(Busy):
        await graph.ask(calls.me(), TOKEN)
    assert (await graph.using(App(IGL, "2", "s")).ask(calls.me(), TOKEN)).username == "lena"
