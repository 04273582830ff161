"""How posts are fetched by their addresses; the names are those of seed 2."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from tintype.settings.names import names


class DownloadSettings(BaseSettings):
    """How posts are fetched by their addresses; the names are those of seed 2."""

    api_key: SecretStr | None = Field(
        None,
        validation_alias=names("API_KEY"),
        description="When set, the scrape dialect asks for it, in the header X-API-Key or as a Bearer token.",
    )
    max_url_length: int = Field(
        512,
        gt=0,
        validation_alias=names("MAX_URL_LENGTH"),
        description="Longest URL that /scrape takes, 2048 at most.",
    )
    max_json_body_bytes: int = Field(
        4096, gt=0, validation_alias=names("MAX_JSON_BODY_BYTES"), description="Largest body that /scrape takes."
    )
    rate_limit_max_requests: int = Field(
        30,
        ge=0,
        validation_alias=names("RATE_LIMIT_MAX_REQUESTS"),
        description="Requests to /scrape that one address may make in a window; 0 switches it off.",
    )
    rate_limit_window_seconds: int = Field(
        60, gt=0, validation_alias=names("RATE_LIMIT_WINDOW_SECONDS"), description="Length of that window."
    )
    max_media_age_days: int = Field(
        7, ge=0, validation_alias=names("MAX_MEDIA_AGE_DAYS"), description="Days that downloaded posts are kept."
    )
    media_cleanup_interval_seconds: int = Field(
        3600,
        gt=0,
        validation_alias=names("MEDIA_CLEANUP_INTERVAL_SECONDS"),
        description="Least seconds between two looks for downloaded posts that are too old.",
    )
    scrape_wait_seconds: float = Field(
        60.0,
        gt=0,
        le=600,
        validation_alias=names("SCRAPE_WAIT_SECONDS"),
        description="How long /scrape waits for a download before it answers 503 while the download goes on.",
    )
    download_seconds: float = Field(
        600.0,
        gt=0,
        validation_alias=names("DOWNLOAD_SECONDS"),
        description="Time one post's download may take in all.",
    )
    downloads_at_once: int = Field(
        8, gt=0, validation_alias=names("DOWNLOADS_AT_ONCE"), description="Files fetched at the same time."
    )
    max_media_bytes: int = Field(
        268_435_456,
        gt=0,
        validation_alias=names("MAX_MEDIA_BYTES"),
        description="Largest post that is downloaded, all of its files together.",
    )
    min_free_bytes: int = Field(
        33_554_432,
        ge=0,
        validation_alias=names("MIN_FREE_BYTES"),
        description="Room that must be left on the volume for a download to begin.",
    )
    public_lookups_per_hour: int = Field(
        200,
        gt=0,
        validation_alias=names("PUBLIC_LOOKUPS_PER_HOUR"),
        description="Public look-ups that Instagram is asked for in the first hour; what follows is learned.",
    )
    public_lookup_seconds: float = Field(
        30.0,
        gt=0,
        validation_alias=names("PUBLIC_LOOKUP_SECONDS"),
        description="Time one public look-up may take, by all ways together.",
    )
    media_link_seconds: int = Field(
        86_400, gt=0, validation_alias=names("MEDIA_LINK_SECONDS"), description="How long a signed media link opens."
    )
