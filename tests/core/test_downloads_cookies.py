"""Cookies of a login, in the forms in which browsers and their extensions give them."""

import json

import pytest

from tintype.core.downloads.sessions import cookies_from
from tintype.errors import Invalid

LOGIN = {"sessionid": "1%3Aabc%3A2", "csrftoken": "token", "ds_user_id": "1"}
ROWS = [{"domain": ".instagram.com", "name": name, "value": value} for name, value in LOGIN.items()]
NETSCAPE = "# Netscape HTTP Cookie File\n" + "".join(
    f"#HttpOnly_.instagram.com\tTRUE\t/\tTRUE\t1999999999\t{name}\t{value}\n" for name, value in LOGIN.items()
)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(LOGIN),
        json.dumps({**LOGIN, "mid": "x"}),
        json.dumps([*ROWS, {"domain": "example.com", "name": "sessionid", "value": "another"}]),
        NETSCAPE,
        NETSCAPE.replace("#HttpOnly_", ""),
        "; ".join(f"{name}={value}" for name, value in LOGIN.items()),
        "Cookie: mid=x; " + "; ".join(f"{name}={value}" for name, value in LOGIN.items()) + "\n",
    ],
)
def test_a_login_is_found(text: str) -> None:
    assert cookies_from(text) == LOGIN


@pytest.mark.parametrize("missing", sorted(LOGIN))
def test_what_is_missing_is_named_and_nothing_else(missing: str) -> None:
    text = json.dumps({name: value for name, value in LOGIN.items() if name != missing})
    with pytest.raises(Invalid, match=f"the cookie '{missing}' is missing") as refused:
        cookies_from(text)
    assert LOGIN["sessionid"] not in refused.value.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "3",
        "[" * 3000,
        "words",
        json.dumps({**LOGIN, "sessionid": "a\nb"}),
        "\0",
        '[{"name": 1}]',
    ],
)
def test_other_texts_are_no_login(text: str) -> None:
    with pytest.raises(Invalid):
        cookies_from(text)
