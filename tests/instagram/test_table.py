"""The table of Instagram's refusals, walked with bodies as its servers shape them.

One line is one body: code, subcode, its text, then what becomes of it. Texts are those of Meta's that are facts of the API, and
tricks: numbers and famous words in places where a reader of texts would fall for them.
"""

import json

import pytest

from tintype.errors import Busy, Forbidden, Kind, Reconnect, Refused, RemoteTrouble, Trouble, Unreachable
from tintype.instagram import (
    Category,
    Container,
    ContainerState,
    category_of,
    doubtful,
    meaning_of_container,
    model,
    revokes,
    trouble_from,
)

KINDS = {
    "refused": Kind.REFUSED,
    "busy": Kind.BUSY,
    "unreachable": Kind.UNREACHABLE,
    "reconnect": Kind.RECONNECT,
    "forbidden": Kind.FORBIDDEN,
    "misconfigured": Kind.MISCONFIGURED,
}

# code | subcode | text | kind | category | again: whether asking again may help
TABLE = """
1      |         | An unknown error has occurred.                                    | unreachable   | transient    | again
2      |         | An unexpected error has occurred. Please retry your request later.| unreachable   | transient    | again
4      |         | (#4) Application request limit reached                            | busy          | rate_limit   | again
4      | 2207051 | Application request limit reached                                 | busy          | rate_limit   |
4      | 1390008 | (#4) Application request limit reached                            | busy          | rate_limit   | again
9      | 2207042 | Application request limit reached                                 | busy          | rate_limit   | again
10     |         | (#10) Application does not have permission for this action        | forbidden     | permission   |
10     |         | (#10) Not enough viewers for the media to show insights           | forbidden     | permission   |
10     | 2207081 | no trial reels                                                    | refused       | permission   |
12     |         | (#12) singular published story API is deprecated                  | refused       | unknown      |
17     |         | (#17) User request limit reached                                  | busy          | rate_limit   | again
17     | 2446079 | User request limit reached                                        | busy          | rate_limit   | again
18     |         | hashtags                                                          | busy          | rate_limit   | again
20     | 1772107 | format not supported                                              | refused       | conflict     |
24     | 2207006 | The requested resource does not exist                             | refused       | conflict     |
24     | 2207008 | The requested resource does not exist                             | refused       | conflict     | again
25     | 2207050 | User access is restricted                                         | refused       | permission   |
32     |         | (#32) Page request limit reached                                  | busy          | rate_limit   | again
100    |         | (#100) Tried accessing nonexisting field (permalink)              | refused       | unknown      |
100    |         | (#100) Param image_url is required                                | refused       | unknown      |
100    |         | INSTAGRAM_PLATFORM_API__INVALID_LOCATION_ID                       | refused       | unknown      |
100    |         | The param collaborators is not allowed for carousel child         | refused       | unknown      |
100    | 33      | Unsupported get request. Object with ID '190' does not exist      | refused       | unknown      |
100    | 36007   | This authorization code has expired.                              | refused       | token        |
100    | 36008   | redirect_uri differs                                              | refused       | token        |
100    | 36009   | This authorization code has been used.                            | refused       | token        |
100    | 2207010 | caption                                                           | refused       | policy       |
100    | 2207023 | Unknown media type                                                | refused       | media_format |
100    | 2207028 | Invalid parameter                                                 | refused       | policy       |
100    | 2207035 | Invalid parameter                                                 | refused       | policy       |
100    | 2207036 | Invalid parameter                                                 | refused       | policy       |
100    | 2207037 | Invalid parameter                                                 | refused       | policy       |
100    | 2207040 | Invalid parameter                                                 | refused       | policy       |
100    | 2207089 | Invalid parameter                                                 | refused       | media_format |
102    |         | Session key invalid or no longer valid                            | reconnect     | token        |
104    |         | Incorrect signature                                               | misconfigured | token        |
110    | 2207013 | Invalid user id                                                   | refused       | unknown      |
110    | 2207018 | Invalid user id                                                   | refused       | policy       |
190    |         | Invalid OAuth access token - Cannot parse access token            | reconnect     | token        |
190    | 0       | Error validating access token: Session has expired                | reconnect     | token        |
190    | 458     | Error validating access token                                     | reconnect     | token        |
190    | 459     | Error validating access token                                     | reconnect     | token        |
190    | 460     | Error validating access token: The session has been invalidated   | reconnect     | token        |
190    | 463     | Error validating access token: Session has expired                | reconnect     | token        |
190    | 464     | Error validating access token                                     | reconnect     | token        |
190    | 467     | Error validating access token                                     | reconnect     | token        |
190    | 492     | Error validating access token                                     | reconnect     | token        |
200    |         | (#200) Permissions error                                          | forbidden     | permission   |
200    |         | API access blocked.                                               | forbidden     | permission   |
210    |         | User not visible                                                  | forbidden     | permission   |
299    | 5       | no                                                                | forbidden     | permission   |
341    |         | Application limit reached                                         | busy          | rate_limit   | again
352    | 2207026 | The video format is not supported                                 | refused       | media_format |
368    |         | The action attempted has been deemed abusive                      | busy          | policy       |
613    |         | (#613) Calls to this api have exceeded the rate limit.            | busy          | rate_limit   | again
613    | 1996    | no                                                                | busy          | rate_limit   | again
803    |         | (#803) Some of the aliases you requested do not exist: 190        | refused       | unknown      |
2500   |         | An active access token must be used                               | refused       | unknown      |
9004   | 2207052 | Only photo or video can be accepted as media type.                | refused       | media_fetch  | again
9007   | 2207027 | Media ID is not available                                         | busy          | transient    | again
36000  | 2207004 | The image is too large                                            | refused       | media_format |
36001  | 2207005 | The image format is not supported                                 | refused       | media_format |
36003  | 2207009 | The aspect ratio is not supported                                 | refused       | media_format |
36004  | 2207010 | The caption was too long                                          | refused       | policy       |
80000  |         | (#80000) There have been too many calls                           | busy          | rate_limit   | again
80001  |         | There have been too many calls to this Page account.              | busy          | rate_limit   | again
80002  |         | (#80002) There have been too many calls                           | busy          | rate_limit   | again
80007  |         | another business                                                  | refused       | unknown      |
80014  |         | (#80014) There have been too many calls                           | busy          | rate_limit   | again
-1     | 2207001 | An error occurred                                                 | unreachable   | transient    | again
-1     | 2207032 | An error occurred                                                 | unreachable   | transient    | again
-1     | 2207053 | An error occurred                                                 | unreachable   | transient    | again
-1     | 2207073 | cannot delete                                                     | refused       | policy       |
-2     | 2207003 | timeout                                                           | unreachable   | media_fetch  | again
-2     | 2207020 | expired                                                           | refused       | conflict     |
1      | 2207057 | Invalid thumbnail offset                                          | refused       | media_format |
424242 |         | (#424242) new                                                     | refused       | unknown      |
-1     | 2207077 | the subcode speaks for itself                                     | refused       | media_fetch  | again
100    |         | code 190, 460 and 2207001: token expired                          | refused       | unknown      |
100    |         | (#4) Application request limit reached                            | refused       | unknown      |
100    |         | "error_subcode":463,"code":190,                                   | refused       | unknown      |
100    |         | REVOKED_ACCESS_TOKEN session has been invalidated                 | refused       | unknown      |
803    |         | Not enough permissions to post                                    | refused       | unknown      |
36001  | 2207005 | Invalid platform app; redirect; matching code; verification code  | refused       | media_format |
190    | 463     | (#4) rate limit; Page request limit reached                       | reconnect     | token        |
"""
ROWS = [[cell.strip() for cell in f"{line}|".split("|")] for line in TABLE.strip().splitlines()]


def said(code: object, subcode: object = None, text: str = "no", **more: object) -> Trouble:
    error = {
        "message": text,
        "type": "OAuthException",
        "code": code,
        "error_subcode": subcode,
        "fbtrace_id": "Ax",
        **more,
    }
    body = {"error": {key: value for key, value in error.items() if value is not None}}
    return trouble_from(400, {}, json.dumps(body).encode(), what="publish the post")


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]}-{row[1]}-{row[2][:20]}" for row in ROWS])
def test_a_body_becomes_what_its_numbers_mean(row: list[str]):
    code, subcode, text, kind, category, again = row[:6]
    trouble = said(int(code), int(subcode) if subcode else None, text, is_transient=False)
    assert isinstance(trouble, RemoteTrouble)
    assert (trouble.kind, category_of(trouble)) == (KINDS[kind], Category(category))
    assert trouble.retryable is (again == "again")
    assert trouble.action
    assert trouble.trace_id == "Ax"
    assert (trouble.retry_after is not None) == (trouble.kind is Kind.BUSY)
    assert revokes(trouble) == (kind == "reconnect" and subcode not in ("459", "464", "492"))


def test_the_table_is_walked_in_full():
    assert len(ROWS) >= 80


@pytest.mark.parametrize("code", ["190", 190.0, True, None, [190], {}])
def test_a_code_of_a_strange_type_is_read_as_a_number_or_not_at_all(code: object):
    trouble = said(code)
    assert (trouble.kind is Kind.RECONNECT) == (code == "190")


@pytest.mark.parametrize(
    ("state", "status", "failure", "kind", "category", "again"),
    [
        (
            "ERROR",
            "Error: Media upload has failed with error code 2207082",
            (None, 2207082),
            "unreachable",
            "media_fetch",
            True,
        ),
        (
            "ERROR",
            "Error: Media upload has failed with error code 2207076",
            (None, 2207076),
            "refused",
            "media_format",
            False,
        ),
        (
            "ERROR",
            "Error: Media upload has failed with error code 2207077.",
            (None, 2207077),
            "refused",
            "media_fetch",
            True,
        ),
        (
            "ERROR",
            "Error: Media upload has failed with error code 2207085",
            (None, 2207085),
            "refused",
            "media_format",
            False,
        ),
        (
            "ERROR",
            "Error: Media upload has failed with error code 2207053",
            (None, 2207053),
            "unreachable",
            "transient",
            True,
        ),
        (
            "ERROR",
            "Error: Media upload has failed with error code 2207026",
            (None, 2207026),
            "refused",
            "media_format",
            False,
        ),
        ("ERROR", "-2/2207003", (-2, 2207003), "unreachable", "media_fetch", True),
        ("ERROR", "25/2207050", (25, 2207050), "refused", "permission", False),
        ("ERROR", "Error: Media download has failed.", None, "refused", "unknown", False),
        ("ERROR", "Error: at 17841400000000000 nothing", None, "refused", "unknown", False),
        ("ERROR", None, None, "refused", "unknown", False),
        (
            None,
            "Error: Media download has failed with error code 2207052",
            (None, 2207052),
            "refused",
            "media_fetch",
            True,
        ),
        ("EXPIRED", "Expired: The media was not published within 24 hours", None, "refused", "conflict", False),
    ],
)
def test_a_dead_container_says_what_it_died_of(
    state: str | None,
    status: str | None,
    failure: tuple[int | None, int] | None,
    kind: str,
    category: str,
    again: bool,
):
    container = model.container_from({"id": "1", "status_code": state, "status": status})
    assert container.failure == failure
    assert container.state in (ContainerState.ERROR, ContainerState.EXPIRED)
    meaning = meaning_of_container(container)
    assert (meaning.kind, meaning.category, meaning.retryable) == (KINDS[kind], Category(category), again)
    assert meaning.cause
    assert meaning.action


@pytest.mark.parametrize("state", ["FINISHED", "IN_PROGRESS", "PUBLISHED"])
def test_a_living_container_has_no_failure_whatever_its_text(state: str):
    container = model.container_from({"id": "1", "status_code": state, "status": "Finished: 2207082"})
    assert container == Container("1", ContainerState(state), "Finished: 2207082")


@pytest.mark.parametrize(
    "trouble",
    [
        Unreachable("the connection to 'graph.instagram.com' failed"),
        trouble_from(502, {"content-type": "text/html"}, b"<html>", what="x"),
        trouble_from(200, {}, b'{"id": "17', what="x"),
        said(2),
        said(-1, 2207001),
        said(4, 2207051),
        said(9, 2207042),
        said(100, is_transient=True),
        said(20, 1772107),
    ],
)
def test_these_may_hide_a_success(trouble: Trouble):
    assert doubtful(trouble)


@pytest.mark.parametrize(
    "trouble",
    [
        said(9007, 2207027),
        said(100, 2207089),
        said(190, 463),
        said(10),
        said(200),
        said(4),
        said(100, 33),
        said(24, 2207006),
        Refused("no"),
        Reconnect("no"),
        Busy("no", retry_after=3),
        Forbidden("no"),
    ],
)
def test_these_are_plain_refusals(trouble: Trouble):
    assert not doubtful(trouble)
