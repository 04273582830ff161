"""Who may register, and whose tokens are believed."""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from tintype.settings.names import names


class AuthIssuer(BaseModel):
    """One entry of AUTH_ISSUERS: whose tokens are believed, and by what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(min_length=1, max_length=300)
    audience: str | None = None
    secret: SecretStr | None = Field(None, min_length=32)
    jwks_url: str | None = None
    email_claim: str = "email"
    role: Literal["owner", "editor", "viewer"] = "owner"

    @model_validator(mode="after")
    def _is_believed_by_one_thing(self) -> "AuthIssuer":
        if (self.secret is None) == (self.jwks_url is None):
            raise ValueError("each issuer needs either secret or jwks_url")
        return self


class UserSettings(BaseSettings):
    """Who may register, and whose tokens are believed."""

    admin_token: SecretStr | None = Field(
        None,
        validation_alias=names("ADMIN_TOKEN"),
        description="When set, POST /register and POST /api/auth/register ask for it as a Bearer token.",
    )
    registration: Literal["open", "closed"] | None = Field(
        None,
        validation_alias=names("REGISTRATION"),
        description="Whether anybody may register as a user: open or closed. Without it open, as long as this server only "
        "serves its own machine and ADMIN_TOKEN is not set. Invitations and ADMIN_TOKEN always let in.",
    )
    operators: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=names("OPERATORS"),
        description="E-mail addresses, separated by commas, of the users who run this house: they alone see the console's "
        "System page, with the jobs of all workspaces. Without it the user who came first.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=names("CORS_ORIGINS"),
        description="Origins whose pages may call the social dialect from a browser, separated by commas.",
    )
    platform_secret_key: SecretStr | None = Field(
        None,
        validation_alias=names("PLATFORM_SECRET_KEY", "JWT_SECRET_KEY"),
        description="Secret of at least 32 bytes that signs users' tokens; without it one is derived from ENCRYPTION_KEY.",
    )
    auth_issuers: Annotated[tuple[AuthIssuer, ...], NoDecode] = Field(
        (),
        validation_alias=names("AUTH_ISSUERS"),
        description="Other issuers whose users' tokens are taken: a JSON list of {issuer, secret or jwks_url, audience?, "
        "email_claim?, role?}.",
    )

    @field_validator("auth_issuers", mode="before")
    @classmethod
    def _parse(cls, value: object) -> object:
        if not isinstance(value, str) or not value:
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("must be a JSON list of issuers") from None

    @field_validator("operators", mode="before")
    @classmethod
    def _addresses(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip().lower() for part in value.split(",") if part.strip())

    @field_validator("platform_secret_key")
    @classmethod
    def _is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < 32:
            raise ValueError("must be at least 32 bytes; make one with: openssl rand -base64 32")
        return value
