"""Names of files: whatever is sent, a key lies in its own folder and is one that every store takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.backends.blobs import check_key
from tintype.core.files.keys import (
    container_of,
    filename_in,
    filename_of,
    home_place,
    is_handle,
    key_of,
    new_handle,
    next_key,
    outer_place,
)
from tintype.errors import Invalid

HANDLE = "A" * 20
NAMES = st.text(max_size=300)


# A path is refused whole when it has letters that cannot be shown.
PATHS = st.text(max_size=120).filter(str.isprintable)


@given(NAMES, st.none() | PATHS | st.from_regex(r"(/?[a-z. ]{0,9}){0,8}/?", fullmatch=True))
def test_every_key_is_one_that_a_store_takes(name: str, path: str | None) -> None:
    key = key_of(HANDLE, filename_of(name), path)
    assert check_key(outer_place("box", key)) == f"box/{key}"
    assert not {"", ".", ".."} & set(key.split("/"))
    assert check_key(next_key(key, 2)) != key


@given(NAMES)
def test_a_name_is_one_that_can_be_shown(name: str) -> None:
    found = filename_of(name, "image/jpeg")
    assert 1 <= len(found) <= 255
    assert "/" not in found
    assert found.isprintable()
    assert filename_of(found, "image/jpeg") == found


def test_names_and_keys_as_documented() -> None:
    assert filename_of("undefined", "image/png") == "untitled.png"
    assert filename_of("C:\\photos\\cat.jpg") == "cat.jpg"
    assert key_of(HANDLE, "cat.jpg", None) == f"{HANDLE}_cat.jpg"
    assert key_of(HANDLE, "cat.jpg", "/a/b/") == f"a/b/{HANDLE}_cat.jpg"
    assert key_of(HANDLE, "cat.jpg", "/a/b.jpg") == "a/b.jpg"
    assert key_of(HANDLE, "cat.jpg", "/") == f"{HANDLE}_cat.jpg"
    assert next_key("a/b.jpg", 2) == "a/b~2.jpg"
    assert next_key("a/b~2.jpg", 3) == "a/b~3.jpg"
    assert next_key("a/b", 2) == "a/b~2"


@pytest.mark.parametrize("path", ["a\0b", "a\nb", "\ud800", "\x1b"])
def test_a_path_with_letters_that_cannot_be_shown_is_refused(path: str) -> None:
    with pytest.raises(Invalid):
        key_of(HANDLE, "a", path)


def test_a_path_that_is_too_deep_is_refused() -> None:
    with pytest.raises(Invalid):
        key_of(HANDLE, "a", "a/" * 12)
    with pytest.raises(Invalid):
        key_of(HANDLE, "a", "/".join(["x" * 180] * 5))


def test_handles_are_never_the_same_twice() -> None:
    made = {new_handle() for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_handle(one) for one in made)
    assert not is_handle("a" * 19)
    assert not is_handle("a" * 19 + "é")
    check_key(home_place(HANDLE, 1))


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", "a b", "x" * 200, "naïve", "a\0b"])
def test_a_container_is_a_plain_name(name: str) -> None:
    with pytest.raises(Invalid):
        container_of(name)


def test_a_name_at_the_end_of_an_address() -> None:
    assert filename_in("https://a.example/b/c%20d.jpg?x=1") == "c d.jpg"
    assert filename_in("https://a.example/b/") is None
    assert filename_in("https://[bad") is None
