"""How feeds are kept, and what seed 0's surroundings are."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from tintype.settings.names import names


class FeedSettings(BaseSettings):
    """How feeds are kept, and what seed 0's surroundings are."""

    instagram_photos_ttl_seconds: int = Field(
        604_800,
        gt=0,
        validation_alias=names("INSTAGRAM_PHOTOS_TTL_SECONDS"),
        description="How long a cached feed is trusted without a look at the database; feeds themselves never expire.",
    )
    feed_max_items: int = Field(
        500, gt=0, le=10_000, validation_alias=names("FEED_MAX_ITEMS"), description="Newest posts kept per account."
    )
    feed_sync_minutes: int = Field(
        30, ge=0, validation_alias=names("FEED_SYNC_MINUTES"), description="Minutes between syncs; 0 switches it off."
    )
    feed_copy_videos: bool = Field(
        True, validation_alias=names("FEED_COPY_VIDEOS"), description="Keep own copies of videos beside pictures."
    )
    feed_removal_spacing_seconds: int = Field(
        3600,
        ge=0,
        validation_alias=names("FEED_REMOVAL_SPACING_SECONDS"),
        description="Seconds between the two direct reads that must both miss a post before it is taken down.",
    )
    sync_internal_secret: SecretStr | None = Field(
        None, validation_alias=names("SYNC_INTERNAL_SECRET"), description="Secret that POST /sync asks for."
    )
    qstash_url: str = Field(
        "https://qstash.upstash.io", validation_alias=names("QSTASH_URL"), description="Address of QStash."
    )
    qstash_token: SecretStr | None = Field(
        None, validation_alias=names("QSTASH_TOKEN"), description="When set, POST /sync publishes to QStash."
    )
    qstash_current_signing_key: SecretStr | None = Field(
        None,
        validation_alias=names("QSTASH_CURRENT_SIGNING_KEY"),
        description="Key that verifies calls of /sync/process/{tenantId}.",
    )
    qstash_next_signing_key: SecretStr | None = Field(
        None, validation_alias=names("QSTASH_NEXT_SIGNING_KEY"), description="The key that follows, tried second."
    )
    cloudinary_cloud_name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,128}$",
        validation_alias=names("CLOUDINARY_CLOUD_NAME"),
        description="With its key and secret, pictures of feeds are kept in this cloud as well, and `GET /photos` "
        "shows them there.",
    )
    cloudinary_api_key: SecretStr | None = Field(
        None, validation_alias=names("CLOUDINARY_API_KEY"), description="API key of that cloud."
    )
    cloudinary_api_secret: SecretStr | None = Field(
        None, validation_alias=names("CLOUDINARY_API_SECRET"), description="Secret of that key, which signs each call."
    )
    cloudinary_upload_prefix: str = Field(
        "https://api.cloudinary.com",
        validation_alias=names("CLOUDINARY_UPLOAD_PREFIX"),
        description="Address of Cloudinary's API, of another region for example.",
    )
