"""Sealed secrets: they open where they belong, under every known key, and nowhere else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.backends.vault import Key, Vault, new_key
from tintype.errors import Misconfigured, Unavailable

PLAIN = "IGQVJ-a-token"
HERE = "accounts:1:token"
VAULT = Vault.of(new_key())
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(anything, anything)
def test_what_is_sealed_opens_again(plain: str, context: str) -> None:
    assert VAULT.open(VAULT.seal(plain, context=context), context=context) == plain


@given(st.data())
def test_a_value_with_any_bit_altered_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(VAULT.seal(PLAIN, context=HERE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((Unavailable, Misconfigured)):
        VAULT.open(bytes(sealed), context=HERE)


@given(st.integers(0, 200))
def test_a_value_that_was_cut_does_not_open(length: int) -> None:
    sealed = VAULT.seal(PLAIN, context=HERE)
    with pytest.raises((Unavailable, Misconfigured)):
        VAULT.open(sealed[: min(length, len(sealed) - 1)], context=HERE)


@given(anything)
def test_a_value_does_not_open_in_another_place(context: str) -> None:
    with pytest.raises(Unavailable):
        VAULT.open(VAULT.seal(PLAIN, context=HERE), context=context + "x")


def test_a_stored_value_of_today_opens_for_ever() -> None:
    stored = "01630dcd290000000000000000000000006f9cc1b1de49edb41b2372d646dc083cb3cb39cc482c36"
    assert Vault(Key(bytes(range(32)))).open(bytes.fromhex(stored), context="c") == "a token"


def test_two_seals_differ_and_hide_the_plain_text() -> None:
    one, two = VAULT.seal(PLAIN, context=HERE), VAULT.seal(PLAIN, context=HERE)
    assert one != two
    assert PLAIN.encode() not in one


def test_rotation_opens_with_the_old_key_and_seals_with_the_new() -> None:
    first, second = new_key(), new_key()
    sealed = Vault.of(first).seal(PLAIN, context=HERE)
    both = Vault.of(second, [first])
    assert both.needs_rotation(sealed)
    again = both.seal(both.open(sealed, context=HERE), context=HERE)
    assert not both.needs_rotation(again)
    assert Vault.of(second).open(again, context=HERE) == PLAIN


def test_an_unknown_key_says_what_to_do() -> None:
    sealed = VAULT.seal(PLAIN, context=HERE)
    with pytest.raises(Misconfigured, match="ENCRYPTION_KEYS_OLD"):
        Vault.of(new_key()).open(sealed, context=HERE)


@pytest.mark.parametrize("text", ["", "hello", base64.b64encode(bytes(31)).decode(), "*" * 44])
def test_a_wrong_key_is_refused_at_once_and_not_repeated(text: str) -> None:
    with pytest.raises(Misconfigured, match="openssl rand -base64 32") as told:
        Vault.of(text)
    assert not text or text not in str(told.value)
    with pytest.raises(Misconfigured, match="ENCRYPTION_KEYS_OLD"):
        Vault.of(new_key(), [text])


def test_a_key_is_in_no_repr() -> None:
    key = Key(b"k" * 32)
    assert "kkk" not in repr(Vault(key, (key,)))
