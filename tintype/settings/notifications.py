"""How people are told of things: by their browsers, and by mail."""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from tintype.settings.names import names


class NotificationSettings(BaseSettings):
    """How people are told of things: by their browsers, and by mail."""

    push_contact: str | None = Field(
        None,
        validation_alias=names("PUSH_CONTACT"),
        description="Whom the people of a push service may write to: mailto:… or https://…; default PUBLIC_URL.",
    )
    push_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=names("PUSH_HOSTS"),
        description="Hosts that subscriptions may name beside the push services of the great browsers, separated by commas.",
    )

    smtp_url: SecretStr | None = Field(
        None,
        validation_alias=names("SMTP_URL"),
        description="The mail server for letters, smtp://user:password@host:587 or smtps://…; without it none are written.",
    )
    smtp_from: str | None = Field(
        None,
        validation_alias=names("SMTP_FROM"),
        description="Address that letters come from; needed with SMTP_URL.",
    )

    @field_validator("push_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("push_contact")
    @classmethod
    def _is_contact(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("mailto:", "https://")):
            raise ValueError("must start with mailto: or https://")
        return value
