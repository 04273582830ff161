"""Links as people paste them, and as attackers write them."""

import string
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tintype.errors import Invalid
from tintype.instagram.links import (
    HOSTS,
    LONGEST,
    Link,
    LinkKind,
    NoLink,
    Why,
    is_shortcode,
    media_id_to_shortcode,
    parse_link,
    shortcode_to_media_id,
    taken_at,
)

CODE = "C1a-_xYz09Q"
ID = shortcode_to_media_id(CODE)
WWW = "https://www.instagram.com"

signs = string.ascii_letters + string.digits + "-_"
codes = st.text(signs, min_size=1, max_size=64)
words = st.sampled_from(["p", "reel", "reels", "tv"])
usernames = st.from_regex(r"\A[a-z][a-z0-9_.]{3,20}[a-z0-9]\Z").filter(lambda name: parses(f"{WWW}/{name}/"))
tails = st.sampled_from(["", "/", "/?igsh=MTdt==", "?utm_source=x", "/#c", "/embed/captioned/?v=14", "/c/179/", "//"])


def parses(text: str) -> Link | None:
    try:
        return parse_link(text)
    except Invalid:
        return None


def why(text: str) -> Why:
    with pytest.raises(NoLink) as refused:
        parse_link(text)
    assert refused.value.problems == (refused.value.message,)
    return refused.value.why


@given(
    host=st.sampled_from(sorted(HOSTS)), word=words, code=codes.filter(lambda code: code not in ("p", "tv")), tail=tails
)
def test_a_post_is_found_in_every_form_of_its_link(host: str, word: str, code: str, tail: str):
    found = parse_link(f"https://{host}/{word}/{code}{tail}")
    kind = {"p": LinkKind.POST, "tv": LinkKind.TV}.get(word, LinkKind.REEL)
    assert (found.kind, found.shortcode, found.username, found.host) == (kind, code, None, host)
    assert parse_link(found.url) == Link(kind, found.url, "www.instagram.com", code, None, found.media_id)


@given(username=usernames, word=words, tail=tails)
def test_a_post_is_found_behind_its_owners_name(username: str, word: str, tail: str):
    found = parse_link(f"{WWW}/{username}/{word}/{CODE}{tail}")
    assert (found.shortcode, found.username, found.media_id) == (CODE, username, ID)
    assert found.url == parse_link(f"{WWW}/{word}/{CODE}").url


@pytest.mark.parametrize(
    ("path", "kind", "url", "known"),
    [
        ("/share/reel/BAbc123", LinkKind.SHARE, "/share/reel/BAbc123", {"token": "BAbc123"}),
        ("/share/p/BAbc123/?x=1", LinkKind.SHARE, "/share/p/BAbc123", {"token": "BAbc123"}),
        ("/share/BAbc123", LinkKind.SHARE, "/share/BAbc123", {"token": "BAbc123"}),
        ("/stories/Jane.Doe/3570766765028588805/", LinkKind.STORY, "/stories/jane.doe/3570766765028588805/", {}),
        ("/stories/jane", LinkKind.STORY, "/stories/jane/", {"username": "jane"}),
        ("/stories/highlights/18090946048123978/", LinkKind.HIGHLIGHT, "/stories/highlights/18090946048123978/", {}),
        ("/s/aGlnaGxpZ2h0OjE4MDk=?x=1", LinkKind.HIGHLIGHT, "/s/aGlnaGxpZ2h0OjE4MDk=", {}),
        ("/Jane.Doe/", LinkKind.PROFILE, "/jane.doe/", {"username": "jane.doe"}),
        ("/jane/reels/", LinkKind.PROFILE, "/jane/", {"username": "jane"}),
    ],
)
def test_what_is_no_post_is_named(path: str, kind: LinkKind, url: str, known: dict[str, str]):
    found = parse_link(WWW + path)
    assert (found.kind, found.url, found.shortcode) == (kind, WWW + url, None)
    assert {name: getattr(found, name) for name in known} == known


def test_a_story_has_the_id_that_its_link_names():
    assert parse_link(f"{WWW}/stories/jane/3570766765028588805").media_id == "3570766765028588805"


@pytest.mark.parametrize("around", ["  {}  ", "{}\n", "\t{}\r\n"])
def test_space_around_a_link_does_not_matter(around: str):
    assert parse_link(around.format(f"{WWW}/p/{CODE}/")).shortcode == CODE


def test_scheme_and_host_are_taken_in_any_case_and_with_their_own_port():
    assert parse_link(f"HTTPS://WWW.InstaGram.COM:443/p/{CODE}/").url == f"{WWW}/p/{CODE}/"


def test_a_private_posts_key_is_no_part_of_its_id():
    found = parse_link(f"{WWW}/p/{CODE}{'k' * 28}/")
    assert (found.shortcode, found.media_id) == (CODE + "k" * 28, ID)


def test_a_code_that_spells_no_id_is_still_a_code():
    assert parse_link(f"{WWW}/p/zzzzzzzzzzz/").media_id is None


REFUSED = {
    Why.EMPTY: ["", "   ", "\n"],
    Why.TOO_LONG: [f"{WWW}/p/{CODE}/?x=".ljust(LONGEST + 1, "a")],
    Why.NOT_HTTPS: [f"http://www.instagram.com/p/{CODE}/", f"HTTP://instagr.am/p/{CODE}"],
    Why.NOT_HTTPS_URL: [
        CODE,
        f"www.instagram.com/p/{CODE}/",
        f"//www.instagram.com/p/{CODE}/",
        f"https:/www.instagram.com/p/{CODE}/",
        f"https:www.instagram.com/p/{CODE}/",
        f"instagram://media?id={ID}",
        f"javascript:https://www.instagram.com/p/{CODE}/",
        f"ftp://www.instagram.com/p/{CODE}/",
        f"see https://www.instagram.com/p/{CODE}/".replace(" ", "+"),
    ],
    Why.USERINFO: [
        f"https://www.instagram.com@evil.example/p/{CODE}/",
        f"https://evil.example@www.instagram.com/p/{CODE}/",
        f"https://@www.instagram.com/p/{CODE}/",
        f"https://www.instagram.com:443@evil.example/p/{CODE}/",
    ],
    Why.PORT: [f"https://www.instagram.com:{port}/p/{CODE}/" for port in ("", "80", "0443", "443x", "99999", "443:443")]
    + ["https://[::1]/p/x"],
    Why.HOST: [
        f"https://{host}/p/{CODE}/"
        for host in (
            "",
            "instagram.com.",
            "www.instagram.com..",
            ".instagram.com",
            "instagram.com.evil.example",
            "evil-instagram.com",
            "i.instagram.com",
            "help.instagram.com",
            "instagram.com%2eevil.example",
            "instagram.com%00",
            "127.0.0.1",
            "xn--nstagram-d2a.com",
            "www.kkinstagram.com",
            "evil.example/www.instagram.com",
            "evil.example?https://www.instagram.com",
            "evil.example#@www.instagram.com",
        )
    ],
    Why.BAD_CHARACTER: [
        f"https://www.instagram.com/p/{CODE[:4]}{sign}{CODE[4:]}/"
        for sign in (
            " ",
            "\t",
            "\n",
            "\r",
            "\0",
            "\x7f",
            "\\",
            "\u200b",
            "\u0301",
            "é",
            "<",
            ">",
            '"',
            "{",
            "|",
            "^",
            "`",
        )
    ]
    + [
        f"https://www.insta\ngram.com/p/{CODE}/",
        f"https://www.ınstagram.com/p/{CODE}/",  # noqa: RUF001 - the look-alike is the point
        f"https://www.ｉnstagram.com/p/{CODE}/",  # noqa: RUF001 - the look-alike is the point
        f"https://www。instagram。com/p/{CODE}/",
        f"https://www.insta\u00adgram.com/p/{CODE}/",
        f"https://www.instagram.com\\@evil.example/p/{CODE}/",
        f"\\\\www.instagram.com/p/{CODE}/",
        f"<{WWW}/p/{CODE}/>",
    ],
    Why.ENCODED_PATH: [
        f"{WWW}{path}"
        for path in (f"/%70/{CODE}/", f"/p/{CODE}%00/", f"/p/{CODE};x=y", "/p/..%2f..%2fetc", f"/p/{CODE}/%2e%2e/")
    ],
    Why.DOT_SEGMENT: [
        f"{WWW}{path}" for path in ("/p/../", "/p/.", f"/p/./{CODE}", f"/p/{CODE}/../../explore/", "/..")
    ],
    Why.AMBIGUOUS_PATH: [f"{WWW}/reel/p/{CODE}/", f"{WWW}/p/p/{CODE}/", f"{WWW}/jane/tv/reel/{CODE}/"],
    Why.BAD_SHORTCODE: [
        f"{WWW}/p/{code}/" for code in (f"{CODE}.", f"{CODE},", "$(id)", "con.mp4", "a" * 65, "a=b", "~")
    ],
    Why.NOT_A_POST: [
        f"{WWW}{path}"
        for path in (
            "",
            "/",
            "/p/",
            "/reels/",
            "/reels/audio/287067466499785/",
            "/jane/p/",
            f"/Reel/{CODE}/",
            f"/P/{CODE}/",
            f"/accounts/login/?next=/p/{CODE}/",
            "/explore/",
            "/explore/tags/bread/",
            f"/?p=/p/{CODE}/",
            "/share/",
            "/share/reel/",
            "/share/reel/a/b",
            "/stories/",
            "/stories/highlights/",
            "/stories/jane/notanid/",
            "/s/",
            "/jane-doe/",
            "/jane./",
            "/" + "j" * 31,
        )
    ],
}


@pytest.mark.parametrize(("reason", "text"), [(reason, text) for reason, texts in REFUSED.items() for text in texts])
def test_a_trick_is_refused_by_its_name(reason: Why, text: str):
    assert why(text) is reason


def test_every_reason_is_shown_above():
    assert set(REFUSED) == set(Why)


def test_a_refusal_tells_whether_the_link_led_to_instagram_at_all():
    hosts: list[str | None] = []
    for text in (f"{WWW}/explore/", "https://instagram.com/p/a.b/", f"https://evil.example/p/{CODE}", "http://x"):
        with pytest.raises(NoLink) as refused:
            parse_link(text)
        hosts.append(refused.value.host)
    assert hosts == ["www.instagram.com", "instagram.com", None, None]


def test_a_look_alike_host_is_told_what_to_write():
    with pytest.raises(NoLink, match=r"write www\.instagram\.com"):
        parse_link(f"https://ddinstagram.com/p/{CODE}/")


authorities = st.one_of(
    st.sampled_from(sorted(HOSTS)),
    st.text(st.characters(), max_size=40),
    st.tuples(st.sampled_from(["", "x@", "a:b@", "evil.example/", "."]), st.sampled_from(sorted(HOSTS))).map("".join),
    st.tuples(st.sampled_from(sorted(HOSTS)), st.text("@:/\\?#.%;\n\t\u3002 ex", max_size=12)).map("".join),
)
paths = st.one_of(
    st.text(max_size=60), st.lists(st.one_of(words, codes, st.text(max_size=9)), max_size=5).map("/".join)
)


@given(scheme=st.sampled_from(["https://", "https:", "http://", "//", ""]), authority=authorities, path=paths)
@example(scheme="https://", authority="www.instagram.com\\@evil.example", path=f"p/{CODE}/")
def test_nothing_leads_elsewhere_and_nothing_breaks(scheme: str, authority: str, path: str):
    """Whatever is pasted is refused as Invalid, or is what Python's own parser too takes for a link to Instagram."""
    text = f"{scheme}{authority}/{path}"
    found = parses(text)
    if found is not None:
        assert urlsplit(text.strip()).hostname == found.host
        assert found.host in HOSTS
        assert found.url.startswith(f"{WWW}/")
        assert set(found.url) <= set(signs + ":/.=")
        assert ".." not in found.url or found.username is not None
        assert found.shortcode is None or is_shortcode(found.shortcode)


@given(st.text())
def test_any_text_is_answered(text: str):
    assert parses(text) is None


@given(st.integers(0, 2**63 - 1))
def test_an_id_and_its_shortcode_are_the_same_number(number: int):
    code = media_id_to_shortcode(str(number))
    assert len(code) <= 11
    assert shortcode_to_media_id(code) == str(number)
    assert media_id_to_shortcode(f"{number}_25025320") == code


@given(codes.filter(lambda code: code[0] != "A" and len(code) <= 10))
def test_a_shortcode_comes_back_from_its_id(code: str):
    assert media_id_to_shortcode(shortcode_to_media_id(code)) == code


@pytest.mark.parametrize("code", ["", "a.b", "é", "a" * 65, "zzzzzzzzzzz", "_" * 28])
def test_what_is_no_shortcode_has_no_id(code: str):
    with pytest.raises(Invalid):
        shortcode_to_media_id(code)


@pytest.mark.parametrize("media_id", ["", "-1", "x", "1.5", str(2**63), "9" * 30, "_1", "１"])  # noqa: RUF001
def test_what_is_no_id_has_no_shortcode_and_no_time(media_id: str):
    for read in (media_id_to_shortcode, taken_at):
        with pytest.raises(Invalid):
            read(media_id)


@given(st.datetimes(datetime(2011, 8, 25), datetime(2040, 1, 1)), st.integers(0, 2**23 - 1))  # noqa: DTZ001 - naive for hypothesis
def test_the_time_is_inside_the_id(moment: datetime, rest: int):
    moment = moment.replace(tzinfo=UTC)
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) - 1_314_220_021_721
    assert abs(taken_at(str((milliseconds << 23) | rest)) - moment) < timedelta(milliseconds=1)


def test_known_posts_were_taken_when_they_were():
    """Public posts whose dates are known."""
    assert taken_at(shortcode_to_media_id("aye83DjauH")).date() == datetime(2013, 6, 20, tzinfo=UTC).date()
    assert taken_at(shortcode_to_media_id("Chunk8-jurw")).date() == datetime(2022, 8, 26, tzinfo=UTC).date()
