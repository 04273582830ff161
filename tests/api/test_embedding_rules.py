"""How large a feed is in a frame, and which addresses are feeds: for whatever is asked."""

from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from tintype.api.feed.embedding import asked, measured


@given(st.integers(0, 500), st.none() | st.integers(1, 4000), st.none() | st.integers(1, 4000))
def test_a_frame_is_never_larger_than_allowed(posts: int, maxwidth: int | None, maxheight: int | None) -> None:
    width, height = measured(posts, maxwidth, maxheight)
    assert 0 < width <= (maxwidth or width)
    assert 0 < height <= (maxheight or height)


@given(st.text(), st.text(max_size=80), st.integers())
def test_an_embedded_address_says_nothing_but_what_is_known(key: str, account: str, limit: int) -> None:
    page = asked("https://feed.example", f"https://feed.example/feeds/{key}.html?limit={limit}&account={account}&x=1")
    if page is not None:
        address = page.address("https://feed.example")
        assert address.startswith("https://feed.example/feeds/")
        assert not set(address) & set("\"'<> \n")
        assert set(parse_qs(urlsplit(address).query)) <= {"limit", "account"}
