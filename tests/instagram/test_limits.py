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


PUBLISHING: dict[str, float] = {
    "caption_characters": 2200,
    "caption_hashtags": 30,
    "caption_mentions": 20,
    "alt_text_characters": 1000,
    "comment_characters": 2200,
    "collaborators": 3,
    "user_tags": 20,
    "username_characters": 30,
    "product_tags": 5,
    "sponsors": 2,
    "carousel_items_min": 2,
    "carousel_items_max": 10,
    "published_posts": 50,
    "containers": 400,
    "container_life": 86_400,
    "container_look_spacing": 60,
    "container_look_window": 300,
    "image_bytes": 8 * 2**20,
    "image_width_min": 320,
    "image_width_max": 1440,
    "image_aspect_min": 4 / 5,
    "image_aspect_max": 1.91,
    "cover_bytes": 8 * 2**20,
    "vertical_aspect": 9 / 16,
    "reel_bytes": 300 * 2**20,
    "reel_seconds_min": 3,
    "reel_seconds_max": 15 * 60,
    "story_video_bytes": 100 * 2**20,
    "story_seconds_min": 3,
    "story_seconds_max": 60,
    "story_video_aspect_min": 0.1,
    "video_width_max": 1920,
    "video_aspect_min": 0.01,
    "video_aspect_max": 10,
    "video_rate_min": 23,
    "video_rate_max": 60,
    "video_bits": 25_000_000,
    "audio_rate_max": 48_000,
    "audio_channels_max": 2,
    "audio_bits": 128_000,
}


@pytest.mark.parametrize(("name", "figure"), PUBLISHING.items())
def test_what_publishing_checks_has_its_figure(name: str, figure: float):
    limit: Limit = getattr(LIMITS, name)
    assert limit.value == figure


def test_every_lower_bound_is_below_its_upper_bound():
    names = {known.name for known in fields(Limits)}
    pairs = [(name, name.removesuffix("_min") + "_max") for name in names if name.endswith("_min")]
    bounded = [pair for pair in pairs if pair[1] in names]
    assert len(bounded) >= 7
    for least, most in bounded:
        assert getattr(LIMITS, least).value < getattr(LIMITS, most).value


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
