"""The pure rules of downloads: what to do about a post that is asked for, and how long an answer counts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.downloads import Download, Failure, File, Lease, Policy, Post, State, next_step
from tintype.core.downloads.model import Step, failure_from, name_of
from tintype.errors import Kind
from tintype.instagram.public import Reason, trouble

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECONDS = st.floats(-10_000, 10_000)


def download(state: State, **more: object) -> Download:
    return Download("id", "DAbCdEfGhIj", state, NOW, **more)  # pyright: ignore[reportArgumentType] - of a test


def file(name: str, kind: str) -> File:
    return File(name, kind, "x/y", 1, "0" * 64, None, None, "https://scontent.cdninstagram.com/x")


def post(*files: File) -> Post:
    return Post("CAROUSEL_ALBUM", None, None, "", None, None, None, "test", files)


@given(whole=st.booleans())
def test_a_post_nobody_asked_for_is_begun(whole: bool) -> None:
    assert next_step(None, NOW, whole=whole) is Step.BEGIN


@given(left=SECONDS, whole=st.booleans())
def test_a_running_one_is_joined_while_somebody_holds_it(left: float, whole: bool) -> None:
    running = download(State.RUNNING, lease=Lease("node", NOW + timedelta(seconds=left)))
    expected = Step.JOIN if timedelta(seconds=left) > timedelta(0) else Step.TAKE_OVER
    assert next_step(running, NOW, whole=whole) is expected


def test_a_running_one_without_a_lease_is_anybodys() -> None:
    assert next_step(download(State.RUNNING), NOW, whole=False) is Step.TAKE_OVER


@given(whole=st.booleans())
def test_a_done_one_answers_only_while_its_files_are_whole(whole: bool) -> None:
    done = download(State.DONE, post=post(file("a.mp4", "VIDEO")))
    assert next_step(done, NOW, whole=whole) is (Step.ANSWER if whole else Step.BEGIN)


@given(left=st.none() | SECONDS)
def test_a_failed_one_answers_while_its_no_holds(left: float | None) -> None:
    until = None if left is None else NOW + timedelta(seconds=left)
    failed = download(State.FAILED, failure=Failure(Kind.NOT_FOUND, "not_found", "gone", until))
    holds = until is not None and until > NOW
    assert next_step(failed, NOW, whole=False) is (Step.ANSWER if holds else Step.BEGIN)


@pytest.mark.parametrize(
    ("reason", "held"),
    [
        (Reason.NOT_FOUND, timedelta(minutes=10)),
        (Reason.MEDIA_GONE, timedelta(minutes=10)),
        (Reason.PRIVATE, timedelta(minutes=5)),
        (Reason.AGE_RESTRICTED, timedelta(minutes=5)),
        (Reason.UPSTREAM_RATE_LIMITED, timedelta(minutes=15)),
        (Reason.SESSION_EXPIRED, None),
        (Reason.UPSTREAM_ERROR, None),
        (Reason.MEDIA_TRUNCATED, None),
        (Reason.BAD_UPSTREAM_RESPONSE, None),
    ],
)
def test_how_long_a_no_is_an_answer(reason: Reason, held: timedelta | None) -> None:
    failure = failure_from(trouble(reason), NOW)
    assert failure.code == reason.value
    assert failure.until == (None if held is None else NOW + held)


@given(seconds=st.floats(1, 86_400))
def test_a_limit_holds_as_long_as_instagram_says(seconds: float) -> None:
    failure = failure_from(trouble(Reason.UPSTREAM_RATE_LIMITED, retry_after=seconds), NOW)
    assert failure.until == NOW + timedelta(seconds=seconds)


@given(kinds=st.lists(st.sampled_from(["IMAGE", "VIDEO"]), min_size=1, max_size=10))
def test_the_first_video_is_what_a_post_is_shown_by(kinds: list[str]) -> None:
    files = [file(f"{at}", kind) for at, kind in enumerate(kinds)]
    place = kinds.index("VIDEO") if "VIDEO" in kinds else 0
    assert post(*files).main is files[place]


@given(count=st.integers(1, 20))
def test_files_are_numbered_only_where_there_are_several(count: int) -> None:
    names = [name_of("-Abc", at, count, "jpg") for at in range(count)]
    assert len(set(names)) == count
    assert names == (["-Abc.jpg"] if count == 1 else [f"-Abc_{at}.jpg" for at in range(1, count + 1)])


def test_what_a_dead_process_worked_is_taken_over_within_ten_seconds() -> None:
    assert Policy().lease + Policy().look < timedelta(seconds=10)
