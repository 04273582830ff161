"""Addresses taken apart: the plain ones are read by halves, and that must never be seen."""

from urllib.parse import urlencode

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tintype.backends.urls import Url
from tintype.errors import Forbidden

letters = st.text("abcxyz019.-_/:%?&=#@~ \\[]éA", max_size=30)
plain = st.from_regex(r"\A(/[A-Za-z0-9_.-]{0,12}){1,4}\Z")
hosts = st.sampled_from(
    ["graph.instagram.com", "127.0.0.1", "a.b", "xn--bcher-kva.example", "0x7f.1", "a..b", "-a.b", "1"]
)
ports = st.sampled_from(["", ":80", ":443", ":8001", ":0", ":65535", ":65536", ":99999"])
schemes = st.sampled_from(["http://", "https://", "HTTP://", "ftp://", "//", ""])


@given(st.builds("".join, st.tuples(schemes, hosts | letters, ports, plain | letters)))
@example("https://graph.instagram.com/v25.0/17841400000000001/media")
@example("https://graph.instagram.com/a/../b/./c")
@example("https://graph.instagram.com//me")
@example("https://graph.instagram.com/a\n")
def test_every_address_is_read_as_the_library_reads_it(text: str) -> None:
    try:
        known = httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError):
        with pytest.raises(Forbidden):
            Url.of(text)
        return
    url = Url.of(text)
    assert (url.scheme, url.host, url.raw_host, url.port) == (known.scheme, known.host, known.raw_host, known.port)
    assert (url.netloc, url.target, url.is_personal) == (known.netloc, known.raw_path, bool(known.userinfo))


@given(letters, st.dictionaries(letters, letters, max_size=3))
def test_a_query_is_added_as_the_library_adds_it(given_already: str, more: dict[str, str]) -> None:
    text = "https://graph.instagram.com/me?" + given_already.replace("#", "")
    known = httpx2.URL(text)
    present, added = known.query, urlencode(more).encode()
    whole = known.copy_with(query=present + b"&" + added if present else added) if more else known
    assert Url.of(text).asking(more).target == whole.raw_path


@given(st.sampled_from(["http://a.example/x/y?z=1", "https://a.example:8443/"]), letters)
def test_a_redirect_leads_where_the_library_says(here: str, location: str) -> None:
    try:
        known = httpx2.URL(here).join(location)
    except (httpx2.InvalidURL, ValueError):
        with pytest.raises(Forbidden):
            Url.of(here).joined(location)
        return
    url = Url.of(here).joined(location)
    assert (url.scheme, url.netloc, url.target) == (known.scheme, known.netloc, known.raw_path)


def test_what_was_asked_for_is_in_no_repr() -> None:
    assert "secret" not in repr(Url.of("https://a.example/secret?secret").asking({"a": "secret"}))
