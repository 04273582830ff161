"""Access's pure rules: names, origins, secrets."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.access import Grant, fingerprint
from tintype.core.access.model import checked_name, checked_origins, new_secret
from tintype.errors import Invalid


def test_a_workspace_token_is_a_random_uuid() -> None:
    secret = new_secret(Grant.WORKSPACE)
    assert UUID(secret).version == 4
    assert secret != new_secret(Grant.WORKSPACE)


def test_a_feed_key_can_be_told_from_a_token() -> None:
    assert re.fullmatch(r"fk_[A-Za-z0-9]{27}", new_secret(Grant.FEED))


@given(st.text())
def test_what_is_stored_of_a_secret_is_not_the_secret(secret: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", fingerprint(secret))


def test_names_are_trimmed_and_measured() -> None:
    assert checked_name("  abc ") == "abc"
    for wrong in ("ab", "  ab  ", "", "x" * 201):
        with pytest.raises(Invalid, match="at least 3 characters"):
            checked_name(wrong)


def test_origins_are_normalised() -> None:
    assert checked_origins(("https://Example.com/", "http://localhost:3000")) == (
        "https://example.com",
        "http://localhost:3000",
    )


@pytest.mark.parametrize(
    "wrong", ["example.com", "https://", "https://a.example/path", "ftp://a", "https://*.a.example", "https://u@a"]
)
def test_what_is_no_origin_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid, match="write it like"):
        checked_origins((wrong,))
