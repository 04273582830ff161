"""What must hold when much happens at once and everywhere: wrong passwords, refreshes, registrations; on both databases."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from weakref import WeakValueDictionary

import pytest

from tests.api.people import DATABASES, PASSWORD, Someone, house_of_people, refused, someone, stranger
from tests.walks.stage import Stage
from tintype.core.access import Locked, Passwords
from tintype.errors import RateLimited

WRONG = "Wrong-h0rse"


@pytest.fixture(scope="module", params=DATABASES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with house_of_people(request.param) as one:
        yield one


@pytest.fixture
async def ann(stage: Stage) -> Someone:
    return await someone(stage)


async def fail(who: Someone, times: int) -> None:
    for _ in range(times):
        refused(await who.login(WRONG), 401, "unauthorized")


async def lock(who: Someone) -> None:
    await fail(who, 5)
    who.stage.skip(timedelta(seconds=61))
    await fail(who, 5)


def moved(who: Someone) -> Someone:
    """The same user at another address."""
    return replace(who, address=stranger(who.stage).address)


async def test_after_five_in_a_minute_even_the_right_one_waits(ann: Someone) -> None:
    await fail(ann, 5)
    for password in (WRONG, PASSWORD):
        answer = await ann.login(password)
        assert refused(answer, 429, "rate_limited") == "Rate limit exceeded. Please try again later."
        assert "wait and try again" in answer.json()["detail"]
        assert answer.json()["error_code"] == "RATE_LIMITED"
        assert 1 <= answer.json()["retry_after"] <= 60
        assert answer.headers["retry-after"] == str(answer.json()["retry_after"])
    ann.stage.skip(timedelta(seconds=61))
    assert (await ann.login()).status_code == 200


async def test_an_account_waits_wherever_it_is_tried_from(ann: Someone) -> None:
    for _ in range(5):
        await fail(moved(ann), 1)
    refused(await moved(ann).login(), 429, "rate_limited")


async def test_an_address_waits_whatever_account_it_tries(stage: Stage, ann: Someone) -> None:
    for _ in range(5):
        refused(await replace(stranger(stage), address=ann.address).login(WRONG), 401, "unauthorized")
    refused(await ann.login(), 429, "rate_limited")
    assert (await moved(ann).login()).status_code == 200


async def test_a_right_one_does_not_wash_an_address(ann: Someone) -> None:
    victim = await someone(ann.stage)
    guess = replace(victim, address=ann.address)
    await fail(guess, 3)
    assert (await ann.login()).status_code == 200
    await fail(guess, 2)
    refused(await ann.login(), 429, "rate_limited")


async def test_ten_in_a_row_lock_the_account_for_a_quarter_of_an_hour(ann: Someone) -> None:
    await lock(ann)
    for password in (WRONG, PASSWORD):
        answer = await ann.login(password)
        assert "locked" in refused(answer, 403, "forbidden")
        assert answer.json()["error_code"] == "ACCOUNT_LOCKED"
        assert 800 < answer.json()["retry_after"] <= 900
        assert answer.headers["retry-after"] == str(answer.json()["retry_after"])
    ann.stage.skip(timedelta(minutes=14))
    refused(await moved(ann).login(), 403, "forbidden")
    ann.stage.skip(timedelta(minutes=2))
    assert (await ann.login()).status_code == 200


async def test_a_lock_does_not_disturb_who_is_logged_in(ann: Someone) -> None:
    await lock(ann)
    refused(await ann.login(), 403, "forbidden")
    ann.stage.clock.ahead -= timedelta(seconds=61)
    assert (await ann.me()).status_code == 200
    assert (await ann.renew()).status_code == 200
    ann.stage.clock.ahead += timedelta(seconds=61)


async def test_a_right_one_in_between_begins_anew(ann: Someone) -> None:
    for _ in range(3):
        await fail(ann, 4)
        ann.stage.skip(timedelta(seconds=61))
        assert (await ann.login()).status_code == 200


async def test_nobody_learns_from_a_lock_who_is_registered(stage: Stage) -> None:
    nobody = stranger(stage)
    await lock(nobody)
    answer = await nobody.login()
    refused(answer, 403, "forbidden")
    assert answer.json()["error_code"] == "ACCOUNT_LOCKED"


async def test_many_guesses_at_once_are_counted_one_by_one(ann: Someone) -> None:
    answers = await asyncio.gather(*(ann.login(WRONG) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7


async def test_many_right_ones_at_once_all_enter(ann: Someone) -> None:
    answers = await asyncio.gather(*(ann.login() for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8


async def test_of_many_at_once_one_registers(stage: Stage) -> None:
    bob = stranger(stage)
    body = {"email": bob.email, "password": PASSWORD}
    answers = await asyncio.gather(*(bob.post("/register", body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


async def test_of_many_refreshes_at_once_one_is_answered_and_the_session_ends(ann: Someone) -> None:
    answers = await asyncio.gather(*(ann.renew() for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    refused(await ann.renew(won["refresh_token"]), 401, "unauthorized")


@pytest.mark.parametrize("email", ["a\x00b@example.com", "no address", "x" * 5000])
async def test_no_address_is_too_strange_to_be_wrong(stage: Stage, email: str) -> None:
    refused(await replace(stranger(stage), email=email).login(), 401, "unauthorized")


async def test_another_process_knows_the_count(ann: Someone) -> None:
    await fail(ann, 5)
    here = ann.stage.house.users
    elsewhere = replace(here, passwords=Passwords(), locks=WeakValueDictionary[str, asyncio.Lock]())
    with pytest.raises(RateLimited):
        await elsewhere.login(ann.email, PASSWORD, moved(ann).address)
    ann.stage.skip(timedelta(seconds=61))
    await fail(ann, 5)
    with pytest.raises(Locked):
        await elsewhere.login(ann.email, PASSWORD, moved(ann).address)


async def test_no_secret_is_logged(ann: Someone, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await fail(ann, 6 - 1)
        await ann.login(PASSWORD)
        await ann.renew()
        await ann.renew()
        await ann.me()
    for secret in (PASSWORD, WRONG, ann.access, ann.refresh):
        assert secret not in caplog.text
