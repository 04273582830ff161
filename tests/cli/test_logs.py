"""Logs: lines that machines and people can read, and no secret in any of them."""

import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.logs import MASK, Lines, Redaction

PLANTED = "Zq7planted0secret9XyW"


@pytest.mark.parametrize(
    "line",
    [
        f"GET https://graph.instagram.com/me?fields=id&access_token={PLANTED}&limit=5",
        f"POST body client_secret={PLANTED}&grant_type=authorization_code",
        f"callback ?code={PLANTED}#_",
        f"callback ?state={PLANTED}",
        f"Authorization: Bearer {PLANTED}",
        f"headers [(b'authorization', b'bearer {PLANTED}')]",
        f'{{"instagramAccessToken": "{PLANTED}", "name": "x"}}',
        f'{{"instagramAccountSecret":"{PLANTED}"}}',
        f"appsecret_proof={PLANTED}",
        f"signed_request={PLANTED}",
        f"connecting to postgresql://user:{PLANTED}@db/tintype failed",
        f"redis://:{PLANTED}@cache:6379/0",
        f"the token IGAA{PLANTED}{PLANTED} died",
        f"the token EAA{PLANTED}{PLANTED} died",
        f"key fk_{PLANTED}abcdef",
        f"state tt_{PLANTED}_abc",
        f"session eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.{PLANTED}",
    ],
)
def test_what_looks_like_a_secret_is_masked(line: str) -> None:
    masked = Redaction()(line)
    assert PLANTED not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "line",
    [
        "account 489b0977-8a7f-42e6-957e-2af6f61d810a synced: 50 posts",
        "https://example.com/photos?limit=5",
        "the token of account 12 dies in 3 days",
        "error code=2207026, subcode: 2207050, state=connected",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert Redaction()(line) == line


@given(secret=st.text(min_size=8, max_size=60), before=st.text(max_size=20), after=st.text(max_size=20))
def test_the_settings_own_secrets_are_masked_wherever_they_stand(secret: str, before: str, after: str) -> None:
    assert secret not in Redaction([secret])(f"{before}{secret}{after}").replace(MASK, "")


@pytest.mark.parametrize("form", ["text", "json"])
def test_tracebacks_are_masked_too(form: str) -> None:
    record = _broken(f"request failed: access_token={PLANTED}")
    line = Lines("json" if form == "json" else "text", Redaction([PLANTED])).format(record)
    assert "RuntimeError" in line
    assert PLANTED not in line


def test_json_is_one_line_with_everything() -> None:
    line = Lines("json", Redaction()).format(_broken("a\nb"))
    assert "\n" not in line
    said = json.loads(line)
    assert {key: said[key] for key in ("level", "logger", "message")} == {
        "level": "error",
        "logger": "tintype.x",
        "message": "a\nb",
    }
    assert said["at"].endswith("Z")
    assert "RuntimeError" in said["trace"]


def test_text_that_goes_on_is_indented() -> None:
    first, *rest = Lines("text", Redaction()).format(_broken("a\nb")).splitlines()
    assert first.endswith("error   tintype.x: a")
    assert all(line.startswith("    ") for line in rest)


def _broken(message: str) -> logging.LogRecord:
    try:
        raise RuntimeError(message)
    except RuntimeError:
        return logging.LogRecord("tintype.x", logging.ERROR, __file__, 1, message, (), sys.exc_info())
