"""How posts are published and measured."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from tintype.settings.names import names


class PublishingSettings(BaseSettings):
    """How posts are published and measured."""

    publish_video_upload: Literal["auto", "always", "never"] = Field(
        "auto",
        validation_alias=names("PUBLISH_VIDEO_UPLOAD"),
        description="Send videos to Instagram instead of an address to fetch; auto: when it cannot reach this server.",
    )
    insights_collect: bool = Field(
        True,
        validation_alias=names("INSIGHTS_COLLECT"),
        description="Read the numbers of posts and accounts by itself; without it only when somebody asks.",
    )
    insights_kept_days: int = Field(
        760,
        ge=181,
        le=36_500,
        validation_alias=names("INSIGHTS_KEPT_DAYS"),
        description="How long the samples of numbers are kept; the last numbers of each post stay.",
    )
    engagement_rate: Literal["reach", "views", "followers", "likes_comments_followers"] = Field(
        "reach",
        validation_alias=names("ENGAGEMENT_RATE"),
        description="What interactions are divided by in the engagement rate.",
    )
    publish_settle_seconds: float = Field(
        30.0,
        ge=0,
        le=600,
        validation_alias=names("PUBLISH_SETTLE_SECONDS"),
        description="After a publish whose answer was lost, seconds before an unused container may be published again.",
    )
    publish_wait_seconds: float = Field(
        50.0,
        ge=0,
        le=600,
        validation_alias=names("PUBLISH_WAIT_SECONDS"),
        description="Seconds a request that publishes waits for Instagram; then it answers 202 and the work goes on.",
    )
    upload_max_bytes: int = Field(
        300_000_000,
        gt=0,
        validation_alias=names("UPLOAD_MAX_BYTES"),
        description="Largest picture or video that POST /api/sns/instagram/uploads takes.",
    )
