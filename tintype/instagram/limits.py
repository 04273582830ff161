"""Instagram's limits as typed values, read from `limits.toml`: the only place where a number of Meta's may stand.

Each limit carries its unit, its source and the day somebody last looked, so that `doctor` can say which are old and a reader
can tell what Meta documents from what was only seen to be so.
"""

import tomllib
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from importlib.resources import files
from typing import cast


class Status(StrEnum):
    """How a limit is known."""

    DOCUMENTED = "documented"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class Limit:
    """One number with its unit, its source and the day it was last checked."""

    value: int | float
    unit: str
    source: str
    checked_on: date
    status: Status

    @property
    def whole(self) -> int:
        """The value for places that count things."""
        return int(self.value)


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit by name; the names are the tables of `limits.toml`."""

    list_page_items: Limit
    media_readable_items: Limit
    comments_page_items: Limit
    hashtag_page_items: Limit
    hashtag_searches: Limit
    hashtag_search_window: Limit

    code_life: Limit
    short_token_life: Limit
    long_token_life: Limit
    token_refresh_age: Limit
    data_access_life: Limit

    calls_per_impression: Limit
    account_rate_window: Limit
    calls_per_app_user: Limit
    app_rate_window: Limit

    published_posts: Limit
    published_posts_window: Limit
    containers: Limit
    containers_window: Limit
    container_life: Limit
    container_look_spacing: Limit
    container_look_window: Limit
    story_life: Limit

    caption_characters: Limit
    caption_hashtags: Limit
    caption_mentions: Limit
    alt_text_characters: Limit
    carousel_items_min: Limit
    carousel_items_max: Limit
    collaborators: Limit
    username_characters: Limit
    user_tags: Limit
    product_tags: Limit
    sponsors: Limit
    comment_characters: Limit

    image_bytes: Limit
    image_width_min: Limit
    image_width_max: Limit
    image_aspect_min: Limit
    image_aspect_max: Limit
    video_width_max: Limit
    video_aspect_min: Limit
    video_aspect_max: Limit
    story_video_aspect_min: Limit
    video_rate_min: Limit
    video_rate_max: Limit
    video_bits: Limit
    audio_rate_max: Limit
    audio_channels_max: Limit
    audio_bits: Limit
    vertical_aspect: Limit
    reel_bytes: Limit
    reel_seconds_min: Limit
    reel_seconds_max: Limit
    story_video_bytes: Limit
    story_seconds_min: Limit
    story_seconds_max: Limit
    cover_bytes: Limit

    insights_media_delay: Limit
    insights_media_kept: Limit
    insights_account_kept: Limit
    insights_span: Limit
    demographics_followers_min: Limit
    story_insights_viewers_min: Limit

    webhook_batch: Limit
    webhook_retry_window: Limit


def load(text: str | None = None) -> Limits:
    """The shipped limits, or those of another TOML text; raises ValueError naming a table that is missing or unknown."""
    source = text if text is not None else files("tintype.instagram").joinpath("limits.toml").read_text("utf-8")
    tables = cast("dict[str, dict[str, object]]", tomllib.loads(source))
    names = {known.name for known in fields(Limits)}
    if odd := names ^ tables.keys():
        raise ValueError(f"limits.toml and Limits differ in: {', '.join(sorted(odd))}")
    return Limits(**{name: _limit(name, table) for name, table in tables.items()})


def _limit(name: str, table: dict[str, object]) -> Limit:
    match table:
        case {
            "value": int() | float() as value,
            "unit": str(unit),
            "source": str(source),
            "checked_on": date() as checked_on,
            "status": str(status),
        } if len(table) == len(fields(Limit)):
            return Limit(value, unit, source, checked_on, Status(status))
        case _:
            raise ValueError(
                f"limits.toml: [{name}] needs value, unit, source, checked_on and status, and nothing else"
            )


LIMITS = load()
