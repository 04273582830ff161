"""The limits are data with a source; the code has no other numbers of Meta's."""

from dataclasses import fields
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from tintype.instagram import LIMITS, Limits
from tintype.instagram.limits import Limit, Status, load

SHIPPED = files("tintype.instagram").joinpath("limits.toml").read_text("utf-8")


def test_every_limit_says_where_it_comes_from():
    for known in fields(Limits):
        limit: Limit = getattr(LIMITS, known.name)
        assert limit.unit, known.name
        assert limit.source, known.name
        assert limit.checked_on <= datetime.now(UTC).date(), known.name
        assert limit.value > 0, known.name
        assert limit.status is Status.OBSERVED or limit.source.startswith("https://developers.facebook.com/"), (
            known.name
        )


def test_the_figures_people_ask_about():
    assert (LIMITS.caption_characters.value, LIMITS.carousel_items_max.value) == (2200, 10)
    assert LIMITS.image_bytes.whole == 8 * 2**20
    assert LIMITS.long_token_life.value == 60 * 24 * 3600


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("[cover_bytes]", "[cover_octets]", "cover_bytes, cover_octets"),
        ('unit = "updates"', "unit = 3", "webhook_batch"),
        ("[webhook_batch]\n", '[webhook_batch]\nnote = "x"\n', "webhook_batch"),
        ('status = "documented"', 'status = "guessed"', "guessed"),
    ],
)
def test_a_wrong_file_is_named(before: str, after: str, complaint: str):
    assert before in SHIPPED
    with pytest.raises(ValueError, match=complaint):
        load(SHIPPED.replace(before, after))
