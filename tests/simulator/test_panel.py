"""The panel: every lever as a form, for people at this machine and for pages of the simulator's own only."""

import re
from typing import Any

import httpx2
import pytest

from tests.simulator.test_face import opened, published, pushed
from tests.simulator.visitor import BAKER, OWN, POTTER, WALKER, Visitor
from tintype.simulator import create
from tintype.simulator.face.acts import ACTS
from tintype.simulator.face.presets import PRESETS

HOOK = "http://127.0.0.1:9999/hook"


async def settings(visitor: Visitor) -> dict[str, Any]:
    return await visitor.world("PATCH", "/settings")


async def test_forms_of_strangers_pull_no_lever(visitor: Visitor) -> None:
    before = (await visitor.world("GET"))["now"]
    for headers in (
        {},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "origin": OWN},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ):
        form = {"act": "clock", "advance_seconds": "864000"}
        answer = await visitor.http.post("/_world/panel", data=form, headers=headers)
        assert answer.status_code == 403, headers
    assert (await visitor.world("GET"))["now"] - before < 600
    form = {"act": "clock", "advance_seconds": "864000"}
    assert (await visitor.http.post("/_world/panel", data=form, headers={"origin": OWN})).status_code == 303


async def test_pages_of_other_sites_pull_no_lever_by_json_either(visitor: Visitor) -> None:
    refused = await visitor.http.post("/_world/reset", content="{}", headers={"sec-fetch-site": "cross-site"})
    assert refused.status_code == 403
    assert (await visitor.http.post("/_world/reset", content="{}")).status_code == 200


@pytest.mark.parametrize(
    ("client", "host", "opens"),
    [
        ("127.0.0.1", "127.0.0.1:8001", True),
        ("127.0.0.1", "localhost:8001", True),
        ("::1", "[::1]:8001", True),
        ("192.168.1.20", "127.0.0.1:8001", False),
        ("127.0.0.1", "pretend.example", False),
        ("127.0.0.1", "192.168.1.10:8001", False),
        ("127.0.0.1", "127.0.0.1.elsewhere.example", False),
        ("127.0.0.1", "[", False),
    ],
)
async def test_the_panel_opens_at_this_machine_unless_a_switch_lets_others_in(
    client: str, host: str, opens: bool
) -> None:
    transport = httpx2.ASGITransport(app=create(), client=(client, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=OWN) as http:
        headers = {"host": host, "sec-fetch-site": "same-origin"}
        page = await http.get("/_world/panel", headers=headers)
        assert page.status_code == (200 if opens else 403)
        sent = await http.post("/_world/panel", data={"act": "calm"}, headers=headers)
        assert sent.status_code == (303 if opens else 403)
        await http.patch("/_world/settings", json={"panel_elsewhere": True})
        assert (await http.get("/_world/panel", headers=headers)).status_code == 200
        assert (await http.post("/_world/panel", data={"act": "calm"}, headers={"host": host})).status_code == 403


async def test_the_panel_has_a_form_for_every_act(visitor: Visitor) -> None:
    await visitor.token()
    await visitor.world("POST", "/faults", on="graph.me", kind="reset")
    await visitor.world("PATCH", "/settings", fetch_pictures=False)
    await visitor.post(await visitor.token(), "/me/media", image_url="https://p.example/a.jpg")
    text = (await opened(visitor, "/_world/panel")).text
    post = visitor.simulator.world.posts(BAKER)[0]
    text += (await opened(visitor, f"/p/{post.shortcode}/")).text
    assert set(re.findall(r'name="act" value="([\w-]+)"', text)) == set(ACTS)
    assert set(re.findall(r'name="preset" value="([\w-]+)"', text)) == set(PRESETS)


async def test_the_clock_goes_forward_and_stays_in_reach(visitor: Visitor) -> None:
    before = (await visitor.world("GET"))["now"]
    await pushed(visitor, "clock", advance_seconds="86400")
    assert (await visitor.world("GET"))["now"] - before == pytest.approx(86400, abs=60)
    for odd in ("soon", "nan", "inf", "1e300", "-1e12"):
        refused = await pushed(visitor, "clock", advance_seconds=odd)
        assert refused.status_code == 400, odd
        assert 'role="alert"' in refused.text


async def test_a_fault_is_added_seen_and_taken_away(visitor: Visitor) -> None:
    fields = {"on": "graph.me", "kind": "status", "times": "", "chance": "50", "status": "503", "after": "", "to": ""}
    await pushed(visitor, "fault", **fields, username=BAKER)
    (fault,) = await visitor.world("GET", "/faults")
    assert (fault["on"], fault["times"]) == ("graph.me", None)
    page = (await opened(visitor, "/_world/panel")).text
    assert "always, 50 % of calls" in page
    assert (await pushed(visitor, "drop-fault")).status_code == 404
    assert (await pushed(visitor, "drop-fault", item=fault["id"])).status_code == 303
    assert await visitor.world("GET", "/faults") == []
    assert (await pushed(visitor, "fault", on="nothing", kind="status")).status_code == 400


async def test_a_fault_by_chance_hits_some_calls_the_same_ones_each_time(visitor: Visitor) -> None:
    async def hits() -> list[bool]:
        await visitor.world("POST", "/reset", seed=7)
        await visitor.world("POST", "/faults", on="graph.me", kind="status", times=None, chance=0.3)
        token = await visitor.token()
        return [not (await visitor.ask(token, "/me")).is_success for _ in range(60)]

    first = await hits()
    assert 6 <= sum(first) <= 32
    assert await hits() == first


async def test_a_fault_by_chance_is_used_up_by_hits_alone(visitor: Visitor) -> None:
    await visitor.world("POST", "/faults", on="graph.me", kind="status", times=3, chance=0.25)
    token = await visitor.token()
    failed = [(await visitor.ask(token, "/me")).status_code == 500 for _ in range(80)]
    assert sum(failed) == 3
    for odd in (-0.1, 1.1, "often"):
        assert (await visitor.pull("POST", "/faults", on="graph.me", kind="slow", chance=odd)).status_code == 400


async def test_switches_move_without_a_new_world(visitor: Visitor) -> None:
    token = await visitor.token()
    fields = {"latency_ms": "5", "container_seconds": "90", "business_usage": "", "testers": f"{BAKER}, {POTTER}"}
    await pushed(visitor, "settings", **fields, development_mode="on")
    now = await settings(visitor)
    assert (now["latency_ms"], now["container_seconds"], now["business_usage"]) == (5, 90, None)
    assert (now["testers"], now["development_mode"], now["spam_shield"]) == ([BAKER, POTTER], True, False)
    assert (await visitor.ask(token, "/me")).is_success
    await pushed(visitor, "settings", latency_ms="0", container_seconds="", testers="")
    now = await settings(visitor)
    assert (now["container_seconds"], now["testers"], now["development_mode"]) == (None, None, False)
    for odd in ({"latency_ms": "-1"}, {"quota_total": "many"}):
        assert (await pushed(visitor, "settings", **odd)).status_code == 400
    assert (await visitor.pull("PATCH", "/settings", weather="fine")).status_code == 400


@pytest.mark.parametrize("subcode", [458, 459, 460, 463])
async def test_a_token_dies_as_was_chosen_and_its_value_is_never_shown(visitor: Visitor, subcode: int) -> None:
    token = await visitor.token()
    page = (await opened(visitor, "/_world/panel")).text
    assert token not in page
    mark = re.search(r'name="mark" value="(\w+)"', page)
    assert mark
    assert (await pushed(visitor, "kill", mark=mark[1], subcode=str(subcode))).status_code == 303
    assert (await visitor.refused(token, "/me"))["error_subcode"] == subcode
    assert "dead:" in (await opened(visitor, "/_world/panel")).text
    assert (await pushed(visitor, "kill", mark="0" * 12)).status_code == 404


async def test_what_is_made_without_clicking_is_shown_once(visitor: Visitor) -> None:
    made = await pushed(visitor, "token", username=BAKER, login="instagram")
    value = re.search(r"IGAA\w+", made.text)
    assert value
    assert (await visitor.ask(value[0], "/me")).is_success
    assert value[0] not in (await opened(visitor, "/_world/panel")).text
    assert "sessionid" in (await pushed(visitor, "session", username=WALKER)).text
    code = await pushed(visitor, "code", username=BAKER, redirect_uri="http://127.0.0.1/cb")
    assert "AQ" in code.text


async def test_people_post_comment_and_come(visitor: Visitor) -> None:
    await pushed(visitor, "person", username="new.one", account_type="BUSINESS", media="2", private="on")
    assert visitor.simulator.world.people["new.one"].private
    await pushed(visitor, "post", username=BAKER, kind="IMAGE", caption="Fresh & <b>bold</b>")
    post = visitor.simulator.world.posts(BAKER)[0]
    await pushed(visitor, "comment", post=post.shortcode, text="Nice <i>one</i>", back=f"/_face/posts/{post.shortcode}")
    page = (await opened(visitor, f"/p/{post.shortcode}/")).text
    assert "Fresh &amp; &lt;b&gt;bold&lt;/b&gt;" in page
    assert "Nice &lt;i&gt;one&lt;/i&gt;" in page
    assert (await pushed(visitor, "person", username="new.one")).status_code == 409
    assert (await pushed(visitor, "nothing")).status_code == 404


async def test_webhooks_are_sent_and_their_fate_is_shown(visitor: Visitor) -> None:
    fields = {"field": "comments", "username": BAKER, "value": '{"id": "1"}', "callback": HOOK, "times": "2"}
    page = await pushed(visitor, "webhook", **fields)
    assert "&#34;delivered&#34;: true" in page.text
    assert [one[1] for one in visitor.listener.heard] == ["/hook", "/hook"]
    assert (await pushed(visitor, "webhook", field="comments", username=BAKER)).status_code == 409


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/", "//elsewhere.example/_face/", "/\\x", "/oauth/authorize"]
)
async def test_a_form_leads_back_to_our_own_pages_only(visitor: Visitor, back: str) -> None:
    sent = await pushed(visitor, "calm", back=back)
    assert sent.headers["location"].startswith(("/_world/panel?said=calm", "/_face/?said=calm"))


async def test_a_lost_answer_is_one_click(visitor: Visitor) -> None:
    await pushed(visitor, "preset", preset="lost")
    with pytest.raises(ConnectionResetError):
        await published(visitor, caption="Lost")
    (post,) = await visitor.world("GET", "/published")
    assert post["caption"] == "Lost"


async def test_each_bad_day_begins_with_calm_and_calm_ends_it(visitor: Visitor) -> None:
    calm = await settings(visitor)
    token = await visitor.token()
    answers = {"limited": 80002, "checkpoint": 190, "down": None}
    for name, preset in PRESETS.items():
        assert (await pushed(visitor, "preset", preset=name)).status_code == 303
        assert await settings(visitor) == calm | dict(preset.settings)
        assert len(await visitor.world("GET", "/faults")) == len(preset.faults)
        if name in answers:
            answer = await visitor.ask(token, "/me")
            assert not answer.is_success
            assert answers[name] is None or answer.json()["error"]["code"] == answers[name]
    await pushed(visitor, "preset", preset="calm")
    assert await settings(visitor) == calm
    assert (await visitor.refused(token, "/me"))["error_subcode"] == 460
    assert (await visitor.ask(await visitor.token(), "/me")).is_success


async def test_a_reset_begins_again(visitor: Visitor) -> None:
    await published(visitor, caption="Rye")
    await pushed(visitor, "reset", seed="9")
    assert (await visitor.world("GET"))["seed"] == 9
    assert "Nothing yet." in (await opened(visitor, "/_face/published")).text
