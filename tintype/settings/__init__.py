"""Every setting once: its type, its default, what it is for, and the seeds' own environment names as aliases.

Those of one trade stand in a module of their own; here is what the whole house needs, and how all of it is read.

Settings are read at the roof (`app.py`) and cut there into small policies; nothing below knows this module's class.
"""

import base64
import binascii
import ipaddress
import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from tintype.errors import Misconfigured
from tintype.settings.downloads import DownloadSettings
from tintype.settings.feed import FeedSettings
from tintype.settings.names import names
from tintype.settings.notifications import NotificationSettings
from tintype.settings.picker import PickerSettings
from tintype.settings.publishing import PublishingSettings
from tintype.settings.recipes import RecipeSettings
from tintype.settings.users import AuthIssuer, UserSettings
from tintype.settings.webhooks import WebhookSettings

__all__ = ["DIALECTS", "AuthIssuer", "Settings", "environment_name", "load"]

DIALECTS = ("feed", "scrape", "social", "queue", "picker")

Names = Annotated[tuple[str, ...], NoDecode]


class Settings(
    FeedSettings,
    PublishingSettings,
    UserSettings,
    DownloadSettings,
    RecipeSettings,
    NotificationSettings,
    PickerSettings,
    WebhookSettings,
):
    """What an operator can set, from the environment or a `.env` file; see docs/settings.md for each heading."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, populate_by_name=True)

    data: Path = Field(
        Path("tintype-data"),
        validation_alias=names("TINTYPE_DATA"),
        description="Folder for the SQLite database, pictures and the generated encryption key.",
    )
    host: str = Field("127.0.0.1", validation_alias=names("HOST"), description="Address the server listens on.")
    port: int = Field(8000, ge=0, le=65535, validation_alias=names("PORT"), description="Port the server listens on.")
    public_url: str | None = Field(
        None,
        validation_alias=names("PUBLIC_URL", "WEBHOOK_BASE_URL"),
        description="Address under which the world reaches this server; picture URLs and callbacks are built on it.",
    )
    trusted_proxies: Names = Field(
        (),
        validation_alias=names("TRUSTED_PROXIES"),
        description="Addresses or networks whose X-Forwarded-For header counts, separated by commas.",
    )
    database_url: str | None = Field(
        None,
        validation_alias=names("DATABASE_URL"),
        description="sqlite:///path or postgresql://…; without it a SQLite file in the data folder.",
    )
    redis_url: SecretStr | None = Field(
        None,
        validation_alias=names("REDIS_URL"),
        description="redis:// or rediss:// address for the cache and events of several nodes; optional.",
    )
    redis_key_prefix: str = Field(
        "", validation_alias=names("REDIS_KEY_PREFIX"), description="Put in front of every key when Redis is shared."
    )
    upstash_redis_rest_url: str | None = Field(
        None,
        validation_alias=names("UPSTASH_REDIS_REST_URL"),
        description="Upstash address; with its token it stands for the rediss:// address of the same database.",
    )
    upstash_redis_rest_token: SecretStr | None = Field(
        None, validation_alias=names("UPSTASH_REDIS_REST_TOKEN"), description="Upstash token, see above."
    )
    blobs_url: str | None = Field(
        None,
        validation_alias=names("BLOBS_URL"),
        description="file:///…, s3://…, gs://… or az://…; without it a folder in the data folder.",
    )
    encryption_key: SecretStr | None = Field(
        None,
        validation_alias=names("ENCRYPTION_KEY"),
        description="32 bytes in base64 that seal tokens; generate with `openssl rand -base64 32`. Without it one is "
        "made in the data folder at the first start.",
    )
    encryption_keys_old: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        validation_alias=names("ENCRYPTION_KEYS_OLD"),
        description="Earlier keys, separated by commas, that still open what they sealed.",
    )
    redirect_uri: str | None = Field(
        None,
        validation_alias=names("REDIRECT_URI"),
        description="Redirect address registered with the Instagram app; default {PUBLIC_URL}/instagram-callback.",
    )
    instagram_app_id: str | None = Field(
        None, validation_alias=names("INSTAGRAM_APP_ID"), description="App id for connecting with Instagram Login."
    )
    instagram_app_secret: SecretStr | None = Field(
        None, validation_alias=names("INSTAGRAM_APP_SECRET"), description="Secret of that app."
    )
    facebook_app_id: str | None = Field(
        None, validation_alias=names("FACEBOOK_APP_ID"), description="App id for connecting with Facebook Login."
    )
    facebook_app_secret: SecretStr | None = Field(
        None, validation_alias=names("FACEBOOK_APP_SECRET"), description="Secret of that app."
    )
    webhook_verify_token: SecretStr | None = Field(
        None,
        validation_alias=names("INSTAGRAM_WEBHOOK_VERIFY_TOKEN"),
        description="Token that Meta repeats when it verifies the webhook address.",
    )
    instagram_origin: str | None = Field(
        None,
        validation_alias=names("INSTAGRAM_ORIGIN"),
        description="Sends everything meant for Instagram's hosts to this address, e.g. a running simulator.",
    )
    instagram_graph_version: str = Field(
        "v25.0",
        pattern=r"^v\d{2}\.\d$",
        validation_alias=names("INSTAGRAM_GRAPH_VERSION"),
        description="Version of the Graph API that is asked.",
    )
    instagram_api_timeout_ms: int = Field(
        10_000, gt=0, validation_alias=names("INSTAGRAM_API_TIMEOUT_MS"), description="Time one API call may take."
    )
    image_workers: int = Field(
        max(1, min(4, os.cpu_count() or 1)),
        gt=0,
        validation_alias=names("IMAGE_WORKERS"),
        description="Processes that decode and convert pictures.",
    )
    outbound_allow: Names = Field(
        (),
        validation_alias=names("OUTBOUND_ALLOW"),
        description="host:port entries of your own network that may be fetched although their addresses are private.",
    )
    rate_limit_per_minute: int = Field(
        60,
        ge=0,
        validation_alias=names("RATE_LIMIT_PER_MINUTE"),
        description="Registrations, logins and token exchanges one address may ask per minute; 0 switches it off.",
    )
    max_body_bytes: int = Field(
        1_048_576, gt=0, validation_alias=names("MAX_BODY_BYTES"), description="Largest request body taken."
    )
    metrics_token: SecretStr | None = Field(
        None,
        validation_alias=names("METRICS_TOKEN"),
        description="Bearer token for /metrics. Without it the figures are shown only by a server that serves its own machine.",
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        validation_alias=names("OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="Where traces are sent by OTLP over HTTP, like http://127.0.0.1:4318; needs the extra `otel`.",
    )
    log_format: Literal["text", "json"] = Field(
        "text", validation_alias=names("LOG_FORMAT"), description="How log lines are written."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias=names("LOG_LEVEL"), description="Least important lines that are still written."
    )

    @field_validator("trusted_proxies", "outbound_allow", "encryption_keys_old", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, info: object) -> object:
        # `NAME=` in an env file means "not set", as it does for every tool that reads one.
        if value == "" and (name := getattr(info, "field_name", None)) and name != "redis_key_prefix":
            return cls.model_fields[name].get_default()
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # A proxy that is not known for one makes all of its visitors share one limit, without a word.
        for one in value:
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError:
                raise ValueError(f"{one[:80]!r} is no address and no network like 10.0.0.0/8") from None
        return value

    @field_validator(
        "public_url",
        "instagram_origin",
        "redirect_uri",
        "qstash_url",
        "cloudinary_upload_prefix",
        "tandoor_url",
        "mealie_url",
        "llm_base_url",
    )
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # brackets without an end, a port that is no number
            is_address = False
        if not is_address:
            raise ValueError("must be an address that starts with http:// or https://")
        return value.rstrip("/")

    @field_validator("public_url")
    @classmethod
    def _is_built_on(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must be without a user, a query and a fragment: other addresses are built on it")
        return value

    @field_validator("encryption_key", "encryption_keys_old")
    @classmethod
    def _are_keys(cls, value: SecretStr | tuple[SecretStr, ...] | None) -> SecretStr | tuple[SecretStr, ...] | None:
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None and not _is_key(one.get_secret_value()):
                raise ValueError("must be 32 bytes in base64; make one with: openssl rand -base64 32")
        return value

    @model_validator(mode="after")
    def _qstash_keys_go_together(self) -> "Settings":
        if self.qstash_token and not (self.qstash_current_signing_key and self.qstash_next_signing_key):
            raise ValueError("QSTASH_TOKEN needs QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY as well")
        return self

    @model_validator(mode="after")
    def _upstash_goes_together(self) -> "Settings":
        url, token = self.upstash_redis_rest_url, self.upstash_redis_rest_token
        if (url is None) != (token is None):
            raise ValueError("UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN go together; set both or none")
        if url is not None and not (url.startswith("https://") and urlsplit(url).hostname):
            raise ValueError("UPSTASH_REDIS_REST_URL: must be an address that starts with https://")
        return self

    def address(self) -> str:
        """Return the address under which the world reaches this server, without a trailing slash."""
        if self.public_url:
            return self.public_url
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def is_local(self) -> bool:
        """Tell whether this server only serves its own machine, as far as the settings say."""
        return all(_is_loopback(host) for host in (self.host, urlsplit(self.address()).hostname or ""))

    def callback(self) -> str:
        """Return the redirect address for OAuth."""
        return self.redirect_uri or f"{self.address()}/instagram-callback"

    def redis_address(self) -> str | None:
        """Return the Redis address: as set, or the one that stands behind Upstash's REST address."""
        if self.redis_url:
            return self.redis_url.get_secret_value()
        parts = urlsplit(self.upstash_redis_rest_url or "")
        if parts.scheme == "https" and self.upstash_redis_rest_token:
            host = parts.hostname
            # Upstash serves the Redis protocol with TLS on 6379 under the same name, the REST token being the password.
            return f"rediss://default:{quote(self.upstash_redis_rest_token.get_secret_value(), safe='')}@{host}:6379"
        return None

    def database_address(self) -> str:
        """Return the database URL: as set, or the SQLite file of the data folder."""
        return self.database_url or f"sqlite:///{(self.data / 'tintype.db').resolve()}"

    def blobs_address(self) -> str:
        """Return the blob store's URL: as set, or the folder of the data folder."""
        return self.blobs_url or (self.data / "blobs").resolve().as_uri()


def load(**given: Any) -> Settings:
    """Read the settings from the environment, with `given` (field names) on top.

    Raises `Misconfigured` with one readable sentence per wrong setting, by its environment name and without its value.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        raise Misconfigured("; ".join(_sentence(item["loc"], item["msg"]) for item in error.errors())) from None


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def environment_name(field: str) -> str:
    """Return the environment name by which people know a setting."""
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else field.upper()


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]) if location else ""
    field = next((key for key in Settings.model_fields if name in (key, environment_name(key))), name)
    said = message.removeprefix("Value error, ")
    return f"{environment_name(field)}: {said}" if field in Settings.model_fields else said
