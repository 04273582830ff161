"""Users' pure rules: passwords, tallies of wrong ones, owners, tokens."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from tintype.backends.vault import Vault, new_key
from tintype.core.access import Locked, Role, Signer
from tintype.core.access.attempts import LOCK, MOST_IN_A_ROW, MOST_IN_WINDOW, WINDOW, Tally
from tintype.core.access.model import check_owner_stays, email_problem, normal_email
from tintype.core.access.passwords import SPECIAL, Passwords, problems_of
from tintype.core.access.tokens import Purpose
from tintype.errors import Conflict, Misconfigured, RateLimited, Unauthorized

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECRET = "a secret of this platform, long enough for HS256"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


roles = st.dictionaries(st.integers(1, 5), st.sampled_from(Role), min_size=1)


@given(st.text(max_size=20))
def test_a_password_is_told_all_that_it_lacks(password: str) -> None:
    lacks = " ".join(problems_of(password))
    assert ("at least 8" in lacks) == (len(password) < 8)
    assert ("uppercase" in lacks) == (not any(one.isupper() for one in password))
    assert ("digit" in lacks) == (not any(one.isdigit() for one in password))


@given(st.text("abc", min_size=6, max_size=6), st.sampled_from(SPECIAL))
def test_every_shown_special_character_counts(rest: str, special: str) -> None:
    assert problems_of(f"A1{rest}{special}") == []


@given(st.lists(st.timedeltas(timedelta(0), timedelta(minutes=20)), max_size=40), st.booleans())
def test_never_more_than_five_in_a_minute_and_ten_in_a_row(pauses: list[timedelta], locks: bool) -> None:
    tally, now, taken, in_a_row, since, locked_at = Tally(NOW), NOW, 0, 0, NOW, NOW - LOCK
    for pause in pauses:
        now += pause
        try:
            tally.check(now)
        except RateLimited:
            assert taken == MOST_IN_WINDOW
            assert now < since + WINDOW
            continue
        except Locked:
            assert locks
            assert in_a_row == 0
            assert now < locked_at + LOCK
            continue
        since, taken = (now, 1) if now >= since + WINDOW else (since, taken + 1)
        in_a_row += 1
        if locks and in_a_row == MOST_IN_A_ROW:
            in_a_row, locked_at = 0, now
        tally = tally.failed(now, locks=locks)
        assert taken <= MOST_IN_WINDOW


@given(roles, st.integers(1, 5), st.none() | st.sampled_from(Role))
def test_a_workspace_that_has_an_owner_keeps_one(held: dict[int, Role], user: int, role: Role | None) -> None:
    had = Role.OWNER in held.values()
    after = {one: what for one, what in {**held, user: role}.items() if what is not None}
    try:
        check_owner_stays(held, user, role)
    except Conflict:
        assert had
        assert Role.OWNER not in after.values()
    else:
        assert not had or Role.OWNER in after.values()


@pytest.mark.parametrize("email", ["a@b", "a.b+c@example.com", "ä@ö.example", "o'neil@example.com"])
def test_addresses_are_taken_as_people_have_them(email: str) -> None:
    assert email_problem(email) is None


@pytest.mark.parametrize(
    "email", ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a@b\n", "a\0@b", "a\ud800@b", "a" * 255]
)
def test_what_is_no_address_is_told(email: str) -> None:
    assert email_problem(email) is not None


def test_addresses_are_compared_without_case() -> None:
    assert normal_email(" Ann@Example.COM ") == "ann@example.com"


@pytest.mark.usefixtures("as_sold")
async def test_a_hash_costs_what_rfc_9106_asks_for() -> None:
    assert (await Passwords().hash("Correct-h0rse")).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_hash_of_other_parameters_is_dated_and_still_good() -> None:
    weak = Passwords(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
    stored = await weak.hash("Correct-h0rse")
    assert await Passwords().matches(stored, "Correct-h0rse")
    assert not await Passwords().matches(stored, "Wrong-h0rse")
    assert Passwords().is_dated(stored)
    assert not weak.is_dated(stored)
    assert not await weak.matches(None, "Correct-h0rse")
    assert not await weak.matches("nonsense", "Correct-h0rse")


def test_a_token_lives_its_time_and_no_longer() -> None:
    signer = Signer.of(SECRET, Vault.of(new_key()))
    token = signer.access(7, Role.EDITOR, "w", "s", NOW)
    claims = signer.read(token, Purpose.ACCESS, NOW + timedelta(seconds=3599))
    assert (claims.user_id, claims.workspace_id, claims.session_id) == (7, "w", "s")
    for purpose, at in ((Purpose.ACCESS, NOW + timedelta(hours=1)), (Purpose.REFRESH, NOW)):
        with pytest.raises(Unauthorized, match="Invalid or expired token"):
            signer.read(token, purpose, at)


def test_a_token_outlives_the_rotation_of_its_key() -> None:
    old, new = new_key(), new_key()
    token = Signer.of(None, Vault.of(old)).access(7, Role.OWNER, None, "s", NOW)
    assert Signer.of(None, Vault.of(new, [old])).read(token, Purpose.ACCESS, NOW).user_id == 7
    with pytest.raises(Unauthorized):
        Signer.of(None, Vault.of(new)).read(token, Purpose.ACCESS, NOW)


def test_the_encryption_key_itself_signs_nothing() -> None:
    vault = Vault.of(new_key())
    token = Signer.of(None, vault).access(7, Role.OWNER, None, "s", NOW)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, vault.current.secret, algorithms=["HS256"])


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(Misconfigured, match="PLATFORM_SECRET_KEY must be at least 32 bytes"):
        Signer.of("short", Vault.of(new_key()))
    assert SECRET not in repr(Signer.of(SECRET, Vault.of(new_key())))


@given(st.text())
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(Unauthorized):
        Signer.of(SECRET, Vault.of(new_key())).read(text, Purpose.ACCESS, NOW)
